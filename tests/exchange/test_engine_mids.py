"""Which mids are remembered, and what a forgotten one may be."""

from __future__ import annotations

from collections import deque

import pytest
from engine_harness import ALICE, BOB, NOW, SECOND, Bench, Status, brief, contract_detail, mid
from hypothesis import given
from hypothesis import strategies as st

from ledgerx.api.client import v0_0_1 as api
from ledgerx.exchange.mids import HORIZON_NONE, Mids, mid_key


def key(number: int) -> bytes:
    return number.to_bytes(16, "big")


@pytest.mark.parametrize(
    "text", ["", "0" * 31, "0" * 33, "g" * 32, "0 " * 16, "+" + "0" * 31, "0x" + "0" * 30]
)
def test_what_is_not_32_hex_characters_is_no_mid(text: str):
    assert mid_key(text) is None


def test_a_mid_is_the_same_in_either_case():
    assert mid_key("ABcdef" * 5 + "09") == mid_key("abCDEF" * 5 + "09") == bytes.fromhex("abcdef" * 5 + "09")


def test_a_consumed_mid_is_known_by_account():
    mids = Mids(10)
    mids.consume(ALICE, key(1), 77, 5)
    assert (mids.number(ALICE, key(1)), mids.number(BOB, key(1)), mids.number(ALICE, key(2))) == (
        77,
        None,
        None,
    )
    assert mids.horizon(ALICE) == mids.horizon(BOB) == HORIZON_NONE


def test_the_account_that_holds_the_most_loses_its_oldest():
    mids = Mids(4)
    mids.consume(BOB, key(1), 1, 10)
    for n in range(2, 6):
        mids.consume(ALICE, key(n), n, 10 * n)
    assert len(mids) == 4
    assert mids.number(BOB, key(1)) == 1
    assert mids.number(ALICE, key(2)) is None
    assert mids.number(ALICE, key(3)) == 3
    assert (mids.horizon(ALICE), mids.horizon(BOB)) == (20, HORIZON_NONE)


def test_of_accounts_that_hold_as_much_the_first_cid_loses():
    mids = Mids(2)
    mids.consume(BOB, key(1), 1, 1)
    mids.consume(ALICE, key(2), 2, 2)
    mids.consume(3, key(3), 3, 3)
    assert (mids.number(ALICE, key(2)), mids.number(BOB, key(1))) == (None, 1)


def test_the_horizon_is_the_largest_timestamp_forgotten():
    mids = Mids(1)
    for number, timestamp in ((1, 50), (2, 30), (3, 99)):
        mids.consume(ALICE, key(number), number, timestamp)
    assert mids.horizon(ALICE) == 50


def test_a_smaller_cap_forgets_at_once():
    mids = Mids(100)
    for n in range(100):
        mids.consume(ALICE if n % 2 else BOB, key(n), n, n)
    mids.resize(10)
    assert len(mids) == 10
    assert mids.number(ALICE, key(99)) == 99


def test_a_dropped_account_leaves_room():
    mids = Mids(4)
    for n in range(4):
        mids.consume(ALICE, key(n), n, n)
    mids.drop(ALICE)
    mids.drop(BOB)
    assert len(mids) == 0
    mids.consume(BOB, key(1), 1, 1)
    assert mids.number(BOB, key(1)) == 1


@given(
    mids_max=st.integers(0, 40),
    cids=st.lists(st.integers(1, 4), max_size=300),
)
def test_the_mids_kept_are_the_latest_of_each_account_and_never_above_the_cap(mids_max: int, cids: list[int]):
    mids = Mids(mids_max)
    used: dict[int, deque[int]] = {}
    for number, cid in enumerate(cids):
        mids.consume(cid, key(number), number, number)
        used.setdefault(cid, deque()).append(number)
        assert len(mids) <= mids_max
    kept = 0
    for cid, numbers in used.items():
        known = [n for n in numbers if mids.number(cid, key(n)) == n]
        kept += len(known)
        assert known == list(numbers)[len(numbers) - len(known) :]
        forgotten = list(numbers)[: len(numbers) - len(known)]
        assert mids.horizon(cid) == (forgotten[-1] if forgotten else HORIZON_NONE)
    assert kept == len(mids) == min(mids_max, len(cids))


