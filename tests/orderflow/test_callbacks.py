"""Callbacks: who is told what, in which order, and what becomes of an exception in one."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from ledgerx.orderflow import (
    BookAction,
    Engine,
    EngineConfig,
    OrderflowStateError,
    Side,
    StreamKind,
    Symbol,
)

OTHER = Symbol("CME", "NQM6")


def listen(engine: Any, symbol: Symbol, *kinds: StreamKind) -> list[tuple[StreamKind, dict[str, Any]]]:
    """What subscribers of the kinds are told, in order."""
    told: list[tuple[StreamKind, dict[str, Any]]] = []
    for kind in kinds:
        engine.subscribe(symbol, kind, lambda event, kind=kind: told.append((kind, event)))
    return told


def test_a_trade_is_told_to_all_streams_in_the_order_of_subscription(engine: Any, symbol: Symbol) -> None:
    order = [StreamKind.SIGNALS, StreamKind.HEALTH, StreamKind.TRADES, StreamKind.BOOK, StreamKind.ANALYTICS]
    told = listen(engine, symbol, *order)
    engine.ingest_trade(symbol, 100, 5, Side.ASK, 1, 7, 8)
    assert [kind for kind, _ in told] == [kind for kind in order if kind != StreamKind.BOOK]
    assert dict(told)[StreamKind.TRADES] == {
        "venue": "CME",
        "symbol": "ESM6",
        "price": 100,
        "size": 5,
        "aggressor": "Ask",
        "sequence": 1,
        "ts_exchange_ns": 7,
        "ts_recv_ns": 8,
    }
    assert dict(told)[StreamKind.ANALYTICS] == engine.analytics_snapshot(symbol)
    assert dict(told)[StreamKind.SIGNALS] == engine.signal_snapshot(symbol)


def test_a_book_event_is_told_as_it_came(engine: Any, symbol: Symbol) -> None:
    told = listen(engine, symbol, StreamKind.BOOK)
    engine.ingest_book(symbol, Side.ASK, 3, 101, 6, BookAction.DELETE, 2, 7, 8)
    wanted = {"venue": "CME", "symbol": "ESM6", "side": "Ask", "level": 3, "price": 101, "size": 6}
    wanted |= {"action": "Delete", "sequence": 2, "ts_exchange_ns": 7, "ts_recv_ns": 8}
    assert told == [(StreamKind.BOOK, wanted)]


def test_trades_and_books_of_other_symbols_are_not_told(engine: Any, symbol: Symbol) -> None:
    told = listen(engine, symbol, StreamKind.BOOK, StreamKind.TRADES)
    engine.ingest_trade(OTHER, 100, 5, Side.ASK)
    engine.ingest_book(OTHER, Side.ASK, 3, 101, 6)
    assert told == []


def test_snapshots_are_told_on_every_event_and_poll_with_the_subscribed_symbol(
    engine: Any, symbol: Symbol
) -> None:
    told = listen(engine, symbol, StreamKind.ANALYTICS, StreamKind.SIGNALS)
    engine.ingest_trade(OTHER, 100, 5, Side.ASK)
    engine.ingest_book(OTHER, Side.ASK, 0, 101, 6)
    engine.poll_once()
    assert told == [(StreamKind.ANALYTICS, {}), (StreamKind.SIGNALS, {})] * 3


def test_no_callback_is_no_delivery(engine: Any, symbol: Symbol) -> None:
    engine.subscribe(symbol, StreamKind.ANALYTICS, None)
    engine.subscribe(symbol)
    engine.poll_once()


def test_unsubscribing_ends_all_streams_of_the_symbol_alone(engine: Any, symbol: Symbol) -> None:
    told = listen(engine, symbol, StreamKind.TRADES, StreamKind.ANALYTICS)
    kept = listen(engine, OTHER, StreamKind.TRADES)
    engine.unsubscribe(symbol)
    engine.unsubscribe(symbol)
    engine.ingest_trade(symbol, 1, 1, Side.ASK)
    engine.ingest_trade(OTHER, 1, 1, Side.ASK)
    assert told == []
    assert len(kept) == 1


def test_state_is_updated_before_anybody_is_told(engine: Any, symbol: Symbol) -> None:
    seen = []
    engine.subscribe(symbol, StreamKind.TRADES, lambda _: seen.append(engine.analytics_snapshot(symbol)))
    engine.ingest_trade(symbol, 100, 5, Side.ASK)
    assert seen[0]["buy_volume"] == 5


# ------------------------------------------------------------------------------ beyond the reference


@pytest.mark.better
def test_an_exception_is_raised_after_the_others_were_told(engine: Any, symbol: Symbol) -> None:
    def fails(event: dict[str, Any]) -> None:
        raise ZeroDivisionError("of the first")

    engine.subscribe(symbol, StreamKind.TRADES, fails)
    told = listen(engine, symbol, StreamKind.ANALYTICS)
    with pytest.raises(ZeroDivisionError, match="of the first"):
        engine.ingest_trade(symbol, 100, 5, Side.ASK)
    assert len(told) == 1
    assert engine.analytics_snapshot(symbol)["buy_volume"] == 5


def test_a_keyboard_interrupt_is_never_lost(native: Engine, symbol: Symbol) -> None:
    def fails(kind: type[BaseException]) -> Any:
        def callback(event: dict[str, Any]) -> None:
            raise kind

        return callback

    reported = []
    before, sys.unraisablehook = sys.unraisablehook, reported.append
    try:
        native.subscribe(symbol, StreamKind.TRADES, fails(ValueError))
        native.subscribe(symbol, StreamKind.TRADES, fails(KeyboardInterrupt))
        native.subscribe(symbol, StreamKind.TRADES, fails(KeyError))
        with pytest.raises(KeyboardInterrupt):
            native.ingest_trade(symbol, 1, 1, Side.ASK)
    finally:
        sys.unraisablehook = before
    assert [one.exc_type for one in reported] == [ValueError, KeyError]


def test_close_inside_a_callback_ends_the_deliveries(native: Engine, symbol: Symbol) -> None:
    told = []
    native.subscribe(symbol, StreamKind.TRADES, lambda event: (told.append(1), native.close()))
    native.subscribe(symbol, StreamKind.TRADES, lambda event: told.append(2))
    native.ingest_trade(symbol, 1, 1, Side.ASK)
    assert told == [1]
    with pytest.raises(OrderflowStateError, match="engine is closed"):
        native.ingest_trade(symbol, 1, 1, Side.ASK)


def test_close_inside_a_callback_ends_the_batch(native: Engine, symbol: Symbol) -> None:
    told = []
    native.subscribe(symbol, StreamKind.TRADES, lambda event: (told.append(1), native.close()))
    with pytest.raises(OrderflowStateError):
        native.ingest_trades(symbol, {"price": [1, 2, 3], "size": [1, 1, 1], "aggressor_side": [0, 1, 0]})
    assert told == [1]


def test_unsubscribing_inside_a_callback_ends_what_follows(native: Engine, symbol: Symbol) -> None:
    told = []
    native.subscribe(symbol, StreamKind.TRADES, lambda event: (told.append(1), native.unsubscribe(symbol)))
    native.subscribe(symbol, StreamKind.TRADES, lambda event: told.append(2))
    native.ingest_trade(symbol, 1, 1, Side.ASK)
    native.ingest_trade(symbol, 1, 1, Side.ASK)
    assert told == [1]


def test_a_callback_may_ingest_and_subscribe(native: Engine, symbol: Symbol) -> None:
    told = []

    def again(event: dict[str, Any]) -> None:
        told.append(event["size"])
        if event["size"] < 4:
            native.subscribe(symbol, StreamKind.ANALYTICS, lambda event: None)
            native.ingest_trade(symbol, 1, event["size"] + 1, Side.ASK)

    native.subscribe(symbol, StreamKind.TRADES, again)
    native.ingest_trade(symbol, 1, 1, Side.ASK)
    assert told == [1, 2, 3, 4]
    assert native.analytics_snapshot(symbol)["buy_volume"] == 10


def test_a_batch_tells_every_row(native: Engine, symbol: Symbol) -> None:
    told: list[int] = []
    native.subscribe(symbol, StreamKind.TRADES, lambda event: told.append(event["price"]))
    native.ingest_trades(symbol, {"price": [1, 2, 3], "size": [1, 1, 1], "aggressor_side": [0, 1, 0]})
    assert told == [1, 2, 3]


def test_an_engine_may_be_dropped_with_its_subscriptions(symbol: Symbol) -> None:
    engine = Engine(EngineConfig())
    engine.start()
    engine.subscribe(symbol, StreamKind.TRADES, print)
    del engine
