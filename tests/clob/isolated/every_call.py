"""Every call that a book takes, right and wrong, in sections that leave nothing behind: for the leak scripts.

A section runs some calls and returns how many they were; an event of a batch counts as one.
"""

from __future__ import annotations

import copy
import gc
from collections.abc import Callable, Iterator
from typing import Any

import numpy

from ledgerx.clob import (
    EVENT_DTYPE,
    INCOMING_DTYPE,
    ORDER_ID_MAX,
    OUTCOME_DTYPE,
    PRICE_MAX,
    PRICE_MIN,
    SIZE_MAX,
    Book,
    EventKind,
)

__all__ = ["BAD_CALLS", "HUGE", "REFUSED", "SECTIONS"]

BID, ASK = False, True
HUGE = 2**90
LARGE_ID = 2**63 + 5
REFUSED: list[BaseException] = []
"""The last exceptions, so that none is only kept alive by chance."""


class Index:
    """An int by its __index__ alone."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __index__(self) -> Any:
        return self.value


class Raises:
    """Fails as an int and as a truth."""

    def __index__(self) -> int:
        raise ZeroDivisionError

    def __bool__(self) -> bool:
        raise ZeroDivisionError


class Child(Book):
    """A subclass has a dict, may be weakly referenced, and stands in cycles."""


def filled() -> Book:
    book = Book()
    for i in range(40):
        book.add(i + 1, i % 2 == 1, 1000 + i if i % 2 else 999 - i, 10 + i)
    return book


BOOK = filled()
EVENTS = numpy.zeros(4000, numpy.dtype(EVENT_DTYPE))
EVENTS["order_id"] = numpy.arange(len(EVENTS)) // 2 + 100
EVENTS["is_ask"] = numpy.arange(len(EVENTS)) // 2 % 2
EVENTS["price"] = numpy.where(EVENTS["is_ask"], 5000, -5000)
EVENTS["size"] = 3
EVENTS["kind"] = numpy.where(numpy.arange(len(EVENTS)) % 2, EventKind.CANCEL, EventKind.ADD)
BEST = numpy.zeros((len(EVENTS), 2), numpy.int64)
BROKEN_OFF = EVENTS.copy()
BROKEN_OFF["kind"][-1] = 99

ORDERS = numpy.zeros(10_000, numpy.dtype(INCOMING_DTYPE))
ORDERS["order_id"] = numpy.arange(len(ORDERS)) + 100
ORDERS["is_ask"] = numpy.arange(len(ORDERS)) % 2
ORDERS["kind"], ORDERS["price"], ORDERS["size"] = EventKind.ADD, 1000, 3
OUTCOMES = numpy.zeros(len(ORDERS), OUTCOME_DTYPE)

# ------------------------------------------------------------------------------------- calls that go well


def changes() -> int:
    book = BOOK
    book.add(LARGE_ID, BID, 100, 7)
    book.add(order_id=502, is_ask=0, price=Index(100), size=Index(9))
    book.replace(LARGE_ID, 100, 6)
    book.replace(502, 101, 30)
    book.reduce(502, 4)
    book.reduce(LARGE_ID, 6)
    book.execute(1, 1)
    book.submit(503, BID, 1001, 4)
    book.submit(504, ASK, None, 8)
    book.submit(505, ASK, 998, 3, 1)
    book.submit(506, BID, 1003, 2, 2, False)
    book.submit(507, ASK, 2000, 2, time_in_force=0, post_only=True)
    book.submit(508, ASK, PRICE_MAX, SIZE_MAX // 2)
    book.apply_event(EventKind.ADD, 509, BID, 1000, 5)
    book.apply_event(EventKind.CANCEL, 509, BID, HUGE, 0)
    book.apply_event(kind=EventKind.ADD, order_id=510, is_ask=BID, price=PRICE_MIN, size=1)
    for order_id in (502, 507, 508, 510):
        book.cancel(order_id)
    book.restore(RECORDS)
    return 21


def questions() -> int:
    book = BOOK
    _ = (
        book.best_bid,
        book.best_ask,
        book.orders_max,
        len(book),
        5 in book,
        HUGE in book,
        "x" in book,
        repr(book),
    )
    _ = (
        book.best(BID),
        book.best(is_ask=ASK),
        book.level(BID, 999),
        book.level(BID, 4),
        book.level(ASK, HUGE),
    )
    _ = (book.depth(BID, 10), book.depth(ASK, HUGE), book.depth(ASK, -HUGE), book.depth(ASK, levels=0))
    _ = (book.orders(BID, 999), book.orders(ASK, -5), book.orders(ASK, HUGE), book.order(3), book.total(ASK))
    _ = (
        book.queue_position(7),
        book.checksum(),
        book.snapshot(),
        book.records(),
        book._check(),
        book.__sizeof__(),
    )
    _ = (
        book.preview(BID, None, 60),
        book.preview(ASK, 980, 60),
        book.preview(is_ask=ASK, price=2000, size=1),
    )
    _ = (book.order(Index(3)), Index(3) in book, book.level(BID, Index(999)), book.depth(0, Index(2)))
    _ = (book.depth(ASK, Index(HUGE)), book.depth(ASK, Index(-HUGE)))
    return 37


def fills() -> int:
    none, few, many = BOOK.preview(ASK, 2000, 1), BOOK.preview(BID, None, 40), BOOK.preview(ASK, None, 400)
    assert (len(none), len(few), len(many) > 4) == (0, 4, True)
    for seen in (none, few, many):
        _ = (
            list(seen),
            repr(seen),
            seen[1:3],
            bytes(seen),
            copy.copy(seen),
            seen == list(seen),
            seen != few,
            seen == 5,
        )
        numpy.frombuffer(seen, numpy.int64)
    _ = (few[0], few[-1], few.index(few[2]), few.count(few[1]), few.count(7), few[0] in few)
    for wrong in (lambda: few[4], lambda: few["x"], lambda: few.index(7), lambda: hash(few), type(few)):  # type: ignore[call-overload]
        try:
            wrong()
        except Exception as error:
            REFUSED[:] = [error]
            continue
        raise AssertionError("not refused")
    return 41


def batches() -> int:
    book = BOOK
    count = book.apply(EVENTS) + book.apply(EVENTS, BEST) + book.apply(EVENTS[:40], best=BEST[:40])
    count += book.apply(EVENTS.tobytes()) + book.apply(memoryview(EVENTS.tobytes())[:64]) + book.apply(b"")
    return count + 6


def matches() -> int:
    """Fills that are in their object, copied, and taken from the book."""
    counts = (0, 2, 300, len(ORDERS))
    book = Book()
    found = [book.match(ORDERS[:count], outcomes=OUTCOMES[:count]) for count in counts]
    assert [len(fills) for fills in found] == [count // 2 for count in counts]
    BOOK.match(EVENTS_REFUSED, OUTCOMES[: len(EVENTS_REFUSED)])
    return sum(counts) + len(EVENTS_REFUSED)


def lives() -> int:
    for orders_max in (1, 100, HUGE % 1000):
        book = Book(orders_max)
        book.add(1, BID, 5, 5)
        book.restore(book.snapshot())
    child = Child(orders_max=5)
    child.self = child  # type: ignore[attr-defined]
    child.add(1, BID, 1, 1)
    child.kept = child.snapshot()  # type: ignore[attr-defined]
    big = filled()
    big.restore(reversed(BOOK.snapshot()))
    big.restore(BOOK.records())
    big.apply(BOOK.records()[:0])
    big.clear()
    del child
    gc.collect(0)  # else what waits for the collector grows for a while
    return 18


# ------------------------------------------------------------------------------------- calls that are refused


def stops_midway() -> Iterator[Any]:
    yield (1, BID, 1, 1)
    raise ZeroDivisionError


def bad_values(method: str, *good: Any) -> list[tuple[str, tuple[Any, ...], dict[str, Any]]]:
    """The call with each argument in turn of no type that fits, or one that raises."""
    calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []
    for place in range(len(good)):
        for bad in ("x", Raises()) if not isinstance(good[place], bool) else (Raises(),):
            calls.append((method, (*good[:place], bad, *good[place + 1 :]), {}))
    calls.append((method, (*good, 1, 2, 3, 4), {}))
    calls.append((method, good, {"nonsense": 1}))
    calls.append((method, (), {}))
    return calls


ADDED = {"order_id": 1, "is_ask": BID}
BAD_CALLS: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    *bad_values("add", 900, BID, 1, 1),
    *bad_values("submit", 900, BID, 1, 1, 0, False),
    *bad_values("preview", BID, 1, 1),
    *bad_values("reduce", 1, 1),
    *bad_values("execute", 1, 1),
    *bad_values("cancel", 1),
    *bad_values("replace", 1, 1, 1),
    *bad_values("apply_event", 1, 900, BID, 1, 1),
    *bad_values("level", BID, 1),
    *bad_values("depth", BID, 1),
    *bad_values("orders", BID, 1),
    *bad_values("order", 1),
    *bad_values("queue_position", 1),
    *bad_values("best", BID),
    *bad_values("total", BID),
    ("add", ("x", Raises(), Raises(), "x"), {}),
    ("add", (1, BID), ADDED),
    ("add", (1, BID, 1, 1), {}),
    ("add", (0, BID, 1, 1), {}),
    ("add", (-1, BID, 1, 1), {}),
    ("add", (ORDER_ID_MAX + 1, BID, 1, 1), {}),
    ("add", (900, BID, HUGE, 1), {}),
    ("add", (900, BID, 1, -HUGE), {}),
    ("add", (900, BID, 1, 0), {}),
    ("add", (900, BID, 1, SIZE_MAX), {}),
    ("add", (900, BID, 5000, 1), {}),
    ("submit", (900, BID, 5000, 1, 0, True), {}),
    ("submit", (900, BID, 1, 1, 2), {}),
    ("submit", (900, ASK, None, SIZE_MAX, 2), {}),
    ("submit", (900, BID, 1, 1, 7), {}),
    ("submit", (900, BID, 1, 1, HUGE), {}),
    ("submit", (900, BID, HUGE, 1), {}),
    ("preview", (BID, 1, 0), {}),
    ("preview", (BID, HUGE, 1), {}),
    ("reduce", (1, HUGE), {}),
    ("reduce", (1, -HUGE), {}),
    ("reduce", (HUGE, HUGE), {}),
    ("reduce", (1, 0), {}),
    ("reduce", (1, 10**6), {}),
    ("reduce", (HUGE, 1), {}),
    ("execute", (5, 1), {}),
    ("cancel", (12345,), {}),
    ("cancel", (HUGE,), {}),
    ("replace", (1, 5000, 1), {}),
    ("replace", (HUGE, 1, 1), {}),
    ("replace", (1, HUGE, 1), {}),
    ("replace", (1, 1, SIZE_MAX), {}),
    ("apply_event", (9, 1, BID, 1, 1), {}),
    ("apply_event", (HUGE, 1, BID, 1, 1), {}),
    ("apply_event", (1, HUGE, BID, 1, 1), {}),
    ("apply_event", (2, 1, BID, 1, HUGE), {}),
    ("apply_event", (3, 5, BID, 1, HUGE), {}),
    ("apply_event", (5, 1, BID, HUGE, 1), {}),
    ("order", (HUGE,), {}),
    ("queue_position", (12345,), {}),
    ("__contains__", (Raises(),), {}),
    ("apply", (None,), {}),
    ("apply", (b"x" * 31,), {}),
    ("apply", (EVENTS[::2],), {}),
    ("apply", (EVENTS["price"].copy(),), {}),
    ("apply", (EVENTS[:4], bytearray(63)), {}),
    ("apply", (EVENTS[:4], bytes(64)), {}),
    ("apply", (EVENTS[:4], 5), {}),
    ("apply", (EVENTS[:4], BEST[:8, ::2]), {}),
    ("apply", (), {}),
    ("match", (ORDERS,), {}),
    ("match", (ORDERS, OUTCOMES[:-1]), {}),
    ("match", (ORDERS, bytes(8 * len(ORDERS))), {}),
    ("match", (EVENTS, OUTCOMES[: len(EVENTS)]), {}),
    ("match", (ORDERS[::2], OUTCOMES[: len(ORDERS) // 2]), {}),
    ("match", (ORDERS[:4], numpy.zeros(4, object)), {}),
    ("match", (None, OUTCOMES), {}),
    ("restore", (None,), {}),
    ("restore", ([None],), {}),
    ("restore", ([(1, BID, 1)],), {}),
    ("restore", ([(1, BID, 1, 1)] * 2,), {}),
    ("restore", ([("x", BID, 1, 1)],), {}),
    ("restore", ([(1, Raises(), 1, 1)],), {}),
    ("restore", ([(1, BID, HUGE, 1)],), {}),
    ("restore", ([(HUGE, BID, 1, 1)],), {}),
    ("restore", (b"x" * 33,), {}),
    ("restore", (b"\xff" * 32,), {}),
    ("restore", (), {}),
]


def refusals() -> int:
    for method, args, kwargs in BAD_CALLS:
        try:
            result = getattr(BOOK, method)(*args, **kwargs)
        except Exception as error:  # every one is some kind of refusal; which one, other tests say
            REFUSED[:] = [error]
            continue
        raise AssertionError(f"{method}{args}{kwargs} returned {result!r}")
    return len(BAD_CALLS)


def refusals_in_batches() -> int:
    count = 0
    for batch in (BROKEN_OFF, BROKEN_OFF[-30:]):
        try:
            BOOK.apply(batch, BEST[: len(batch)])
        except Exception as error:
            count += error.event_index  # type: ignore[attr-defined]
        BOOK.restore(RECORDS)
    for orders_max in (0, -1, HUGE, "x", Raises(), 2**31 + 1):
        try:
            Book(orders_max)  # type: ignore[arg-type]
        except Exception as error:
            REFUSED[:] = [error]
    try:
        BOOK.restore(stops_midway())
    except ZeroDivisionError as error:
        REFUSED[:] = [error]
    return count + 11


RECORDS = BOOK.records()
EVENTS_REFUSED = ORDERS[:100].copy()
EVENTS_REFUSED["kind"] = EventKind.CANCEL

SECTIONS: dict[str, tuple[Callable[[], int], int]] = {
    "changes": (changes, 60_000),
    "questions": (questions, 20_000),
    "fills": (fills, 8_000),
    "refusals": (refusals, 4_000),
    "batches": (batches, 475),
    "refusals in batches": (refusals_in_batches, 300),
    "matches": (matches, 40),
    "lives": (lives, 10_000),
}
"""Each section and how often it runs for 10,000,000 operations."""

gc.collect()