def test_a_large_cap_is_reached_in_steps_and_memory_stays_flat():
    mids = Mids(2000)
    for n in range(10_000):
        mids.consume(ALICE, key(n), n, n)
        assert len(mids) <= 2000
    assert len(mids) >= 1998
    assert len(mids._lines[ALICE].timestamps) <= 2 * 2000 + 64


# ---------------------------------------------------------------------- in the engine


def test_an_unknown_mid_at_or_below_the_horizon_is_refused_and_consumed():
    bench = Bench(mids_max=2)
    for n in range(3):
        bench.limit(ALICE, 1, 500, timestamp=NOW + n)
    late = bench.limit(ALICE, 1, 500, mid=mid(1), timestamp=NOW)
    assert late.told(ALICE) == [("ACKNOWLEDGED", 1), ("TIMESTAMP_STALE", 0)]
    assert late.line(ALICE)[-1].field == "timestamp"
    assert len(bench.book()) == 3
    assert bench.engine.consumed(ALICE, mid(1)) == late.number
    assert bench.limit(BOB, 1, 500, timestamp=NOW).told(BOB)[1] == ("ORDER_SUCCESS", 1)


def test_a_request_is_judged_by_the_horizon_before_it_took_its_place():
    bench = Bench(mids_max=1)
    bench.limit(ALICE, 1, 500, timestamp=NOW + 5)
    assert bench.limit(ALICE, 1, 500, timestamp=NOW + 3).told(ALICE)[1] == ("ORDER_SUCCESS", 1)
    assert (
        bench.limit(ALICE, 1, 500, timestamp=NOW + 4).line(ALICE)[1].status == Status.STATUS_TIMESTAMP_STALE
    )


def test_a_request_without_a_timestamp_is_accepted_while_nothing_is_forgotten():
    bench = Bench(mids_max=1)
    bare = api.MessageCancelAll(mid=mid(90))
    assert bench.send(ALICE, bare).told(ALICE)[-1] == ("ORDER_CANCELED", 0)
    bench.cancel_all(ALICE)
    bare.mid = mid(91)
    assert bench.send(ALICE, bare).told(ALICE)[-1] == ("TIMESTAMP_STALE", 0)


def test_a_forgotten_mid_whose_order_rests_places_no_second_order():
    bench = Bench(contract_detail(7), contract_detail(8), mids_max=1)
    bench.limit(ALICE, 1, 500, mid=mid(50), timestamp=NOW)
    bench.limit(ALICE, 1, 500, timestamp=NOW + 1)
    again = bench.limit(ALICE, 2, 400, mid=mid(50), timestamp=NOW + 2)
    assert again.told(ALICE) == [("ACKNOWLEDGED", 1), ("MID_REUSED", 0)]
    bench.limit(ALICE, 1, 500, timestamp=NOW + 3)
    elsewhere = bench.limit(ALICE, 1, 500, mid=mid(50), contract_id=8, timestamp=NOW + 4)
    assert elsewhere.told(ALICE) == [("ACKNOWLEDGED", 1), ("MID_REUSED", 0)]
    assert [brief(report) for report in bench.start_run(2).line(ALICE)[:-1]] == [("CANCELED", 0, 1, 0)] * 3


def test_a_forgotten_timestamp_of_a_wild_clock_does_not_shut_the_account_out():
    bench = Bench(mids_max=1)
    wild = bench.limit(ALICE, 1, 500, timestamp=2**63 - 1)
    assert wild.told(ALICE)[1] == ("TIMESTAMP_AHEAD", 0)
    bench.limit(ALICE, 1, 500, timestamp=NOW)  # the wild one is forgotten
    assert bench.limit(ALICE, 1, 500, timestamp=NOW + 1).told(ALICE)[1] == ("ORDER_SUCCESS", 1)


def test_a_forgotten_timestamp_a_little_too_far_ahead_counts_or_a_copy_would_be_executed():
    bench = Bench(mids_max=1)
    ahead = {"mid": mid(60), "timestamp": NOW + 301 * SECOND}
    assert bench.limit(ALICE, 1, 500, **ahead).told(ALICE)[1] == ("TIMESTAMP_AHEAD", 0)
    bench.limit(ALICE, 1, 500, timestamp=NOW)
    bench.tick(NOW + 2 * SECOND)
    assert bench.limit(ALICE, 1, 500, **ahead).told(ALICE)[1] == ("TIMESTAMP_STALE", 0)
