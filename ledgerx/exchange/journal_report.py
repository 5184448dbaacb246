"""What `pyledgerx journal` says of a journal: whether it is sound, what is in it, how much of what.

It takes no lock and writes nothing, so that it can look at a running venue's folder, at a copy and at a
damaged one.
"""

from __future__ import annotations

import contextlib
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message as AnyProto

from ledgerx.api.client.v0_0_1 import Message, MessageContractDetail
from ledgerx.errors import (
    AccountError,
    DataFolderUnusable,
    DecodeError,
    JournalCorrupt,
    JournalDiverged,
    SnapshotUnusable,
)
from ledgerx.exchange.accounts import list_accounts
from ledgerx.exchange.engine import Engine
from ledgerx.exchange.folder import accounts_path
from ledgerx.exchange.journal_pb2 import Record
from ledgerx.exchange.journal_tail import JournalTail, Tailed
from ledgerx.exchange.recovery import execute_again
from ledgerx.exchange.segments import journal_folder, list_segments, segment_path
from ledgerx.exchange.snapshot_files import list_snapshots, load_snapshot, restore_newest, snapshot_path
from ledgerx.protocol.wire import decode_message, kind_of

__all__ = ["Statistics", "Verification", "account_cid", "dump", "statistics", "verify"]

_EVERYTHING: Final = sys.maxsize


@dataclass
class Verification:
    """What was found: counts, and the first damage: what it is, in which file, from which byte on.

    `executed` is how many records were executed and compared, `trailing_bytes` what follows the last record
    and is no damage: a write under way, or a torn tail.
    """

    records: int = 0
    executed: int = 0
    segments: int = 0
    bytes: int = 0
    snapshots: int = 0
    trailing_bytes: int = 0
    damage: str = ""
    path: str = ""
    position: int = 0

    @property
    def ok(self) -> bool:
        """Whether nothing is damaged."""
        return not self.damage


@dataclass
class Statistics:
    """How much of what a journal holds; times in ns since 1970 UTC, 0 where it is empty."""

    records: int = 0
    first_record: int = 0
    last_record: int = 0
    first_time: int = 0
    last_time: int = 0
    segments: int = 0
    bytes: int = 0
    trailing_bytes: int = 0
    runs: list[int] = field(default_factory=list)
    accounts: int = 0
    contracts: int = 0
    inputs: dict[str, int] = field(default_factory=dict)
    requests: dict[str, int] = field(default_factory=dict)
    outputs: dict[str, int] = field(default_factory=dict)
    snapshots: list[dict[str, Any]] = field(default_factory=list)


def verify(data_folder: Path, *, execute: bool = True) -> Verification:
    """Check checksums, numbers and snapshots, and execute everything again. Stops at the first damage.

    Where the journal's beginning was deleted, it is executed from the oldest snapshot on. Raises
    DataFolderUnusable where there is no journal.
    """
    found = Verification(segments=len(_segments(data_folder)), bytes=_size(data_folder))
    checker = _Checker(data_folder, found, execute=execute)
    with contextlib.closing(JournalTail(journal_folder(data_folder))) as tail:
        try:
            for tailed in tail.read(_EVERYTHING):
                checker.check(tailed)
        except JournalDiverged as error:
            found.damage = str(error)
            found.path = str(segment_path(journal_folder(data_folder), checker.segment))
            found.position = checker.start
        except JournalCorrupt as error:
            found.damage, found.position = str(error), error.position
            found.path = str(tail.path)
        except SnapshotUnusable as error:
            found.damage, found.path = str(error), checker.snapshot
        else:
            rest = tail.remainder()
            found.trailing_bytes = rest.size
            if rest.damage:
                found.damage = f"record {tail.number + 1} is damaged: {rest.damage}"
                found.path, found.position = str(rest.path), rest.start
    return found


