"""How much of the journal is kept: for ever, the last records, or those of the last days.

Whole segments are deleted, and only those that two snapshots make unnecessary for a start.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ledgerx.errors import InvalidField
from ledgerx.exchange.segment_index import SegmentFacts

__all__ = ["RETAIN_ALL", "Retention"]

_UNITS_S: Final = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
_FORM = re.compile(r"(?P<number>[1-9][0-9]{0,14})(?P<unit>[dhms]?)")


@dataclass(frozen=True, slots=True)
class Retention:
    """At least the last `records` records and those of the last `age_ns` are kept; both 0: all are."""

    records: int = 0
    age_ns: int = 0

    @classmethod
    def parse(cls, text: str) -> Retention:
        """From `forever`, a number of records, or an age (30d, 12h, 90m, 600s). Raises InvalidField."""
        if text == "forever":
            return RETAIN_ALL
        match = _FORM.fullmatch(text)
        if match is None:
            raise InvalidField(
                f"{text!r} is no retention: say forever, a number of records (1000000), or an age (30d, 12h)",
                field="retain",
                value=text,
            )
        number, unit = int(match["number"]), match["unit"]
        return cls(age_ns=number * _UNITS_S[unit] * 10**9) if unit else cls(records=number)

    def first_kept(self, segments: Sequence[SegmentFacts], time: int) -> int:
        """The record before which nothing need be kept at engine time `time`; `segments` in order."""
        if self == RETAIN_ALL:
            return 0
        first = segments[-1].first
        if self.records:
            first = min(first, segments[-1].last - self.records + 1)
        if self.age_ns:
            young = [facts.first for facts in segments if facts.last_time > time - self.age_ns]
            first = min([first, *young])
        return first


RETAIN_ALL: Final = Retention()
"""Everything is kept."""
