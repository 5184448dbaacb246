"""An engine's life: what may be called when, what it refuses, and what each name and value is."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from ledgerx.orderflow import (
    Engine,
    EngineConfig,
    ExternalFeedPolicy,
    OrderflowArgError,
    OrderflowStateError,
    Side,
    StreamKind,
    Symbol,
)

MakeEngine = Callable[..., Any]

SYMBOL = Symbol("CME", "ESM6")
NEED_STARTED: dict[str, Callable[[Any], object]] = {
    "poll_once": lambda engine: engine.poll_once(),
    "ingest_trade": lambda engine: engine.ingest_trade(SYMBOL, 1, 1, Side.ASK),
    "ingest_book": lambda engine: engine.ingest_book(SYMBOL, Side.ASK, 0, 1, 1),
    "configure": lambda engine: engine.configure_external_feed(ExternalFeedPolicy()),
    "reconnecting": lambda engine: engine.set_external_reconnecting(True),
    "tick": lambda engine: engine.external_health_tick(),
}
ANY_TIME: dict[str, Callable[[Any], object]] = {
    "reset": lambda engine: engine.reset_symbol_session(SYMBOL),
    "analytics": lambda engine: engine.analytics_snapshot(SYMBOL),
    "signal": lambda engine: engine.signal_snapshot(SYMBOL),
    "book": lambda engine: engine.book_snapshot(SYMBOL),
    "metrics": lambda engine: engine.metrics(),
}


@pytest.mark.parametrize("call", NEED_STARTED.values(), ids=NEED_STARTED)
def test_calls_that_need_a_started_engine_say_so(
    make_engine: MakeEngine, call: Callable[[Any], object]
) -> None:
    engine = make_engine(start=False)
    with pytest.raises(OrderflowStateError):
        call(engine)
    engine.start()
    call(engine)
    engine.stop()
    with pytest.raises(OrderflowStateError):
        call(engine)


@pytest.mark.parametrize("call", ANY_TIME.values(), ids=ANY_TIME)
def test_snapshots_and_metrics_work_until_close(
    make_engine: MakeEngine, call: Callable[[Any], object]
) -> None:
    engine = make_engine(start=False)
    call(engine)
    engine.start()
    engine.stop()
    call(engine)
    engine.close()
    with pytest.raises(OrderflowStateError, match="engine is closed"):
        call(engine)


@pytest.mark.parametrize("call", NEED_STARTED.values(), ids=NEED_STARTED)
def test_after_close_every_call_says_that_the_engine_is_closed(
    make_engine: MakeEngine, call: Callable[[Any], object]
) -> None:
    engine = make_engine()
    engine.close()
    with pytest.raises(OrderflowStateError, match="engine is closed"):
        call(engine)


def test_start_stop_and_close_may_be_called_again(make_engine: MakeEngine) -> None:
    engine = make_engine()
    engine.start()
    engine.stop()
    engine.stop()
    engine.close()
    engine.close()
    engine.stop()
    assert isinstance(engine.api_version, int)
    assert isinstance(engine.build_info, str)


def test_subscriptions_need_a_first_start(make_engine: MakeEngine) -> None:
    engine = make_engine(start=False)
    with pytest.raises(OrderflowStateError):
        engine.subscribe(SYMBOL, StreamKind.ANALYTICS)
    with pytest.raises(OrderflowStateError):
        engine.unsubscribe(SYMBOL)
    engine.start()
    engine.stop()
    engine.subscribe(SYMBOL, StreamKind.ANALYTICS)
    engine.unsubscribe(SYMBOL)


def test_a_with_block_starts_and_closes(make_engine: MakeEngine) -> None:
    with make_engine(start=False) as engine:
        assert engine.metrics()["started"] is True
    with pytest.raises(OrderflowStateError, match="engine is closed"):
        engine.metrics()


def test_what_came_in_stays_readable_after_stop(engine: Any, symbol: Symbol) -> None:
    engine.ingest_trade(symbol, 5, 1, Side.ASK)
    engine.stop()
    assert engine.analytics_snapshot(symbol)["last_price"] == 5


def test_health_is_counted_from_what_is_first(make_engine: MakeEngine, symbol: Symbol) -> None:
    engine = make_engine(start=False)
    found = [engine.metrics()["health_seq"]]
    assert engine.metrics().get("external_last_ingest_ns") is None  # the twin reads no wall clock
    for call in (
        lambda: engine.reset_symbol_session(symbol),
        engine.start,
        lambda: engine.poll_once(2),
        engine.stop,
    ):
        call()
        found.append(engine.metrics()["health_seq"])
    assert found == [0, 1, 2, 3, 4]


def test_a_session_may_be_reset_while_stopped(engine: Any, symbol: Symbol) -> None:
    engine.ingest_trade(symbol, 1, 1, Side.ASK)
    engine.stop()
    engine.reset_symbol_session(symbol)
    assert engine.analytics_snapshot(symbol)["buy_volume"] == 0


def test_an_engine_without_a_name_is_the_default_one(make_engine: MakeEngine) -> None:
    assert make_engine(EngineConfig(instance_id=""), start=False).metrics()["instance_id"] == "default"


def test_metrics_count_symbols_and_events(engine: Any, symbol: Symbol) -> None:
    engine.ingest_trade(symbol, 1, 1, Side.ASK, sequence=3)
    engine.ingest_book(symbol, Side.BID, 0, 1, 1)
    engine.ingest_book(Symbol("CME", "NQM6"), Side.BID, 0, 1, 1, sequence=4)
    engine.poll_once()
    found = engine.metrics()
    wanted = {
        "processed_events": 3,
        "symbols": 2,
        "book_symbols": 2,
        "analytics_symbols": 1,
        "signal_symbols": 1,
        "external_trade_sequence_symbols": 1,
        "external_book_sequence_symbols": 1,
    }
    assert {key: found[key] for key in wanted} == wanted


@pytest.mark.parametrize(
    "call",
    [
        lambda engine: engine.ingest_trade(SYMBOL, 1, 1, 2),
        lambda engine: engine.ingest_book(SYMBOL, 2, 0, 1, 1),
        lambda engine: engine.ingest_book(SYMBOL, 0, 0, 1, 1, 2),
    ],
    ids=["aggressor", "side", "action"],
)
def test_a_wrong_enum_value_is_refused_and_nothing_counted(
    engine: Any, call: Callable[[Any], object]
) -> None:
    with pytest.raises(OrderflowArgError):
        call(engine)
    assert engine.metrics()["processed_events"] == 0
    assert engine.metrics()["symbols"] == 0


# -------------------------------------------------------------------- what our binding alone promises


def test_a_refused_call_has_changed_nothing(native: Engine, symbol: Symbol) -> None:
    before = native.metrics()
    for trade in [(1, 0, 1), (1, -5, 1), (1, 1, -1), (2**63, 1, 1), (1, 2**63, 1)]:
        with pytest.raises(OrderflowArgError):
            native.ingest_trade(symbol, *trade)
    assert native.metrics() == before
    assert native.analytics_snapshot(symbol) == {}


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda e: e.ingest_trade(SYMBOL, 1, 0, 1), OrderflowArgError, "size 0"),
        (lambda e: e.ingest_trade(SYMBOL, 2**63, 1, 1), OrderflowArgError, "price 9223372036854775808"),
        (lambda e: e.ingest_trade(SYMBOL, 1, 1, 1, sequence=-1), OrderflowArgError, "sequence -1"),
        (lambda e: e.ingest_trade(SYMBOL, 1, 1, 1, ts_recv_ns=2**64), OrderflowArgError, "ts_recv_ns 18446"),
        (
            lambda e: e.ingest_trade(SYMBOL, 1, 1, 1, quality_flags=2**32),
            OrderflowArgError,
            "quality_flags 42949",
        ),
        (lambda e: e.ingest_trade(SYMBOL, 1, 1, 7), OrderflowArgError, "aggressor_side 7"),
        (lambda e: e.ingest_trade(Symbol("", "X"), 1, 1, 1), OrderflowArgError, "venue ''"),
        (lambda e: e.ingest_trade(Symbol("A", ""), 1, 1, 1), OrderflowArgError, "symbol ''"),
        (lambda e: e.ingest_trade(Symbol("A", "a\0b"), 1, 1, 1), OrderflowArgError, r"symbol 'a\\x00b'"),
        (lambda e: e.ingest_trade(Symbol("A", "B", 65536), 1, 1, 1), OrderflowArgError, "depth_levels 65536"),
        (lambda e: e.ingest_book(SYMBOL, 0, 65536, 1, 1), OrderflowArgError, "level 65536"),
        (lambda e: e.ingest_book(SYMBOL, 0, -1, 1, 1), OrderflowArgError, "level -1"),
        (lambda e: e.ingest_book(SYMBOL, 0, 0, 1, -1), OrderflowArgError, "size -1"),
        (lambda e: e.ingest_book(SYMBOL, 5, 0, 1, 1), OrderflowArgError, "side 5"),
        (lambda e: e.ingest_book(SYMBOL, 0, 0, 1, 1, 9), OrderflowArgError, "action 9"),
        (lambda e: e.subscribe(SYMBOL, 9), OrderflowArgError, "stream_kind 9"),
        (lambda e: e.subscribe(SYMBOL, StreamKind.BOOK, 5), OrderflowArgError, "callback 5"),
        (lambda e: e.poll_once(-1), OrderflowArgError, "quality_flags -1"),
        (lambda e: e.ingest_trade(SYMBOL, 1.0, 1, 1), TypeError, "price must be an int, not float"),
        (lambda e: e.ingest_trade(SYMBOL, 1, "2", 1), TypeError, "size must be an int, not str"),
        (lambda e: e.ingest_trade(Symbol(5, "X"), 1, 1, 1), TypeError, "venue of a symbol must be a str"),
        (lambda e: e.ingest_trade(SYMBOL, 1, 1), TypeError, "needs the argument aggressor_side"),
        (lambda e: e.ingest_trade(SYMBOL, 1, 1, 1, side=1), TypeError, "no argument side"),
        (lambda e: e.ingest_trade(SYMBOL, 1, 1, 1, price=1), TypeError, "price twice"),
    ],
)
def test_a_refusal_names_the_field_and_the_value(
    native: Engine, call: Callable[[Any], object], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        call(native)
    assert native.metrics()["processed_events"] == 0


def test_a_sessions_volume_never_wraps(native: Engine, symbol: Symbol) -> None:
    native.ingest_trade(symbol, 1, 2**63 - 1, Side.ASK)
    with pytest.raises(OrderflowArgError, match="reset the session"):
        native.ingest_trade(symbol, 1, 1, Side.BID)
    assert native.analytics_snapshot(symbol)["buy_volume"] == 2**63 - 1
    native.reset_symbol_session(symbol)
    native.ingest_trade(symbol, 1, 1, Side.BID)


def test_a_symbol_whose_attributes_close_the_engine_does_no_harm(native: Engine) -> None:
    class Odd:
        venue, depth_levels = "V", 10

        @property
        def symbol(self) -> str:
            native.close()
            return "S"

    with pytest.raises(OrderflowStateError, match="engine is closed"):
        native.ingest_trade(Odd(), 1, 1, Side.ASK)  # type: ignore[arg-type]


def test_an_engine_that_its_own_callback_refers_to_is_freed() -> None:
    def made() -> weakref.ref[Engine]:
        engine = Engine(EngineConfig())
        engine.start()
        engine.subscribe(SYMBOL, StreamKind.TRADES, lambda event: engine.metrics())
        return weakref.ref(engine)

    gone = made()
    gc.collect()
    assert gone() is None
