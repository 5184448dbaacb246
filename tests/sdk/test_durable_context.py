"""Contexts with a durable store, on real sockets: what a program that was stopped or killed finds again."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from trading_floor import DEADLINE_S, Floor, Listener, Trader, close, finished

from ledgerx.api.client import v0_0_1 as api
from ledgerx.errors import (
    InvalidField,
    InvalidState,
    StoreBusy,
    StoreLocked,
    StoreMismatch,
    StoreWriteFailed,
)
from ledgerx.protocol.crypto import KeyPair
from ledgerx.sdk.context_settings import ContextSettings
from ledgerx.sdk.items import RequestItem
from ledgerx.sdk.states import State
from ledgerx.sdk.store import MessageIDStore

QUICK = ContextSettings(ack_timeout_s=0.05, resend_min_s=0.02, resend_max_s=0.05, heartbeat_grace_ms=300)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


def rows(path: Path, query: str) -> list[Any]:
    """What another program reads in a store's file."""
    connection = sqlite3.connect(path)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


class Ledger(Listener):
    """Writes every report of an order into a table of its own, in the message's transaction."""

    def __init__(self, then: Callable[[Any], None] = lambda msg: None) -> None:
        super().__init__()
        self.then = then

    def handle_action_report(self, msg: Any, prev_msg: Any) -> None:
        assert self.context is not None
        with self.context.store.transaction() as db:
            db.execute("CREATE TABLE IF NOT EXISTS reports (sequence, size)")
            db.execute("INSERT INTO reports VALUES (?, ?)", (msg.account_sequence, msg.size))
            self.then(msg)
        super().handle_action_report(msg, prev_msg)


class TestRestart:
    def test_an_open_order_is_tracked_again_and_its_reports_follow_the_last_one(
        self, floor: Floor, path: Path
    ) -> None:
        keys = floor.keys()
        trader = floor.trader(keys, store=MessageIDStore(path))
        order = trader.opened(trader.cmd.limit_order(floor.contract, 2, 100))
        close([trader.context])
        other = floor.trader(keys)
        finished(other.cmd.cancel_order(floor.contract, order.mid))

        store = MessageIDStore(path)
        again: Any = store[order.mid]
        assert (again.state, again.msg, again.last_report.size) == (State.OPEN, order.msg, 2)
        calls: list[Any] = []
        again.callback = lambda msg, prev_msg: calls.append((msg, prev_msg))
        trader = floor.trader(keys, store=store)
        finished(again)
        ((canceled, previous),) = calls
        assert (canceled.size, canceled.canceled_size) == (0, 2)
        assert previous.status_type == api.MessageActionReport.STATUS_INSERTED
        assert trader.heard.lost() == 0
        assert trader.heard.sequences[0] == 4  # after ACK, status and report
        assert order.mid not in store
        assert rows(path, "SELECT count(*) FROM ledgerx_requests") == [(0,)]

    def test_what_came_meanwhile_is_dispatched_once_without_the_flag_after_an_orderly_end(
        self, floor: Floor, path: Path
    ) -> None:
        keys = floor.keys()
        flags: list[bool] = []

        class Flags(Listener):
            def handle_status_message(self, msg: Any, prev_msg: Any) -> None:
                flags.append(self.context.redelivered)  # type: ignore[union-attr]
                super().handle_status_message(msg, prev_msg)

        trader = floor.trader(keys, store=MessageIDStore(path))
        trader.opened(trader.cmd.limit_order(floor.contract, 1, 100))
        close([trader.context])
        other = floor.trader(keys)
        other.opened(other.cmd.limit_order(floor.contract, 1, 100))
        trader = floor.trader(keys, store=MessageIDStore(path), heard=Flags())
        trader.heard.wait_for(lambda: len(trader.heard.sequences) == 3, "the other's three", DEADLINE_S)
        assert trader.heard.sequences == [4, 5, 6]
        assert set(flags) == {False}
        assert not trader.context.redelivered

    def test_a_request_made_without_an_exchange_is_sent_by_the_next_process(
        self, floor: Floor, path: Path
    ) -> None:
        keys = floor.keys()
        first = floor.trader(keys, store=MessageIDStore(path), settings=QUICK)  # takes the baseline
        close([first.context])
        exchange = floor.exchange
        where = {"request_port": exchange.request_port, "server_key": exchange.public_key}
        exchange.stop()
        trader = floor.trader(keys, store=MessageIDStore(path), settings=QUICK, connect=False, **where)
        items = [
            trader.cmd.limit_order(floor.contract, 1, 100 + 5 * number, wait=False) for number in range(3)
        ]
        batch, members = trader.cmd.batch([floor.order(size=2), floor.order(size=3)], wait=False)
        close([trader.context])
        exchange.start()
        store = MessageIDStore(path)
        assert list(store) == [item.mid for item in (*items, batch, *members)]
        trader = floor.trader(keys, store=store, settings=QUICK)
        mids = [item.mid for item in (*items, *members)]
        trader.heard.wait_for(lambda: set(mids) <= set(trader.heard.reports), "all five rest", DEADLINE_S)
        assert list(trader.heard.reports) == mids
        assert trader.heard.lost() == 0


