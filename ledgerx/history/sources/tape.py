"""The trade tape of a venue of ours as a source: the public trades in its journal, while it runs or after.

What is read was released, so nothing that a crash may take back becomes a candle. Engine time never
decreases: all trades before the time of the last released record are known, and a period that ends later is
not covered yet.
Where the journal's beginning was deleted, so are the trades before.
"""

from __future__ import annotations

import threading
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ledgerx.errors import DataFolderUnusable, JournalCorrupt, SourceFailed
from ledgerx.exchange.journal_tail import JournalTail, Tailed
from ledgerx.exchange.released import read_mark
from ledgerx.exchange.segments import journal_folder
from ledgerx.history.candles import Trades, candles_of
from ledgerx.history.extras import needed
from ledgerx.history.periods import Range, bucket_start, buckets_between, length_us
from ledgerx.history.sources.source import Instrument, Page
from ledgerx.protocol.wire import decode_message

if TYPE_CHECKING:
    from ledgerx.history.candles import Candles

__all__ = ["VenueTape"]

PRICE_SCALE: Final = 100  # prices are in cents
SIZE_SCALE: Final = 1
_TOPIC: Final = "trade."
_TURN_RECORDS: Final = 10_000
_NS: Final = 1000


class VenueTape:
    """The trades of a venue's data folder; a symbol is a contract's number.

    Args:
        data_dir: the venue's folder, on this machine.
        name: what stands before the colon of the tickers.
        page_candles_max: candles of one page.

    Raises DataFolderUnusable where there is no journal.

    """

    def __init__(
        self, data_dir: str | Path, *, name: str = "LEDGERX", page_candles_max: int = 100_000
    ) -> None:
        self._folder = journal_folder(Path(data_dir))
        if not self._folder.is_dir():
            raise DataFolderUnusable(f"{data_dir} has no journal: name the data folder of a venue")
        self._name = name
        self._page_candles_max = page_candles_max
        self._lock = threading.Lock()
        self._begin()

    @property
    def name(self) -> str:
        """As in SOURCE:SYMBOL."""
        return self._name

    def instrument(self, symbol: str) -> Instrument | None:
        """Cents and lots; None for what is no contract's number."""
        if not symbol.isdecimal() or str(int(symbol)) != symbol:
            return None
        return Instrument(f"{self.name}:{symbol}", PRICE_SCALE, SIZE_SCALE)

    def pages(self, symbol: str, period_seconds: int, wanted: Range) -> Iterator[Page]:
        """What the tape has of the range. Raises SourceFailed for a journal that cannot be read."""
        trades, known = self._tape(int(symbol))
        length = length_us(period_seconds)
        first, last = buckets_between(max(wanted[0], known[0]), wanted[1], period_seconds)
        last = min(last, bucket_start(known[1], period_seconds))  # the period of the last record is open
        for start in range(first, last, length * self._page_candles_max):
            end = min(start + length * self._page_candles_max, last)
            made: Candles = candles_of(trades.between(start, end), [period_seconds])[period_seconds]
            yield Page((start, end), made)

    def close(self) -> None:
        """Close the journal's file."""
        with self._lock:
            self._tail.close()

    def _begin(self) -> None:
        """Read from the journal's beginning."""
        self._tail = JournalTail(self._folder)
        self._records: Iterator[Tailed] = iter(())
        self._held: Tailed | None = None
        self._first_us: int | None = None
        self._last_us = 0
        self._contracts: dict[int, tuple[array[int], array[int], array[int], array[int]]] = {}

    def _tape(self, contract_id: int) -> tuple[Trades, Range]:
        """A contract's trades, and the range of time of which all are there."""
        np = needed("numpy", "a venue's trades as candles")
        with self._lock:
            try:
                self._catch_up()
            except JournalCorrupt as error:
                # The follower may have deleted the segment that was to be read: once more from the beginning.
                self._tail.close()
                self._begin()
                try:
                    self._catch_up()
                except JournalCorrupt:
                    raise SourceFailed(f"{self.name}: {error}") from error
            columns: Any = self._contracts.get(contract_id) or [array("q")] * 4
            times, prices, sizes, bought = (np.array(column, np.int64) for column in columns)
            known = (self._first_us if self._first_us is not None else 0, self._last_us)
        return Trades(times, prices, sizes, bought.astype(bool)), known

    def _catch_up(self) -> None:
        """Read what was released since."""
        mark = read_mark(self._folder / "released")
        if mark is None:
            return
        while (found := self._next()) is not None:
            if (found.segment, found.end) > (mark.segment, mark.end):
                return
            self._held = None
            self._take(found)

    def _next(self) -> Tailed | None:
        if self._held is None:
            self._held = next(self._records, None)
            if self._held is None:
                self._records = self._tail.read(_TURN_RECORDS)
                self._held = next(self._records, None)
        return self._held

    def _take(self, found: Tailed) -> None:
        record = found.record
        self._last_us = record.input.time // _NS
        if self._first_us is None:
            # Before its first record a venue had no trade; what came before a later one was deleted.
            self._first_us = 0 if record.number == 1 else self._last_us + 1
        for output in record.outputs:
            if not output.cid and output.topic.startswith(_TOPIC):
                trade = decode_message(output.message)
                columns = self._contracts.setdefault(
                    trade.contract_id, (array("q"), array("q"), array("q"), array("q"))
                )
                row = (trade.timestamp // _NS, trade.price_in_cents, trade.size, not trade.is_ask)
                for column, value in zip(columns, row, strict=True):
                    column.append(value)
