"""The book: levels by their index, and what the latest event was."""

from __future__ import annotations

from typing import Any

import pytest

from ledgerx.orderflow import BookAction, Side, Symbol


def test_there_is_no_book_before_its_first_event(engine: Any, symbol: Symbol) -> None:
    engine.ingest_trade(symbol, 1, 1, Side.ASK)
    assert engine.book_snapshot(symbol) == {}


def test_levels_are_stored_by_index_and_shown_in_its_order(engine: Any, symbol: Symbol) -> None:
    for level, price in [(2, 97), (0, 99), (1, 98)]:
        engine.ingest_book(symbol, Side.BID, level, price, 10 + level)
    engine.ingest_book(symbol, Side.ASK, 0, 101, 5, BookAction.UPSERT, 9, 7, 8)
    assert engine.book_snapshot(symbol) == {
        "venue": "CME",
        "symbol": "ESM6",
        "bids": [
            {"level": 0, "price": 99, "size": 10},
            {"level": 1, "price": 98, "size": 11},
            {"level": 2, "price": 97, "size": 12},
        ],
        "asks": [{"level": 0, "price": 101, "size": 5}],
        "last_sequence": 9,
        "ts_exchange_ns": 7,
        "ts_recv_ns": 8,
    }


def test_an_upsert_replaces_and_a_delete_drops_the_index_alone(engine: Any, symbol: Symbol) -> None:
    for level in range(3):
        engine.ingest_book(symbol, Side.ASK, level, 100 + level, 1)
    engine.ingest_book(symbol, Side.ASK, 1, 500, 7)
    engine.ingest_book(symbol, Side.ASK, 0, 0, 0, BookAction.DELETE)
    engine.ingest_book(symbol, Side.ASK, 40, 0, 0, BookAction.DELETE)
    rows = [tuple(row.values()) for row in engine.book_snapshot(symbol)["asks"]]
    assert rows == [(1, 500, 7), (2, 102, 1)]


def test_a_delete_on_an_unknown_symbol_makes_it_known(engine: Any, symbol: Symbol) -> None:
    engine.ingest_book(symbol, Side.ASK, 0, 0, 0, BookAction.DELETE)
    assert engine.book_snapshot(symbol)["asks"] == []
    assert engine.metrics()["book_symbols"] == 1


def test_a_size_of_zero_is_kept_as_given(engine: Any, symbol: Symbol) -> None:
    engine.ingest_book(symbol, Side.BID, 0, 99, 0)
    assert engine.book_snapshot(symbol)["bids"] == [{"level": 0, "price": 99, "size": 0}]


def test_a_reset_keeps_the_book(engine: Any, symbol: Symbol) -> None:
    engine.ingest_book(symbol, Side.BID, 0, 99, 3)
    engine.reset_symbol_session(symbol)
    assert len(engine.book_snapshot(symbol)["bids"]) == 1


def test_the_highest_level_is_65535(engine: Any, symbol: Symbol) -> None:
    engine.ingest_book(symbol, Side.BID, 65535, 1, 1)
    engine.ingest_book(symbol, Side.BID, 3, 2, 1)
    assert [row["level"] for row in engine.book_snapshot(symbol)["bids"]] == [3, 65535]


@pytest.mark.better
def test_a_crossed_book_is_reported(engine: Any, symbol: Symbol) -> None:
    engine.ingest_book(symbol, Side.BID, 0, 99, 3)
    engine.ingest_book(symbol, Side.ASK, 0, 101, 1)
    figures = engine.flow_snapshot(symbol)
    assert figures["crossed"] is False
    assert figures["top_imbalance"] == 0.5
    assert figures["microprice"] == 100.5
    engine.ingest_book(symbol, Side.ASK, 5, 99, 1)
    assert engine.flow_snapshot(symbol)["crossed"] is True
