"""Market by order through the book, against the feed taken literally: at random, and the recorded days."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings
from replay_books import BOOKS

from ledgerx.clob import Book, Order
from ledgerx.clob._checksum import checksum_of
from ledgerx.clob.dbn import Action, DbnFile, Instrument, MboRecord
from ledgerx.clob.mbo_replay import MboCounts, MboReplay
from ledgerx.clob.replay import replay_day

ES = Instrument(1, 17077)

DAY = MboCounts(
    records=68_792,
    adds=29_216,
    cancels=17_999,
    modifies=12_233,
    fills=6_371,
    trades=2_973,
    snapshot=8_725,
    requeued=9_919,
    auction_fills_unknown=7,
    unresolved=0,
    wrong=0,
    held=891,
    held_phases=1,
    instruments=1,
    events=59_175,
    orders=11_217,
    checksums=(5602497617299406240,),
)


@pytest.fixture(params=BOOKS, ids=lambda book: book.__module__)
def make_book(request: pytest.FixtureRequest) -> Any:
    return request.param


class Oracle:
    """The feed taken literally: a dict of orders, in order of time; crossed if it says so."""

    def __init__(self) -> None:
        self.orders: dict[int, list[Any]] = {}

    def feed(self, record: MboRecord) -> None:
        order_id = record.order_id
        if record.action is Action.CLEAR:
            self.orders.clear()
        elif record.action is Action.ADD:
            self.orders[order_id] = [bool(record.is_ask), record.price, record.size]
        elif record.action is Action.CANCEL:
            self.orders[order_id][2] -= record.size
            if not self.orders[order_id][2]:
                del self.orders[order_id]
        elif record.action is Action.MODIFY:
            _, price, size = self.orders[order_id]
            if record.price != price or record.size > size:
                self.orders[order_id] = [*self.orders.pop(order_id)]  # to the end
            self.orders[order_id][1:] = [record.price, record.size]

    def levels(self, is_ask: bool) -> list[tuple[int, int]]:
        sizes: Counter[int] = Counter()
        for side, price, size in self.orders.values():
            if side == is_ask:
                sizes[price] += size
        return sorted(sizes.items(), reverse=not is_ask)

    def in_priority(self) -> list[Order]:
        found = []
        for is_ask in (False, True):
            own = [Order(order_id, *order) for order_id, order in self.orders.items() if order[0] == is_ask]
            found += sorted(own, key=lambda order: order.price if is_ask else -order.price)
        return found


def levels_of(book: Book, is_ask: bool) -> list[tuple[int, int]]:
    return [(level.price, level.size) for level in book.depth(is_ask, 100_000)]


changes = st.tuples(
    st.sampled_from([Action.ADD] * 4 + [Action.MODIFY] * 4 + [Action.CANCEL] * 2 + [Action.CLEAR]),
    st.booleans(),
    st.integers(1, 4),
    st.integers(1, 4),
    st.integers(1, 8),
    st.sampled_from([True, True, False]),
)


@pytest.mark.parametrize("make_book", BOOKS, ids=lambda book: book.__module__)
@settings(max_examples=400)
@given(feed=st.lists(changes, max_size=60))
def test_whenever_it_is_not_held_the_book_is_the_feeds(make_book: Any, feed: list[Any]) -> None:
    replay, oracle = MboReplay(make_book, keep_events=True), Oracle()
    for number, (action, is_ask, price, size, order_id, is_last) in enumerate(feed, start=1):
        if order_id in oracle.orders and action is Action.MODIFY:
            is_ask = oracle.orders[order_id][0]
        record = MboRecord(number, 0, ES, action, is_ask, price, size, order_id, is_last, False)
        before = replay.counts()
        replay.feed(record)
        after = replay.counts()
        if (after.unresolved, after.wrong) == (before.unresolved, before.wrong):
            oracle.feed(record)
        instrument = replay.instruments[ES]
        bids, asks = oracle.levels(False), oracle.levels(True)
        crossed = bool(bids and asks and bids[0][0] >= asks[0][0])
        assert instrument.is_held == (crossed or not is_last)
        if not instrument.is_held:
            assert instrument.book.snapshot() == oracle.in_priority()
    if feed:
        at_once = make_book()
        at_once.apply(replay.events(ES))
        assert at_once.snapshot() == replay.instruments[ES].book.snapshot()


@pytest.fixture
def recorded(shared_data: Path) -> DbnFile:
    return DbnFile(shared_data / "futures" / "esh4-glbx-mdp3-20231225.mbo.dbn.zst")


def test_the_recorded_day_resolves_and_its_book_is_the_oracles(make_book: Any, recorded: DbnFile) -> None:
    replay, oracle, compared = MboReplay(make_book, keep_events=True), Oracle(), 0
    for record in recorded.records():
        replay.feed(record)
        oracle.feed(record)
        if record.number % 500 == 0 and not replay.instruments[record.instrument].is_held:
            book = replay.instruments[record.instrument].book
            assert levels_of(book, False) == oracle.levels(False), record
            assert levels_of(book, True) == oracle.levels(True), record
            compared += 1
    counts = replay.counts()
    print(counts)
    assert counts == DAY
    assert compared > 100
    (instrument,) = replay.instruments
    assert replay.instruments[instrument].book.snapshot() == oracle.in_priority()
    assert counts.checksums == (checksum_of(oracle.in_priority()),)
    at_once = make_book()
    assert at_once.apply(replay.events(instrument)) == counts.events
    assert (at_once.checksum(),) == counts.checksums


def test_the_opening_book_is_the_days_first_adds(
    make_book: Any, shared_data: Path, recorded: DbnFile
) -> None:
    opening = replay_day(DbnFile(shared_data / "futures" / "esh4-glbx-mdp3-20231224.mbo.dbn.zst"), make_book)
    first = replay_day(recorded, make_book, limit=8_725)
    assert isinstance(opening, MboCounts)
    assert isinstance(first, MboCounts)
    assert (opening.adds, opening.ok, opening.checksums) == (8_725, True, first.checksums)
