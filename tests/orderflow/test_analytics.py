"""Analytics: volumes, delta, point of control and value area of a session."""

from __future__ import annotations

from typing import Any

import pytest

from ledgerx.orderflow import Side, Symbol

ZEROS = {
    "delta": 0,
    "cumulative_delta": 0,
    "buy_volume": 0,
    "sell_volume": 0,
    "last_price": 0,
    "point_of_control": 0,
    "value_area_low": 0,
    "value_area_high": 0,
}


def traded(engine: Any, symbol: Symbol, *trades: tuple[int, int]) -> dict[str, int]:
    """Analytics after trades of (size, price), bought and sold in turn."""
    for number, (size, price) in enumerate(trades):
        engine.ingest_trade(symbol, price, size, Side.ASK if number % 2 == 0 else Side.BID)
    snapshot: dict[str, int] = engine.analytics_snapshot(symbol)
    return snapshot


def area(engine: Any, symbol: Symbol, *trades: tuple[int, int]) -> tuple[int, int, int]:
    found = traded(engine, symbol, *trades)
    return found["point_of_control"], found["value_area_low"], found["value_area_high"]


def test_there_is_nothing_before_the_first_trade(engine: Any, symbol: Symbol) -> None:
    assert engine.analytics_snapshot(symbol) == {}
    engine.ingest_book(symbol, Side.BID, 0, 99, 5)
    assert engine.analytics_snapshot(symbol) == {}


def test_an_aggressor_that_lifts_the_offer_buys_and_one_that_hits_the_bid_sells(
    engine: Any, symbol: Symbol
) -> None:
    engine.ingest_trade(symbol, 100, 7, Side.ASK)
    engine.ingest_trade(symbol, 101, 3, Side.BID)
    assert engine.analytics_snapshot(symbol) == {
        "delta": 4,
        "cumulative_delta": 4,
        "buy_volume": 7,
        "sell_volume": 3,
        "last_price": 101,
        "point_of_control": 100,
        "value_area_low": 100,
        "value_area_high": 100,
    }


def test_the_value_area_of_the_definition(engine: Any, symbol: Symbol) -> None:
    assert area(engine, symbol, (20, 99), (50, 100), (20, 101), (5, 98), (5, 102)) == (100, 99, 100)


def test_a_tie_for_the_point_of_control_goes_to_the_higher_price(engine: Any, symbol: Symbol) -> None:
    assert area(engine, symbol, (10, 100), (10, 102), (1, 101))[0] == 102


def test_a_tie_for_the_next_price_goes_to_the_lower_one(engine: Any, symbol: Symbol) -> None:
    # 56 of 80: the control has 40, and 10 are at each side
    assert area(engine, symbol, (40, 100), (10, 99), (10, 101), (10, 98), (10, 102)) == (100, 98, 100)


def test_the_area_passes_over_prices_that_were_not_traded(engine: Any, symbol: Symbol) -> None:
    assert area(engine, symbol, (10, 1000), (9, 10), (1, 5000)) == (1000, 10, 1000)


def test_the_target_is_seventy_percent_rounded_up(engine: Any, symbol: Symbol) -> None:
    assert area(engine, symbol, (7, 100), (3, 101)) == (100, 100, 100)
    assert area(engine, symbol, (1, 101)) == (100, 100, 101)  # 7 of 11 are less than 7.7


def test_prices_may_be_negative_and_far_apart(engine: Any, symbol: Symbol) -> None:
    assert area(engine, symbol, (5, -(2**62)), (6, 2**62), (1, 0)) == (2**62, -(2**62), 2**62)


def test_a_symbol_is_its_two_names(engine: Any) -> None:
    engine.ingest_trade(Symbol("A", "X", 5), 10, 1, Side.ASK)
    assert engine.analytics_snapshot(Symbol("A", "X", 20))["buy_volume"] == 1
    assert engine.analytics_snapshot(Symbol("B", "X")) == {}
    assert engine.analytics_snapshot(Symbol("A", "Y")) == {}


def test_books_change_no_analytics(engine: Any, symbol: Symbol) -> None:
    before = traded(engine, symbol, (5, 100), (6, 101))
    engine.ingest_book(symbol, Side.ASK, 0, 500, 5)
    assert engine.analytics_snapshot(symbol) == before


def test_a_reset_begins_the_session_anew(engine: Any, symbol: Symbol) -> None:
    traded(engine, symbol, (5, 100), (6, 101))
    engine.reset_symbol_session(symbol)
    assert engine.analytics_snapshot(symbol) == ZEROS
    assert area(engine, symbol, (2, 7)) == (7, 7, 7)


def test_a_reset_of_an_unknown_symbol_makes_nothing(engine: Any, symbol: Symbol) -> None:
    engine.reset_symbol_session(symbol)
    assert engine.analytics_snapshot(symbol) == {}
    assert engine.metrics()["symbols"] == 0


@pytest.mark.parametrize("prices", [20, 300])
def test_the_area_is_that_of_the_definition_for_many_prices(engine: Any, symbol: Symbol, prices: int) -> None:
    volume_at: dict[int, int] = {}
    for number in range(600):
        price, size = number * 7919 % prices, 1 + number * 31 % 17
        engine.ingest_trade(symbol, price, size, number % 2)
        volume_at[price] = volume_at.get(price, 0) + size
    found = engine.analytics_snapshot(symbol)
    inside = sum(v for p, v in volume_at.items() if found["value_area_low"] <= p <= found["value_area_high"])
    total = sum(volume_at.values())
    assert found["buy_volume"] + found["sell_volume"] == total
    assert inside * 10 >= total * 7
    assert volume_at[found["point_of_control"]] == max(volume_at.values())
