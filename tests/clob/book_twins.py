"""The C book and its plain-Python twin side by side, driven by Hypothesis.

After every step both have given the same value or the same error, hold the same orders in the same order,
and have the same checksum; and the C book's own structure is whole. A sequence is 10 rules of 20 steps, and
a step is 8 bytes that Hypothesis draws: a rule a step would take five times as long and find no more.
`UnwatchedTwins` are compared after every rule alone: what one call leaves to the next to write is written by
that one, not by the comparison.

test_book_twins.py runs it in the suite, bin/soak book for longer.
"""

from __future__ import annotations

import struct
from collections import Counter
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from ledgerx.clob import ORDER_ID_MAX, PRICE_MAX, PRICE_MIN, SIZE_MAX, Book, _reference
from ledgerx.clob._checksum import checksum_of
from ledgerx.clob._records import EVENT_FORMAT, INCOMING_FORMAT
from ledgerx.errors import BookError

__all__ = ["RULES", "STEPS", "STEP_BYTES", "Twins", "UnwatchedTwins", "exercised"]

RULES, STEPS, STEP_BYTES = 10, 20, 8
"""Rules a sequence, steps a rule, bytes a step."""

exercised: Counter[str] = Counter()
"""How often each kind of step was taken since the start, how many calls were refused, and what filled."""

