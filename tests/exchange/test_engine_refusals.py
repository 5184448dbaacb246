"""What is refused, with which status and field; a refusal changes nothing and the session goes on."""

from __future__ import annotations

from typing import Any

import pytest
from engine_harness import ALICE, BOB, CONTRACT, NOW, SECOND, Bench, Status, contract_detail, mid

from ledgerx.api.client import v0_0_1 as api
from ledgerx.exchange import journal_pb2 as journal

HALTED = 8


def order(**fields: Any) -> api.MessageLimitOrder:
    return api.MessageLimitOrder(**{"contract_id": CONTRACT, "size": 1, "price_in_cents": 500, **fields})


REFUSED_ORDERS = [
    ({"contract_id": 99}, Status.STATUS_UNKNOWN_CONTRACT, "contract_id"),
    ({"contract_id": -(2**63)}, Status.STATUS_UNKNOWN_CONTRACT, "contract_id"),
    ({"contract_id": HALTED}, Status.STATUS_HALTED, "contract_id"),
    ({"size": 0}, Status.STATUS_MALFORMED, "size"),
    ({"size": -1}, Status.STATUS_MALFORMED, "size"),
    ({"size": 1001}, Status.STATUS_MALFORMED, "size"),
    ({"size": 2**63 - 1}, Status.STATUS_MALFORMED, "size"),
    ({"price_in_cents": 501}, Status.STATUS_MALFORMED, "price_in_cents"),
    ({"price_in_cents": -501}, Status.STATUS_MALFORMED, "price_in_cents"),
    ({"price_in_cents": 0}, Status.STATUS_PRICE_BAND, "price_in_cents"),
    ({"price_in_cents": 100_005}, Status.STATUS_PRICE_BAND, "price_in_cents"),
    ({"time_in_force": 9}, Status.STATUS_MALFORMED, "time_in_force"),
    ({"time_in_force": -9}, Status.STATUS_MALFORMED, "time_in_force"),
    ({"post_only": True, "time_in_force": 1}, Status.STATUS_MALFORMED, "post_only"),
    ({"post_only": True, "time_in_force": 2}, Status.STATUS_MALFORMED, "post_only"),
    ({"mversion": "0.0.2"}, Status.STATUS_UNSUPPORTED_VERSION, "mversion"),
    ({"expires": NOW - 1}, Status.STATUS_REQUEST_EXPIRED, "expires"),
    ({"expires": -1}, Status.STATUS_REQUEST_EXPIRED, "expires"),
    ({"timestamp": NOW + 300 * SECOND + 1}, Status.STATUS_TIMESTAMP_AHEAD, "timestamp"),
]


@pytest.mark.parametrize(("fields", "status", "field"), REFUSED_ORDERS)
def test_a_faulty_order_is_acknowledged_and_refused(fields: dict[str, Any], status: int, field: str):
    bench = Bench(contract_detail(), contract_detail(HALTED, state=api.MessageContractDetail.HALTED))
    result = bench.send(ALICE, bench.stamped(order(**fields)))
    ack, refusal = result.line(ALICE)
    assert (ack.status, ack.remaining) == (Status.STATUS_ACKNOWLEDGED, 1)
    assert (refusal.status, refusal.field, refusal.remaining) == (status, field, 0)
    assert refusal.mid == ack.mid == mid(1)
    assert field in refusal.message
    assert result.feed() == []
    assert bench.engine.consumed(ALICE, mid(1)) == result.number
    assert bench.limit(ALICE, 1, 500).told(ALICE)[-1] == ("INSERTED", 1, 1, 1)


@pytest.mark.parametrize(
    "fields",
    [
        {"mversion": "0.0.1"},
        {"mversion": ""},
        {"expires": NOW},
        {"expires": 0},
        {"timestamp": NOW + 300 * SECOND},
        {"timestamp": 1},
        {"price_in_cents": 5},
        {"price_in_cents": 100_000},
        {"size": 1000},
    ],
)
def test_what_is_just_allowed_is_accepted(fields: dict[str, Any]):
    bench = Bench()
    assert bench.send(ALICE, bench.stamped(order(**fields))).told(ALICE)[1] == ("ORDER_SUCCESS", 1)


