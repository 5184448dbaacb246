"""Arithmetic of candles' periods and of ranges of time: whole numbers alone, in microseconds.

A range is [start, end). A candle's timestamp is the start of its period; periods count from 1970-01-01 00:00
UTC, those of whole weeks from a Monday 00:00 UTC.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable
from typing import Final, TypeAlias

from ledgerx.errors import InvalidField

__all__ = [
    "DAY_SECONDS",
    "MICROSECONDS",
    "PERIOD_SECONDS_MAX",
    "WEEK_SECONDS",
    "Range",
    "bucket_start",
    "buckets_between",
    "check_period",
    "check_range",
    "check_ticker",
    "clip",
    "derives_from",
    "length_us",
    "merge",
    "origin_us",
    "subtract",
    "whole_number",
]

MICROSECONDS: Final = 1_000_000
DAY_SECONDS: Final = 86_400
WEEK_SECONDS: Final = 7 * DAY_SECONDS
PERIOD_SECONDS_MAX: Final = 53 * WEEK_SECONDS
TICKER_CHARACTERS_MAX: Final = 128
_MONDAY_US: Final = 4 * DAY_SECONDS * MICROSECONDS  # 1970-01-05; the first of January was a Thursday
_TIME_MAX_US: Final = 253_402_300_800 * MICROSECONDS  # the year 10000, where a datetime ends
_BELONGS: Final = "give whole microseconds since 1970 UTC, int(datetime.timestamp() * 1_000_000)"

Range: TypeAlias = tuple[int, int]
"""start and end in microseconds since 1970 UTC; the end is not part of it."""


def check_period(period_seconds: int) -> int:
    """The period, if it is one. Raises InvalidField."""
    whole = whole_number(period_seconds)
    if whole is None or not 1 <= whole <= PERIOD_SECONDS_MAX:
        raise InvalidField(
            f"period_seconds {period_seconds!r}: give whole seconds from 1 to {PERIOD_SECONDS_MAX},"
            " such as 60, 3600 or 86400",
            field="period_seconds",
            value=period_seconds,
        )
    return whole


def check_ticker(ticker: str) -> str:
    """The ticker, if it is SOURCE:SYMBOL. Raises InvalidField."""
    if isinstance(ticker, str) and len(ticker) <= TICKER_CHARACTERS_MAX and ticker.isprintable():
        source, colon, symbol = ticker.partition(":")
        if source and colon and symbol:
            return ticker
    text = f"ticker {ticker!r}: give SOURCE:SYMBOL, such as BINANCE:BTC/USDT"
    raise InvalidField(text, field="ticker", value=ticker)


def whole_number(value: object) -> int | None:
    """An int of a whole number, NumPy's as well; None of anything else, a bool too."""
    if isinstance(value, bool):
        return None
    try:
        return operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        return None


def check_range(start_time: int, end_time: int) -> Range:
    """Both, if they are a range of time. Raises InvalidField."""
    times = []
    for field, value in (("start_time", start_time), ("end_time", end_time)):
        time = whole_number(value)
        if time is None or not 0 <= time <= _TIME_MAX_US:
            raise InvalidField(f"{field} {value!r}: {_BELONGS}", field=field, value=value)
        times.append(time)
    start, end = times
    if end < start:
        text = f"end_time {end} is before start_time {start}: swap them"
        raise InvalidField(text, field="end_time", value=end_time)
    return start, end


def length_us(period_seconds: int) -> int:
    """A period in microseconds."""
    return period_seconds * MICROSECONDS


def origin_us(period_seconds: int) -> int:
    """A time at which a period starts, the others being whole periods away."""
    return _MONDAY_US if period_seconds % WEEK_SECONDS == 0 else 0


def bucket_start(time: int, period_seconds: int) -> int:
    """The timestamp of the candle that a time belongs to."""
    origin, length = origin_us(period_seconds), length_us(period_seconds)
    return origin + (time - origin) // length * length


def buckets_between(start_time: int, end_time: int, period_seconds: int) -> Range:
    """The whole periods whose timestamps are in [start, end); an empty range where there is none."""
    length = length_us(period_seconds)
    first = bucket_start(start_time + length - 1, period_seconds)
    return first, max(first, bucket_start(end_time + length - 1, period_seconds))


def derives_from(period_seconds: int, finer_seconds: int) -> bool:
    """Whether each candle of a period is made of whole candles of a finer one."""
    distance = origin_us(period_seconds) - origin_us(finer_seconds)
    return period_seconds % finer_seconds == 0 and distance % length_us(finer_seconds) == 0


def merge(ranges: Iterable[Range]) -> list[Range]:
    """The same times in as few ranges as there can be, in order."""
    merged: list[Range] = []
    for start, end in sorted(ranges):
        if start >= end:
            continue
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def clip(ranges: Iterable[Range], within: Range) -> list[Range]:
    """What of the ranges is within another one."""
    return merge((max(start, within[0]), min(end, within[1])) for start, end in ranges)


def subtract(wanted: Range, covered: Iterable[Range]) -> list[Range]:
    """What of a range is in none of the others, in order."""
    left: list[Range] = []
    start, end = wanted
    for covered_start, covered_end in clip(covered, wanted):
        if start < covered_start:
            left.append((start, covered_start))
        start = covered_end
    if start < end:
        left.append((start, end))
    return left
