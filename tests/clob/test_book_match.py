"""Many orders matched in one call: what becomes of each is what its own call would have done."""

from __future__ import annotations

import struct
import sys
import threading
from typing import Any

import numpy
import pytest

from ledgerx.clob import (
    EVENT_DTYPE,
    INCOMING_DTYPE,
    OUTCOME_DTYPE,
    REFUSALS,
    Book,
    EventKind,
    Fill,
    Order,
    TimeInForce,
)
from ledgerx.clob._records import INCOMING_FORMAT, OUTCOME_FORMAT
from ledgerx.errors import (
    BookFull,
    DuplicateOrder,
    InvalidOrder,
    InvalidState,
    NotFillable,
    UnknownOrder,
    WouldCross,
)

BID, ASK = 0, 1
GTC, IOC, FOK = TimeInForce


def order(
    order_id: int,
    is_ask: int,
    price: int,
    size: int,
    time_in_force: int = GTC,
    *,
    post_only: int = 0,
    is_market: int = 0,
    kind: int = EventKind.ADD,
) -> bytes:
    return struct.pack(
        INCOMING_FORMAT, order_id, price, size, kind, is_ask, time_in_force, post_only, is_market
    )


def matched(book: Book, *events: bytes) -> tuple[list[Fill], list[tuple[type[Exception] | None, int]]]:
    """The fills of all, and of each event why it was refused and how many fills are its own."""
    outcomes = bytearray(b"\xff") * (8 * len(events))
    fills = list(book.match(b"".join(events), outcomes))
    return fills, [
        (REFUSALS[refusal], count) for refusal, count in struct.iter_unpack(OUTCOME_FORMAT, outcomes)
    ]


def test_orders_rest_and_meet_each_other_in_one_call(book_class: type[Book]) -> None:
    book = book_class()
    fills, outcomes = matched(
        book,
        order(1, ASK, 10, 5),
        order(2, ASK, 11, 5),
        order(3, BID, 11, 7),
        order(4, BID, 11, 1, IOC),
        order(5, BID, 0, 9, is_market=1),
        order(6, BID, 9, 2, FOK),
        order(7, ASK, 9, 3),
    )
    assert fills == [Fill(1, 10, 5, 0), Fill(2, 11, 2, 3), Fill(2, 11, 1, 2), Fill(2, 11, 2, 0)]
    assert outcomes == [(None, 0), (None, 0), (None, 2), (None, 1), (None, 1), (NotFillable, 0), (None, 0)]
    assert book.snapshot() == [Order(7, True, 9, 3)]


def test_other_kinds_do_in_a_match_what_they_do_in_apply(book_class: type[Book]) -> None:
    book = book_class()
    fills, outcomes = matched(
        book,
        order(1, ASK, 10, 5),
        order(2, BID, 8, 5),
        order(1, 0, 0, 2, kind=EventKind.REDUCE),
        order(2, 0, 0, 1, kind=EventKind.EXECUTE),
        order(2, 0, 9, 6, kind=EventKind.REPLACE),
        order(2, 0, 10, 6, kind=EventKind.REPLACE),
        order(1, 0, 0, 0, kind=EventKind.CANCEL),
    )
    assert fills == []
    assert outcomes == [(None, 0)] * 5 + [(WouldCross, 0), (None, 0)]
    assert book.snapshot() == [Order(2, False, 9, 6)]
    assert matched(book, order(0, 0, 0, 0, kind=EventKind.CLEAR)) == ([], [(None, 0)])
    assert len(book) == 0


@pytest.mark.parametrize(
    ("bad", "error"),
    [
        (order(77, 0, 0, 0, kind=EventKind.CANCEL), UnknownOrder),
        (order(1, ASK, 20, 1), DuplicateOrder),
        (order(0, ASK, 20, 1), InvalidOrder),
        (order(5, ASK, 20, 0), InvalidOrder),
        (order(5, ASK, 20, 1, 3), InvalidOrder),
        (order(5, ASK, 20, 1, 255), InvalidOrder),
        (order(5, ASK, 20, 1, kind=0), InvalidOrder),
        (order(5, ASK, 20, 1, kind=7), InvalidOrder),
        (order(5, BID, 10, 1, IOC, post_only=255), WouldCross),
        (order(5, BID, 10, 99, FOK), NotFillable),
        (order(5, ASK, 20, 1), BookFull),
    ],
    ids=[
        "unknown",
        "duplicate",
        "id 0",
        "size 0",
        "time 3",
        "time 255",
        "kind 0",
        "kind 7",
        "post-only",
        "fill or kill",
        "full",
    ],
)
def test_what_is_refused_is_told_and_passed_over(
    book_class: type[Book], bad: bytes, error: type[Exception]
) -> None:
    book = book_class(1)
    fills, outcomes = matched(book, order(1, ASK, 10, 5), bad, order(9, BID, 10, 2, IOC))
    assert outcomes == [(None, 0), (error, 0), (None, 1)]
    assert fills == [Fill(1, 10, 2, 3)]
    assert book.snapshot() == [Order(1, True, 10, 3)]


