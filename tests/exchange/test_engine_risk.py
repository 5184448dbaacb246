"""Position, open orders and requests a second."""

from __future__ import annotations

from engine_harness import ALICE, BOB, SECOND, Bench, Status, contract_detail

from ledgerx.api.client import v0_0_1 as api

IOC = api.MessageLimitOrder.IOC


def last_status(result, cid: int = ALICE):
    return result.line(cid)[-1]


def test_open_orders_of_the_same_side_count_towards_the_position_limit():
    bench = Bench(position_size_max=10)
    bench.limit(ALICE, 6, 500)
    status = last_status(bench.limit(ALICE, 5, 500))
    assert (status.status, status.field) == (Status.STATUS_POSITION_LIMIT, "size")
    assert "at most 4" in status.message
    assert bench.limit(ALICE, 4, 500).told(ALICE)[-1] == ("INSERTED", 4, 4, 1)


def test_each_side_has_its_own_room():
    bench = Bench(position_size_max=10)
    bench.limit(ALICE, 10, 500)
    assert bench.limit(ALICE, 10, 600, ask=True).told(ALICE)[-1] == ("INSERTED", 10, 10, 1)
    assert last_status(bench.limit(ALICE, 1, 600, ask=True)).status == Status.STATUS_POSITION_LIMIT


def test_a_position_takes_from_its_side_and_gives_to_the_other():
    bench = Bench(position_size_max=10)
    bench.limit(BOB, 10, 500, ask=True)
    bench.limit(ALICE, 10, 500)
    assert last_status(bench.limit(ALICE, 1, 500)).status == Status.STATUS_POSITION_LIMIT
    assert last_status(bench.market(ALICE, 1)).status == Status.STATUS_POSITION_LIMIT
    assert bench.limit(ALICE, 20, 600, ask=True).told(ALICE)[-1] == ("INSERTED", 20, 20, 1)


def test_a_position_above_a_lowered_limit_can_be_reduced():
    bench = Bench(position_size_max=100)
    bench.limit(BOB, 50, 500, ask=True)
    bench.limit(ALICE, 50, 500)
    bench.limits.position_size_max = 10
    bench.start_run(2)
    assert last_status(bench.limit(ALICE, 1, 500)).status == Status.STATUS_POSITION_LIMIT
    assert bench.limit(ALICE, 50, 500, ask=True).told(ALICE)[-1] == ("INSERTED", 50, 50, 1)
    assert bench.limit(BOB, 45, 400).told(BOB)[-1] == ("INSERTED", 45, 45, 1)


def test_canceled_and_filled_sizes_give_their_room_back():
    bench = Bench(position_size_max=10)
    bench.limit(ALICE, 10, 500)
    bench.limit(BOB, 4, 500, ask=True)
    bench.cancel_all(ALICE)
    assert bench.limit(ALICE, 6, 500).told(ALICE)[-1] == ("INSERTED", 6, 6, 1)


def test_open_orders_are_limited():
    bench = Bench(open_orders_max=2)
    bench.limit(ALICE, 1, 500)
    bench.limit(ALICE, 1, 500)
    assert last_status(bench.limit(ALICE, 1, 500)).status == Status.STATUS_ORDER_LIMIT
    assert bench.limit(BOB, 1, 500).told(BOB)[-1] == ("INSERTED", 1, 1, 1)


def test_an_order_that_cannot_rest_is_not_counted_as_open():
    bench = Bench(open_orders_max=0)
    assert bench.limit(ALICE, 1, 500, time_in_force=IOC).told(ALICE)[-1] == ("NOT_FILLED", 0, 1, 0)


def test_requests_beyond_the_burst_are_refused_and_consumed():
    bench = Bench(requests_per_second_max=2, requests_burst_max=3)
    for _ in range(3):
        assert bench.cancel_all(ALICE).told(ALICE)[-1] == ("ORDER_CANCELED", 0)
    result = bench.cancel_all(ALICE)
    assert result.told(ALICE) == [("ACKNOWLEDGED", 1), ("RATE_EXCEEDED", 0)]
    assert bench.engine.consumed(ALICE, bench.last_mid) == result.number
    assert bench.cancel_all(BOB).told(BOB)[-1] == ("ORDER_CANCELED", 0)


def test_the_bucket_fills_in_engine_time():
    bench = Bench(requests_per_second_max=2, requests_burst_max=3)
    for _ in range(4):
        bench.cancel_all(ALICE)
    bench.time += SECOND // 2 - 1
    assert last_status(bench.cancel_all(ALICE)).status == Status.STATUS_RATE_EXCEEDED
    bench.time += 1
    assert last_status(bench.cancel_all(ALICE)).status == Status.STATUS_ORDER_CANCELED
    bench.time += 100 * SECOND
    codes = [last_status(bench.cancel_all(ALICE)).status for _ in range(4)]
    assert codes == [Status.STATUS_ORDER_CANCELED] * 3 + [Status.STATUS_RATE_EXCEEDED]


def test_a_batch_counts_its_members():
    bench = Bench(requests_per_second_max=1, requests_burst_max=5)
    members = [api.MessageCancelAll(mid=f"{n:032x}") for n in range(100, 104)]
    assert bench.batch(ALICE, *members).told(ALICE)[1] == ("MessageBatch",)
    refused = bench.batch(ALICE, *[api.MessageCancelAll(mid=f"{n:032x}") for n in range(200, 202)])
    assert refused.told(ALICE) == [("ACKNOWLEDGED", 1), ("RATE_EXCEEDED", 0)]
    assert bench.engine.consumed(ALICE, f"{200:032x}") is None
    assert last_status(bench.cancel_all(ALICE)).status == Status.STATUS_ORDER_CANCELED


def test_a_side_of_the_book_cannot_be_made_larger_than_a_book_can_hold():
    bench = Bench(contract_detail(max_size=2**63 - 1), position_size_max=2**63 - 1)
    bench.limit(ALICE, 2**63 - 1, 500)
    status = last_status(bench.limit(BOB, 1, 500), BOB)
    assert (status.status, status.field) == (Status.STATUS_POSITION_LIMIT, "size")


def test_a_quote_that_fills_a_side_of_the_book_can_replace_itself():
    bench = Bench(contract_detail(max_size=2**63 - 1), position_size_max=2**63 - 1)
    bench.quote(ALICE, (500, 2**63 - 1), (None, 0))
    told = bench.quote(ALICE, (500, 2**63 - 1), (None, 0)).told(ALICE)
    assert told[2] == ("INSERTED", 2**63 - 1, 2**63 - 1, 1)
