"""Trades to candles, and candles to longer ones: pure functions over columns of whole numbers.

One shard is the trades of one ticker in a range of time; `candles_of` makes its candles of every period, the
longer ones from the shorter where they divide. Sums are exact: where one could pass 64 bits, InvalidData says
so. Trades at the same time count in the order they came in.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ledgerx.errors import InvalidData
from ledgerx.history.extras import needed
from ledgerx.history.periods import Range, check_period, derives_from, length_us, origin_us

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Integers = npt.NDArray[np.int64]
    Flags = npt.NDArray[np.bool_]

__all__ = [
    "COLUMNS",
    "EVER",
    "SUMS",
    "UNKNOWN",
    "Candles",
    "Trades",
    "candles_of",
    "concatenated",
    "empty_candles",
    "longer_candles",
]

COLUMNS = (
    "timestamp",
    "open",
    "high",
    "low",
    "close",
    "volume",
    "quote_volume",
    "trade_count",
    "buy_vol",
    "sell_vol",
    "open_interest",
)
"""The whole numbers of a candle, in the order in which tables have them."""

SUMS = ("volume", "quote_volume", "trade_count", "buy_vol", "sell_vol")
UNKNOWN = -(2**63)
"""Stands for a number that the source does not tell; null in tables."""

EVER: Range = (-(2**62), 2**62)
_INT64_MAX = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Trades:
    """Trades in columns.

    `timestamp` is in microseconds since 1970 UTC, `price` in ticks, `size` in lots; `bought` says whether
    the aggressor bought. Each an array of the same length: int64, and bool.
    """

    timestamp: Integers
    price: Integers
    size: Integers
    bought: Flags

    def __len__(self) -> int:
        return len(self.timestamp)

    def between(self, start_time: int, end_time: int) -> Trades:
        """Those of a range of time; they must be in order of time."""
        first, last = self.timestamp.searchsorted([start_time, end_time])
        cut = slice(int(first), int(last))
        return Trades(self.timestamp[cut], self.price[cut], self.size[cut], self.bought[cut])

    def ordered(self) -> Trades:
        """The same in order of time; those of one time stay in the order they are in."""
        if bool((self.timestamp[1:] >= self.timestamp[:-1]).all()):
            return self
        order = self.timestamp.argsort(kind="stable")
        return Trades(self.timestamp[order], self.price[order], self.size[order], self.bought[order])


@dataclass(frozen=True, slots=True)
class Candles:
    """Candles of one period in columns, in order of time; a period without trades has none.

    Prices are ticks, volumes lots, quote_volume ticks times lots; `buy_vol` and `sell_vol` are what
    aggressors bought and sold, `open_interest` that at the end. What the source does not tell is UNKNOWN.
    `is_partial` says that trades of the period may be missing. Arrays of int64, and bool.
    """

    period_seconds: int
    timestamp: Integers
    open: Integers
    high: Integers
    low: Integers
    close: Integers
    volume: Integers
    quote_volume: Integers
    trade_count: Integers
    buy_vol: Integers
    sell_vol: Integers
    open_interest: Integers
    is_partial: Flags

    def __len__(self) -> int:
        return len(self.timestamp)

    def columns(self) -> tuple[Integers, ...]:
        """The columns of COLUMNS."""
        return tuple(getattr(self, name) for name in COLUMNS)

    def between(self, start_time: int, end_time: int) -> Candles:
        """Those whose timestamps are in a range."""
        first, last = self.timestamp.searchsorted([start_time, end_time])
        return self.sliced(int(first), int(last))

    def sliced(self, first: int, last: int) -> Candles:
        """Those from one place to another."""
        columns = [column[first:last] for column in self.columns()]
        return _in_columns(self.period_seconds, columns, self.is_partial[first:last])

    def marked(self, complete: Range) -> Candles:
        """The same, also those partial that are not wholly in a range."""
        ends = self.timestamp + length_us(self.period_seconds)
        outside = (self.timestamp < complete[0]) | (ends > complete[1])
        return replace(self, is_partial=self.is_partial | outside)


def candles_of(trades: Trades, periods_seconds: Iterable[int], complete: Range = EVER) -> dict[int, Candles]:
    """The candles of every period.

    Args:
        trades: of one ticker, in any order of time.
        periods_seconds: each from 1 to PERIOD_SECONDS_MAX; any, whether or not they divide each other.
        complete: the range of which all trades are there; a candle not wholly in it is partial.

    Raises InvalidField for a period that is none, InvalidData for sums that 64 bits do not hold.

    """
    periods = sorted({check_period(period) for period in periods_seconds})
    trades = trades.ordered()
    made: dict[int, Candles] = {}
    for period in periods:
        finer = [known for known in made if derives_from(period, known)]
        if finer:
            made[period] = longer_candles(made[max(finer)], period, complete)
        else:
            made[period] = _from_trades(trades, period).marked(complete)
    return made


def longer_candles(candles: Candles, period_seconds: int, complete: Range = EVER) -> Candles:
    """Candles of a longer period from those of one that divides it.

    Raises InvalidData where it does not, or for sums that 64 bits do not hold.
    """
    if not derives_from(check_period(period_seconds), candles.period_seconds):
        raise InvalidData(
            f"candles of {period_seconds} s cannot be made of candles of {candles.period_seconds} s:"
            " name a whole multiple"
        )
    np = needed("numpy", "candles")
    if not len(candles):
        return replace(candles, period_seconds=period_seconds)
    first, last, starts = _groups(np, candles.timestamp, period_seconds)
    for name in ("volume", "quote_volume"):
        _check_sum(np, getattr(candles, name), first, name)
    columns = (
        starts,
        candles.open[first],
        np.maximum.reduceat(candles.high, first),
        np.minimum.reduceat(candles.low, first),
        candles.close[last],
        *(_sums(np, getattr(candles, name), first) for name in SUMS),
        candles.open_interest[last],
    )
    partial = np.logical_or.reduceat(candles.is_partial, first)
    return _in_columns(period_seconds, columns, partial).marked(complete)


def empty_candles(period_seconds: int) -> Candles:
    """No candles of a period."""
    np = needed("numpy", "candles")
    return _in_columns(period_seconds, [np.empty(0, np.int64)] * len(COLUMNS), np.empty(0, bool))


def concatenated(parts: Iterable[Candles]) -> Candles:
    """Candles of one period, of ranges that follow each other. Raises InvalidData for none, or disorder."""
    np = needed("numpy", "candles")
    found = list(parts)
    if not found or len({part.period_seconds for part in found}) != 1:
        raise InvalidData("candles to join must be of one period")
    if len(found) == 1:
        return found[0]
    columns = [np.concatenate(column) for column in zip(*(part.columns() for part in found), strict=True)]
    if not (columns[0][1:] > columns[0][:-1]).all():
        raise InvalidData("candles to join must follow each other in time", field="timestamp")
    partial = np.concatenate([part.is_partial for part in found])
    return _in_columns(found[0].period_seconds, columns, partial)


def _in_columns(period_seconds: int, columns: Iterable[Integers], is_partial: Flags) -> Candles:
    return Candles(period_seconds, **dict(zip(COLUMNS, columns, strict=True)), is_partial=is_partial)


def _from_trades(trades: Trades, period_seconds: int) -> Candles:
    np = needed("numpy", "candles")
    if not len(trades):
        return empty_candles(period_seconds)
    first, last, starts = _groups(np, trades.timestamp, period_seconds)
    _check_sum(np, trades.size, first, "volume")
    quotes = _products(np, trades, first)
    volume = np.add.reduceat(trades.size, first)
    bought = np.add.reduceat(np.where(trades.bought, trades.size, 0), first)
    return Candles(
        period_seconds,
        starts,
        trades.price[first],
        np.maximum.reduceat(trades.price, first),
        np.minimum.reduceat(trades.price, first),
        trades.price[last],
        volume,
        np.add.reduceat(quotes, first),
        last + 1 - first,
        bought,
        volume - bought,
        np.full(len(first), UNKNOWN),
        np.zeros(len(first), bool),
    )


def _groups(np: Any, timestamp: Integers, period_seconds: int) -> tuple[Any, Any, Any]:
    """Of each period that has rows: the place of its first, of its last, and when it starts."""
    length, origin = length_us(period_seconds), origin_us(period_seconds)
    begin = (int(timestamp[0]) - origin) // length
    count = (int(timestamp[-1]) - origin) // length - begin + 1
    if count <= len(timestamp):
        # Rows are in order: to look for each period's edge beats dividing every row's time.
        edges = origin + (begin + np.arange(count + 1, dtype=np.int64)) * length
        places = timestamp.searchsorted(edges)
        full = places[1:] > places[:-1]
        return places[:-1][full], places[1:][full] - 1, edges[:-1][full]
    numbers = (timestamp - origin) // length
    change = np.flatnonzero(numbers[1:] != numbers[:-1])
    first = np.concatenate(([0], change + 1))
    last = np.concatenate((change, [len(timestamp) - 1]))
    return first, last, origin + numbers[first] * length


def _products(np: Any, trades: Trades, first: Integers) -> Any:
    largest = max(abs(int(trades.price.max())), abs(int(trades.price.min()))) * int(trades.size.max())
    if largest * len(trades) > _INT64_MAX:
        # Rarely: the bound is crude. In floats the sums are right to 15 digits, which is enough to judge.
        sums = np.add.reduceat(np.abs(trades.price.astype(float)) * trades.size, first)
        _refuse_overflow(sums, "quote_volume")
    return trades.price * trades.size


def _sums(np: Any, values: Integers, first: Integers) -> Any:
    """The sum of each group, UNKNOWN where one of it is."""
    unknown = values == UNKNOWN
    if not unknown.any():
        return np.add.reduceat(values, first)
    sums = np.add.reduceat(np.where(unknown, 0, values), first)
    return np.where(np.logical_or.reduceat(unknown, first), UNKNOWN, sums)


def _check_sum(np: Any, values: Integers, first: Integers, field: str) -> None:
    values = np.where(values == UNKNOWN, 0, values)
    if int(values.min()) < 0 and field == "volume":
        raise InvalidData(f"{field}: a size of {int(values.min())} is none", field=field)
    if max(abs(int(values.max())), abs(int(values.min()))) * len(values) > _INT64_MAX:
        _refuse_overflow(np.add.reduceat(np.abs(values.astype(float)), first), field)


def _refuse_overflow(sums: Any, field: str) -> None:
    if float(sums.max()) > 0.999 * _INT64_MAX:
        raise InvalidData(
            f"{field}: a candle's sum needs more than 64 bits: use fewer decimals (price_scale, size_scale)",
            field=field,
        )
