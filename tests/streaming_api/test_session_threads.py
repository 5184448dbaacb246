"""A session that several threads use: what each of them is told, and what never reaches the wire."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from pathlib import Path

import pytest
from pair import order, raw_frame
from scripted import GatewayEnd, Scripted
from threaded import Failing, settings

from ledgerx.clock import SystemClock
from ledgerx.errors import Error
from ledgerx.streaming_api import eto
from ledgerx.streaming_api.client import StreamingAPIClient
from ledgerx.streaming_api.core import CoreSettings
from ledgerx.streaming_api.exceptions import (
    ConnectionError,  # noqa: A004 - the manual's name
    SocketDisconnected,
)
from ledgerx.streaming_api.payloads import admin
from ledgerx.streaming_api.reconnecting import ReconnectingClient
from ledgerx.streaming_api.session import Session, SessionSocket

SECRET = b"SECRET ORDER" * 10


def test_a_tls_socket_that_is_shut_down_writes_nothing_in_clear(
    certificate: Path, server_tls: ssl.SSLContext
) -> None:
    def script(connection: socket.socket) -> None:
        assert connection.recv(1000) == SECRET  # raises where it was no record of TLS

    with Scripted(script, tls=server_tls) as server:
        sock = SessionSocket(settings(server.port, ssl=True, ssl_kwargs={"ca_certs": str(certificate)}))
        sock.connect()
        assert sock.raw_socket is not None
        sock.raw_socket.shutdown(socket.SHUT_RD)
        sock.send(SECRET)
        sock.disconnect()


def test_disconnecting_waits_for_the_thread_that_sends(certificate: Path, server_tls: ssl.SSLContext) -> None:
    with Scripted(lambda connection: None, tls=server_tls) as server:
        sock = SessionSocket(settings(server.port, ssl=True, ssl_kwargs={"ca_certs": str(certificate)}))
        sock.connect()
        raw = sock.raw_socket
        assert isinstance(raw, ssl.SSLSocket)
        with sock._lock:  # as while OpenSSL works
            ending = threading.Thread(target=sock.disconnect)
            ending.start()
            ending.join(0.1)
            assert ending.is_alive()
            assert raw.fileno() >= 0
            assert raw.version() is not None
        ending.join(10)
        assert raw.fileno() == -1


def test_threads_that_use_a_connection_while_it_ends_get_errors_of_the_manual(
    certificate: Path, server_tls: ssl.SSLContext
) -> None:
    def script(connection: socket.socket) -> None:
        with contextlib.suppress(ConnectionResetError, ssl.SSLEOFError):
            while connection.recv(65536):
                pass

    rounds = 50
    with Scripted(*[script] * rounds, tls=server_tls) as server:
        made = settings(server.port, ssl=True, ssl_kwargs={"ca_certs": str(certificate)})
        for _ in range(rounds):
            sock = SessionSocket(made)
            sock.connect()
            threads = [Failing(lambda: sock.send(SECRET)), Failing(sock.recv), Failing(sock.recv)]  # noqa: B023
            for _ in range(5):
                sock.send(SECRET)
            sock.disconnect()
            assert {type(thread.end()) for thread in threads} == {SocketDisconnected}


def test_of_several_threads_that_connect_one_does() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        session = Session(settings(listener.getsockname()[1]))
        together = threading.Barrier(8)

        def connect() -> None:
            together.wait(10)
            session.connect()

        threads = [threading.Thread(target=connect) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
        assert session.connected
        listener.settimeout(0)
        listener.accept()[0].close()
        with pytest.raises(BlockingIOError):
            listener.accept()
        session.disconnect()


def test_logout_returns_when_another_thread_reads_the_confirmation() -> None:
    def script(connection: socket.socket) -> None:
        end = GatewayEnd(connection)
        end.log_in()
        end.take()

    rounds = 20
    with Scripted(*[script] * rounds) as server:
        for _ in range(rounds):
            session = Session(settings(server.port))
            session.connect()
            session.read()
            reading = Failing(session.read)
            session.logout()
            assert isinstance(reading.end(), SocketDisconnected)


def test_disconnecting_ends_a_connecting_that_waits() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:  # which never answers the handshake
        session = Session(settings(listener.getsockname()[1], ssl=True))
        connecting = Failing(session.connect)
        listener.settimeout(10)
        accepted, _ = listener.accept()
        with accepted:
            accepted.recv(1)  # the handshake has begun
            session.disconnect()
            assert isinstance(connecting.end(), ConnectionError)
        assert not session.connected


def test_closing_a_reconnecting_client_ends_a_login_that_is_under_way() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = ReconnectingClient(Session(settings(listener.getsockname()[1], ssl=True)))
        login = Failing(client.login)
        listener.settimeout(10)
        accepted, _ = listener.accept()
        with accepted:
            accepted.recv(1)
            client.close()
            assert isinstance(login.end(), SocketDisconnected)
        assert not client.session.connected
        with pytest.raises(SocketDisconnected, match="closed"):
            client.login()
        listener.settimeout(0)
        with pytest.raises(BlockingIOError):
            listener.accept()


def test_connecting_ends_within_its_timeout_though_the_handshake_goes_on() -> None:
    released = threading.Event()

    def script(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(b"\x16\x03\x03\x00\x7a")  # a record of 122 bytes, and one of them now and then
        with contextlib.suppress(OSError):
            while not released.wait(0.05):
                connection.sendall(b"\x02")

    with Scripted(script) as server:
        begun = time.monotonic()
        with pytest.raises(ConnectionError, match="timed out"):
            Session(settings(server.port, ssl=True, connect_timeout=0.3)).connect()
        assert 0.3 <= time.monotonic() - begun < 2
        released.set()


def test_the_handshake_has_what_the_connecting_left_of_the_timeout() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        with socket.create_connection(
            ("127.0.0.1", port)
        ):  # the queue is full: what comes next asks again in 1 s
            begun = time.monotonic()
            connecting = Failing(Session(settings(port, ssl=True, connect_timeout=1.3)).connect)
            connecting.join(0.2)
            first, _ = listener.accept()
            with first:
                assert isinstance(connecting.end(), ConnectionError)
            assert 1.3 <= time.monotonic() - begun < 2


def test_two_threads_that_read_take_what_comes_in_in_order() -> None:
    count = 2_000

    def script(connection: socket.socket) -> None:
        GatewayEnd(connection).log_in()
        for number in range(2, count + 2):
            connection.sendall(raw_frame(admin(eto.PAYLOAD_PONG), number))

    with Scripted(script) as server:
        session = Session(settings(server.port))
        session.connect()
        readers = [Failing(session.read) for _ in range(2)]
        errors = [reader.end() for reader in readers]
        assert all(isinstance(error, Error) for error in errors)
        assert session.inseq == count + 2  # a frame out of order would be a gap, a cut one garbage


def answering(connection: socket.socket) -> None:
    """Answer the login and nothing else, until the client has gone."""
    end = GatewayEnd(connection)
    end.log_in()
    with contextlib.suppress(EOFError, OSError):
        while True:
            end.take()


def leaving(connection: socket.socket) -> None:
    """Answer the login, and go."""
    GatewayEnd(connection).log_in()
    connection.shutdown(socket.SHUT_RDWR)


def test_a_connection_made_while_another_thread_disconnects_can_be_used_or_is_gone() -> None:
    class Paused(SessionSocket):
        """One whose owner is held up behind the end of a connection."""

        reached, goes_on = threading.Event(), threading.Event()

        def disconnect(self) -> None:
            super().disconnect()
            if threading.current_thread().name == "disconnecting":
                self.reached.set()
                assert self.goes_on.wait(20)

    with Scripted(answering, answering) as server:
        session = Session(settings(server.port))
        session.socket = paused = Paused(session.settings)
        session.connect()
        session.read()
        ending = threading.Thread(target=session.disconnect, name="disconnecting")
        ending.start()
        assert paused.reached.wait(20)
        session.connect()
        paused.goes_on.set()
        ending.join()
        session.read()
        frame = session.next_frame()
        assert frame is not None
        assert frame.protobuf.eto_payload.type == eto.PAYLOAD_LOGIN_RESPONSE
        session.disconnect()


def test_a_login_whose_answer_another_thread_reads_returns_soon() -> None:
    logins = 150
    with Scripted(*[answering] * logins) as server:
        for _ in range(logins):
            client = StreamingAPIClient(Session(settings(server.port)))
            ended = threading.Event()

            def read(client: StreamingAPIClient = client, ended: threading.Event = ended) -> None:
                while not ended.is_set():
                    with contextlib.suppress(Error):
                        client.read()

            reading = threading.Thread(target=read)
            reading.start()
            began = time.monotonic()
            client.login()
            assert time.monotonic() - began < 10
            ended.set()
            client.session.disconnect()
            reading.join()


def test_a_session_whose_frames_are_taken_slowly_is_not_the_venues_silence() -> None:
    def script(connection: socket.socket) -> None:
        end = GatewayEnd(connection)
        end.log_in()
        for number in range(20):
            connection.sendall(raw_frame(admin(eto.PAYLOAD_HEARTBEAT), 2 + number))
        with contextlib.suppress(EOFError, OSError):
            while True:
                end.take()

    class Fast(SystemClock):
        """A second for each look at it."""

        now = 0.0

        def monotonic(self) -> float:
            self.now += 1.0
            return self.now

    with Scripted(script) as server:
        core = CoreSettings(heartbeat_s=50.0, login_timeout_s=1e6, queue_frames_max=1)
        session = Session(settings(server.port, socket_timeout=None), core_settings=core, clock=Fast())
        session.connect()
        taken = 0
        while taken < 20:
            for _ in range(40):
                session.read()  # returns at once while the frame waits
            taken += session.next_frame() is not None
        assert session.connected
        session.disconnect()


def test_a_logout_while_there_is_no_venue_ends_the_logins_and_returns() -> None:
    with Scripted(leaving) as server:
        made = Session(settings(server.port, socket_timeout=0.3))  # nobody answers a second login
        client = ReconnectingClient(made, backoff_first_s=1000.0, backoff_max_s=1000.0)
        client.login()
        reading = Failing(client.read)
        while made.connected:
            reading.join(0.001)
    with contextlib.suppress(SocketDisconnected):
        client.logout()
    assert isinstance(reading.end(), SocketDisconnected)
    with pytest.raises(SocketDisconnected):
        client.read()


def test_an_order_between_two_sessions_is_refused_and_not_kept_for_later() -> None:
    with Scripted(leaving) as server:
        made = Session(settings(server.port, socket_timeout=0.3))  # nobody answers a second login
        client = ReconnectingClient(made, backoff_first_s=1000.0, backoff_max_s=1000.0)
        client.login()
        reading = Failing(client.read)
        while made.connected:
            reading.join(0.001)
        with pytest.raises(SocketDisconnected, match="nothing is sent"):
            client.order(order(1).order_create)
        client.subscribe(7)  # is remembered
        assert client.in_doubt == []
        client.close()
        reading.end()
