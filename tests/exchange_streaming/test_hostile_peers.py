"""What a connection may do wrong ends that connection with its reason, and no other."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator

import pytest
from trader import Trader

from ledgerx.exchange import Exchange
from ledgerx.exchange.streaming import StreamingSettings
from ledgerx.protocol.crypto import KeyPair
from ledgerx.streaming_api import eto_pb2 as eto
from ledgerx.streaming_api import seto_pb2 as seto
from ledgerx.streaming_api.core import CoreSettings
from ledgerx.streaming_api.framing import Deframer, frame_encode
from ledgerx.streaming_api.payloads import admin, parse, serialise, wrap

TIMEOUT_S = 20.0


@pytest.fixture(scope="module")
def quick() -> Iterator[Exchange]:
    """A venue that waits for nobody long, without TLS."""
    session = CoreSettings(heartbeat_s=0.2, login_timeout_s=0.4, logout_timeout_s=0.5)
    with Exchange(http=False, streaming=StreamingSettings(tls=False, session=session)) as venue:
        venue.add_account("alice", KeyPair.generate().public)
        yield venue


class Raw:
    """A plain socket that speaks frames."""

    def __init__(self, exchange: Exchange) -> None:
        self.sock = socket.create_connection((exchange.host, exchange.streaming_port or 0), TIMEOUT_S)
        self._deframer = Deframer()
        self._came: list[bytes] = []
        self.seq = 0

    def send(self, payload: seto.Payload) -> None:
        self.seq += 1
        frame = bytearray()
        frame_encode(frame, serialise(payload, self.seq))
        self.sock.sendall(frame)

    def login(self, **fields: object) -> None:
        payload = wrap(seto.Login(**fields))  # type: ignore[arg-type]
        payload.eto_payload.type = eto.PAYLOAD_LOGIN
        self.send(payload)

    def rest(self) -> list[seto.Payload]:
        """All that comes until the venue closes the connection."""
        while self.some():
            pass
        self.sock.close()
        return [parse(one) for one in self._came]

    def some(self) -> bool:
        """Wait until something comes; whether it was not the end."""
        data = self._recv()
        self._came += self._deframer.feed(data)
        return bool(data)

    def _recv(self) -> bytes:
        try:
            return self.sock.recv(65_536)
        except ConnectionResetError:
            return b""


def reasons(payloads: list[seto.Payload]) -> list[int]:
    return [
        payload.eto_payload.logout.reason
        for payload in payloads
        if payload.eto_payload.type == eto.PAYLOAD_LOGOUT
    ]


def test_silence_before_a_login_ends_with_its_reason(quick: Exchange) -> None:
    assert reasons(Raw(quick).rest()) == [eto.LOGOUT_LOGIN_TIMEOUT]


def test_a_session_that_says_nothing_is_asked_and_then_ended(quick: Exchange) -> None:
    raw = Raw(quick)
    raw.login(cookie=quick.set_token("alice").encode())
    heard = raw.rest()
    kinds = [payload.eto_payload.type for payload in heard]
    assert kinds[0] == eto.PAYLOAD_LOGIN_RESPONSE
    assert eto.PAYLOAD_PING in kinds
    assert reasons(heard) == [eto.LOGOUT_HEARTBEAT_TIMEOUT]


def test_a_first_payload_that_is_no_login_is_refused(quick: Exchange) -> None:
    raw = Raw(quick)
    raw.send(wrap(seto.OrderCancel(order_id=1)))
    assert reasons(raw.rest()) == [eto.LOGOUT_LOGIN_NOT_FIRST_SEQ]


def test_a_login_without_credentials_is_refused(quick: Exchange) -> None:
    raw = Raw(quick)
    raw.login()
    assert reasons(raw.rest()) == [eto.LOGOUT_UNAUTHORISED]


@pytest.mark.parametrize(
    "garbage",
    [b"\xff" * 64, b"GET / HTTP/1.1\r\n\r\n", b"\x80\x80\x80\x80\x40" + bytes(100), b"\x04\x00\x00\x00\x00"],
    ids=["long header", "http", "a frame above the cap", "no payload"],
)
def test_what_is_no_frame_closes_the_connection(quick: Exchange, garbage: bytes) -> None:
    raw = Raw(quick)
    raw.sock.sendall(garbage)
    assert reasons(raw.rest()) in ([], [eto.LOGOUT_LOGIN_TIMEOUT])


def test_a_stranger_may_not_send_much(quick: Exchange) -> None:
    raw = Raw(quick)
    frame = bytearray()
    frame_encode(frame, bytes(4_000_000))
    with pytest.raises(OSError, match=r"reset|pipe"):
        raw.sock.sendall(frame * 20)
    raw.sock.close()


def test_a_logout_is_confirmed_and_the_connection_closed(quick: Exchange) -> None:
    raw = Raw(quick)
    raw.login(cookie=quick.set_token("alice").encode())
    raw.send(admin(eto.PAYLOAD_LOGOUT))
    assert reasons(raw.rest()) == [eto.LOGOUT_CONFIRMATION]


@pytest.mark.parametrize("end", ["silence", "a replay of what was never sent"])
def test_a_session_that_the_venue_ends_takes_its_orders_with_it_where_its_settings_say_so(
    quick: Exchange, end: str
) -> None:
    token = quick.set_token("alice")
    raw = Raw(quick)
    raw.login(cookie=token.encode())
    raw.some()  # the answer: a replay before it would be asked of nobody
    raw.send(wrap(seto.Settings(cancel_all_on_failure=True)))
    terms = {"side": seto.SIDE_BUY, "market_id": 1, "contract_id": 1, "reference": raw.seq + 1}
    raw.send(wrap(seto.OrderCreate(quantity=10_000, price=3000, **terms)))  # type: ignore[arg-type]
    if end != "silence":
        raw.send(wrap(seto.OrderCancel(order_id=2**40)))  # its answer is behind the acceptance
        payload = admin(eto.PAYLOAD_REPLAY)
        payload.eto_payload.replay.seq = 0
        raw.send(payload)
    expected = eto.LOGOUT_HEARTBEAT_TIMEOUT if end == "silence" else eto.LOGOUT_UNKNOWN_SESSION
    assert reasons(raw.rest()) == [expected]
    watcher = Trader(quick, "alice", 0, token=token, ssl=False, ssl_kwargs=None)
    order_id = watcher.next("order_accepted", lambda told: told.reference == terms["reference"]).order_id
    assert watcher.next("order_cancelled", lambda told: told.order_id == order_id)
    watcher.close()


def test_plain_bytes_on_a_tls_port_disturb_nobody(exchange: Exchange, connect: Callable[..., Trader]) -> None:
    alice = connect("alice")
    with socket.create_connection((exchange.host, exchange.streaming_port or 0), TIMEOUT_S) as sock:
        sock.sendall(b"\x16 08" + bytes(2000))
        while sock.recv(1000):
            pass
    context = ssl.create_default_context(cafile=str(exchange.certificate))
    with socket.create_connection((exchange.host, exchange.streaming_port or 0), TIMEOUT_S) as sock:
        context.wrap_socket(sock, server_hostname="127.0.0.1", do_handshake_on_connect=False)  # and leaves
    alice.send(seto.OrderCancelAll(reference=1))
    assert alice.next("order_cancel_all_accepted").reference == 1


def test_a_venue_that_stops_says_so() -> None:
    with Exchange(http=False) as exchange:
        exchange.add_account("alice", KeyPair.generate().public)
        exchange.set_password("alice", "alice's password")
        alice = Trader(exchange, "alice")
        exchange.stop()
        while alice.session.connected:
            alice.client.read()
        alice.close()
        exchange.start()
        Trader(exchange, "alice").close()


def test_a_reader_that_does_not_read_holds_up_nobody(
    exchange: Exchange, connect: Callable[..., Trader]
) -> None:
    slow, bob = connect("alice"), connect("bob")
    slow.send(seto.MarketSubscribe(market_id=1))
    for number in range(3000):
        bob.client.send(
            seto.OrderCreate(
                side=seto.SIDE_BUY, market_id=1, contract_id=1, quantity=10_000, price=100,
                reference=number, tif=seto.IMMEDIATE_OR_CANCEL,
            )
        )  # fmt: skip
        if number % 100 == 99:
            bob.client.flush()
            bob.next("order_cancelled", lambda end, last=number: end.reference == last)
    slow.send(seto.OrderCancelAll(reference=2))
    assert slow.next("order_cancel_all_accepted").reference == 2
