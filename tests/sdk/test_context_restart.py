"""The venue goes away and comes back: what becomes of requests, and what the program is told."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from trading_floor import DEADLINE_S, Floor, Listener, Trader, close, contract_details, finished

from ledgerx.api.client import v0_0_1 as api
from ledgerx.errors import VenueUnreachable
from ledgerx.exchange import Exchange
from ledgerx.sdk.commands.v0_0_1 import Commands
from ledgerx.sdk.context import Context
from ledgerx.sdk.context_settings import ContextSettings
from ledgerx.sdk.states import State
from ledgerx.testing.process import VenueProcess

# Back as soon as the venue is; a command gives up waiting for its ACK almost at once.
QUICK = ContextSettings(ack_timeout_s=0.05, resend_min_s=0.02, resend_max_s=0.05, heartbeat_grace_ms=300)


@pytest.fixture
def exchange(tmp_path: Path) -> Iterator[Exchange]:
    """A venue of the test's own, which it may stop."""
    running = Exchange(tmp_path / "D", http=False, interval_ms=200, contracts=contract_details())
    with running:
        yield running


def open_mids(trader: Trader) -> list[str]:
    """The mids of the account's open orders, as the venue says."""
    return [report.request_mid for report in finished(trader.cmd.get_open_orders()).answers[1:-1]]


class TestRequestsMeanwhile:
    def test_one_without_ack_is_returned_as_sent_and_carried_out_once_after_the_return(
        self, floor: Floor
    ) -> None:
        trader = floor.trader(settings=QUICK)
        floor.exchange.stop()
        trader.heard.wait_calls(1, "disconnected")
        order = trader.cmd.limit_order(floor.contract, 1, 100)
        batch, members = trader.cmd.batch([floor.order(), api.MessageGetPositions()])
        question = trader.cmd.get_contract(floor.contract)
        for item in (order, batch, question):
            assert item.state is State.SENT
            assert item.outcome_unknown
        floor.exchange.start()
        trader.opened(order)
        trader.opened(members[0])
        for item in (batch, members[1], question):
            finished(item)
        assert open_mids(trader) == [order.mid, members[0].mid]
        assert trader.heard.lost() == 0

    def test_one_that_outlives_its_age_is_refused_on_arrival_and_not_carried_out(self, floor: Floor) -> None:
        # Its age is spent before it leaves, as that of an order made long before the venue's return.
        aged = ContextSettings(ack_timeout_s=0.05, resend_max_age_s=-1.0)
        trader = floor.trader(settings=aged)
        order = trader.cmd.limit_order(floor.contract, 1, 100)
        assert order.wait(State.FAILED, DEADLINE_S)
        assert order.answers[-1].status == api.MessageStatus.STATUS_REQUEST_EXPIRED
        assert open_mids(trader) == []

    def test_orders_in_flight_are_each_carried_out_once_whatever_moment_the_restart_strikes(
        self, floor: Floor
    ) -> None:
        trader = floor.trader(settings=QUICK)
        items = []
        for _ in range(3):
            items += [trader.cmd.limit_order(floor.contract, 1, 100, wait=False) for _ in range(300)]
            floor.exchange.restart()
        for item in items:
            assert item.wait(State.OPEN, DEADLINE_S)
        trader.heard.wait_for(lambda: len(trader.heard.run_changes) == 3, "three runs", DEADLINE_S)
        assert trader.heard.lost() == 0
        resting = open_mids(trader)
        for item in items:
            trader.heard.wait_reports(item, 1 if item.mid in resting else 2)
            sizes = [report.size for report in trader.heard.reports[item.mid]]
            assert sizes == ([1] if item.mid in resting else [1, 0])
        assert {type(error) for error in trader.heard.errors} <= {VenueUnreachable}


