"""Answers to Get*: unsequenced, counted down, true at `as_of`; they change nothing."""

from __future__ import annotations

from typing import Any

import pytest
from engine_harness import ALICE, BOB, CONTRACT, NOW, Bench, Status, brief, contract_detail, mid

from ledgerx.api.client import v0_0_1 as api
from ledgerx.clob import Book
from ledgerx.errors import AccountError, InvalidMessage
from ledgerx.exchange.answers import Answers
from ledgerx.exchange.engine import Engine
from ledgerx.exchange.lines import Lines
from ledgerx.exchange.state import Account, Contract, State


def test_a_read_is_acknowledged_with_the_number_of_answers_and_counts_down():
    bench = Bench(contract_detail(7), contract_detail(8), contract_detail(9))
    ack, *details = bench.query(ALICE, api.MessageGetContract(all_contracts=True))
    assert brief(ack) == ("ACKNOWLEDGED", 3)
    assert [(d.contract_id, d.remaining) for d in details] == [(7, 2), (8, 1), (9, 0)]
    assert {m.mid for m in (ack, *details)} == {bench.last_mid}


def test_answers_have_no_sequence_and_say_when_they_are_true():
    bench = Bench()
    bench.limit(ALICE, 1, 500)
    for message in bench.query(ALICE, api.MessageGetOpenOrders()):
        assert (message.account_sequence, message.as_of) == (0, 3)
        assert (message.cid, message.mpid, message.run_id, message.timestamp) == (ALICE, 101, 1, NOW)


def test_a_read_changes_nothing():
    bench = Bench()
    bench.limit(ALICE, 1, 500)
    before = (bench.engine.number, bench.engine.head(ALICE), bench.engine.topic_heads())
    bench.query(ALICE, api.MessageGetPositions())
    assert (bench.engine.number, bench.engine.head(ALICE), bench.engine.topic_heads()) == before
    assert bench.engine.consumed(ALICE, bench.last_mid) is None


def test_one_contract_is_described():
    bench = Bench(contract_detail(7), contract_detail(8, label="BTC 2027-03-26 Call 100000", is_call=True))
    ack, detail = bench.query(ALICE, api.MessageGetContract(contract_id=8))
    assert (detail.label, detail.is_call, detail.tick_in_cents, detail.remaining) == (
        "BTC 2027-03-26 Call 100000",
        True,
        5,
        0,
    )
    assert ack.remaining == 1


@pytest.mark.parametrize(
    ("message", "status", "field"),
    [
        (api.MessageGetContract(), "MALFORMED", "contract_id"),
        (api.MessageGetContract(contract_id=99), "UNKNOWN_CONTRACT", "contract_id"),
        (api.MessageGetBookState(), "MALFORMED", "contract_id"),
        (api.MessageGetBookState(contract_id=99), "UNKNOWN_CONTRACT", "contract_id"),
        (api.MessageGetOpenOrders(contract_id=99), "UNKNOWN_CONTRACT", "contract_id"),
        (api.MessageGetPositions(mversion="1.0.0"), "UNSUPPORTED_VERSION", "mversion"),
        (api.MessageGetPositions(expires=NOW - 1), "REQUEST_EXPIRED", "expires"),
    ],
)
def test_a_faulty_read_is_acknowledged_and_refused(message: Any, status: str, field: str):
    ack, refusal = Bench().query(ALICE, type(message).FromString(message.SerializeToString()))
    assert brief(ack) == ("ACKNOWLEDGED", 1)
    assert brief(refusal) == (status, 0)
    assert refusal.field == field


def test_a_venue_without_contracts_says_so():
    engine = Engine()
    bench = Bench()
    bench.engine = engine
    bench.add_account(ALICE)
    assert [brief(m) for m in bench.query(ALICE, api.MessageGetContract(all_contracts=True))] == [
        ("ACKNOWLEDGED", 1),
        ("COMPLETE", 0),
    ]


def test_a_book_state_is_the_book_in_priority_order_with_ones_own_orders_marked():
    bench = Bench()
    bench.limit(ALICE, 1, 500)
    bench.limit(BOB, 2, 505)
    bench.limit(BOB, 3, 500)
    bench.limit(ALICE, 4, 600, ask=True)
    ack, state = bench.query(ALICE, api.MessageGetBookState(contract_id=CONTRACT))
    assert ack.remaining == 1
    assert [(o.order_id, o.is_ask, o.price_in_cents, o.size) for o in state.orders] == bench.book()
    assert [o.mid for o in state.orders] == ["", mid(1), "", mid(4)]
    assert state.checksum == bench.engine.contracts[CONTRACT].book.checksum()
    assert state.sequence == bench.engine.topic_head(f"book_update.{CONTRACT}") == 4


