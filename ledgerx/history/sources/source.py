"""What an ingestor asks of a source of candles, and what both speak of: instruments and pages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from ledgerx.history.periods import Range

if TYPE_CHECKING:
    from ledgerx.history.candles import Candles

__all__ = ["Instrument", "Page", "Source"]


@dataclass(frozen=True, slots=True)
class Instrument:
    """How a ticker's whole numbers are read: ticks of a price of 1, and lots of a size of 1."""

    ticker: str
    price_scale: int
    size_scale: int


@dataclass(frozen=True, slots=True)
class Page:
    """All candles of a range, whole periods: what it lacks had no trades. The range may be empty."""

    covered: Range
    candles: Candles


class Source(Protocol):
    """A place candles come from. `name` is what stands before the colon of its tickers."""

    @property
    def name(self) -> str:
        """As in SOURCE:SYMBOL."""

    def instrument(self, symbol: str) -> Instrument | None:
        """A symbol's scales; None where the source does not have it. May block."""

    def pages(self, symbol: str, period_seconds: int, wanted: Range) -> Iterator[Page]:
        """The candles of whole periods, page by page, in order of time. May block.

        The pages together may cover less than was wanted: what is still open, or not known yet. Raises
        SourceFailed where it cannot go on; pages that came before stay good.
        """

    def close(self) -> None:
        """Let go of files and connections."""
