"""How rows become steps, one rule a test. Prices in the rows are cents x 100."""

from __future__ import annotations

from typing import Any

import pytest

from ledgerx.clob.lobster import MessageType, Row
from ledgerx.errors import InvalidData, InvalidField
from ledgerx.testing.flow.planner import TURN_ROWS, Planner
from ledgerx.testing.flow.steps import HOUSE, Action, Step

NEW, PARTIAL, DELETE, EXECUTION = list(MessageType)[:4]
PLACE, REDUCE, CANCEL, EXECUTE = Action
Levels = list[tuple[int, int]]


class Day:
    """A planner, fed with rows of two levels a side that tests write in cents."""

    def __init__(self, bids: Levels, asks: Levels, traders: int = 3) -> None:
        self.planner = Planner(traders, file="day.csv")
        self.number = 0
        self.opening = self.row(MessageType.HALT, 0, 0, 0, False, bids, asks)

    def row(
        self,
        kind: MessageType,
        order_id: int,
        size: int,
        cents: int,
        is_ask: bool,
        bids: Levels,
        asks: Levels,
    ) -> list[Step]:
        self.number += 1

        def priced(levels: Levels) -> tuple[tuple[int, int], ...]:
            return tuple((price * 100, size) for price, size in levels)

        return self.planner.feed(
            Row(self.number, 0, kind, order_id, size, cents * 100, is_ask, priced(asks), priced(bids), 2)
        )


@pytest.fixture
def day() -> Day:
    return Day([(99, 10), (98, 20)], [(101, 10), (102, 20)])


def shapes(steps: list[Step]) -> list[tuple[Any, ...]]:
    """Steps without row, number and expectation."""
    return [(step.action, step.account, step.is_ask, step.price, step.size) for step in steps]


def test_the_opening_book_is_placed_by_the_house_one_order_a_level(day: Day) -> None:
    assert shapes(day.opening) == [
        (PLACE, HOUSE, False, 99, 10),
        (PLACE, HOUSE, False, 98, 20),
        (PLACE, HOUSE, True, 101, 10),
        (PLACE, HOUSE, True, 102, 20),
    ]


def test_a_new_order_is_placed_by_the_trader_whose_turn_it_is(day: Day) -> None:
    steps = day.row(NEW, 7, 5, 99, False, [(99, 15), (98, 20)], [(101, 10), (102, 20)])
    assert shapes(steps) == [(PLACE, 1, False, 99, 5)]
    day.number = TURN_ROWS
    steps = day.row(NEW, 8, 5, 99, False, [(99, 20), (98, 20)], [(101, 10), (102, 20)])
    assert shapes(steps) == [(PLACE, 2, False, 99, 5)]


def test_a_partial_cancel_states_the_smaller_total(day: Day) -> None:
    (placed,) = day.row(NEW, 7, 9, 99, False, [(99, 19), (98, 20)], [(101, 10), (102, 20)])
    day.row(EXECUTION, 1, 10, 99, False, [(99, 9), (98, 20)], [(101, 10), (102, 20)])  # the house's
    day.row(EXECUTION, 7, 2, 99, False, [(99, 7), (98, 20)], [(101, 10), (102, 20)])
    (step,) = day.row(PARTIAL, 7, 3, 99, False, [(99, 4), (98, 20)], [(101, 10), (102, 20)])
    assert shapes([step]) == [(REDUCE, 1, False, 99, 6)]  # 9 less 3, of which 2 are filled
    assert step.order == placed.order


def test_a_delete_cancels_the_order(day: Day) -> None:
    (placed,) = day.row(NEW, 7, 9, 99, False, [(99, 19), (98, 20)], [(101, 10), (102, 20)])
    (step,) = day.row(DELETE, 7, 9, 99, False, [(99, 10), (98, 20)], [(101, 10), (102, 20)])
    assert shapes([step]) == [(CANCEL, 1, False, 99, 9)]
    assert step.order == placed.order


