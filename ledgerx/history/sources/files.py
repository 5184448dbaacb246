"""Files as a source: a folder of recorded trades or candles, CSV, Parquet or Feather, one file a symbol.

The symbol is the file's name without its ending, `XRP_ETH-trades.feather` being `XRP_ETH`. A file is all
there is of its symbol: what lies before its first and after its last row is covered and empty, and the
candles at both edges are partial. Prices and sizes become whole numbers exactly; one that the scale does not
make whole is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NoReturn

from ledgerx.errors import InvalidData, SourceFailed
from ledgerx.history.candles import EVER, UNKNOWN, Candles, Trades, candles_of, longer_candles
from ledgerx.history.extras import needed
from ledgerx.history.periods import (
    DAY_SECONDS,
    MICROSECONDS,
    PERIOD_SECONDS_MAX,
    WEEK_SECONDS,
    Range,
    derives_from,
    length_us,
)
from ledgerx.history.sources.source import Instrument, Page

__all__ = ["FileSource", "Recording", "read_recording"]

ENDINGS: Final = (".csv", ".csv.gz", ".parquet", ".feather", ".arrow")
DECIMALS_MAX: Final = 12
_KIND: Final = re.compile(r"[-_.](?:trades|ticks|\d+[smhdw])(?:[-_.].*)?$")

_TIMES: Final = {
    "timestamp_us": "us", "ts_us": "us", "ts_ms": "ms",
    "open_time": None, "timestamp": None, "time": None, "date": None, "ts": None,
}  # fmt: skip
"""A time's column, and the unit of its whole numbers; None: their size tells. Dates say so themselves."""
_UNITS_MAX: Final = (("s", 10**11), ("ms", 10**14), ("us", 10**17), ("ns", 2**63))
"""Times from 1973 to 5138 have the unit whose bound they are the first to be below."""
_SIZES: Final = ("qty", "size", "amount", "quantity", "volume")
_SIDES: Final = ("side", "aggressor_side", "aggressor", "buyer_maker", "is_buyer_maker")
_BOUGHT: Final = {"buy": True, "b": True, "ask": True, "sell": False, "s": False, "bid": False}
_MAKER_BOUGHT: Final = {"true": False, "false": True, "1": False, "0": True}
_KNOWN_COUNTS: Final = {"count": "trade_count", "trade_count": "trade_count"}
_KNOWN_SIZES: Final = {"taker_buy_volume": "buy_vol", "buy_vol": "buy_vol", "open_interest": "open_interest"}


class Recording:
    """What one file holds: trades, or candles of one period, and the scales of its numbers."""

    def __init__(self, content: Trades | Candles, price_scale: int, size_scale: int) -> None:
        self.content = content
        self.price_scale = price_scale
        self.size_scale = size_scale

    def candles(self, period_seconds: int, within: Range = EVER) -> Candles:
        """The candles of a period in whole periods' range; those not wholly in what is recorded are partial.

        Raises InvalidData for a period that recorded candles do not divide.
        """
        if isinstance(self.content, Candles):
            if period_seconds == self.content.period_seconds:
                return self.content.between(*within)
            return longer_candles(self.content.between(*within), period_seconds, self._recorded())
        trades = self.content.between(*within)
        return candles_of(trades, [period_seconds], self._recorded())[period_seconds]

    def _recorded(self) -> Range:
        """From the first row's time to the end of the last row's."""
        times, content = self.content.timestamp, self.content
        length = length_us(content.period_seconds) if isinstance(content, Candles) else 1
        return (int(times[0]), int(times[-1]) + length) if len(times) else (0, 0)