class TestTransactions:
    def test_what_a_handler_writes_is_committed_with_its_message(self, floor: Floor, path: Path) -> None:
        trader = floor.trader(store=MessageIDStore(path), heard=Ledger())
        order = trader.opened(trader.cmd.limit_order(floor.contract, 2, 100))
        finished(trader.cmd.cancel_order(floor.contract, order.mid))
        finished(order)
        assert rows(path, "SELECT * FROM reports") == [(3, 2), (5, 0)]
        assert rows(path, "SELECT next FROM ledgerx_line") == [(7,)]

    def test_a_block_that_raises_is_undone_alone_and_the_next_message_follows(
        self, floor: Floor, path: Path
    ) -> None:
        def stumble(msg: Any) -> None:
            if msg.size:
                raise ValueError("the first report")

        trader = floor.trader(store=MessageIDStore(path), heard=Ledger(stumble))
        order = trader.cmd.limit_order(floor.contract, 2, 100)
        finished(trader.cmd.cancel_order(floor.contract, order.mid))
        finished(order)
        assert rows(path, "SELECT * FROM reports") == [(5, 0)]
        assert [str(error) for error in trader.heard.errors] == ["the first report"]

    def test_a_request_in_a_transaction_leaves_once_it_is_committed(self, floor: Floor, path: Path) -> None:
        blocker, made = floor.blocker(), []

        def reply(msg: Any) -> None:
            if not made:
                made.append(trader.cmd.limit_order(floor.contract, 1, 95))
                blocker()

        trader = floor.trader(store=MessageIDStore(path), heard=Ledger(reply))
        trader.cmd.limit_order(floor.contract, 2, 100)
        assert blocker.entered.wait(DEADLINE_S)
        (reaction,) = made
        other = floor.trader(trader.keys)
        assert len(finished(other.cmd.get_open_orders()).answers) == 3  # ACK, one order, status
        assert reaction.state is State.SENT
        assert rows(path, "SELECT count(*) FROM ledgerx_requests WHERE state < 3") == [(0,)]
        blocker.release.set()
        trader.opened(reaction)

    def test_requests_of_other_threads_wait_for_it_and_heartbeats_do_not(
        self, floor: Floor, path: Path
    ) -> None:
        blocker = floor.blocker()
        heard = Ledger(lambda msg: blocker.once())
        trader = floor.trader(store=MessageIDStore(path), heard=heard, settings=QUICK)
        trader.cmd.limit_order(floor.contract, 2, 100)
        assert blocker.entered.wait(DEADLINE_S)
        with pytest.raises(StoreBusy, match=str(path)):
            trader.cmd.limit_order(floor.contract, 1, 95)
        trader.cmd.get_positions(wait=False)  # a question is not stored: it need not wait
        assert trader.context.connected
        blocker.release.set()
        trader.opened(trader.cmd.limit_order(floor.contract, 1, 90))
        assert trader.heard.counts["disconnected"] == 0

    def test_it_is_for_handlers_alone_and_for_statements_that_leave_it_open(
        self, floor: Floor, path: Path
    ) -> None:
        caught: list[Any] = []

        class Tries(Ledger):
            def handle_status_message(self, msg: Any, prev_msg: Any) -> None:
                with self.context.store.transaction() as db:  # type: ignore[union-attr]
                    db.executemany("INSERT INTO notes VALUES (?)", [(1,), (2,)])
                    for sql in ("COMMIT", "rollback;", "ATTACH 'x' AS y"):
                        try:
                            db.execute(sql)
                        except InvalidField as error:
                            caught.append(error.value)

        store = MessageIDStore(path)
        with pytest.raises(InvalidState, match="handlers"), store.transaction():
            pass
        with pytest.raises(InvalidState, match="in memory"):
            MessageIDStore().transaction()
        with contextlib.closing(sqlite3.connect(path)) as setup, setup:
            setup.execute("CREATE TABLE notes (number)")
        trader = floor.trader(store=store, heard=Tries())
        with pytest.raises(InvalidState, match="dispatch thread"), store.transaction():
            pass
        finished(trader.cmd.cancel_all())
        close([trader.context])
        assert caught == ["COMMIT", "rollback;", "ATTACH 'x' AS y"] * 2
        assert rows(path, "SELECT sum(number) FROM notes") == [(6,)]


