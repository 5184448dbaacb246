"""The engine of the twin: the manual's methods over the rules beside it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ledgerx.clock import SystemClock
from ledgerx.errors import OrderflowArgError, OrderflowStateError
from ledgerx.orderflow._reference.book import Levels
from ledgerx.orderflow._reference.quality import Quality, names_of
from ledgerx.orderflow._reference.session import Session, Trade
from ledgerx.orderflow._reference.signals import judge
from ledgerx.orderflow.types import (
    BookAction,
    DataQualityFlags,
    EngineConfig,
    ExternalFeedPolicy,
    Side,
    StreamKind,
    Symbol,
)

__all__ = ["ReferenceEngine"]

Callback = Callable[[dict[str, Any]], object]
Key = tuple[str, str]


class Subscription:
    """Whom to tell of what."""

    def __init__(self, key: Key, kind: int, callback: Callback | None) -> None:
        self.key, self.kind, self.callback = key, kind, callback
        self.told_health_seq = -1


def key_of(symbol: Symbol) -> Key:
    """An instrument is its two names."""
    if not symbol.venue or not symbol.symbol:
        raise OrderflowArgError(f"venue {symbol.venue!r} and symbol {symbol.symbol!r} must not be empty")
    return symbol.venue, symbol.symbol


class ReferenceEngine:
    """As `ledgerx.orderflow.Engine`, for well-formed arguments; the errors are those of the lifecycle and
    ranges.
    """

    api_version = 65536
    build_info = "ledgerx twin in Python"

    def __init__(self, config: EngineConfig) -> None:
        self.config = config
        self.quality = Quality()
        self.sessions: dict[Key, Session] = {}
        self.signals: dict[Key, dict[str, Any]] = {}
        self.books: dict[Key, Levels] = {}
        self.subscriptions: list[Subscription] = []
        self.started = self.ever_started = self.connected = self.closed = False
        self.flags = self.health_seq = self.processed_events = 0
        self.told: tuple[bool, bool, int, bool] | None = None  # the first state counts as a change
        self.clock = SystemClock()

    def __enter__(self) -> ReferenceEngine:
        """Start."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    # ---- Lifecycle ----

    def start(self) -> None:
        """Start; again does nothing."""
        self.need(started=False)
        self.started = self.ever_started = self.connected = True
        self.settle(self.flags)

    def stop(self) -> None:
        """Stop; again does nothing."""
        if self.started:
            self.started = False
            self.settle(0)

    def close(self) -> None:
        """Close; again does nothing."""
        self.stop()
        self.closed = True

    def need(self, *, started: bool) -> None:
        """Raise OrderflowStateError for an engine that is closed or has not the state."""
        if self.closed:
            raise OrderflowStateError("engine is closed")
        if started and not self.started:
            raise OrderflowStateError("a started engine is needed: call start() before")

    # ---- Health ----

    def health_state(self) -> tuple[bool, bool, int, bool]:
        """What HEALTH tells a change of."""
        return self.started, self.connected, self.flags, self.quality.reconnecting

    def settle(self, flags: int) -> None:
        """Take the current flags, and count a change."""
        self.flags = flags
        if self.health_state() != self.told:
            self.told = self.health_state()
            self.health_seq += 1

    def status(self) -> str:
        """The runtime's health in a word."""
        if not self.started:
            return "disconnected"
        return "degraded" if self.flags or self.quality.reconnecting else "healthy"

    def health(self) -> dict[str, Any]:
        """What HEALTH subscribers get."""
        streaming = "degraded" if self.quality.reconnecting else "streaming"
        return {
            "health_seq": self.health_seq,
            "started": self.started,
            "connected": self.connected,
            "reconnect_state": streaming if self.started and self.connected else "disconnected",
            "quality_flags": self.flags,
            "quality_flags_detail": names_of(self.flags),
            "processed_events": self.processed_events,
            "tracked_symbols": len(self.sessions.keys() | self.books.keys()),
            "runtime_health_status": self.status(),
            **self.external(),
        }

    def external(self) -> dict[str, Any]:
        """What health and metrics tell of the feed."""
        return {
            "external_feed_enabled": self.quality.enabled,
            "external_feed_reconnecting": self.quality.reconnecting,
            "external_sequence_enforced": self.quality.policy.enforce_sequence,
        }

    def metrics(self) -> dict[str, Any]:
        """Those of the engine's counters that a rule speaks of."""
        self.need(started=False)
        trades = {key for key, of_trades in self.quality.remembered if of_trades}
        books = {key for key, of_trades in self.quality.remembered if not of_trades}
        return {
            "instance_id": self.config.instance_id or "default",
            "started": self.started,
            "processed_events": self.processed_events,
            "symbols": len(self.sessions.keys() | self.books.keys()),
            "book_symbols": len(self.books),
            "analytics_symbols": len(self.sessions),
            "signal_symbols": len(self.sessions),
            "health_seq": self.health_seq,
            "quality_flags": self.flags,
            "quality_flags_detail": names_of(self.flags),
            "adapter_connected": self.connected,
            "runtime_health_status": self.status(),
            "external_stale_after_ms": self.quality.policy.stale_after_ms,
            "external_trade_sequence_symbols": len(trades),
            "external_book_sequence_symbols": len(books),
            **self.external(),
            **self.quality.counters,
        }

    # ---- Subscriptions ----

    def subscribe(
        self, symbol: Symbol, stream_kind: int = StreamKind.ANALYTICS, callback: Callback | None = None
    ) -> None:
        """Subscribe; without a callback nobody is told."""
        self.need(started=False)
        if not self.ever_started:
            raise OrderflowStateError("subscribe needs a started engine: call start() before")
        if stream_kind not in list(StreamKind):
            raise OrderflowArgError(f"stream_kind {stream_kind} is unknown")
        self.subscriptions.append(Subscription(key_of(symbol), stream_kind, callback))

    def unsubscribe(self, symbol: Symbol) -> None:
        """End the symbol's subscriptions."""
        self.need(started=False)
        if not self.ever_started:
            raise OrderflowStateError("unsubscribe needs a started engine: call start() before")
        self.subscriptions = [one for one in self.subscriptions if one.key != key_of(symbol)]

    def tell(self, key: Key | None, event: dict[str, Any] | None, kind: int, *, snapshots: bool) -> None:
        """Call whom an event concerns, in order; then raise the first exception of a callback."""
        told: list[tuple[Subscription, dict[str, Any]]] = []
        for one in self.subscriptions:
            payload: dict[str, Any] | None = None
            if one.kind == StreamKind.HEALTH:
                if one.callback and one.told_health_seq != self.health_seq:
                    one.told_health_seq = self.health_seq
                    payload = self.health()
            elif one.kind in (StreamKind.ANALYTICS, StreamKind.SIGNALS):
                if snapshots:
                    payload = (
                        self.analytics(one.key) if one.kind == StreamKind.ANALYTICS else self.signal(one.key)
                    )
            elif one.kind == kind and one.key == key:
                payload = event
            if payload is not None:
                told.append((one, payload))
        raised: list[BaseException] = []
        for one, payload in told:
            try:
                if one.callback and one in self.subscriptions and not self.closed:
                    one.callback(dict(payload))
            except BaseException as error:
                raised.append(error)
        if raised:
            raise raised[0]

    # ---- Calls ----

    def poll_once(self, quality_flags: int = DataQualityFlags.NONE) -> None:
        """The poll's flags are its argument alone."""
        self.need(started=True)
        self.settle(int(quality_flags))
        self.tell(None, None, 0, snapshots=True)

    def reset_symbol_session(self, symbol: Symbol) -> None:
        """Begin anew; the book and the sequences stay."""
        self.need(started=False)
        key = key_of(symbol)
        if key in self.sessions:
            self.sessions[key] = Session(self.config)
            self.signals[key] = judge(self.sessions[key], 0)
        self.settle(0)

    def configure_external_feed(self, policy: ExternalFeedPolicy) -> None:
        """Set the policy."""
        self.need(started=True)
        self.quality.policy = policy
        self.quality.enabled = True
        self.tell_external()

    def set_external_reconnecting(self, reconnecting: bool) -> None:
        """Note a reconnect."""
        self.need(started=True)
        self.quality.set_reconnecting(reconnecting)
        self.tell_external()

    def external_health_tick(self) -> None:
        """Judge silence without an event."""
        self.need(started=True)
        self.tell_external()

    def tell_external(self) -> None:
        """The flags from outside are the current ones."""
        self.settle(self.quality.external(self.clock.wall_ns(), 0))
        self.tell(None, None, 0, snapshots=False)

    def ingest_trade(
        self,
        symbol: Symbol,
        price: int,
        size: int,
        aggressor_side: int,
        sequence: int = 0,
        ts_exchange_ns: int = 0,
        ts_recv_ns: int = 0,
        quality_flags: int = DataQualityFlags.NONE,
    ) -> None:
        """One trade."""
        self.need(started=True)
        if aggressor_side not in list(Side) or size <= 0:
            raise OrderflowArgError(f"aggressor_side {aggressor_side} or size {size} is out of range")
        key, now_ns = key_of(symbol), self.clock.wall_ns()
        times = (ts_exchange_ns, ts_recv_ns)
        flags = self.quality.event((key, True), int(quality_flags), sequence, times, now_ns)
        if flags is None:
            return
        session = self.sessions.setdefault(key, Session(self.config))
        session.add(Trade(price, size, aggressor_side, sequence, ts_exchange_ns, ts_recv_ns, flags))
        self.signals[key] = judge(session, flags)
        self.processed_events += 1
        self.settle(flags)
        event = {
            "venue": key[0],
            "symbol": key[1],
            "price": price,
            "size": size,
            "aggressor": "Ask" if aggressor_side == Side.ASK else "Bid",
            "sequence": sequence,
            "ts_exchange_ns": ts_exchange_ns,
            "ts_recv_ns": ts_recv_ns,
        }
        self.tell(key, event, StreamKind.TRADES, snapshots=True)

    def ingest_book(
        self,
        symbol: Symbol,
        side: int,
        level: int,
        price: int,
        size: int,
        action: int = BookAction.UPSERT,
        sequence: int = 0,
        ts_exchange_ns: int = 0,
        ts_recv_ns: int = 0,
        quality_flags: int = DataQualityFlags.NONE,
    ) -> None:
        """One level."""
        self.need(started=True)
        if side not in list(Side) or action not in list(BookAction):
            raise OrderflowArgError(f"side {side} or action {action} is unknown")
        if size < 0 or not 0 <= level < 2**16:
            raise OrderflowArgError(f"level {level} or size {size} is out of range")
        key, now_ns, policy = key_of(symbol), self.clock.wall_ns(), self.quality.policy
        times = (ts_exchange_ns, ts_recv_ns)
        flags = self.quality.event((key, False), int(quality_flags), sequence, times, now_ns)
        if flags is None:
            return
        beyond = level >= symbol.depth_levels
        if beyond and policy.flag_truncated_depth:
            flags |= DataQualityFlags.DEPTH_TRUNCATED
        names = {"venue": key[0], "symbol": key[1]}
        event = {
            "side": side,
            "level": level,
            "price": price,
            "size": size,
            "action": action,
            "sequence": sequence,
            "ts_exchange_ns": ts_exchange_ns,
            "ts_recv_ns": ts_recv_ns,
        }
        self.books.setdefault(key, Levels()).apply(event, not (beyond and policy.limit_depth))
        self.processed_events += 1
        self.settle(int(flags))
        words = {"side": "Ask" if side else "Bid", "action": "Delete" if action else "Upsert"}
        self.tell(key, names | event | words, StreamKind.BOOK, snapshots=True)

    # ---- Snapshots ----

    def analytics(self, key: Key) -> dict[str, Any]:
        """A key's analytics."""
        return self.sessions[key].analytics() if key in self.sessions else {}

    def signal(self, key: Key) -> dict[str, Any]:
        """A key's signal."""
        return dict(self.signals.get(key, {}))

    def analytics_snapshot(self, symbol: Symbol) -> dict[str, Any]:
        """The eight ints, or {}."""
        self.need(started=False)
        return self.analytics(key_of(symbol))

    def signal_snapshot(self, symbol: Symbol) -> dict[str, Any]:
        """The signal, or {}."""
        self.need(started=False)
        return self.signal(key_of(symbol))

    def book_snapshot(self, symbol: Symbol) -> dict[str, Any]:
        """The book, or {}."""
        self.need(started=False)
        return self.books.get(key_of(symbol), Levels()).snapshot(*key_of(symbol))

    def flow_snapshot(self, symbol: Symbol) -> dict[str, Any]:
        """The derived figures, or {}."""
        self.need(started=False)
        key = key_of(symbol)
        if key not in self.sessions and key not in self.books:
            return {}
        return self.sessions.get(key, Session(self.config)).flow() | self.books.get(key, Levels()).figures()

    def series(self, symbol: Symbol, name: str = "trades") -> list[dict[str, Any]]:
        """A series as dicts."""
        self.need(started=False)
        return self.sessions.get(key_of(symbol), Session(self.config)).series(name)