class FileSource:
    """The recorded files of a folder, or one file.

    Args:
        path: the folder, or the file.
        name: what stands before the colon of the tickers.
        page_candles_max: candles of one page.

    """

    def __init__(self, path: str | Path, *, name: str = "FILE", page_candles_max: int = 100_000) -> None:
        self.path = Path(path)
        self._name = name
        self._page_candles_max = page_candles_max
        self._read: dict[str, tuple[tuple[int, int], Recording]] = {}
        if not self.path.exists():
            raise InvalidData(f"{self.path}: no such file or folder: name what holds the recordings")

    @property
    def name(self) -> str:
        """As in SOURCE:SYMBOL."""
        return self._name

    def symbols(self) -> dict[str, Path]:
        """Each symbol's file; of several, one with trades before one with candles, short periods first."""
        found = [self.path] if self.path.is_file() else sorted(self.path.iterdir())
        named: dict[str, list[Path]] = {}
        for path in found:
            if path.name.endswith(ENDINGS):
                named.setdefault(_symbol(path), []).append(path)
        return {symbol: min(paths, key=_preference) for symbol, paths in named.items()}

    def instrument(self, symbol: str) -> Instrument | None:
        """The scales that the file's decimals need; None where no file is of the symbol."""
        recording = self._recording(symbol)
        if recording is None:
            return None
        return Instrument(f"{self.name}:{symbol}", recording.price_scale, recording.size_scale)

    def pages(self, symbol: str, period_seconds: int, wanted: Range) -> Iterator[Page]:
        """All of the range, `page_candles_max` candles a page. Raises SourceFailed."""
        recording = self._recording(symbol)
        if recording is None:
            raise SourceFailed(f"{self.name}: no file of {symbol!r} in {self.path}")
        if isinstance(recording.content, Candles) and not derives_from(
            period_seconds, recording.content.period_seconds
        ):
            raise SourceFailed(
                f"{self.name}:{symbol} is recorded in candles of {recording.content.period_seconds} s:"
                f" none of {period_seconds} s can be made of them"
            )
        candles = recording.candles(period_seconds, wanted)
        start = wanted[0]
        for first in range(0, max(len(candles), 1), self._page_candles_max):
            turn = candles.sliced(first, first + self._page_candles_max)
            more = first + self._page_candles_max < len(candles)
            end = int(candles.timestamp[first + self._page_candles_max]) if more else wanted[1]
            yield Page((start, end), turn)
            start = end

    def close(self) -> None:
        """Forget what was read."""
        self._read.clear()

    def _recording(self, symbol: str) -> Recording | None:
        """Read once, and again when the file changed."""
        path = self.symbols().get(symbol.replace("/", "_"))
        if path is None:
            return None
        try:
            found = path.stat()
            mark = (found.st_mtime_ns, found.st_size)
            known = self._read.get(symbol)
            if known is None or known[0] != mark:
                known = self._read[symbol] = (mark, read_recording(path))
        except (InvalidData, OSError) as error:
            raise SourceFailed(str(error)) from error
        return known[1]


def read_recording(
    path: str | Path, *, price_scale: int | None = None, size_scale: int | None = None
) -> Recording:
    """The trades or candles of a file, by its columns.

    Candles have open, high, low, close and volume; trades have a price, a size and a side. Times are
    dates, or whole numbers whose unit the column's name tells (`_us`, `_ms`) or their size. Candles' period
    is that of their column period_seconds; else that of the file's name, where it divides all distances;
    else the largest whole seconds that do. Scales are ticks of a price of 1 and lots of a size of 1; None: as
    many as the file's decimals need.

    Raises InvalidData naming the file, column and row, MissingExtra without pyarrow.

    """
    path = Path(path)
    table = _table(path)
    names = {name.lower(): name for name in table.column_names}
    reader = _Columns(path, table, names)
    if {"open", "high", "low", "close"} <= names.keys():
        return _recorded_candles(reader, price_scale, size_scale)
    return _recorded_trades(reader, price_scale, size_scale)


def _recorded_trades(reader: _Columns, price_scale: int | None, size_scale: int | None) -> Recording:
    price, price_scale = reader.whole(reader.first(("price",)), price_scale)
    size, size_scale = reader.whole(reader.first(_SIZES), size_scale)
    trades = Trades(reader.times(), price, size, reader.bought())
    return Recording(trades.ordered(), price_scale, size_scale)


def _recorded_candles(reader: _Columns, price_scale: int | None, size_scale: int | None) -> Recording:
    np = needed("numpy", "recorded candles")
    prices = ("open", "high", "low", "close")
    if price_scale is None:
        price_scale = max(reader.whole(name, None)[1] for name in prices)
    volume, size_scale = reader.whole("volume", size_scale)
    timestamp = reader.times()
    if (timestamp[1:] <= timestamp[:-1]).any():
        raise InvalidData(f"{reader.path.name}: candles are not in order of time", file=reader.path.name)
    columns: dict[str, Any] = {name: reader.whole(name, price_scale)[0] for name in prices}
    _check_possible(reader, columns, volume)
    unknown = np.full(len(timestamp), UNKNOWN)
    for name, column in _KNOWN_COUNTS.items():
        if name in reader.names:
            columns[column] = reader.whole_or_unknown(name, 1)
    for name, column in _KNOWN_SIZES.items():
        if name in reader.names:
            columns[column] = reader.whole_or_unknown(name, size_scale)
    if "quote_volume" in reader.names:
        columns["quote_volume"] = reader.whole_or_unknown("quote_volume", price_scale * size_scale)
    if "buy_vol" in columns:
        bought = columns["buy_vol"]
        columns["sell_vol"] = np.where(bought == UNKNOWN, UNKNOWN, volume - bought)
    for name in ("quote_volume", "trade_count", "buy_vol", "sell_vol", "open_interest"):
        columns.setdefault(name, unknown)
    candles = Candles(
        _period(reader, timestamp), timestamp, volume=volume, is_partial=reader.partial(), **columns
    )
    return Recording(candles, price_scale, size_scale)


