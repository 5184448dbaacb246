"""Sequences and silence: which flags an event has."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

from ledgerx.orderflow.types import DataQualityFlags, ExternalFeedPolicy

__all__ = ["BLOCKING", "Quality", "names_of"]

NS_PER_MS = 1_000_000
BLOCKING = (
    DataQualityFlags.STALE_FEED
    | DataQualityFlags.SEQUENCE_GAP
    | DataQualityFlags.OUT_OF_ORDER
    | DataQualityFlags.ADAPTER_DEGRADED
)
COUNTERS = ("sequence_gaps", "duplicate_events", "late_events", "stale_events", "dropped_events")

Line = tuple[object, bool]
"""A symbol's key and whether its trades are meant, or its books."""


def names_of(flags: int) -> list[str]:
    """The names of the bits that have one, in their order."""
    return [flag.name for flag in DataQualityFlags if flag.name and flag & flags]


@dataclass
class Quality:
    """What an engine remembers of its feed."""

    policy: ExternalFeedPolicy = dataclasses.field(default_factory=ExternalFeedPolicy)
    enabled: bool = False
    reconnecting: bool = False
    last_ingest_ns: int = 0
    last_event_ns: int = 0
    remembered: dict[tuple[object, bool], int] = field(
        default_factory=dict
    )  # by symbol and whether of trades
    counters: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTERS, 0))

    def external(self, now_ns: int, event_ns: int) -> int:
        """The flags from outside an event; `event_ns` is 0 for a call without one."""
        flags = DataQualityFlags.ADAPTER_DEGRADED if self.reconnecting else DataQualityFlags.NONE
        before, now = (
            (self.last_event_ns, event_ns) if self.policy.event_time else (self.last_ingest_ns, now_ns)
        )
        if self.policy.stale_after_ms and before and now - before > self.policy.stale_after_ms * NS_PER_MS:
            flags |= DataQualityFlags.STALE_FEED
        return int(flags)

    def sequence(self, line: Line, sequence: int) -> int:
        """The flag of a sequence number, which is remembered unless it is late or again."""
        if not sequence or not self.policy.enforce_sequence:
            return 0
        symbol, of_trades = line
        key = (symbol, of_trades or self.policy.one_numbering)
        before = self.remembered.get(key, 0)
        if before and sequence <= before:
            self.counters["duplicate_events" if sequence == before else "late_events"] += 1
            return DataQualityFlags.OUT_OF_ORDER
        self.remembered[key] = sequence
        if before and sequence > before + 1:
            self.counters["sequence_gaps"] += 1
            return DataQualityFlags.SEQUENCE_GAP
        return 0

    def event(
        self, line: Line, caller: int, sequence: int, times: tuple[int, int], now_ns: int
    ) -> int | None:
        """All flags of an event, or None for one that the policy has dropped."""
        external = self.external(now_ns, times[0])
        flags = self.sequence(line, sequence)
        self.enabled = True
        self.last_ingest_ns = now_ns
        self.last_event_ns = max(self.last_event_ns, times[0])
        if flags & DataQualityFlags.OUT_OF_ORDER and self.policy.drop_duplicates:
            self.counters["dropped_events"] += 1
            return None
        self.counters["stale_events"] += bool(external & DataQualityFlags.STALE_FEED)
        skew_ms = self.policy.clock_skew_max_ms
        if skew_ms and all(times) and abs(times[0] - times[1]) > skew_ms * NS_PER_MS:
            flags |= DataQualityFlags.CLOCK_SKEW
        return int(flags | external | caller)

    def set_reconnecting(self, reconnecting: bool) -> None:
        """Note it; the sequences may be forgotten when it ends."""
        if self.reconnecting and not reconnecting and self.policy.reset_after_reconnect:
            self.remembered.clear()
        self.enabled = True
        self.reconnecting = reconnecting
