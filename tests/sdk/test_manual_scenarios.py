"""The manual's sections on what goes wrong, each as a test of its name, on real sockets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from trading_floor import DEADLINE_S, Floor, Listener, contract_details, finished

from ledgerx.api.client import v0_0_1 as api
from ledgerx.exchange import Exchange
from ledgerx.exchange.gateway_settings import GatewaySettings
from ledgerx.sdk.context_settings import ContextSettings
from ledgerx.sdk.states import State

Report = api.MessageActionReport

# Back as soon as the venue is; a command gives up waiting for its ACK almost at once.
QUICK = ContextSettings(ack_timeout_s=0.05, resend_min_s=0.02, resend_max_s=0.05, heartbeat_grace_ms=300)


@pytest.fixture
def exchange(tmp_path: Path) -> Iterator[Exchange]:
    """A venue of the test's own, which it may stop."""
    with Exchange(tmp_path / "D", http=False, interval_ms=200, contracts=contract_details()) as running:
        yield running


class TestProtocolExpectedBehavior:
    """2.2: the ACK is always the first response, and has the mid that is the entry ID of an order."""

    def test_the_ack_comes_first_and_its_mid_is_the_entry_id(self, floor: Floor) -> None:
        trader = floor.trader()
        order = trader.opened(trader.cmd.limit_order(floor.contract, 1, 100))
        first = trader.heard.of(order)[0].msg
        assert (first.status, first.mid) == (first.STATUS_ACKNOWLEDGED, order.mid)
        canceled = finished(trader.cmd.cancel_order(floor.contract, entry_id=first.mid))
        assert canceled.answers[-1].status == api.MessageStatus.STATUS_ORDER_CANCELED
        finished(order)


class TestExchangeUnavailabilityScenarios:
    """2.3."""

    def test_scenario_1_no_ack_the_message_is_resent_until_there_is_one(self, floor: Floor) -> None:
        trader = floor.trader(settings=QUICK)
        floor.exchange.stop()
        order = trader.cmd.limit_order(floor.contract, 1, 100)
        assert order.outcome_unknown
        floor.exchange.start()
        trader.opened(order)
        assert not order.outcome_unknown
        assert len(finished(trader.cmd.get_open_orders()).answers) == 3  # ACK, the one order, status

    def test_scenario_2_an_ack_and_no_response_what_was_missed_comes_after_the_return(
        self, floor: Floor
    ) -> None:
        keys = floor.keys()
        trader = floor.trader(keys, settings=QUICK)
        order = trader.opened(trader.cmd.limit_order(floor.contract, 2, 100))
        floor.exchange.stop()  # the order's end, which the restart causes, is missed
        trader.heard.wait_calls(1, "disconnected")
        assert order.state is State.OPEN
        floor.exchange.start()
        finished(order)
        assert trader.heard.reports[order.mid][-1].status_type == Report.STATUS_CANCELED
        replay = finished(trader.cmd.replay(from_sequence=1))
        numbers = [answer.account_sequence for answer in replay.answers if answer.account_sequence]
        assert numbers == list(range(1, trader.heard.sequences[-1] + 1))
        assert trader.heard.lost() == 0

    def test_scenario_3_a_response_frees_the_client_of_all_three_messages(self, floor: Floor) -> None:
        trader = floor.trader()
        for item in (trader.cmd.get_contract(floor.contract), trader.cmd.cancel_all()):
            finished(item)
        refused = trader.cmd.limit_order(floor.contract)
        assert refused.wait(State.FAILED, DEADLINE_S)
        assert len(trader.context.store) == 0

    def test_scenario_3_a_trade_request_is_kept_until_a_report_of_size_zero(self, floor: Floor) -> None:
        buyer, seller = floor.trader(), floor.trader()
        order = buyer.opened(buyer.cmd.limit_order(floor.contract, 3, 100))
        for left in (2, 1, 0):
            assert order.mid in buyer.context.store
            finished(seller.cmd.limit_order(floor.contract, 1, 100, is_ask=True))
            assert buyer.heard.wait_reports(order, 4 - left)[-1].size == left
        finished(order)
        assert order.mid not in buyer.context.store


