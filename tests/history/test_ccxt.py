"""A venue of ccxt as a source: pages, rate limits, failures half way, periods it does not have."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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


class Later(Now):
    """Two months on."""

    def wall_ns(self) -> int:
        return super().wall_ns() + 60 * 86_400 * 10**9


class Venue:
    """What is called of an exchange of ccxt: a candle a minute, or `every` so many, to the open one.

    `listed` is the minute of its first candle. It keeps only the `newest` of each period, and gives a page
    from the time that it is asked for on, or all that it has where it does not go `by_time`.
    """

    id = "somewhere"
    precisionMode = 4  # noqa: N815 - as ccxt calls it

    def __init__(
        self,
        *,
        every: int = 1,
        page_max: int = 100,
        failures: Sequence[Exception | None] = (),
        listed: int = 0,
        newest: int | None = None,
        answer: Callable[[int], Any] | None = None,
        by_time: bool = True,
        fives: bool = False,
    ) -> None:
        self.timeframes = {"1m": "1m"} | ({"5m": "5m"} if fives else {})
        self.features = {"spot": {"fetchOHLCV": {"limit": page_max}}}
        self.calls: list[int] = []
        self._every = every
        self._page_max = page_max
        self._failures = list(failures)
        self._by_time = by_time
        self._listed, self._newest = listed, newest
        self._answer = answer or (lambda at: [100 + at / 20, 100.5 + at / 20, 100.05, 100.1, 0.3])

    def load_markets(self) -> dict[str, Any]:
        return {"BTC/USDT": {"precision": {"price": 0.05, "amount": 1e-05}}}

    def parse_timeframe(self, name: str) -> int:
        return {"1m": 60, "5m": 300}[name]

    def fetch_ohlcv(self, symbol: str, timeframe: str, since: int, limit: int | None) -> list[list[float]]:
        assert symbol == "BTC/USDT"
        assert timeframe in self.timeframes
        failure = self._failures.pop(0) if self._failures else None
        if failure is not None:
            raise failure
        self.calls.append(since // MINUTE_MS)
        step = self._every if timeframe == "1m" else 5
        first = max(-(-since // MINUTE_MS), self._listed // step * step)
        if self._newest is not None:
            first = max(first, NOW_MINUTE // step * step - (self._newest - 1) * step)
        minutes = range(first + -first % step, NOW_MINUTE + 1, step)
        if self._by_time:
            minutes = minutes[: self._page_max]
        minutes = minutes[:limit]  # as ccxt does with whatever came
        return [[at * MINUTE_MS, *self._answer(at)] for at in minutes]


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


@pytest.mark.parametrize("page_max", [1, 7, 100])
def test_a_derived_period_is_made_of_all_its_rows_however_few_a_page_has(page_max: int) -> None:
    candles, end = fetched(Venue(page_max=page_max), 0, 750, period=250 * 60)
    assert candles.volume.tolist() == [250 * 30_000] * 3
    assert candles.close.tolist() == [10_010] * 3
    assert candles.high.tolist() == [10_050 + 5 * (last + 249) for last in (0, 250, 500)]
    assert end == 750


@pytest.mark.parametrize("first", [NOW_MINUTE - 5000, NOW_MINUTE - 800, NOW_MINUTE - 720])
@pytest.mark.parametrize("page_max", [100, 720])
@pytest.mark.parametrize("fives", [False, True])
def test_what_a_venue_of_newest_rows_gives_no_more_is_not_taken_for_empty(
    fives: bool, first: int, page_max: int
) -> None:
    venue = Venue(newest=720, page_max=page_max, by_time=False, fives=fives)
    with pytest.raises(
        SourceFailed, match=r"SOMEWHERE:BTC/USDT: .* gives candles of 1m only since 1970-01-07"
    ):
        fetched(venue, first, first + 400)
    with pytest.raises(SourceFailed, match="only since"):
        fetched(venue, first, first + 50)


def test_what_a_venue_of_newest_rows_still_gives_is_taken() -> None:
    candles, end = fetched(Venue(newest=720, by_time=False), NOW_MINUTE - 719, NOW_MINUTE)
    assert (len(candles), end) == (719, NOW_MINUTE)
    candles, end = fetched(Venue(newest=720, every=3, by_time=False), NOW_MINUTE - 500, NOW_MINUTE)
    assert (len(candles), end) == (167, NOW_MINUTE)


def test_the_time_before_a_market_was_listed_is_empty_where_the_venue_goes_by_the_time_asked_for() -> None:
    candles, end = fetched(Venue(listed=3000), 1000, 3010)
    assert candles.timestamp.tolist() == [at * MINUTE_US for at in range(3000, 3010)]
    assert end == 3010
    candles, end = fetched(Venue(listed=3000), 1000, 2000)
    assert (len(candles), end) == (0, 2000)


def test_the_time_before_an_archive_begins_is_empty_however_much_it_gives_at_once() -> None:
    archive = Venue(listed=3000, by_time=False)  # its newest row is two months old
    asked = CcxtSource(archive, clock=Later()).pages("BTC/USDT", 60, (1000 * MINUTE_US, 3010 * MINUTE_US))
    pages = list(asked)
    assert [len(page.candles) for page in pages] == [10]
    assert pages[0].covered == (1000 * MINUTE_US, 3010 * MINUTE_US)


@pytest.mark.parametrize("by_time", [False, True])
@pytest.mark.parametrize("listed", [NOW_MINUTE - 50, NOW_MINUTE - 48])
def test_a_market_that_was_listed_just_now_is_told_by_its_candles_of_a_longer_period(
    listed: int, by_time: bool
) -> None:
    candles, end = fetched(Venue(listed=listed, by_time=by_time, fives=True), 1000, NOW_MINUTE)
    assert (len(candles), end) == (NOW_MINUTE - listed, NOW_MINUTE)
    assert int(candles.timestamp[0]) == listed * MINUTE_US


@pytest.mark.parametrize("first", [1000, NOW_MINUTE - 720])
def test_a_venue_that_drops_old_rows_is_told_by_its_candles_of_a_longer_period(first: int) -> None:
    with pytest.raises(SourceFailed, match="only since"):
        fetched(Venue(newest=720, fives=True), first, first + 10)


def test_rows_of_nulls_are_minutes_without_trades() -> None:
    def answer(at: int) -> list[float | None]:
        return [None, None, None, None, None if at == 1 else 0] if at in (1, 3) else [1, 1, 1, 1, 1]

    candles, end = fetched(Venue(answer=answer), 0, 5)
    assert candles.timestamp.tolist() == [0, 2 * MINUTE_US, 4 * MINUTE_US]
    assert end == 5


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ([1, 2, None, 1, 1], "low None is not a whole number of ticks of 1/100"),
        ([float("nan"), 2, 1, 1, 1], "open nan is not"),
        ([1e300, 1e300, 1e300, 1e300, 1], "open 1e[+]300 is not"),
        ([1, 1, 1, 1.005, 1], "close 1.005 is not"),
        ([1, 1, 1, 1, -5.0], "volume -5.0 is not a whole number of lots of 1/100000"),
        ([1, 1, 1, 1, 0.000001], "volume 1e-06 is not"),
        ([1, 1, 1, 1, 1234567.1234567], "volume 1234567.1234567 is not"),
        ([1, 1, 1, 1, None], "volume None is not"),
        ([1, 1, 1, 1, float("inf")], "volume inf is not"),
    ],
)
def test_a_row_that_cannot_be_is_named_and_not_recorded(row: list[float | None], text: str) -> None:
    venue = Venue(answer=lambda at: row if at == 2 else [1, 1, 1, 1, 0.1 + 0.2])
    with pytest.raises(SourceFailed, match=f"SOMEWHERE:BTC/USDT: .* row of 1970-01-01 00:02:00: {text}"):
        fetched(venue, 0, 5)


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
