"""One account on both surfaces: an order of either is seen, matched and canceled by the other."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import pytest
from trader import LOT, Trader, field_of

from ledgerx.exchange import Exchange
from ledgerx.protocol.crypto import KeyPair
from ledgerx.sdk.commands.v0_0_1 import Commands
from ledgerx.sdk.context import Context
from ledgerx.sdk.states import State
from ledgerx.streaming_api import seto_pb2 as seto
from ledgerx.testing.recorder import Recorder

CONTRACT = 1
DEADLINE_S = 30.0


class Both:
    """A trader with a context and a streaming session."""

    def __init__(self, exchange: Exchange, name: str, stack: contextlib.ExitStack) -> None:
        keys = KeyPair.generate()
        exchange.add_account(name, keys.public)
        exchange.set_password(name, f"{name}'s password")
        assert keys.private is not None
        self.heard = Recorder()
        address = f"127.0.0.1:{exchange.request_port}"
        self.context = Context(address, keys.private, keys.public, exchange.public_key, self.heard)
        stack.callback(self._stop)
        self.context.start()
        self.context.wait_connected(DEADLINE_S)
        self.cmd = Commands(self.context)
        self.stream = Trader(exchange, name)
        stack.callback(self.stream.close)

    def _stop(self) -> None:
        self.context.stop()
        self.context.join(DEADLINE_S)


@pytest.fixture
def traders() -> Iterator[Callable[[str], Both]]:
    with Exchange(http=False) as exchange, contextlib.ExitStack() as stack:
        yield lambda name: Both(exchange, name, stack)


def test_an_order_of_a_context_is_matched_and_canceled_by_sessions(traders: Callable[[str], Both]) -> None:
    alice, bob = traders("alice"), traders("bob")
    item = alice.cmd.limit_order(CONTRACT, size=3, price_in_cents=5000, is_ask=True)
    accepted = alice.stream.next("order_accepted")
    assert (accepted.price, accepted.quantity, accepted.seq) == (5000, 3 * LOT, 0)
    bob.stream.order(CONTRACT, seto.SIDE_BUY, 5000, 1)
    assert alice.stream.next("order_executed").order_id == accepted.order_id
    alice.stream.send(seto.OrderCancel(order_id=accepted.order_id))
    assert alice.stream.next("order_cancelled").executed_quantity == LOT
    assert item.wait(State.DONE, DEADLINE_S)


def test_an_order_of_a_session_is_matched_and_canceled_by_contexts(traders: Callable[[str], Both]) -> None:
    alice, bob = traders("alice"), traders("bob")
    alice.stream.order(CONTRACT, seto.SIDE_SELL, 5000, 3, reference=7)
    accepted = alice.stream.next("order_accepted")
    bob.cmd.limit_order(CONTRACT, size=1, price_in_cents=5000)
    assert alice.stream.next("order_executed").quantity == LOT
    alice.heard.wait_for(lambda: bool(alice.heard.reports), "a report", DEADLINE_S)
    mid = next(iter(alice.heard.reports))
    alice.cmd.cancel_order(CONTRACT, mid)
    cancelled = alice.stream.next("order_cancelled")
    assert (cancelled.order_id, cancelled.reference) == (accepted.order_id, 7)


def test_both_sides_of_a_quote_are_accepted_under_their_own_order_ids(
    traders: Callable[[str], Both],
) -> None:
    alice = traders("alice")
    alice.cmd.quote(CONTRACT, bid_price_in_cents=4000, bid_size=1, ask_price_in_cents=6000, ask_size=2)
    bid, ask = alice.stream.next("order_accepted"), alice.stream.next("order_accepted")
    assert (bid.side, bid.price) == (seto.SIDE_BUY, 4000)
    assert (ask.side, ask.price, ask.quantity) == (seto.SIDE_SELL, 6000, 2 * LOT)
    assert bid.order_id != ask.order_id


def test_the_sequences_of_both_surfaces_are_the_accounts_own(traders: Callable[[str], Both]) -> None:
    alice = traders("alice")
    item = alice.cmd.limit_order(CONTRACT, size=1, price_in_cents=100)
    assert item.wait(State.OPEN, DEADLINE_S)
    accepted = alice.stream.hear("order_accepted")[-1]
    assert field_of(accepted) == "order_accepted"
    # The acknowledgement was 1, the acceptance is 2.
    assert accepted.order_accepted.account_sequence_64 == 2
