"""The client with callbacks: names, order, isolation, read modes, sending by class."""

from __future__ import annotations

import logging
import socket
from typing import Any

import pytest
from pair import raw_frame
from scripted import GatewayEnd, Scripted

from ledgerx.errors import InvalidMessage
from ledgerx.streaming_api import eto, seto
from ledgerx.streaming_api.client import (
    READ_MODE_BUFFER_FROM_SOCKET,
    READ_MODE_DISPATCH_FROM_BUFFER,
    StreamingAPIClient,
)
from ledgerx.streaming_api.exceptions import InvalidCallbackError, LoginTimeout
from ledgerx.streaming_api.payloads import admin, wrap
from ledgerx.streaming_api.session import Session, SessionSettings

ORDER = seto.OrderCreate(side=seto.SIDE_BUY, quantity=10_000, price=1, market_id=1, contract_id=1)


def client_of(server: Scripted) -> StreamingAPIClient:
    return StreamingAPIClient(
        Session(SessionSettings("u", "p", host=server.host, port=server.port, ssl=False, socket_timeout=20))
    )


def accepted(order_id: int) -> seto.Payload:
    return wrap(seto.OrderAccepted(seq=2, order_id=order_id))


def unused() -> StreamingAPIClient:
    return StreamingAPIClient(Session(SessionSettings("u", "p", host="127.0.0.1")))


def test_there_are_51_callbacks_named_by_the_payload_types() -> None:
    names = StreamingAPIClient.CALLBACKS
    assert len(names) == len(set(names)) == 51
    assert {"eto.none", "eto.throttle_exceeded", "seto.eto", "seto.order_execute_voided"} <= set(names)


def test_a_login_is_answered_and_a_logout_confirmed() -> None:
    def script(connection: socket.socket) -> None:
        end = GatewayEnd(connection)
        end.log_in("s-77")
        end.take()

    with Scripted(script) as server:
        client = client_of(server)
        client.login()
        assert client.session.session == "s-77"
        assert client.check_login()
        names: list[str] = []
        client.add_global_handler(lambda name, message: names.append(name))
        client.logout()
        assert names == ["eto.logout"]
        assert not client.session.connected


def test_logging_in_again_does_nothing_and_keeps_the_answer() -> None:
    def script(connection: socket.socket) -> None:
        end = GatewayEnd(connection)
        end.log_in()
        end.take()

    with Scripted(script) as server:
        client = client_of(server)
        client.login()
        answer = client.last_login
        client.login()
        assert client.last_login is answer
        with client:
            assert client.check_login()
        assert not client.session.connected


def test_a_login_that_was_not_waited_for_can_be() -> None:
    def script(connection: socket.socket) -> None:
        end = GatewayEnd(connection)
        end.log_in()
        end.take()

    with Scripted(script) as server:
        client = client_of(server)
        client.login(receive=False)
        assert client.last_login is None
        client.login()
        assert client.check_login()
        client.logout()


@pytest.mark.parametrize(
    ("data", "name"),
    [(b"\x08\x01\x12\x04\x08\x02\x10\x0b", "eto.unknown"), (b"\x08\x63\x12\x02\x08\x02", "seto.unknown")],
)
def test_a_type_that_the_schema_lacks_is_unknown_and_no_other(data: bytes, name: str) -> None:
    names: list[str] = []
    frame = bytes((len(data),)) + data
    with Scripted(lambda c: GatewayEnd(c).log_in() and c.sendall(frame)) as server:
        client = client_of(server)
        for known in ("eto.none", "seto.eto"):
            client.add_handler(known, lambda message: names.append("a handler of a known name"))
        client.add_global_handler(lambda name, message: names.append(name))
        client.login()
        while len(names) < 2:
            client.read()
        client.session.disconnect()
    assert names == ["eto.login_response", name]


def test_check_login_before_an_answer_was_read_is_a_login_timeout() -> None:
    with pytest.raises(LoginTimeout):
        unused().check_login()


