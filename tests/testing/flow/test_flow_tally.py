"""How the venue's reports are held against the recording."""

from __future__ import annotations

import pytest

from ledgerx.api.client import v0_0_1 as api
from ledgerx.testing.flow.commands import message_of
from ledgerx.testing.flow.planner import Plan
from ledgerx.testing.flow.steps import Action, Step
from ledgerx.testing.flow.tally import FlowResult, Tally

RESTING, OTHER, AGGRESSOR = "a" * 32, "b" * 32, "c" * 32
EXECUTION = Step(Action.EXECUTE, 9, 2, 3, True, 100, 5, expected=1, shown=True)


@pytest.fixture
def tally() -> Tally:
    """Orders 1 and 2 rest, order 3 is sent to execute order 1: 5 lots at 100."""
    tally = Tally()
    tally.sent(Step(Action.PLACE, 1, 1, 1, False, 100, 9), RESTING)
    tally.sent(Step(Action.PLACE, 2, 1, 2, False, 100, 9), OTHER)
    tally.sent(EXECUTION, AGGRESSOR)
    return tally


def trade(tally: Tally, trade_id: int, size: int, *, price: int = 100, resting: str = RESTING) -> None:
    """Both sides' reports of one trade, the resting one last."""
    both = {"filled_size": size, "filled_price_in_cents": price, "trade_id": trade_id}
    tally.reported(api.MessageActionReport(mid=AGGRESSOR, is_aggressor=True, **both))
    tally.reported(api.MessageActionReport(mid=resting, **both))


def counted(tally: Tally) -> FlowResult:
    return tally.result(Plan(executions=1), 1.0)


def test_an_execution_filled_whole_by_its_order_came_out_and_hit(tally: Tally) -> None:
    trade(tally, 1, 2)
    trade(tally, 2, 3)
    result = counted(tally)
    assert (result.fills, result.executions_same, result.shown, result.shown_hit) == (2, 1, 1, 1)
    assert result.as_recorded


def test_a_trade_with_another_order_is_no_hit(tally: Tally) -> None:
    trade(tally, 1, 2)
    trade(tally, 2, 3, resting=OTHER)
    result = counted(tally)
    assert (result.executions_same, result.shown_hit) == (1, 0)


def test_an_execution_not_filled_whole_did_not_come_out(tally: Tally) -> None:
    assert (counted(tally).executions_same, counted(tally).shown_hit) == (0, 0)
    trade(tally, 1, 4)
    assert counted(tally).executions_same == 0
    assert not counted(tally).as_recorded


def test_an_execution_at_another_price_did_not_come_out(tally: Tally) -> None:
    trade(tally, 1, 5, price=101)
    assert counted(tally).executions_same == 0


def test_an_execution_sent_in_parts_came_out_if_all_did(tally: Tally) -> None:
    second = "d" * 32
    tally.sent(EXECUTION._replace(order=4, size=1), second)
    trade(tally, 1, 5)
    assert counted(tally).executions_same == 0
    tally.reported(
        api.MessageActionReport(
            mid=second, is_aggressor=True, filled_size=1, filled_price_in_cents=100, trade_id=2
        )
    )
    tally.reported(api.MessageActionReport(mid=RESTING, filled_size=1, filled_price_in_cents=100, trade_id=2))
    assert (counted(tally).executions_same, counted(tally).shown, counted(tally).shown_hit) == (1, 1, 1)


def test_an_execution_of_an_order_never_shown_is_not_asked_whom_it_hit() -> None:
    tally = Tally()
    tally.sent(EXECUTION._replace(expected=0, shown=False), AGGRESSOR)
    trade(tally, 1, 5, resting=OTHER)
    result = counted(tally)
    assert (result.executions_same, result.shown, result.shown_hit) == (1, 0, 0)


def test_refusals_are_counted_and_the_first_is_kept(tally: Tally) -> None:
    trade(tally, 1, 5)
    tally.answered(api.MessageStatus(status=api.MessageStatus.STATUS_ORDER_SUCCESS))
    tally.answered(api.MessageStatus(status=api.MessageStatus.STATUS_ACKNOWLEDGED))
    tally.answered(api.MessageStatus(status=api.MessageStatus.STATUS_PRICE_BAND, message="too high"))
    tally.answered(api.MessageStatus(status=api.MessageStatus.STATUS_HALTED, message="halted"))
    result = counted(tally)
    assert (result.refused, result.first_refusal) == (2, "604: too high")
    assert not result.as_recorded


# ------------------------------------------------------------------------------- messages


def test_a_placed_order_is_good_till_canceled_and_an_execution_immediate_or_cancel() -> None:
    order = api.MessageLimitOrder
    placed = message_of(Step(Action.PLACE, 1, 1, 1, True, 100, 9), 7, RESTING)
    assert placed == order(mid=RESTING, contract_id=7, size=9, price_in_cents=100, is_ask=True)
    sent = message_of(EXECUTION._replace(is_ask=False), 7, AGGRESSOR)
    assert sent == order(mid=AGGRESSOR, contract_id=7, size=5, price_in_cents=100, time_in_force=order.IOC)


def test_a_reduction_states_total_and_price_and_a_cancel_the_entry() -> None:
    step = Step(Action.REDUCE, 1, 1, 1, True, 100, 9)
    assert message_of(step, 7, RESTING) == api.MessageCancelReplace(
        contract_id=7, entry_id=RESTING, size=9, price_in_cents=100
    )
    assert message_of(step._replace(action=Action.CANCEL), 7, RESTING) == api.MessageCancelOrder(
        contract_id=7, entry_id=RESTING
    )
