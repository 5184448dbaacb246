"""What settings, sequences and payloads cannot be is said before anything is connected, by name."""

from __future__ import annotations

import math
import socket
import ssl
from typing import Any

import pytest
from scripted import GatewayEnd, Scripted

from ledgerx.errors import Error, InvalidField, InvalidMessage
from ledgerx.streaming_api import seto
from ledgerx.streaming_api.exceptions import ConnectionError  # noqa: A004 - the manual's name
from ledgerx.streaming_api.payloads import wrap
from ledgerx.streaming_api.session import Session, SessionSettings

SURROGATE = "\ud800"

FIELDS: list[tuple[str, Any]] = [
    *((field, value) for field in ("username", "password", "token") for value in (5, SURROGATE)),
    ("username", b"bytes"),
    *(
        (field, value)
        for field in ("socket_timeout", "connect_timeout")
        for value in (-1, 0, math.nan, math.inf, 1e30, "30", True)
    ),
    *(("port", value) for value in (-1, 70_000, "3801", None, 1.5)),
    *(("host", value) for value in (None, 5)),
    *(("ssl_kwargs", value) for value in (5, [("ca_certs", "x")], "x")),
]
SSL_KWARGS: list[tuple[str, Any]] = [
    ("ca_certs", 5),
    ("certfile", 5),
    ("keyfile", 5),
    ("password", 5),
    ("ciphers", 5),
    ("server_hostname", 5),
    ("check_hostname", "no"),
    ("cert_reqs", 7),
    ("cert_reqs", "CERT_NONE"),
]


@pytest.mark.parametrize(("field", "value"), FIELDS)
def test_settings_of_a_wrong_kind_are_named_by_the_constructor(field: str, value: Any) -> None:
    with pytest.raises(InvalidField, match=field) as caught:
        SessionSettings(**{field: value})
    assert caught.value.field == field
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize(("field", "value"), FIELDS)
def test_settings_assigned_later_are_looked_at_by_connect(field: str, value: Any) -> None:
    settings = SessionSettings("user", "pass", host="127.0.0.1", port=1)
    session = Session(settings)
    setattr(settings, field, value)
    with pytest.raises(InvalidField, match=field):
        session.connect()
    assert not session.connected


@pytest.mark.parametrize(("key", "value"), SSL_KWARGS)
def test_keywords_of_a_wrong_kind_are_named_by_the_constructor(key: str, value: Any) -> None:
    with pytest.raises(InvalidField, match=key):
        SessionSettings(ssl_kwargs={key: value})


def test_a_host_name_cannot_be_verified_without_a_certificate() -> None:
    with pytest.raises(InvalidField, match="check_hostname"):
        SessionSettings(ssl_kwargs={"cert_reqs": ssl.CERT_NONE, "check_hostname": True})


@pytest.mark.parametrize(
    "kwargs",
    [{"ciphers": "nope"}, {"ca_certs": "a\0b"}, {"certfile": SURROGATE}, {"keyfile": "x", "certfile": "y"}],
)
def test_what_openssl_refuses_is_a_connection_error(kwargs: dict[str, Any]) -> None:
    settings = SessionSettings("user", "pass", host="127.0.0.1", port=1, ssl_kwargs=kwargs)
    with pytest.raises(ConnectionError, match="ssl_kwargs"):
        Session(settings).connect()


@pytest.mark.parametrize("name", ["", "a\0b", SURROGATE])
def test_a_name_that_no_certificate_has_is_a_connection_error(name: str, server_tls: ssl.SSLContext) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        settings = SessionSettings(
            "user", "pass", host="127.0.0.1", port=port, ssl_kwargs={"server_hostname": name}
        )
        session = Session(settings)
        with pytest.raises(ConnectionError):
            session.connect()
        assert not session.connected


def test_no_secret_is_in_an_error() -> None:
    for field, value in (("password", b"secret"), ("token", ["secret"]), ("username", "secret" + SURROGATE)):
        with pytest.raises(InvalidField) as caught:
            SessionSettings(**{field: value})  # type: ignore[arg-type]
        assert "secret" not in str(caught.value) + repr(caught.value.value) + repr(caught.value.__context__)


@pytest.mark.parametrize("value", [-1, 2**64, "5", 1.5, True])
def test_a_sequence_that_is_none_is_named(value: Any) -> None:
    settings = SessionSettings("user", "pass", host="127.0.0.1", port=1)
    with pytest.raises(InvalidField, match="account_sequence"):
        Session(settings, account_sequence=value)
    with pytest.raises(InvalidField, match="inseq"):
        Session(settings, inseq=value if value is not True else 0)


def test_a_token_may_be_bytes() -> None:
    def script(connection: socket.socket) -> None:
        assert GatewayEnd(connection).log_in().protobuf.login.cookie == b"\xfft0ken"

    with Scripted(script) as server:
        settings = SessionSettings(token=b"\xfft0ken", host=server.host, port=server.port, ssl=False)
        with Session(settings) as session:
            session.read()


@pytest.mark.parametrize(
    "payload", [5, "x", seto.OrderCreate(), wrap(seto.MarketSubscribe(market_id=1)).login]
)
def test_what_is_no_payload_is_refused_and_nothing_is_sent(payload: Any) -> None:
    session = Session(SessionSettings("user", "pass", host="127.0.0.1", port=1))
    with pytest.raises(InvalidMessage, match=r"seto\.Payload"):
        session.send(payload)
    assert session.output_buffer_size == 0


def test_every_error_of_settings_is_of_the_tree() -> None:
    assert issubclass(InvalidField, Error)
