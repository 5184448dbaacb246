"""Any venue of the library ccxt as a source (extra `ccxt`): `BINANCE:BTC/USDT` is BTC/USDT of binance.

A venue pages, limits rates and fails: pages are asked for until the range is full, a network's errors are
tried again with growing pauses, and what came before a failure stays. A venue's candle has no trades to
count: what it does not tell is null.

What a venue leaves out between two of its rows was not traded, and so it is with a page to which it answers
nothing at all. A range that begins before the first row that comes is another matter: some venues answer any
question with their newest rows. There the venue must first show that nothing was traded: by a row from before
the range; by its candles of a longer period, where they begin with the same row; or by an answer that ends
before its newest row, or whose newest row is a month old, where the longer ones do not contradict. A venue
that has thrown away what was before one time, in all its periods, looks like a market that was not listed
yet: it is believed, and so is one that keeps the newest rows of a market it lists no longer.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import pairwise
from typing import Any, Final, TypeAlias

from ledgerx.clock import SYSTEM_CLOCK, Clock
from ledgerx.errors import InvalidField, SourceFailed
from ledgerx.history.candles import UNKNOWN, Candles, empty_candles, longer_candles
from ledgerx.history.extras import needed
from ledgerx.history.periods import DAY_SECONDS, Range, bucket_start, derives_from, length_us
from ledgerx.history.sources.source import Instrument, Page
from ledgerx.history.words import time_text

__all__ = ["CcxtSource", "open_exchange"]

LIMIT_DEFAULT: Final = 500
DECIMALS_DEFAULT: Final = 8
ATTEMPTS_MAX: Final = 6
PAUSE_FIRST_S: Final = 1.0
_DECIMAL_PLACES: Final = 2  # ccxt's number for precisions that are numbers of decimals; else they are ticks
_MILLISECOND_US: Final = 1000
_MONTH_SECONDS_MIN: Final = 28 * DAY_SECONDS
_WHOLE_WITHIN: Final = 1e-6  # of a tick or lot, beside what the venue's floats are short of
_WHOLE_MAX: Final = 2.0**62

Row: TypeAlias = list[Any]
"""A venue's row: its time in milliseconds, open, high, low, close, volume."""


def open_exchange(exchange_id: str) -> Any:
    """A venue of ccxt by its name there, which keeps its rate limit. Raises MissingExtra, InvalidField."""
    ccxt = needed("ccxt", "the venues of ccxt", "ccxt")
    if exchange_id not in ccxt.exchanges:
        text = f"ccxt has no exchange {exchange_id!r}: see ccxt.exchanges"
        raise InvalidField(text, field="exchange", value=exchange_id)
    return getattr(ccxt, exchange_id)({"enableRateLimit": True})


