"""The public feed of a venue as an engine's feed: its trades, and the levels of the local books.

A Context's I/O thread puts trades into a queue; whoever polls the engine takes them out and reads the books.
Trades are numbered here: one that the feed lost leaves a hole in the numbers, which the engine flags as a
gap, and a new run of the venue does not.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ledgerx.orderflow.feeds.levels import LevelChanges
from ledgerx.orderflow.types import Side, Symbol
from ledgerx.sdk.context import Context

if TYPE_CHECKING:
    from ledgerx.orderflow.api import Engine
    from ledgerx.sdk.book import LocalBook

__all__ = ["VENUE", "VenueFeed"]

VENUE = "LEDGERX"


class VenueFeed:
    """Trades and books of a Context's exchange, for `Engine.attach`.

    The Context may be started before or after; it stays the caller's. `contracts` are numbers; without them
    it is every contract that a book top or a trade is heard of. `names` are what contracts are called in the
    engine, where not by their numbers. With more than `trades_waiting_max` trades between two polls the
    oldest are lost, which shows as a gap.
    """

    def __init__(
        self,
        context: Context,
        contracts: Iterable[int] | None = None,
        *,
        names: Mapping[int, str] | None = None,
        depth_levels: int = 10,
        trades_waiting_max: int = 1_000_000,
    ) -> None:
        self.context = context
        self._names = dict(names or {})
        self._depth_levels = depth_levels
        self._wanted = None if contracts is None else set(contracts)
        self._lock = threading.Lock()
        self._trades: deque[tuple[Any, int]] = deque(maxlen=trades_waiting_max)
        self._heard: set[int] = set(self._wanted or ())
        self._engine: Engine | None = None
        self._books: dict[int, tuple[LocalBook, LevelChanges, tuple[int, int]]] = {}
        self._positions: dict[int, tuple[int, int]] = {}  # (run_id, sequence) of a contract's latest trade
        self._numbers: dict[int, int] = {}
        self._reconnecting = False

    @property
    def symbols(self) -> list[Symbol]:
        """Of every contract heard of, by its number."""
        with self._lock:
            return [self.symbol(contract_id) for contract_id in sorted(self._heard)]

    def symbol(self, contract_id: int) -> Symbol:
        """What the engine knows a contract as."""
        return Symbol(VENUE, self._names.get(contract_id, str(contract_id)), self._depth_levels)

    def open(self, engine: Engine) -> None:
        """Listen to the Context's public feed."""
        self._engine = engine
        for contract_id in self._wanted if self._wanted is not None else (None,):
            self.context.listen("trade", contract_id, self._hear)
            self.context.listen("book_top", contract_id, self._hear)

    def close(self) -> None:
        """Listen no more."""
        self.context.unlisten(self._hear)

    def _hear(self, message: Any) -> None:
        """In the Context's I/O thread: only remembers."""
        received_ns = self.context.clock.wall_ns()
        with self._lock:
            self._heard.add(message.contract_id)
            if hasattr(message, "trade_id"):
                self._trades.append((message, received_ns))

    def drain(self) -> int:
        """Ingest the trades heard since the last drain, and the levels that changed."""
        engine = self._engine
        if engine is None:
            return 0
        self._tell_connection(engine)
        with self._lock:
            trades, heard = list(self._trades), sorted(self._heard)
            self._trades.clear()
        for message, received_ns in trades:
            self._ingest(engine, message, received_ns)
        return len(trades) + sum(self._levels(engine, contract_id) for contract_id in heard)

    def _tell_connection(self, engine: Engine) -> None:
        lost = not self.context.connected
        if lost != self._reconnecting:
            self._reconnecting = lost
            engine.set_external_reconnecting(lost)

    def _ingest(self, engine: Engine, message: Any, received_ns: int) -> None:
        contract_id = message.contract_id
        run_id, sequence = self._positions.get(contract_id, (message.run_id, message.sequence - 1))
        hole = message.run_id == run_id and message.sequence > sequence + 1
        number = self._numbers.get(contract_id, 0) + (2 if hole else 1)
        self._positions[contract_id] = (message.run_id, message.sequence)
        self._numbers[contract_id] = number
        engine.ingest_trade(
            self.symbol(contract_id),
            message.price_in_cents,
            message.size,
            Side.BID if message.is_ask else Side.ASK,  # one who sells trades with the bids
            number,
            message.timestamp,
            received_ns,
        )

    def _levels(self, engine: Engine, contract_id: int) -> int:
        known = self._books.get(contract_id)
        if known is None:
            known = (self.context.book(contract_id), LevelChanges(), (0, 0))
        book, changes, told = known
        position = book.position
        self._books[contract_id] = (book, changes, position if book.synchronised else told)
        if not book.synchronised or position == told:
            return 0
        count = 0
        for side in Side:
            for change in changes.of(side, book.depth(side == Side.ASK, self._depth_levels)):
                engine.ingest_book(self.symbol(contract_id), *change, 0, 0, self.context.clock.wall_ns())
                count += 1
        return count
