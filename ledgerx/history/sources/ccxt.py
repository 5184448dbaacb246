"""Any venue of the library ccxt as a source (extra `ccxt`): `BINANCE:BTC/USDT` is BTC/USDT of binance.

A venue pages, limits rates and fails: pages are asked for until the range is full, a network's errors are
tried again with growing pauses, and what came before a failure stays. A venue's candle has no trades to
count: what it does not tell is null.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any, Final

from ledgerx.clock import SYSTEM_CLOCK, Clock
from ledgerx.errors import InvalidField, SourceFailed
from ledgerx.history.candles import UNKNOWN, Candles, empty_candles, longer_candles
from ledgerx.history.extras import needed
from ledgerx.history.periods import Range, bucket_start, derives_from, length_us
from ledgerx.history.sources.source import Instrument, Page

__all__ = ["CcxtSource", "open_exchange"]

LIMIT_DEFAULT: Final = 500
DECIMALS_DEFAULT: Final = 8
ATTEMPTS_MAX: Final = 6
PAUSE_FIRST_S: Final = 1.0
_DECIMAL_PLACES: Final = 2  # ccxt's number for precisions that are numbers of decimals; else they are ticks
_MILLISECOND_US: Final = 1000
_ROUNDED: Final = 1e-9


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
        finer_us, length = length_us(finer), length_us(period_seconds)
        limit = max(self._limit(), length // finer_us)
        end = min(wanted[1], bucket_start(self._clock.wall_ns() // 1000, period_seconds))
        place = wanted[0]
        while place < end:
            rows = self._call("fetch_ohlcv", symbol, timeframe, place // _MILLISECOND_US, limit)
            rows = sorted(row for row in rows if place <= row[0] * _MILLISECOND_US < end)
            known = rows[-1][0] * _MILLISECOND_US + finer_us if rows else place + limit * finer_us
            # Of a longer period that is made of the venue's, only whole ones.
            covered = min(known, end)
            covered = place + (covered - place) // length * length
            if covered == place:
                covered = min(place + length, end)  # the venue left the rest of the period out
            candles = self._candles(rows, finer, instrument).between(place, covered)
            yield Page(
                (place, covered),
                longer_candles(candles, period_seconds) if finer != period_seconds else candles,
            )
            place = covered

    def close(self) -> None:
        """Wait no longer for a venue that fails."""
        self._closed.set()

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

    def _candles(self, rows: list[list[float]], period_seconds: int, instrument: Instrument) -> Candles:
        np = needed("numpy", "the venues of ccxt")
        if not rows:
            return empty_candles(period_seconds)
        table = np.array([[float(value or 0) for value in row[1:6]] for row in rows])
        times = np.array([row[0] for row in rows], np.int64) * _MILLISECOND_US
        prices = np.rint(table[:, :4] * instrument.price_scale)
        if (np.abs(prices / instrument.price_scale - table[:, :4]) > _ROUNDED * np.abs(table[:, :4])).any():
            raise SourceFailed(
                f"{instrument.ticker}: prices of the venue have more decimals than its tick of"
                f" 1/{instrument.price_scale}"
            )
        keep = np.concatenate(([True], times[1:] > times[:-1]))  # a venue may repeat a candle
        names = ("open", "high", "low", "close")
        columns: dict[str, Any] = dict(zip(names, prices.astype(np.int64)[keep].T, strict=True))
        columns["volume"] = np.rint(table[:, 4] * instrument.size_scale).astype(np.int64)[keep]
        for name in ("quote_volume", "trade_count", "buy_vol", "sell_vol", "open_interest"):
            columns[name] = np.full(int(keep.sum()), UNKNOWN)
        partial = np.zeros(int(keep.sum()), bool)
        return Candles(period_seconds, times[keep], is_partial=partial, **columns)