def test_a_delete_of_an_unknown_order_comes_out_of_the_anonymous_one(day: Day) -> None:
    steps = day.row(DELETE, 7, 4, 99, False, [(99, 6), (98, 20)], [(101, 10), (102, 20)])
    assert shapes(steps) == [(REDUCE, HOUSE, False, 99, 6)]
    steps = day.row(DELETE, 8, 6, 99, False, [(98, 20)], [(101, 10), (102, 20)])
    assert shapes(steps) == [(CANCEL, HOUSE, False, 99, 6)]


def test_a_delete_of_less_than_is_left_takes_that_much_and_the_rest_stays_to_be_named(day: Day) -> None:
    day.row(NEW, 7, 9, 100, False, [(100, 9), (99, 10)], [(101, 10), (102, 20)])
    steps = day.row(DELETE, 7, 4, 100, False, [(100, 5), (99, 10)], [(101, 10), (102, 20)])
    assert shapes(steps) == [(REDUCE, 1, False, 100, 5)]
    steps = day.row(DELETE, 55, 5, 100, False, [(99, 10)], [(101, 10), (102, 20)])
    assert shapes(steps) == [(CANCEL, 1, False, 100, 5)]


def test_a_delete_of_more_than_is_left_takes_the_rest_from_the_level(day: Day) -> None:
    day.row(NEW, 7, 3, 99, False, [(99, 13), (98, 20)], [(101, 10), (102, 20)])
    steps = day.row(DELETE, 7, 5, 99, False, [(99, 8), (98, 20)], [(101, 10), (102, 20)])
    assert shapes(steps) == [(CANCEL, 1, False, 99, 3), (REDUCE, HOUSE, False, 99, 8)]


def test_an_execution_is_sent_by_a_trader_who_owns_nothing_of_it(day: Day) -> None:
    placed, *_ = day.row(NEW, 7, 9, 100, False, [(100, 9), (99, 10)], [(101, 10), (102, 20)])
    (step,) = day.row(EXECUTION, 7, 4, 100, False, [(100, 5), (99, 10)], [(101, 10), (102, 20)])
    assert step.action is EXECUTE
    assert step.account not in (HOUSE, placed.account)
    assert (step.is_ask, step.price, step.size) == (True, 100, 4)
    assert (step.expected, step.shown) == (placed.order, True)


def test_an_execution_of_an_order_never_shown_expects_the_anonymous_one(day: Day) -> None:
    (step,) = day.row(EXECUTION, 7, 4, 101, True, [(99, 10), (98, 20)], [(101, 6), (102, 20)])
    assert (step.is_ask, step.expected, step.shown) == (False, day.opening[2].order, False)


def test_a_level_pushed_out_of_the_window_is_canceled_whole(day: Day) -> None:
    day.row(NEW, 7, 1, 98, False, [(99, 10), (98, 21)], [(101, 10), (102, 20)])
    steps = day.row(NEW, 8, 5, 100, False, [(100, 5), (99, 10)], [(101, 10), (102, 20)])
    assert shapes(steps) == [
        (PLACE, 1, False, 100, 5),
        (CANCEL, HOUSE, False, 98, 20),
        (CANCEL, 1, False, 98, 1),
    ]


def test_a_level_that_returns_is_one_anonymous_order_and_old_ids_are_forgotten(day: Day) -> None:
    day.row(NEW, 7, 1, 98, False, [(99, 10), (98, 21)], [(101, 10), (102, 20)])
    day.row(NEW, 8, 5, 100, False, [(100, 5), (99, 10)], [(101, 10), (102, 20)])
    steps = day.row(DELETE, 8, 5, 100, False, [(99, 10), (98, 25)], [(101, 10), (102, 20)])
    assert shapes(steps) == [(CANCEL, 1, False, 100, 5), (PLACE, HOUSE, False, 98, 25)]
    steps = day.row(DELETE, 7, 1, 98, False, [(99, 10), (98, 24)], [(101, 10), (102, 20)])
    assert shapes(steps) == [(REDUCE, HOUSE, False, 98, 24)]
    assert (day.planner.plan.equal, day.planner.plan.revealed) == (3, 1)


