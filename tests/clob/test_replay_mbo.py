"""Market by order through the book: each rule on records made by hand, then the recorded days."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from replay_books import BOOKS, LAST, SNAPSHOT, message, write_dbn

from ledgerx.clob.dbn import Action, DbnFile, Instrument, MboRecord
from ledgerx.clob.mbo_replay import MboCounts, MboReplay, WrongRecord
from ledgerx.clob.replay import event_buffers, replay_day
from ledgerx.errors import InvalidState

ACTIONS = {action.value: action for action in Action}
SIDES = {"A": True, "B": False, "N": None}
ES = Instrument(1, 17077)


@pytest.fixture(params=BOOKS, ids=lambda book: book.__module__)
def make_book(request: pytest.FixtureRequest) -> Any:
    return request.param


class Feed:
    """Records in short: "A B 99 5 1" adds a bid of 5 at 99 with id 1; a last "+" says more follows."""

    def __init__(self, make_book: Any) -> None:
        self.replay = MboReplay(make_book, keep_events=True)
        self.number = 0

    def __call__(self, *lines: str, instrument: Instrument = ES) -> MboCounts:
        for line in lines:
            action, side, price, size, order_id, *more = line.split()
            self.number += 1
            values = (ACTIONS[action], SIDES[side], int(price), int(size), int(order_id), not more, False)
            self.replay.feed(MboRecord(self.number, 0, instrument, *values))
        return self.replay.counts()

    def orders(self, instrument: Instrument = ES) -> list[tuple[int, int, int]]:
        """Id, price and size of each, in the order of the snapshot."""
        book = self.replay.instruments[instrument].book
        return [(order.order_id, order.price, order.size) for order in book.snapshot()]


@pytest.fixture
def feed(make_book: Any) -> Feed:
    return Feed(make_book)


def test_adds_and_cancels_in_part_and_whole(feed: Feed) -> None:
    feed("A B 99 5 1", "A B 99 6 2", "A A 101 7 3")
    assert feed.orders() == [(1, 99, 5), (2, 99, 6), (3, 101, 7)]
    counts = feed("C B 99 2 1", "C B 99 6 2")
    assert feed.orders() == [(1, 99, 3), (3, 101, 7)]
    assert (counts.adds, counts.cancels, counts.partial_cancels, counts.ok) == (3, 2, 1, True)


@pytest.mark.parametrize(
    ("line", "orders", "requeued"),
    [
        ("M B 99 4 1", [(1, 99, 4), (2, 99, 6)], 0),
        ("M B 99 5 1", [(1, 99, 5), (2, 99, 6)], 0),
        ("M B 99 7 1", [(2, 99, 6), (1, 99, 7)], 1),
        ("M B 98 4 1", [(2, 99, 6), (1, 98, 4)], 1),
    ],
)
def test_a_modify_keeps_the_place_unless_price_or_growth_cost_it(
    feed: Feed, line: str, orders: list[tuple[int, int, int]], requeued: int
) -> None:
    counts = feed("A B 99 5 1", "A B 99 6 2", line)
    assert (feed.orders(), counts.requeued, counts.ok) == (orders, requeued, True)


def test_fills_and_trades_change_nothing(feed: Feed) -> None:
    counts = feed("A B 99 5 1", "T A 99 3 9", "F B 99 3 1", "N N 0 0 0")
    assert feed.orders() == [(1, 99, 5)]
    assert (counts.fills, counts.trades, counts.nones, counts.ok) == (1, 1, 1, True)


def test_a_clear_empties_the_book(feed: Feed) -> None:
    counts = feed("A B 99 5 1", "A A 101 5 2", "R N 0 0 0")
    assert (feed.orders(), counts.clears) == ([], 1)
    feed("A B 200 5 1", "R N 0 0 0 +", "A B 98 5 1 +", "A A 99 5 3")
    assert feed.orders() == [(1, 98, 5), (3, 99, 5)]


# ----------------------------------------------------------------------- what happens at once


def test_the_book_takes_what_happened_at_once_as_one_change(feed: Feed) -> None:
    feed("A A 101 5 1", "A A 101 5 2", "A B 99 5 3")
    feed("T B 101 5 4 +", "F A 101 5 1 +", "A B 101 7 4 +", "C A 101 5 1 +")
    assert feed.replay.instruments[ES].is_held
    assert feed.orders() == [(3, 99, 5), (1, 101, 5), (2, 101, 5)]
    counts = feed("C A 101 5 2")
    assert not feed.replay.instruments[ES].is_held
    assert feed.orders() == [(4, 101, 7), (3, 99, 5)]
    assert (counts.held, counts.held_phases, counts.ok) == (0, 0, True)


def test_one_change_keeps_the_order_of_time(feed: Feed) -> None:
    feed("A B 99 5 1", "A B 99 5 2", "A B 99 5 3", "A B 99 5 4")
    feed(
        "A B 99 1 5 +",
        "M B 99 9 1 +",
        "C B 99 5 2 +",
        "M B 99 2 3 +",
        "A B 99 1 6 +",
        "M B 99 1 5 +",
        "C B 99 1 6",
    )
    assert feed.orders() == [(3, 99, 2), (4, 99, 5), (5, 99, 1), (1, 99, 9)]


def test_an_order_that_comes_and_goes_at_once_is_not_told(feed: Feed) -> None:
    before = feed("A B 99 5 1").events
    assert feed("A B 100 5 2 +", "M B 98 5 2 +", "C B 98 5 2").events == before


def test_an_order_that_leaves_and_returns_at_once_has_lost_its_place(feed: Feed) -> None:
    feed("A B 99 5 1", "A B 99 5 2")
    feed("M B 98 5 1 +", "M B 99 5 1")
    assert feed.orders() == [(2, 99, 5), (1, 99, 5)]


def test_an_id_may_change_sides_at_once(feed: Feed) -> None:
    feed("A B 99 5 1")
    feed("C B 99 5 1 +", "A A 101 5 1")
    assert feed.orders() == [(1, 101, 5)]
    assert feed.replay.instruments[ES].book.order(1).is_ask


def test_a_crossed_feed_is_held_until_it_is_uncrossed(feed: Feed) -> None:
    feed("A B 99 5 1", "A A 101 5 2")
    counts = feed("A B 103 4 3", "A A 101 1 4", "M A 102 5 2", "C B 99 5 1", "A B 103 1 5")
    assert feed.orders() == [(1, 99, 5), (2, 101, 5)]
    assert (counts.held, counts.held_phases, counts.held_at_end, counts.ok) == (5, 1, 5, True)
    counts = feed("F N 102 1 3 +", "F N 102 1 77 +", "C A 101 1 4 +", "C A 102 5 2 +", "M B 103 3 3")
    assert feed.orders() == [(3, 103, 3), (5, 103, 1)]
    assert (counts.held, counts.held_phases, counts.held_at_end) == (5, 1, 0)
    assert (counts.auction_fills_unknown, counts.unresolved, counts.ok) == (1, 0, True)


def test_what_is_halfway_at_the_end_goes_into_the_book_unless_it_is_crossed(feed: Feed) -> None:
    assert feed("A B 99 5 1 +").held_at_end == 1
    feed.replay.finish()
    assert (feed.orders(), feed.replay.counts().held_at_end) == ([(1, 99, 5)], 0)
    feed("A A 98 5 2 +")
    feed.replay.finish()
    assert (feed.orders(), feed.replay.counts().held_at_end) == ([(1, 99, 5)], 1)


def test_a_locked_feed_is_held_too(feed: Feed) -> None:
    assert feed("A B 99 5 1", "A A 99 5 2").held == 1


# ------------------------------------------------------------------------------- what is wrong


@pytest.mark.parametrize("line", ["C B 99 5 8", "M B 99 5 8", "F B 99 5 8"])
def test_a_reference_that_does_not_resolve_is_counted_and_named(feed: Feed, line: str) -> None:
    counts = feed("A B 99 5 1", line)
    assert (counts.unresolved, counts.wrong, counts.ok) == (1, 0, False)
    assert counts.first_wrong == (WrongRecord(2, line[0], 8, "no such order stands"),)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("A B 98 5 1", "stands already"),
        ("C B 99 6 1", "more than the 5"),
        ("C A 99 5 1", "other side"),
        ("M A 99 5 1", "other side"),
        ("F A 99 5 1", "other side"),
    ],
)
def test_a_record_that_contradicts_its_order_is_passed_over(feed: Feed, line: str, reason: str) -> None:
    counts = feed("A B 99 5 1", line)
    assert feed.orders() == [(1, 99, 5)]
    assert (counts.unresolved, counts.wrong, counts.ok) == (0, 1, False)
    assert reason in counts.first_wrong[0].reason


def test_only_the_first_wrong_records_are_named(feed: Feed) -> None:
    counts = feed(*["C B 99 5 8"] * 30)
    assert (counts.unresolved, len(counts.first_wrong)) == (30, 10)


def test_each_instrument_has_a_book_of_its_own(feed: Feed) -> None:
    other = Instrument(1, 5)
    feed("A B 99 5 1")
    counts = feed("A A 98 5 1", instrument=other)
    assert (feed.orders(), feed.orders(other)) == ([(1, 99, 5)], [(1, 98, 5)])
    assert (counts.instruments, counts.orders, counts.held, len(counts.checksums)) == (2, 2, 0, 2)


def test_what_cannot_be_asked_is_refused(make_book: Any) -> None:
    used = make_book()
    used.add(1, False, 99, 1)
    record = MboRecord(1, 0, ES, Action.ADD, False, 99, 5, 1, True, False)
    with pytest.raises(InvalidState, match="empty book"):
        MboReplay(lambda: used).feed(record)
    replay = MboReplay(make_book)
    replay.feed(record)
    with pytest.raises(InvalidState, match="not told"):
        replay.events(ES)


# ------------------------------------------------------------------------------ a file, by hand


def test_a_file_of_two_instruments_replays_and_applies(tmp_path: Path, make_book: Any) -> None:
    lines = [
        message("R", "N", 0, 0, 0, SNAPSHOT),
        message("A", "B", 99, 5, 1, SNAPSHOT),
        message("A", "A", 98, 5, 1, instrument_id=8),
        message("A", "A", 101, 5, 2, flags=0),
        message("M", "B", 98, 5, 1, flags=LAST),
    ]
    day = DbnFile(write_dbn(tmp_path, *lines))
    counts = replay_day(day, make_book)
    assert isinstance(counts, MboCounts)
    assert (counts.records, counts.snapshot, counts.clears, counts.instruments) == (5, 2, 1, 2)
    checksums = []
    for events in event_buffers(day):
        book = make_book()
        book.apply(events)
        checksums.append(book.checksum())
    assert tuple(checksums) == counts.checksums
