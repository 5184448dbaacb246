"""Candles as files and text: CSV, Parquet, JSON lines, and rows for people."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ledgerx.errors import InvalidData
from ledgerx.history.extras import needed
from ledgerx.history.words import time_text

if TYPE_CHECKING:
    import pyarrow as pa

    from ledgerx.history.sources.source import Instrument

__all__ = ["decimal_text", "json_lines", "readable_rows", "write_csv", "write_parquet"]


def write_csv(rows: pa.Table, path: str | Path) -> None:
    """An Arrow table of candles as CSV, whole numbers as they are. Raises InvalidData where it cannot."""
    _written(lambda: needed("pyarrow.csv", "candles as CSV").write_csv(rows, str(path)), path)


def write_parquet(rows: pa.Table, path: str | Path) -> None:
    """The same as Parquet."""
    _written(lambda: needed("pyarrow.parquet", "candles as Parquet").write_table(rows, str(path)), path)


def json_lines(rows: pa.Table) -> Iterator[str]:
    """One JSON object a candle."""
    for batch in rows.to_batches(max_chunksize=10_000):
        yield from map(json.dumps, batch.to_pylist())


def readable_rows(rows: pa.Table, instrument: Instrument | None) -> Iterator[tuple[str, ...]]:
    """Time, open, high, low, close and volume of each candle, in decimals where the scales are known."""
    price, size = (instrument.price_scale, instrument.size_scale) if instrument else (1, 1)
    for row in rows.to_pylist():
        prices = (decimal_text(row[name], price) for name in ("open", "high", "low", "close"))
        partial = " (partial)" if row["is_partial"] else ""
        yield time_text(row["timestamp"]) + partial, *prices, decimal_text(row["volume"], size)


def decimal_text(value: int, scale: int) -> str:
    """A whole number of `1 / scale`, a power of ten, as a decimal; of another scale, as a fraction."""
    digits = len(str(scale)) - 1
    if scale != 10**digits:
        return f"{value}/{scale}"
    sign, whole = "-" if value < 0 else "", abs(value)
    return f"{sign}{whole // scale}" + (f".{whole % scale:0{digits}d}" if digits else "")


def _written(write: Any, path: str | Path) -> None:
    try:
        write()
    except OSError as error:
        raise InvalidData(f"{path} cannot be written: {error}", file=str(path)) from error
