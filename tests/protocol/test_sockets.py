"""Sockets: one factory a pattern, the same options everywhere, and CURVE that keeps strangers out."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable

import pytest
import zmq
from zmq.auth.thread import ThreadAuthenticator

from ledgerx import errors
from ledgerx.protocol import sockets
from ledgerx.protocol.crypto import KeyPair, raw_key
from ledgerx.protocol.sockets import AnyContext, AnySocket, create_socket, secure_socket

PATTERNS = ["dealer", "router", "req", "rep", "sub", "xsub", "pub", "xpub", "push", "pull", "pair"]
SERVER, CLIENT = KeyPair.generate(), KeyPair.generate()


@pytest.mark.parametrize("pattern", PATTERNS)
def test_every_factory_opens_its_pattern_with_the_options_given(
    pattern: str, zmq_context: AnyContext
) -> None:
    factory: Callable[..., AnySocket] = getattr(sockets, pattern)
    with factory(zmq_context, 11, 22, 33, 44, 55, 66) as socket:
        assert socket.type == getattr(zmq, pattern.upper())
        assert socket.get(zmq.RCVTIMEO) == 11
        assert socket.get(zmq.RECONNECT_IVL) == 22
        assert socket.get(zmq.RECONNECT_IVL_MAX) == 33
        assert socket.get(zmq.LINGER) == 44
        assert socket.get(zmq.SNDHWM) == 55
        assert socket.get(zmq.RCVHWM) == 66
        assert socket.get(zmq.IPV6) == 1


@pytest.mark.parametrize("pattern", PATTERNS)
def test_every_factory_has_the_same_signature(pattern: str) -> None:
    parameters = inspect.signature(getattr(sockets, pattern)).parameters
    assert {name: parameter.default for name, parameter in parameters.items()} == {
        "ctx": inspect.Parameter.empty,
        "rtimeo": 1000,
        "reconn_ivl": 1,
        "reconn_ivl_max": 1000,
        "linger": 1000,
        "send_hwm": 0,
        "recv_hwm": 0,
    }


@pytest.mark.parametrize(
    ("option", "value"), [("rtimeo", "soon"), ("linger", -5), ("reconn_ivl", None), ("send_hwm", 2**40)]
)
def test_an_option_out_of_range_is_named_and_the_socket_closed(
    option: str, value: int, zmq_context: AnyContext
) -> None:
    with pytest.raises(errors.InvalidField, match=option) as caught:
        sockets.pair(zmq_context, **{option: value})
    assert (caught.value.field, caught.value.value) == (option, value)
    assert caught.value.__cause__ is not None


def test_what_is_no_context_or_no_type_is_refused(zmq_context: AnyContext) -> None:
    with pytest.raises(errors.InvalidField, match="ctx"):
        sockets.pair("context")  # type: ignore[arg-type]
    with pytest.raises(errors.InvalidField, match="77"):
        create_socket(zmq_context, 77)


def test_a_terminated_context_opens_no_socket(zmq_context: AnyContext) -> None:
    zmq_context.term()
    with pytest.raises(errors.InvalidState):
        sockets.pair(zmq_context)


def test_running_out_of_sockets_says_so_and_is_retryable(zmq_context: AnyContext) -> None:
    zmq_context.max_sockets = 1
    with sockets.pair(zmq_context), pytest.raises(errors.QueueFull):
        sockets.pair(zmq_context)


def test_a_receive_waits_no_longer_than_rtimeo(zmq_context: AnyContext) -> None:
    with sockets.pull(zmq_context, rtimeo=1) as socket:
        socket.bind_to_random_port("tcp://127.0.0.1")
        with pytest.raises(zmq.Again):
            socket.recv()


# ---------------------------------------------------------------------------------------- CURVE


def server(context: AnyContext) -> tuple[AnySocket, str]:
    socket = secure_socket(sockets.rep, SERVER.private or b"", SERVER.public, None, context, rtimeo=300)
    socket.linger = 0
    return socket, f"tcp://127.0.0.1:{socket.bind_to_random_port('tcp://127.0.0.1')}"


def client(context: AnyContext, keys: KeyPair, server_public_key: bytes, endpoint: str) -> AnySocket:
    private = keys.private or b""
    socket = secure_socket(
        sockets.req, private, keys.public, server_public_key, context, rtimeo=300, linger=0
    )
    socket.connect(endpoint)
    return socket


def test_a_client_with_the_servers_key_is_heard(zmq_context: AnyContext) -> None:
    answering, endpoint = server(zmq_context)
    asking = client(zmq_context, CLIENT, SERVER.public, endpoint)
    answering.rcvtimeo = asking.rcvtimeo = 10_000
    asking.send(b"question")
    assert answering.recv() == b"question"
    answering.send(b"answer")
    assert asking.recv() == b"answer"


def test_a_client_with_another_server_key_is_not_heard(zmq_context: AnyContext) -> None:
    answering, endpoint = server(zmq_context)
    asking = client(zmq_context, CLIENT, CLIENT.public, endpoint)
    asking.send(b"question")
    with pytest.raises(zmq.Again):
        answering.recv()


def test_a_client_without_curve_is_not_heard(zmq_context: AnyContext) -> None:
    answering, endpoint = server(zmq_context)
    with sockets.req(zmq_context, linger=0) as asking:
        asking.connect(endpoint)
        asking.send(b"question")
        with pytest.raises(zmq.Again):
            answering.recv()


def test_with_a_zap_domain_enforced_only_known_keys_are_heard(zmq_context: AnyContext) -> None:
    authenticator = ThreadAuthenticator(zmq_context)
    authenticator.start()
    try:
        authenticator.configure_curve_callback("test", Known())
        answering = secure_socket(sockets.rep, SERVER.private or b"", SERVER.public, None, zmq_context)
        answering.zap_domain, answering.zap_enforce_domain = b"test", True
        endpoint = f"tcp://127.0.0.1:{answering.bind_to_random_port('tcp://127.0.0.1')}"
        stranger = client(zmq_context, KeyPair.generate(), SERVER.public, endpoint)
        with contextlib.suppress(zmq.Again):  # refused before it could send: ZeroMQ took its pipe away
            stranger.send(b"from a stranger", zmq.DONTWAIT)
        known = client(zmq_context, CLIENT, SERVER.public, endpoint)
        known.send(b"from a client")
        answering.rcvtimeo = 10_000
        assert answering.recv() == b"from a client"
    finally:
        authenticator.stop()


class Known:
    """Knows CLIENT."""

    def callback(self, domain: str, key: bytes) -> bool:
        return key == CLIENT


@pytest.mark.parametrize(
    ("secret", "public", "server_key", "named"),
    [
        (b"short", CLIENT.public, SERVER.public, "secretkey"),
        (CLIENT.private, b"short", SERVER.public, "public key"),
        (CLIENT.private, SERVER.public, None, "does not belong"),
        (CLIENT.private, CLIENT.public, b"somepublickey", "serverkey"),
    ],
    ids=["private", "public", "pair", "server"],
)
def test_a_wrong_key_is_named_before_any_socket_is_opened(
    secret: bytes, public: bytes, server_key: bytes | None, named: str, zmq_context: AnyContext
) -> None:
    with pytest.raises(errors.InvalidKey, match=named):
        secure_socket(sockets.dealer, secret, public, server_key, zmq_context)


def test_a_socket_that_takes_no_keys_is_refused_and_closed(zmq_context: AnyContext) -> None:
    def closed(ctx: AnyContext) -> AnySocket:
        socket = sockets.pair(ctx)
        socket.close()
        return socket

    with pytest.raises(errors.InvalidState, match="CURVE"):
        secure_socket(closed, CLIENT.private or b"", CLIENT.public, None, zmq_context)


def test_keys_are_taken_raw_and_as_text_too(zmq_context: AnyContext) -> None:
    answering, endpoint = server(zmq_context)
    answering.rcvtimeo = 10_000
    text, raw = (CLIENT.private or b"").decode(), raw_key(CLIENT.public)
    asking = secure_socket(sockets.req, text, raw, SERVER.public.decode(), zmq_context, linger=0)
    asking.connect(endpoint)
    asking.send(b"question")
    assert answering.recv() == b"question"


def test_a_secured_socket_speaks_curve_as_client_or_server(zmq_context: AnyContext) -> None:
    private = CLIENT.private or b""
    with secure_socket(sockets.dealer, private, CLIENT.public, SERVER.public, zmq_context) as client_side:
        assert client_side.mechanism == zmq.CURVE
        assert not client_side.curve_server
    with secure_socket(sockets.router, private, CLIENT.public, None, zmq_context) as server_side:
        assert server_side.mechanism == zmq.CURVE
        assert server_side.curve_server
