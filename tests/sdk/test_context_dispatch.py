"""When handlers and callbacks are called, on which thread, and what may wait for what."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

import pytest
from trading_floor import DEADLINE_S, Blocker, Floor, Listener, Trader, finished

from ledgerx.api.client import v0_0_1 as api
from ledgerx.errors import Error, InvalidState
from ledgerx.exchange import Exchange
from ledgerx.sdk.context_settings import ContextSettings
from ledgerx.sdk.items import RequestItem
from ledgerx.sdk.states import State

Status = api.MessageStatus

# For what must not wait: were it to wait for an ACK, the test would not end.
NEVER = ContextSettings(ack_timeout_s=3600)


class Doing(Listener):
    """A Listener that does something once, at the first message that is wanted."""

    def __init__(self, wanted: Callable[[Any], bool], action: Callable[[], Any]) -> None:
        super().__init__()
        self.results: list[Any] = []
        self._wanted = wanted
        self._action = action
        self._lock = threading.Lock()

    def _keep(self, name: str, msg: Any = None, previous: Any = None) -> None:
        super()._keep(name, msg, previous)
        if name != "callback" and not self.results and self._wanted(msg):
            self.results.append(None)
            self.results.append(self._action())


def acknowledgement(msg: Any) -> bool:
    return isinstance(msg, Status) and msg.status == Status.STATUS_ACKNOWLEDGED


def accepted(msg: Any) -> bool:
    return isinstance(msg, Status) and msg.status == Status.STATUS_ORDER_SUCCESS


class TestCallbacks:
    def test_one_set_late_gets_every_answer_from_the_first_once_in_order(self, floor: Floor) -> None:
        trader = floor.trader()
        item = trader.opened(trader.cmd.limit_order(floor.contract, 1, 100))
        finished(trader.cmd.get_positions())
        assert trader.heard.named("callback") == []
        item.callback = trader.heard.callback
        trader.heard.wait_calls(3, "callback")
        finished(trader.cmd.cancel_order(floor.contract, item.mid))
        told = trader.heard.wait_calls(4, "callback")
        handled = [call for call in trader.heard.of(item) if call.name != "callback"]
        assert [call[1:] for call in told] == [call[1:] for call in handled]

    def test_it_is_called_right_after_the_handler_of_the_same_message(self, floor: Floor) -> None:
        trader = floor.trader()
        block = floor.blocker()
        block_dispatch(trader, block)
        item = trader.cmd.limit_order(floor.contract, 1, 100, wait=False)
        item.callback = trader.heard.callback
        block.release.set()
        trader.heard.wait_calls(3, "callback")
        expected = ["status_message 300", "callback 300", "status_message 200", "callback 200"]
        assert trader.calls(item) == [*expected, "action_report 200", "callback 200"]

    def test_it_is_called_on_the_dispatch_thread(self, floor: Floor) -> None:
        trader = floor.trader()
        names: list[str] = []
        item = finished(trader.cmd.get_contract(floor.contract))
        item.callback = lambda msg, prev_msg: names.append(threading.current_thread().name)
        finished(trader.cmd.get_positions())
        assert names == ["ledgerx-dispatch"] * 2

    def test_one_set_anew_gets_what_the_first_did_not(self, floor: Floor) -> None:
        trader = floor.trader()
        item = trader.cmd.limit_order(floor.contract, 1, 100)
        item.callback = lambda msg, prev_msg: None
        trader.opened(item)
        finished(trader.cmd.get_positions())
        item.callback = trader.heard.callback
        finished(trader.cmd.cancel_order(floor.contract, item.mid))
        assert [str(call) for call in trader.heard.named("callback")] == ["callback 203"]

    def test_one_set_in_a_handler_gets_the_message_at_hand(self, floor: Floor) -> None:
        heard = Doing(lambda msg: acknowledgement(msg) and msg.account_sequence, lambda: set_callback())
        trader = floor.trader(heard=heard)
        waiting: list[RequestItem] = []

        def set_callback() -> None:
            waiting[0].callback = heard.callback

        block = floor.blocker()
        block_dispatch(trader, block)
        waiting.append(trader.cmd.limit_order(floor.contract, 1, 100, wait=False))
        block.release.set()
        trader.heard.wait_calls(3, "callback")
        assert trader.calls(waiting[0])[:2] == ["status_message 300", "callback 300"]


def block_dispatch(trader: Trader, block: Blocker) -> None:
    """Hold the dispatch thread up, as a slow handler would: in a callback set late."""
    finished(trader.cmd.get_positions()).callback = lambda msg, prev_msg: block.once()
    assert block.entered.wait(DEADLINE_S)


class TestWithoutWaiting:
    def test_two_thousand_orders_are_in_flight_at_once(self, floor: Floor) -> None:
        trader = floor.trader(settings=NEVER)
        items = [trader.cmd.limit_order(floor.contract, 1, 5, wait=False) for _ in range(2000)]
        for item in items:
            assert item.wait(State.OPEN, DEADLINE_S)
        trader.heard.wait_reports(items[-1], 1)
        assert trader.heard.sequences == list(range(1, 6001))
        acks = [call.msg.mid for call in trader.heard.named("status_message") if acknowledgement(call.msg)]
        assert acks == [item.mid for item in items]

    def test_a_handler_that_submits_does_not_wait(self, floor: Floor) -> None:
        heard = Doing(accepted, lambda: trader.cmd.limit_order(floor.contract, 1, 105))
        trader = floor.trader(heard=heard, settings=NEVER)
        trader.opened(trader.cmd.limit_order(floor.contract, 1, 100))
        inner = trader.opened(heard.results[1])
        assert trader.calls(inner)[0] == "status_message 300"

    def test_a_handler_may_cancel_place_ask_and_batch(self, floor: Floor) -> None:
        heard = Doing(accepted, lambda: act())
        trader = floor.trader(heard=heard, settings=NEVER)

        def act() -> list[RequestItem]:
            batch, items = trader.cmd.batch([floor.order()])
            return [trader.cmd.cancel_all(), trader.cmd.get_positions(), batch, *items]

        trader.opened(trader.cmd.limit_order(floor.contract, 1, 100))
        cancel, positions, batch, member = heard.results[1]
        for item in (cancel, positions, batch):
            finished(item)
        trader.opened(member)


class TestBlockedHandlers:
    def test_one_that_blocks_delays_no_acknowledgement_and_no_heartbeat(self, floor: Floor) -> None:
        block = floor.blocker()
        trader = floor.trader(heard=Doing(accepted, block), settings=NEVER)
        witness = floor.trader()
        first = trader.cmd.limit_order(floor.contract, 1, 100)
        assert block.entered.wait(DEADLINE_S)
        before = connections(floor.exchange, trader)
        second = trader.cmd.limit_order(floor.contract, 1, 105)
        assert second.state is State.ACKNOWLEDGED
        assert not second.wait(State.OPEN, timeout=0)
        await_heartbeats(witness, 8)  # with six the venue would have forgotten a silent client
        assert connections(floor.exchange, trader) == before != []
        block.release.set()
        trader.opened(first)
        trader.opened(second)
        assert trader.heard.lost() == 0
        assert trader.heard.named("disconnected") == []

    def test_the_feed_is_left_unread_and_the_line_goes_on(self, floor: Floor) -> None:
        block = floor.blocker()
        trader = floor.trader(
            heard=Doing(accepted, block), settings=ContextSettings(ack_timeout_s=3600, feed_backlog_max=5)
        )
        witness = floor.trader()
        trader.context.subscribe("book_update", floor.contract)
        trader.cmd.limit_order(floor.contract, 1, 100)
        assert block.entered.wait(DEADLINE_S)
        for _ in range(20):
            witness.opened(witness.cmd.limit_order(floor.contract, 1, 105))
        await_heartbeats(witness, 8)  # with six and a half a silent feed would have been given up
        assert trader.cmd.limit_order(floor.contract, 1, 110).state is State.ACKNOWLEDGED
        block.release.set()
        trader.heard.wait_calls(22, "book_update")
        assert trader.heard.named("disconnected") == []


def await_heartbeats(witness: Trader, count: int) -> None:
    end = witness.heard.counts["heartbeats"] + count
    witness.heard.wait_for(
        lambda: witness.heard.counts["heartbeats"] >= end, f"{count} heartbeats", DEADLINE_S
    )


def connections(exchange: Exchange, trader: Trader) -> list[Any]:
    """The venue's connections of a trader's account, as objects: a forgotten one does not return."""
    server = exchange._server
    assert server is not None
    gateway = server._gateway
    assert gateway is not None
    (row,) = [row for row in exchange.accounts() if row.public_key == trader.keys.public.decode()]
    return gateway.connections.of_account(row.cid)


class TestRaisingHandlers:
    @pytest.mark.parametrize("raised", [LookupError("mine"), SystemExit(3), KeyboardInterrupt()], ids=repr)
    def test_what_one_raises_is_reported_and_the_next_message_comes(
        self, floor: Floor, raised: BaseException
    ) -> None:
        def fail() -> None:
            raise raised

        trader = floor.trader(heard=Doing(acknowledgement, fail))
        item = trader.opened(trader.cmd.limit_order(floor.contract, 1, 100))
        assert trader.calls(item) == ["status_message 300", "status_message 200", "action_report 200"]
        (error,) = trader.heard.errors
        if isinstance(raised, Exception):
            assert error is raised
        else:
            assert isinstance(error, Error)
            assert error.__cause__ is raised
            assert repr(raised) in str(error)

    def test_a_raising_callback_is_reported_and_called_again(self, floor: Floor) -> None:
        trader = floor.trader()

        def fail(msg: Any, prev_msg: Any) -> None:
            raise LookupError(msg.mid)

        item = trader.cmd.limit_order(floor.contract, 1, 100)
        item.callback = fail
        trader.opened(item)
        finished(trader.cmd.get_positions())
        assert [error.args for error in trader.heard.errors] == [(item.mid,)] * 3

    def test_a_raising_handle_error_reaches_the_log(
        self, floor: Floor, caplog: pytest.LogCaptureFixture
    ) -> None:
        class Hopeless(Listener):
            def handle_status_message(self, msg: Any, prev_msg: Any) -> None:
                raise LookupError("first")

            def handle_error(self, error: Exception) -> None:
                raise RuntimeError("second")

        trader = floor.trader(heard=Hopeless())
        with caplog.at_level(logging.ERROR, logger="ledgerx.sdk"):
            trader.opened(trader.cmd.limit_order(floor.contract, 1, 100))
        assert "handle_error raised while reporting LookupError('first')" in caplog.text
        assert "RuntimeError: second" in caplog.text

    def test_the_states_of_requests_move_on_all_the_same(self, floor: Floor) -> None:
        class Raising(Listener):
            def handle_action_report(self, msg: Any, prev_msg: Any) -> None:
                super().handle_action_report(msg, prev_msg)
                raise LookupError(msg.mid)

        trader = floor.trader(heard=Raising())
        item = trader.opened(trader.cmd.limit_order(floor.contract, 1, 100))
        finished(trader.cmd.cancel_order(floor.contract, item.mid))
        assert item.state is State.DONE
        assert len(trader.context.store) == 0


class TestWaiting:
    def test_a_state_that_is_passed_is_reached(self, floor: Floor) -> None:
        trader = floor.trader()
        item = finished(trader.cmd.get_positions())
        for state in (State.SENT, State.ACKNOWLEDGED, State.DONE):
            assert item.wait(state, timeout=0)
        assert not item.wait(State.FAILED, timeout=0)

    def test_a_failed_request_reaches_nothing_else_and_keeps_nobody_waiting(self, floor: Floor) -> None:
        item = floor.trader().cmd.limit_order()
        assert item.wait(State.FAILED, DEADLINE_S)
        assert item.wait(State.ACKNOWLEDGED) is False
        assert item.wait() is False
        assert item.finished

    def test_a_timeout_is_no_failure(self, floor: Floor) -> None:
        trader = floor.trader()
        item = trader.opened(trader.cmd.limit_order(floor.contract, 1, 100))
        assert item.wait(timeout=0.01) is False
        assert item.state is State.OPEN

    def test_a_handler_cannot_wait_for_what_it_would_have_to_dispatch(self, floor: Floor) -> None:
        def wait() -> list[Any]:
            results: list[Any] = []
            for condition in (lambda: items[0].wait(timeout=5), lambda: book.wait_synchronised(5)):
                try:
                    results.append(condition())
                except InvalidState as error:
                    results.append(error)
            results.append(items[0].wait(State.ACKNOWLEDGED))
            return results

        heard = Doing(accepted, wait)
        trader = floor.trader(heard=heard)
        items = [trader.cmd.limit_order(floor.contract, 1, 100, wait=False)]
        book = trader.context.book(10**6)
        trader.opened(items[0])
        first, second, reached = heard.results[1]
        assert isinstance(first, InvalidState)
        assert "would wait for itself" in str(first)
        assert isinstance(second, InvalidState)
        assert reached is True

    def test_an_abandoned_request_is_over_for_this_client(self, floor: Floor) -> None:
        trader = floor.trader()
        item = trader.opened(trader.cmd.limit_order(floor.contract, 1, 100))
        item.abandon()
        assert item.state is State.FAILED
        assert item.wait() is False
        finished(trader.cmd.cancel_all())
        assert trader.heard.of(item)[-1].previous is None
        assert len(trader.context.store) == 0

    def test_an_items_repr_shows_where_it_is(self, floor: Floor) -> None:
        item = finished(floor.trader().cmd.get_positions())
        assert repr(item) == f"<RequestItem MessageGetPositions {item.mid} DONE>"
        assert not item.outcome_unknown
