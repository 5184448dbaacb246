"""How often an account may ask what never reaches the engine: as often as it may ask the engine.

What the engine is asked counts there, in the journal. What is refused before, and subscriptions, count here,
each account's sessions together; a venue that is started again begins anew.
"""

from __future__ import annotations

from typing import Final

from ledgerx.exchange import journal_pb2

__all__ = ["AskRate"]

_BILLION: Final = 1_000_000_000


class AskRate:
    """A token bucket for each account, in billionths of a request."""

    def __init__(self) -> None:
        self._debts: dict[int, tuple[int, int]] = {}  # as of a time, ns

    def take(self, cid: int, time: int, limits: journal_pb2.Limits) -> bool:
        """Count one more at a time (ns); whether the account may ask it."""
        debt, since = self._debts.get(cid, (0, time))
        debt = max(debt - (time - since) * limits.requests_per_second_max, 0) + _BILLION
        allowed = debt <= limits.requests_burst_max * _BILLION
        self._debts[cid] = (debt if allowed else debt - _BILLION, time)
        return allowed
