"""What must hold after programs with durable stores were killed: their accounts of it against the journal.

Nothing here believes the SDK: what a program wrote down is compared with what the venue wrote before it sent.
"""

from __future__ import annotations

import sqlite3
from collections import Counter, defaultdict
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ledgerx.api.client import v0_0_1 as api
from ledgerx.exchange.journal import Journal
from ledgerx.protocol import wire
from ledgerx.testing.checks import check
from ledgerx.testing.traders_check import fingerprint

__all__ = ["RecoveryResult", "verify_recovery"]


@dataclass
class RecoveryResult:
    """What the rounds exercised. `repeated` are messages dispatched twice, all of them flagged."""

    client_kills: int = 0
    venue_kills: int = 0
    requests: int = 0
    acknowledged: int = 0
    messages: int = 0
    fills: int = 0
    reactions: int = 0
    flagged: int = 0
    repeated: int = 0
    lost: int = 0
    doubled: int = 0


class _Journal:
    """What the venue wrote."""

    def __init__(self, data_dir: Path) -> None:
        self.cids: dict[str, int] = {}
        self.lines: dict[int, list[Any]] = defaultdict(list)
        self.requests: dict[int, Counter[str]] = defaultdict(Counter)
        self.canceled: dict[int, Counter[str]] = defaultdict(Counter)
        journal = Journal.open(data_dir / "journal")
        try:
            for record in journal.records():
                if record.input.HasField("account_add"):
                    self.cids[record.input.account_add.name] = record.input.account_add.cid
                elif record.input.HasField("request"):
                    message = wire.decode_message(record.input.request.message)
                    self._request(record.input.request.cid, message)
                for output in record.outputs:
                    if output.cid:
                        self.lines[output.cid].append(wire.decode_message(output.message))
        finally:
            journal.close()

    def _request(self, cid: int, message: Any) -> None:
        self.requests[cid][message.mid] += 1
        for member in getattr(message, "requests", ()):
            self.requests[cid][wire.unwrap(member).mid] += 1
        if isinstance(message, api.MessageCancelOrder):
            self.canceled[cid][message.entry_id] += 1


def verify_recovery(
    data_dir: Path, clients: list[tuple[str, Path, int]], *, venue_kills: int
) -> RecoveryResult:
    """The counts, once everything holds. `clients` are name, folder and kills of each; the venue ended."""
    journal = _Journal(data_dir)
    result = RecoveryResult(venue_kills=venue_kills)
    net: Counter[int] = Counter()
    for number, (name, folder, kills) in enumerate(clients):
        cid = journal.cids[name]
        line = journal.lines[cid]
        check(
            [message.account_sequence for message in line] == list(range(1, len(line) + 1)),
            f"{name}: the journal's line has no hole",
        )
        result.client_kills += kills
        _verify_requests(name, folder, journal, cid, result)
        _verify_log(name, folder, line, kills, result)
        fills = _net(line)
        net.update(fills)
        _verify_file(name, folder, line, fills, number % 2 == 0, result)
        if number % 2 == 0:
            doubled = [mid for mid, count in journal.canceled[cid].items() if count > 1]
            check(not doubled, f"{name}: no reaction was sent twice: {doubled[:3]}")
    check(not any(net.values()), f"positions sum to zero: {dict(net)}")
    return result


def _net(line: list[Any]) -> Counter[int]:
    net: Counter[int] = Counter()
    for message in line:
        if filled := getattr(message, "filled_size", 0):
            net[message.contract_id] += -filled if message.is_ask else filled
    return net


def _verify_requests(name: str, folder: Path, journal: _Journal, cid: int, result: RecoveryResult) -> None:
    """What was submitted was carried out, and nothing twice."""
    requests, line = journal.requests[cid], journal.lines[cid]
    sent = (folder / "sent.log").read_text().split()
    missing = [mid for mid in sent if not requests[mid]]
    check(not missing, f"{name}: each of {len(sent)} requests reached the venue: {missing[:3]}")
    check(max(requests.values()) == 1, f"{name}: no request was carried out twice")
    statuses: list[Any] = []
    for message in line:
        statuses += message.messages if isinstance(message, api.MessageBatch) else [message]
    acks = Counter(
        status.mid
        for status in statuses
        if isinstance(status, api.MessageStatus) and status.status == status.STATUS_ACKNOWLEDGED
    )
    check(set(acks) == set(requests), f"{name}: every request is acknowledged and every ACK is of one")
    check(max(acks.values()) == 1, f"{name}: each is acknowledged once")
    result.requests += len(requests)
    result.acknowledged += len(acks)


def _verify_log(name: str, folder: Path, line: list[Any], kills: int, result: RecoveryResult) -> None:
    """Each number of the line was told, in order; what was told twice was flagged, once a kill at most."""
    told = [entry.split() for entry in (folder / "told.log").read_text().splitlines()]
    expected = [
        f"run{message.run_id}" if isinstance(message, api.MessageRunChange) else str(sequence)
        for sequence, message in enumerate(line, 1)
    ]
    once: list[str] = []
    for what, flag in told:
        if once and what == once[-1]:
            check(flag == "1", f"{name}: {what} was told twice, and flagged the second time")
            result.repeated += 1
        else:
            once.append(what)
    flagged = sum(flag == "1" for _, flag in told)
    check(flagged <= kills, f"{name}: {flagged} messages flagged at {kills} kills")
    wrong = [place for place, (a, b) in enumerate(zip(once, expected, strict=False), 1) if a != b]
    check(not wrong, f"{name}: told in order, each once: not so at {wrong[:1]}")
    check(len(once) == len(expected), f"{name}: told {len(once)} of {len(expected)} messages")
    result.flagged += flagged
    result.messages += len(expected)


def _verify_file(
    name: str, folder: Path, line: list[Any], fills: Counter[int], tables: bool, result: RecoveryResult
) -> None:
    """The store is empty and at the line's end; the program's own tables are exact."""
    with closing(sqlite3.connect(folder / "store.db")) as file:

        def read(query: str) -> list[Any]:
            return file.execute(query).fetchall()

        left = read("SELECT mid FROM ledgerx_requests")
        check(not left, f"{name}: every request has ended: {left[:3]}")
        check(
            read("SELECT next FROM ledgerx_line") == [(len(line) + 1,)], f"{name}: the line's end is stored"
        )
        result.fills += sum(bool(getattr(message, "filled_size", 0)) for message in line)
        if not tables:
            return
        told = dict(read("SELECT sequence, print FROM told"))
        expected = {
            message.account_sequence: fingerprint(message)
            for message in line
            if not isinstance(message, api.MessageRunChange)
        }
        check(told == expected, f"{name}: its table has each message once, as the venue sent it")
        net = {contract: size for contract, size in read("SELECT * FROM net") if size}
        check(net == {c: size for c, size in fills.items() if size}, f"{name}: its positions {net}")
        result.reactions += read("SELECT count(*) FROM reactions")[0][0]
