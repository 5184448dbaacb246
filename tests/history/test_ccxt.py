"""A venue of ccxt as a source: pages, rate limits, failures half way, periods it does not have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from ledgerx.errors import InvalidField, SourceFailed
from ledgerx.history.candles import Candles, concatenated
from ledgerx.history.sources.ccxt import ATTEMPTS_MAX, CcxtSource, open_exchange

MINUTE_MS, MINUTE_US = 60_000, 60_000_000
NOW_MINUTE = 10_000


class BaseError(Exception):
    """Named as ccxt's."""


class NetworkError(BaseError):
    """Named as ccxt's."""


class RateLimitExceeded(NetworkError):
    """Named as ccxt's."""


class BadSymbol(BaseError):
    """Named as ccxt's."""


class Now:
    """A clock that stands still in the middle of a minute."""

    def wall_ns(self) -> int:
        return NOW_MINUTE * 60 * 10**9 + 30 * 10**9

    def monotonic(self) -> float:
        return 0.0

    def random(self) -> float:
        return 0.5

    def unique_hex(self) -> str:
        return "0" * 32


class Venue:
    """What is called of an exchange of ccxt: a candle a minute, or `every` so many, to the open one."""

    id = "somewhere"
    precisionMode = 4  # noqa: N815 - as ccxt calls it

    def __init__(
        self, *, every: int = 1, page_max: int = 100, failures: Sequence[Exception | None] = ()
    ) -> None:
        self.timeframes = {"1m": "1m", "1M": "1M"}
        self.features = {"spot": {"fetchOHLCV": {"limit": page_max}}}
        self.calls: list[int] = []
        self._every = every
        self._page_max = page_max
        self._failures = list(failures)

    def load_markets(self) -> dict[str, Any]:
        return {"BTC/USDT": {"precision": {"price": 0.05, "amount": 1e-05}}}

    def parse_timeframe(self, name: str) -> int:
        return {"1m": 60}[name]

    def fetch_ohlcv(self, symbol: str, timeframe: str, since: int, limit: int) -> list[list[float]]:
        assert (symbol, timeframe) == ("BTC/USDT", "1m")
        failure = self._failures.pop(0) if self._failures else None
        if failure is not None:
            raise failure
        self.calls.append(since // MINUTE_MS)
        first = -(-since // MINUTE_MS)
        minutes = range(first + -first % self._every, NOW_MINUTE + 1, self._every)
        minutes = minutes[: min(limit, self._page_max)]
        return [[at * MINUTE_MS, 100 + at / 20, 100.5 + at / 20, 100.05, 100.1, 0.3] for at in minutes]


def source(venue: Venue, pauses: list[float] | None = None) -> CcxtSource:
    return CcxtSource(venue, pause=[].append if pauses is None else pauses.append, clock=Now())


def fetched(venue: Venue, first: int, last: int, period: int = 60) -> tuple[Candles, int]:
    """The candles of the minutes, and the minute to which they are covered."""
    place = first * MINUTE_US
    pages = list(source(venue).pages("BTC/USDT", period, (place, last * MINUTE_US)))
    for page in pages:
        assert page.covered[0] == place
        place = page.covered[1]
    return concatenated(page.candles for page in pages), place // MINUTE_US


def test_prices_and_sizes_become_whole_by_the_markets_tick() -> None:
    venue = Venue()
    found = source(venue).instrument("BTC/USDT")
    assert found is not None
    assert (found.ticker, found.price_scale, found.size_scale) == ("SOMEWHERE:BTC/USDT", 100, 100_000)
    assert source(venue).instrument("ETH/USDT") is None
    candles, _ = fetched(venue, 0, 3)
    assert candles.open.tolist() == [10_000, 10_005, 10_010]
    assert candles.volume.tolist() == [30_000] * 3


def test_a_long_range_is_asked_for_page_by_page() -> None:
    venue = Venue(page_max=100)
    candles, end = fetched(venue, 50, 400)
    assert (len(candles), end) == (350, 400)
    assert venue.calls == [50, 150, 250, 350]


def test_a_period_that_has_not_ended_is_left_out() -> None:
    candles, end = fetched(Venue(), NOW_MINUTE - 5, NOW_MINUTE + 50)
    assert (len(candles), end) == (5, NOW_MINUTE)


def test_minutes_without_trades_are_covered_and_not_asked_for_again() -> None:
    venue = Venue(every=70, page_max=20)
    candles, end = fetched(venue, 1, 1000)
    assert candles.timestamp.tolist() == [at * MINUTE_US for at in range(70, 1000, 70)]
    assert end == 1000
    assert len(venue.calls) <= 2 + 1000 // 20


def test_a_period_that_the_venue_lacks_is_made_of_a_shorter_one() -> None:
    candles, end = fetched(Venue(page_max=7), 0, 60, period=300)
    assert (len(candles), end) == (12, 60)
    assert (candles.volume == 5 * 30_000).all()
    assert candles.open.tolist() == [10_000 + 25 * at for at in range(12)]
    with pytest.raises(SourceFailed, match="none of 90 s"):
        fetched(Venue(), 0, 60, period=90)


def test_a_rate_limit_is_waited_for_with_growing_pauses() -> None:
    pauses: list[float] = []
    venue = Venue(failures=[RateLimitExceeded("429"), NetworkError("reset"), None, RateLimitExceeded("429")])
    pages = list(source(venue, pauses).pages("BTC/USDT", 60, (0, 200 * MINUTE_US)))
    assert sum(len(page.candles) for page in pages) == 200
    assert pauses == [1, 2, 1]
    assert venue.calls == [0, 100]


def test_a_venue_that_fails_half_way_leaves_the_pages_before() -> None:
    failures = [None, None, *[NetworkError("away")] * ATTEMPTS_MAX]
    pages = source(Venue(failures=failures)).pages("BTC/USDT", 60, (0, 500 * MINUTE_US))
    assert [next(pages).covered for _ in range(2)] == [
        (0, 100 * MINUTE_US),
        (100 * MINUTE_US, 200 * MINUTE_US),
    ]
    with pytest.raises(SourceFailed, match="SOMEWHERE: fetch_ohlcv: NetworkError: away"):
        next(pages)


def test_what_cannot_be_cured_fails_at_once() -> None:
    pauses: list[float] = []
    with pytest.raises(SourceFailed, match="BadSymbol: gone"):
        list(source(Venue(failures=[BadSymbol("gone")]), pauses).pages("BTC/USDT", 60, (0, MINUTE_US)))
    assert pauses == []
    with pytest.raises(SourceFailed, match="does not list"):
        list(source(Venue()).pages("ETH/USDT", 60, (0, MINUTE_US)))


def test_the_library_is_as_the_source_takes_it_to_be(ccxt: Any) -> None:
    exchange = open_exchange("binance")
    assert CcxtSource(exchange).name == "BINANCE"
    assert exchange.enableRateLimit
    assert exchange.parse_timeframe("1m") == 60
    assert {"BaseError", "NetworkError"} <= {cls.__name__ for cls in ccxt.RateLimitExceeded.__mro__}
    assert "NetworkError" not in {cls.__name__ for cls in ccxt.BadSymbol.__mro__}
    with pytest.raises(InvalidField, match="no exchange 'nowhere'"):
        open_exchange("nowhere")
