"""The venue without its sockets: the engine, the journal, the lines and the accounts, turn by turn.

A turn is what the venue does between two waits for its sockets: requests go in with `request`, accounts
with `add_account` and `remove_account`, and `commit` ends the turn. Whatever the turn caused (answers,
lines, the feed) is handed out by `commit` alone, after the journal's write returned; so nothing of it can
leave before, and an answer that read the state after an execution waits for that execution's record too.

No thread, no socket, and no more than one user at a time.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from ledgerx.api.client.v0_0_1 import Message, MessageContractDetail, MessageHello, MessageStatus
from ledgerx.clob import Book
from ledgerx.clock import SYSTEM_CLOCK, Clock
from ledgerx.errors import AccountError, DecodeError, JournalCorrupt
from ledgerx.exchange.accounts import AccountRow, AccountsProjection
from ledgerx.exchange.answers import READ_KINDS
from ledgerx.exchange.contracts import default_contracts, load_contracts
from ledgerx.exchange.disk import Fsync
from ledgerx.exchange.engine import Engine, Output
from ledgerx.exchange.engine_clock import EngineClock
from ledgerx.exchange.folder import DataFolder, accounts_path
from ledgerx.exchange.journal import SEGMENT_BYTES_MAX, Journal, Sync
from ledgerx.exchange.journal_pb2 import (
    AccountAdd,
    AccountRemove,
    ContractAdd,
    Input,
    Limits,
    Request,
    RunStart,
    Tick,
)
from ledgerx.exchange.line_store import LineStore
from ledgerx.exchange.mids import MID_CHARACTERS, mid_key
from ledgerx.exchange.notices import Notices
from ledgerx.exchange.recovery import execute_again, make_record
from ledgerx.exchange.refusals import Refused
from ledgerx.exchange.replay import replay_page
from ledgerx.exchange.retention import RETAIN_ALL, Retention
from ledgerx.exchange.risk import default_limits
from ledgerx.exchange.segments import journal_folder
from ledgerx.exchange.snapshot_files import SNAPSHOTS_KEPT, list_snapshots, restore_newest
from ledgerx.exchange.state import BookFactory
from ledgerx.exchange.validation import check_version
from ledgerx.protocol.crypto import check_key
from ledgerx.protocol.wire import BATCH_REQUESTS_MAX, decode_message, kind_of

__all__ = ["Answer", "Contracts", "Turn", "Venue"]

_LOGGER = logging.getLogger(__name__)

_READS = frozenset(READ_KINDS)
_ORDERS = frozenset({"limit_order", "market_order", "quote"})
_COUNTED = ("orders", "requests", "reads", "repeats", "malformed", "trades", "turns")


Contracts: TypeAlias = str | Path | Sequence[MessageContractDetail] | None
"""A contracts file, details, or None for the built-in contracts."""


class Answer(NamedTuple):
    """Messages for the one who asked, in order. `replayed`: they were sent before (a replay's page)."""

    asker: bytes
    messages: list[bytes]
    replayed: bool


class Turn(NamedTuple):
    """What may leave now: answers, the accounts whose lines grew, the feed's messages.

    `removed` are the accounts to be cut; `accounts_changed` says that some were added or removed.
    """

    answers: list[Answer]
    cids: list[int]
    feed: list[Output]
    removed: list[AccountRow]
    accounts_changed: bool


class Venue:
    """An exchange on a data folder. Use `Venue.open`, then `start_run` to trade.

    `counts` counts since opening: "orders" (limit, market, quotes, in batches too), "requests" that were
    executed, "reads", "repeats" (of a mid already consumed), "malformed" messages, "trades" and "turns".
    """

    def __init__(
        self,
        folder: DataFolder,
        journal: Journal,
        engine: Engine,
        *,
        clock: Clock,
        contracts: Contracts,
        limits: Limits | None,
        retain: Retention,
    ) -> None:
        self.folder = folder
        self.key_pair = folder.key_pair()
        self.engine = engine
        self.journal = journal
        self.lines = LineStore(journal)
        self.counts = dict.fromkeys(_COUNTED, 0)
        self._clock = clock
        self._contracts = contracts
        self._limits = limits
        self._retain = retain
        self._projection = AccountsProjection(accounts_path(folder.path))
        self._recover()
        wall_ns = clock.wall_ns()
        self._engine_clock = EngineClock(self.engine.time or wall_ns)
        self._engine_clock.read(wall_ns)  # a venue that stood still has jumped: the first turn confirms it
        self._time: int | None = None  # of the present turn
        self._committed_time = self._engine_clock.now
        self._begin_turn()

    @classmethod
    def open(
        cls,
        folder: str | Path,
        *,
        clock: Clock = SYSTEM_CLOCK,
        contracts: Contracts = None,
        limits: Limits | None = None,
        sync: Sync = "process",
        retain: Retention = RETAIN_ALL,
        segment_bytes_max: int = SEGMENT_BYTES_MAX,
        book_factory: BookFactory = Book,
        fsync: Fsync = os.fsync,
    ) -> Venue:
        """Take the folder's lock, make what is missing, execute again what no snapshot holds.

        `contracts` are journaled with the next run's start: those that are new or differ; None means the
        built-in ones, for a venue that never ran. `limits` hold from the next run on. `retain` says which
        segments of the journal, of `segment_bytes_max` bytes each, are kept.
        Raises DataFolderLocked, DataFolderUnusable, JournalCorrupt, JournalDiverged, JournalWriteFailed.
        """
        held = DataFolder.acquire(Path(folder))
        journal: Journal | None = None
        try:
            restored = restore_newest(held.path, book_factory)
            engine = Engine(book_factory) if restored is None else restored[0]
            journal = Journal.open(
                journal_folder(held.path),
                sync=sync,
                verified=engine.number,
                fsync=fsync,
                segment_bytes_max=segment_bytes_max,
            )
            return cls(held, journal, engine, clock=clock, contracts=contracts, limits=limits, retain=retain)
        except BaseException:
            if journal is not None:
                journal.abandon()
            held.release()
            raise

    # ------------------------------------------------------------------ a turn

    @property
    def time(self) -> int:
        """Engine time of this turn, ns. The clock is read once a turn, where it is first needed."""
        if self._time is None:
            reading = self._engine_clock.read(self._clock.wall_ns())
            self._time = max(self.engine.time, reading)
            due = self.engine.next_due()
            if due is not None and due <= self._time:
                self._execute(Input(time=self._time, tick=Tick()))
        return self._time

    @property
    def committed_time(self) -> int:
        """Engine time of the last turn that was committed: of what is said between two turns.

        Unlike `time` it executes nothing. What is due by now belongs to the next turn, and must not be
        seen before its record.
        """
        return self._committed_time

    @property
    def turn_bytes(self) -> int:
        """How much this turn has gathered to be sent, roughly; the shell ends a turn that grew large."""
        return self._turn_bytes

    def request(self, cid: int, data: bytes, asker: bytes = b"") -> bool:
        """Handle one encoded message of an account; `asker` comes back with the answers.

        State-changing requests are executed and buffered, all others answered; nothing leaves before
        `commit`. Returns whether it was a message with a mid. Never raises for what a client sent.
        """
        try:
            request = decode_message(data)
        except DecodeError as error:
            self.refuse(cid, str(error), asker=asker)
            return False
        if isinstance(request, Message) or mid_key(request.mid) is None:
            self.refuse(cid, "the message has no mid of 32 hex characters", field="mid", asker=asker)
            return False
        kind = kind_of(request)
        if kind in _READS or kind == "replay":
            self.counts["reads"] += 1
            self._read(cid, kind, request, asker)
            return True
        consumed = self.engine.consumed(cid, request.mid)
        if consumed is None:
            self._count(kind, request)
            self._answer(asker, self._execute(self._input(request=Request(cid=cid, message=data))))
        else:
            self.counts["repeats"] += 1
            self._repeat(cid, request.mid, data, consumed, asker)
        return True

    def refuse(
        self,
        cid: int,
        text: str,
        *,
        mid: str = "",
        status: MessageStatus.Status = MessageStatus.STATUS_MALFORMED,
        field: str = "",
        asker: bytes = b"",
    ) -> None:
        """Answer what is no request with one status. It is not journaled: nothing was changed."""
        self.counts["malformed"] += 1
        self._answer(asker, [self.notices(cid).status(mid[:MID_CHARACTERS], status, text, field=field)])

    def commit(self) -> Turn:
        """End the turn: write what it executed as one group, then hand out what may leave.

        Raises JournalWriteFailed: the process must end, and has sent nothing of this turn.
        """
        self._committed_time = self.time  # what is due is executed in a turn without requests too
        self.counts["turns"] += 1
        segment = self.journal.path
        if self.journal.commit() and self._accounts_changed:
            self._projection.update(self.accounts())
        if self.journal.path != segment:
            self._prune()
        turn = Turn(self._answers, list(self._cids), self._feed, self._removed, self._accounts_changed)
        self._begin_turn()
        return turn

    def notices(self, cid: int) -> Notices:
        """The shell's own messages to an account, true at its head as of this turn."""
        return self._notices(cid, self.time)

    def heartbeat(self, cid: int, *, interval_ms: int) -> bytes:
        """The sign of life for an account's connections, to be sent between two turns."""
        return self._notices(cid, self._committed_time).heartbeat(interval_ms=interval_ms)

    def hello(self, cid: int, request: MessageHello, *, interval_ms: int) -> bytes:
        """The answer to a connection's hello, to be sent after this turn's `commit`."""
        return self.notices(cid).hello(request, venue_id=self.engine.venue_id, interval_ms=interval_ms)

    # ------------------------------------------------------------------ operation

    def start_run(self) -> Turn:
        """Begin a run and commit it: contracts, then RunStart with the next run id.

        The venue_id stays, unless something that was released is missing from the journal (released.py).
        Raises InvalidContracts, JournalWriteFailed.
        """
        for detail in self._contracts_to_add():
            self._execute(self._input(contract_add=ContractAdd(detail=detail.SerializeToString())))
        venue_id = self.engine.venue_id
        if not venue_id or self.journal.renewal_due:
            venue_id = self._clock.unique_hex()
        run = RunStart(
            run_id=self.engine.run_id + 1, venue_id=venue_id, limits=self._limits or default_limits()
        )
        self._execute(self._input(run_start=run))
        turn = self.commit()
        if self.journal.renewal_due:
            self.journal.renewed()
        self._prune()
        return turn

    def add_account(self, name: str, public_key: bytes | str, mpid: int | None = None) -> AccountRow:
        """Register a trader; it may connect once the turn is committed. `mpid` is the cid unless given.

        Raises AccountError for a name or key that an active account has, InvalidKey.
        """
        key = check_key(public_key, "public key").decode("ascii")
        if not name.isprintable() or name != name.strip():
            raise AccountError(f"{name!r} is no name: use printable characters, no space at the ends")
        self.engine.check_account(name, key)
        cid = self.engine.next_cid()
        add = AccountAdd(cid=cid, mpid=cid if mpid is None else mpid, name=name, public_key=key)
        self._execute(self._input(account_add=add))
        self._accounts_changed = True
        return AccountRow(cid, add.mpid, name, key, True)

    def remove_account(self, name: str) -> AccountRow:
        """Cancel an active account's orders and end it. Raises AccountError."""
        account = self.engine.account_named(name)
        if account is None:
            raise AccountError(f"no active account is named {name!r}")
        self._execute(self._input(account_remove=AccountRemove(cid=account.cid)))
        self._accounts_changed = True
        row = AccountRow(account.cid, account.mpid, account.name, account.public_key, False)
        self._removed.append(row)
        return row

    def accounts(self) -> list[AccountRow]:
        """Every account, removed ones included, by cid."""
        return sorted(
            AccountRow(account.cid, account.mpid, account.name, account.public_key, account.active)
            for account in self.engine.accounts.values()
        )

    def close(self) -> None:
        """Close the journal and give the lock up; what was not committed is dropped. May be called again."""
        try:
            self.journal.close()
        finally:
            self.folder.release()

    # ------------------------------------------------------------------ within a turn

    def _notices(self, cid: int, time: int) -> Notices:
        engine = self.engine
        mpid, head = engine.accounts[cid].mpid, engine.head(cid)
        return Notices(cid=cid, mpid=mpid, run_id=engine.run_id, time=time, head=head)

    def _begin_turn(self) -> None:
        self._time = None
        self._turn_bytes = 0
        self._answers: list[Answer] = []
        self._cids: dict[int, None] = {}
        self._feed: list[Output] = []
        self._removed: list[AccountRow] = []
        self._accounts_changed = False

    def _recover(self) -> None:
        engine, journal = self.engine, self.journal
        self.recovered_from = engine.number
        if journal.first_number > engine.number + 1:
            raise JournalCorrupt(
                f"{journal.folder} begins with record {journal.first_number}, and no snapshot that can be"
                " used holds what came before: restore the snapshots from a copy",
                position=0,
            )
        heads = {cid: account.head for cid, account in engine.accounts.items()}
        for record in execute_again(engine, journal.records(engine.number + 1)):
            self.lines.add(record)
        for cid, account in engine.accounts.items():
            journal.know_head(cid, heads.get(cid, 0))
            if journal.head(cid) != account.head:
                raise JournalCorrupt(
                    f"the journal's line of account {cid} ends with {journal.head(cid)} where"
                    f" {account.head} belongs",
                    position=0,
                )
        if self._projection.update(self.accounts()):
            _LOGGER.info("%s was rebuilt from the journal", accounts_path(self.folder.path))

    def _prune(self) -> None:
        """Delete the segments that need not be kept, behind the older snapshot at most."""
        snapshots = list_snapshots(self.folder.path)
        if len(snapshots) < SNAPSHOTS_KEPT:
            return
        before = self._retain.first_kept(self.journal.segments, self.engine.time)
        pruned = self.journal.prune(min(before, snapshots[0]))
        if pruned:
            _LOGGER.info("%d segment(s) before record %d were deleted", pruned, self.journal.first_number)

    def _contracts_to_add(self) -> list[MessageContractDetail]:
        """The contracts that are new or differ from what the venue has.

        The built-in ones are for a venue that never ran. Expiries lie ahead of the day the folder was made,
        or a contract of "90 days ahead" would never end.
        """
        if self._contracts is None and self.engine.run_id:
            return []
        first = self.engine.first_time if self.engine.number else self.time
        today = datetime.fromtimestamp(first // 1_000_000_000, UTC).date()
        if self._contracts is None:
            wanted = default_contracts(today)
        elif isinstance(self._contracts, str | Path):
            wanted = load_contracts(self._contracts, today)
        else:
            wanted = list(self._contracts)
        known = self.engine.contracts
        return [
            detail
            for detail in wanted
            if detail.contract_id not in known or known[detail.contract_id].detail != detail
        ]

    def _input(self, **kind: Any) -> Input:
        return Input(time=self.time, **kind)

    def _count(self, kind: str, request: Any) -> None:
        self.counts["requests"] += 1
        if kind in _ORDERS:
            self.counts["orders"] += 1
        elif kind == "batch" and len(request.requests) <= BATCH_REQUESTS_MAX:
            self.counts["orders"] += sum(member.WhichOneof("kind") in _ORDERS for member in request.requests)

    def _execute(self, input_: Input) -> list[bytes]:
        """Execute and buffer; returns the unsequenced answers. Whatever fails here ends the process."""
        execution = self.engine.execute(input_)
        record = make_record(input_, execution)
        self.journal.append(record)
        self.lines.add(record)
        for output in execution.outputs:
            self._turn_bytes += len(output.message)
            if output.cid:
                self._cids[output.cid] = None
            else:
                self._feed.append(output)
                if output.topic.startswith("trade."):
                    self.counts["trades"] += 1
        return execution.answers

    def _answer(self, asker: bytes, messages: list[bytes], *, replayed: bool = False) -> None:
        if messages:
            self._turn_bytes += sum(map(len, messages))
            self._answers.append(Answer(asker, messages, replayed))

    def _read(self, cid: int, kind: str, request: Any, asker: bytes) -> None:
        try:
            if kind == "replay":
                self._replay(cid, request, asker)
            else:
                self._answer(asker, self.engine.query(cid, request, self.time))
        except Exception:
            # Nothing was changed, so the venue goes on; only this answer is lost.
            _LOGGER.exception("a %s of account %s failed", kind, cid)
            text = "the venue failed to answer this"
            status = self.notices(cid).status(request.mid, MessageStatus.STATUS_VENUE_ERROR, text)
            self._answer(asker, [status])

    def _repeat(self, cid: int, mid: str, data: bytes, number: int, asker: bytes) -> None:
        """A mid that record `number` consumed: its first answer again, or a refusal of another body."""
        text = f"mid {mid} was used before, for another message: make a new UUID4 for each request"
        if number < self.journal.first_number:
            text = f"mid {mid} was used before, in a record that is no longer kept: look at what stands"
        else:
            record = self.journal.read(number)
            if record.input.request.message == data:
                for output in record.outputs:
                    if output.cid == cid and decode_message(output.message).mid == mid:
                        self._answer(asker, [output.message])
                        return
        status = self.notices(cid).status(mid, MessageStatus.STATUS_MID_REUSED, text, field="mid")
        self._answer(asker, [status])

    def _replay(self, cid: int, request: Any, asker: bytes) -> None:
        notices = self.notices(cid)
        self._answer(
            asker,
            [notices.status(request.mid, MessageStatus.STATUS_ACKNOWLEDGED, "acknowledged", remaining=1)],
        )
        try:
            check_version(request.mversion)
            page = replay_page(self.lines, cid, request)
        except Refused as refused:
            beyond = refused.status == MessageStatus.STATUS_REPLAY_RANGE
            end = notices.status(
                request.mid,
                refused.status,
                refused.message,
                field=refused.field,
                first_available=self.lines.first_available(cid) if beyond else 0,
            )
        else:
            self._answer(asker, page.messages, replayed=True)
            end = notices.status(
                request.mid,
                MessageStatus.STATUS_COMPLETE,
                f"{len(page.messages)} message(s)",
                next_sequence=page.next_sequence,
                first_available=self.lines.first_available(cid) if page.beyond else 0,
            )
        self._answer(asker, [end])
