"""Batches of events: the record's form, what is refused, the best prices, and snapshots as records."""

from __future__ import annotations

import contextlib
import struct
import threading
from collections.abc import Callable
from typing import Any

import numpy
import pytest

from ledgerx.clob import EVENT_BYTES, EVENT_DTYPE, PRICE_MAX, PRICE_MIN, Book, EventKind, Order
from ledgerx.clob._records import BEST_FORMAT, EVENT_FORMAT
from ledgerx.errors import BookError, BookFull, DuplicateOrder, InvalidOrder, InvalidState, UnknownOrder

EVENTS = [  # kind, order_id, is_ask, price, size, and the best prices after it
    (EventKind.ADD, 1, False, 100, 5, (100, None)),
    (EventKind.ADD, 2, True, 103, 4, (100, 103)),
    (EventKind.ADD, 3, True, 102, 6, (100, 102)),
    (EventKind.REDUCE, 3, False, 0, 2, (100, 102)),
    (EventKind.EXECUTE, 3, False, 0, 4, (100, 103)),
    (EventKind.REPLACE, 1, False, 101, 9, (101, 103)),
    (EventKind.CANCEL, 2, False, 0, 0, (101, None)),
    (EventKind.CLEAR, 0, False, 0, 0, (None, None)),
    (EventKind.ADD, 4, False, -7, 1, (-7, None)),
]


def record(kind: int, order_id: int, is_ask: bool, price: int, size: int) -> bytes:
    return struct.pack(EVENT_FORMAT, order_id, price, size, kind, is_ask)


def records(count: int = len(EVENTS)) -> bytes:
    return b"".join(record(*event[:5]) for event in EVENTS[:count])


def test_one_event_returns_the_best_prices_after_it(book_class: type[Book]) -> None:
    book = book_class()
    for *event, best in EVENTS:
        assert book.apply_event(*event) == best
        assert (book.best_bid, book.best_ask) == best


def test_a_batch_does_what_its_events_do_one_by_one(book_class: type[Book]) -> None:
    for count in range(len(EVENTS) + 1):
        book, single = book_class(), book_class()
        best = bytearray(16 * count)
        assert book.apply(records(count), best) == count
        expected = [single.apply_event(*event[:5]) for event in EVENTS[:count]]
        assert book.snapshot() == single.snapshot()
        assert list(struct.iter_unpack(BEST_FORMAT, best)) == [
            (PRICE_MIN if bid is None else bid, PRICE_MAX if ask is None else ask) for bid, ask in expected
        ]


def test_a_numpy_array_of_records_is_a_batch(book_class: type[Book]) -> None:
    events = numpy.frombuffer(records(), numpy.dtype(EVENT_DTYPE))
    best = numpy.zeros((len(events), 2), numpy.int64)
    book = book_class()
    assert book.apply(events, best=best) == len(EVENTS)
    assert best[-1].tolist() == [-7, PRICE_MAX]
    assert book.snapshot() == [Order(4, False, -7, 1)]
    aligned = numpy.dtype(
        [(name, EVENT_DTYPE["formats"][i]) for i, name in enumerate(EVENT_DTYPE["names"])], align=True
    )
    assert book_class().apply(events.astype(aligned)) == len(EVENTS)


@pytest.mark.parametrize(
    "events",
    [
        records()[:-1],
        numpy.zeros(4, numpy.int64),
        numpy.zeros(4, [("a", "u8"), ("b", "i8"), ("c", "i8"), ("d", "u8")]),
        numpy.zeros(8, numpy.dtype(EVENT_DTYPE))[::2],
        [1, 2],
        None,
        "text",
    ],
)
def test_a_buffer_of_another_form_is_a_type_error(book_class: type[Book], events: Any) -> None:
    book = book_class()
    with pytest.raises(TypeError, match="events: "):
        book.apply(events)
    assert len(book) == 0


@pytest.mark.parametrize(
    "best", [bytearray(15), bytes(16), numpy.zeros((2, 4), numpy.int64)[:, ::2], numpy.zeros(2, object), 3]
)
def test_best_prices_need_a_writable_buffer_of_their_length(book_class: type[Book], best: Any) -> None:
    book = book_class()
    with pytest.raises(TypeError, match="best: 1 events need a writable buffer of 16 bytes"):
        book.apply(records(1), best)
    assert len(book) == 0


@pytest.mark.parametrize(
    ("bad", "error"),
    [
        (record(EventKind.ADD, 1, False, 1, 1), DuplicateOrder),
        (record(EventKind.CANCEL, 9999, False, 0, 0), UnknownOrder),
        (record(0, 1, False, 0, 0), InvalidOrder),
        (record(7, 1, False, 0, 0), InvalidOrder),
        (record(255, 1, False, 0, 0), InvalidOrder),
        (record(EventKind.ADD, 0, False, 1, 1), InvalidOrder),
    ],
    ids=["duplicate", "unknown", "kind 0", "kind 7", "kind 255", "id 0"],
)
@pytest.mark.parametrize("before", [2, 100])  # few are applied with the GIL, many without
def test_a_refused_event_is_named_and_those_before_it_stay(
    book_class: type[Book], bad: bytes, error: type[BookError], before: int
) -> None:
    adds = b"".join(record(EventKind.ADD, i + 1, False, 50, 1) for i in range(before))
    book = book_class()
    best = bytearray(16 * (before + 2))
    with pytest.raises(error) as caught:
        book.apply(adds + bad + record(EventKind.CLEAR, 0, False, 0, 0), best)
    assert caught.value.event_index == before
    assert len(book) == before
    assert best[-32:] == bytes(32)


