"""When two accounts' steps may travel together."""

from __future__ import annotations

import random

import pytest

from ledgerx.errors import InvalidField
from ledgerx.testing.flow.schedule import Scheduler
from ledgerx.testing.flow.steps import Action, Step

PLACE, REDUCE, CANCEL, EXECUTE = Action
BID, ASK = False, True


def step(action: Action, account: int, is_ask: bool, price: int) -> Step:
    return Step(action, 1, account, random.randrange(10**9), is_ask, price, 1)


def parted(*steps: Step) -> bool:
    """Whether the last step starts a new wave."""
    scheduler = Scheduler()
    assert [scheduler.add(one) for one in steps[:-1]] == [None] * (len(steps) - 1)
    return scheduler.add(steps[-1]) is not None


def test_a_wave_holds_each_accounts_steps_in_their_order() -> None:
    first, second, third = step(PLACE, 1, BID, 99), step(PLACE, 2, ASK, 101), step(CANCEL, 1, BID, 99)
    scheduler = Scheduler()
    for one in (first, second, third):
        assert scheduler.add(one) is None
    assert scheduler.flush() == {1: [first, third], 2: [second]}
    assert scheduler.flush() is None


def test_two_accounts_do_not_queue_at_one_price_in_one_wave() -> None:
    assert parted(step(PLACE, 1, BID, 99), step(PLACE, 2, BID, 99))
    assert not parted(step(PLACE, 1, BID, 99), step(PLACE, 2, BID, 98))
    assert not parted(step(PLACE, 1, BID, 99), step(PLACE, 1, BID, 99))
    assert not parted(step(PLACE, 1, BID, 99), step(PLACE, 2, ASK, 99 + 2))


@pytest.mark.parametrize(("side", "other", "away"), [(BID, ASK, 100), (ASK, BID, 100)])
def test_an_order_waits_until_what_it_would_have_met_is_gone(side: bool, other: bool, away: int) -> None:
    behind = away - 1 if side == BID else away + 1
    assert parted(step(CANCEL, 1, other, away), step(PLACE, 2, side, away))
    assert parted(step(EXECUTE, 1, side, away), step(PLACE, 2, side, away))
    assert not parted(step(CANCEL, 1, other, away), step(PLACE, 2, side, behind))
    assert not parted(step(CANCEL, 1, other, away), step(PLACE, 1, side, away))
    assert not parted(step(REDUCE, 1, other, away), step(PLACE, 2, side, behind))


@pytest.mark.parametrize("action", [PLACE, REDUCE, CANCEL])
def test_an_execution_waits_for_what_happened_at_its_price_or_better(action: Action) -> None:
    sell = step(EXECUTE, 2, ASK, 100)  # against bids
    assert parted(step(action, 1, BID, 100), sell)
    assert parted(step(action, 1, BID, 101), sell)
    assert not parted(step(action, 1, BID, 99), sell)
    assert not parted(step(action, 2, BID, 101), sell)
    assert not parted(step(action, 1, ASK, 105), sell)


@pytest.mark.parametrize("action", [PLACE, REDUCE, CANCEL])
def test_what_happens_at_an_executed_price_or_better_waits_for_it(action: Action) -> None:
    buy = step(EXECUTE, 2, BID, 100)  # against asks
    assert parted(buy, step(action, 1, ASK, 100))
    assert parted(buy, step(action, 1, ASK, 99))
    assert not parted(buy, step(action, 1, ASK, 101))
    assert not parted(buy, step(action, 1, BID, 90))


def test_executions_of_one_account_travel_together_and_of_two_do_not() -> None:
    assert not parted(step(EXECUTE, 1, BID, 100), step(EXECUTE, 1, BID, 101))
    assert parted(step(EXECUTE, 1, BID, 100), step(EXECUTE, 2, BID, 101))


def test_a_wave_ends_when_an_account_has_a_full_batch() -> None:
    scheduler = Scheduler(steps_max=2)
    waves = [scheduler.add(step(PLACE, 1, BID, price)) for price in (1, 2, 3)]
    assert waves[:2] == [None, None]
    assert waves[2] is not None
    assert len(waves[2][1]) == 2


@pytest.mark.parametrize("steps_max", [0, 201])
def test_a_batch_has_1_to_200_steps(steps_max: int) -> None:
    with pytest.raises(InvalidField):
        Scheduler(steps_max)
