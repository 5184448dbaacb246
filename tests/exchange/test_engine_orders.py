"""Limit and market orders: what is answered, in which order, and what the feed sees."""

from __future__ import annotations

from engine_harness import ALICE, BOB, CAROL, CONTRACT, NOW, Bench, Report, Status, mid

from ledgerx.api.client import v0_0_1 as api

IOC = api.MessageLimitOrder.IOC
FOK = api.MessageLimitOrder.FOK


def test_a_resting_order_is_acknowledged_accepted_and_inserted():
    bench = Bench()
    result = bench.limit(ALICE, 3, 500)
    assert result.told(ALICE) == [("ACKNOWLEDGED", 1), ("ORDER_SUCCESS", 1), ("INSERTED", 3, 3, 1)]


def test_private_messages_carry_the_shared_fields():
    bench = Bench()
    for sequence, message in enumerate(bench.limit(ALICE, 3, 500).line(ALICE), 1):
        shared = (message.mid, message.mversion, message.run_id, message.timestamp, message.cid)
        assert shared == (mid(1), "0.0.1", 1, NOW, ALICE)
        assert (message.mpid, message.account_sequence, message.as_of) == (101, sequence, 0)


def test_a_report_says_everything_about_its_order():
    bench = Bench()
    report = bench.limit(ALICE, 3, 500, ask=True).line(ALICE)[-1]
    assert (report.contract_id, report.order_id, report.is_ask) == (CONTRACT, 1, True)
    assert (report.original_size, report.price_in_cents, report.request_mid) == (3, 500, mid(1))
    assert (report.is_aggressor, report.trade_id) == (False, 0)


def test_a_fill_is_reported_to_aggressor_and_owner_at_the_resting_price():
    bench = Bench()
    bench.limit(ALICE, 5, 500, ask=True)
    result = bench.limit(BOB, 2, 600)
    assert result.told(BOB) == [("ACKNOWLEDGED", 1), ("ORDER_SUCCESS", 1), ("FILLED", 0, 2, 0)]
    assert result.told(ALICE) == [("FILLED", 3, 2, 1)]
    aggressor, owner = result.line(BOB)[-1], result.line(ALICE)[0]
    assert (aggressor.mid, aggressor.request_mid, aggressor.is_aggressor) == (mid(2), mid(2), True)
    assert (owner.mid, owner.request_mid, owner.is_aggressor) == (mid(1), "", False)
    assert aggressor.filled_price_in_cents == owner.filled_price_in_cents == 500
    assert aggressor.price_in_cents == 600
    assert aggressor.trade_id == owner.trade_id == 1


def test_fills_follow_price_then_time_and_the_rest_is_inserted():
    bench = Bench()
    bench.limit(ALICE, 1, 510, ask=True)
    bench.limit(CAROL, 2, 500, ask=True)
    bench.limit(ALICE, 3, 500, ask=True)
    result = bench.limit(BOB, 10, 510)
    fills = [(r.filled_size, r.filled_price_in_cents) for r in result.line(BOB)[2:5]]
    assert fills == [(2, 500), (3, 500), (1, 510)]
    assert result.told(BOB)[2:] == [
        ("FILLED", 8, 2, 1),
        ("FILLED", 5, 3, 1),
        ("FILLED", 4, 1, 1),
        ("INSERTED", 4, 4, 1),
    ]
    assert result.told(ALICE) == [("FILLED", 0, 3, 0), ("FILLED", 0, 1, 0)]
    assert bench.book() == [(4, False, 510, 4)]


def test_ioc_reports_its_rest_as_not_filled():
    bench = Bench()
    bench.limit(ALICE, 2, 500, ask=True)
    result = bench.limit(BOB, 5, 500, time_in_force=IOC)
    assert result.told(BOB)[2:] == [("FILLED", 3, 2, 1), ("NOT_FILLED", 0, 3, 0)]
    assert bench.book() == []


def test_ioc_that_fills_whole_ends_with_its_last_fill():
    bench = Bench()
    bench.limit(ALICE, 2, 500, ask=True)
    assert bench.limit(BOB, 2, 500, time_in_force=IOC).told(BOB)[2:] == [("FILLED", 0, 2, 0)]


def test_fok_fills_whole():
    bench = Bench()
    bench.limit(ALICE, 2, 500, ask=True)
    bench.limit(CAROL, 2, 505, ask=True)
    result = bench.limit(BOB, 3, 505, time_in_force=FOK)
    assert result.told(BOB)[1:] == [("ORDER_SUCCESS", 1), ("FILLED", 1, 2, 1), ("FILLED", 0, 1, 0)]


