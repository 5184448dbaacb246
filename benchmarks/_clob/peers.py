"""The peers, each with the calls of ours that are timed: apply_event -> best prices, and depth.

Each is written as well as its library allows: a best price is looked for only when it may have changed.
Events are trusted, as the files are valid: no peer checks them.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Any, Protocol

from ledgerx.clob import EventKind

__all__ = ["LevelBook", "NautilusBook", "Pair", "Peer", "SortedBook"]

ADD, REDUCE, EXECUTE, CANCEL, REPLACE = (int(EventKind(number)) for number in range(1, 6))

Pair = tuple[int | None, int | None]


class Peer(Protocol):
    """What the timed loop calls."""

    def apply_event(self, kind: int, order_id: int, is_ask: bool, price: int, size: int) -> Pair: ...

    def depth(self, is_ask: bool, levels: int) -> Sequence[Any]: ...


class SortedBook:
    """Order by order in plain Python on sortedcontainers: the prices in a SortedList, the rest in dicts.

    Prices are kept as keys that are smallest at the touch. An order is [key, size, is_ask]; a level is
    [sum of sizes, {order_id: order}].
    """

    def __init__(self) -> None:
        from sortedcontainers import SortedList

        self.orders: dict[int, list[int]] = {}
        self.keys: tuple[Any, Any] = (SortedList(), SortedList())
        self.levels: tuple[dict[int, list[Any]], dict[int, list[Any]]] = ({}, {})
        self.bid: int | None = None
        self.ask: int | None = None

    def apply_event(self, kind: int, order_id: int, is_ask: bool, price: int, size: int) -> Pair:
        if kind == ADD:
            key = price if is_ask else -price
            order = self.orders[order_id] = [key, size, is_ask]
            level = self.levels[is_ask].get(key)
            if level is None:
                self._open_level(key, order_id, order)
            else:
                level[0] += size
                level[1][order_id] = order
        elif kind == CANCEL:
            key, size, side = self.orders.pop(order_id)
            level = self.levels[side][key]
            queue = level[1]
            del queue[order_id]
            level[0] -= size
            if not queue:
                self._close_level(key, side)
        elif kind == REPLACE:
            order = self.orders[order_id]
            key, old, side = order
            if size <= old and price == (key if side else -key):
                order[1] = size
                self.levels[side][key][0] -= old - size
            else:
                self.cancel(order_id)
                self._add(order_id, side, price, size)
        else:
            order = self.orders[order_id]
            if order[1] == size:
                self.cancel(order_id)
            else:
                order[1] -= size
                self.levels[order[2]][order[0]][0] -= size
        return self.bid, self.ask

    def _add(self, order_id: int, is_ask: int, price: int, size: int) -> None:
        key = price if is_ask else -price
        order = self.orders[order_id] = [key, size, is_ask]
        level = self.levels[is_ask].get(key)
        if level is None:
            self._open_level(key, order_id, order)
        else:
            level[0] += size
            level[1][order_id] = order

    def cancel(self, order_id: int) -> None:
        """As `Book.cancel`."""
        key, size, side = self.orders.pop(order_id)
        level = self.levels[side][key]
        queue = level[1]
        del queue[order_id]
        level[0] -= size
        if not queue:
            self._close_level(key, side)

    def _open_level(self, key: int, order_id: int, order: list[int]) -> None:
        is_ask = order[2]
        self.levels[is_ask][key] = [order[1], {order_id: order}]
        self.keys[is_ask].add(key)
        if is_ask:
            if self.ask is None or key < self.ask:
                self.ask = key
        elif self.bid is None or key < -self.bid:
            self.bid = -key

    def _close_level(self, key: int, is_ask: int) -> None:
        del self.levels[is_ask][key]
        keys = self.keys[is_ask]
        keys.remove(key)
        if is_ask:
            if key == self.ask:
                self.ask = keys[0] if keys else None
        elif key == -self.bid:  # type: ignore[operator]
            self.bid = -keys[0] if keys else None

    def depth(self, is_ask: bool, levels: int) -> list[tuple[int, int, int]]:
        found, sign = self.levels[is_ask], 1 if is_ask else -1
        return [(k * sign, found[k][0], len(found[k][1])) for k in islice(self.keys[is_ask], levels)]

    def submit(
        self, order_id: int, is_ask: bool, price: int | None, size: int, time_in_force: int
    ) -> list[tuple[int, int, int, int]]:
        """As `Book.submit`."""
        other = int(not is_ask)
        levels = self.levels[other]
        fills = []
        while size:
            touch = self.ask if other else self.bid
            if touch is None or (price is not None and (touch > price if other else touch < price)):
                break
            level = levels[touch if other else -touch]
            queue = level[1]
            first, order = next(iter(queue.items()))
            resting = order[1]
            if size < resting:
                fills.append((first, touch, size, resting - size))
                level[0] -= size
                order[1] = resting - size
                return fills
            fills.append((first, touch, resting, 0))
            size -= resting
            level[0] -= resting
            del queue[first], self.orders[first]
            if not queue:
                self._close_level(order[0], other)
        if size and price is not None and not time_in_force:
            self._add(order_id, int(is_ask), price, size)
        return fills


class LevelBook:
    """The order-book package, which keeps levels: orders by id are kept beside it, as its users do.

    Its `index(0)` sorts again after any level came or went, so best prices are kept here too.
    """

    def __init__(self) -> None:
        from order_book import OrderBook

        book = OrderBook()
        self.sides: tuple[Any, Any] = (book.bids, book.asks)
        self.book = book
        self.orders: dict[int, tuple[int, int, int]] = {}
        self.best: list[int | None] = [None, None]

    def apply_event(self, kind: int, order_id: int, is_ask: bool, price: int, size: int) -> Pair:
        if kind == ADD:
            self._add(order_id, is_ask, price, size)
        elif kind == CANCEL:
            self._take(*self.orders.pop(order_id))
        elif kind == REPLACE:
            side, old_price, old_size = self.orders.pop(order_id)
            self._take(side, old_price, old_size)
            self._add(order_id, side, price, size)
        else:
            side, price, old_size = self.orders[order_id]
            if old_size == size:
                del self.orders[order_id]
            else:
                self.orders[order_id] = (side, price, old_size - size)
            self._take(side, price, size)
        bid, ask = self.best
        return bid, ask

    def _add(self, order_id: int, is_ask: int, price: int, size: int) -> None:
        self.orders[order_id] = (is_ask, price, size)
        side = self.sides[is_ask]
        if price in side:
            side[price] += size
            return
        side[price] = size
        best = self.best[is_ask]
        if best is None or (price < best if is_ask else price > best):
            self.best[is_ask] = price

    def _take(self, is_ask: int, price: int, size: int) -> None:
        side = self.sides[is_ask]
        left = side[price] - size
        if left:
            side[price] = left
            return
        del side[price]
        if price == self.best[is_ask]:
            self.best[is_ask] = side.index(0)[0] if len(side) else None

    def depth(self, is_ask: bool, levels: int) -> list[tuple[int, int]]:
        side = self.sides[is_ask]
        return [side.index(place) for place in range(min(levels, len(side)))]


class NautilusBook:
    """nautilus_trader's L3 book in Rust, by the calls of its Python class; made for prepared orders.

    `prepare` turns events into what it takes (outside of timing): the method and a BookOrder each, whose
    size is what is left, since its `update` wants that.
    """

    def __init__(self) -> None:
        from nautilus_trader.core import nautilus_pyo3 as native

        self.book = native.OrderBook(native.InstrumentId.from_str("X.Y"), native.BookType.L3_MBO)

    @staticmethod
    def prepare(events: Sequence[tuple[int, int, bool, int, int]]) -> list[tuple[int, Any]]:
        from nautilus_trader.core import nautilus_pyo3 as native

        sides = (native.OrderSide.BUY, native.OrderSide.SELL)
        sizes: dict[int, int] = {}
        prepared = []
        for kind, order_id, is_ask, price, size in events:
            verb = {ADD: ADD, CANCEL: CANCEL}.get(kind, REPLACE)
            if kind in (REDUCE, EXECUTE):
                size = sizes[order_id] - size
                verb = REPLACE if size else CANCEL
            sizes[order_id] = size
            made = native.BookOrder(sides[is_ask], native.Price(price, 0), native.Quantity(size, 0), order_id)
            prepared.append((verb, made))
        return prepared

    def apply_prepared(self, verb: int, order: Any) -> tuple[Any, Any]:
        """One event."""
        book = self.book
        if verb == ADD:
            book.add(order, 0, 0, 0)
        elif verb == CANCEL:
            book.delete(order, 0, 0, 0)
        else:
            book.update(order, 0, 0, 0)
        return book.best_bid_price(), book.best_ask_price()

    def depth(self, is_ask: bool, levels: int) -> list[tuple[Any, Any, int]]:
        found = self.book.asks(levels) if is_ask else self.book.bids(levels)
        return [(level.price, level.size(), level.len()) for level in found]
