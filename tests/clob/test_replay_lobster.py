"""LOBSTER days through the book: each rule on rows made by hand, then the recorded day."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from replay_books import BOOKS

from ledgerx.clob import Level
from ledgerx.clob.lobster import LobsterFile, MessageType, Row
from ledgerx.clob.lobster_replay import ANONYMOUS_ID_MIN, LobsterCounts, LobsterReplay, WrongRow
from ledgerx.clob.replay import event_buffers, replay_day
from ledgerx.errors import InvalidData, InvalidState

NEW, PARTIAL, DELETE, EXECUTION, HIDDEN, AUCTION, HALT = MessageType
Levels = list[tuple[int, int]]
BIDS: Levels = [(99, 10), (98, 20)]
ASKS: Levels = [(101, 10), (102, 20)]


class Day:
    """A replay fed with rows of two levels a side, opened by one that shows BIDS and ASKS."""

    def __init__(self, book: Any) -> None:
        self.book = book
        self.replay = LobsterReplay(book, file="day.csv", keep_events=True)
        self.number = 0
        self.row(HALT, 0, 0, 0, False, BIDS, ASKS)

    def row(
        self,
        kind: MessageType,
        order_id: int,
        size: int,
        price: int,
        is_ask: bool,
        bids: Levels,
        asks: Levels,
    ) -> LobsterCounts:
        self.number += 1
        self.replay.feed(
            Row(self.number, 0, kind, order_id, size, price, is_ask, tuple(asks), tuple(bids), 2)
        )
        return self.replay.counts()

    def bid(self, kind: MessageType, order_id: int, size: int, price: int, bids: Levels) -> LobsterCounts:
        return self.row(kind, order_id, size, price, False, bids, ASKS)

    def queue(self, price: int) -> list[tuple[int, int]]:
        """Id (0 if anonymous) and size of each bid at a price."""
        orders = self.book.orders(False, price)
        return [(0 if order.order_id >= ANONYMOUS_ID_MIN else order.order_id, order.size) for order in orders]


@pytest.fixture(params=BOOKS, ids=lambda book: book.__module__)
def day(request: pytest.FixtureRequest) -> Day:
    return Day(request.param())


def outcome(counts: LobsterCounts) -> tuple[int, int, int]:
    return counts.equal, counts.revealed, counts.wrong


def test_the_first_row_seeds_one_anonymous_order_a_level(day: Day) -> None:
    assert day.book.depth(False, 9) == [Level(99, 10, 1), Level(98, 20, 1)]
    assert day.book.depth(True, 9) == [Level(101, 10, 1), Level(102, 20, 1)]
    assert day.queue(99) == [(0, 10)]
    counts = day.replay.counts()
    assert (counts.rows, *outcome(counts), counts.halts) == (1, 0, 0, 0, 0)


def test_new_orders_queue_behind_the_anonymous_one(day: Day) -> None:
    counts = day.bid(NEW, 7, 5, 99, [(99, 15), (98, 20)])
    assert day.queue(99) == [(0, 10), (7, 5)]
    assert (outcome(counts), counts.new_orders) == ((1, 0, 0), 1)


def test_partial_cancel_and_delete_take_from_the_order_named(day: Day) -> None:
    day.bid(NEW, 7, 5, 99, [(99, 15), (98, 20)])
    day.bid(PARTIAL, 7, 2, 99, [(99, 13), (98, 20)])
    assert day.queue(99) == [(0, 10), (7, 3)]
    counts = day.bid(DELETE, 7, 3, 99, BIDS)
    assert day.queue(99) == [(0, 10)]
    assert (outcome(counts), counts.partial_cancels, counts.deletes) == ((3, 0, 0), 1, 1)
    assert (counts.unknown_ids, counts.forgotten_ids, counts.deletes_odd) == (0, 0, 0)


def test_unknown_ids_are_taken_out_of_the_anonymous_order(day: Day) -> None:
    day.bid(DELETE, 55, 4, 99, [(99, 6), (98, 20)])
    day.bid(PARTIAL, 56, 1, 98, [(99, 6), (98, 19)])
    counts = day.bid(EXECUTION, 57, 6, 99, [(98, 19), (90, 1)])
    assert day.queue(98) == [(0, 19)]
    assert (outcome(counts), counts.unknown_ids) == ((2, 1, 0), 3)
    assert (counts.executions, counts.executions_known) == (1, 0)


def test_more_than_the_anonymous_order_holds_is_wrong(day: Day) -> None:
    counts = day.bid(DELETE, 55, 11, 99, BIDS)
    (wrong,) = counts.first_wrong
    assert (wrong.row, wrong.side, counts.ok) == (2, "", False)
    assert "no order 55 at 99" in wrong.reason


@pytest.mark.parametrize(("order_id", "at_head"), [(7, 1), (8, 0)])
def test_an_execution_may_hit_any_order_of_the_best_price(day: Day, order_id: int, at_head: int) -> None:
    day.bid(NEW, 7, 5, 100, [(100, 5), (99, 10)])
    day.bid(NEW, 8, 5, 100, [(100, 10), (99, 10)])
    counts = day.bid(EXECUTION, order_id, 2, 100, [(100, 8), (99, 10)])
    assert (order_id, 3) in day.queue(100)
    assert (counts.executions, counts.executions_known, counts.executions_at_head) == (1, 1, at_head)


def test_an_execution_away_from_the_best_price_is_wrong(day: Day) -> None:
    counts = day.bid(EXECUTION, 55, 1, 98, [(99, 10), (98, 19)])
    assert "not at the best price" in counts.first_wrong[0].reason
    assert day.book.level(False, 98).size == 19, "the file's level was adopted"


def test_a_level_that_leaves_the_window_is_dropped_and_returns_as_one_anonymous_order(day: Day) -> None:
    day.bid(NEW, 7, 5, 98, [(99, 10), (98, 25)])
    day.bid(NEW, 8, 1, 100, [(100, 1), (99, 10)])
    assert day.queue(98) == []
    assert 7 not in day.book
    counts = day.bid(DELETE, 8, 1, 100, [(99, 10), (98, 25)])
    assert day.queue(98) == [(0, 25)]
    assert outcome(counts) == (2, 1, 0)
    counts = day.bid(DELETE, 7, 5, 98, [(99, 10), (98, 20)])
    assert day.queue(98) == [(0, 20)]
    assert (counts.unknown_ids, counts.forgotten_ids) == (0, 1)


def test_what_comes_after_a_level_was_revealed_queues_behind_it(day: Day) -> None:
    day.bid(DELETE, 55, 10, 99, [(98, 20), (97, 3)])
    counts = day.bid(NEW, 7, 5, 97, [(98, 20), (97, 8)])
    assert day.queue(97) == [(0, 3), (7, 5)]
    assert outcome(counts) == (1, 1, 0)


def test_a_new_order_deeper_than_the_window_leaves_at_once(day: Day) -> None:
    counts = day.bid(NEW, 7, 5, 97, BIDS)
    assert (day.queue(97), outcome(counts)) == ([], (1, 0, 0))


@pytest.mark.parametrize("kind", [HIDDEN, AUCTION, HALT])
def test_hidden_executions_auctions_and_halts_change_nothing(day: Day, kind: MessageType) -> None:
    before = day.book.checksum()
    counts = day.row(kind, 0, 5, 100, True, BIDS, ASKS)
    assert day.book.checksum() == before
    found = (counts.hidden_executions, counts.auctions, counts.halts)
    assert found == tuple(int(kind is other) for other in (HIDDEN, AUCTION, HALT))
    assert outcome(counts) == (1, 0, 0)


# ------------------------------------------------------------------------------------ odd deletes


def test_a_delete_of_less_than_stands_leaves_the_rest_anonymous(day: Day) -> None:
    day.bid(NEW, 7, 9, 100, [(100, 9), (99, 10)])
    counts = day.bid(DELETE, 7, 4, 100, [(100, 5), (99, 10)])
    assert (counts.deletes_odd, counts.deletes_odd_in_book) == (1, 1)
    counts = day.bid(DELETE, 55, 5, 100, [(99, 10), (98, 20)])
    assert (counts.unknown_ids, counts.wrong) == (1, 0)


def test_a_delete_of_more_than_stands_takes_the_rest_from_the_anonymous_order(day: Day) -> None:
    day.bid(NEW, 7, 3, 99, [(99, 13), (98, 20)])
    counts = day.bid(DELETE, 7, 5, 99, [(99, 8), (98, 20)])
    assert day.queue(99) == [(0, 8)]
    assert (counts.deletes_odd, counts.deletes_odd_in_book, counts.wrong) == (1, 1, 0)


def test_what_a_delete_left_may_be_named_once_more(day: Day) -> None:
    day.bid(NEW, 7, 9, 99, [(99, 19), (98, 20)])
    day.bid(DELETE, 7, 4, 99, [(99, 15), (98, 20)])
    day.bid(DELETE, 7, 5, 99, BIDS)
    counts = day.bid(DELETE, 55, 4, 99, [(99, 6), (98, 20)])
    assert (day.queue(99), counts.wrong) == ([(0, 6)], 0)


def test_a_delete_is_odd_by_the_messages_even_where_the_window_hid_the_order(day: Day) -> None:
    day.bid(NEW, 7, 5, 98, [(99, 10), (98, 25)])
    day.bid(NEW, 8, 1, 100, [(100, 1), (99, 10)])  # 98 leaves; there order 7 loses 2 unseen
    day.bid(DELETE, 8, 1, 100, [(99, 10), (98, 23)])
    counts = day.bid(DELETE, 7, 3, 98, BIDS)
    assert (counts.deletes_odd, counts.deletes_odd_in_book, counts.wrong) == (1, 0, 0)


# ------------------------------------------------------------------------------------- wrong rows


@pytest.mark.parametrize(
    ("row", "wrong"),
    [
        ((NEW, 7, 5, 99, False, BIDS, ASKS), WrongRow(2, "bid", 1, (99, 10), (99, 15), "")),
        ((NEW, 7, 5, 101, True, BIDS, ASKS), WrongRow(2, "ask", 1, (101, 10), (101, 15), "")),
        ((HALT, 0, 0, 0, False, BIDS[:1], ASKS), WrongRow(2, "bid", 2, None, (98, 20), "")),
        ((DELETE, 7, 9, 99, False, BIDS, ASKS), WrongRow(2, "bid", 1, (99, 10), (99, 1), "")),
        ((HALT, 0, 0, 0, False, [(99, 10), (97, 20)], ASKS), WrongRow(2, "bid", 2, (97, 20), (98, 20), "")),
    ],
)
def test_a_row_that_differs_is_wrong_and_named(day: Day, row: tuple[Any, ...], wrong: WrongRow) -> None:
    counts = day.row(*row)
    assert (counts.wrong, counts.first_wrong, counts.ok) == (1, (wrong,), False)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ((NEW, 7, 5, 101, False, BIDS, ASKS), "would trade"),
        ((NEW, 0, 5, 99, False, BIDS, ASKS), "order id 0"),
        ((EXECUTION, 8, 2, 100, False, BIDS, ASKS), "no order 8"),
    ],
)
def test_a_message_that_the_book_refuses_is_wrong(day: Day, row: tuple[Any, ...], reason: str) -> None:
    (wrong,) = day.row(*row).first_wrong
    assert reason in wrong.reason


def test_after_a_wrong_row_the_book_is_the_files_and_goes_on(day: Day) -> None:
    day.row(HALT, 0, 0, 0, False, [(95, 1)], [(96, 2), (97, 3)])
    assert day.book.depth(False, 9) == [Level(95, 1, 1)]
    assert day.book.depth(True, 9) == [Level(96, 2, 1), Level(97, 3, 1)]
    counts = day.row(NEW, 7, 5, 95, False, [(95, 6)], [(96, 2), (97, 3)])
    assert outcome(counts) == (1, 0, 1)


def test_only_the_first_wrong_rows_are_named_and_all_are_counted(day: Day) -> None:
    for number in range(30):
        counts = day.row(HALT, 0, 0, 0, False, [(99, 11 + number), (98, 20)], ASKS)
    assert (counts.wrong, len(counts.first_wrong)) == (30, 10)


def test_a_window_of_another_size_is_no_day(day: Day) -> None:
    with pytest.raises(InvalidData, match=r"day\.csv row 2: 3 levels a side, not 2"):
        day.replay.feed(Row(2, 0, HALT, 0, 0, 0, False, tuple(ASKS), tuple(BIDS), 3))


def test_levels_that_no_book_can_hold_name_file_and_row(day: Day) -> None:
    with pytest.raises(InvalidData, match=r"day\.csv row 2: the book cannot adopt"):
        day.row(HALT, 0, 0, 0, False, [(99, 2**63), (98, 20)], ASKS)


def test_a_book_in_use_and_events_that_were_not_kept_are_refused(day: Day) -> None:
    with pytest.raises(InvalidState, match="empty book"):
        LobsterReplay(day.book)
    with pytest.raises(InvalidState, match="not told"):
        _ = LobsterReplay().events


# ------------------------------------------------------------------------------- the recorded day


@pytest.fixture
def recorded(shared_data: Path) -> LobsterFile:
    return LobsterFile(shared_data / "lobster" / "AMZN_2012-06-21_5.zip")


@pytest.fixture(params=BOOKS, ids=lambda book: book.__module__)
def make_book(request: pytest.FixtureRequest) -> Any:
    return request.param


def test_the_first_20000_rows_are_as_recorded(make_book: Any, recorded: LobsterFile) -> None:
    done: list[int] = []
    counts = replay_day(recorded, make_book, limit=20_000, progress=done.append)
    assert isinstance(counts, LobsterCounts)
    assert outcome(counts) == (13_895, 6_104, 0)
    assert (counts.executions, counts.executions_known, counts.executions_at_head) == (1_013, 848, 820)
    assert (done[0], done[-1]) == (1_000, 20_000)
    (events,) = event_buffers(recorded, limit=20_000)
    at_once = make_book()
    assert at_once.apply(events) == counts.events
    assert at_once.checksum() == counts.checksum


def test_a_recorded_row_that_is_changed_is_found(tmp_path: Path, recorded: LobsterFile) -> None:
    messages, levels = [], []
    for row in recorded.rows(2_000):
        side = -1 if row.is_ask else 1
        messages.append(f"34200.1,{row.type},{row.order_id},{row.size},{row.price},{side}")
        pairs = zip(row.asks, row.bids, strict=True)
        levels.append(",".join(f"{ask[0]},{ask[1]},{bid[0]},{bid[1]}" for ask, bid in pairs))

    def replayed() -> LobsterCounts:
        (tmp_path / "X_message_5.csv").write_text("\n".join(messages) + "\n")
        (tmp_path / "X_orderbook_5.csv").write_text("\n".join(levels) + "\n")
        counts = replay_day(LobsterFile(tmp_path / "X_message_5.csv"))
        assert isinstance(counts, LobsterCounts)
        return counts

    assert replayed().wrong == 0
    numbers = levels[999].split(",")
    price, size = int(numbers[4]), int(numbers[5])
    levels[999] = ",".join([*numbers[:5], str(size + 1), *numbers[6:]])
    counts = replayed()
    assert counts.first_wrong[0] == WrongRow(1000, "ask", 2, (price, size + 1), (price, size), "")
    assert counts.wrong == 2, "there and back"


@pytest.mark.full
@pytest.mark.no_cover
def test_the_whole_day_is_as_recorded(make_book: Any, recorded: LobsterFile) -> None:
    counts = replay_day(recorded, make_book)
    print(counts)
    assert counts == LobsterCounts(
        rows=155_935,
        equal=122_094,
        revealed=33_840,
        wrong=0,
        new_orders=77_381,
        partial_cancels=450,
        deletes=66_685,
        executions=8_974,
        hidden_executions=2_444,
        unknown_ids=8_491,
        forgotten_ids=5_358,
        executions_known=7_307,
        executions_at_head=7_272,
        deletes_odd=5,
        deletes_odd_in_book=0,
        events=231_488,
        orders=14,
        checksum=7959925878472009595,
    )
    (events,) = event_buffers(recorded)
    at_once = make_book()
    assert at_once.apply(events) == counts.events
    assert at_once.checksum() == counts.checksum