class _Checker:
    """Executes records as they come, and compares the state with each snapshot."""

    def __init__(self, data_folder: Path, found: Verification, *, execute: bool) -> None:
        self._folder = data_folder
        self._found = found
        self._engine: Engine | None = None
        self._snapshots = list_snapshots(data_folder)
        self.segment = self.start = 0
        self.snapshot = ""
        if execute and list_segments(journal_folder(data_folder))[0] == 1:
            self._engine = Engine()
        elif execute:
            restored = restore_newest(data_folder, oldest=True)
            self._engine = None if restored is None else restored[0]

    def check(self, tailed: Tailed) -> None:
        """One record. Raises JournalDiverged, SnapshotUnusable."""
        self.segment, self.start = tailed.segment, tailed.start
        engine, number = self._engine, tailed.record.number
        if engine is not None and number == engine.number + 1:
            for _record in execute_again(engine, iter((tailed.record,))):
                self._found.executed += 1
        self._found.records += 1
        if number in self._snapshots:
            self._check_snapshot(number, tailed, engine)

    def _check_snapshot(self, number: int, tailed: Tailed, engine: Engine | None) -> None:
        path = snapshot_path(self._folder, number)
        self.snapshot = str(path)
        if not path.exists():
            return  # a running venue's follower has replaced it
        snapshot = load_snapshot(path)
        if snapshot.position != tailed.position:
            raise SnapshotUnusable(f"{path} is of another journal: record {number} stands elsewhere")
        if engine is not None and engine.number == number:
            state = engine.snapshot()
            state.position.CopyFrom(snapshot.position)
            if state.SerializeToString(deterministic=True) != snapshot.SerializeToString(deterministic=True):
                raise SnapshotUnusable(f"{path} holds another state than record {number} left")
        self._found.snapshots += 1


def dump(
    data_folder: Path, *, first: int = 1, last: int | None = None, cid: int | None = None
) -> Iterator[dict[str, Any]]:
    """Each record from `first` to `last` as what JSON can hold; with `cid` what concerns that account alone.

    Raises DataFolderUnusable where there is no journal, JournalCorrupt at the first damage.
    """
    _segments(data_folder)
    with contextlib.closing(JournalTail.at(journal_folder(data_folder), first)) as tail:
        for tailed in tail.read(_EVERYTHING):
            record = tailed.record
            if last is not None and record.number > last:
                return
            if record.number >= first and (cid is None or _concerns(record, cid)):
                yield _record_values(record, cid)
        _raise_damage(tail)


def statistics(data_folder: Path) -> Statistics:
    """Count what a journal holds. Raises as `dump`."""
    found = Statistics(segments=len(_segments(data_folder)), bytes=_size(data_folder))
    contracts = set()
    inputs, requests, outputs = Counter[str](), Counter[str](), Counter[str]()
    with contextlib.closing(JournalTail(journal_folder(data_folder))) as tail:
        for tailed in tail.read(_EVERYTHING):
            record, entry = tailed.record, tailed.record.input
            found.first_record = found.first_record or record.number
            found.first_time = found.first_time or entry.time
            found.last_record, found.last_time = record.number, entry.time
            found.records += 1
            kind = entry.WhichOneof("kind") or "nothing"
            inputs[kind] += 1
            if kind == "request":
                requests.update(_request_kinds(entry.request.message))
            elif kind == "run_start":
                found.runs.append(entry.run_start.run_id)
            elif kind == "account_add":
                found.accounts += 1
            elif kind == "contract_add":
                contracts.add(MessageContractDetail.FromString(entry.contract_add.detail).contract_id)
            outputs.update(_kind(output.message) for output in record.outputs)
        found.trailing_bytes = tail.remainder().size
        _raise_damage(tail)
    found.contracts = len(contracts)
    found.inputs, found.requests, found.outputs = dict(inputs), dict(requests), dict(outputs)
    for number in list_snapshots(data_folder):
        path = snapshot_path(data_folder, number)
        found.snapshots.append({"record": number, "bytes": path.stat().st_size, "usable": _usable(path)})
    return found


