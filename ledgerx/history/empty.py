"""Candles of periods in which nothing was traded: none is kept, they are made where they are asked for.

Such a candle has the close before it for its four prices, the open interest before it, and no volume. A
period that is in no covered range may have been traded in: it gets none.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from ledgerx.history.candles import SUMS
from ledgerx.history.extras import needed
from ledgerx.history.periods import Range, length_us

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["with_empty"]

_PRICES: Final = ("open", "high", "low")


def with_empty(
    rows: pa.Table, before: pa.Table, period_seconds: int, covered: Sequence[Range], span: Range
) -> pa.Table:
    """Candles with those of the periods without trades.

    Args:
        rows: candles in order of time, as IcebergClient.query_ohlc_arrow returns them.
        before: the last one before them in their covered range, or none: a period without trades before the
            first is then left out.
        period_seconds: theirs.
        covered: all ranges that are covered.
        span: the range of whole periods to fill.

    """
    np = needed("numpy", "candles")
    pa = needed("pyarrow", "candles")
    known = pa.concat_tables([before, rows]).combine_chunks()
    times = known.column("timestamp").to_numpy()
    length = length_us(period_seconds)
    parts = [
        (np.arange(start, end, length, dtype=np.int64), floor) for floor, start, end in _within(covered, span)
    ]
    wanted = np.concatenate([np.empty(0, np.int64), *(periods for periods, _ in parts)])
    floors = np.concatenate([np.empty(0, np.int64), *(np.full(len(one), floor) for one, floor in parts)])
    place = times.searchsorted(wanted, side="right") - 1
    # What is before a hole says nothing of what is behind it.
    there = (place >= 0) & (times[place.clip(0)] >= floors) if len(times) else np.zeros(len(wanted), bool)
    wanted = np.union1d(wanted[there], rows.column("timestamp").to_numpy())
    place = times.searchsorted(wanted, side="right") - 1
    empty = times[place] != wanted
    taken = known.take(pa.array(place))
    columns: dict[str, Any] = {name: taken.column(name) for name in taken.column_names}
    close, none = columns["close"].to_numpy(), np.zeros(len(wanted), np.int64)
    made = dict.fromkeys(_PRICES, close) | dict.fromkeys(("volume", *SUMS), none)
    choose = needed("pyarrow.compute", "candles").if_else
    for name, values in made.items():
        columns[name] = choose(pa.array(empty), pa.array(values), columns[name].combine_chunks())
    columns["timestamp"] = pa.array(wanted)
    columns["is_partial"] = pa.array(columns["is_partial"].to_numpy() & ~empty)
    return pa.table(columns)


def _within(covered: Sequence[Range], span: Range) -> list[tuple[int, int, int]]:
    """Where each covered range begins, and what of it is in another range."""
    clipped = [(start, max(start, span[0]), min(end, span[1])) for start, end in covered]
    return [one for one in clipped if one[1] < one[2]]
