"""Data quality: sequences, silence, reconnects, and the health told of them."""

from __future__ import annotations

import time
from typing import Any

import pytest

from ledgerx.orderflow import DataQualityFlags, ExternalFeedPolicy, Side, StreamKind, Symbol

NONE, STALE, GAP = DataQualityFlags.NONE, DataQualityFlags.STALE_FEED, DataQualityFlags.SEQUENCE_GAP
OUT_OF_ORDER, DEGRADED = DataQualityFlags.OUT_OF_ORDER, DataQualityFlags.ADAPTER_DEGRADED
SECOND_NS = 1_000_000_000


def flags_of_trades(engine: Any, symbol: Symbol, *sequences: int) -> list[int]:
    """The engine's flags after a trade of each sequence."""
    found = []
    for sequence in sequences:
        engine.ingest_trade(symbol, 100, 1, Side.ASK, sequence=sequence)
        found.append(engine.metrics()["quality_flags"])
    return found


def book(engine: Any, symbol: Symbol, sequence: int = 0, **more: int) -> int:
    engine.ingest_book(symbol, Side.BID, more.pop("level", 0), 99, 1, sequence=sequence, **more)
    flags: int = engine.metrics()["quality_flags"]
    return flags


def wait_ms(milliseconds: int) -> None:
    """Until the wall clock has moved on: what is measured in it cannot be told another time."""
    end_ns = time.time_ns() + milliseconds * 1_000_000
    while time.time_ns() <= end_ns:
        pass


def test_a_sequence_that_follows_is_fine(engine: Any, symbol: Symbol) -> None:
    assert flags_of_trades(engine, symbol, 5, 6, 7) == [NONE, NONE, NONE]


def test_a_hole_is_a_gap_once(engine: Any, symbol: Symbol) -> None:
    assert flags_of_trades(engine, symbol, 5, 8, 9) == [NONE, GAP, NONE]


def test_what_is_late_or_again_is_out_of_order_and_not_remembered(engine: Any, symbol: Symbol) -> None:
    assert flags_of_trades(engine, symbol, 5, 5, 3, 6) == [NONE, OUT_OF_ORDER, OUT_OF_ORDER, NONE]


def test_zero_is_no_sequence(engine: Any, symbol: Symbol) -> None:
    assert flags_of_trades(engine, symbol, 0, 9, 0, 10) == [NONE, NONE, NONE, NONE]


def test_trades_and_books_have_each_their_own_sequence(engine: Any, symbol: Symbol) -> None:
    assert flags_of_trades(engine, symbol, 5) == [NONE]
    assert book(engine, symbol, 100) == NONE
    assert flags_of_trades(engine, symbol, 6) == [NONE]
    assert book(engine, symbol, 102) == GAP


def test_symbols_have_each_their_own_sequence(engine: Any, symbol: Symbol) -> None:
    assert flags_of_trades(engine, symbol, 5) == [NONE]
    assert flags_of_trades(engine, Symbol("CME", "NQM6"), 77) == [NONE]


def test_flagged_events_are_still_applied(engine: Any, symbol: Symbol) -> None:
    flags_of_trades(engine, symbol, 5, 5, 9)
    assert engine.analytics_snapshot(symbol)["buy_volume"] == 3
    assert engine.metrics()["processed_events"] == 3


def test_without_enforcement_nothing_is_checked_nor_remembered(engine: Any, symbol: Symbol) -> None:
    engine.configure_external_feed(ExternalFeedPolicy(enforce_sequence=False))
    assert flags_of_trades(engine, symbol, 5, 9, 3) == [NONE, NONE, NONE]
    engine.configure_external_feed(ExternalFeedPolicy())
    assert flags_of_trades(engine, symbol, 20) == [NONE]


def test_a_reset_keeps_the_sequence_memory(engine: Any, symbol: Symbol) -> None:
    flags_of_trades(engine, symbol, 5)
    engine.reset_symbol_session(symbol)
    assert flags_of_trades(engine, symbol, 7) == [GAP]


