"""Traders on a venue in this process: contexts over real sockets, and all that their handlers were told."""

from __future__ import annotations

import contextlib
import itertools
import threading
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from ledgerx.api.client import v0_0_1 as api
from ledgerx.clock import SYSTEM_CLOCK
from ledgerx.errors import Error
from ledgerx.exchange import Exchange
from ledgerx.protocol.crypto import KeyPair
from ledgerx.sdk.commands.v0_0_1 import Commands
from ledgerx.sdk.context import Context
from ledgerx.sdk.items import RequestItem
from ledgerx.sdk.states import State
from ledgerx.testing.recorder import Recorder

DEADLINE_S = 30.0
TICK = 5
CONTRACTS = 60
RESERVED = 12  # contracts 1 to 12 are for tests that name their contract


def contract_details() -> list[api.MessageContractDetail]:
    """Enough contracts that each test has its own: one account's orders never meet another test's."""
    return [
        api.MessageContractDetail(
            contract_id=number,
            label=f"BTC Future {number}",
            underlying="BTC",
            tick_in_cents=TICK,
            multiplier=10_000,
            min_size=1,
            max_size=1000,
            min_price_in_cents=TICK,
            max_price_in_cents=100_000,
        )
        for number in range(1, CONTRACTS + 1)
    ]


class Call(NamedTuple):
    """One call of a handler or a callback: its name without `handle_`, and its arguments."""

    name: str
    msg: Any = None
    previous: Any = None

    def __str__(self) -> str:
        status = getattr(self.msg, "status", 0) or getattr(self.msg, "status_type", 0)
        return f"{self.name} {status}" if status else self.name


class Listener(Recorder):
    """A Recorder that also keeps the calls themselves, in order; heartbeats and book tops it only counts."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[Call] = []

    def callback(self, msg: Any, prev_msg: Any) -> None:
        """A callback to set on items."""
        self._keep("callback", msg, prev_msg)

    def of(self, item: RequestItem) -> list[Call]:
        """The calls whose message has the item's mid."""
        return [call for call in self.calls if getattr(call.msg, "mid", "") == item.mid]

    def named(self, *names: str) -> list[Call]:
        """The calls of some handlers."""
        return [call for call in self.calls if call.name in names]

    def wait_calls(self, count: int, *names: str) -> list[Call]:
        """Wait until there were so many calls of these handlers; returns them."""
        self.wait_for(lambda: len(self.named(*names)) >= count, f"{count} calls of {names}", DEADLINE_S)
        return self.named(*names)

    def wait_reports(self, item: RequestItem, count: int) -> list[Any]:
        """Wait for so many action reports of an order; returns them."""
        self.wait_for(lambda: len(self.reports.get(item.mid, ())) >= count, f"{count} reports", DEADLINE_S)
        return self.reports[item.mid]

    def _keep(self, name: str, msg: Any = None, previous: Any = None) -> None:
        with self.changed:
            self.calls.append(Call(name, msg, previous))
            self.changed.notify_all()

    def handle_run_change(self, run_id: int, prev_run_id: int) -> None:
        self._keep("run_change", run_id, prev_run_id)
        super().handle_run_change(run_id, prev_run_id)

    def handle_action_report(self, msg: Any, prev_msg: Any) -> None:
        self._keep("action_report", msg, prev_msg)
        super().handle_action_report(msg, prev_msg)

    def handle_contract_detail(self, msg: Any, prev_msg: Any) -> None:
        self._keep("contract_detail", msg, prev_msg)
        super().handle_contract_detail(msg, prev_msg)

    def handle_status_message(self, msg: Any, prev_msg: Any) -> None:
        self._keep("status_message", msg, prev_msg)
        super().handle_status_message(msg, prev_msg)

    def handle_batch_message(self, msg: Any, prev_msg: Any) -> None:
        self._keep("batch_message", msg, prev_msg)
        super().handle_batch_message(msg, prev_msg)

    def handle_book_state_snapshot(self, msg: Any, prev_msg: Any) -> None:
        self._keep("book_state_snapshot", msg, prev_msg)
        super().handle_book_state_snapshot(msg, prev_msg)

    def handle_position(self, msg: Any, prev_msg: Any) -> None:
        self._keep("position", msg, prev_msg)

    def handle_trade(self, msg: Any, prev_msg: Any) -> None:
        self._keep("trade", msg, prev_msg)

    def handle_book_update(self, msg: Any, prev_msg: Any) -> None:
        self._keep("book_update", msg, prev_msg)

    def handle_connected(self) -> None:
        self._keep("connected")

    def handle_disconnected(self, reason: Error) -> None:
        self._keep("disconnected", reason)

    def handle_handshake_failed(self, reason: Error) -> None:
        self._keep("handshake_failed", reason)

    def handle_exchange_offline(self) -> None:
        self._keep("exchange_offline")

    def handle_exchange_online(self) -> None:
        self._keep("exchange_online")

    def handle_error(self, error: Exception) -> None:
        self._keep("error", error)
        super().handle_error(error)


