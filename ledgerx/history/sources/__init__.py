"""Sources of candles: recorded files, the trade tape of our venue, and the venues of ccxt."""

from __future__ import annotations

from ledgerx.history.sources.source import Instrument, Page, Source

__all__ = ["Instrument", "Page", "Source"]
