"""A Context behaves like a Thread, and ends as one should: at once, from anywhere, twice."""

from __future__ import annotations

import errno
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from trading_floor import DEADLINE_S, Floor, Listener
from zmq.utils import z85

from ledgerx.clock import SystemClock
from ledgerx.errors import IncompleteProcessor, InvalidField, InvalidKey, InvalidState, OutcomeUnknown
from ledgerx.protocol.crypto import KeyPair
from ledgerx.sdk import settings
from ledgerx.sdk.commands import get_cmd_version
from ledgerx.sdk.commands.v0_0_1 import Commands
from ledgerx.sdk.context import Context
from ledgerx.sdk.context_settings import ContextSettings
from ledgerx.sdk.processor import MessageProcessor
from ledgerx.sdk.states import State
from ledgerx.sdk.store import MessageIDStore
from ledgerx.testing.recorder import Recorder

NOWHERE = "127.0.0.1:9"  # the discard port: nothing listens there
KEYS = KeyPair.generate()


def idle_context(
    processor: Any = Recorder, settings: ContextSettings | None = None, **options: Any
) -> Context:
    assert KEYS.private is not None
    kind = Context.with_settings(settings)
    return kind(NOWHERE, KEYS.private, KEYS.public, KEYS.public, processor, **options)


@pytest.fixture
def context() -> Iterator[Context]:
    """A context without a venue, ended after the test if it was started."""
    made = idle_context()
    yield made
    made.stop()
    if made.is_alive():
        made.join(DEADLINE_S)


class TestLikeAThread:
    def test_it_is_started_once(self, context: Context) -> None:
        context.start()
        with pytest.raises(InvalidState, match="once") as caught:
            context.start()
        assert isinstance(caught.value, RuntimeError)

    def test_it_cannot_be_joined_before_its_start(self, context: Context) -> None:
        with pytest.raises(InvalidState, match="before it is started"):
            context.join()

    def test_it_is_alive_from_start_to_stop(self, context: Context) -> None:
        assert not context.is_alive()
        context.start()
        assert context.is_alive()
        context.stop()
        context.join(DEADLINE_S)
        assert not context.is_alive()

    def test_join_with_a_timeout_waits_and_does_not_stop(self, context: Context) -> None:
        context.start()
        context.join(0.01)
        assert context.is_alive()

    def test_it_cannot_be_started_again_nor_after_a_stop(self, context: Context) -> None:
        context.stop()
        with pytest.raises(InvalidState, match="stop"):
            context.start()

    def test_stopping_twice_and_after_the_end_is_fine(self, context: Context) -> None:
        context.start()
        context.stop()
        context.stop()
        context.join(DEADLINE_S)
        context.stop()
        context.join(DEADLINE_S)

    def test_its_threads_are_daemons(self, context: Context) -> None:
        before = set(threading.enumerate())
        context.start()
        started = set(threading.enumerate()) - before
        assert {thread.name for thread in started} == {"ledgerx-io", "ledgerx-dispatch"}
        assert all(thread.daemon for thread in started)

    def test_it_says_where_it_leads_and_how_it_is_and_shows_no_key(self, context: Context) -> None:
        assert repr(context) == "<Context 127.0.0.1:9 not started>"
        context.start()
        assert repr(context) == "<Context 127.0.0.1:9 running>"
        context.stop()
        context.join(DEADLINE_S)
        assert repr(context) == "<Context 127.0.0.1:9 stopped>"

    def test_it_is_a_context_manager(self, floor: Floor) -> None:
        keys = floor.keys()
        assert keys.private is not None
        address = f"127.0.0.1:{floor.exchange.request_port}"
        with Context(address, keys.private, keys.public, floor.exchange.public_key, Recorder) as context:
            context.wait_connected(DEADLINE_S)
            assert context.connected
        assert not context.is_alive()
        assert not context.connected

    def test_several_contexts_live_side_by_side(self, floor: Floor) -> None:
        traders = [floor.trader() for _ in range(3)]
        for trader in traders:
            assert trader.cmd.get_positions().wait(timeout=DEADLINE_S)