def _check_possible(reader: _Columns, prices: dict[str, Any], volume: Any) -> None:
    """Raise InvalidData naming the first row that no trades can have made."""
    low, high = prices["low"], prices["high"]
    faults = [("high", high < low, "is below its low"), ("volume", volume < 0, "is negative")]
    for name in ("open", "close"):
        faults.append((name, (prices[name] < low) | (prices[name] > high), "is not between low and high"))
    for name, wrong, text in faults:
        if wrong.any():
            reader.refuse(int(wrong.argmax()) + 1, name, text)


def _period(reader: _Columns, timestamp: Any) -> int:
    """The recorded candles' period: told, or the name's, or the largest that divides all distances."""
    np = needed("numpy", "recorded candles")
    file = reader.path.name
    if len(timestamp) and "period_seconds" in reader.names:
        told = reader.whole("period_seconds", 1)[0]
        if (told != told[0]).any():
            text = f"{file}: column period_seconds has several: give one file a period"
            raise InvalidData(text, file=file, field="period_seconds")
        if not 1 <= told[0] <= PERIOD_SECONDS_MAX:
            reader.refuse(1, "period_seconds", f"is no period: give 1 to {PERIOD_SECONDS_MAX}")
        return int(told[0])
    distance = int(np.gcd.reduce(np.diff(timestamp))) if len(timestamp) > 1 else 0
    # What a name says holds for a file of one candle, and for one in which quiet periods are absent.
    named = _named_period(reader.path)
    if 1 <= named <= PERIOD_SECONDS_MAX and distance % length_us(named) == 0:
        return named
    if not distance:
        name = f"{_symbol(reader.path)}-1m"
        text = f"{file}: less than two candles do not say their period: name the file by it, as {name}"
        raise InvalidData(text, file=file)
    if distance % MICROSECONDS:
        raise InvalidData(f"{file}: candles are not whole seconds apart: give periods of seconds", file=file)
    if distance > length_us(PERIOD_SECONDS_MAX):
        text = f"{file}: candles are {distance // MICROSECONDS} s apart: name the file by their period"
        raise InvalidData(text, file=file)
    return distance // MICROSECONDS


