"""1,000 commits of 10,000 candles, kept up: a day is scanned in twice a fresh warehouse's time at most.

The fresh one has the same candles, written in one commit a ticker. Scans of both alternate; medians compare.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Final

import numpy as np

from ledgerx.clock import SYSTEM_CLOCK, seeded_random
from ledgerx.history.candles import UNKNOWN, Candles
from ledgerx.history.maintenance import Maintenance
from ledgerx.history.sources import Instrument
from ledgerx.history.verification import verify
from ledgerx.history.warehouse import IcebergClient
from ledgerx.history.writer import Filled, WarehouseWriter

MINUTE_US: Final = 60_000_000
DAY: Final = 1440
TICKERS: Final = 8
SCANS: Final = 40
COST_MAX: Final = 2.0


def candles(ticker: int, first: int, count: int) -> Filled:
    """A ticker's minutes from a number on."""
    minute = np.arange(first, first + count, dtype=np.int64)
    price = 10_000 + (minute * 7919 + ticker) % 997
    volume = 1 + minute % 50
    made = Candles(
        60, minute * MINUTE_US, price, price + 5, price - 5, price + 1, volume, volume * price,
        np.full(count, 3, np.int64), volume // 2, volume - volume // 2, np.full(count, UNKNOWN),
        np.zeros(count, bool),
    )  # fmt: skip
    covered = (first * MINUTE_US, (first + count) * MINUTE_US)
    return Filled(Instrument(f"SOAK:{ticker}", 100, 1), 60, (covered,), made, "SOAK")


def build(uri: str, commits: int, rows: int) -> tuple[float, list[float]]:
    """Write it commit by commit, kept up; the seconds in all, and of each commit."""
    writer, upkeep = WarehouseWriter(uri), Maintenance(uri)
    writer.open()
    begun, each = SYSTEM_CLOCK.monotonic(), []
    for number in range(commits):
        ticker, place = number % TICKERS, number // TICKERS * rows
        before = SYSTEM_CLOCK.monotonic()
        writer.write([candles(ticker, place, rows)])
        each.append(SYSTEM_CLOCK.monotonic() - before)
        upkeep.after_commits(number + 1)
    upkeep.sweep(0)
    writer.close()
    upkeep.close()
    return SYSTEM_CLOCK.monotonic() - begun, each


def fresh(uri: str, commits: int, rows: int) -> None:
    """The same candles in one commit a ticker."""
    writer = WarehouseWriter(uri)
    writer.open()
    for ticker in range(TICKERS):
        parts = len(range(ticker, commits, TICKERS))
        writer.write([candles(ticker, 0, parts * rows)])
    writer.close()


def scan(client: IcebergClient, ticker: int, day: int) -> float:
    """The seconds of one day's scan."""
    span = (f"SOAK:{ticker}", 60, day * DAY * MINUTE_US, (day + 1) * DAY * MINUTE_US)
    begun = SYSTEM_CLOCK.monotonic()
    count = client.query_ohlc_arrow(*span).num_rows
    taken = SYSTEM_CLOCK.monotonic() - begun
    assert count == DAY, count
    return taken


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--commits", type=int, default=1000)
    parser.add_argument("--rows", type=int, default=10_000, help="of a commit")
    options = parser.parse_args()
    numbers = seeded_random(options.seed)
    with tempfile.TemporaryDirectory(prefix="ledgerx-warehouse-") as name:
        folder = Path(name)
        uris = []
        for part in ("kept", "fresh"):
            (folder / part).mkdir()
            uris.append(f"sqlite:///{folder / part}/catalog.db")
        seconds, each = build(uris[0], options.commits, options.rows)
        fresh(uris[1], options.commits, options.rows)
        days = options.commits // TICKERS * options.rows // DAY
        with IcebergClient(uris[0]) as kept, IcebergClient(uris[1]) as new:
            times: list[tuple[float, float]] = []
            for _ in range(SCANS):
                ticker, day = numbers.randrange(TICKERS), numbers.randrange(days)
                times.append((scan(kept, ticker, day), scan(new, ticker, day)))
            found = verify(kept)
        files = sum(1 for _ in (folder / "kept").rglob("*.parquet"))
    ours, theirs = (statistics.median(column) for column in zip(*times, strict=True))
    tenth = max(1, len(each) // 10)
    first, last = (statistics.median(part) * 1e3 for part in (each[:tenth], each[-tenth:]))
    print(
        f"candles {found.candles:,}, commits {options.commits:,} in {seconds:.0f} s"
        f" ({first:.0f} ms each at first, {last:.0f} ms at last), {files} data files,"
        f" faults {len(found.wrong)}, a day's scan {ours * 1e3:.1f} ms, fresh {theirs * 1e3:.1f} ms:"
        f" {ours / theirs:.2f} of at most {COST_MAX:g}",
        flush=True,
    )
    complete = found.candles == options.commits * options.rows
    return 0 if complete and found.ok and ours <= COST_MAX * theirs else 1


if __name__ == "__main__":
    sys.exit(main())
