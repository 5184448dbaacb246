"""Runs, accounts, contracts and time."""

from __future__ import annotations

import pytest
from engine_harness import (
    ALICE,
    BOB,
    CAROL,
    CONTRACT,
    NOW,
    SECOND,
    Bench,
    Status,
    brief,
    contract_detail,
    mid,
)

from ledgerx.api.client import v0_0_1 as api
from ledgerx.errors import AccountError
from ledgerx.exchange.engine import Engine, default_limits

EXPIRY = NOW + 60 * SECOND


# ---------------------------------------------------------------------- runs


def test_the_first_run_tells_the_feed_alone():
    bench = Bench()
    assert (bench.engine.run_id, bench.engine.venue_id, bench.engine.head(ALICE)) == (1, "venue", 0)
    assert bench.engine.topic_head("run_change.0") == 1


def test_a_new_run_cancels_open_orders_and_then_says_so():
    bench = Bench()
    bench.limit(ALICE, 5, 500)
    bench.quote(ALICE, (490, 1), (600, 1))
    bench.limit(BOB, 1, 505)
    result = bench.start_run(2)
    assert result.told(ALICE) == [
        ("CANCELED", 0, 5, 0),
        ("CANCELED", 0, 1, 1),
        ("CANCELED", 0, 1, 0),
        ("MessageRunChange",),
    ]
    *reports, change = result.line(ALICE)
    assert {(r.run_id, r.request_mid) for r in reports} == {(1, "")}
    assert [r.order_id for r in reports] == [1, 2, 3]
    assert (change.prev_run_id, change.run_id, change.mid, change.remaining) == (1, 2, "", 0)
    assert change.account_sequence == bench.engine.head(ALICE)
    assert result.told(BOB) == [("CANCELED", 0, 1, 0), ("MessageRunChange",)]
    assert result.told(CAROL) == [("MessageRunChange",)]


def test_lines_are_told_of_a_new_run_in_cid_order():
    bench = Bench(accounts=0)
    for cid in (3, 1, 2):
        bench.add_account(cid)
    assert [o.cid for o in bench.start_run(2).outputs] == [1, 2, 3, 0]


def test_a_new_run_empties_the_books_and_starts_the_topics_again():
    bench = Bench()
    bench.limit(ALICE, 5, 500)
    result = bench.start_run(2)
    assert [(m.prev_run_id, m.run_id, m.sequence) for m in result.feed()] == [(1, 2, 1)]
    assert bench.book() == []
    assert bench.engine.topic_head(f"book_update.{CONTRACT}") == 0
    fresh = bench.limit(ALICE, 5, 500)
    assert [m.sequence for m in fresh.feed()] == [1, 1]
    assert {m.run_id for m in fresh.feed() + fresh.line(ALICE)} == {2}


def test_what_belongs_to_the_venue_goes_on_over_runs():
    bench = Bench()
    bench.limit(ALICE, 5, 500)
    bench.limit(BOB, 2, 500, ask=True)
    head = bench.engine.head(ALICE)
    bench.start_run(2)
    report = bench.limit(ALICE, 1, 500).line(ALICE)[-1]
    assert (report.order_id, report.account_sequence) == (3, head + 2 + 3)
    assert bench.limit(BOB, 1, 500, ask=True).line(BOB)[-1].trade_id == 2
    assert bench.position(ALICE) == 3
    assert bench.engine.consumed(ALICE, mid(1)) is not None


def test_a_new_run_has_its_own_limits():
    bench = Bench()
    bench.limits.open_orders_max = 0
    bench.start_run(2)
    assert bench.limit(ALICE, 1, 500).line(ALICE)[-1].status == Status.STATUS_ORDER_LIMIT


def test_room_taken_by_orders_of_an_old_run_is_free_again():
    bench = Bench(position_size_max=5, open_orders_max=1)
    bench.limit(ALICE, 5, 500)
    bench.start_run(2)
    assert bench.limit(ALICE, 5, 500).told(ALICE)[-1] == ("INSERTED", 5, 5, 1)


def test_the_default_limits_are_those_of_the_design():
    limits = default_limits()
    assert (limits.mids_max, limits.requests_per_second_max) == (1_000_000, 50_000)
    assert (limits.requests_burst_max, limits.open_orders_max) == (100_000, 100_000)
    assert limits.position_size_max == 1_000_000_000


# ---------------------------------------------------------------------- accounts


def test_a_removed_accounts_orders_are_canceled_in_its_line_and_on_the_feed():
    bench = Bench()
    bench.limit(ALICE, 5, 500)
    bench.limit(BOB, 5, 495)
    result = bench.remove_account(ALICE)
    assert result.told(ALICE) == [("CANCELED", 0, 5, 0)]
    assert result.updates() == [("REMOVE", 1, 500, 0)]
    assert [t.bid for t in result.topic(f"book_top.{CONTRACT}")] == [495]
    assert bench.engine.accounts[ALICE].active is False
    assert bench.engine.account_of_key("key 1") is None
    assert bench.start_run(2).line(ALICE) == []


def test_removing_an_account_twice_or_one_that_never_was_does_nothing():
    bench = Bench()
    bench.remove_account(ALICE)
    assert bench.remove_account(ALICE).outputs == []
    assert bench.remove_account(99).outputs == []


def test_the_mids_of_a_removed_account_are_forgotten():
    bench = Bench()
    bench.limit(ALICE, 5, 500)
    bench.remove_account(ALICE)
    assert bench.engine.consumed(ALICE, mid(1)) is None


