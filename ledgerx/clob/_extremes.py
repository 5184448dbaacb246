"""The best price among many that come and go, of one side that may overlap the other."""

from __future__ import annotations

from heapq import heappop, heappush

__all__ = ["Extreme"]


class Extreme:
    """The highest (bids) or lowest (asks) of the prices put in and not taken out again."""

    __slots__ = ("_heap", "_orders", "_sign")

    def __init__(self, is_ask: bool) -> None:
        self._sign = 1 if is_ask else -1
        self._heap: list[int] = []
        self._orders: dict[int, int] = {}

    def put(self, price: int) -> None:
        """One more order at a price."""
        orders = self._orders.get(price)
        if orders is None:
            heappush(self._heap, price * self._sign)
        self._orders[price] = (orders or 0) + 1

    def take(self, price: int) -> None:
        """One order less at a price that has one."""
        self._orders[price] -= 1

    def best(self) -> int | None:
        """The best price that has an order; None without any."""
        heap, sign = self._heap, self._sign
        while heap:
            price = heap[0] * sign
            if self._orders[price]:
                return price
            heappop(heap)
            del self._orders[price]
        return None
