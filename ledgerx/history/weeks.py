"""Weeks of a warehouse, made of its days once all seven of a week are there."""

from __future__ import annotations

from typing import Any, Final

from ledgerx.history.candles import COLUMNS, UNKNOWN, Candles, longer_candles
from ledgerx.history.extras import needed
from ledgerx.history.periods import (
    DAY_SECONDS,
    WEEK_SECONDS,
    Range,
    bucket_start,
    check_range,
    length_us,
)
from ledgerx.history.warehouse import IcebergClient
from ledgerx.history.writer import Filled, WarehouseWriter

__all__ = ["fill_weeks"]

_WEEK_US: Final = length_us(WEEK_SECONDS)


def fill_weeks(writer: WarehouseWriter, ticker: str, span: Range) -> int:
    """Commit the weeks that a range touches and whose days are covered; returns how many candles that were.

    A week begins on Monday 00:00 UTC. One that lacks a day is not made, and stays missing.
    Raises WarehouseUnavailable, InvalidField for a range or ticker that is none.
    """
    start, end = check_range(*span)
    touched = bucket_start(start, WEEK_SECONDS), bucket_start(end + _WEEK_US - 1, WEEK_SECONDS)
    with IcebergClient(writer.uri, writer.namespace) as reader:
        covered = reader.covered_within(ticker, DAY_SECONDS, touched)
        whole = [weeks for days in covered if (weeks := _whole_weeks(days))[0] < weeks[1]]
        instrument = reader.instrument(ticker)
        if instrument is None:
            return 0
        filled = []
        for weeks in whole:
            days = _candles(reader.query_ohlc_arrow(ticker, DAY_SECONDS, *weeks))
            made = longer_candles(days, WEEK_SECONDS)
            filled.append(Filled(instrument, WEEK_SECONDS, (weeks,), made, ticker.partition(":")[0]))
    if filled:
        writer.write(filled)
    return sum(len(one.candles) for one in filled)


def _whole_weeks(days: Range) -> Range:
    return bucket_start(days[0] + _WEEK_US - 1, WEEK_SECONDS), bucket_start(days[1], WEEK_SECONDS)


def _candles(rows: Any) -> Candles:
    """A warehouse's answer as candles."""
    np = needed("numpy", "candles")
    columns = {name: rows.column(name).fill_null(UNKNOWN).to_numpy().astype(np.int64) for name in COLUMNS}
    return Candles(DAY_SECONDS, **columns, is_partial=rows.column("is_partial").to_numpy())