def test_a_numpy_array_of_orders_is_matched(book_class: type[Book]) -> None:
    orders = numpy.zeros(300, INCOMING_DTYPE)
    orders["order_id"] = numpy.arange(1, 301)
    orders["kind"], orders["size"], orders["price"] = EventKind.ADD, 1, 50
    orders["is_ask"] = numpy.arange(300) % 3 == 0
    outcomes = numpy.zeros(300, OUTCOME_DTYPE)
    book, single = book_class(), book_class()
    fills = book.match(orders, outcomes)
    one_by_one = [single.submit(int(row["order_id"]), bool(row["is_ask"]), 50, 1) for row in orders]
    assert fills == [fill for found in one_by_one for fill in found]
    assert outcomes["fills"].tolist() == [len(found) for found in one_by_one]
    assert not outcomes["refusal"].any()
    assert book.snapshot() == single.snapshot()


def test_thousands_of_fills_come_from_one_call(book_class: type[Book]) -> None:
    """Room for them is made on the way: while orders come and go in pairs, and before two that sweep."""
    pairs = [order(number + 1, number % 2, 7, 1) for number in range(2000)]
    book = book_class()
    fills, outcomes = matched(book, *pairs)
    assert fills == [Fill(2 * number + 1, 7, 1, 0) for number in range(1000)]
    assert outcomes == [(None, 0), (None, 1)] * 1000
    asks = [order(number + 1, ASK, 10 + number // 1000, 1) for number in range(8200)]
    sweeps = [order(9000, BID, 0, 4000, is_market=1), order(9001, BID, 99, 4200, IOC)]
    fills, outcomes = matched(book, *asks, *sweeps)
    assert fills == [Fill(number + 1, 10 + number // 1000, 1, 0) for number in range(8200)]
    assert outcomes[-2:] == [(None, 4000), (None, 4200)]
    assert len(book) == 0


def test_the_fills_of_a_match_outlive_the_next_and_the_book(book_class: type[Book]) -> None:
    book = book_class()
    found = []
    for count in (3, 50, 5000):
        asks = [order(number + 1, ASK, 10, 1) for number in range(count)]
        found.append(book.match(b"".join([*asks, order(9999, BID, 10, count)]), bytearray(8 * count + 8)))
    del book
    assert [len(fills) for fills in found] == [3, 50, 5000]
    for fills in found:
        assert list(fills) == [Fill(number + 1, 10, 1, 0) for number in range(len(fills))]


def test_a_book_keeps_no_room_for_the_fills_of_a_large_match() -> None:
    book = Book()
    pairs = [order(number + 1, number % 2, 7, 1) for number in range(40_000)]
    fills = book.match(b"".join(pairs), bytearray(8 * len(pairs)))
    assert sys.getsizeof(fills) > 32 * 20_000
    assert sys.getsizeof(book) < 32 * 20_000


def test_no_orders_have_no_fills(book_class: type[Book]) -> None:
    assert book_class().match(b"", bytearray()) == []


@pytest.mark.parametrize(
    "events",
    [
        bytes(31),
        numpy.zeros(1, EVENT_DTYPE),
        numpy.zeros(4, numpy.int64),
        numpy.zeros(3, INCOMING_DTYPE)[::2],
        5,
    ],
)
def test_orders_of_another_form_are_a_type_error(book_class: type[Book], events: Any) -> None:
    with pytest.raises(TypeError, match="events: "):
        book_class().match(events, bytearray(8))


@pytest.mark.parametrize(
    "outcomes", [bytearray(7), bytes(8), None, numpy.zeros(4, "u4")[::2], numpy.zeros(1, object)]
)
def test_outcomes_need_a_writable_buffer_of_their_length(book_class: type[Book], outcomes: Any) -> None:
    book = book_class()
    with pytest.raises(TypeError, match="outcomes: 1 events need a writable buffer of 8 bytes"):
        book.match(order(1, ASK, 1, 1), outcomes)
    assert len(book) == 0


def test_a_book_that_matches_without_the_gil_refuses_other_threads() -> None:
    """Only the C book gives the GIL away. Another thread gets in between, if not the first time."""
    events = (order(1, ASK, 5, 1) + order(2, BID, 5, 1)) * 200_000
    book, refused = Book(), 0
    for _ in range(50):
        matching = threading.Thread(target=lambda: book.match(events, bytearray(len(events) // 4)))
        matching.start()
        while matching.is_alive() and not refused:
            try:
                book.match(b"", bytearray())
            except InvalidState:
                refused += 1
        matching.join()
        if refused:
            break
    assert refused
    assert len(book) == 0