class TestWhoMayUseIt:
    def test_one_context_at_a_time_and_the_next_goes_on(self, floor: Floor, path: Path) -> None:
        keys = floor.keys()
        store = MessageIDStore(path)
        trader = floor.trader(keys, store=store)
        order = trader.opened(trader.cmd.limit_order(floor.contract, 1, 100))
        second = Trader(floor.exchange, keys, Listener(), store=store)
        with pytest.raises(InvalidState, match="another Context's"):
            second.context.start()
        with pytest.raises(StoreLocked, match=str(path)):
            MessageIDStore(path)
        with pytest.raises(InvalidState, match="stop it"):
            store.close()
        close([trader.context])
        second.context.start()
        second.context.wait_connected(DEADLINE_S)
        (again,) = [item for item in store.values() if isinstance(item, RequestItem)]
        assert again.mid == order.mid
        finished(second.cmd.cancel_order(floor.contract, again.mid))
        close([second.context])

    def test_not_another_account_and_not_another_exchange(self, floor: Floor, path: Path) -> None:
        trader = floor.trader(store=MessageIDStore(path))
        close([trader.context])
        other = Trader(floor.exchange, floor.keys(), Listener(), store=MessageIDStore(path))
        with pytest.raises(StoreMismatch, match=f"{path} is of account"):
            other.context.start()
        other.context.store.close()
        elsewhere = KeyPair.generate().public
        strange = Trader(
            floor.exchange, trader.keys, Listener(), store=MessageIDStore(path), server_key=elsewhere
        )
        with pytest.raises(StoreMismatch, match="is of exchange"):
            strange.context.start()
        strange.context.store.close()


class TestFullDisk:
    def test_a_request_is_refused_before_it_leaves_and_the_context_lives(
        self, floor: Floor, path: Path
    ) -> None:
        blocker = floor.blocker()

        class Blocked(Listener):
            def handle_status_message(self, msg: Any, prev_msg: Any) -> None:
                blocker.once()
                super().handle_status_message(msg, prev_msg)

        trader = floor.trader(store=MessageIDStore(path, file_bytes_max=60 * 1024), heard=Blocked())
        unknown = api.MessageCancelOrder(contract_id=floor.contract, entry_id="f" * 32)
        sent: list[RequestItem] = []

        def fill() -> None:
            while True:
                sent.extend(trader.cmd.batch([unknown] * 50, wait=False)[1])

        with pytest.raises(StoreWriteFailed, match=str(path)):
            fill()
        assert len(sent) == len(trader.context.store) * 50 // 51
        blocker.release.set()
        for item in sent:
            assert item.wait(State.FAILED, DEADLINE_S)
        trader.opened(trader.cmd.limit_order(floor.contract, 1, 100))
        refusals = trader.heard.named("status_message")
        assert sum(call.msg.status >= 600 for call in refusals) == len(sent)
        assert trader.heard.lost() == 0

    def test_a_handler_that_cannot_be_committed_ends_the_context_loudly(
        self, floor: Floor, path: Path
    ) -> None:
        keys = floor.keys()

        class Greedy(Ledger):
            def handle_action_report(self, msg: Any, prev_msg: Any) -> None:
                transaction = self.context.store.transaction()  # type: ignore[union-attr]
                with contextlib.suppress(sqlite3.OperationalError), transaction as db:
                    db.execute("CREATE TABLE IF NOT EXISTS big (filler)")
                    db.execute("INSERT INTO big VALUES (zeroblob(100000))")
                Listener.handle_action_report(self, msg, prev_msg)

        trader = floor.trader(keys, store=MessageIDStore(path, file_bytes_max=60 * 1024), heard=Greedy())
        order = trader.cmd.limit_order(floor.contract, 2, 100)
        trader.context.join(DEADLINE_S)
        assert not trader.context.is_alive()
        assert [type(error) for error in trader.heard.errors] == [StoreWriteFailed]
        with pytest.raises(InvalidState, match="store failed"):
            trader.cmd.cancel_all()
        again = floor.trader(keys, store=MessageIDStore(path), heard=Ledger())
        again.heard.wait_reports(order, 1)
        assert again.heard.sequences[0] == 3
        assert order.mid in again.context.store