def test_fok_that_cannot_fill_whole_is_refused_and_changes_nothing():
    bench = Bench()
    bench.limit(ALICE, 2, 500, ask=True)
    result = bench.limit(BOB, 3, 500, time_in_force=FOK)
    assert result.told(BOB) == [("ACKNOWLEDGED", 1), ("NOT_FILLABLE", 0)]
    assert result.line(BOB)[-1].field == "size"
    assert bench.book() == [(1, True, 500, 2)]
    assert result.feed() == []


def test_a_refused_order_takes_no_order_id():
    bench = Bench()
    bench.limit(BOB, 3, 500, time_in_force=FOK)
    assert bench.limit(BOB, 3, 500).line(BOB)[-1].order_id == 1


def test_post_only_that_would_trade_is_refused():
    bench = Bench()
    bench.limit(ALICE, 2, 500, ask=True)
    bench.limit(CAROL, 2, 490)
    for result in (
        bench.limit(BOB, 1, 500, post_only=True),
        bench.limit(BOB, 1, 490, ask=True, post_only=True),
    ):
        assert result.told(BOB) == [("ACKNOWLEDGED", 1), ("WOULD_CROSS", 0)]
        assert result.line(BOB)[-1].field == "price_in_cents"
    assert len(bench.book()) == 2


def test_post_only_that_would_not_trade_rests():
    bench = Bench()
    bench.limit(ALICE, 2, 500, ask=True)
    assert bench.limit(BOB, 1, 495, post_only=True).told(BOB)[-1] == ("INSERTED", 1, 1, 1)


def test_a_post_only_order_against_its_own_account_would_cross_rather_than_trade_with_itself():
    bench = Bench()
    bench.limit(ALICE, 2, 500, ask=True)
    assert bench.limit(ALICE, 1, 500, post_only=True).line(ALICE)[-1].status == Status.STATUS_WOULD_CROSS


def test_a_market_order_takes_every_price_and_never_rests():
    bench = Bench()
    bench.limit(ALICE, 2, 500, ask=True)
    bench.limit(ALICE, 2, 100_000, ask=True)
    result = bench.market(BOB, 5)
    assert result.told(BOB) == [
        ("ACKNOWLEDGED", 1),
        ("ORDER_SUCCESS", 1),
        ("FILLED", 3, 2, 1),
        ("FILLED", 1, 2, 1),
        ("NOT_FILLED", 0, 1, 0),
    ]
    assert {r.price_in_cents for r in result.line(BOB)[2:]} == {0}


def test_a_market_order_on_an_empty_book_is_accepted_and_not_filled():
    result = Bench().market(BOB, 5, ask=True)
    assert result.told(BOB) == [("ACKNOWLEDGED", 1), ("ORDER_SUCCESS", 1), ("NOT_FILLED", 0, 5, 0)]


def test_an_order_that_would_meet_its_own_account_is_refused_whole():
    bench = Bench()
    bench.limit(BOB, 2, 500, ask=True)
    bench.limit(ALICE, 2, 505, ask=True)
    for result in (bench.limit(ALICE, 3, 505), bench.market(ALICE, 3)):
        assert result.told(ALICE) == [("ACKNOWLEDGED", 1), ("SELF_TRADE", 0)]
    assert len(bench.book()) == 2


def test_an_order_filled_before_it_would_meet_its_own_account_trades():
    bench = Bench()
    bench.limit(BOB, 2, 500, ask=True)
    bench.limit(ALICE, 2, 505, ask=True)
    assert bench.limit(ALICE, 2, 505).told(ALICE)[-1] == ("FILLED", 0, 2, 0)


def test_an_order_that_stops_short_of_its_own_account_rests():
    bench = Bench()
    bench.limit(BOB, 2, 500, ask=True)
    bench.limit(ALICE, 2, 505, ask=True)
    assert bench.limit(ALICE, 3, 500).told(ALICE)[-1] == ("INSERTED", 1, 1, 1)


def test_a_trade_moves_both_positions():
    bench = Bench()
    bench.limit(ALICE, 5, 500, ask=True)
    bench.limit(BOB, 2, 500)
    assert (bench.position(ALICE), bench.position(BOB)) == (-2, 2)


def test_the_price_band_and_the_tick_do_not_bind_a_market_order():
    bench = Bench()
    bench.limit(ALICE, 1, 5, ask=True)
    assert bench.market(BOB, 1).told(BOB)[-1] == ("FILLED", 0, 1, 0)


def test_the_inserted_report_of_a_rest_gives_what_was_inserted_alone():
    bench = Bench()
    bench.limit(ALICE, 2, 500, ask=True)
    report = bench.limit(BOB, 5, 500).line(BOB)[-1]
    assert (report.status_type, report.inserted_size, report.size) == (Report.STATUS_INSERTED, 3, 3)
    assert (report.original_size, report.filled_size, report.canceled_size) == (5, 0, 0)
