"""The engine of the manual: one runtime library's engine, fed by calls, batches and attached feeds."""

from __future__ import annotations

import contextlib
import html
import os
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any

from ledgerx.errors import NotCompiled, OrderflowStateError
from ledgerx.orderflow import batches, series
from ledgerx.orderflow.config import refuse_beyond, runtime_settings
from ledgerx.orderflow.feeds.feed import Feed
from ledgerx.orderflow.library import library_file
from ledgerx.orderflow.types import DataQualityFlags, EngineConfig, ExternalFeedPolicy, StreamKind, Symbol

try:
    from ledgerx.orderflow._runtime import Runtime
except ImportError as error:
    raise NotCompiled("ledgerx.orderflow._runtime") from error

__all__ = ["Engine"]

Callback = Callable[[dict[str, Any]], object]


class Engine(Runtime):
    """Order-flow analytics of any number of symbols, in a native runtime.

    `library_path` names another library with the same ABI; without it ORDERFLOW_LIBRARY_PATH is looked at,
    then the package's own is taken. Raises FileNotFoundError with the places searched, OrderflowArgError for
    a setting out of range, OrderflowStateError naming a setting that a foreign library cannot follow.

    Any number of threads may use one engine. Callbacks run in the thread that brought the event in.
    """

    def __init__(self, config: EngineConfig, library_path: str | os.PathLike[str] | None = None) -> None:
        settings = runtime_settings(config)
        super().__init__(os.fspath(library_file(library_path)), settings)
        self.config = config
        self._feeds: list[Feed] = []
        self._draining = threading.RLock()
        if not self._own_library:
            try:
                refuse_beyond(settings, EngineConfig, self.build_info)
            except OrderflowStateError:
                self._close()
                raise

    def __enter__(self) -> Engine:
        """Start the engine."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close the engine."""
        self.close()

    def close(self) -> None:
        """End all subscriptions, close the feeds and destroy the native engine; again does nothing."""
        with self._draining:
            feeds, self._feeds = self._feeds, []
        try:
            with contextlib.ExitStack() as closing:
                for feed in feeds:
                    closing.callback(feed.close)
        finally:
            self._close()

    # ---- Subscriptions, feeds ----

    def subscribe(
        self, symbol: Symbol, stream_kind: int = StreamKind.ANALYTICS, callback: Callback | None = None
    ) -> None:
        """Have `callback` called with a dict for every event of a stream; without one, only subscribe.

        Raises OrderflowArgError for an unknown stream kind or a callback that cannot be called.
        """
        self._subscribe(symbol, stream_kind, callback)

    def attach(self, feed: Feed) -> None:
        """Have `poll_once` drain `feed` from now on; the engine closes it. Raises OrderflowStateError if
        closed.
        """
        if self._closed:
            raise OrderflowStateError("engine is closed")
        feed.open(self)
        with self._draining:
            self._feeds.append(feed)

    def poll_once(self, quality_flags: int = DataQualityFlags.NONE) -> None:
        """Bring in what the attached feeds have, then tell ANALYTICS, SIGNALS and HEALTH subscribers how it
        stands.

        Raises what a feed or a callback raised, after the others had their turn.
        """
        with contextlib.ExitStack() as turns:
            turns.callback(self._poll, quality_flags)
            with self._draining:
                feeds = list(self._feeds)
            for feed in reversed(feeds):  # the stack unwinds from its end
                turns.callback(self._drain, feed)

    def _drain(self, feed: Feed) -> None:
        with self._draining:
            feed.drain()

    def configure_external_feed(self, policy: ExternalFeedPolicy) -> None:
        """Set how the feed is supervised. Raises OrderflowStateError for what a foreign library cannot
        follow.
        """
        if not self._own_library:
            refuse_beyond(policy, ExternalFeedPolicy, self.build_info)
        super().configure_external_feed(policy)

    # ---- Batches ----

    def ingest_trades(self, symbol: Symbol, trades: Any, quality_flags: int = DataQualityFlags.NONE) -> None:
        """Many trades of one symbol, as that many single calls, without a Python loop and without the GIL.

        `trades` has the columns `price`, `size`, `aggressor_side` and, where there are such, `sequence`,
        `ts_exchange_ns`, `ts_recv_ns`: a mapping of arrays, a NumPy structured array, or Arrow. The flags
        are those of every row.

        Raises OrderflowArgError naming the row, the field and the value; then no row was applied.

        """
        self._ingest_trades(symbol, *batches.trade_columns(trades), quality_flags)

    def ingest_books(self, symbol: Symbol, books: Any, quality_flags: int = DataQualityFlags.NONE) -> None:
        """Many book events of one symbol: columns `side`, `level`, `price`, `size` and, where there are such,
        `action`, `sequence`, `ts_exchange_ns`, `ts_recv_ns`. Otherwise as `ingest_trades`.
        """
        self._ingest_books(symbol, *batches.book_columns(books), quality_flags)

    # ---- Figures and series beyond the manual ----

    def flow_snapshot(self, symbol: Symbol) -> dict[str, Any]:
        """VWAP, VPIN, momentum, absorption, imbalance and microprice; None where there is none, {} before
        events.

        The formulas and their sources are in the documentation. Raises OrderflowStateError on a foreign
        library.
        """
        self._need_own("flow_snapshot")
        figures = self._flow(symbol)
        return {} if figures is None else series.flow_of(figures)

    def vwap_bands(self, symbol: Symbol, deviations: float = 2.0) -> tuple[float, float] | None:
        """The volume-weighted price less and plus that many deviations of it; None before the first trade."""
        figures = self.flow_snapshot(symbol)
        if figures.get("vwap") is None:
            return None
        width = deviations * figures["vwap_deviation"]
        return figures["vwap"] - width, figures["vwap"] + width

    def to_numpy(self, symbol: Symbol, series_name: str = "trades") -> Any:
        """A series of the session, oldest first, as a structured array.

        `series_name`: trades, candles, footprint, profile or vpin. Raises OrderflowArgError for another,
        OrderflowStateError on a foreign library, MissingExtra without NumPy.
        """
        return series.array_of(series_name, self._rows(symbol, series_name))

    def to_arrow(self, symbol: Symbol, series_name: str = "trades") -> Any:
        """A series as a pyarrow Table; otherwise as `to_numpy`."""
        return series.table_of(series_name, self._rows(symbol, series_name))

    def to_pandas(self, symbol: Symbol, series_name: str = "trades") -> Any:
        """A series as a pandas DataFrame; otherwise as `to_numpy`."""
        return self.to_arrow(symbol, series_name).to_pandas()

    def _rows(self, symbol: Symbol, series_name: str) -> bytes:
        number = series.number_of(series_name)
        self._need_own(f"the series {series_name}")
        return self._series(symbol, number)

    def _need_own(self, what: str) -> None:
        if not self._own_library:
            raise OrderflowStateError(
                f"{what} needs ledgerx's own runtime: the library in use is {self.build_info}"
            )

    def _repr_html_(self) -> str:
        """A table of the engine's state and of its symbols' analytics, for a notebook."""
        if self._closed:
            return "<p>orderflow engine: closed</p>"
        metrics = self.metrics()
        rows = []
        for entry in metrics["adapters"][0]["subscribed_symbols"]:
            symbol = Symbol(entry["venue"], entry["symbol"])
            cells = [symbol.venue, symbol.symbol, *self.analytics_snapshot(symbol).values()]
            rows.append("".join(f"<td>{html.escape(str(cell))}</td>" for cell in cells))
        names = [
            "venue",
            "symbol",
            "delta",
            "cumulative_delta",
            "buy",
            "sell",
            "last",
            "poc",
            "area_low",
            "area_high",
        ]
        head = "".join(f"<th>{name}</th>" for name in names)
        name, status, events = (
            metrics[key] for key in ("instance_id", "runtime_health_status", "processed_events")
        )
        caption = f"{name}: {status}, {events} events"
        body = "".join(f"<tr>{row}</tr>" for row in rows)
        return f"<table><caption>{html.escape(caption)}</caption><tr>{head}</tr>{body}</table>"
