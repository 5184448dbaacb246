"""The plain-Python book against a naive model: one flat list in order of time, sorted for each question.

The C book is held against the plain-Python one by test_book_twins.py.
"""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from ledgerx.clob import Fill, Level, Order, TimeInForce
from ledgerx.clob._reference import Book
from ledgerx.errors import BookError, DuplicateOrder, InvalidOrder, NotFillable, UnknownOrder, WouldCross

prices = st.integers(min_value=-3, max_value=6)
sizes = st.integers(min_value=-1, max_value=8)
order_ids = st.integers(min_value=0, max_value=12)
sides = st.booleans()


class Model:
    """The rules again, with no thought for speed: a list of [order_id, is_ask, price, size] by time."""

    def __init__(self) -> None:
        self.rows: list[list[Any]] = []

    def priority(self, is_ask: bool) -> list[list[Any]]:
        own = [row for row in self.rows if row[1] == is_ask]
        return sorted(own, key=lambda row: row[2] if is_ask else -row[2])  # sorted() keeps the order of time

    def snapshot(self) -> list[Order]:
        return [Order(*row) for row in self.priority(False) + self.priority(True)]

    def find(self, order_id: int) -> list[Any]:
        for row in self.rows:
            if row[0] == order_id:
                return row
        raise UnknownOrder

    def met(self, is_ask: bool, price: int | None) -> list[list[Any]]:
        rows = self.priority(not is_ask)
        return [row for row in rows if price is None or (row[2] >= price if is_ask else row[2] <= price)]

    def check(self, order_id: int, size: int) -> None:
        if order_id < 1 or size < 1:
            raise InvalidOrder
        if any(row[0] == order_id for row in self.rows):
            raise DuplicateOrder

    def add(self, order_id: int, is_ask: bool, price: int, size: int) -> None:
        self.check(order_id, size)
        if self.met(is_ask, price):
            raise WouldCross
        self.rows.append([order_id, is_ask, price, size])

    def preview(self, is_ask: bool, price: int | None, size: int) -> list[Fill]:
        if size < 1:
            raise InvalidOrder
        fills = []
        for order_id, _, at, there in self.met(is_ask, price):
            traded = min(size, there)
            if traded:
                fills.append(Fill(order_id, at, traded, there - traded))
            size -= traded
        return fills

    def submit(
        self, order_id: int, is_ask: bool, price: int | None, size: int, tif: int, post_only: bool
    ) -> list[Fill]:
        self.check(order_id, size)
        fills = self.preview(is_ask, price, size)
        if fills and post_only:
            raise WouldCross
        filled = sum(fill.size for fill in fills)
        if tif == TimeInForce.FOK and filled < size:
            raise NotFillable
        for fill in fills:
            self.find(fill.order_id)[3] = fill.left
        self.rows = [row for row in self.rows if row[3]]
        if filled < size and price is not None and tif == TimeInForce.GTC:
            self.rows.append([order_id, is_ask, price, size - filled])
        return fills

    def reduce(self, order_id: int, by: int) -> int:
        if by < 1:
            raise InvalidOrder
        row = self.find(order_id)
        if by > row[3]:
            raise InvalidOrder
        row[3] -= by
        if not row[3]:
            self.rows.remove(row)
        left: int = row[3]
        return left

    def execute(self, order_id: int, size: int) -> int:
        if size < 1:
            raise InvalidOrder
        row = self.find(order_id)
        if row[2] != self.priority(row[1])[0][2]:
            raise InvalidOrder
        return self.reduce(order_id, size)

    def cancel(self, order_id: int) -> int:
        row = self.find(order_id)
        self.rows.remove(row)
        size: int = row[3]
        return size

    def replace(self, order_id: int, price: int, size: int) -> bool:
        if size < 1:
            raise InvalidOrder
        row = self.find(order_id)
        if price == row[2] and size <= row[3]:
            row[3] = size
            return True
        if self.met(row[1], price):
            raise WouldCross
        self.rows.remove(row)
        self.rows.append([order_id, row[1], price, size])
        return False


class BookFollowsTheModel(RuleBasedStateMachine):
    @initialize()
    def start(self) -> None:
        self.book = Book()
        self.model = Model()

    def both(self, method: str, *args: Any) -> None:
        """Calls both; they give the same value or the same error."""

        def outcome(target: Any) -> Any:
            try:
                return getattr(target, method)(*args)
            except BookError as error:
                return type(error)

        assert outcome(self.book) == outcome(self.model)

    @rule(order_id=order_ids, is_ask=sides, price=prices, size=sizes)
    def add(self, order_id: int, is_ask: bool, price: int, size: int) -> None:
        self.both("add", order_id, is_ask, price, size)

    @rule(
        order_id=order_ids,
        is_ask=sides,
        price=st.none() | prices,
        size=sizes,
        tif=st.sampled_from(TimeInForce),
        post_only=st.booleans(),
    )
    def submit(
        self, order_id: int, is_ask: bool, price: int | None, size: int, tif: int, post_only: bool
    ) -> None:
        if size > 0:
            assert list(self.book.preview(is_ask, price, size)) == self.model.preview(is_ask, price, size)
        self.both("submit", order_id, is_ask, price, size, tif, post_only)

    @rule(method=st.sampled_from(["reduce", "execute"]), order_id=order_ids, size=sizes)
    def take(self, method: str, order_id: int, size: int) -> None:
        self.both(method, order_id, size)

    @rule(order_id=order_ids)
    def cancel(self, order_id: int) -> None:
        self.both("cancel", order_id)

    @rule(order_id=order_ids, price=prices, size=sizes)
    def replace(self, order_id: int, price: int, size: int) -> None:
        self.both("replace", order_id, price, size)

    @rule()
    def copy(self) -> None:
        copied = Book()
        copied.restore(self.book.snapshot())
        assert copied.checksum() == self.book.checksum()
        self.book = copied

    @invariant()
    def same_orders_in_the_same_order(self) -> None:
        assert self.book.snapshot() == self.model.snapshot()
        assert len(self.book) == len(self.model.rows)

    @invariant()
    def levels_add_up(self) -> None:
        for is_ask in (False, True):
            rows = self.model.priority(is_ask)
            at = sorted({row[2] for row in rows}, reverse=not is_ask)
            by_price = {price: [row[3] for row in rows if row[2] == price] for price in at}
            levels = [Level(price, sum(queue), len(queue)) for price, queue in by_price.items()]
            assert self.book.depth(is_ask, 99) == levels
            assert self.book.best(is_ask) == (levels[0] if levels else None)
            assert self.book.total(is_ask) == sum(level.size for level in levels)

    @invariant()
    def never_crossed(self) -> None:
        bid, ask = self.book.best(False), self.book.best(True)
        assert bid is None or ask is None or bid.price < ask.price

    @invariant()
    def positions_follow_time(self) -> None:
        for is_ask in (False, True):
            for level in self.book.depth(is_ask, 99):
                size_ahead = 0
                for place, order in enumerate(self.book.orders(is_ask, level.price)):
                    assert self.book.queue_position(order.order_id) == (place, size_ahead)
                    assert self.book.order(order.order_id) == order
                    size_ahead += order.size


TestBookFollowsTheModel = BookFollowsTheModel.TestCase
TestBookFollowsTheModel.settings = settings(max_examples=120, stateful_step_count=40, deadline=None)
