"""Trades become candles exactly: against the recorded candles of venues, and against a plain oracle."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledgerx.errors import InvalidData, InvalidField
from ledgerx.history.candles import (
    COLUMNS,
    UNKNOWN,
    Candles,
    Trades,
    candles_of,
    concatenated,
    longer_candles,
)
from ledgerx.history.periods import bucket_start, length_us
from ledgerx.history.sources.files import read_recording

WEEK_S, DAY_S = 604_800, 86_400
PRICES = ("open", "high", "low", "close")


def trades_of(rows: Iterable[tuple[int, int, int, bool]]) -> Trades:
    columns: Any = list(zip(*rows, strict=True)) or [(), (), (), ()]
    return Trades(*(np.array(column, np.int64) for column in columns[:3]), np.array(columns[3], bool))


def by_hand(rows: list[tuple[int, int, int, bool]], period_seconds: int) -> list[tuple[int, ...]]:
    """The same with dictionaries and Python's integers."""
    buckets: dict[int, list[tuple[int, int, int, bool]]] = {}
    for row in sorted(rows, key=lambda row: row[0]):
        buckets.setdefault(bucket_start(row[0], period_seconds), []).append(row)
    made = []
    for start, found in buckets.items():
        prices = [price for _, price, _, _ in found]
        volume = sum(size for _, _, size, _ in found)
        bought = sum(size for _, _, size, is_bought in found if is_bought)
        quotes = sum(price * size for _, price, size, _ in found)
        made.append(
            (start, prices[0], max(prices), min(prices), prices[-1], volume, quotes, len(found), bought,
             volume - bought, UNKNOWN)
        )  # fmt: skip
    return made


def rows_of(candles: Candles) -> list[tuple[int, ...]]:
    return [tuple(map(int, row)) for row in zip(*candles.columns(), strict=True)]


TRADES = st.lists(
    st.tuples(
        st.integers(0, 40 * DAY_S * 1_000_000), st.integers(-5, 10**6), st.integers(0, 10**6), st.booleans()
    ),
    max_size=60,
)
PERIODS = st.lists(st.sampled_from([1, 7, 60, 300, 900, 3600, 14_400, DAY_S, WEEK_S]), min_size=1, max_size=4)


@given(rows=TRADES, periods=PERIODS)
def test_candles_of_any_periods_are_those_made_by_hand(
    rows: list[tuple[int, int, int, bool]], periods: list[int]
) -> None:
    made = candles_of(trades_of(rows), periods)
    assert made.keys() == set(periods)
    for period, candles in made.items():
        assert rows_of(candles) == by_hand(rows, period)
        assert not candles.is_partial.any()


@given(rows=TRADES, cuts=st.lists(st.integers(0, 40), max_size=5))
def test_shards_of_whole_days_make_the_candles_of_all(
    rows: list[tuple[int, int, int, bool]], cuts: list[int]
) -> None:
    trades = trades_of(rows).ordered()
    edges = sorted({0, 41, *cuts})
    shards = [
        candles_of(trades.between(first * DAY_S * 10**6, last * DAY_S * 10**6), [3600, DAY_S])
        for first, last in itertools.pairwise(edges)
    ]
    hours, days = (concatenated(shard[period] for shard in shards) for period in (3600, DAY_S))
    assert rows_of(hours) == by_hand(rows, 3600)
    assert rows_of(longer_candles(days, WEEK_S)) == by_hand(rows, WEEK_S)


@given(rows=TRADES.filter(len), period=st.sampled_from([60, 3600, DAY_S]))
def test_a_candle_is_partial_that_is_not_wholly_in_the_complete_range(
    rows: list[tuple[int, int, int, bool]], period: int
) -> None:
    start, end = min(row[0] for row in rows), max(row[0] for row in rows) + 1
    candles = candles_of(trades_of(rows), [period], (start, end))[period]
    for time, partial in zip(candles.timestamp.tolist(), candles.is_partial.tolist(), strict=True):
        assert partial == (time < start or time + length_us(period) > end)


@pytest.mark.parametrize(("period", "name", "count"), [(60, "1m", 2469), (300, "5m", 706)])
def test_the_trades_of_a_spot_market_give_its_venues_candles(
    period: int, name: str, count: int, shared_data: Path
) -> None:
    trades = read_recording(shared_data / "candles" / "XRP_ETH-trades.feather")
    scales = {"price_scale": trades.price_scale, "size_scale": trades.size_scale}
    published = read_recording(shared_data / "candles" / f"XRP_ETH-{name}.feather", **scales).content
    assert isinstance(published, Candles)
    made = trades.candles(period)
    assert len(made) == len(published) == count
    for column in ("timestamp", *PRICES, "volume"):
        assert (getattr(made, column) == getattr(published, column)).all(), column


