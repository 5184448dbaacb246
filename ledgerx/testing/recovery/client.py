"""One trading program with a durable store, to be killed: `python -m ledgerx.testing.recovery.client ...`.

It keeps two accounts of what its handlers were told: lines in `told.log`, each written before anything else
is done about a message and outside any transaction, and, if its number is even, rows in the store's own file
in the transaction of the message. `sent.log` has the mids of the requests whose submission returned.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from ledgerx.api.client import v0_0_1 as api
from ledgerx.clock import seeded_random
from ledgerx.errors import QueueFull, Retryable
from ledgerx.protocol.crypto import KeyPair
from ledgerx.sdk.commands.v0_0_1 import Commands
from ledgerx.sdk.context import Context
from ledgerx.sdk.items import RequestItem
from ledgerx.sdk.processor import MessageProcessor
from ledgerx.sdk.states import State
from ledgerx.sdk.store import MessageIDStore
from ledgerx.testing.checks import check
from ledgerx.testing.traders_check import fingerprint

__all__ = ["Program", "Trader"]

_TIMEOUT_S = 60.0
_IN_FLIGHT_MAX = 60
_RESTING_MAX = 150
_CONTRACTS = 3

_TABLES = (
    "CREATE TABLE IF NOT EXISTS told (sequence INTEGER PRIMARY KEY, print INTEGER, redelivered INTEGER)",
    "CREATE TABLE IF NOT EXISTS net (contract_id INTEGER PRIMARY KEY, size INTEGER)",
    "CREATE TABLE IF NOT EXISTS reactions (sequence INTEGER PRIMARY KEY, mid TEXT)",
)


class _Lines:
    """A file to which whole lines are added, each there for good when the call returns."""

    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def add(self, line: str) -> None:
        os.write(self._fd, line.encode() + b"\n")


class Program(MessageProcessor):
    """Writes down what it is told; cancels some of its orders as a reaction to their first report."""

    def __init__(self, folder: Path, *, transactions: bool) -> None:
        self.commands: Commands | None = None
        self._transactions = transactions
        self._told = _Lines(folder / "told.log")
        self._ready = False

    def _tell(self, msg: Any) -> None:
        if not msg.account_sequence:
            return
        assert self.context is not None
        flag = int(self.context.redelivered)
        self._told.add(f"{msg.account_sequence} {flag}")
        if not self._transactions:
            self._react(msg)
            return
        with self.context.store.transaction() as db:
            if not self._ready:
                for table in _TABLES:
                    db.execute(table)
                self._ready = True
            db.execute("INSERT INTO told VALUES (?, ?, ?)", (msg.account_sequence, fingerprint(msg), flag))
            if filled := getattr(msg, "filled_size", 0):
                change = (msg.contract_id, -filled if msg.is_ask else filled)
                db.execute(
                    "INSERT INTO net VALUES (?, ?)"
                    " ON CONFLICT (contract_id) DO UPDATE SET size = size + excluded.size",
                    change,
                )
            if (item := self._react(msg)) is not None:
                db.execute("INSERT INTO reactions VALUES (?, ?)", (msg.account_sequence, item.mid))

    def _react(self, msg: Any) -> RequestItem | None:
        """What is decided by the message alone, so that it is decided the same way again."""
        first = isinstance(msg, api.MessageActionReport) and msg.status_type == msg.STATUS_INSERTED
        if not first or msg.order_id % 3 or self.commands is None:
            return None
        return self.commands.cancel_order(msg.contract_id, msg.mid, wait=False)

    def handle_run_change(self, run_id: int, prev_run_id: int) -> None:
        assert self.context is not None
        self._told.add(f"run{run_id} {int(self.context.redelivered)}")

    def handle_error(self, error: Exception) -> None:
        if not isinstance(error, Retryable):  # the venue is gone at times: it was killed
            super().handle_error(error)

    def handle_action_report(self, msg: Any, prev_msg: Any) -> None:
        self._tell(msg)

    def handle_status_message(self, msg: Any, prev_msg: Any) -> None:
        self._tell(msg)

    def handle_batch_message(self, msg: Any, prev_msg: Any) -> None:
        self._tell(msg)

    def handle_contract_detail(self, msg: Any, prev_msg: Any) -> None:
        """Not asked for."""

    def handle_book_top(self, msg: Any, prev_msg: Any) -> None:
        """Not looked at."""

    def handle_book_state_snapshot(self, msg: Any, prev_msg: Any) -> None:
        """Not asked for."""

    def handle_heartbeat(self, msg: Any, prev_msg: Any) -> None:
        """Not looked at."""


class Trader:
    """Sends without end, until it is killed or told to settle."""

    def __init__(self, commands: Commands, store: MessageIDStore, folder: Path, number: int, seed: str):
        self._commands = commands
        self._store = store
        self._number = number
        self._random = seeded_random(seed)
        self._sent = _Lines(folder / "sent.log")

    def trade(self) -> None:
        """Go on and on."""
        while True:
            items = [item for item in self._store.values() if isinstance(item, RequestItem)]
            unknown = [item for item in items if item.outcome_unknown and item.batch is None]
            if len(unknown) > _IN_FLIGHT_MAX:
                unknown[0].wait(State.ACKNOWLEDGED, 1.0)
            elif len(items) > _RESTING_MAX:
                self._note([self._commands.cancel_all(self._random.randint(1, _CONTRACTS), wait=False)])
                items[0].wait(timeout=0.2)
            else:
                self._send()

    def settle(self) -> None:
        """Nothing new: wait until every request has ended, and everything was told."""
        for _ in range(3):  # a reaction to what comes late may be one more
            cancel = self._commands.cancel_all()
            for item in [*self._store.values(), cancel]:
                check(item.wait(timeout=_TIMEOUT_S) or item.finished, f"{item!r} has ended")  # type: ignore[attr-defined]

    def _send(self) -> None:
        try:
            if self._random.random() < 0.2:
                orders = [self._order() for _ in range(self._random.randint(1, 8))]
                batch, members = self._commands.batch(orders, wait=False)
                self._note([batch, *members])
            else:
                self._note([self._commands.batch([self._order()], wait=False)[1][0]])
        except QueueFull:
            return

    def _note(self, items: list[RequestItem]) -> None:
        for item in items:
            self._sent.add(item.mid)

    def _order(self) -> api.MessageLimitOrder:
        # One side a contract, or most orders would be refused as trades with oneself.
        contract_id = self._random.randint(1, _CONTRACTS)
        is_ask = (contract_id + self._number) % 2 == 0
        price = 100 * (self._random.randint(40, 55) + (5 if is_ask else 0))
        good_till_canceled, immediate = api.MessageLimitOrder.GTC, api.MessageLimitOrder.IOC
        size = self._random.randint(1, 9)
        return api.MessageLimitOrder(
            contract_id=contract_id,
            size=size,
            price_in_cents=price,
            is_ask=is_ask,
            time_in_force=immediate if self._random.random() < 0.25 else good_till_canceled,
        )


def main(arguments: list[str]) -> None:
    """ADDRESS SERVER_KEY CERTIFICATE FOLDER NUMBER SEED MODE; MODE is `trade` or `settle`.

    Prints `trading` once it is connected, and with `settle` ends when everything has settled.
    """
    address, server_key, certificate, folder, number, seed, mode = arguments
    keys = KeyPair.load_certificate(certificate)
    program = Program(Path(folder), transactions=int(number) % 2 == 0)
    store = MessageIDStore(Path(folder) / "store.db")
    context = Context(address, keys.private or b"", keys.public, server_key, program, store=store)
    program.commands = Commands(context)
    with context:
        context.wait_connected(_TIMEOUT_S)
        trader = Trader(program.commands, store, Path(folder), int(number), seed)
        print("trading", flush=True)
        if mode == "trade":
            trader.trade()
        trader.settle()


if __name__ == "__main__":
    main(sys.argv[1:])