@pytest.mark.parametrize(
    ("message", "missing"),
    [
        (api.MessageLimitOrder(), "contract_id, size, price_in_cents"),
        (api.MessageLimitOrder(size=1), "contract_id, price_in_cents"),
        (api.MessageMarketOrder(), "contract_id, size"),
        (api.MessageCancelOrder(), "contract_id, entry_id"),
        (api.MessageCancelOrder(contract_id=CONTRACT, entry_id=""), "entry_id"),
        (api.MessageCancelReplace(), "contract_id, entry_id, size, price_in_cents"),
    ],
)
def test_every_missing_field_is_named(message: Any, missing: str):
    bench = Bench()
    status = bench.send(ALICE, bench.stamped(type(message).FromString(message.SerializeToString())))
    status = status.line(ALICE)[-1]
    assert (status.status, status.field) == (Status.STATUS_MALFORMED, missing)
    assert missing in status.message


def test_a_missing_field_is_told_before_an_unknown_contract():
    bench = Bench()
    status = bench.send(ALICE, bench.stamped(api.MessageLimitOrder(contract_id=99))).line(ALICE)[-1]
    assert status.field == "size, price_in_cents"


@pytest.mark.parametrize("unreadable", ["", "x", mid(1)[:-1], mid(1) + "0", "g" * 32, " " * 32, "é" * 32])
def test_a_mid_that_is_not_32_hex_characters_is_refused(unreadable: str):
    bench = Bench()
    result = bench.send(ALICE, order(mid=unreadable))
    assert result.told(ALICE) == [("ACKNOWLEDGED", 1), ("MALFORMED", 0)]
    assert {m.mid for m in result.line(ALICE)} == {unreadable}
    assert result.line(ALICE)[-1].field == "mid"


def test_a_huge_mid_is_not_repeated_whole():
    status = Bench().send(ALICE, order(mid="x" * 100_000)).line(ALICE)[-1]
    assert len(status.SerializeToString()) < 500


def test_a_mid_used_before_is_refused():
    bench = Bench()
    bench.limit(ALICE, 1, 500, mid=mid(5))
    result = bench.limit(ALICE, 1, 500, mid=mid(5))
    assert result.told(ALICE) == [("ACKNOWLEDGED", 1), ("MID_REUSED", 0)]
    assert len(bench.book()) == 1


@pytest.mark.parametrize(
    "message",
    [
        api.MessageHello(),
        api.MessageReplay(),
        api.MessageStatus(),
        api.MessageBookTop(),
        api.MessageHeartbeat(),
    ],
)
def test_what_is_no_request_is_refused(message: Any):
    bench = Bench()
    copy = type(message)()
    assert bench.send(ALICE, bench.stamped(copy)).told(ALICE) == [("ACKNOWLEDGED", 1), ("MALFORMED", 0)]


@pytest.mark.parametrize("data", [b"", b"\xff\xff\xff", b"\x12\x03abc", b"\xfa\x7f\x00"])
def test_bytes_that_are_no_message_are_refused(data: bytes):
    result = Bench().put(request=journal.Request(cid=ALICE, message=data))
    assert result.told(ALICE) == [("ACKNOWLEDGED", 1), ("MALFORMED", 0)]


def test_a_request_of_no_active_account_does_nothing():
    bench = Bench()
    bench.remove_account(BOB)
    assert bench.limit(BOB, 1, 500).outputs == []
    assert bench.limit(99, 1, 500).outputs == []
    assert bench.book() == []


class _FailingBook:
    """Has a bug in `total`, which every accepted order asks for."""

    def total(self, is_ask: bool) -> int:
        raise ZeroDivisionError("a bug")

    def best(self, is_ask: bool) -> None:
        return None

    def clear(self) -> None:
        pass


def test_a_bug_in_the_engine_is_a_venue_error_and_not_an_exception():
    bench = Bench(book_factory=_FailingBook)  # type: ignore[arg-type]
    result = bench.limit(ALICE, 1, 500)
    assert result.told(ALICE) == [("ACKNOWLEDGED", 1), ("VENUE_ERROR", 0)]
    assert "ZeroDivisionError" in result.line(ALICE)[-1].message
    assert bench.engine.consumed(ALICE, mid(1)) == result.number


def test_a_bug_in_one_member_leaves_the_rest_of_its_batch():
    bench = Bench(book_factory=_FailingBook)  # type: ignore[arg-type]
    members = [order(mid=mid(50)), api.MessageCancelAll(mid=mid(51))]
    result = bench.batch(ALICE, *members)
    assert result.told(ALICE) == [
        ("ACKNOWLEDGED", 1),
        ("MessageBatch",),
        ("VENUE_ERROR", 0),
        ("ORDER_CANCELED", 0),
    ]
