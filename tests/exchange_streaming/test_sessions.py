"""Sessions on the venue, over real sockets and TLS: who gets in, what is answered, what is resumed."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from trader import LOT, Trader, field_of

from ledgerx.errors import LoginError
from ledgerx.exchange import Exchange
from ledgerx.protocol.crypto import KeyPair
from ledgerx.streaming_api import eto_pb2 as eto
from ledgerx.streaming_api import seto_pb2 as seto
from ledgerx.streaming_api.payloads import account_sequence_of

Connect = Callable[..., Trader]


def test_a_password_lets_in_and_a_logout_is_confirmed(connect: Connect) -> None:
    trader = connect("alice")
    assert trader.client.check_login()
    assert trader.session.session
    limits = trader.next("throttle_limits_changed")
    assert limits.average_rate_ps > 0 < limits.burst_size
    trader.client.logout()
    assert not trader.session.connected


def test_a_token_lets_in_until_another_is_made(exchange: Exchange, connect: Connect) -> None:
    token = exchange.set_token("bob")
    assert connect("bob", username=None, password=None, token=token).client.check_login()
    exchange.set_token("bob")
    with pytest.raises(LoginError) as caught:
        connect("bob", username=None, password=None, token=token)
    assert caught.value.reason == eto.LOGOUT_UNAUTHORISED


@pytest.mark.parametrize(("name", "password"), [("alice", "wrong"), ("nobody", "alice's password")])
def test_a_wrong_password_is_refused_as_an_unknown_name_is(
    connect: Connect, name: str, password: str
) -> None:
    with pytest.raises(LoginError) as caught:
        connect(name, password=password)
    assert caught.value.reason == eto.LOGOUT_UNAUTHORISED


def test_an_order_is_accepted_executed_and_what_is_left_cancelled(connect: Connect, contract_id: int) -> None:
    alice, bob = connect("alice"), connect("bob")
    bob.order(contract_id, seto.SIDE_SELL, 5000, 3, reference=77)
    rested = bob.next("order_accepted")
    assert (rested.reference, rested.price, rested.quantity) == (77, 5000, 3 * LOT)
    assert rested.seq == 2
    alice.order(contract_id, seto.SIDE_BUY, 5100, 2)
    accepted, executed = alice.hear("order_executed")[-2:]
    assert field_of(accepted) == "order_accepted"
    fill = executed.order_executed
    assert (fill.price, fill.quantity, fill.available_quantity) == (5000, 2 * LOT, 0)
    assert fill.order_id == accepted.order_accepted.order_id
    assert account_sequence_of(executed) > account_sequence_of(accepted)
    sold = bob.next("order_executed")
    assert (sold.order_id, sold.quantity, sold.available_quantity) == (rested.order_id, 2 * LOT, LOT)
    bob.send(seto.OrderCancel(order_id=rested.order_id, reference=78))
    ended = bob.next("order_cancelled")
    assert (ended.order_id, ended.executed_quantity, ended.reference) == (rested.order_id, 2 * LOT, 78)
    assert ended.reason == seto.ORDER_CANCELLED_MEMBER_REQUESTED


def test_what_no_order_can_be_is_invalid_by_its_field(connect: Connect, contract_id: int) -> None:
    alice = connect("alice")
    terms = {"side": seto.SIDE_BUY, "market_id": contract_id, "contract_id": contract_id, "reference": 5}
    alice.send(seto.OrderCreate(quantity=LOT + 1, price=5000, **terms))  # type: ignore[arg-type]
    invalid = alice.next("order_invalid")
    assert list(invalid.reasons) == [seto.ORDER_INVALID_INVALID_QUANTITY]
    assert (invalid.seq, invalid.reference) == (2, 5)
    alice.send(seto.OrderCreate(quantity=LOT, **terms))  # type: ignore[arg-type]
    assert list(alice.next("order_invalid").reasons) == [seto.ORDER_INVALID_INVALID_PRICE]


def test_what_the_venue_refuses_is_rejected_with_its_reason(connect: Connect, contract_id: int) -> None:
    alice = connect("alice")
    alice.order(999_999, seto.SIDE_BUY, 5000, 1, reference=9)
    rejected = alice.next("order_rejected")
    assert (rejected.reason, rejected.seq) == (seto.ORDER_REJECTED_MARKET_NOT_FOUND, 2)
    assert rejected.reference == 9
    alice.order(contract_id, seto.SIDE_BUY, 5000, 1, market_id=2)
    assert alice.next("order_rejected").reason == seto.ORDER_REJECTED_CONTRACT_NOT_FOUND
    alice.send(seto.OrderCancel(order_id=123_456_789, reference=10))
    refused = alice.next("order_cancel_rejected")
    assert (refused.reason, refused.reference) == (seto.ORDER_CANCEL_REJECTED_NOT_FOUND, 10)
    alice.order(contract_id, seto.SIDE_BUY, 4000, 1)
    alice.next("order_accepted")
    alice.order(contract_id, seto.SIDE_SELL, 4000, 1)
    assert alice.next("order_rejected").reason == seto.ORDER_REJECTED_CROSSED_SELF
    alice.send(seto.OrderCancelAll(reference=11))
    assert alice.next("order_cancel_all_accepted").reference == 11


def test_an_order_is_replaced_and_reduced(connect: Connect, contract_id: int) -> None:
    alice = connect("alice")
    alice.order(contract_id, seto.SIDE_BUY, 4000, 5)
    order_id = alice.next("order_accepted").order_id
    alice.send(seto.OrderCancelReplace(orig_order_id=order_id, price=4100, quantity=6 * LOT, reference=3))
    replaced = alice.next("order_cancel_replace_accepted")
    assert (replaced.price, replaced.quantity_left, replaced.reference) == (4100, 6 * LOT, 3)
    alice.send(seto.OrderQuantityReduce(order_id=order_id, new_quantity=2 * LOT, reference=4))
    reduced = alice.next("order_quantity_reduced")
    assert (reduced.new_quantity, reduced.reference) == (2 * LOT, 4)
    alice.send(seto.OrderQuantityReduce(order_id=order_id, new_quantity=2 * LOT))
    refused = alice.next("order_quantity_reduce_rejected")
    assert refused.reason == seto.ORDER_QUANTITY_REDUCE_REJECTED_INVALID_NEW_QUANTITY
    alice.send(seto.OrderCancelReplace(orig_order_id=order_id, price=4100, quantity=LOT + 1))
    refused = alice.next("order_cancel_replace_rejected")
    assert (refused.order_id, refused.contract_id) == (order_id, contract_id)
    alice.send(seto.OrderCancel(order_id=order_id))
    assert alice.next("order_cancelled").executed_quantity == 0


def test_immediate_or_cancel_says_that_nobody_was_there(connect: Connect, contract_id: int) -> None:
    alice = connect("alice")
    alice.order(contract_id, seto.SIDE_BUY, 100, 1, tif=seto.IMMEDIATE_OR_CANCEL)
    accepted, cancelled = alice.hear("order_cancelled")[-2:]
    assert cancelled.order_cancelled.reason == seto.ORDER_CANCELLED_INSUFFICIENT_LIQUIDITY
    assert cancelled.order_cancelled.order_id == accepted.order_accepted.order_id


def test_a_market_tells_its_state_its_quotes_and_each_change(connect: Connect, contract_id: int) -> None:
    alice, bob = connect("alice"), connect("bob")
    alice.send(seto.MarketSubscribe(market_id=contract_id))
    assert alice.next("market_state").state == seto.MARKET_STATE_LIVE
    alice.next("market_quotes")
    bob.order(contract_id, seto.SIDE_SELL, 7700, 2)
    quotes = alice.next("contract_quotes", lambda seen: len(seen.offers) > 0)
    assert (7700, 2 * LOT) in [(offer.price, offer.quantity) for offer in quotes.offers]
    alice.order(contract_id, seto.SIDE_BUY, 7700, 2)
    traded = alice.next("contract_quotes", lambda seen: len(seen.executions) > 0)
    assert traded.executions[0].liquidity == seto.SIDE_SELL
    assert (traded.last_execution.price, traded.last_execution.quantity) == (7700, 2 * LOT)
    alice.send(seto.MarketUnsubscribe(market_id=contract_id))
    alice.send(seto.MarketSubscribe(market_id=999_999))
    assert not alice.next("order_invalid").reasons


@pytest.mark.parametrize(
    "message",
    [seto.EventSubscribe(event_id=1), seto.PriceFeedSubscribe(), seto.MarketFeedSubscribe()],
    ids=lambda message: type(message).__name__,
)
def test_what_the_venue_does_not_serve_is_answered(connect: Connect, message: object) -> None:
    alice = connect("alice")
    alice.send(message)
    assert alice.next("order_invalid").seq == 2


def test_a_session_that_resumes_hears_what_it_missed_once_and_in_order(
    connect: Connect, contract_id: int
) -> None:
    alice, bob = connect("alice"), connect("bob")
    alice.order(contract_id, seto.SIDE_BUY, 6000, 4, reference=1)
    alice.next("order_accepted")
    seen = alice.session.account_sequence
    alice.close()  # without a logout
    for number in range(3):
        bob.order(contract_id, seto.SIDE_SELL, 6000, 1, reference=number)
        bob.next("order_executed")
    again = connect("alice", account_sequence=seen)
    missed = [again.next("order_executed") for _ in range(3)]
    assert [fill.total_executed_quantity for fill in missed] == [LOT, 2 * LOT, 3 * LOT]
    sequences = [fill.account_sequence_64 for fill in missed]
    assert sequences == sorted(set(sequences))
    assert sequences[0] > (seen or 0)
    everything = connect("alice", account_sequence=0)
    last = everything.next("order_executed", lambda fill: fill.account_sequence_64 == sequences[-1])
    assert last.total_executed_quantity == 3 * LOT
    everything.send(seto.OrderCancelAll())
    everything.next("order_cancel_all_accepted")


def test_orders_end_with_a_lost_session_where_its_settings_say_so(connect: Connect, contract_id: int) -> None:
    alice, watcher = connect("alice"), connect("alice")
    alice.send(seto.Settings(cancel_all_on_failure=True))
    assert alice.next("settings_accepted").cancel_all_on_failure
    alice.order(contract_id, seto.SIDE_BUY, 3000, 1)
    order_id = alice.next("order_accepted").order_id
    alice.close()
    assert watcher.next("order_cancelled").order_id == order_id


def test_an_account_that_is_removed_is_logged_out() -> None:
    with Exchange(http=False) as exchange:
        exchange.add_account("carol", KeyPair.generate().public)
        exchange.set_password("carol", "carol's password")
        trader = Trader(exchange, "carol")
        exchange.remove_account("carol")
        while trader.session.connected:
            trader.client.read()
        with pytest.raises(LoginError):
            Trader(exchange, "carol")


def test_many_sessions_at_once_each_hear_their_own(
    exchange: Exchange, connect: Connect, contract_id: int
) -> None:
    tokens = {name: exchange.set_token(name) for name in ("alice", "bob")}
    heard: list[int] = []

    def trade(name: str, number: int) -> None:
        trader = connect(name, username=None, password=None, token=tokens[name])
        trader.order(contract_id, seto.SIDE_BUY, 1000 + 100 * (number % 5), 1, reference=number)
        accepted = trader.next("order_accepted", lambda order: order.reference == number)
        heard.append(accepted.reference)

    threads = [
        threading.Thread(target=trade, args=(name, 1000 + number))
        for number, name in enumerate(("alice", "bob") * 10)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(heard) == list(range(1000, 1020))


def test_a_resumption_right_after_an_acceptance_is_not_told_it_again(
    connect: Connect, contract_id: int
) -> None:
    alice = connect("alice")
    alice.order(contract_id, seto.SIDE_BUY, 2000, 1)
    accepted = alice.next("order_accepted")
    again = connect("alice", account_sequence=accepted.account_sequence_64)
    again.send(seto.OrderCancel(order_id=accepted.order_id))
    heard = [field_of(payload) for payload in again.hear("order_cancelled")]
    assert heard == ["throttle_limits_changed", "order_cancelled"]
