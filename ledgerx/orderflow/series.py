"""What an engine kept of a session, as columns: the runtime's rows as NumPy arrays and Arrow tables."""

from __future__ import annotations

import math
import struct
from typing import Any

from ledgerx.errors import OrderflowArgError
from ledgerx.orderflow.extras import numpy, pyarrow

__all__ = ["SERIES", "array_of", "flow_of", "number_of", "table_of"]

Column = tuple[str, str]
VOLUMES: list[Column] = [("buy_volume", "<i8"), ("sell_volume", "<i8")]

# The order is that of the runtime's numbers; the columns are those of its rows.
SERIES: dict[str, list[Column]] = {
    "trades": [
        ("ts_exchange_ns", "<u8"),
        ("ts_recv_ns", "<u8"),
        ("sequence", "<u8"),
        ("price", "<i8"),
        ("size", "<i8"),
        ("cumulative_delta", "<i8"),
        ("aggressor", "<u4"),
        ("quality_flags", "<u4"),
    ],
    "candles": [
        ("start_ns", "<u8"),
        *[(name, "<i8") for name in ("open", "high", "low", "close")],
        *VOLUMES,
        ("cumulative_delta", "<i8"),
        ("trades", "<u8"),
    ],
    "footprint": [("start_ns", "<u8"), ("price", "<i8"), *VOLUMES],
    "profile": [("price", "<i8"), *VOLUMES],
    "vpin": [("end_ns", "<u8"), *VOLUMES, ("vpin", "<f8")],
}

FLOW = struct.Struct("=Q3dQ7d?7x")  # ofx_flow_t
FLOW_NAMES = (
    "trades",
    "vwap",
    "vwap_deviation",
    "vpin",
    "vpin_buckets_filled",
    "momentum_fast",
    "momentum_slow",
    "momentum_deviation",
    "absorption_bid",
    "absorption_ask",
    "top_imbalance",
    "microprice",
    "crossed",
)


def number_of(series: str) -> int:
    """The runtime's number of a series; OrderflowArgError for a name that there is not."""
    if series not in SERIES:
        raise OrderflowArgError(f"series {series!r} is unknown: use {', '.join(SERIES)}")
    return list(SERIES).index(series)


def array_of(series: str, rows: bytes) -> Any:
    """A NumPy structured array over the rows, without a copy."""
    np = numpy("a series of an engine")
    return np.frombuffer(rows, dtype=np.dtype(SERIES[series]))


def table_of(series: str, rows: bytes) -> Any:
    """A pyarrow Table of the rows; times in ns stay integers."""
    pa = pyarrow("a series of an engine as an Arrow table")
    array = array_of(series, rows)
    return pa.table({name: pa.array(array[name]) for name, _ in SERIES[series]})


def flow_of(figures: bytes) -> dict[str, Any]:
    """The derived figures by name; None for one without a value."""
    values = zip(FLOW_NAMES, FLOW.unpack(figures), strict=True)
    return {name: None if isinstance(value, float) and math.isnan(value) else value for name, value in values}