def test_a_callers_flags_are_added(engine: Any, symbol: Symbol) -> None:
    flags_of_trades(engine, symbol, 5)
    engine.ingest_trade(symbol, 1, 1, Side.ASK, sequence=9, quality_flags=DataQualityFlags.CLOCK_SKEW)
    assert engine.metrics()["quality_flags_detail"] == ["SEQUENCE_GAP", "CLOCK_SKEW"]


def test_a_bit_without_a_name_is_kept(engine: Any) -> None:
    engine.poll_once(128)
    assert engine.metrics()["quality_flags"] == 128
    assert engine.metrics()["quality_flags_detail"] == []


def test_a_polls_flags_are_its_argument(engine: Any, symbol: Symbol) -> None:
    engine.set_external_reconnecting(True)
    engine.poll_once()
    assert engine.metrics()["quality_flags"] == NONE
    engine.poll_once(GAP)
    assert engine.metrics()["quality_flags"] == GAP


def test_reconnecting_degrades_every_event_until_it_ends(engine: Any, symbol: Symbol) -> None:
    engine.set_external_reconnecting(True)
    assert engine.metrics()["quality_flags"] == DEGRADED
    assert flags_of_trades(engine, symbol, 1) == [DEGRADED]
    engine.set_external_reconnecting(False)
    assert flags_of_trades(engine, symbol, 2) == [NONE]


def test_the_first_event_after_a_silence_is_stale_and_the_next_is_not(engine: Any, symbol: Symbol) -> None:
    engine.configure_external_feed(ExternalFeedPolicy(stale_after_ms=20))
    flags_of_trades(engine, symbol, 1)
    wait_ms(25)
    engine.external_health_tick()
    assert engine.metrics()["quality_flags"] == STALE
    assert flags_of_trades(engine, symbol, 2)[0] == STALE
    engine.external_health_tick()
    assert engine.metrics()["quality_flags"] == NONE


def test_a_feed_that_never_spoke_is_not_stale(engine: Any) -> None:
    engine.configure_external_feed(ExternalFeedPolicy(stale_after_ms=1))
    wait_ms(3)
    engine.external_health_tick()
    assert engine.metrics()["quality_flags"] == NONE


def test_zero_switches_staleness_off(engine: Any, symbol: Symbol) -> None:
    engine.configure_external_feed(ExternalFeedPolicy(stale_after_ms=0))
    flags_of_trades(engine, symbol, 1)
    wait_ms(3)
    engine.external_health_tick()
    assert engine.metrics()["quality_flags"] == NONE


def test_health_is_told_once_a_change(engine: Any, symbol: Symbol) -> None:
    told: list[dict[str, Any]] = []
    engine.subscribe(symbol, StreamKind.HEALTH, told.append)
    flags_of_trades(engine, symbol, 1, 2, 4, 6, 7)
    engine.set_external_reconnecting(True)
    engine.set_external_reconnecting(True)
    engine.set_external_reconnecting(False)
    seen = [(one["quality_flags"], one["reconnect_state"], one["runtime_health_status"]) for one in told]
    assert seen == [
        (NONE, "streaming", "healthy"),
        (GAP, "streaming", "degraded"),
        (NONE, "streaming", "healthy"),
        (DEGRADED, "degraded", "degraded"),
        (NONE, "streaming", "healthy"),
    ]
    assert [one["health_seq"] for one in told] == sorted({one["health_seq"] for one in told})


def test_stopping_and_starting_change_health_and_call_nobody(engine: Any, symbol: Symbol) -> None:
    told: list[dict[str, Any]] = []
    engine.subscribe(symbol, StreamKind.HEALTH, told.append)
    before = engine.metrics()["health_seq"]
    engine.stop()
    assert engine.metrics()["runtime_health_status"] == "disconnected"
    assert engine.metrics()["adapter_connected"] is True
    engine.start()
    assert engine.metrics()["health_seq"] == before + 2
    assert told == []


