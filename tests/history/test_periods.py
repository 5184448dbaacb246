"""Ranges of time behave as sets of microseconds do."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledgerx.errors import InvalidField
from ledgerx.history.periods import (
    buckets_between,
    check_range,
    check_ticker,
    clip,
    length_us,
    merge,
    origin_us,
    subtract,
)

RANGES = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), max_size=8)


def times(ranges: list[tuple[int, int]]) -> set[int]:
    return {time for start, end in ranges for time in range(start, end)}


@given(ranges=RANGES)
def test_merged_ranges_hold_the_same_times_apart_from_each_other(ranges: list[tuple[int, int]]) -> None:
    merged = merge(ranges)
    assert times(merged) == times(ranges)
    assert all(before[1] < after[0] for before, after in itertools.pairwise(merged))


@given(wanted=st.tuples(st.integers(0, 50), st.integers(0, 50)), covered=RANGES)
def test_what_is_missing_and_what_is_covered_make_up_the_whole(
    wanted: tuple[int, int], covered: list[tuple[int, int]]
) -> None:
    missing, there = subtract(wanted, covered), clip(covered, wanted)
    assert times(missing) == times([wanted]) - times(covered)
    assert times(missing) | times(there) == times([wanted])
    assert missing == merge(missing)


@given(
    start=st.integers(0, 10**14),
    length=st.integers(0, 10**13),
    period=st.sampled_from([1, 7, 60, 86_400, 604_800]),
)
def test_buckets_are_those_whose_timestamps_are_in_the_range(start: int, length: int, period: int) -> None:
    first, end = buckets_between(start, start + length, period)
    step = length_us(period)
    assert (first - origin_us(period)) % step == (end - origin_us(period)) % step == 0
    assert start <= first < start + step
    assert first <= end
    if first < end:
        assert end - step < start + length <= end


@pytest.mark.parametrize("ticker", ["", "BTC", ":BTC", "BINANCE:", 7, "A:\n", "A:" + "x" * 200])
def test_a_ticker_that_is_none_is_refused_by_name(ticker: Any) -> None:
    with pytest.raises(InvalidField, match="ticker"):
        check_ticker(ticker)


@pytest.mark.parametrize(
    ("start", "end", "field"),
    [(-1, 5, "start_time"), (0, 1.5, "end_time"), (5, 4, "end_time"), (True, 4, "start_time")],
)
def test_a_range_that_is_none_is_refused_by_name(start: Any, end: Any, field: str) -> None:
    with pytest.raises(InvalidField, match=field):
        check_range(start, end)
