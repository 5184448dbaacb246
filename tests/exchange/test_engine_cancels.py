"""Cancel, cancel-all and cancel-replace."""

from __future__ import annotations

import pytest
from engine_harness import ALICE, BOB, CONTRACT, Bench, Status, contract_detail, mid

from ledgerx.api.client import v0_0_1 as api


def test_a_cancel_ends_the_order_and_then_itself():
    bench = Bench()
    bench.limit(ALICE, 3, 500)
    result = bench.cancel(ALICE, mid(1))
    assert result.told(ALICE) == [("ACKNOWLEDGED", 1), ("CANCELED", 0, 3, 0), ("ORDER_CANCELED", 0)]
    ack, report, status = result.line(ALICE)
    assert (ack.mid, status.mid) == (mid(2), mid(2))
    assert (report.mid, report.request_mid, report.canceled_size) == (mid(1), mid(2), 3)
    assert bench.book() == []


def test_an_order_is_found_by_its_mid_in_either_case():
    bench = Bench()
    bench.limit(ALICE, 3, 500, mid="ABCDEF" * 5 + "AB")
    assert bench.cancel(ALICE, ("abcdef" * 5 + "ab")).told(ALICE)[-1] == ("ORDER_CANCELED", 0)


@pytest.mark.parametrize("entry_id", [mid(99), "nonsense", "x" * 10_000])
def test_an_unknown_entry_id_is_no_such_order(entry_id: str):
    bench = Bench()
    status = bench.cancel(ALICE, entry_id).line(ALICE)[-1]
    assert (status.status, status.field, status.remaining) == (Status.STATUS_NO_SUCH_ORDER, "entry_id", 0)
    assert len(status.message) < 300


def test_a_closed_order_cannot_be_canceled_again():
    bench = Bench()
    bench.limit(ALICE, 3, 500)
    bench.cancel(ALICE, mid(1))
    assert bench.cancel(ALICE, mid(1)).line(ALICE)[-1].status == Status.STATUS_NO_SUCH_ORDER


def test_another_accounts_order_cannot_be_canceled():
    bench = Bench()
    bench.limit(ALICE, 3, 500)
    assert bench.cancel(BOB, mid(1)).line(BOB)[-1].status == Status.STATUS_NO_SUCH_ORDER
    assert len(bench.book()) == 1


def test_two_accounts_may_use_the_same_mid():
    bench = Bench()
    bench.limit(ALICE, 3, 500, mid=mid(77))
    bench.limit(BOB, 3, 500, mid=mid(77))
    bench.cancel(BOB, mid(77))
    assert bench.book() == [(1, False, 500, 3)]


def test_cancel_all_ends_every_order_in_order_id_order():
    bench = Bench(contract_detail(CONTRACT), contract_detail(8))
    bench.limit(ALICE, 1, 600, ask=True)
    bench.limit(ALICE, 2, 500, contract_id=8)
    bench.limit(BOB, 9, 500)
    bench.limit(ALICE, 3, 500)
    result = bench.cancel_all(ALICE)
    assert result.told(ALICE) == [
        ("ACKNOWLEDGED", 1),
        ("CANCELED", 0, 1, 0),
        ("CANCELED", 0, 2, 0),
        ("CANCELED", 0, 3, 0),
        ("ORDER_CANCELED", 0),
    ]
    assert [r.order_id for r in result.line(ALICE)[1:4]] == [1, 2, 4]
    assert {r.request_mid for r in result.line(ALICE)[1:4]} == {bench.last_mid}
    assert bench.book() == [(3, False, 500, 9)]


def test_cancel_all_of_one_contract_leaves_the_others():
    bench = Bench(contract_detail(CONTRACT), contract_detail(8))
    bench.limit(ALICE, 1, 600)
    bench.limit(ALICE, 2, 500, contract_id=8)
    bench.cancel_all(ALICE, contract_id=8)
    assert (len(bench.book(CONTRACT)), len(bench.book(8))) == (1, 0)


def test_cancel_all_with_nothing_open_is_done_at_once():
    assert Bench().cancel_all(ALICE).told(ALICE) == [("ACKNOWLEDGED", 1), ("ORDER_CANCELED", 0)]


def test_cancel_all_of_an_unknown_contract_is_refused():
    assert Bench().cancel_all(ALICE, contract_id=99).told(ALICE)[-1] == ("UNKNOWN_CONTRACT", 0)


# ---------------------------------------------------------------------- cancel-replace


def queue(bench: Bench) -> list[int]:
    return [order[0] for order in bench.book()]


def two_bids() -> Bench:
    """Alice's order 1 stands before Bob's order 2 at 500."""
    bench = Bench()
    bench.limit(ALICE, 6, 500)
    bench.limit(BOB, 6, 500)
    return bench


def test_a_smaller_size_at_the_same_price_keeps_the_place():
    bench = two_bids()
    result = bench.replace(ALICE, mid(1), 4, 500)
    assert result.told(ALICE) == [("ACKNOWLEDGED", 1), ("REPLACED", 4, 0, 1), ("ORDER_REPLACED", 0)]
    report = result.line(ALICE)[1]
    assert (report.mid, report.request_mid, report.order_id) == (mid(1), bench.last_mid, 1)
    assert (report.original_size, report.price_in_cents) == (4, 500)
    assert result.updates() == [("CHANGE", 1, 500, 4)]
    assert queue(bench) == [1, 2]