class TestStoppedFromWithin:
    def test_a_handler_may_stop_it_and_not_join_it(self, floor: Floor) -> None:
        errors: list[Exception] = []

        class Stopper(Listener):
            def handle_connected(self) -> None:
                assert self.context is not None
                try:
                    self.context.join()
                except InvalidState as error:
                    errors.append(error)
                self.context.stop()

        trader = floor.trader(heard=Stopper(), connect=False)
        trader.context.join(DEADLINE_S)
        assert not trader.context.is_alive()
        assert "from one of its handlers" in str(errors[0])

    def test_a_with_block_may_be_left_on_the_dispatch_thread(self, floor: Floor) -> None:
        class Leaver(Listener):
            def handle_connected(self) -> None:
                assert self.context is not None
                self.context.__exit__(None, None, None)

        trader = floor.trader(heard=Leaver(), connect=False)
        trader.context.join(DEADLINE_S)
        assert not trader.context.is_alive()

    def test_a_blocked_handler_does_not_keep_the_io_thread_from_ending(self, floor: Floor) -> None:
        block = floor.blocker()

        class Blocked(Listener):
            def handle_connected(self) -> None:
                block()

        trader = floor.trader(heard=Blocked())
        assert block.entered.wait(DEADLINE_S)
        trader.context.stop()
        trader.context.join(0.5)  # the dispatch thread is still in the handler
        assert not trader.context.is_alive()
        block.release.set()

    def test_what_waits_for_it_is_woken_by_its_end(self, floor: Floor) -> None:
        trader = floor.trader()
        item = trader.cmd.limit_order(floor.contract, 1, 100)
        book = trader.context.book(floor.contract)
        book.wait_synchronised(DEADLINE_S)
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(item.wait, State.DONE, None)
            trader.context.stop()
            assert waiting.result(DEADLINE_S) is False
        trader.context.join(DEADLINE_S)
        assert not book.synchronised
        with pytest.raises(InvalidState, match="has ended"):
            book.wait_synchronised()
        with pytest.raises(InvalidState, match="has ended"):
            trader.context.book(floor.contract)
        for use in (lambda: trader.cmd.get_positions(), trader.context.wait_connected, trader.cmd.batch):
            with pytest.raises(InvalidState, match="stopped"):
                use()

    def test_a_venue_that_is_away_does_not_hold_up_the_end_for_long_and_what_was_not_sent_is_told(
        self,
    ) -> None:
        heard = Listener()
        context = idle_context(heard, settings=ContextSettings(close_timeout_s=0.05))
        context.start()
        Commands(context).limit_order(1, 1, 100, wait=False)
        context.stop()
        context.join(DEADLINE_S)
        assert not context.is_alive()
        assert isinstance(heard.errors[-1], OutcomeUnknown)
        assert "1 unacknowledged request" in str(heard.errors[-1])


class TestProcessor:
    def test_an_incomplete_class_is_accepted_and_start_names_what_it_lacks(self) -> None:
        class Empty(MessageProcessor):
            pass

        context = idle_context(Empty)
        with pytest.raises(IncompleteProcessor) as caught:
            context.start()
        assert isinstance(caught.value, TypeError)
        missing = ("run_change", "action_report", "contract_detail", "status_message", "batch_message")
        for name in (*missing, "book_top", "book_state_snapshot", "heartbeat"):
            assert f"handle_{name}" in str(caught.value)
        assert "handle_trade" not in str(caught.value)
        assert not context.is_alive()

    def test_a_class_is_made_once_at_the_start(self) -> None:
        made: list[Recorder] = []

        class Counted(Recorder):
            def __init__(self) -> None:
                super().__init__()
                made.append(self)

        with idle_context(Counted) as context:
            assert len(made) == 1
            with pytest.raises(InvalidState):
                context.start()
            assert len(made) == 1
            assert made[0].context is context

    def test_an_instance_is_used_as_it_is(self) -> None:
        heard = Recorder()
        with idle_context(heard) as context:
            assert heard.context is context

    @pytest.mark.parametrize(
        "wrong", [None, 2j, dict, Recorder.handle_heartbeat], ids=["None", "2j", "dict", "method"]
    )
    def test_anything_else_is_refused_by_name(self, wrong: Any) -> None:
        with pytest.raises(InvalidField, match="processor must be a MessageProcessor") as caught:
            idle_context(wrong)
        assert caught.value.field == "processor"


