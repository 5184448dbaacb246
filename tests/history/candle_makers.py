"""Candles to put into a warehouse."""

from __future__ import annotations

import numpy as np

from ledgerx.history.candles import Candles, Trades, candles_of
from ledgerx.history.sources import Instrument
from ledgerx.history.writer import Filled

MINUTE_US = 60_000_000


def span(first: int, last: int) -> tuple[int, int]:
    """The range of the minutes from one number to another."""
    return first * MINUTE_US, last * MINUTE_US


def minutes(first: int, last: int, *, every: int = 1, price: int = 100) -> Candles:
    """Candles of the minutes from one number to another, one trade each, `every` so many."""
    numbers = np.arange(first, last, every, dtype=np.int64)
    sizes = np.ones(len(numbers), np.int64)
    return candles_of(Trades(numbers * MINUTE_US + 5, price + numbers, sizes, numbers % 2 == 0), [60])[60]


def fill(
    first: int, last: int, *, every: int = 1, price: int = 100, ticker: str = "TEST:ABC", source: str = "TEST"
) -> Filled:
    """The same to write, as a source's answer."""
    candles = minutes(first, last, every=every, price=price)
    return Filled(Instrument(ticker, 100, 1), 60, (span(first, last),), candles, source)
