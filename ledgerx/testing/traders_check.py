"""What must hold after traders traded at once: their own accounts of it against each other and the journal.

Nothing here believes the SDK: what a client was told is compared, message for message, with what the venue
wrote before it sent it.
"""

from __future__ import annotations

import zlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ledgerx.api.client import v0_0_1 as api
from ledgerx.exchange.journal import Journal
from ledgerx.exchange.journal_pb2 import Record
from ledgerx.protocol import wire
from ledgerx.testing.checks import check

__all__ = [
    "ClientResult",
    "TradersResult",
    "fingerprint",
    "net_fills",
    "trader_name",
    "verify_traders",
]


@dataclass
class ClientResult:
    """What one client sent and was told; sizes in lots.

    `line` has a fingerprint of what it was told under each number from 1 to the head, `replayed` one of
    what a replay gave for it.
    """

    orders: int = 0
    cancels: int = 0
    sent: list[str] = field(default_factory=list)  # mids, cancels included
    acknowledged: list[str] = field(default_factory=list)  # mids, in the order of their ACKs
    sent_size: int = 0
    filled_size: int = 0
    canceled_size: int = 0
    refused_size: int = 0
    resting_size: int = 0
    wrong: int = 0  # orders whose own reports do not add up
    positions: dict[str, int] = field(default_factory=dict)  # as the venue says, by contract
    net_fills: dict[str, int] = field(default_factory=dict)  # as the reports say
    lost: int = 0  # numbers of the account's line missing, doubled or out of order
    line: list[int] = field(default_factory=list)
    replayed: list[int] = field(default_factory=list)
    run_changes: int = 0


@dataclass
class TradersResult:
    """The sums over all clients, and what the venue's journal says."""

    orders: int = 0
    cancels: int = 0
    acknowledged: int = 0
    trades: int = 0
    sent_size: int = 0
    filled_size: int = 0
    canceled_size: int = 0
    refused_size: int = 0
    resting_size: int = 0
    run_changes: int = 0
    sequences: int = 0
    lost: int = 0
    kills: int = 0


def trader_name(number: int) -> str:
    """The account of client `number`."""
    return f"trader-{number}"


def fingerprint(message: Any) -> int:
    """A checksum of a message; 0 for a run change, of which a client is told no message, and for None."""
    if message is None or isinstance(message, api.MessageRunChange):
        return 0
    return zlib.crc32(wire.encode_message(message))


def net_fills(reports: Mapping[str, Iterable[Any]]) -> dict[str, int]:
    """Lots bought less lots sold, by contract, of the reports of each mid."""
    net: Counter[str] = Counter()
    for of_order in reports.values():
        for report in of_order:
            net[str(report.contract_id)] += -report.filled_size if report.is_ask else report.filled_size
    return dict(net)


def verify_traders(results: list[ClientResult], data_dir: Path, *, kills: int) -> TradersResult:
    """The sums, once everything holds. `data_dir` is a stopped venue's that was killed `kills` times.

    Raises VerificationFailed at the first thing that does not hold.
    """
    written = _Written(data_dir)
    check(written.runs == kills + 1, f"{kills} kills make {kills + 1} runs: {written.runs}")
    written.verify_trades()
    total = TradersResult(kills=kills, trades=len(written.trades))
    net: Counter[str] = Counter()
    for number, result in enumerate(results):
        _verify_client(f"client {number}", result, written.lines[written.cids[trader_name(number)]], kills)
        net.update(result.positions)
        total.acknowledged += len(result.acknowledged)
        total.sequences += len(result.line)
        for name in ("orders", "cancels", "lost", "run_changes"):
            setattr(total, name, getattr(total, name) + getattr(result, name))
        for name in ("sent_size", "filled_size", "canceled_size", "refused_size", "resting_size"):
            setattr(total, name, getattr(total, name) + getattr(result, name))
    check(not any(net.values()), f"positions sum to zero over the accounts: {dict(net)}")
    traded = sum(size for size, _price in written.trades.values())
    check(total.filled_size == 2 * traded > 0, f"{traded} lots were traded, filled {total.filled_size}")
    written.verify_requests([mid for result in results for mid in result.acknowledged])
    return total


