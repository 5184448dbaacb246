"""One side of the plain-Python book: its price levels, sorted, each with its queue in order of time.

Prices are kept as keys that grow towards the spread (the price itself for bids, its negative for asks),
so that the best key is the last of a sorted list, where insertions and removals are cheapest.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import OrderedDict
from collections.abc import Iterator

from ledgerx.clob._types import Level, Order

__all__ = ["PriceLevel", "Resting", "Side"]


class Resting:
    """An order in the queue of `level`, which knows its side."""

    __slots__ = ("level", "order_id", "price", "size")

    def __init__(self, order_id: int, price: int, size: int, level: PriceLevel) -> None:
        self.order_id = order_id
        self.price = price
        self.size = size
        self.level = level

    def as_order(self) -> Order:
        """The order as users see it."""
        return Order(self.order_id, self.level.side.is_ask, self.price, self.size)


class PriceLevel:
    """The orders of one price, first come first; `size` is their sum."""

    __slots__ = ("key", "queue", "side", "size")

    def __init__(self, side: Side, key: int) -> None:
        self.side = side
        self.key = key
        # A plain dict would walk over the gaps of the removed heads at each look at the first order.
        self.queue: OrderedDict[int, Resting] = OrderedDict()
        self.size = 0


class Side:
    """All levels of one side. `sign` is 1 for bids and -1 for asks; `size` is the sum over all orders."""

    __slots__ = ("is_ask", "keys", "levels", "sign", "size")

    def __init__(self, is_ask: bool) -> None:
        self.is_ask = is_ask
        self.sign = -1 if is_ask else 1
        self.keys: list[int] = []
        self.levels: dict[int, PriceLevel] = {}
        self.size = 0

    def append(self, order_id: int, price: int, size: int) -> Resting:
        """Rests an order at the back of its price's queue."""
        key = price * self.sign
        level = self.levels.get(key)
        if level is None:
            level = self.levels[key] = PriceLevel(self, key)
            keys = self.keys
            if not keys or key > keys[-1]:
                keys.append(key)
            else:
                insort(keys, key)
        resting = level.queue[order_id] = Resting(order_id, price, size, level)
        level.size += size
        self.size += size
        return resting

    def remove(self, resting: Resting) -> None:
        """Takes an order out, and its level if it was the last there."""
        level = resting.level
        del level.queue[resting.order_id]
        level.size -= resting.size
        self.size -= resting.size
        if not level.queue:
            self.drop_level(level.key)

    def reduce(self, resting: Resting, by: int) -> None:
        """Makes an order smaller, by less than its size; it keeps its place."""
        resting.size -= by
        resting.level.size -= by
        self.size -= by

    def drop_level(self, key: int) -> None:
        """Forgets a level whose queue has become empty."""
        del self.levels[key]
        keys = self.keys
        if keys[-1] == key:
            keys.pop()
        else:
            del keys[bisect_left(keys, key)]

    def reaches(self, price: int | None) -> bool:
        """Whether an order of the other side at `price` (None: at any) would trade with the best level."""
        return bool(self.keys) and (price is None or self.keys[-1] >= price * self.sign)

    def holds(self, price: int | None, size: int) -> bool:
        """Whether `size` is there at `price` or better (None: at any), as a fill-or-kill order asks."""
        if size > self.size:
            return False
        limit = None if price is None else price * self.sign
        for key in reversed(self.keys):
            if size <= 0 or (limit is not None and key < limit):
                break
            size -= self.levels[key].size
        return size <= 0

    def matching(self, price: int | None) -> Iterator[Resting]:
        """The orders that an order of the other side at `price` (None: any) meets, in priority order."""
        limit = None if price is None else price * self.sign
        for key in reversed(self.keys):
            if limit is not None and key < limit:
                return
            yield from self.levels[key].queue.values()

    def level_at(self, key: int) -> Level:
        """The level of `key`, empty if no order rests there."""
        level = self.levels.get(key)
        if level is None:
            return Level(key * self.sign, 0, 0)
        return Level(key * self.sign, level.size, len(level.queue))
