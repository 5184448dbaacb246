"""The signal: its band, its gate, and when it changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ledgerx.orderflow import DataQualityFlags, EngineConfig, Side, Symbol

MakeEngine = Callable[..., Any]

NEUTRAL = {
    "module": "delta_momentum_v1",
    "state": "neutral",
    "confidence_bps": 500,
    "quality_flags": 0,
    "reason": "delta_inside_band",
}
BLOCKING = ["STALE_FEED", "SEQUENCE_GAP", "OUT_OF_ORDER", "ADAPTER_DEGRADED"]


def after(engine: Any, symbol: Symbol, size: int, side: Side, flags: int = 0) -> tuple[str, str, int]:
    engine.ingest_trade(symbol, 100, size, side, quality_flags=flags)
    found = engine.signal_snapshot(symbol)
    return found["state"], found["reason"], found["quality_flags"]


def test_there_is_no_signal_before_the_first_trade(engine: Any, symbol: Symbol) -> None:
    assert engine.signal_snapshot(symbol) == {}


def test_the_band_is_a_hundred_lots_of_delta(engine: Any, symbol: Symbol) -> None:
    assert after(engine, symbol, 99, Side.ASK) == ("neutral", "delta_inside_band", 0)
    assert engine.signal_snapshot(symbol) == NEUTRAL
    assert after(engine, symbol, 1, Side.ASK) == ("long_bias", "delta_above_threshold", 0)
    assert after(engine, symbol, 199, Side.BID) == ("neutral", "delta_inside_band", 0)
    assert after(engine, symbol, 1, Side.BID) == ("short_bias", "delta_below_threshold", 0)


@pytest.mark.parametrize("name", BLOCKING)
def test_the_gate_blocks_a_trade_with_the_flag(engine: Any, symbol: Symbol, name: str) -> None:
    flag = DataQualityFlags[name]
    assert after(engine, symbol, 500, Side.ASK, flag) == ("blocked", "blocked_by_quality_gate", flag)
    assert after(engine, symbol, 1, Side.ASK) == ("long_bias", "delta_above_threshold", 0)


@pytest.mark.parametrize("flags", [DataQualityFlags.CLOCK_SKEW, DataQualityFlags.DEPTH_TRUNCATED, 128])
def test_the_gate_lets_other_flags_pass(engine: Any, symbol: Symbol, flags: int) -> None:
    assert after(engine, symbol, 500, Side.ASK, flags) == ("long_bias", "delta_above_threshold", 0)


def test_a_blocked_signal_shows_all_the_flags(engine: Any, symbol: Symbol) -> None:
    flags = DataQualityFlags.CLOCK_SKEW | DataQualityFlags.SEQUENCE_GAP
    assert after(engine, symbol, 1, Side.ASK, flags)[2] == flags


def test_books_and_polls_leave_the_signal(engine: Any, symbol: Symbol) -> None:
    after(engine, symbol, 200, Side.ASK)
    engine.ingest_book(symbol, Side.BID, 0, 99, 1, quality_flags=DataQualityFlags.SEQUENCE_GAP)
    engine.poll_once(DataQualityFlags.STALE_FEED)
    assert engine.signal_snapshot(symbol)["state"] == "long_bias"


def test_a_reset_judges_a_delta_of_zero(engine: Any, symbol: Symbol) -> None:
    after(engine, symbol, 200, Side.ASK, DataQualityFlags.SEQUENCE_GAP)
    engine.reset_symbol_session(symbol)
    assert engine.signal_snapshot(symbol) == NEUTRAL


@pytest.mark.better
def test_the_threshold_is_a_setting(make_engine: MakeEngine, symbol: Symbol) -> None:
    engine = make_engine(EngineConfig(signal_threshold=5))
    assert after(engine, symbol, 4, Side.BID)[0] == "neutral"
    assert after(engine, symbol, 1, Side.BID)[0] == "short_bias"


@pytest.mark.better
def test_price_momentum_follows_the_price_and_not_the_delta(make_engine: MakeEngine, symbol: Symbol) -> None:
    settings = EngineConfig(
        signal_module="price_momentum_v1",
        momentum_fast_trades=2,
        momentum_slow_trades=4,
        momentum_threshold_bps=1_000,
    )
    engine = make_engine(settings)
    states = []
    for price in [100, 100, 100, 110, 130, 160, 160, 60, 10]:
        engine.ingest_trade(symbol, price, 10, Side.BID)
        states.append((engine.signal_snapshot(symbol)["state"], engine.signal_snapshot(symbol)["reason"]))
    assert states[2] == ("neutral", "momentum_warming_up")
    assert states[5] == ("long_bias", "momentum_above_band")
    assert states[-1] == ("short_bias", "momentum_below_band")
    assert engine.signal_snapshot(symbol)["module"] == "price_momentum_v1"
    engine.ingest_trade(symbol, 10, 1, Side.BID, quality_flags=DataQualityFlags.STALE_FEED)
    assert engine.signal_snapshot(symbol)["state"] == "blocked"
