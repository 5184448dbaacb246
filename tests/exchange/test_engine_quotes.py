"""Quotes: two sides under one mid, replaced together."""

from __future__ import annotations

import pytest
from engine_harness import ALICE, BOB, Bench, Status, contract_detail, mid

from ledgerx.api.client import v0_0_1 as api


def test_a_quote_places_bid_then_ask_without_a_200():
    bench = Bench()
    result = bench.quote(ALICE, (490, 2), (500, 3))
    assert result.told(ALICE) == [("ACKNOWLEDGED", 1), ("INSERTED", 2, 2, 1), ("INSERTED", 3, 3, 1)]
    assert [(r.is_ask, r.order_id, r.request_mid) for r in result.line(ALICE)[1:]] == [
        (False, 1, mid(1)),
        (True, 2, mid(1)),
    ]


def test_a_new_quote_first_cancels_the_old_one():
    bench = Bench()
    bench.quote(ALICE, (490, 2), (500, 3))
    result = bench.quote(ALICE, (495, 1), (505, 1))
    assert result.told(ALICE) == [
        ("ACKNOWLEDGED", 1),
        ("CANCELED", 0, 2, 1),
        ("CANCELED", 0, 3, 0),
        ("INSERTED", 1, 1, 1),
        ("INSERTED", 1, 1, 1),
    ]
    old, new = result.line(ALICE)[1:3], result.line(ALICE)[3:]
    assert {(r.mid, r.request_mid) for r in old} == {(mid(1), mid(2))}
    assert {(r.mid, r.request_mid) for r in new} == {(mid(2), mid(2))}
    assert bench.book() == [(3, False, 495, 1), (4, True, 505, 1)]


def test_a_side_of_size_zero_is_reported_as_canceled():
    bench = Bench()
    result = bench.quote(ALICE, (490, 2), (None, 0))
    assert result.told(ALICE) == [("ACKNOWLEDGED", 1), ("INSERTED", 2, 2, 1), ("CANCELED", 0, 0, 1)]
    assert bench.book() == [(1, False, 490, 2)]


def test_a_quote_of_two_zeros_pulls_the_quote():
    bench = Bench()
    bench.quote(ALICE, (490, 2), (500, 3))
    result = bench.quote(ALICE, (None, 0), (None, 0))
    assert result.told(ALICE)[3:] == [("CANCELED", 0, 0, 1), ("CANCELED", 0, 0, 0)]
    assert bench.book() == []
    assert bench.engine.accounts[ALICE].quotes == {}


def test_only_a_quotes_last_report_says_that_nothing_remains():
    bench = Bench()
    bench.quote(ALICE, (490, 2), (500, 3))
    assert bench.limit(BOB, 2, 490, ask=True).told(ALICE) == [("FILLED", 0, 2, 1)]
    assert bench.limit(BOB, 3, 500).told(ALICE) == [("FILLED", 0, 3, 0)]
    assert bench.engine.accounts[ALICE].entries == {}


def test_a_quote_may_trade_and_is_open_until_both_sides_are_reported():
    bench = Bench()
    bench.limit(BOB, 2, 490, ask=True)
    result = bench.quote(ALICE, (490, 2), (None, 0))
    assert result.told(ALICE) == [("ACKNOWLEDGED", 1), ("FILLED", 0, 2, 1), ("CANCELED", 0, 0, 0)]
    assert result.line(ALICE)[1].is_aggressor


def test_the_fourth_message_of_a_partly_filled_quote_inserts_the_rest():
    bench = Bench()
    bench.limit(BOB, 2, 490, ask=True)
    result = bench.quote(ALICE, (490, 5), (500, 1))
    assert result.told(ALICE)[1:] == [("FILLED", 3, 2, 1), ("INSERTED", 3, 3, 1), ("INSERTED", 1, 1, 1)]


def test_an_accounts_quotes_in_two_contracts_are_independent():
    bench = Bench(contract_detail(7), contract_detail(8))
    bench.quote(ALICE, (490, 2), (500, 3))
    assert len(bench.quote(ALICE, (490, 2), (500, 3), contract_id=8).line(ALICE)) == 3


