"""The venue's engine: inputs in, encoded outputs out. Deterministic, without I/O, without a clock.

`execute` is the only way the state changes. The same inputs in the same order give the same outputs, byte
for byte, in any process: no set is walked, time is a field of the input. A shell journals each input with
its outputs and sends them afterwards; after a crash it executes the journal's inputs again.

This file dispatches inputs and keeps runs, accounts, contracts and time. What a request does is in
`requests`, what is sent in `lines`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import NamedTuple

from ledgerx.api.client.v0_0_1 import MessageContractDetail
from ledgerx.clob import Book
from ledgerx.errors import AccountError, InvalidMessage
from ledgerx.exchange import journal_pb2
from ledgerx.exchange.answers import READ_KINDS
from ledgerx.exchange.engine_snapshot import pack_state, unpack_state
from ledgerx.exchange.lines import Lines, Output
from ledgerx.exchange.mids import Mids, mid_key
from ledgerx.exchange.requests import Requests
from ledgerx.exchange.risk import default_limits
from ledgerx.exchange.snapshot_pb2 import Snapshot
from ledgerx.exchange.state import Account, BookFactory, Contract, OpenOrder, State
from ledgerx.protocol.wire import AnyMessage, kind_of

__all__ = ["Engine", "Execution", "Output", "default_limits"]


_LOGGER = logging.getLogger(__name__)


class Execution(NamedTuple):
    """What one input caused: `number` counts the inputs from 1.

    `outputs` are numbered and journaled. `answers`, to the asker alone, are not: reads inside a batch.
    """

    number: int
    outputs: list[Output]
    answers: list[bytes]


class Engine:
    """The whole state of a venue, empty at first: no account, no contract, run 0.

    `time` is the engine's (ns since 1970 UTC), `first_time` the first input's, `number` how many inputs were
    executed, `accounts` all that ever were, by cid, `contracts` by contract_id. `book_factory` makes the
    books.
    """

    def __init__(self, book_factory: BookFactory = Book) -> None:
        self.time = 0
        self.first_time = 0
        self.venue_id = ""
        self.number = 0
        self._state = State()
        self.accounts: dict[int, Account] = self._state.accounts
        self.contracts: dict[int, Contract] = self._state.contracts
        self._by_key: dict[str, Account] = {}
        self._book_factory = book_factory
        self._lines = Lines()
        self._mids = Mids()
        self._requests = Requests(self._state, self._lines, self._mids)
        self._next_due: int | None = None
        self._inputs: dict[str, Callable[[journal_pb2.Input], list[bytes]]] = {
            "request": self._request,
            "run_start": self._run_start,
            "account_add": self._account_add,
            "account_remove": self._account_remove,
            "contract_add": self._contract_add,
        }

    # ------------------------------------------------------------------ execution

    def execute(self, entry: journal_pb2.Input) -> Execution:
        """Carries out one input, whose time must not be before the last one's.

        A request never raises, whatever it holds. The other inputs are the venue's own and are trusted:
        see `check_account`.
        """
        assert entry.time >= self.time, f"time {entry.time} is before {self.time}"
        self.time = entry.time
        self.number += 1
        if self.number == 1:
            self.first_time = entry.time
        self._lines.begin(entry.time)
        if self._next_due is not None and entry.time >= self._next_due:
            self._expire_contracts()
        handler = self._inputs.get(entry.WhichOneof("kind") or "")
        answers = handler(entry) if handler else []  # a tick only lets time pass
        return Execution(self.number, self._lines.take(), answers)

    def _request(self, entry: journal_pb2.Input) -> list[bytes]:
        account = self.accounts.get(entry.request.cid)
        if account is None or not account.active:
            return []
        return self._requests.run(account, entry.request.message, self.number)

    def _run_start(self, entry: journal_pb2.Input) -> list[bytes]:
        start = entry.run_start
        self._lines.publish_tops()  # what an expiry at this moment changed belongs to the old run
        for cid in sorted(self.accounts):
            account = self.accounts[cid]
            for order in list(account.orders.values()):
                self._requests.matcher.end(order)
            if account.active and self.run_id:
                self._lines.run_change(account, start.run_id)
        for contract in self.contracts.values():
            contract.book.clear()
            contract.top = (0, 0, 0, 0)
        self._lines.start_run(start.run_id)
        self.venue_id = start.venue_id
        self._state.limits = journal_pb2.Limits()
        self._state.limits.CopyFrom(start.limits)
        self._mids.resize(start.limits.mids_max)
        return []

    def _account_add(self, entry: journal_pb2.Input) -> list[bytes]:
        added = entry.account_add
        account = Account(added.cid, added.mpid, added.name, added.public_key)
        self.accounts[account.cid] = self._by_key[account.public_key] = account
        return []

    def _account_remove(self, entry: journal_pb2.Input) -> list[bytes]:
        account = self.accounts.get(entry.account_remove.cid)
        if account is not None and account.active:
            self._cancel(account.orders)
            account.active = False
            del self._by_key[account.public_key]
            self._mids.drop(account.cid)
        return []

    def _contract_add(self, entry: journal_pb2.Input) -> list[bytes]:
        """A new contract, or other terms for one that is there: a halt, another band."""
        detail = MessageContractDetail.FromString(entry.contract_add.detail)
        contract = self.contracts.get(detail.contract_id)
        if contract is None:
            contract = Contract(detail, self._book_factory())
            self.contracts[detail.contract_id] = contract
            self._lines.add_contract(contract)
        else:
            contract.describe(detail)
        self._expire_contracts()
        return []

    def _expire_contracts(self) -> None:
        """Ends every contract that is due, and finds when the next one is."""
        self._next_due = None
        for contract in self.contracts.values():
            if 0 < contract.expiry <= self.time:
                contract.state = MessageContractDetail.EXPIRED
            if contract.state == MessageContractDetail.EXPIRED:
                self._cancel(contract.orders)
            elif contract.expiry and (self._next_due is None or contract.expiry < self._next_due):
                self._next_due = contract.expiry

    def _cancel(self, orders: dict[int, OpenOrder]) -> None:
        """Takes orders away on the venue's own account. One that fails stays; nobody waits for an answer."""
        for order in list(orders.values()):
            try:
                self._requests.matcher.cancel(order)
            except Exception:
                _LOGGER.exception("order %s could not be canceled", order.order_id)

    # ------------------------------------------------------------------ snapshots

    def snapshot(self) -> Snapshot:
        """The whole state; of `position` only the number."""
        snapshot = pack_state(self._state, self._lines, self._mids)
        snapshot.position.number = self.number
        snapshot.first_time = self.first_time
        snapshot.time = self.time
        snapshot.next_due = self._next_due or 0
        snapshot.venue_id = self.venue_id
        return snapshot

    @classmethod
    def restored(cls, snapshot: Snapshot, book_factory: BookFactory = Book) -> Engine:
        """The engine of which `snapshot` was taken."""
        engine = cls(book_factory)
        unpack_state(snapshot, engine._state, engine._lines, engine._mids, book_factory)
        engine.number = snapshot.position.number
        engine.first_time = snapshot.first_time
        engine.time = snapshot.time
        engine._next_due = snapshot.next_due or None
        engine.venue_id = snapshot.venue_id
        engine._by_key = {a.public_key: a for a in engine.accounts.values() if a.active}
        return engine

    # ------------------------------------------------------------------ what the shell asks

    @property
    def run_id(self) -> int:
        """The present run, 0 before the first."""
        return self._lines.run_id

    @property
    def limits(self) -> journal_pb2.Limits:
        """The limits of the present run."""
        return self._state.limits

    def query(self, cid: int, request: AnyMessage, time: int) -> list[bytes]:
        """The encoded answers to a Get* request of an account: the ACK, then those it announces.

        Changes nothing. Raises AccountError for an unknown account, InvalidMessage for another kind.
        """
        account = self.accounts.get(cid)
        if account is None:
            raise AccountError(f"no account has cid {cid}")
        kind = kind_of(request)
        if kind not in READ_KINDS:
            raise InvalidMessage(f"a {kind} is not answered from the state: execute it")
        return self._requests.query(account, kind, request, time)

    def consumed(self, cid: int, mid: str) -> int | None:
        """The number of the record that used the account's mid; None if none did or it is forgotten."""
        key = mid_key(mid)
        return None if key is None else self._mids.number(cid, key)

    def head(self, cid: int) -> int:
        """The last sequence number of an account's line, 0 if there is none."""
        account = self.accounts.get(cid)
        return 0 if account is None else account.head

    def topic_head(self, topic: str) -> int:
        """The last sequence number of a topic in this run, 0 if there is none."""
        return self._lines.topics.get(topic, 0)

    def topic_heads(self) -> dict[str, int]:
        """The last sequence number of every topic there is."""
        return dict(self._lines.topics)

    def next_due(self) -> int | None:
        """The engine time at which the next contract expires."""
        return self._next_due

    def next_cid(self) -> int:
        """The cid for the next account: one that no account ever had."""
        return max(self.accounts, default=0) + 1

    def account_of_key(self, public_key: str) -> Account | None:
        """The active account of a public key (Z85)."""
        return self._by_key.get(public_key)

    def account_named(self, name: str) -> Account | None:
        """The active account of a name."""
        return next((a for a in self.accounts.values() if a.active and a.name == name), None)

    def check_account(self, name: str, public_key: str) -> None:
        """Raises AccountError if an account could not be added: its name or its key is in use."""
        if not name:
            raise AccountError("an account needs a name")
        if self.account_named(name) is not None:
            raise AccountError(f"the name {name!r} is in use: remove that account first or take another name")
        holder = self.account_of_key(public_key)
        if holder is not None:
            raise AccountError(f"the public key is account {holder.name!r}'s: each account has its own")