def test_the_trades_of_a_perpetual_give_its_five_full_minutes_on_all_eight_fields(shared_data: Path) -> None:
    folder = shared_data / "candles"
    trades = read_recording(folder / "BTCUSDT-perp-trades-2024-08-08T2354.csv.gz")
    scales = {"price_scale": trades.price_scale, "size_scale": trades.size_scale}
    published = read_recording(folder / "BTCUSDT-perp-1m.csv", **scales).content
    assert isinstance(published, Candles)
    full = 1_723_161_300_000_000, 1_723_161_600_000_000
    made, published = trades.candles(60).between(*full), published.between(*full)
    assert len(made) == 5
    for column in (*PRICES, "volume", "quote_volume", "trade_count", "buy_vol"):
        assert getattr(made, column).tolist() == getattr(published, column).tolist(), column
    assert made.is_partial.tolist() == [False, False, False, False, True]  # the file ends in the last one


def test_longer_candles_at_the_edges_of_recorded_ones_are_partial(tmp_path: Path) -> None:
    rows = [f"{minute * 60_000_000},5,7,4,6,10" for minute in range(4, 21)]
    (tmp_path / "ABC-1m.csv").write_text("\n".join(["timestamp_us,open,high,low,close,volume", *rows]) + "\n")
    recorded = read_recording(tmp_path / "ABC-1m.csv")
    assert not recorded.candles(60).is_partial.any()
    made = recorded.candles(300)
    assert made.is_partial.tolist() == [True, False, False, False, True]
    assert made.volume.tolist() == [10, 50, 50, 50, 10]


def test_a_longer_candle_of_a_partial_one_is_partial() -> None:
    trades = trades_of([(0, 1, 2, True), (60_000_000, 2, 3, False), (600_000_000, 1, 1, True)])
    minutes = candles_of(trades, [60], (60_000_000, 10**18))[60]
    assert minutes.is_partial.tolist() == [True, False, False]
    assert longer_candles(minutes, 300).is_partial.tolist() == [True, False]


def test_a_week_starts_on_monday() -> None:
    monday = 1_704_067_200_000_000  # 2024-01-01 00:00 UTC
    made = candles_of(trades_of([(monday - 1, 1, 1, True), (monday, 2, 1, True)]), [WEEK_S])[WEEK_S]
    assert made.timestamp.tolist() == [monday - WEEK_S * 1_000_000, monday]


def test_trades_of_one_time_count_in_the_order_they_came() -> None:
    made = candles_of(trades_of([(60, 5, 1, True), (7, 3, 1, True), (7, 9, 1, True), (60, 4, 1, True)]), [1])[
        1
    ]
    assert rows_of(made) == by_hand([(7, 3, 1, True), (7, 9, 1, True), (60, 5, 1, True), (60, 4, 1, True)], 1)


def test_what_a_source_does_not_tell_stays_unknown_in_longer_candles() -> None:
    minutes = candles_of(trades_of([(0, 1, 2, True), (60_000_000, 2, 3, False)]), [60])[60]
    columns = dict(zip(COLUMNS, minutes.columns(), strict=True))
    columns["trade_count"] = np.array([4, UNKNOWN])
    unknown = Candles(60, **columns, is_partial=minutes.is_partial)
    longer = longer_candles(unknown, 300)
    assert (longer.trade_count.tolist(), longer.volume.tolist()) == ([UNKNOWN], [5])


@pytest.mark.parametrize("column", ["volume", "quote_volume"])
def test_a_sum_beyond_64_bits_is_refused_not_wrapped(column: str) -> None:
    size, price = (2**62, 1) if column == "volume" else (2**40, 2**30)
    with pytest.raises(InvalidData, match=f"{column}.*64 bits"):
        candles_of(trades_of([(0, price, size, True)] * 3), [60])


def test_large_numbers_whose_sums_fit_pass() -> None:
    made = candles_of(trades_of([(n * 60_000_000, 2**31, 2**30, True) for n in range(8)]), [60])[60]
    assert made.quote_volume.tolist() == [2**61] * 8


@pytest.mark.parametrize("period", [0, -60, 1.5, True, "60", 10**9])
def test_a_period_that_is_none_is_refused_by_name(period: Any) -> None:
    with pytest.raises(InvalidField, match="period_seconds"):
        candles_of(trades_of([]), [period])


def test_longer_candles_need_a_period_that_divides() -> None:
    minutes = candles_of(trades_of([(0, 1, 1, True)]), [60])[60]
    with pytest.raises(InvalidData, match="90 s cannot be made of candles of 60 s"):
        longer_candles(minutes, 90)