class _Columns:
    """The columns of a file's table as arrays of whole numbers."""

    def __init__(self, path: Path, table: Any, names: dict[str, str]) -> None:
        self.path = path
        self.names = names
        self._table = table

    def first(self, wanted: tuple[str, ...]) -> str:
        for name in wanted:
            if name in self.names:
                return name
        text = f"{self.path.name}: no column {' or '.join(wanted)} among {', '.join(self.names)}"
        raise InvalidData(text, file=self.path.name, field=wanted[0])

    def times(self) -> Any:
        """In microseconds."""
        pa = needed("pyarrow", "recorded files")
        name = self.first(tuple(_TIMES))
        column = self._column(name)
        if pa.types.is_date(column.type):
            column = column.cast(pa.timestamp("ms"))
        if pa.types.is_timestamp(column.type):
            unit, times = column.type.unit, column.cast(pa.int64()).to_numpy()
        elif pa.types.is_integer(column.type):
            times, _ = self.whole(name, 1)
            unit = _TIMES[name] or _unit(int(times[0]) if len(times) else 0)
        else:
            text = f"{self.path.name}: column {name} has no whole numbers and no dates"
            raise InvalidData(text, file=self.path.name, field=name)
        if unit == "ns":
            return times // 1000
        factor = {"s": MICROSECONDS, "ms": 1000, "us": 1}[unit]
        # Beyond, the product would not fit; and units that change within a file end up there.
        beyond = (times > EVER[1] // factor) | (times < EVER[0] // factor)
        if beyond.any():
            row = int(beyond.argmax()) + 1
            self.refuse(row, name, f"is no time, in the {unit} of the first row")
        return times * factor

    def partial(self) -> Any:
        """Which candles are told to be partial."""
        np = needed("numpy", "recorded files")
        pa = needed("pyarrow", "recorded files")
        column = self._column("is_partial") if "is_partial" in self.names else None
        if column is None or not pa.types.is_boolean(column.type):
            return np.zeros(self._table.num_rows, bool)
        return column.to_numpy()

    def bought(self) -> Any:
        """Whether the aggressor bought."""
        np = needed("numpy", "recorded files")
        name = self.first(_SIDES)
        meaning = _MAKER_BOUGHT if "maker" in name else _BOUGHT
        encoded = self._column(name).cast("string").combine_chunks().dictionary_encode()
        values = [str(value).lower() for value in encoded.dictionary.to_pylist()]
        for value in values:
            if value not in meaning:
                text = f"{self.path.name}: column {name}: {value!r} is none of {', '.join(meaning)}"
                raise InvalidData(text, file=self.path.name, field=name)
        return np.array([meaning[value] for value in values], bool)[encoded.indices.to_numpy()]

    def whole_or_unknown(self, name: str, scale: int) -> Any:
        """The same of a column that need not have every value."""
        np = needed("numpy", "recorded files")
        column = self._table.column(self.names[name])
        if not column.null_count:
            return self.whole(name, scale)[0]
        if column.null_count == len(column):
            return np.full(len(column), UNKNOWN)
        there = column.is_valid().to_numpy()
        return np.where(there, self._whole(name, column.fill_null(0), scale)[0], UNKNOWN)

    def whole(self, name: str, scale: int | None) -> tuple[Any, int]:
        """The column times the scale, exactly, and the scale."""
        return self._whole(name, self._column(name), scale)

    def _whole(self, name: str, column: Any, scale: int | None) -> tuple[Any, int]:
        np = needed("numpy", "recorded files")
        try:
            if needed("pyarrow", "recorded files").types.is_integer(column.type):
                whole, factor = column.cast("int64").to_numpy(), scale or 1
                if not len(whole) or max(-int(whole.min()), int(whole.max())) * factor < 2**63:
                    return whole * factor, factor
            values = np.asarray(column.cast("float64").to_numpy())
        except needed("pyarrow", "recorded files").ArrowException as error:
            text = f"{self.path.name}: column {name} has something else than numbers: {error}"
            raise InvalidData(text, file=self.path.name, field=name) from error
        for decimals in range(DECIMALS_MAX + 1) if scale is None else (0,):
            factor = 10**decimals if scale is None else scale
            scaled = np.rint(values * factor)
            # A float that is a decimal of few digits is the one nearest to it: so is the quotient, or not.
            wrong = (scaled / factor != values) | (np.abs(scaled) > 2.0**53)
            if not wrong.any():
                return scaled.astype(np.int64), factor
        row = int(np.flatnonzero(wrong)[0])
        value = float(values[row])
        wish = "give a scale that makes it so" if np.isfinite(value) else "give a number"
        raise InvalidData(
            f"{self.path.name}, row {row + 1}: {name} {value!r} times {factor} is not whole: {wish}",
            file=self.path.name,
            row=row + 1,
            field=name,
        )

    def refuse(self, row: int, name: str, text: str) -> NoReturn:
        """Raise InvalidData naming a value: of a row, counted from 1, and a column."""
        value = self._table.column(self.names[name])[row - 1].as_py()
        raise InvalidData(
            f"{self.path.name}, row {row}: {name} {value!r} {text}", file=self.path.name, row=row, field=name
        )

    def _column(self, name: str) -> Any:
        column = self._table.column(self.names[name])
        if column.null_count:
            row = column.is_null().to_pylist().index(True) + 1
            text = f"{self.path.name}, row {row}: column {name} has no value"
            raise InvalidData(text, file=self.path.name, row=row, field=name)
        return column


def _table(path: Path) -> Any:
    pa = needed("pyarrow", "recorded files")
    from pyarrow import csv, feather, parquet

    try:
        if path.name.endswith((".csv", ".csv.gz")):
            return csv.read_csv(str(path))
        if path.name.endswith(".parquet"):
            return parquet.read_table(str(path))
        if path.name.endswith((".feather", ".arrow")):
            return feather.read_table(str(path))
    except (OSError, pa.ArrowException) as error:
        raise InvalidData(f"{path}: cannot be read: {error}", file=path.name) from error
    raise InvalidData(f"{path.name}: a recording ends in {', '.join(ENDINGS)}", file=path.name)


def _unit(time: int) -> str:
    return next(unit for unit, bound in _UNITS_MAX if abs(time) < bound or bound == 2**63)


def _stem(path: Path) -> str:
    return path.name.removesuffix(".gz").rpartition(".")[0]


def _symbol(path: Path) -> str:
    return _KIND.sub("", _stem(path)) or _stem(path)


def _preference(path: Path) -> tuple[int, int, str]:
    period = _named_period(path)
    return int(period > 0), period, path.name


def _named_period(path: Path) -> int:
    """The seconds that a name such as `ABC-1m.csv` says; 0 where it says none."""
    kind = _KIND.search(_stem(path))
    match = re.match(r"(\d+)([smhdw])", kind[0][1:]) if kind else None
    if match is None:
        return 0
    return int(match[1][:12]) * {"s": 1, "m": 60, "h": 3600, "d": DAY_SECONDS, "w": WEEK_SECONDS}[match[2]]