# -------------------------------------------------------------------------------- beyond the reference


@pytest.mark.better
def test_one_numbering_spans_books_and_trades(engine: Any, symbol: Symbol) -> None:
    engine.configure_external_feed(ExternalFeedPolicy(one_numbering=True))
    assert flags_of_trades(engine, symbol, 1) == [NONE]
    assert book(engine, symbol, 2) == NONE
    assert flags_of_trades(engine, symbol, 4) == [GAP]
    assert book(engine, symbol, 4) == OUT_OF_ORDER


@pytest.mark.better
def test_duplicates_can_be_dropped_and_are_counted(engine: Any, symbol: Symbol) -> None:
    told: list[dict[str, Any]] = []
    engine.configure_external_feed(ExternalFeedPolicy(drop_duplicates=True))
    engine.subscribe(symbol, StreamKind.TRADES, told.append)
    flags_of_trades(engine, symbol, 5, 5, 3, 6)
    metrics = engine.metrics()
    assert [one["sequence"] for one in told] == [5, 6]
    assert metrics["processed_events"] == 2
    assert (metrics["duplicate_events"], metrics["late_events"], metrics["dropped_events"]) == (1, 1, 2)


@pytest.mark.better
def test_a_reconnect_can_forget_the_sequences(engine: Any, symbol: Symbol) -> None:
    engine.configure_external_feed(ExternalFeedPolicy(reset_after_reconnect=True))
    flags_of_trades(engine, symbol, 500)
    engine.set_external_reconnecting(True)
    engine.set_external_reconnecting(False)
    assert flags_of_trades(engine, symbol, 1) == [NONE]


@pytest.mark.better
def test_clocks_that_differ_are_flagged(engine: Any, symbol: Symbol) -> None:
    engine.configure_external_feed(ExternalFeedPolicy(clock_skew_max_ms=5))
    for apart_ms, flags in [(5, NONE), (6, DataQualityFlags.CLOCK_SKEW), (-6, DataQualityFlags.CLOCK_SKEW)]:
        exchange_ns = 10 * SECOND_NS
        received_ns = exchange_ns + apart_ms * 1_000_000
        engine.ingest_trade(symbol, 1, 1, 0, ts_exchange_ns=exchange_ns, ts_recv_ns=received_ns)
        assert engine.metrics()["quality_flags"] == flags


@pytest.mark.better
def test_levels_beyond_the_depth_can_be_flagged_and_left_out(engine: Any) -> None:
    shallow = Symbol("CME", "ESM6", depth_levels=2)
    engine.configure_external_feed(ExternalFeedPolicy(flag_truncated_depth=True, limit_depth=True))
    assert book(engine, shallow, level=1) == NONE
    assert book(engine, shallow, level=2) == DataQualityFlags.DEPTH_TRUNCATED
    assert [row["level"] for row in engine.book_snapshot(shallow)["bids"]] == [1]


@pytest.mark.better
def test_staleness_can_follow_the_events_own_time(engine: Any, symbol: Symbol) -> None:
    engine.configure_external_feed(ExternalFeedPolicy(stale_after_ms=1_000, event_time=True))
    found = []
    for at_ns in [SECOND_NS, 2 * SECOND_NS, 3 * SECOND_NS + 1, 3 * SECOND_NS + 2]:
        engine.ingest_trade(symbol, 1, 1, Side.ASK, ts_exchange_ns=at_ns)
        found.append(engine.metrics()["quality_flags"])
    assert found == [NONE, NONE, STALE, NONE]
    assert engine.metrics()["stale_events"] == 1


@pytest.mark.better
def test_gaps_are_counted(engine: Any, symbol: Symbol) -> None:
    flags_of_trades(engine, symbol, 1, 3, 5)
    assert engine.metrics()["sequence_gaps"] == 2