@pytest.mark.parametrize(("size", "price"), [(7, 500), (6, 500), (6, 505), (4, 505)])
def test_any_other_change_loses_the_place_and_keeps_the_ids(size: int, price: int):
    bench = two_bids()
    bench.limit(BOB, 6, price)
    result = bench.replace(ALICE, mid(1), size, price)
    report = result.line(ALICE)[1]
    assert (report.size, report.original_size, report.price_in_cents) == (size, size, price)
    assert (report.mid, report.order_id) == (mid(1), 1)
    assert result.updates() == [("REMOVE", 1, 500, 0), ("ADD", 1, price, size)]
    at_price = [order[0] for order in bench.book() if order[2] == price]
    assert at_price[-1] == 1
    assert bench.cancel(ALICE, mid(1)).told(ALICE)[1] == ("CANCELED", 0, size, 0)


def test_the_new_size_counts_what_is_filled():
    bench = two_bids()
    bench.limit(BOB, 2, 500, ask=True, time_in_force=api.MessageLimitOrder.IOC)
    report = bench.replace(ALICE, mid(1), 5, 500).line(ALICE)[1]
    assert (report.size, report.original_size) == (3, 5)


@pytest.mark.parametrize("size", [0, 1, 2])
def test_a_size_at_or_below_what_is_filled_cancels(size: int):
    bench = two_bids()
    bench.limit(BOB, 2, 500, ask=True, time_in_force=api.MessageLimitOrder.IOC)
    result = bench.replace(ALICE, mid(1), size, 505)
    assert result.told(ALICE) == [("ACKNOWLEDGED", 1), ("CANCELED", 0, 4, 0), ("ORDER_REPLACED", 0)]
    assert queue(bench) == [2]


def test_a_crossing_price_trades_as_an_aggressor_after_the_replaced_report():
    bench = Bench()
    bench.limit(ALICE, 6, 500)
    bench.limit(BOB, 2, 510, ask=True)
    result = bench.replace(ALICE, mid(1), 6, 515)
    assert result.told(ALICE) == [
        ("ACKNOWLEDGED", 1),
        ("REPLACED", 6, 0, 1),
        ("FILLED", 4, 2, 1),
        ("ORDER_REPLACED", 0),
    ]
    fill = result.line(ALICE)[2]
    assert (fill.is_aggressor, fill.request_mid, fill.filled_price_in_cents) == (True, bench.last_mid, 510)
    assert result.updates() == [("REMOVE", 1, 500, 0), ("REMOVE", 2, 510, 0), ("ADD", 1, 515, 4)]
    assert bench.book() == [(1, False, 515, 4)]


def test_a_replace_that_fills_whole_ends_the_order():
    bench = Bench()
    bench.limit(ALICE, 6, 500)
    bench.limit(BOB, 9, 510, ask=True)
    result = bench.replace(ALICE, mid(1), 6, 510)
    assert result.told(ALICE)[1:] == [("REPLACED", 6, 0, 1), ("FILLED", 0, 6, 0), ("ORDER_REPLACED", 0)]
    assert bench.book() == [(2, True, 510, 3)]
    assert bench.cancel(ALICE, mid(1)).line(ALICE)[-1].status == Status.STATUS_NO_SUCH_ORDER
    assert bench.engine.accounts[ALICE].orders == {}


@pytest.mark.parametrize(
    ("size", "price", "status", "field"),
    [
        (6, 501, "MALFORMED", "price_in_cents"),
        (6, 100_005, "PRICE_BAND", "price_in_cents"),
        (1001, 500, "MALFORMED", "size"),
        (-1, 500, "MALFORMED", "size"),
        (60, 500, "POSITION_LIMIT", "size"),
        (6, 520, "SELF_TRADE", "price_in_cents"),
    ],
)
def test_a_refused_replace_leaves_the_order(size: int, price: int, status: str, field: str):
    bench = Bench(position_size_max=50)
    bench.limit(ALICE, 6, 500)
    bench.limit(ALICE, 6, 520, ask=True)
    before = bench.book()
    result = bench.replace(ALICE, mid(1), size, price)
    assert result.told(ALICE)[1:] == [(status, 0)]
    assert result.line(ALICE)[-1].field == field
    assert bench.book() == before
    assert result.feed() == []


def test_a_replaced_post_only_order_stays_post_only():
    bench = Bench()
    bench.limit(ALICE, 6, 500, post_only=True)
    bench.limit(BOB, 6, 510, ask=True)
    assert bench.replace(ALICE, mid(1), 6, 510).told(ALICE)[-1] == ("WOULD_CROSS", 0)
    assert bench.replace(ALICE, mid(1), 6, 505).told(ALICE)[-1] == ("ORDER_REPLACED", 0)


def test_a_quote_cannot_be_replaced_by_cancel_replace():
    bench = Bench()
    bench.quote(ALICE, (500, 1), (510, 1))
    status = bench.replace(ALICE, mid(1), 2, 500).line(ALICE)[-1]
    assert (status.status, status.field) == (Status.STATUS_MALFORMED, "entry_id")
    assert "quote" in status.message


def test_a_replaced_order_keeps_its_place_in_order_id_order():
    bench = Bench()
    bench.limit(ALICE, 1, 500)
    bench.limit(ALICE, 2, 500)
    bench.replace(ALICE, mid(1), 9, 500)
    assert [r.order_id for r in bench.cancel_all(ALICE).line(ALICE)[1:3]] == [1, 2]