def _verify_client(name: str, result: ClientResult, line: list[int], kills: int) -> None:
    """One client's own account of it, and `line`, what the journal has for it."""
    acknowledged = Counter(result.acknowledged)
    missing = [mid for mid in result.sent if not acknowledged[mid]]
    check(not missing, f"{name}: everything sent was acknowledged: {missing[:3]}")
    check(max(acknowledged.values()) == 1, f"{name}: each ACK was dispatched once")
    check(result.wrong == 0, f"{name}: sent = filled + canceled + refused + resting, each order")
    positions = {contract: size for contract, size in result.positions.items() if size}
    fills = {contract: size for contract, size in result.net_fills.items() if size}
    check(positions == fills, f"{name}: its positions {positions} are the sums of its fills {fills}")
    check(result.lost == 0, f"{name}: its line of {len(result.line)} came in order, each number once")
    check(result.run_changes == kills, f"{name}: {kills} run changes")
    check(line.count(0) == kills, f"{name}: the journal has {kills} run changes in its line")
    for source, told in (("told", result.line), ("replayed", result.replayed)):
        check(
            len(told) == len(line), f"{name}: was {source} {len(told)} of the journal's {len(line)} messages"
        )
        other = [place + 1 for place, (a, b) in enumerate(zip(told, line, strict=True)) if a != b]
        check(not other, f"{name}: was {source} under {other[:3]} what the journal has there")


class _Written:
    """What a venue's journal says, read once."""

    def __init__(self, data_dir: Path) -> None:
        self.cids: dict[str, int] = {}
        self.lines: dict[int, list[int]] = defaultdict(list)
        self.requests: Counter[str] = Counter()
        self.requests_of_run: list[int] = []
        self.trades: dict[int, tuple[int, int]] = {}  # size and price by trade_id
        self._sides: dict[int, list[Any]] = defaultdict(list)
        journal = Journal.open(data_dir / "journal")
        try:
            for record in journal.records():
                self._read(record)
        finally:
            journal.close()

    @property
    def runs(self) -> int:
        return len(self.requests_of_run)

    def _read(self, record: Record) -> None:
        match record.input.WhichOneof("kind"):
            case "account_add":
                self.cids[record.input.account_add.name] = record.input.account_add.cid
            case "run_start":
                self.requests_of_run.append(0)
            case "request":
                self.requests[str(wire.decode_message(record.input.request.message).mid)] += 1
                self.requests_of_run[-1] += 1
        for output in record.outputs:
            if output.cid:
                self._read_output(output.cid, output.sequence, wire.decode_message(output.message))

    def _read_output(self, cid: int, sequence: int, message: Any) -> None:
        line = self.lines[cid]
        check(sequence == len(line) + 1, f"the journal's line of account {cid} has no hole at {sequence}")
        line.append(fingerprint(message))
        if isinstance(message, api.MessageActionReport) and message.filled_size:
            self._sides[message.trade_id].append(message)

    def verify_trades(self) -> None:
        """Each trade has a buyer and a seller who were told the same of it."""
        for trade_id, sides in self._sides.items():
            told = {(side.filled_size, side.filled_price_in_cents, side.contract_id) for side in sides}
            check(sorted(side.is_ask for side in sides) == [False, True], f"trade {trade_id} has two sides")
            check(len(told) == 1, f"both sides of trade {trade_id} are told the same: {told}")
            self.trades[trade_id] = (sides[0].filled_size, sides[0].filled_price_in_cents)

    def verify_requests(self, acknowledged: list[str]) -> None:
        """What was acknowledged was executed, once; and each run has executed something."""
        missing = [mid for mid in acknowledged if not self.requests[mid]]
        check(not missing, f"every acknowledged message is in the journal: {missing[:3]}")
        check(max(self.requests.values()) == 1, "each mid was executed at most once")
        check(
            all(self.requests_of_run), f"the kill came in the middle: {self.requests_of_run} requests a run"
        )