class CcxtSource:
    """The candles that a venue publishes.

    Args:
        exchange: of ccxt (not of ccxt.async_support); used by one thread at a time.
        name: what stands before the colon of the tickers; None: the exchange's id in capitals.
        pause: waits so many seconds before an attempt is repeated.

    """

    def __init__(
        self,
        exchange: Any,
        *,
        name: str | None = None,
        pause: Callable[[float], object] | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._exchange = exchange
        self._name = name or str(exchange.id).upper()
        self._closed = threading.Event()
        self._pause = pause or self._closed.wait
        self._clock = clock
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """As in SOURCE:SYMBOL."""
        return self._name

    def instrument(self, symbol: str) -> Instrument | None:
        """As many decimals as the venue's ticks and lots need; None for a symbol that it does not list."""
        market = self._call("load_markets").get(symbol)
        if market is None:
            return None
        precision = market.get("precision") or {}
        scales = (10 ** self._decimals(precision.get(kind)) for kind in ("price", "amount"))
        return Instrument(f"{self.name}:{symbol}", *scales)

    def pages(self, symbol: str, period_seconds: int, wanted: Range) -> Iterator[Page]:
        """A page of the venue's at a time, of periods that have ended. Raises SourceFailed."""
        instrument = self.instrument(symbol)
        if instrument is None:
            raise SourceFailed(f"{self.name} does not list {symbol!r}")
        timeframe, finer = self._timeframe(period_seconds)
        length = length_us(period_seconds)
        end = min(wanted[1], bucket_start(self._clock.wall_ns() // 1000, period_seconds))
        place, kept = wanted[0], list[Row]()
        for rows, known in self._rows(symbol, timeframe, length_us(finer), (place, end)):
            kept += rows
            # Of a longer period that is made of the venue's, only whole ones: the rest comes with more rows.
            covered = place + (known - place) // length * length
            if covered == place:
                continue
            whole = [row for row in kept if _time(row) < covered]
            kept = kept[len(whole) :]
            candles = self._candles(whole, finer, instrument)
            yield Page(
                (place, covered),
                longer_candles(candles, period_seconds) if finer != period_seconds else candles,
            )
            place = covered

    def close(self) -> None:
        """Wait no longer for a venue that fails."""
        self._closed.set()

    def _rows(
        self, symbol: str, timeframe: str, finer_us: int, wanted: Range
    ) -> Iterator[tuple[list[Row], int]]:
        """The venue's rows page by page, each page with the time before which all rows have come."""
        limit = self._limit()
        asked, seen = wanted[0], False
        while asked < wanted[1]:
            found = self._ask(symbol, timeframe, asked, limit)
            rows = [row for row in found if _time(row) >= asked]
            seen = seen or len(rows) < len(found)
            if rows and _time(rows[0]) > asked and not seen:
                self._check_gap(symbol, timeframe, finer_us, (asked, _time(rows[0])))
            seen = seen or bool(rows)
            known = _time(rows[-1]) + finer_us if rows else asked + limit * finer_us
            asked = min(known, wanted[1])
            yield [row for row in rows if _time(row) < asked], asked

    def _check_gap(self, symbol: str, timeframe: str, finer_us: int, gap: Range) -> None:
        """Raise SourceFailed unless the venue shows that it left a gap before its first row for no trades.

        Where it keeps a number of newest rows, it has none from before the gap, and candles of a longer
        period reach further back. One that was asked for the time before the market was listed has none
        either, but candles of a longer period begin there too; or, since an answer has a limit, the answer
        ends before the newest row.
        """
        if self._reaches_before(symbol, timeframe, finer_us, gap[0]):
            return
        shown = self._shown_by_longer(symbol, finer_us, gap)
        if shown is None:
            shown = self._goes_by_time(symbol, timeframe, finer_us, gap[0])
        if not shown:
            raise SourceFailed(
                f"{self.name}:{symbol}: the venue gives candles of {timeframe} only since {time_text(gap[1])}"
                " and does not show that nothing was traded before: ask for a range from there"
            )

    def _reaches_before(self, symbol: str, timeframe: str, finer_us: int, time: int) -> bool:
        """Whether a page of rows before a time has any."""
        limit = self._limit()
        rows = self._ask(symbol, timeframe, max(0, time - limit * finer_us), limit)
        return bool(rows) and _time(rows[0]) < time

    def _shown_by_longer(self, symbol: str, finer_us: int, gap: Range) -> bool | None:
        """Whether candles of a longer period begin where the gap ends; None where they do not tell."""
        offered = {
            _MONTH_SECONDS_MIN if name[-1] == "M" else int(self._exchange.parse_timeframe(name)): name
            for name in self._exchange.timeframes
        }
        longer = min((seconds for seconds in offered if length_us(seconds) > finer_us), default=None)
        if longer is None:
            return None
        length, limit = length_us(longer), self._limit()
        try:
            rows = self._ask(symbol, offered[longer], max(0, gap[0] - limit * length), limit)
        except SourceFailed:
            return None  # not every market has every period that its venue has
        times = [_time(row) for row in rows if any(row[1:6])]
        if not times or any(later - time < length for time, later in pairwise(times)):
            return None
        # Where these say that something was traded, also before the gap, there were no rows.
        silent = gap[0] - limit * finer_us
        if any(silent <= time and time + length <= gap[1] for time in times):
            return False
        return True if gap[1] - length < times[0] < gap[1] + finer_us else None

    def _goes_by_time(self, symbol: str, timeframe: str, finer_us: int, time: int) -> bool:
        """Whether an answer without our limit (ccxt would cut it) ends before the venue's newest row.

        Or whether there is no newest row that a live market would have: what is kept is an archive.
        """
        now = self._clock.wall_ns() // 1000
        rows = self._ask(symbol, timeframe, time, None)
        if not rows:
            return False
        last = _time(rows[-1])
        if last < now - length_us(_MONTH_SECONDS_MIN):
            return True
        later = self._ask(symbol, timeframe, last + finer_us, None)
        # A period that began after the first answer was given proves nothing.
        return any(last < _time(row) <= now - finer_us for row in later)

    def _ask(self, symbol: str, timeframe: str, since: int, limit: int | None) -> list[Row]:
        """What the venue answers, in order of time."""
        rows = self._call("fetch_ohlcv", symbol, timeframe, since // _MILLISECOND_US, limit)
        if not all(isinstance(row[0], int) for row in rows):
            raise SourceFailed(f"{self.name}:{symbol}: the venue has a row without a time")
        return sorted(rows, key=_time)

    def _call(self, method: str, *arguments: Any) -> Any:
        """What a method of the exchange returns; again where the network or a rate limit fails it."""
        for attempt in range(ATTEMPTS_MAX):
            try:
                with self._lock:
                    return getattr(self._exchange, method)(*arguments)
            except Exception as error:
                kinds = {cls.__name__ for cls in type(error).__mro__}
                if "BaseError" not in kinds:
                    raise
                if "NetworkError" not in kinds or attempt == ATTEMPTS_MAX - 1 or self._closed.is_set():
                    text = f"{self.name}: {method}: {type(error).__name__}: {error}"
                    raise SourceFailed(text) from error
            self._pause(PAUSE_FIRST_S * 2**attempt)
        raise AssertionError("the last attempt returns or raises")

    def _decimals(self, precision: float | None) -> int:
        if precision is None:
            return DECIMALS_DEFAULT
        if getattr(self._exchange, "precisionMode", None) == _DECIMAL_PLACES:
            return max(0, int(precision))
        exponent = Decimal(str(precision)).normalize().as_tuple().exponent
        return max(0, -int(exponent))

    def _timeframe(self, period_seconds: int) -> tuple[str, int]:
        """The venue's name of the longest period that the candles can be made of, and its length."""
        offered = getattr(self._exchange, "timeframes", None) or {}
        lengths = {int(self._exchange.parse_timeframe(name)): name for name in offered if name[-1] != "M"}
        finer = [seconds for seconds in lengths if seconds and derives_from(period_seconds, seconds)]
        if not finer:
            text = (
                f"{self.name} has candles of {', '.join(offered) or 'no period'}: none of {period_seconds} s"
            )
            raise SourceFailed(text)
        return lengths[max(finer)], max(finer)

    def _limit(self) -> int:
        features = (getattr(self._exchange, "features", None) or {}).get("spot") or {}
        return int((features.get("fetchOHLCV") or {}).get("limit") or LIMIT_DEFAULT)

    def _candles(self, rows: list[Row], period_seconds: int, instrument: Instrument) -> Candles:
        np = needed("numpy", "the venues of ccxt")
        rows = [row for row in rows if any(row[1:5]) or row[5]]  # some venues fill quiet periods with nulls
        if not rows:
            return empty_candles(period_seconds)
        times = np.array([row[0] for row in rows], np.int64) * _MILLISECOND_US
        keep = np.concatenate(([True], times[1:] > times[:-1]))  # a venue may repeat a candle
        columns: dict[str, Any] = {}
        for place, name in enumerate(("open", "high", "low", "close", "volume"), 1):
            scale = instrument.size_scale if name == "volume" else instrument.price_scale
            columns[name] = _whole([(row[0], row[place]) for row in rows], scale, name, instrument)[keep]
        for name in ("quote_volume", "trade_count", "buy_vol", "sell_vol", "open_interest"):
            columns[name] = np.full(int(keep.sum()), UNKNOWN)
        partial = np.zeros(int(keep.sum()), bool)
        return Candles(period_seconds, times[keep], is_partial=partial, **columns)


def _time(row: Row) -> int:
    """A row's time in microseconds."""
    return int(row[0]) * _MILLISECOND_US


def _whole(column: list[tuple[int, Any]], scale: int, name: str, instrument: Instrument) -> Any:
    """A column's values in ticks or lots. Raises SourceFailed naming the row of one that is not whole."""
    np = needed("numpy", "the venues of ccxt")
    values = np.array([np.nan if value is None else float(value) for _, value in column])
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = values * scale
        whole = np.rint(scaled)
        # A sum that the venue made in floats is not the float nearest to its decimals, but close to it.
        good = np.abs(scaled - whole) <= _WHOLE_WITHIN + 4 * np.spacing(np.abs(scaled))
        good &= np.abs(whole) < _WHOLE_MAX
    if name == "volume":
        good &= values >= 0
    if good.all():
        return whole.astype(np.int64)
    row = int(np.flatnonzero(~good)[0])
    time, value = column[row]
    unit = "lots" if name == "volume" else "ticks"
    raise SourceFailed(
        f"{instrument.ticker}: the venue's row of {time_text(time * _MILLISECOND_US)}: {name} {value!r}"
        f" is not a whole number of {unit} of 1/{scale}"
    )
