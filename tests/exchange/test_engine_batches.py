"""Batches: one record, one message of ACKs, and each member's own answers in order."""

from __future__ import annotations

from typing import Any

import pytest
from engine_harness import ALICE, BOB, CONTRACT, NOW, SECOND, Bench, Status, brief, contract_detail, mid

from ledgerx.api.client import v0_0_1 as api
from ledgerx.exchange.requests import BATCH_ANSWERS_BYTES_MAX
from ledgerx.protocol.wire import encode_message


def order(number: int, **fields: Any) -> api.MessageLimitOrder:
    return api.MessageLimitOrder(
        **{"mid": mid(number), "contract_id": CONTRACT, "size": 1, "price_in_cents": 500, **fields}
    )


def test_a_batch_is_acknowledged_then_its_members_then_each_answers():
    bench = Bench()
    result = bench.batch(ALICE, order(50), api.MessageCancelAll(mid=mid(51)))
    ack, acks, *answers = result.line(ALICE)
    assert brief(ack) == ("ACKNOWLEDGED", 1)
    assert (acks.mid, acks.account_sequence, acks.remaining) == (bench.last_mid, 2, 0)
    assert [(m.mid, *brief(m), m.account_sequence) for m in acks.messages] == [
        (mid(50), "ACKNOWLEDGED", 1, 0),
        (mid(51), "ACKNOWLEDGED", 1, 0),
    ]
    assert [brief(m) for m in answers] == [
        ("ORDER_SUCCESS", 1),
        ("INSERTED", 1, 1, 1),
        ("CANCELED", 0, 1, 0),
        ("ORDER_CANCELED", 0),
    ]
    assert [m.account_sequence for m in result.line(ALICE)] == [1, 2, 3, 4, 5, 6]


def test_a_batch_is_one_record_that_consumes_every_mid():
    bench = Bench()
    result = bench.batch(ALICE, order(50), order(51))
    for consumed in (bench.last_mid, mid(50), mid(51)):
        assert bench.engine.consumed(ALICE, consumed) == result.number
    assert bench.engine.number == result.number


@pytest.mark.parametrize("count", [0, 201])
def test_a_batch_of_none_or_too_many_is_refused(count: int):
    bench = Bench()
    result = bench.batch(ALICE, *[order(100 + n) for n in range(count)])
    assert result.told(ALICE) == [("ACKNOWLEDGED", 1), ("BATCH_SIZE", 0)]
    assert result.line(ALICE)[-1].field == "requests"
    assert bench.engine.consumed(ALICE, mid(100)) is None


def test_a_batch_of_200_is_executed():
    bench = Bench()
    result = bench.batch(ALICE, *[order(1000 + n) for n in range(200)])
    assert len(result.line(ALICE)[1].messages) == 200
    assert len(bench.book()) == 200


@pytest.mark.parametrize(
    "member",
    [
        api.MessageBatch(mid=mid(50)),
        api.MessageReplay(mid=mid(50)),
        api.MessageHello(mid=mid(50)),
        api.MessageStatus(mid=mid(50)),
        api.MessageTrade(mid=mid(50)),
    ],
)
def test_what_cannot_be_in_a_batch_is_acknowledged_and_refused(member: Any):
    bench = Bench()
    result = bench.batch(ALICE, order(49), member, order(51))
    assert [m.mid for m in result.line(ALICE)[1].messages] == [mid(49), mid(50), mid(51)]
    refusal = next(m for m in result.line(ALICE)[2:] if m.mid == mid(50))
    assert (refusal.status, refusal.field, refusal.remaining) == (Status.STATUS_MALFORMED, "requests[1]", 0)
    assert bench.engine.consumed(ALICE, mid(50)) == result.number
    assert len(bench.book()) == 2


def test_an_empty_member_is_acknowledged_and_refused():
    result = Bench().batch(ALICE, api.Message())
    assert [brief(m) for m in result.line(ALICE)[1].messages] == [("ACKNOWLEDGED", 1)]
    refusal = result.line(ALICE)[-1]
    assert (refusal.mid, refusal.field) == ("", "requests[0]")


def test_a_member_without_a_readable_mid_is_refused():
    result = Bench().batch(ALICE, order(50), order(51, mid="nonsense"))
    assert result.line(ALICE)[1].messages[1].mid == "nonsense"
    refusal = result.line(ALICE)[-1]
    assert (refusal.mid, refusal.status) == ("nonsense", Status.STATUS_MALFORMED)
    assert refusal.field == "requests[1].mid"


