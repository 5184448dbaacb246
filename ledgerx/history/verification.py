"""Whether a warehouse is sound: every file is there, no row twice, every candle possible and covered."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from ledgerx.errors import Error
from ledgerx.history.candles import UNKNOWN
from ledgerx.history.extras import needed
from ledgerx.history.periods import length_us, origin_us
from ledgerx.history.warehouse import IcebergClient

__all__ = ["Findings", "verify"]

_WHAT: Final = "the upkeep of a warehouse"


@dataclass
class Findings:
    """What was looked at, and what is wrong in words."""

    tickers: int = 0
    candles: int = 0
    wrong: list[str] = field(default_factory=list)
    uncovered: int = 0
    """Candles of no covered range: their writer died before it said so. They are fetched again."""

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.wrong


def verify(client: IcebergClient) -> Findings:
    """Read every candle, one ticker and period at a time. Raises WarehouseUnavailable, WarehouseError."""
    found = Findings()
    tickers: set[str] = set()
    ranges_of = {(ticker, period): ranges for ticker, period, ranges in client.coverage()}
    try:
        keys = client.keys()
    except Error as error:
        found.wrong.append(f"the candles cannot be read: {error}")
        keys = set()
    for ticker, period in sorted(keys | ranges_of.keys()):
        ranges = ranges_of.get((ticker, period), [])
        tickers.add(ticker)
        where = f"{ticker}, {period} s"
        try:
            rows = client.query_ohlc_arrow(ticker, period, 0, 253_402_300_800_000_000)
        except Error as error:
            found.wrong.append(f"{where}: cannot be read: {error}")
            continue
        found.candles += rows.num_rows
        found.wrong += [f"{where}: {count} candles {what}" for what, count in _faults(rows, period) if count]
        found.uncovered += _uncovered(rows, ranges)
        if client.instrument(ticker) is None:
            found.wrong.append(f"{where}: the instrument's scales are missing")
    found.tickers = len(tickers)
    return found


def _uncovered(rows: Any, ranges: list[tuple[int, int]]) -> int:
    np = needed("numpy", _WHAT)
    times = rows.column("timestamp").to_numpy()
    starts = np.array([start for start, _ in ranges], np.int64)
    ends = np.array([end for _, end in ranges], np.int64)
    if not ranges:
        return len(times)
    place = starts.searchsorted(times, side="right") - 1
    return int(np.count_nonzero((place < 0) | (times >= ends[place.clip(0)])))


def _faults(rows: Any, period_seconds: int) -> list[tuple[str, int]]:
    """How many candles have which fault."""
    np = needed("numpy", _WHAT)
    columns = {
        name: rows.column(name).fill_null(UNKNOWN).to_numpy()
        for name in ("timestamp", "open", "high", "low", "close", "volume", "buy_vol", "sell_vol")
    }
    times, volume = columns["timestamp"], columns["volume"]
    low, high = columns["low"], columns["high"]
    inside = [(low <= columns[name]) & (columns[name] <= high) for name in ("open", "close")]
    known = (columns["buy_vol"] != UNKNOWN) & (columns["sell_vol"] != UNKNOWN)
    parts = np.where(known, columns["buy_vol"] + columns["sell_vol"], volume)
    faults = {
        "are there twice": times[1:] == times[:-1],
        "do not start with a period": (times - origin_us(period_seconds)) % length_us(period_seconds) != 0,
        "have an open or close beyond low or high": ~(inside[0] & inside[1]),
        "have a negative volume": volume < 0,
        "have a volume that is not what was bought and sold": parts != volume,
    }
    return [(what, int(np.count_nonzero(wrong))) for what, wrong in faults.items()]