def account_cid(data_folder: Path, text: str) -> int:
    """An account's cid from its name, or from the number itself. Raises AccountError."""
    rows = list_accounts(accounts_path(data_folder))
    named = [row.cid for row in rows if row.name == text]
    if named:
        return named[-1]
    if text.isdecimal():
        return int(text)
    raise AccountError(f"no account is named {text!r}: `pyledgerx account list` shows them, removed ones too")


def _segments(data_folder: Path) -> list[int]:
    segments = list_segments(journal_folder(data_folder))
    if not segments:
        raise DataFolderUnusable(f"there is no journal in {data_folder}: name a venue's data folder")
    return segments


def _size(data_folder: Path) -> int:
    folder = journal_folder(data_folder)
    return sum(segment_path(folder, first).stat().st_size for first in list_segments(folder))


def _raise_damage(tail: JournalTail) -> None:
    rest = tail.remainder()
    if rest.damage:
        raise JournalCorrupt(
            f"{rest.path}: record {tail.number + 1}, at byte {rest.start}, is damaged: {rest.damage}",
            position=rest.start,
        )


def _usable(path: Path) -> bool:
    try:
        load_snapshot(path)
    except SnapshotUnusable:
        return False
    return True


def _concerns(record: Record, cid: int) -> bool:
    entry = record.input
    named = {"request": entry.request.cid, "account_add": entry.account_add.cid}
    named["account_remove"] = entry.account_remove.cid
    asked = named.get(entry.WhichOneof("kind") or "") == cid
    return asked or any(output.cid == cid for output in record.outputs)


def _record_values(record: Record, cid: int | None) -> dict[str, Any]:
    kind = record.input.WhichOneof("kind") or "nothing"
    values = _values(getattr(record.input, kind)) if kind != "nothing" else {}
    if kind == "request":
        values["message"] = _message_values(record.input.request.message)
    elif kind == "contract_add":
        wrapped = Message()
        wrapped.contract_detail.MergeFromString(record.input.contract_add.detail)
        values["detail"] = _values(wrapped.contract_detail)
    outputs = []
    for output in record.outputs:
        if cid is None or output.cid == cid:
            place = {"cid": output.cid} if output.cid else {"topic": output.topic}
            outputs.append({**place, "sequence": output.sequence, "message": _message_values(output.message)})
    return {"number": record.number, "time": record.input.time, "input": {kind: values}, "outputs": outputs}


def _message_values(data: bytes) -> dict[str, Any]:
    """An encoded message of the protocol as {kind: fields}, or {"undecodable": hex}."""
    try:
        message = decode_message(data)
        return {kind_of(message): _values(message)}
    except DecodeError:
        return {"undecodable": data.hex()}


def _values(message: AnyProto) -> dict[str, Any]:
    """The fields that are set: enum values by name, bytes as hex, messages as objects."""
    return {
        descriptor.name: [_value(descriptor, one) for one in value]
        if descriptor.is_repeated
        else _value(descriptor, value)
        for descriptor, value in message.ListFields()
    }


def _value(descriptor: FieldDescriptor, value: Any) -> Any:
    if descriptor.message_type is not None:
        return _values(value)
    if descriptor.enum_type is not None:
        known = descriptor.enum_type.values_by_number.get(value)
        return value if known is None else known.name
    return value.hex() if isinstance(value, bytes) else value


def _kind(data: bytes) -> str:
    return Message.FromString(data).WhichOneof("kind") or "unknown"


def _request_kinds(data: bytes) -> Iterator[str]:
    """The kind of a request, and of each member of a batch as `batch.<kind>`."""
    try:
        message = decode_message(data)
    except DecodeError:
        yield "undecodable"
        return
    kind = kind_of(message)
    yield kind
    if kind == "batch":
        for member in message.requests:
            yield f"batch.{member.WhichOneof('kind') or 'unknown'}"