def test_a_member_whose_mid_was_used_is_refused():
    bench = Bench()
    bench.limit(ALICE, 1, 500, mid=mid(50))
    result = bench.batch(ALICE, order(50), order(51), order(51), order(1), mid=mid(1))
    refused = [m.mid for m in result.line(ALICE) if getattr(m, "status", 0) == Status.STATUS_MID_REUSED]
    assert refused == [mid(50), mid(51), mid(1)]
    assert len(bench.book()) == 2


def test_members_inherit_what_the_batch_says():
    bench = Bench()
    late = {"expires": NOW - 1}
    result = bench.batch(ALICE, order(50), order(51, expires=NOW + SECOND), **late)
    assert [brief(m) for m in result.line(ALICE)[2:]] == [
        ("REQUEST_EXPIRED", 0),
        ("ORDER_SUCCESS", 1),
        ("INSERTED", 1, 1, 1),
    ]


def test_a_member_may_expire_on_its_own():
    result = Bench().batch(ALICE, order(50, expires=NOW - 1), order(51))
    assert [brief(m) for m in result.line(ALICE)[2:]] == [
        ("REQUEST_EXPIRED", 0),
        ("ORDER_SUCCESS", 1),
        ("INSERTED", 1, 1, 1),
    ]


def test_the_version_of_a_batch_is_that_of_its_members():
    result = Bench().batch(ALICE, order(50), order(51, mversion="0.0.1"), mversion="9.9.9")
    assert [brief(m)[0] for m in result.line(ALICE)[2:]] == [
        "UNSUPPORTED_VERSION",
        "ORDER_SUCCESS",
        "INSERTED",
    ]


def test_members_trade_in_the_order_given():
    bench = Bench()
    bench.limit(BOB, 1, 500, ask=True)
    result = bench.batch(ALICE, order(50), order(51))
    assert [(m.mid, *brief(m)) for m in result.line(ALICE)[2:]] == [
        (mid(50), "ORDER_SUCCESS", 1),
        (mid(50), "FILLED", 0, 1, 0),
        (mid(51), "ORDER_SUCCESS", 1),
        (mid(51), "INSERTED", 1, 1, 1),
    ]


def test_a_read_in_a_batch_is_answered_without_sequence_as_things_then_stand():
    bench = Bench()
    result = bench.batch(ALICE, order(50), api.MessageGetOpenOrders(mid=mid(51)), order(52))
    assert [brief(m) for m in result.line(ALICE)[1].messages] == [
        ("ACKNOWLEDGED", 1),
        ("ACKNOWLEDGED", 2),
        ("ACKNOWLEDGED", 1),
    ]
    report, status = result.answers
    assert (report.mid, report.request_mid, report.remaining) == (mid(51), mid(50), 1)
    assert (status.status, status.remaining, status.mid) == (Status.STATUS_COMPLETE, 0, mid(51))
    assert (report.account_sequence, report.as_of) == (0, 4)


def test_a_refused_read_in_a_batch_is_answered_without_sequence():
    result = Bench().batch(ALICE, api.MessageGetContract(mid=mid(50), contract_id=99))
    assert [brief(m) for m in result.line(ALICE)[1].messages] == [("ACKNOWLEDGED", 1)]
    assert [brief(m) for m in result.answers] == [("UNKNOWN_CONTRACT", 0)]


def test_the_top_of_a_book_is_published_once_for_a_whole_batch():
    result = Bench().batch(ALICE, order(50), order(51), order(52))
    tops = result.topic(f"book_top.{CONTRACT}")
    assert [(t.bid, t.bid_size) for t in tops] == [(500, 3)]


def test_reads_in_a_batch_are_refused_once_those_before_brought_too_much():
    bench = Bench(contract_detail(label="x" * 100_000))
    reads = [api.MessageGetContract(mid=mid(50 + n), contract_id=CONTRACT) for n in range(180)]
    result = bench.batch(ALICE, *reads, order(300))
    kinds = [type(answer).__name__ for answer in result.answers]
    bytes_told = sum(len(encode_message(answer)) for answer in result.answers)
    assert kinds == sorted(kinds)  # details, then refusals
    assert BATCH_ANSWERS_BYTES_MAX < bytes_told < BATCH_ANSWERS_BYTES_MAX + 2 * 100_000
    assert (result.answers[-1].mid, brief(result.answers[-1])) == (mid(229), ("RATE_EXCEEDED", 0))
    assert result.answers[-1].account_sequence == 0
    assert len(bench.book()) == 1