def test_handlers_run_in_the_order_added_and_one_that_fails_keeps_no_other_away(
    caplog: pytest.LogCaptureFixture,
) -> None:
    seen: list[Any] = []

    def fails(message: seto.Payload) -> None:
        raise ValueError("mine")

    with Scripted(lambda c: GatewayEnd(c).log_in() and c.sendall(raw_frame(accepted(9), 2))) as server:
        client = client_of(server)
        client.add_handler("seto.order_accepted", fails)
        client.add_handler(
            "seto.order_accepted", lambda message: seen.append(message.order_accepted.order_id)
        )
        client.add_global_handler(lambda name, message: seen.append((name, type(message).__name__)))
        client.login()
        with caplog.at_level(logging.ERROR):
            while len(seen) < 3:
                client.read()
        client.session.disconnect()
    assert seen == [("eto.login_response", "Frame"), 9, ("seto.order_accepted", "Frame")]
    assert "seto.order_accepted" in caplog.text


def test_a_handler_that_was_taken_away_is_not_called() -> None:
    seen: list[Any] = []

    def handler(**arguments: Any) -> None:
        seen.append(arguments)

    with Scripted(lambda c: GatewayEnd(c).log_in() and None) as server:
        client = client_of(server)
        client.add_handler("eto.login_response", handler)
        client.add_global_handler(handler)
        client.del_handler("eto.login_response", handler)
        client.del_global_handler(handler)
        client.del_handler("eto.login_response", handler)  # it is not there: nothing happens
        client.login()
        client.session.disconnect()
    assert seen == []


@pytest.mark.parametrize("name", ["seto.nothing", "order_accepted", "", ["x"], None])
def test_an_unknown_name_is_an_invalid_callback(name: Any) -> None:
    client = unused()
    for call in (client.add_handler, client.del_handler):
        with pytest.raises(InvalidCallbackError, match=r"seto\.order_accepted"):
            call(name, print)


def test_what_cannot_be_called_is_a_value_error() -> None:
    client = unused()
    with pytest.raises(ValueError, match="callable"):
        client.add_handler("eto.ping", "print")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="callable"):
        client.add_global_handler(None)  # type: ignore[arg-type]


def test_reading_fills_dispatches_or_both() -> None:
    def script(connection: socket.socket) -> None:
        end = GatewayEnd(connection)
        end.log_in()
        end.send(*[accepted(number) for number in range(5)])
        end.take()

    with Scripted(script) as server:
        client = client_of(server)
        client.login(receive=False)
        while client.read(READ_MODE_BUFFER_FROM_SOCKET) == 0:
            if client.session.inseq == 7:
                break
        assert client.read(READ_MODE_DISPATCH_FROM_BUFFER, 2) == 2
        assert client.read(READ_MODE_DISPATCH_FROM_BUFFER, 100) == 4
        assert client.read(READ_MODE_DISPATCH_FROM_BUFFER) == 0
        client.logout()


def test_a_message_is_sent_as_the_payload_of_its_class() -> None:
    seen: list[seto.Payload] = []

    def script(connection: socket.socket) -> None:
        end = GatewayEnd(connection)
        end.log_in()
        seen.extend(end.take().protobuf for _ in range(3))

    with Scripted(script) as server:
        client = client_of(server)
        client.login()
        client.send(ORDER)
        client.send(seto.MarketSubscribe(market_id=3))
        client.ping()
        assert client.output_buffer_size > 0
        client.flush()
        client.session.disconnect()
    assert [one.type for one in seen] == [
        seto.PAYLOAD_ORDER_CREATE,
        seto.PAYLOAD_MARKET_SUBSCRIBE,
        seto.PAYLOAD_ETO,
    ]
    assert seen[0].order_create == ORDER
    assert seen[2].eto_payload.type == eto.PAYLOAD_PING


@pytest.mark.parametrize("message", [seto.Quote(price=1, quantity=1), seto.Payload(), admin(1), "order"])
def test_what_no_payload_carries_is_refused(message: Any) -> None:
    with pytest.raises(InvalidMessage):
        unused().send(message)
