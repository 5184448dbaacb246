"""What must hold of a market once it is at rest: each check is a promise of the protocol."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ledgerx.api.client.v0_0_1 import MessageRunChange, MessageStatus
from ledgerx.clob._reference import Book as ReferenceBook
from ledgerx.exchange.engine import Engine
from ledgerx.exchange.journal_pb2 import Record
from ledgerx.exchange.recovery import execute_again
from ledgerx.testing.checks import check
from ledgerx.testing.simulator.audit_client import audit_client
from ledgerx.testing.simulator.client import Client
from ledgerx.testing.simulator.ledger import Ledger

REFERENCE_EVERY = 8
"""Of so many seeds one's journal is executed again with the reference book."""

if TYPE_CHECKING:
    from ledgerx.testing.simulator.course import Course

__all__ = ["audit"]


def audit(course: Course) -> None:
    """Check everything. Raises VerificationFailed."""
    venue = course.venue.venue
    ledger = Ledger(venue.journal.records())
    for client in course.clients:
        audit_client(client, venue.engine, ledger)
    _executed_once(course, ledger)
    _runs_are_told(venue.engine, ledger)
    _sizes_add_up(venue.engine, ledger)
    _positions_sum_to_zero(venue.engine, ledger)
    if course.plan.seed % REFERENCE_EVERY == 0:
        _same_with_the_reference_book(venue.journal.records())
        course.counts["journals executed with the reference book"] += 1
    _count(course, ledger)


def _same_with_the_reference_book(records: Iterator[Record]) -> None:
    """Raises JournalDiverged where the book in Python gives other bytes than the one in C."""
    engine = Engine(book_factory=ReferenceBook)  # type: ignore[arg-type]
    for _ in execute_again(engine, records):
        pass


def _executed_once(course: Course, ledger: Ledger) -> None:
    for cid, acks in ledger.acks.items():
        twice = [mid for mid, count in acks.items() if count > 1]
        check(not twice, f"each mid is executed once; account {cid} had {twice[:3]} more than once")
        requests = Counter(ledger.requests.get(cid, [])) + Counter(ledger.members.get(cid, []))
        twice = [mid for mid, count in requests.items() if count > 1]
        check(not twice, f"each mid is journaled once; account {cid} had {twice[:3]} more than once")
        known = {sent.mid for client in _clients(course, cid) for life in client.lives for sent in life.sent}
        strange = set(requests) - known
        check(not strange, f"what is executed was asked for under that mid, not {sorted(strange)[:3]}")


def _runs_are_told(engine: Any, ledger: Ledger) -> None:
    """Every account's line has each change of run, once, after the reports that ended the run's orders."""
    for cid in engine.accounts:
        changes = [m.run_id for m in ledger.line(cid) if isinstance(m, MessageRunChange)]
        check(
            changes == list(range(2, ledger.runs + 1)), f"account {cid} is told of each of {ledger.runs} runs"
        )
        runs = [message.run_id for message in ledger.line(cid)]
        check(runs == sorted(runs), f"account {cid}'s line goes from run to run")


def _clients(course: Course, cid: int) -> list[Client]:
    return [client for client in course.clients if client.cid == cid]


def _sizes_add_up(engine: Any, ledger: Ledger) -> None:
    for cid, account in engine.accounts.items():
        orders: dict[int, list[Any]] = {}
        for report in ledger.reports(cid):
            orders.setdefault(report.order_id, []).append(report)
        for order_id, reports in orders.items():
            last = reports[-1]
            filled = sum(report.filled_size for report in reports)
            canceled = sum(report.canceled_size for report in reports)
            resting = account.orders[order_id].open_size if order_id in account.orders else 0
            check(
                last.size == resting,
                f"order {order_id} rests with {resting}, as its last report says: {last}",
            )
            check(
                filled + canceled + resting == last.original_size,
                f"order {order_id}: {filled} filled + {canceled} canceled + {resting} resting"
                f" = {last.original_size}",
            )


def _positions_sum_to_zero(engine: Any, ledger: Ledger) -> None:
    positions: Counter[int] = Counter()
    fills: Counter[int] = Counter()
    for cid, account in engine.accounts.items():
        told: Counter[int] = Counter()
        for report in ledger.reports(cid):
            told[report.contract_id] += -report.filled_size if report.is_ask else report.filled_size
            if report.filled_size:
                fills[report.trade_id] += 1
        for contract_id, holding in account.holdings.items():
            check(holding.position == told[contract_id], f"account {cid}'s position is what it was told")
            positions[contract_id] += holding.position
    check(not any(positions.values()), f"positions sum to zero, not {dict(positions)}")
    check(set(fills.values()) <= {2}, "a trade is told to its two sides, once each")
    check(
        fills.keys() == ledger.trades.keys() and all(len(told) == 1 for told in ledger.trades.values()),
        "a trade is told to the public once",
    )


def _count(course: Course, ledger: Ledger) -> None:
    counts = course.counts
    counts["records"] += ledger.records
    counts["line messages"] += sum(map(len, ledger.lines.values()))
    counts["batches"] += sum(map(bool, ledger.members.values()))
    counts["requests executed"] += sum(map(len, ledger.requests.values()))
    for status, count in ledger.statuses.items():
        if status >= 400:
            counts["refusals"] += count
    counts["requests expired"] += ledger.statuses[MessageStatus.STATUS_REQUEST_EXPIRED]
    for client in course.clients:
        for life in client.lives:
            counts["books resynchronised"] += sum(book.resynchronisations for book in life.books)
