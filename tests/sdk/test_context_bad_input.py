"""Bad input: what a user may get wrong is named, to that user, and the session goes on."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from raw_client import RawClient
from trading_floor import DEADLINE_S, Floor, Trader

from ledgerx.api.client import v0_0_1 as api
from ledgerx.errors import (
    ClientKeyRefused,
    ConnectTimeout,
    HandshakeFailed,
    InvalidField,
    InvalidMessage,
    ServerKeyMismatch,
    VenueUnreachable,
)
from ledgerx.protocol.crypto import KeyPair
from ledgerx.protocol.wire import encode_frame
from ledgerx.sdk.context import Context
from ledgerx.sdk.context_settings import ContextSettings
from ledgerx.sdk.items import RequestItem
from ledgerx.sdk.states import State

Status = api.MessageStatus

QUICK = ContextSettings(connect_timeout_s=0.3, resend_min_s=0.02, resend_max_s=0.05)


def failure(trader: Trader, timeout: float | None = None) -> Exception:
    """What wait_connected raises, by default after the context's own connect timeout."""
    with pytest.raises(Exception, match=r".") as caught:
        trader.context.wait_connected(timeout)
    return caught.value


@contextlib.contextmanager
def listener(answer: bytes | None) -> Iterator[int]:
    """A TCP port that takes connections and says `answer`, or nothing at all."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        thread = threading.Thread(target=_serve, args=(server, answer), daemon=True)
        if answer is not None:
            thread.start()
        yield port
        server.shutdown(socket.SHUT_RDWR)
        if answer is not None:
            thread.join(DEADLINE_S)


def _serve(server: socket.socket, answer: bytes | None) -> None:
    with contextlib.suppress(OSError):
        while True:
            taken, _ = server.accept()
            with taken:
                taken.sendall(answer or b"")


class TestNoWayIn:
    def test_a_closed_port_is_unreachable_and_told_once(self, floor: Floor) -> None:
        trader = floor.trader(connect=False, request_port=9, settings=QUICK)
        error = failure(trader)
        assert isinstance(error, VenueUnreachable)
        assert "127.0.0.1 port 9 accepts no connection" in str(error)
        assert [call.msg.args for call in trader.heard.named("error")] == [error.args]

    def test_a_name_that_nobody_has_is_named(self, floor: Floor) -> None:
        keys = floor.keys()
        assert keys.private is not None
        trader = floor.trader(connect=False, settings=QUICK)
        quick = Context.with_settings(QUICK)
        context = quick("nohost.invalid", keys.private, keys.public, keys.public, trader.heard)
        with context, pytest.raises(VenueUnreachable, match=r"host name nohost\.invalid"):
            context.wait_connected()
        assert not context.is_alive()

    def test_a_name_that_cannot_be_one_is_named(self, floor: Floor) -> None:
        keys = floor.keys()
        assert keys.private is not None
        heard = floor.trader().heard
        quick = Context.with_settings(QUICK)
        context = quick("ex!ample", keys.private, keys.public, keys.public, heard)
        with context, pytest.raises(VenueUnreachable, match="ex!ample cannot be connected to"):
            context.wait_connected()

    def test_a_wrong_server_key_is_told_from_a_wrong_client_key(self, floor: Floor) -> None:
        trader = floor.trader(connect=False, server_key=KeyPair.generate().public, settings=QUICK)
        error = failure(trader)
        assert isinstance(error, ServerKeyMismatch)
        assert "--fetch-exchange-key" in str(error)
        (call,) = trader.heard.named("handshake_failed")
        assert isinstance(call.msg, ServerKeyMismatch)

    def test_an_unregistered_key_is_refused_until_it_is_registered(self, floor: Floor) -> None:
        keys = floor.keys(registered=False)
        trader = floor.trader(keys, connect=False, settings=QUICK)
        error = failure(trader)
        assert isinstance(error, ClientKeyRefused)
        assert "pyledgerx account add" in str(error)
        item = trader.cmd.limit_order(floor.contract, 1, 100, wait=False)
        floor.register(keys)
        trader.context.wait_connected(DEADLINE_S)
        assert item.wait(State.OPEN, DEADLINE_S)
        assert [type(call.msg) for call in trader.heard.named("handshake_failed")] == [ClientKeyRefused]

    def test_a_removed_account_is_cut_and_told_so(self, floor: Floor) -> None:
        trader = floor.trader(settings=QUICK)
        row = next(row for row in floor.exchange.accounts() if row.public_key == trader.keys.public.decode())
        floor.exchange.remove_account(row.name)
        trader.heard.wait_calls(1, "disconnected")
        (call,) = trader.heard.wait_calls(1, "handshake_failed")
        assert isinstance(call.msg, ClientKeyRefused)
        assert isinstance(failure(trader, 0.1), ClientKeyRefused)

    def test_a_listener_that_never_answers_is_a_timeout(self, floor: Floor) -> None:
        with listener(None) as port:
            trader = floor.trader(
                connect=False, request_port=port, publish_port=floor.exchange.publish_port, settings=QUICK
            )
            error = failure(trader)
            assert isinstance(error, ConnectTimeout)
            assert isinstance(error, TimeoutError)
            assert isinstance(trader.heard.wait_calls(1, "error")[0].msg, ConnectTimeout)

    @pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n" * 9, b"", b"\xff" * 200])
    def test_a_listener_that_speaks_something_else_fails_the_handshake(
        self, floor: Floor, answer: bytes
    ) -> None:
        with listener(answer) as port:
            trader = floor.trader(connect=False, request_port=port, publish_port=port, settings=QUICK)
            error = failure(trader)
            assert isinstance(error, HandshakeFailed | VenueUnreachable)
            assert re.search(rf"127\.0\.0\.1 port {port} .*handshake|port {port} does not speak", str(error))

    def test_the_wait_may_be_shorter_than_the_connect_timeout(self, floor: Floor) -> None:
        with listener(None) as port:
            trader = floor.trader(connect=False, request_port=port, publish_port=port)
            assert isinstance(failure(trader, 0.05), VenueUnreachable | ConnectTimeout)

    def test_a_request_meanwhile_is_of_unknown_outcome_and_not_lost(self, floor: Floor) -> None:
        keys = floor.keys(registered=False)
        settings = ContextSettings(ack_timeout_s=0.05, resend_min_s=0.02, resend_max_s=0.05)
        trader = floor.trader(keys, connect=False, settings=settings)
        item = trader.cmd.limit_order(floor.contract, 1, 100)
        assert item.outcome_unknown
        floor.register(keys)
        assert item.wait(State.OPEN, DEADLINE_S)


Refusal = tuple[str, Callable[[Any, int], Any], int, str]

REFUSALS: list[Refusal] = [
    ("nothing given", lambda cmd, c: cmd.limit_order(), 400, "contract_id, size, price_in_cents"),
    ("no size", lambda cmd, c: cmd.limit_order(c, price_in_cents=100), 400, "size"),
    ("unknown contract", lambda cmd, c: cmd.limit_order(9999, 1, 100), 404, "contract_id"),
    ("negative contract", lambda cmd, c: cmd.limit_order(-1, 1, 100), 404, "contract_id"),
    ("negative size", lambda cmd, c: cmd.limit_order(c, -1, 100), 400, "size"),
    ("no lots", lambda cmd, c: cmd.limit_order(c, 0, 100), 400, "size"),
    ("too many lots", lambda cmd, c: cmd.limit_order(c, 1001, 100), 400, "size"),
    ("price off tick", lambda cmd, c: cmd.limit_order(c, 1, 101), 400, "price_in_cents"),
    ("price off the band", lambda cmd, c: cmd.limit_order(c, 1, 100_005), 604, "price_in_cents"),
    ("negative price", lambda cmd, c: cmd.limit_order(c, 1, -5), 604, "price_in_cents"),
    ("unknown time in force", lambda cmd, c: cmd.limit_order(c, 1, 5, time_in_force=9), 400, "time_in_force"),
    ("expired", lambda cmd, c: cmd.limit_order(c, 1, 5, expires=1), 410, "expires"),
    ("market order without size", lambda cmd, c: cmd.market_order(c), 400, "size"),
    ("quote without sizes", lambda cmd, c: cmd.quote(c, 5, None, 10, None), 400, "bid_size, ask_size"),
    ("crossed quote", lambda cmd, c: cmd.quote(c, 10, 1, 5, 1), 400, "bid_price_in_cents"),
    ("unknown entry", lambda cmd, c: cmd.cancel_order(c, "ab" * 16), 600, "entry_id"),
    ("entry that is no mid", lambda cmd, c: cmd.cancel_order(c, "mine"), 600, "entry_id"),
    ("no entry", lambda cmd, c: cmd.cancel_replace(c, size=1, price_in_cents=5), 400, "entry_id"),
    ("cancel all of nothing", lambda cmd, c: cmd.cancel_all(9999), 404, "contract_id"),
    ("which contract", lambda cmd, c: cmd.get_contract(), 400, "contract_id"),
    ("no such contract", lambda cmd, c: cmd.get_contract(9999), 404, "contract_id"),
    ("whose book", lambda cmd, c: cmd.get_book_state(), 400, "contract_id"),
    ("nobody's orders", lambda cmd, c: cmd.get_open_orders(9999), 404, "contract_id"),
    ("beyond the line", lambda cmd, c: cmd.replay(10**9), 416, "from_sequence"),
]


class TestRefusedRequests:
    @pytest.mark.parametrize(("_", "command", "status", "field"), REFUSALS, ids=[row[0] for row in REFUSALS])
    def test_a_status_names_the_field_and_the_session_goes_on(
        self, floor: Floor, _: str, command: Callable[[Any, int], Any], status: int, field: str
    ) -> None:
        trader = floor.trader()
        item = command(trader.cmd, floor.contract)
        assert not item.wait(timeout=DEADLINE_S)
        assert item.state is State.FAILED
        refusal = item.answers[-1]
        assert (refusal.status, refusal.field) == (status, field)
        assert all(name in refusal.message for name in field.split(", "))
        assert [call.previous for call in trader.heard.of(item)] == [item.msg] * len(item.answers)
        assert trader.cmd.limit_order(floor.contract, 1, 100).wait(State.OPEN, DEADLINE_S)
        assert trader.heard.errors == []

    @pytest.mark.parametrize("count", [0, 201])
    def test_a_batch_of_0_or_201_is_refused_whole(self, floor: Floor, count: int) -> None:
        trader = floor.trader()
        batch, items = trader.cmd.batch(floor.order() for _ in range(count))
        assert not batch.wait(timeout=DEADLINE_S)
        assert trader.calls(batch) == ["status_message 300", "status_message 413"]
        assert {item.state for item in items} <= {State.FAILED}
        assert open_orders(trader) == 0
        assert len(trader.context.store) == 0

    def test_a_batch_of_200_is_not(self, floor: Floor) -> None:
        trader = floor.trader()
        batch, items = trader.cmd.batch([floor.order()] * 200)
        assert batch.wait(timeout=DEADLINE_S)
        assert all(item.wait(State.OPEN, DEADLINE_S) for item in items)
        assert len({item.mid for item in items}) == 200

    def test_one_bad_member_is_refused_alone(self, floor: Floor) -> None:
        trader = floor.trader()
        batch, items = trader.cmd.batch([floor.order(), floor.order(size=-1), floor.order(price_in_cents=5)])
        assert batch.wait(timeout=DEADLINE_S)
        assert [item.wait(State.OPEN, DEADLINE_S) for item in items] == [True, False, True]
        assert trader.calls(items[1]) == ["status_message 400"]
        assert items[1].answers[0].field == "size"


def open_orders(trader: Trader) -> int:
    item = trader.cmd.get_open_orders()
    assert item.wait(timeout=DEADLINE_S)
    return len(item.answers) - 2


class TestNothingToSend:
    """What the venue need not see: raised at the call, and nothing was sent."""

    @pytest.mark.parametrize(
        ("wrong", "what"),
        [
            (None, "NoneType"),
            ("order", "str"),
            (api.MessageLimitOrder, "MessageMeta"),
            (api.MessageStatus(), "MessageStatus"),
            (api.MessageHello(), "MessageHello"),
            (api.Message(), "Message"),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_a_non_message_in_a_batch_is_named_with_its_place(
        self, floor: Floor, wrong: Any, what: str
    ) -> None:
        trader = floor.trader()
        with pytest.raises(InvalidMessage, match=rf"messages\[1\] is a {what},") as caught:
            trader.cmd.batch([floor.order(), wrong])
        assert isinstance(caught.value, TypeError)
        assert len(trader.context.store) == 0
        assert open_orders(trader) == 0

    @pytest.mark.parametrize("kind", [api.MessageBatch, api.MessageReplay])
    def test_a_batch_or_a_replay_in_a_batch_is_refused_alone(self, floor: Floor, kind: Any) -> None:
        trader = floor.trader()
        batch, (wrong, order) = trader.cmd.batch([kind(), floor.order()])
        assert not wrong.wait(timeout=DEADLINE_S)
        trader.opened(order)
        assert [(answer.status, answer.field) for answer in wrong.answers] == [(400, "requests[0]")]
        (acknowledged,) = trader.heard.named("batch_message")
        assert [ack.mid for ack in acknowledged.msg.messages] == [wrong.mid, order.mid]
        assert batch.state is State.DONE

    def test_a_batch_of_what_cannot_be_iterated(self, floor: Floor) -> None:
        with pytest.raises(InvalidMessage, match="iterable of requests, not 5"):
            floor.trader().cmd.batch(5)  # type: ignore[arg-type]

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("contract_id", "1"),
            ("contract_id", 1.5),
            ("size", b"1"),
            ("size", 2**63),
            ("price_in_cents", [100]),
            ("price_in_cents", -(2**63) - 1),
            ("is_ask", "yes"),
            ("post_only", 2j),
            ("time_in_force", "IOC "),
            ("expires", 1.5),
        ],
        ids=str,
    )
    def test_a_value_that_the_field_cannot_hold_is_named(self, floor: Floor, field: str, value: Any) -> None:
        trader = floor.trader()
        fields = {"contract_id": floor.contract, "size": 1, "price_in_cents": 100} | {field: value}
        with pytest.raises(InvalidField) as caught:
            trader.cmd.limit_order(**fields)
        assert (caught.value.field, caught.value.value) == (field, value)
        assert f"MessageLimitOrder.{field} cannot hold {value!r}" in str(caught.value)
        assert isinstance(caught.value, TypeError)
        assert isinstance(caught.value, ValueError)
        assert len(trader.context.store) == 0

    def test_an_entry_id_that_is_no_text_is_named(self, floor: Floor) -> None:
        with pytest.raises(InvalidField, match=r"MessageCancelOrder\.entry_id cannot hold 7"):
            floor.trader().cmd.cancel_order(floor.contract, 7)  # type: ignore[arg-type]

    @pytest.mark.parametrize("wrong", [None, "order", api.MessageStatus()], ids=["none", "text", "status"])
    def test_what_is_no_request_cannot_be_submitted(self, floor: Floor, wrong: Any) -> None:
        with pytest.raises(InvalidMessage, match="is no request"):
            floor.trader().context.submit(wrong)

    def test_a_request_larger_than_a_frame_is_refused_and_the_largest_is_carried(self, floor: Floor) -> None:
        trader = floor.trader()
        limit = 4 * 1024 * 1024
        with pytest.raises(InvalidMessage, match="too large"):
            trader.cmd.cancel_order(floor.contract, "x" * limit)
        with pytest.raises(InvalidMessage, match=r"a MessageBatch of .* is too large"):
            trader.cmd.batch([floor.order()] * 60_000)
        assert len(trader.context.store) == 0
        largest = trader.cmd.cancel_order(floor.contract, "x" * (limit - 1300))
        assert not largest.wait(timeout=DEADLINE_S)
        assert largest.answers[-1].status == Status.STATUS_NO_SUCH_ORDER
        assert trader.heard.named("disconnected") == []

    @pytest.mark.parametrize("contract_id", ["1", 1.5, -1, 2**63, True, 2j], ids=str)
    def test_a_contract_that_cannot_be_one_has_no_book_and_no_subscription(
        self, floor: Floor, contract_id: Any
    ) -> None:
        context = floor.trader(connect=False).context
        for use in (
            lambda: context.book(contract_id),
            lambda: context.subscribe("trade", contract_id),
            lambda: context.unsubscribe("trade", contract_id),
        ):
            with pytest.raises(InvalidField) as caught:
                use()
            assert caught.value.field == "contract_id"

    def test_a_kind_that_cannot_be_subscribed_to_is_named(self, floor: Floor) -> None:
        with pytest.raises(InvalidField, match=r"'trades' .* book_top, book_update, trade") as caught:
            floor.trader().context.subscribe("trades")
        assert caught.value.field == "kind"

    def test_a_callback_that_cannot_be_called_is_refused(self, floor: Floor) -> None:
        item = floor.trader().cmd.get_positions()
        with pytest.raises(InvalidField, match="callback must be callable"):
            item.callback = "print"  # type: ignore[assignment]


GARBAGE = {
    "noise": b"\xff\xfe\xfd" * 20,
    "empty": b"",
    "a message without its frame": b"\x0a\x05hello",
    "a frame of noise": encode_frame([b"\xff\xff\xff"]),
    "a frame of nothing known": encode_frame([b"\xca\x3e\x00"]),
}


@pytest.mark.parametrize("data", GARBAGE.values(), ids=GARBAGE)
def test_garbage_is_answered_to_its_sender_and_noticed_by_nobody_else(floor: Floor, data: bytes) -> None:
    other = floor.trader()
    keys = floor.keys()
    same_account = floor.trader(keys)
    with RawClient(floor.exchange, keys) as raw:
        raw.hello()
        raw.socket.send(data)
        if data:  # an empty frame is a heartbeat
            status = raw.receive_kind(api.MessageStatus)
            assert (status.status, status.account_sequence) == (Status.STATUS_MALFORMED, 0)
        order = raw.order(floor.contract, 100)
        raw.send(order)
        assert raw.receive_status(order.mid, Status.STATUS_ORDER_SUCCESS)
    for trader in (other, same_account):
        assert trader.cmd.limit_order(floor.contract, 1, 105).wait(State.OPEN, DEADLINE_S)
        assert trader.heard.errors == []
        assert trader.heard.named("disconnected") == []
        assert [call for call in trader.heard.named("status_message") if call.msg.status >= 400] == []


def test_seconds_in_the_place_of_a_state_are_refused() -> None:
    item = RequestItem(api.MessageLimitOrder())
    with pytest.raises(TypeError, match="seconds are given as timeout=30"):
        item.wait(30)  # type: ignore[arg-type]
    assert item.wait(1) is True  # a state's number is a state