class Trader:
    """One context of one account, its commands, and what it heard."""

    def __init__(self, exchange: Exchange, keys: KeyPair, heard: Listener, **options: Any) -> None:
        self.keys = keys
        self.heard = heard
        address = f"127.0.0.1:{options.pop('request_port', None) or exchange.request_port}"
        server_key = options.pop("server_key", None) or exchange.public_key
        assert keys.private is not None
        settings, clock = options.pop("settings", None), options.pop("clock", SYSTEM_CLOCK)
        kind = Context.with_settings(settings, clock)
        self.context = kind(address, keys.private, keys.public, server_key, heard, **options)
        self.cmd = Commands(self.context)

    def calls(self, item: RequestItem) -> list[str]:
        """The calls about an item, as short text."""
        return [str(call) for call in self.heard.of(item)]

    def opened(self, item: RequestItem) -> RequestItem:
        """Wait until an order stands and its first report was dispatched; returns it."""
        assert item.wait(State.OPEN, DEADLINE_S), item
        self.heard.wait_reports(item, 1)
        return item

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait for something that a dispatched message brings about."""
        assert self.context.wait_until(condition, DEADLINE_S)


class Floor:
    """Makes traders with accounts of their own and stops them all in the end."""

    numbers = itertools.count(1)

    def __init__(self, exchange: Exchange, stack: contextlib.ExitStack, contract: int = 0) -> None:
        self.exchange = exchange
        self.contract = contract
        self._stack = stack

    def keys(self, *, registered: bool = True) -> KeyPair:
        """A new pair, with an account unless told otherwise."""
        keys = KeyPair.generate()
        if registered:
            self.register(keys)
        return keys

    def register(self, keys: KeyPair) -> None:
        """An account for a pair."""
        self.exchange.add_account(f"trader {next(Floor.numbers)}", keys.public)

    def trader(self, keys: KeyPair | None = None, *, connect: bool = True, **options: Any) -> Trader:
        """A started context, connected unless told otherwise; `heard` is its processor if given."""
        heard = options.pop("heard", None) or Listener()
        trader = Trader(self.exchange, keys or self.keys(), heard, **options)
        self._stack.callback(close, [trader.context])
        trader.context.start()
        if connect:
            trader.context.wait_connected(DEADLINE_S)
        return trader

    def blocker(self) -> Blocker:
        """A Blocker that lets go at the end of the test at the latest."""
        blocker = Blocker()
        self._stack.callback(blocker.release.set)
        return blocker

    def order(self, **fields: Any) -> api.MessageLimitOrder:
        """An order of one lot at 100 cents in this test's contract."""
        return api.MessageLimitOrder(
            **{"contract_id": self.contract, "size": 1, "price_in_cents": 100, **fields}
        )


def finished(item: RequestItem) -> RequestItem:
    """Wait until a request is done; returns it."""
    assert item.wait(timeout=DEADLINE_S), item
    return item


def close(contexts: Iterable[Context]) -> None:
    """Stop contexts and wait for their ends."""
    for context in contexts:
        context.stop()
    for context in contexts:
        context.join(DEADLINE_S)
        assert not context.is_alive()


class Blocker:
    """A handler body that waits until the test lets it go, and says when it is there."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.release = threading.Event()

    def __call__(self) -> None:
        self.entered.set()
        assert self.release.wait(DEADLINE_S)

    def once(self) -> None:
        """Wait at the first call only."""
        if not self.entered.is_set():
            self()