def test_a_name_or_key_in_use_is_refused_and_a_freed_one_is_not():
    bench = Bench()
    with pytest.raises(AccountError, match="account 1"):
        bench.engine.check_account("account 1", "new key")
    with pytest.raises(AccountError, match="account 1"):
        bench.engine.check_account("new", "key 1")
    with pytest.raises(AccountError):
        bench.engine.check_account("", "new key")
    bench.remove_account(ALICE)
    bench.engine.check_account("account 1", "key 1")


def test_a_freed_key_belongs_to_the_account_that_has_it_now():
    bench = Bench()
    bench.remove_account(ALICE)
    assert bench.engine.next_cid() == 4
    bench.add_account(4, "alice again", "key 1")
    account = bench.engine.account_of_key("key 1")
    assert account is not None
    assert (account.cid, account.mpid, account.name) == (4, 104, "alice again")
    assert bench.engine.account_named("alice again") is account
    assert "key 1" not in repr(account)


def test_the_first_cid_is_1_and_an_unknown_account_has_no_line():
    engine = Engine()
    assert (engine.next_cid(), engine.head(5), engine.consumed(5, mid(1)), engine.run_id) == (1, 0, None, 0)
    assert engine.consumed(5, "nonsense") is None


# ---------------------------------------------------------------------- contracts and time


def test_a_contract_expires_at_its_time_on_a_tick():
    bench = Bench(contract_detail(7, expiry=EXPIRY), contract_detail(8, expiry=EXPIRY + 1))
    bench.limit(ALICE, 5, 500)
    bench.limit(BOB, 5, 500)
    assert bench.engine.next_due() == EXPIRY
    assert bench.tick(EXPIRY - 1).outputs == []
    result = bench.tick(EXPIRY)
    assert result.told(ALICE) == result.told(BOB) == [("CANCELED", 0, 5, 0)]
    assert {r.request_mid for r in result.line(ALICE)} == {""}
    assert result.updates() == [("REMOVE", 1, 500, 0), ("REMOVE", 2, 500, 0)]
    assert [t.bid_size for t in result.topic("book_top.7")] == [0]
    assert bench.engine.next_due() == EXPIRY + 1


def test_an_expired_contract_takes_no_order_and_says_so_when_asked():
    bench = Bench(contract_detail(expiry=EXPIRY))
    bench.tick(EXPIRY)
    status = bench.limit(ALICE, 5, 500).line(ALICE)[-1]
    assert (status.status, status.field) == (Status.STATUS_CONTRACT_EXPIRED, "contract_id")
    _, detail = bench.query(ALICE, api.MessageGetContract(contract_id=CONTRACT))
    assert detail.state == api.MessageContractDetail.EXPIRED
    assert bench.engine.next_due() is None


def test_an_order_that_arrives_at_the_expiry_is_too_late():
    bench = Bench(contract_detail(expiry=EXPIRY))
    bench.limit(ALICE, 5, 500)
    bench.time = EXPIRY
    result = bench.limit(BOB, 5, 500, ask=True)
    assert result.told(ALICE) == [("CANCELED", 0, 5, 0)]
    assert result.told(BOB) == [("ACKNOWLEDGED", 1), ("CONTRACT_EXPIRED", 0)]


def test_an_expiry_that_meets_a_new_run_belongs_to_the_old_one():
    bench = Bench(contract_detail(expiry=EXPIRY))
    bench.limit(ALICE, 5, 500)
    bench.time = EXPIRY
    result = bench.start_run(2)
    assert [(o.topic, o.sequence) for o in result.outputs if not o.cid] == [
        (f"book_update.{CONTRACT}", 2),
        (f"book_top.{CONTRACT}", 2),
        ("run_change.0", 1),
    ]
    assert [brief(m) for m in result.line(ALICE)] == [("CANCELED", 0, 5, 0), ("MessageRunChange",)]


def test_a_contract_added_after_its_expiry_is_expired():
    bench = Bench(contract_detail(expiry=NOW))
    assert bench.limit(ALICE, 5, 500).line(ALICE)[-1].status == Status.STATUS_CONTRACT_EXPIRED


def test_a_contract_added_again_has_its_new_terms_and_keeps_its_orders():
    bench = Bench()
    bench.limit(ALICE, 5, 500)
    bench.add_contract(contract_detail(state=api.MessageContractDetail.HALTED, label="other"))
    assert bench.engine.contracts[CONTRACT].label == "other"
    halted = bench.limit(ALICE, 5, 500).line(ALICE)[-1]
    assert (halted.status, halted.field) == (Status.STATUS_HALTED, "contract_id")
    assert bench.replace(ALICE, mid(1), 6, 500).told(ALICE)[-1] == ("HALTED", 0)
    assert bench.replace(ALICE, mid(1), 4, 500).told(ALICE)[-1] == ("ORDER_REPLACED", 0)
    bench.add_contract(contract_detail())
    assert bench.limit(ALICE, 5, 500).told(ALICE)[-1] == ("INSERTED", 5, 5, 1)
    assert len(bench.book()) == 2


def test_a_contract_declared_expired_ends_its_orders():
    bench = Bench()
    bench.limit(ALICE, 5, 500)
    result = bench.add_contract(contract_detail(state=api.MessageContractDetail.EXPIRED))
    assert result.told(ALICE) == [("CANCELED", 0, 5, 0)]


def test_time_never_goes_back():
    bench = Bench()
    bench.tick(NOW + 1)
    with pytest.raises(AssertionError):
        bench.tick(NOW)


def test_records_are_numbered_from_one():
    bench = Bench(accounts=1)
    assert [execution.number for execution in bench.executions] == [1, 2, 3]
    assert bench.engine.number == 3