PRICE_ENDS = (PRICE_MIN, PRICE_MIN + 1, -1, 0, 1, PRICE_MAX - 1, PRICE_MAX)
SIZE_ENDS = (-1, 0, 2**31, SIZE_MAX // 2, SIZE_MAX)
ID_ENDS = (0, 2**32 + 1, ORDER_ID_MAX)


class Twins(RuleBasedStateMachine):
    watched = True

    @initialize(orders_max=st.sampled_from([3, 60, 60, 500]))
    def start(self, orders_max: int) -> None:
        self.c = Book(orders_max)
        self.reference = _reference.Book(orders_max)
        self.last_id = 1000

    @rule(program=st.binary(min_size=STEPS * STEP_BYTES, max_size=STEPS * STEP_BYTES))
    def run(self, program: bytes) -> None:
        for step in struct.iter_unpack("8B", program):
            kind, *drawn = step
            name = KINDS[kind % len(KINDS)]
            getattr(self, f"do_{name}")(*drawn)
            exercised["steps"] += 1
            exercised[name] += 1
            if self.watched:
                self.check()
        self.check()

    def check(self) -> None:
        c, reference = self.c, self.reference
        orders = reference.snapshot()
        assert c.snapshot() == orders
        assert c.checksum() == checksum_of(orders)
        assert c._check() is None
        for is_ask in (False, True):
            assert c.best(is_ask) == reference.best(is_ask)
            assert c.total(is_ask) == reference.total(is_ask)
        assert (c.best_bid, c.best_ask, len(c)) == (reference.best_bid, reference.best_ask, len(orders))

    def both(self, method: str, *args: Any) -> None:
        def outcome(book: Any) -> Any:
            try:
                return getattr(book, method)(*args)
            except BookError as error:
                exercised["refused"] += book is self.c
                return type(error), error.event_index

        ours = outcome(self.c)
        assert ours == outcome(self.reference), f"{method}{args}"
        if method == "submit" and not isinstance(ours, tuple):
            exercised["fills"] += len(ours)

    # ---------------------------------------------------------------- what a byte means

    def price(self, where: int, distance: int) -> int:
        """Mostly near the best price of a side, else anywhere near 0 or at an end of the range."""
        if where < 16:
            return PRICE_ENDS[distance % len(PRICE_ENDS)]
        if where < 64:
            return (where - 40) * distance
        best = self.reference.best_bid if where % 2 else self.reference.best_ask
        return max(PRICE_MIN, min(PRICE_MAX, (best or 0) + distance % 9 - 4))

    def size(self, drawn: int) -> int:
        return SIZE_ENDS[drawn % len(SIZE_ENDS)] if drawn < 16 else 1 + drawn % 60

    def new_id(self, drawn: int) -> int:
        """Mostly one that was never used."""
        if drawn < 24:
            return ID_ENDS[drawn % len(ID_ENDS)]
        if drawn < 48:
            return 1001 + drawn
        self.last_id += 1
        return self.last_id

    def known_id(self, level: int, place: int) -> int:
        """Mostly one in the book, near its top."""
        is_ask = level % 2 == 1
        levels = self.reference.depth(is_ask, 1 + level % 5)
        orders = self.reference.orders(is_ask, levels[-1].price) if levels else []
        return orders[place % len(orders)].order_id if orders and place > 16 else self.new_id(place)

    # ---------------------------------------------------------------- steps

    def do_add(self, a: int, b: int, c: int, d: int, e: int, *rest: int) -> None:
        self.both("add", self.new_id(a), b % 2 == 1, self.price(c, d), self.size(e))

    def do_submit(self, a: int, b: int, c: int, d: int, e: int, f: int, g: int) -> None:
        price = None if b < 32 else self.price(c, d)
        is_ask, size = b % 2 == 1, self.size(e)
        self.both("preview", is_ask, price, size)
        self.both("submit", self.new_id(a), is_ask, price, size, f % 9 // 2, g % 5 == 0)

    def do_reduce(self, a: int, b: int, c: int, *rest: int) -> None:
        self.both("reduce", self.known_id(a, b), self.size(c))

    def do_execute(self, a: int, b: int, c: int, *rest: int) -> None:
        self.both("execute", self.known_id(a % 2, b), self.size(c))

    def do_cancel(self, a: int, b: int, *rest: int) -> None:
        self.both("cancel", self.known_id(a, b))

    def do_replace(self, a: int, b: int, c: int, d: int, e: int, *rest: int) -> None:
        self.both("replace", self.known_id(a, b), self.price(c, d), self.size(e))

    def do_apply(self, a: int, b: int, c: int, d: int, e: int, f: int, g: int) -> None:
        batch = [(self.new_id(a), self.price(c, d), self.size(e), 1 + f % 5, b % 2)]
        batch.append((self.known_id(a, b), self.price(d, c), self.size(f), 1 + e % 5, a % 2))
        batch.append((self.known_id(b, a), self.price(e, f), self.size(d), 6 if g == 0 else g % 8, 0))
        self.both("apply", b"".join(struct.pack(EVENT_FORMAT, *event) for event in batch))

    def do_match(self, a: int, b: int, c: int, d: int, e: int, f: int, g: int) -> None:
        batch = [
            (self.new_id(a), self.price(c, d), self.size(e), 1, b % 2, f % 4, g % 5 == 0, b < 32),
            (self.new_id(b), self.price(d, e), self.size(f), 1, a % 2, g % 4, a % 5 == 0, c < 16),
            (self.known_id(a, b), self.price(e, f), self.size(g), c % 8, d % 2, 0, 0, 0),
            (self.new_id(255), self.price(f, g), self.size(c), 1, e % 2, 0, 0, d < 64),
        ]
        events = b"".join(struct.pack(INCOMING_FORMAT, *event) for event in batch)
        ours, reference = bytearray(32), bytearray(32)
        fills = self.c.match(events, ours)
        assert fills == self.reference.match(events, reference)
        assert ours == reference
        exercised["fills"] += len(fills)

    def do_event(self, a: int, b: int, c: int, d: int, e: int, f: int, g: int) -> None:
        order_id = self.new_id(a) if f % 2 else self.known_id(a, b)
        self.both("apply_event", 1 + g % 5, order_id, b % 2 == 1, self.price(c, d), self.size(e))

    def do_look(self, a: int, b: int, c: int, d: int, *rest: int) -> None:
        for method in ("level", "orders"):
            self.both(method, a % 2 == 1, self.price(c, d))
        self.both("depth", a % 2 == 1, b)
        for method in ("order", "queue_position", "__contains__"):
            self.both(method, self.known_id(a, b))

    def do_grow(self, a: int, b: int, c: int, d: int, *rest: int) -> None:
        """Fills nodes of the tree, from the middle and from both ends; both refuse what would cross."""
        first, step = 2 * b - 256, (-3, -1, 1, 2)[c % 4]
        for number in range(min(d % 120, self.reference.orders_max - len(self.reference))):
            self.both("add", self.new_id(255), a % 2 == 1, first + step * number, 1 + number % 5)

    def do_thin(self, a: int, b: int, c: int, d: int, *rest: int) -> None:
        """Empties nodes of the tree again."""
        is_ask, every = a % 2 == 1, 1 + c % 3
        for level in self.reference.depth(is_ask, b + d)[b::every]:
            for order in self.reference.orders(is_ask, level.price):
                self.both("cancel", order.order_id)

    def do_restore(self, a: int, *rest: int) -> None:
        if a < 32:
            self.both("clear")
        records = self.reference.records()
        assert self.c.records() == records
        self.c.restore(records)
        self.reference.restore(self.c.snapshot())


class UnwatchedTwins(Twins):
    watched = False


WEIGHTS = {
    "add": 5, "submit": 5, "reduce": 2, "execute": 2, "cancel": 3, "replace": 3, "apply": 2, "match": 3,
    "event": 3, "look": 1, "grow": 1, "thin": 1, "restore": 1,
}  # fmt: skip
KINDS = [name for name, weight in WEIGHTS.items() for _ in range(weight)]
