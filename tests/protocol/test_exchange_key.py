"""Fetching a venue's key, and everything that may answer instead of a venue."""

import contextlib
import socket
import threading

import pytest
import zmq

from ledgerx.errors import (
    CertificateFileError,
    ConnectTimeout,
    InvalidAddress,
    InvalidCertificate,
    InvalidKey,
    UnexpectedAnswer,
    VenueUnreachable,
)
from ledgerx.protocol.crypto import KeyPair
from ledgerx.protocol.exchange_key import fetch_exchange_key, parse_exchange_key, read_public_key


@contextlib.contextmanager
def peer(answer, *, hold=False):
    """Something that takes connections, reads a request, sends `answer`, and closes or holds on."""
    done = threading.Event()

    def serve():
        while not done.is_set():
            with contextlib.suppress(OSError), listening.accept()[0] as connection:
                connection.recv(4096)
                connection.sendall(answer)
                if hold:
                    done.wait(20)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve)
        thread.start()
        yield f"127.0.0.1:{listening.getsockname()[1]}"
        done.set()
        socket.create_connection(listening.getsockname()).close()  # it may be waiting for one
        thread.join()


def http_answer(body, status="200 OK"):
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def test_the_key_in_a_venues_answer_is_given():
    key = KeyPair.generate().public
    with peer(http_answer(b'{"public_key": "%s", "more": 1}' % key)) as address:
        assert fetch_exchange_key(address) == key


@pytest.mark.parametrize(
    "address", ["", "a b", "host:port", "host:0", "host:70000", "http://host:7810", "host/key"]
)
def test_an_address_that_is_none_is_refused(address):
    with pytest.raises(InvalidAddress):
        fetch_exchange_key(address)


def test_a_port_where_nobody_listens_is_named():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    with pytest.raises(VenueUnreachable, match=f"port {port}, accepts no connection"):
        fetch_exchange_key(f"127.0.0.1:{port}")


def test_an_unknown_host_is_named():
    with pytest.raises(VenueUnreachable, match=r"no-such-host\.invalid"):
        fetch_exchange_key("no-such-host.invalid", timeout_s=20)


def test_silence_ends_at_the_timeout():
    with peer(b"", hold=True) as address, pytest.raises(ConnectTimeout, match=r"in 0\.2 s"):
        fetch_exchange_key(address, timeout_s=0.2)


def test_half_an_answer_ends_at_the_timeout_too():
    with peer(b"HTTP/1.1 200", hold=True) as address, pytest.raises(ConnectTimeout):
        fetch_exchange_key(address, timeout_s=0.2)


def test_a_trading_port_is_told_apart_with_the_port_to_use(zmq_context):
    router = zmq_context.socket(zmq.ROUTER)
    router.curve_server = True
    router.curve_secretkey = KeyPair.generate().private
    port = router.bind_to_random_port("tcp://127.0.0.1")
    with pytest.raises(UnexpectedAnswer, match=rf"request port \(CRN\), use 127\.0\.0\.1:{port - 1};"):
        fetch_exchange_key(f"127.0.0.1:{port}")


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (http_answer(b"{}", "404 Not Found"), "HTTP 404 Not Found"),
        (http_answer(b"{}", "500 Oops"), "HTTP 500"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "no HTTP answer"),
        (b"", "no HTTP answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{}", "no HTTP answer"),
        (http_answer(b"<html>"), "no public key"),
        (http_answer(b"[]"), "no public key"),
        (http_answer(b"{}"), "no public key"),
        (http_answer(b'{"public_key": 7}'), "no public key"),
        (http_answer(b'{"public_key": "short"}'), "no public key"),
        (http_answer(b"[" * 60_000), r"answer of 127\.0\.0\.1, port \d+ holds no public key"),
    ],
)
def test_what_is_no_venue_is_said_to_be_none(answer, text):
    with peer(answer) as address, pytest.raises(UnexpectedAnswer, match=text):
        fetch_exchange_key(address)


def test_an_answer_without_end_is_cut():
    with peer(http_answer(b"x" * 200_000)) as address, pytest.raises(UnexpectedAnswer):
        fetch_exchange_key(address)


def test_a_body_can_be_parsed_by_itself():
    key = KeyPair.generate().public
    assert parse_exchange_key(b'{"public_key": "%s"}' % key) == key


def test_a_public_key_is_read_from_itself_or_a_certificate(tmp_path):
    keys = KeyPair.generate()
    path = tmp_path / "trader.key"
    keys.save_certificate(path)
    assert read_public_key(keys.public.decode()) == read_public_key(str(path)) == keys.public
    with pytest.raises(InvalidKey):
        read_public_key(str(tmp_path / "missing"))
    path.write_text("nothing")
    with pytest.raises(InvalidCertificate):
        read_public_key(str(path))
    path.unlink()
    path.mkdir()
    with pytest.raises((InvalidKey, CertificateFileError)):
        read_public_key(str(path))