def test_canceling_a_quotes_mid_cancels_both_sides():
    bench = Bench()
    bench.quote(ALICE, (490, 2), (500, 3))
    result = bench.cancel(ALICE, mid(1))
    assert result.told(ALICE)[1:] == [
        ("CANCELED", 0, 2, 1),
        ("CANCELED", 0, 3, 0),
        ("ORDER_CANCELED", 0),
    ]


def test_a_quote_may_cross_its_own_previous_one():
    bench = Bench()
    bench.quote(ALICE, (490, 2), (500, 3))
    result = bench.quote(ALICE, (505, 2), (510, 3))
    assert result.told(ALICE)[-1] == ("INSERTED", 3, 3, 1)
    assert bench.book() == [(3, False, 505, 2), (4, True, 510, 3)]


def test_a_quote_that_would_meet_another_order_of_its_account_is_refused():
    bench = Bench()
    bench.quote(ALICE, (490, 2), (500, 3))
    bench.limit(BOB, 4, 502 + 3, ask=True)
    bench.limit(ALICE, 3, 510, ask=True)
    refused = bench.quote(ALICE, (510, 5), (520, 3))
    assert refused.told(ALICE)[1:] == [("SELF_TRADE", 0)]
    assert refused.line(ALICE)[-1].field == "bid_price_in_cents"
    assert bench.quote(ALICE, (510, 4), (520, 3)).told(ALICE)[3] == ("FILLED", 0, 4, 1)


@pytest.mark.parametrize(
    ("bid", "ask", "status", "field"),
    [
        ((500, 1), (500, 1), "MALFORMED", "bid_price_in_cents"),
        ((505, 1), (500, 1), "MALFORMED", "bid_price_in_cents"),
        ((501, 1), (510, 1), "MALFORMED", "bid_price_in_cents"),
        ((500, 1), (511, 1), "MALFORMED", "ask_price_in_cents"),
        ((500, -1), (510, 1), "MALFORMED", "bid_size"),
        ((500, 1), (510, 1001), "MALFORMED", "ask_size"),
        ((0, 1), (510, 1), "PRICE_BAND", "bid_price_in_cents"),
        ((500, 1), (100_005, 1), "PRICE_BAND", "ask_price_in_cents"),
        ((500, 101), (510, 1), "POSITION_LIMIT", "bid_size"),
        ((500, 1), (510, 101), "POSITION_LIMIT", "ask_size"),
        ((None, 1), (None, 1), "MALFORMED", "bid_price_in_cents, ask_price_in_cents"),
    ],
)
def test_a_refused_quote_leaves_the_old_one(bid, ask, status: str, field: str):
    bench = Bench(position_size_max=100)
    bench.quote(ALICE, (490, 60), (520, 60))
    before = bench.book()
    result = bench.quote(ALICE, bid, ask)
    assert result.told(ALICE)[1:] == [(status, 0)]
    assert result.line(ALICE)[-1].field == field
    assert bench.book() == before


def test_an_empty_quote_names_everything_it_misses():
    bench = Bench()
    status = bench.send(ALICE, bench.stamped(api.MessageQuote())).line(ALICE)[-1]
    assert status.field == "contract_id, bid_price_in_cents, bid_size, ask_price_in_cents, ask_size"


def test_the_old_quote_does_not_count_against_limits():
    bench = Bench(position_size_max=100, open_orders_max=2)
    bench.quote(ALICE, (490, 100), (520, 100))
    assert bench.quote(ALICE, (490, 100), (520, 100)).told(ALICE)[-1] == ("INSERTED", 100, 100, 1)


def test_a_quotes_second_side_counts_as_an_open_order():
    bench = Bench(open_orders_max=2)
    bench.limit(ALICE, 1, 490)
    status = bench.quote(ALICE, (490, 1), (520, 1)).line(ALICE)[-1]
    assert status.status == Status.STATUS_ORDER_LIMIT


def test_a_quote_can_be_pulled_in_a_halt_but_not_placed():
    bench = Bench()
    bench.quote(ALICE, (490, 1), (520, 1))
    bench.add_contract(contract_detail(state=api.MessageContractDetail.HALTED))
    assert bench.quote(ALICE, (490, 2), (None, 0)).told(ALICE)[1:] == [("HALTED", 0)]
    assert bench.quote(ALICE, (None, 0), (None, 0)).told(ALICE)[-1] == ("CANCELED", 0, 0, 0)