def test_open_orders_are_reports_under_the_reads_mid_that_name_the_orders():
    bench = Bench()
    bench.limit(ALICE, 5, 500)
    bench.limit(BOB, 2, 500, ask=True)
    bench.limit(BOB, 2, 600, ask=True)
    bench.quote(ALICE, (490, 1), (590, 2))
    ack, *reports, status = bench.query(ALICE, api.MessageGetOpenOrders())
    assert ack.remaining == 4
    assert [(r.request_mid, r.size, r.original_size, r.is_ask, r.remaining) for r in reports] == [
        (mid(1), 3, 5, False, 3),
        (mid(4), 1, 1, False, 2),
        (mid(4), 2, 2, True, 1),
    ]
    assert brief(status) == ("COMPLETE", 0)
    assert {m.mid for m in (ack, *reports, status)} == {bench.last_mid}


def test_open_orders_of_one_contract():
    bench = Bench(contract_detail(7), contract_detail(8))
    bench.limit(ALICE, 5, 500)
    bench.limit(ALICE, 6, 500, contract_id=8)
    _, report, _ = bench.query(ALICE, api.MessageGetOpenOrders(contract_id=8))
    assert (report.contract_id, report.size) == (8, 6)


def test_positions_are_those_of_contracts_traded():
    bench = Bench(contract_detail(7), contract_detail(8))
    bench.limit(ALICE, 5, 500)
    bench.limit(ALICE, 1, 500, contract_id=8)
    bench.limit(BOB, 2, 500, ask=True)
    bench.cancel_all(ALICE)
    bench.limit(BOB, 1, 400)
    bench.market(ALICE, 1, ask=True)
    ack, position, status = bench.query(ALICE, api.MessageGetPositions())
    assert (position.contract_id, position.size, position.bought_size, position.sold_size) == (7, 1, 2, 1)
    assert position.cash_in_cents == -2 * 500 + 400
    assert (ack.remaining, position.remaining, brief(status)) == (2, 1, ("COMPLETE", 0))


def test_cash_beyond_what_the_field_holds_is_told_as_its_limit():
    price = 2**62
    detail = contract_detail(tick_in_cents=1, max_price_in_cents=price)
    bench = Bench(detail)
    bench.limit(BOB, 10, price)
    bench.limit(ALICE, 10, price, ask=True)
    (_, alice, _), (_, bob, _) = (bench.query(c, api.MessageGetPositions()) for c in (ALICE, BOB))
    assert (alice.cash_in_cents, bob.cash_in_cents) == (2**63 - 1, -(2**63))


def test_only_reads_of_known_accounts_are_queries():
    bench = Bench()
    with pytest.raises(AccountError):
        bench.query(99, api.MessageGetPositions())
    with pytest.raises(InvalidMessage):
        bench.query(ALICE, api.MessageCancelAll())


def test_a_read_that_is_executed_is_answered_and_not_consumed():
    bench = Bench()
    result = bench.send(ALICE, bench.stamped(api.MessageGetPositions()))
    assert [brief(m) for m in result.answers] == [("ACKNOWLEDGED", 1), ("COMPLETE", 0)]
    assert result.outputs == []
    assert Status.STATUS_COMPLETE == result.answers[-1].status


def test_a_book_that_no_frame_can_carry_is_refused():
    state, lines = State(), Lines()
    contract = Contract(contract_detail(), Book())
    state.contracts[CONTRACT] = contract
    lines.add_contract(contract)
    answers = Answers(state, lines, snapshot_bytes_max=1000)
    alice, request = Account(ALICE, 101, "alice", "key"), api.MessageGetBookState(contract_id=CONTRACT)
    for order_id in range(1, 200):
        contract.book.add(order_id, False, 500, 1)
        lines.topics[contract.update_topic] += 1
        (answer,) = answers.answer(alice, "get_book_state", request, NOW, "", 0)
        if isinstance(answer, api.MessageStatus):
            break
        assert len(answer.orders) == order_id
    assert (answer.status, answer.remaining) == (Status.STATUS_VENUE_ERROR, 0)
    assert 50 < order_id < 199


def test_each_read_of_a_book_is_of_the_book_as_it_is_and_marks_the_askers_orders():
    bench = Bench()
    read = api.MessageGetBookState

    def told(cid):
        (snapshot,) = bench.query(cid, read(contract_id=CONTRACT))[1:]
        return [(order.size, order.mid) for order in snapshot.orders], snapshot.sequence

    bench.limit(ALICE, 5, 500, mid=mid(40))
    assert told(ALICE) == told(ALICE) == ([(5, mid(40))], 1)
    assert told(BOB) == ([(5, "")], 1)
    bench.replace(ALICE, mid(40), 3, 500)
    assert told(BOB) == ([(3, "")], 2)
    assert told(ALICE) == ([(3, mid(40))], 2)
    bench.start_run(2)
    bench.limit(BOB, 7, 500, mid=mid(41))
    bench.replace(BOB, mid(41), 6, 500)
    assert told(ALICE) == ([(6, "")], 2)