def test_an_execution_that_empties_a_level_comes_before_the_level_it_reveals(day: Day) -> None:
    steps = day.row(EXECUTION, 7, 10, 101, True, [(99, 10), (98, 20)], [(102, 20), (105, 1)])
    assert [(step.action, step.price) for step in steps] == [(EXECUTE, 101), (PLACE, 105)]


@pytest.mark.parametrize("kind", [MessageType.HIDDEN_EXECUTION, MessageType.AUCTION, MessageType.HALT])
def test_what_changes_no_visible_level_sends_nothing_and_is_counted(day: Day, kind: MessageType) -> None:
    assert day.row(kind, 0, 5, 100, True, [(99, 10), (98, 20)], [(101, 10), (102, 20)]) == []
    plan = day.planner.plan
    counts = (plan.hidden_executions, plan.auctions, plan.halts)
    assert counts == tuple(int(kind is other) for other in list(MessageType)[4:])


# --------------------------------------------------------------- queues that the file disproves


def test_an_anonymous_order_goes_back_when_one_behind_it_is_executed(day: Day) -> None:
    (placed,) = day.row(NEW, 7, 5, 99, False, [(99, 15), (98, 20)], [(101, 10), (102, 20)])
    steps = day.row(EXECUTION, 7, 5, 99, False, [(99, 10), (98, 20)], [(101, 10), (102, 20)])
    assert shapes(steps[:2]) == [(CANCEL, HOUSE, False, 99, 10), (PLACE, HOUSE, False, 99, 10)]
    assert (steps[2].action, steps[2].expected) == (EXECUTE, placed.order)
    assert day.planner.plan.requeued == 1


def test_known_orders_go_behind_an_anonymous_one_that_is_executed_before_them(day: Day) -> None:
    day.row(NEW, 7, 5, 99, False, [(99, 15), (98, 20)], [(101, 10), (102, 20)])
    day.row(NEW, 8, 1, 99, False, [(99, 16), (98, 20)], [(101, 10), (102, 20)])
    day.row(EXECUTION, 7, 2, 99, False, [(99, 14), (98, 20)], [(101, 10), (102, 20)])  # the house goes back
    steps = day.row(EXECUTION, 99, 4, 99, False, [(99, 10), (98, 20)], [(101, 10), (102, 20)])
    assert shapes(steps[:-1]) == [
        (CANCEL, 1, False, 99, 3),
        (PLACE, 1, False, 99, 3),
        (CANCEL, 1, False, 99, 1),
        (PLACE, 1, False, 99, 1),
    ]
    assert (steps[-1].action, steps[-1].shown) == (EXECUTE, False)
    steps = day.row(DELETE, 7, 3, 99, False, [(99, 7), (98, 20)], [(101, 10), (102, 20)])
    assert shapes(steps) == [(CANCEL, 1, False, 99, 3)]


def out_of_turn(day: Day) -> list[Step]:
    """Orders 7 (5 lots) and 8 (4 lots) alone at 100; the file executes 8 first."""
    day.row(NEW, 7, 5, 100, False, [(100, 5), (99, 10)], [(101, 10), (102, 20)])
    day.row(NEW, 8, 4, 100, False, [(100, 9), (99, 10)], [(101, 10), (102, 20)])
    return day.row(EXECUTION, 8, 4, 100, False, [(100, 5), (99, 10)], [(101, 10), (102, 20)])


def test_known_orders_never_change_places_among_themselves(day: Day) -> None:
    steps = out_of_turn(day)
    assert [step.action for step in steps] == [EXECUTE]
    plan = day.planner.plan
    assert (plan.executions_shown, plan.executions_at_head, plan.requeued) == (1, 0, 0)