class TestUse:
    def test_it_is_used_from_many_threads_at_once(self, floor: Floor) -> None:
        trader = floor.trader()

        def place(price: int) -> list[Any]:
            return [trader.cmd.limit_order(floor.contract, 1, price) for _ in range(25)]

        with ThreadPoolExecutor(8) as pool:
            items = [item for placed in pool.map(place, range(5, 45, 5)) for item in placed]
        assert all(item.wait(State.OPEN, DEADLINE_S) for item in items)
        assert len({item.mid for item in items}) == 200
        assert trader.heard.lost() == 0

    def test_before_the_start_nothing_can_be_sent(self) -> None:
        with pytest.raises(InvalidState, match="not started"):
            Commands(idle_context()).get_positions()

    def test_a_request_made_before_the_greeting_is_sent_with_it(self, floor: Floor) -> None:
        trader = floor.trader(connect=False)
        item = trader.cmd.limit_order(floor.contract, 1, 100, wait=False)
        assert item.wait(State.OPEN, DEADLINE_S)

    def test_a_store_of_ones_own_holds_the_requests_in_progress(self, floor: Floor) -> None:
        store = MessageIDStore()
        trader = floor.trader(store=store)
        item = trader.cmd.limit_order(floor.contract, 1, 100)
        assert store[item.mid] is item
        assert trader.cmd.cancel_order(floor.contract, item.mid).wait(timeout=DEADLINE_S)
        assert item.mid not in store

    def test_commands_come_by_version(self, floor: Floor) -> None:
        trader = floor.trader()
        module = get_cmd_version("0.0.1")
        assert module is not None
        assert module.Commands(trader.context).get_positions().wait(timeout=DEADLINE_S)
        assert get_cmd_version("9.9.9") is None

    def test_the_runs_id_is_known_after_the_greeting(self, floor: Floor) -> None:
        trader = floor.trader(connect=False)
        trader.context.wait_connected(DEADLINE_S)
        assert trader.context.run_id == 1

    def test_its_numbers_are_those_of_the_settings_unless_given(self) -> None:
        given = ContextSettings(ack_timeout_s=0.5, window_messages=7)
        assert given.connect_timeout_s == settings.CONNECT_TIMEOUT_S
        assert given.tracker.window_messages == 7
        assert given.tracker.link.grace_s == settings.HEARTBEAT_GRACE_MS / 1000
        assert given.tracker.resend.resend_max_s == settings.RESEND_MAX_S
        assert idle_context(settings=given).settings is given
        assert idle_context().settings == ContextSettings()


class TestKeys:
    @pytest.mark.parametrize("which", [0, 1, 2], ids=["private", "public", "server"])
    @pytest.mark.parametrize(
        "wrong",
        [None, 7, b"", b"short", "x" * 41, b"\xff" * 40, ["a"] * 40],
        ids=lambda value: repr(value)[:12],
    )
    def test_a_key_of_wrong_type_or_length_is_refused_by_the_constructor(
        self, which: int, wrong: Any
    ) -> None:
        keys: list[Any] = [KEYS.private, KEYS.public, KEYS.public]
        keys[which] = wrong
        with pytest.raises(InvalidKey, match=["private key", "public key", "server public key"][which]):
            Context(NOWHERE, *keys, Recorder)

    def test_keys_that_are_no_pair_are_refused(self) -> None:
        with pytest.raises(InvalidKey, match="does not belong"):
            Context(NOWHERE, KEYS.private or b"", KeyPair.generate().public, KEYS.public, Recorder)

    def test_raw_keys_are_as_good(self, floor: Floor) -> None:
        keys = floor.keys()
        raw = [z85.decode(key) for key in (keys.private, keys.public, floor.exchange.public_key)]
        with Context(f"127.0.0.1:{floor.exchange.request_port}", *raw, Recorder) as context:
            context.wait_connected(DEADLINE_S)


class TestFailureInside:
    def test_an_error_of_the_io_thread_is_reported_and_ends_the_context(self, floor: Floor) -> None:
        class Stops(SystemClock):
            """A clock that breaks when it is told to."""

            broken = False

            def monotonic(self) -> float:
                if self.broken:
                    raise OSError(errno.EIO, "the clock is broken")
                return super().monotonic()

        clock = Stops()
        trader = floor.trader(clock=clock)
        clock.broken = True
        trader.heard.wait_for(lambda: bool(trader.heard.errors), "the error was reported", DEADLINE_S)
        assert "the clock is broken" in str(trader.heard.errors[0])
        clock.broken = False
        trader.context.join(DEADLINE_S)
        assert not trader.context.is_alive()
        with pytest.raises(InvalidState):
            trader.cmd.get_positions()
