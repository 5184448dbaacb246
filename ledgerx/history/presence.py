"""Which periods of a range have a candle, in few numbers: the lengths of runs without and with, in turn."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ledgerx.history.periods import Range, length_us

__all__ = ["are_runs", "count_between", "runs_of"]


def runs_of(timestamps: Iterable[int], within: Range, period_seconds: int) -> list[int]:
    """The runs of a range of whole periods, from the candles' timestamps in order."""
    length = length_us(period_seconds)
    runs: list[int] = []
    place = 0
    for timestamp in timestamps:
        number = (timestamp - within[0]) // length
        if runs and number == place:
            runs[-1] += 1
        else:
            runs += [number - place, 1]
        place = number + 1
    return runs


def are_runs(runs: Sequence[int], within: Range, period_seconds: int) -> bool:
    """Whether numbers that came from elsewhere are runs of a range."""
    return len(runs) % 2 == 0 and sum(runs) <= (within[1] - within[0]) // length_us(period_seconds)


def count_between(runs: Sequence[int], within: Range, period_seconds: int, wanted: Range) -> int:
    """How many candles of a range `wanted` are in the runs of the range `within`."""
    length = length_us(period_seconds)
    first, last = ((time - within[0]) // length for time in wanted)
    count = place = 0
    for without, having in zip(runs[::2], runs[1::2], strict=True):
        start = place + without
        place = start + having
        count += max(0, min(place, last) - max(start, first))
    return count