def test_what_the_head_lost_out_of_turn_is_taken_from_the_order_spared(day: Day) -> None:
    out_of_turn(day)  # the venue has 7: 1, 8: 4; the file has 7: 5
    steps = day.row(DELETE, 7, 5, 100, False, [(99, 10), (98, 20)], [(101, 10), (102, 20)])
    assert shapes(steps) == [
        (CANCEL, 1, False, 100, 1),
        (CANCEL, 1, False, 100, 4),
        (PLACE, HOUSE, False, 98, 20),
    ]


def test_a_part_taken_from_the_head_is_made_good_before_the_head_loses_more(day: Day) -> None:
    out_of_turn(day)
    steps = day.row(PARTIAL, 7, 2, 100, False, [(100, 3), (99, 10)], [(101, 10), (102, 20)])
    assert shapes(steps) == [(REDUCE, 1, False, 100, 2)]  # of order 8: 4 less 2; order 7 keeps its 1
    steps = day.row(EXECUTION, 7, 3, 100, False, [(99, 10), (98, 20)], [(101, 10), (102, 20)])
    assert shapes(steps[:1]) == [(EXECUTE, 3, True, 100, 3)]
    assert len(day.planner.orders.book) == 4


def test_an_execution_is_split_when_every_trader_owns_a_part_of_it() -> None:
    day = Day([(99, 10), (98, 20)], [(101, 10), (102, 20)], traders=2)
    day.row(NEW, 7, 2, 100, False, [(100, 2), (99, 10)], [(101, 10), (102, 20)])
    day.number = TURN_ROWS
    day.row(NEW, 8, 3, 100, False, [(100, 5), (99, 10)], [(101, 10), (102, 20)])
    steps = day.row(EXECUTION, 7, 5, 100, False, [(99, 10), (98, 20)], [(101, 10), (102, 20)])
    sent = [(step.account, step.size) for step in steps if step.action is EXECUTE]
    assert sent == [(2, 2), (1, 3)]


# ------------------------------------------------------------------------------- bad files

LEVELS: tuple[Levels, Levels] = ([(99, 10), (98, 20)], [(101, 10), (102, 20)])


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ((NEW, 7, 5, 99, False, *LEVELS), "bid level 1"),  # the levels lack it
        ((DELETE, 7, 10, 99, False, *LEVELS), "bid level 1"),  # the levels still have it
        ((DELETE, 7, 11, 99, False, *LEVELS), "size"),  # more than there is
        ((EXECUTION, 7, 11, 99, False, *LEVELS), "price"),
        ((EXECUTION, 7, 1, 98, False, *LEVELS), "price"),  # not the best
        ((NEW, 0, 5, 99, False, *LEVELS), "order id"),
        ((MessageType.HALT, 0, 0, 0, False, LEVELS[0][:1], LEVELS[1]), "bid level 2"),  # gone, unexplained
        ((NEW, 7, 5, 101, False, *LEVELS), ""),  # would trade
    ],
)
def test_a_row_that_does_not_follow_names_itself(day: Day, row: tuple[Any, ...], field: str) -> None:
    with pytest.raises(InvalidData, match=r"^day\.csv row 2") as caught:
        day.row(*row)
    assert (caught.value.file, caught.value.row, caught.value.field) == ("day.csv", 2, field)


def test_an_id_that_stands_cannot_be_new(day: Day) -> None:
    day.row(NEW, 7, 5, 99, False, [(99, 15), (98, 20)], LEVELS[1])
    with pytest.raises(InvalidData, match="order id"):
        day.row(NEW, 7, 5, 99, False, [(99, 20), (98, 20)], LEVELS[1])


def test_a_price_between_cents_is_refused() -> None:
    with pytest.raises(InvalidData, match="no whole number of cents"):
        Planner().feed(Row(1, 0, NEW, 1, 1, 5000, False, (), ((9950, 1),), 5))


def test_two_traders_are_the_least() -> None:
    with pytest.raises(InvalidField, match="besides the owner"):
        Planner(1)
