"""A recorded file as a feed: trades in columns, order-by-order days through the book, or persisted events."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ledgerx.clob.dbn import is_dbn
from ledgerx.errors import InvalidData
from ledgerx.orderflow.orders import BookChange, Print, events_of_day
from ledgerx.orderflow.recorded import read_book_events, read_trades
from ledgerx.orderflow.types import Symbol

if TYPE_CHECKING:
    from ledgerx.orderflow.api import Engine

__all__ = ["FileFeed"]

VENUE = "FILE"


class FileFeed:
    """A file that `poll_once` reads on, `rows_max` rows at a time.

    `path` is a file of trades (CSV, Parquet, Arrow, or what an engine persisted) or a LOBSTER or DBN day.
    `symbol` is whose events they are; without one it is venue FILE and the file's name before its first
    dot. A DBN day has the number of each instrument behind the symbol. The scales are those of
    `recorded.read_trades`.
    """

    def __init__(
        self,
        path: str | Path,
        symbol: Symbol | None = None,
        *,
        rows_max: int = 100_000,
        price_scale: int | None = None,
        size_scale: int | None = None,
    ) -> None:
        self.path = Path(path)
        self.symbol = symbol or Symbol(VENUE, self.path.name.partition(".")[0])
        self.rows_max = rows_max
        self.done = False
        self._scales = {"price_scale": price_scale, "size_scale": size_scale}
        self.symbols: list[Symbol] = []  # of what came in so far
        self._turns: Iterator[int] = iter(())

    def open(self, engine: Engine) -> None:
        """Read the file's beginning. Raises InvalidData if it is none, MissingExtra for a form that needs
        one.
        """
        if not self.path.is_file():
            raise InvalidData(f"{self.path}: is no file", file=self.path.name)
        with self.path.open("rb") as file:
            head = file.read(4)
        if is_dbn(head) or self.path.suffix in (".zip", ".dbn", ".zst"):
            self._turns = self._orders(engine)
        elif self.path.name.endswith(".jsonl") and self.path.name.startswith("book"):
            self._turns = self._table(engine.ingest_books, read_book_events(self.path))
        else:
            trades = read_trades(self.path, **self._scales)
            self._turns = self._columns(engine, trades)

    def drain(self) -> int:
        """Ingest the next rows; 0 at the end, when `done` is True."""
        rows = next(self._turns, 0)
        self.done = self.done or rows == 0
        return rows

    def close(self) -> None:
        """Leave the rest of the file unread."""
        self._turns = iter(())
        self.done = True

    def _columns(self, engine: Engine, columns: dict[str, Any]) -> Iterator[int]:
        rows = len(columns["price"])
        for begin in range(0, rows, self.rows_max):
            turn = {name: values[begin : begin + self.rows_max] for name, values in columns.items()}
            engine.ingest_trades(self.symbol, turn)
            self.symbols = [self.symbol]
            yield len(turn["price"])

    def _table(self, ingest: Any, table: Any) -> Iterator[int]:
        for begin in range(0, table.num_rows, self.rows_max):
            turn = table.slice(begin, self.rows_max)
            ingest(self.symbol, turn)
            self.symbols = [self.symbol]
            yield turn.num_rows

    def _orders(self, engine: Engine) -> Iterator[int]:
        events = events_of_day(self.path, self.symbol.depth_levels)
        sequences: dict[Symbol, int] = {}
        symbols: dict[str, Symbol] = {"": self.symbol}
        while turn := list(islice(events, self.rows_max)):
            for event in turn:
                symbol = symbols.get(event.instrument)
                if symbol is None:
                    name = f"{self.symbol.symbol}.{event.instrument}"
                    symbol = Symbol(self.symbol.venue, name, self.symbol.depth_levels)
                    symbols[event.instrument] = symbol
                ingest_event(engine, symbol, event, sequences)
                if symbol not in self.symbols:
                    self.symbols.append(symbol)
            yield len(turn)


def ingest_event(
    engine: Engine, symbol: Symbol, event: Print | BookChange, sequences: dict[Symbol, int]
) -> None:
    """One event; trades are numbered, levels are whole as they are."""
    if isinstance(event, Print):
        number = sequences[symbol] = sequences.get(symbol, 0) + 1
        engine.ingest_trade(symbol, event.price, event.size, event.aggressor, number, event.time_ns)
    else:
        _, time_ns, side, level, price, size, action = event
        engine.ingest_book(symbol, side, level, price, size, action, 0, time_ns)
