"""A long range of one ticker in shards of whole UTC days, each made alone, anywhere; one writer commits.

`shard_candles` is the one function. `InProcess` runs it here, `OnRay` on a Ray cluster; nothing else changes.
A week derives from days: `weeks.fill_weeks` makes it once the shards of all its days are there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import gcd
from typing import Final, Protocol

from ledgerx.clock import SYSTEM_CLOCK, Clock
from ledgerx.errors import InvalidField, SourceFailed
from ledgerx.history.candles import Candles, concatenated, empty_candles, longer_candles
from ledgerx.history.extras import needed
from ledgerx.history.periods import (
    DAY_SECONDS,
    Range,
    bucket_start,
    check_period,
    check_range,
    check_ticker,
    length_us,
    merge,
)
from ledgerx.history.sources.named import open_source
from ledgerx.history.sources.source import Source
from ledgerx.history.writer import Filled, WarehouseWriter

__all__ = ["InProcess", "OnRay", "Runner", "Shard", "fill", "runner_of", "shard_candles", "shards_of"]

DAYS_A_SHARD: Final = 7


@dataclass(frozen=True, slots=True)
class Shard:
    """One ticker's whole UTC days, and the periods wanted of them. `source` is a text of `open_source`."""

    source: str
    ticker: str
    span: Range
    periods_seconds: tuple[int, ...]


class Runner(Protocol):
    """Runs the shard function over shards, in any order."""

    def run(self, shards: Sequence[Shard]) -> Iterator[list[Filled]]:
        """What each shard gave, as it comes."""


def shards_of(
    source: str,
    ticker: str,
    span: Range,
    periods_seconds: Iterable[int],
    days: int = DAYS_A_SHARD,
    *,
    clock: Clock = SYSTEM_CLOCK,
) -> list[Shard]:
    """The shards of a range, which is widened to whole days, and ends with the last period that has ended.

    Raises InvalidField for a period that does not divide a day.
    """
    check_ticker(ticker)
    start, end = check_range(*span)
    periods = sorted({check_period(period) for period in periods_seconds})
    for period in periods:
        if DAY_SECONDS % period:
            text = f"period_seconds {period}: shards make periods that divide a day, such as 60 or 3600"
            raise InvalidField(text, field="period_seconds", value=period)
    day = length_us(DAY_SECONDS)
    first, last = bucket_start(start, DAY_SECONDS), bucket_start(end + day - 1, DAY_SECONDS)
    last = min(last, bucket_start(clock.wall_ns() // 1000, gcd(*periods)))
    step = day * days
    return [
        Shard(source, ticker, (place, min(place + step, last)), tuple(periods))
        for place in range(first, last, step)
    ]


def shard_candles(shard: Shard, source: Source | None = None) -> list[Filled]:
    """The candles of a shard for every period, each with what is covered of it.

    The longest period that divides all of them comes from the source; they derive from it. Depends on nothing
    but the shard and its source, which is opened from its text unless given. Raises SourceFailed.
    """
    opened = source if source is not None else open_source(shard.source)
    try:
        name, _, symbol = shard.ticker.partition(":")
        if opened.name != name:
            kind = shard.source.rpartition("=")[2]
            text = f"{shard.ticker}: the source is called {opened.name}: give {opened.name}:{symbol}"
            raise SourceFailed(f"{text}, or call it {name}: {name}={kind}")
        instrument = opened.instrument(symbol)
        if instrument is None:
            raise SourceFailed(f"{name} has no symbol {symbol!r}")
        finest = gcd(*shard.periods_seconds)
        pages = list(opened.pages(symbol, finest, shard.span))
    finally:
        if source is None:
            opened.close()
    covered = merge(page.covered for page in pages if page.covered[0] < page.covered[1])
    parts = [page.candles for page in pages if len(page.candles)]
    candles = concatenated(parts) if parts else empty_candles(finest)
    filled = []
    for period in shard.periods_seconds:
        whole = [inner for one in covered if (inner := _whole(one, period))[0] < inner[1]]
        if whole:
            made = candles if period == finest else longer_candles(candles, period)
            made = _within(made, whole)
            filled.append(Filled(instrument, period, tuple(whole), made, name))
    return filled


class InProcess:
    """One shard after another, here."""

    def run(self, shards: Sequence[Shard]) -> Iterator[list[Filled]]:
        """As Runner.run."""
        return map(shard_candles, shards)


class OnRay:
    """Each shard as a task of a Ray cluster, whose machines must reach the source.

    Args:
        address: of the cluster; `auto` for the one this machine belongs to, `local` for one of its own.

    Raises MissingExtra without Ray.

    """

    def __init__(self, address: str = "auto") -> None:
        self._ray = needed("ray", "running shards on Ray", "ray")
        self._address = address

    def run(self, shards: Sequence[Shard]) -> Iterator[list[Filled]]:
        """As Runner.run; a task whose worker dies is run again by Ray."""
        ray = self._ray
        if not ray.is_initialized():
            ray.init(address=self._address, log_to_driver=False, include_dashboard=False)
        task = ray.remote(shard_candles)
        running = [task.remote(shard) for shard in shards]
        while running:
            done, running = ray.wait(running)
            for reference in done:
                yield ray.get(reference)


def runner_of(address: str | None) -> Runner:
    """The runner for a `--ray` address; None runs here."""
    return InProcess() if address is None else OnRay(address)


def fill(writer: WarehouseWriter, shards: Sequence[Shard], runner: Runner) -> Iterator[int]:
    """Run the shards and commit each as it comes; yields how many candles that were.

    What was committed stays where a later shard fails. Raises SourceFailed, WarehouseUnavailable.
    """
    for filled in runner.run(shards):
        if filled:
            writer.write(filled)
        yield sum(len(one.candles) for one in filled)


def _whole(span: Range, period_seconds: int) -> Range:
    """The whole periods in a range."""
    length = length_us(period_seconds)
    return bucket_start(span[0] + length - 1, period_seconds), bucket_start(span[1], period_seconds)


def _within(candles: Candles, ranges: Sequence[Range]) -> Candles:
    parts = [part for one in ranges if len(part := candles.between(*one))]
    return concatenated(parts) if parts else empty_candles(candles.period_seconds)