class TestBatchMessages:
    """2.4: ACK of the batch, a batch of ACKs, then each member's own responses."""

    def test_the_ack_then_the_batch_of_acks_then_the_responses_of_each_message(self, floor: Floor) -> None:
        trader = floor.trader()
        orders = [floor.order(price_in_cents=100 + 5 * number) for number in range(200)]
        batch, members = trader.cmd.batch(orders)
        for member in members:
            trader.opened(member)
        ack, acks = trader.heard.of(batch)
        assert (ack.name, ack.msg.status) == ("status_message", api.MessageStatus.STATUS_ACKNOWLEDGED)
        assert acks.name == "batch_message"
        assert [one.mid for one in acks.msg.messages] == [member.mid for member in members]
        calls = trader.heard.named("status_message", "batch_message", "action_report")
        assert calls[:2] == [ack, acks]
        assert [call.msg.mid for call in calls[2:]] == [mid for member in members for mid in 2 * [member.mid]]

    def test_each_message_has_a_life_of_its_own(self, floor: Floor) -> None:
        trader = floor.trader()
        batch, (order, refused, question) = trader.cmd.batch(
            [floor.order(), api.MessageLimitOrder(), api.MessageGetPositions()]
        )
        assert refused.wait(State.FAILED, DEADLINE_S)
        trader.opened(order)
        finished(question)
        finished(batch)
        assert list(trader.context.store) == [order.mid]

    def test_more_than_200_are_refused_as_a_whole(self, floor: Floor) -> None:
        trader = floor.trader()
        batch, members = trader.cmd.batch([floor.order() for _ in range(201)])
        assert batch.wait(State.FAILED, DEADLINE_S)
        assert {member.state for member in members} == {State.FAILED}
        assert len(trader.context.store) == 0


class TestExchangeRunIdsAndRunChange:
    """2.5: a restart is another run, whose id every message has; the old run's orders are canceled."""

    def test_the_old_runs_orders_are_canceled_and_an_ack_says_which_run_it_is_of(self, floor: Floor) -> None:
        trader = floor.trader(settings=QUICK)
        old = trader.opened(trader.cmd.limit_order(floor.contract, 1, 100))
        floor.exchange.restart()
        new = trader.cmd.limit_order(floor.contract, 1, 100)
        trader.opened(new)
        trader.heard.wait_calls(1, "run_change")
        finished(old)
        acks = {call.msg.mid: call.msg.run_id for call in trader.heard.calls if _is_ack(call.msg)}
        assert (acks[old.mid], acks[new.mid]) == (1, 2)
        names = [call.name for call in trader.heard.of(old)] + ["run_change"]
        assert names[-2:] == ["action_report", "run_change"]
        assert trader.heard.run_changes == [(2, 1)]
        assert trader.heard.reports[old.mid][-1].size == 0


def _is_ack(msg: object) -> bool:
    return isinstance(msg, api.MessageStatus) and msg.status == msg.STATUS_ACKNOWLEDGED


class TestSlowAndRaisingHandlers:
    """What a handler does delays its own messages alone, and loses none of them."""

    WINDOW = 20

    @pytest.fixture
    def exchange(self) -> Iterator[Exchange]:
        settings = GatewaySettings(interval_ms=200, window_messages=self.WINDOW)
        with Exchange(http=False, settings=settings, contracts=contract_details()) as running:
            yield running

    def test_a_handler_that_stands_still_delays_neither_heartbeats_nor_acks_and_holds_the_line_at_the_venue(
        self, floor: Floor
    ) -> None:
        blocker = floor.blocker()

        class Slow(Listener):
            def handle_status_message(self, msg: object, prev_msg: object) -> None:
                blocker.once()
                super().handle_status_message(msg, prev_msg)

        settings = ContextSettings(window_messages=self.WINDOW, resend_min_s=0.02, resend_max_s=0.05)
        trader = floor.trader(heard=Slow(), settings=settings)
        other = floor.trader(trader.keys)
        items = [trader.cmd.limit_order(floor.contract, 1, 100, wait=False) for _ in range(5)]
        assert blocker.entered.wait(DEADLINE_S)
        for item in items:
            assert item.wait(State.ACKNOWLEDGED, DEADLINE_S)
        items += [trader.cmd.limit_order(floor.contract, 1, 100, wait=False) for _ in range(95)]
        finished(other.cmd.get_positions())
        other.heard.wait_for(
            lambda: len(other.heard.sequences) == 300, "300 messages at the other", DEADLINE_S
        )
        beats = other.heard.counts["heartbeats"]
        other.heard.wait_for(lambda: other.heard.counts["heartbeats"] >= beats + 10, "2 s", DEADLINE_S)
        line = trader.context._io.tracker.line
        # A window, and ACKs of resent orders, which are told again at once.
        assert line.released_next - line.dispatched_next <= 2 * self.WINDOW
        assert trader.context.connected
        assert trader.heard.counts["disconnected"] == 0
        blocker.release.set()
        for item in items:
            trader.opened(item)
        assert trader.heard.counts["heartbeats"] < other.heard.counts["heartbeats"] - 5  # one waited, not all
        assert trader.heard.lost() == 0

    def test_a_handler_that_raises_is_reported_each_time_and_every_message_follows(
        self, floor: Floor
    ) -> None:
        class Raising(Listener):
            def handle_action_report(self, msg: object, prev_msg: object) -> None:
                super().handle_action_report(msg, prev_msg)
                raise ValueError("a bug")

        trader = floor.trader(heard=Raising())
        items = [trader.cmd.limit_order(floor.contract, 1, 100, wait=False) for _ in range(30)]
        for item in items:
            trader.opened(item)
        finished(trader.cmd.cancel_all(floor.contract))
        assert [str(error) for error in trader.heard.errors] == ["a bug"] * 60
        assert trader.heard.lost() == 0
        assert len(trader.context.store) == 0