def test_no_events_need_no_best_prices(book_class: type[Book]) -> None:
    assert book_class().apply(numpy.zeros(0, EVENT_DTYPE), numpy.zeros((0, 2), numpy.int64)) == 0


def test_a_cap_holds_in_a_batch_too(book_class: type[Book]) -> None:
    with pytest.raises(BookFull) as caught:
        book_class(1).apply(records())
    assert caught.value.event_index == 1


def test_one_event_ignores_what_its_kind_does_not_need(book_class: type[Book]) -> None:
    book = book_class()
    book.apply_event(EventKind.ADD, 1, False, 10, 2)
    assert book.apply_event(EventKind.REDUCE, 1, False, 2**90, 1) == (10, None)
    assert book.apply_event(EventKind.CANCEL, 1, True, 2**90, -5) == (None, None)
    assert book.apply_event(EventKind.CLEAR, -1, True, 2**90, 2**90) == (None, None)
    with pytest.raises(InvalidOrder, match="price"):
        book.apply_event(EventKind.ADD, 1, False, 2**90, 1)
    with pytest.raises(InvalidOrder, match="event kind 7 is not in 1 to 6"):
        book.apply_event(7, 1, False, 1, 1)


def test_records_are_the_snapshot_and_a_batch_of_adds(book_class: type[Book]) -> None:
    book = book_class()
    assert book.records() == b""
    for order in [(1, False, 100, 5), (2, False, 100, 7), (3, True, 105, 1), (4, True, 104, 9)]:
        book.add(*order)
    rows = numpy.frombuffer(book.records(), numpy.dtype(EVENT_DTYPE))
    assert [(int(r["order_id"]), bool(r["is_ask"]), int(r["price"]), int(r["size"])) for r in rows] == [
        tuple(order) for order in book.snapshot()
    ]
    applied, restored = book_class(), book_class()
    applied.apply(book.records())
    restored.add(9, True, 1, 1)
    restored.restore(book.records())
    assert applied.snapshot() == restored.snapshot() == book.snapshot()


def test_a_refused_restore_names_the_place_and_changes_nothing(book_class: type[Book]) -> None:
    book = book_class()
    book.add(1, False, 1, 1)
    twice = record(EventKind.ADD, 5, False, 1, 1) * 2
    for orders in (twice, [Order(5, False, 1, 1)] * 2):
        with pytest.raises(DuplicateOrder) as caught:
            book.restore(orders)
        assert caught.value.event_index == 1
        assert book.snapshot() == [Order(1, False, 1, 1)]
    for wrong in ([(1, False, 1)], [None], 5):
        with pytest.raises((TypeError, ValueError)):
            book.restore(wrong)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        book.restore(bytes(EVENT_BYTES + 1))
    assert book.snapshot() == [Order(1, False, 1, 1)]


@pytest.mark.parametrize(
    "ask", [lambda book, slow: slow in book, Book.best, Book.total], ids=["in", "best", "total"]
)
def test_a_book_that_applies_without_the_gil_refuses_what_was_being_converted(
    ask: Callable[[Book, Any], object],
) -> None:
    book = Book()
    events = record(EventKind.ADD, 1, False, 1, 1) + record(EventKind.REPLACE, 1, False, 1, 1) * 1_000_000
    applied = threading.Thread(target=lambda: book.apply(events))

    class Slow:
        """Is converted by Python code that lets a batch begin."""

        def __index__(self) -> int:
            applied.start()
            with contextlib.suppress(InvalidState):
                while applied.is_alive():
                    len(book)
            return 1

        def __bool__(self) -> bool:
            return bool(self.__index__())

    try:
        with pytest.raises(InvalidState):
            ask(book, Slow())
    finally:
        applied.join()


def test_where_the_best_prices_go_must_be_no_memory_of_the_events() -> None:
    memory = bytearray(record(EventKind.ADD, 1, False, 1, 1) * 2 + bytes(32))
    book = Book()
    with pytest.raises(TypeError, match="best: has memory of the events"):
        book.apply(memoryview(memory)[:64], memoryview(memory)[32:64])
    assert len(book) == 0
    assert book.apply(memoryview(memory)[:32], memoryview(memory)[32:48]) == 1


def test_a_book_that_applies_without_the_gil_refuses_other_threads() -> None:
    """Only the C book gives the GIL away. The batch is long enough for another thread to get in between."""
    events = b"".join(
        record(EventKind.ADD, i + 1, i % 2 == 1, (-1, 1)[i % 2] * (i + 1), 1) for i in range(1000)
    )
    events += record(EventKind.REPLACE, 1, False, -1, 1) * 3_000_000
    book, refused = Book(), threading.Event()
    applied = threading.Thread(target=lambda: book.apply(events))
    applied.start()
    calls = [lambda: len(book), book.snapshot, book.clear, lambda: book.cancel(1), lambda: book.best_bid]
    while applied.is_alive() and not refused.is_set():
        try:
            for call in calls:
                call()
        except InvalidState:
            refused.set()
    applied.join()
    assert refused.is_set()
