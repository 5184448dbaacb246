"""What came of a flow: the venue's reports held against the recording. No I/O.

An execution of the file came out if the orders sent for it filled whole at the recorded price. It hit
its order if the resting side of every trade it made is the order the file names; that is read off the
venue's own reports, in which both sides of a trade carry the same trade_id.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from ledgerx.api.client import v0_0_1 as api
from ledgerx.testing.flow.planner import Plan
from ledgerx.testing.flow.steps import Action, Step

__all__ = ["FlowResult", "Tally"]


@dataclass(frozen=True)
class FlowResult:
    """The counts a flow ends with.

    `orders` are the traders' new orders and `house_orders` the house's; `fills` are trades. `executions`
    are the file's, `executions_same` those that came out at its price and size; `shown` those whose
    order the file has shown, `shown_hit` those of them that hit that very order. `refused` counts
    requests the venue refused, `first_refusal` is its sentence on the first. `batches` and `waves` tell
    how the steps travelled, `seconds` how long it took.
    """

    rows: int
    orders: int
    house_orders: int
    reductions: int
    cancels: int
    requeued: int
    fills: int
    executions: int
    executions_same: int
    shown: int
    shown_hit: int
    hidden_executions: int
    refused: int
    first_refusal: str
    batches: int
    waves: int
    seconds: float

    @property
    def as_recorded(self) -> bool:
        """Whether nothing was refused and every recorded execution came out at its price and size."""
        return not self.refused and self.executions_same == self.executions


class _Trade(NamedTuple):
    price: int
    size: int
    trade_id: int


class Tally:
    """Told of every step that leaves and every report that arrives, from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._mids: dict[int, str] = {}
        self._executions: dict[int, list[tuple[Step, str]]] = defaultdict(list)
        self._trades: dict[str, list[_Trade]] = defaultdict(list)
        self._resting: dict[int, str] = {}
        self._refusals: list[str] = []
        self.batches = 0
        self.waves = 0

    def sent(self, step: Step, mid: str) -> None:
        """An order leaves under this message ID."""
        with self._lock:
            self._mids[step.order] = mid
            if step.action is Action.EXECUTE:
                self._executions[step.row].append((step, mid))

    def mid(self, order: int) -> str:
        """The message ID of an order that was sent. Raises KeyError for any other."""
        return self._mids[order]

    def reported(self, report: api.MessageActionReport) -> None:
        """An action report arrived at one of the flow's accounts."""
        if not report.filled_size:
            return
        with self._lock:
            if report.is_aggressor:
                trade = _Trade(report.filled_price_in_cents, report.filled_size, report.trade_id)
                self._trades[report.mid].append(trade)
            else:
                self._resting[report.trade_id] = report.mid

    def answered(self, status: api.MessageStatus) -> None:
        """A status arrived; one from 400 on is a refusal."""
        if status.status >= api.MessageStatus.STATUS_MALFORMED:
            with self._lock:
                self._refusals.append(f"{status.status}: {status.message}")

    def result(self, plan: Plan, seconds: float) -> FlowResult:
        """The counts so far."""
        with self._lock:
            steps = self._executions.values()
            same = [self._came_out(row) for row in steps]
            hit = [self._hit(row) for row in steps if row[0][0].shown]
            return FlowResult(
                rows=plan.rows,
                orders=plan.orders,
                house_orders=plan.house_orders,
                reductions=plan.reductions,
                cancels=plan.cancels,
                requeued=plan.requeued,
                fills=sum(len(trades) for trades in self._trades.values()),
                executions=plan.executions,
                executions_same=sum(same),
                shown=len(hit),
                shown_hit=sum(hit),
                hidden_executions=plan.hidden_executions,
                refused=len(self._refusals),
                first_refusal=self._refusals[0] if self._refusals else "",
                batches=self.batches,
                waves=self.waves,
                seconds=seconds,
            )

    def _came_out(self, row: Iterable[tuple[Step, str]]) -> bool:
        return all(
            sum(trade.size for trade in self._trades.get(mid, ())) == step.size
            and all(trade.price == step.price for trade in self._trades.get(mid, ()))
            for step, mid in row
        )

    def _hit(self, row: Iterable[tuple[Step, str]]) -> bool:
        return all(
            mid in self._trades
            and all(
                self._resting.get(trade.trade_id) == self._mids[step.expected] for trade in self._trades[mid]
            )
            for step, mid in row
        )