class TestRunChange:
    def test_open_orders_are_canceled_before_it_and_it_is_told_once(self, floor: Floor) -> None:
        trader = floor.trader(settings=QUICK)
        order = trader.opened(trader.cmd.limit_order(floor.contract, 2, 100))
        quote = trader.cmd.quote(floor.contract, 5, 1, 200, 1)
        trader.heard.wait_reports(quote, 2)
        before = len(trader.heard.calls)
        floor.exchange.restart()
        trader.heard.wait_calls(1, "run_change")
        finished(order)
        finished(quote)
        names = ("action_report", "run_change")
        told = [str(call) for call in trader.heard.calls[before:] if call.name in names]
        assert told == ["action_report 203"] * 3 + ["run_change"]
        assert trader.heard.run_changes == [(2, 1)]
        canceled = trader.heard.of(order)[-1]
        assert canceled.previous.status_type == api.MessageActionReport.STATUS_INSERTED
        assert (canceled.msg.size, canceled.msg.canceled_size, canceled.msg.request_mid) == (0, 2, "")
        assert trader.context.run_id == 2
        trader.opened(trader.cmd.limit_order(floor.contract, 1, 100))
        assert trader.heard.run_changes == [(2, 1)]
        assert trader.heard.lost() == 0

    def test_every_context_of_every_account_is_told_each_of_several(self, floor: Floor) -> None:
        keys = floor.keys()
        traders = [floor.trader(keys, settings=QUICK), floor.trader(keys, settings=QUICK)]
        traders.append(floor.trader(settings=QUICK))
        order = traders[0].opened(traders[0].cmd.limit_order(floor.contract, 1, 100))
        floor.exchange.restart()
        floor.exchange.restart()
        for trader in traders:
            trader.heard.wait_for(lambda heard=trader.heard: len(heard.run_changes) == 2, "two", DEADLINE_S)
            assert trader.heard.run_changes == [(2, 1), (3, 2)]
        finished(order)

    def test_a_first_contact_is_told_of_none_and_a_replay_shows_it(self, floor: Floor) -> None:
        keys = floor.keys()
        floor.trader(keys)
        floor.exchange.restart()
        late = floor.trader(keys)
        assert late.context.run_id == 2
        finished(late.cmd.get_positions())
        assert late.heard.run_changes == []
        replay = finished(late.cmd.replay(from_sequence=1))
        assert late.heard.run_changes == [(2, 1)]
        assert [type(answer) for answer in replay.answers[1:-1]] == [api.MessageRunChange]


class TestWhatTheProgramIsTold:
    def test_the_exchange_is_offline_once_and_online_once(self, floor: Floor) -> None:
        trader = floor.trader(settings=QUICK)
        floor.exchange.stop()
        trader.heard.wait_calls(1, "exchange_offline")
        floor.exchange.start()
        trader.heard.wait_calls(2, "connected")
        events = ("connected", "disconnected", "exchange_offline", "exchange_online")
        told = [call.name for call in trader.heard.named(*events)]
        assert told == ["connected", "disconnected", "exchange_offline", "exchange_online", "connected"]

    def test_a_wiped_venue_is_noticed_and_traded_on(self, floor: Floor) -> None:
        trader = floor.trader(settings=QUICK)
        old = [trader.opened(trader.cmd.limit_order(floor.contract, 1, 100)) for _ in range(3)]
        exchange = floor.exchange
        exchange.stop()
        shutil.rmtree(exchange.data_dir / "journal")
        exchange.start()
        floor.register(trader.keys)
        trader.heard.wait_calls(2, "connected")
        assert "its data is another" in str(trader.heard.wait_calls(1, "error")[-1].msg)
        new = trader.opened(trader.cmd.limit_order(floor.contract, 1, 100))
        assert open_mids(trader) == [new.mid]
        assert [item.state for item in old] == [State.OPEN] * 3
        assert trader.heard.sequences[-3:] == [1, 2, 3]
        floor.exchange.restart()
        finished(new)
        trader.heard.wait_calls(1, "run_change")
        assert trader.heard.run_changes == [(2, 1)]


def test_a_venue_that_hangs_is_given_up_and_taken_up_again() -> None:
    with VenueProcess(arguments=("--interval-ms", "200")) as venue:
        keys = venue.trader("alice")
        assert keys.private is not None
        heard = Listener()
        quick = Context.with_settings(QUICK)
        context = quick(venue.address, keys.private, keys.public, venue.public_key, heard)
        context.start()
        try:
            context.wait_connected(DEADLINE_S)
            os.kill(venue.pid, signal.SIGSTOP)
            heard.wait_calls(1, "exchange_offline")
            order = Commands(context).limit_order(1, 1, 100)
            assert order.outcome_unknown
            heard.wait_calls(1, "disconnected")
            os.kill(venue.pid, signal.SIGCONT)
            assert order.wait(State.OPEN, DEADLINE_S)
            answer = finished(Commands(context).get_open_orders())
            assert [report.request_mid for report in answer.answers[1:-1]] == [order.mid]
            assert heard.lost() == 0
        finally:
            close([context])
