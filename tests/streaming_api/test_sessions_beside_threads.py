"""What one thread's use of a session must not do to another's, and what comes while nobody reads."""

from __future__ import annotations

import asyncio
import contextlib
import select
import socket
import ssl
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pair import raw_frame
from scripted import GatewayEnd, Scripted
from threaded import Failing, settings

from ledgerx.clock import SYSTEM_CLOCK, SystemClock
from ledgerx.errors import ConnectionError as ConnectionLost
from ledgerx.errors import Error, LoginError, SocketDisconnected
from ledgerx.streaming_api import eto, seto
from ledgerx.streaming_api.aio import AsyncReconnectingClient, AsyncSession
from ledgerx.streaming_api.client import StreamingAPIClient
from ledgerx.streaming_api.core import CoreSettings
from ledgerx.streaming_api.payloads import admin, wrap
from ledgerx.streaming_api.reconnecting import ReconnectingClient
from ledgerx.streaming_api.session import Session

WAIT_S = 10.0


class Shifted(SystemClock):
    """A clock that is ahead of the system's."""

    ahead_s = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead_s


class Hurried(SystemClock):
    """A clock by whose chance all waits are short."""

    def random(self) -> float:
        return -0.99


def take_all(end: GatewayEnd) -> None:
    """Take what comes until the client has gone."""
    with contextlib.suppress(EOFError, OSError):
        while True:
            end.take()


def answering(connection: socket.socket) -> None:
    """Answer the login and nothing else, until the client has gone."""
    end = GatewayEnd(connection)
    end.log_in()
    take_all(end)


def settling(end: GatewayEnd) -> None:
    """Accept the settings that follow a login anew."""
    while end.take().protobuf.type != seto.PAYLOAD_SETTINGS:
        pass
    end.send(wrap(seto.SettingsAccepted(cancel_all_on_failure=False)))


def accepted(sequence: int) -> seto.Payload:
    return wrap(seto.OrderAccepted(seq=1, order_id=sequence, account_sequence_64=sequence))


def test_of_two_threads_that_read_neither_ends_a_session_that_is_heard() -> None:
    with Scripted(answering) as server:
        made = Session(settings(server.port, socket_timeout=0.3))
        client = StreamingAPIClient(made)
        client.login()
        with made._reading:  # as a thread that gets every turn
            other = Failing(client.read)
            for number in range(2, 18):
                other.join(0.05)
                assert other.error is None
                made._receive(made._core, raw_frame(admin(eto.PAYLOAD_HEARTBEAT), number))
            assert made.connected
        made.disconnect()
        other.join(WAIT_S)
        assert isinstance(other.error, SocketDisconnected)


def test_a_reader_of_a_lost_session_does_not_end_the_connecting_of_another_thread(
    certificate: Path, server_tls: ssl.SSLContext
) -> None:
    begun, goes_on = threading.Event(), threading.Event()

    def leaving(connection: socket.socket) -> None:
        with server_tls.wrap_socket(connection, server_side=True) as secured:
            GatewayEnd(secured).log_in()

    def slow(connection: socket.socket) -> None:
        connection.recv(1, socket.MSG_PEEK)  # the handshake has begun
        begun.set()
        assert goes_on.wait(WAIT_S)
        with contextlib.suppress(OSError), server_tls.wrap_socket(connection, server_side=True) as secured:
            answering(secured)

    with Scripted(leaving, slow) as server, ThreadPoolExecutor(1) as pool:
        made = settings(server.port, ssl=True, ssl_kwargs={"ca_certs": str(certificate)})
        client = StreamingAPIClient(Session(made))
        client.login()
        with contextlib.suppress(Error):
            while True:
                client.read()
        connecting = pool.submit(client.login)
        assert begun.wait(WAIT_S)
        with pytest.raises(Error):
            client.read()  # the lost one still
        goes_on.set()
        connecting.result(WAIT_S)
        assert client.session.connected
        client.session.disconnect()


def test_a_block_that_ended_is_not_logged_in_again_by_a_reader() -> None:
    with Scripted(answering) as server:  # nobody answers a second login
        client = ReconnectingClient(Session(settings(server.port)))
        try:
            with contextlib.suppress(RuntimeError), client:
                reading = Failing(client.read)
                raise RuntimeError("the program fails")
            reading.join(0.5)
            assert not reading.is_alive()
            assert isinstance(reading.error, SocketDisconnected)
            assert not client.session.connected
        finally:
            client.close()
            reading.join(WAIT_S)


def test_a_message_beside_the_logins_answer_of_a_venue_that_counts_anew_is_heard() -> None:
    def before(connection: socket.socket) -> None:
        end = GatewayEnd(connection)
        end.log_in()
        end.send(accepted(1000))

    def anew(connection: socket.socket) -> None:
        end = GatewayEnd(connection)
        end.take()
        end.core.accept("s-2", SYSTEM_CLOCK.monotonic(), 5)
        end.send(accepted(6))  # leaves with the answer
        settling(end)
        end.send(accepted(7))
        take_all(end)

    with Scripted(before, anew) as server:
        client = ReconnectingClient(Session(settings(server.port)))
        heard: list[int] = []
        client.add_handler(
            "seto.order_accepted", lambda message: heard.append(message.order_accepted.account_sequence_64)
        )
        client.login()
        while 7 not in heard:
            client.read()
        client.close()
    assert heard == [1000, 6, 7]


def leave(connection: socket.socket) -> None:
    GatewayEnd(connection).log_in()


def refuse(connection: socket.socket) -> None:
    end = GatewayEnd(connection)
    end.take()
    end.core.logout(SYSTEM_CLOCK.monotonic(), eto.LOGOUT_UNAUTHORISED)
    end.flush()


def read_on(client: StreamingAPIClient) -> None:
    while True:
        client.read()


async def read_on_async(client: AsyncReconnectingClient) -> None:
    while True:
        await client.read()


def test_who_was_refused_for_good_is_not_asked_for_again_by_a_read() -> None:
    with Scripted(leave, refuse) as server:  # nobody answers a third login
        client = ReconnectingClient(Session(settings(server.port, socket_timeout=1.0)))
        client.login()
        for _ in range(3):
            with pytest.raises(LoginError, match="UNAUTHORISED"):
                read_on(client)
        client.close()


def test_who_was_refused_for_good_is_not_asked_for_again_by_a_task() -> None:
    async def main(port: int) -> None:
        client = AsyncReconnectingClient(AsyncSession(settings(port, socket_timeout=1.0)))
        await client.login()
        for _ in range(3):
            with pytest.raises(LoginError, match="UNAUTHORISED"):
                await read_on_async(client)
        await client.close()

    with Scripted(leave, refuse) as server:
        asyncio.run(main(server.port))


def test_a_venue_that_lets_in_and_throws_out_is_given_up_by_the_attempts() -> None:
    with Scripted(*[leave] * 4) as server:
        client = ReconnectingClient(
            Session(settings(server.port)), attempts_max=4, backoff_first_s=1.0, clock=Hurried()
        )
        client.login()
        with pytest.raises((ConnectionLost, SocketDisconnected)):
            read_on(client)
        assert client.reconnects == 3
        client.close()


def test_frames_of_a_lost_session_are_dispatched_whatever_the_limit() -> None:
    references = [1, 2, 3, 4, 5]

    def rejecting(connection: socket.socket) -> None:
        end = GatewayEnd(connection)
        end.log_in()
        asked = [end.take().protobuf.order_create.reference for _ in references]
        rejected = [
            seto.OrderRejected(reason=seto.ORDER_REJECTED_LIMIT_EXCEEDED, reference=one) for one in asked
        ]
        end.send(*[wrap(message) for message in rejected])

    def after(connection: socket.socket) -> None:
        end = GatewayEnd(connection)
        end.log_in()
        settling(end)
        take_all(end)

    with Scripted(rejecting, after) as server:
        client = ReconnectingClient(Session(settings(server.port)))
        heard: list[int] = []
        doubts: list[list[int]] = []
        client.add_handler(
            "seto.order_rejected", lambda message: heard.append(message.order_rejected.reference)
        )
        client.add_reconnect_handler(lambda orders: doubts.append([order.reference for order in orders]))
        client.login()
        terms = {"side": seto.SIDE_BUY, "quantity": 1, "price": 1, "market_id": 1, "contract_id": 1}
        for reference in references:
            client.order(seto.OrderCreate(reference=reference, **terms))  # type: ignore[arg-type]
        client.flush()
        while not doubts:
            assert client.read(limit=1) <= 1
        client.close()
    assert heard == references
    assert doubts == [[]]


def test_a_program_that_sends_and_seldom_reads_keeps_its_session() -> None:
    pongs: list[object] = []
    with Scripted(answering) as server:
        clock = Shifted()
        made = Session(settings(server.port), core_settings=CoreSettings(heartbeat_s=10.0), clock=clock)
        client = StreamingAPIClient(made)
        client.add_handler("eto.pong", lambda message: pongs.append(message))
        client.login()
        for _ in range(10):
            clock.ahead_s += 10.0
            client.ping()
            client.flush()
            sock = client.raw_socket
            assert sock is not None
            assert select.select([sock], [], [], WAIT_S)[0]  # the venue has spoken
        while not pongs:
            client.read()
        assert client.session.connected
        client.session.disconnect()


def test_the_wait_for_the_answer_is_by_the_sessions_own_clock() -> None:
    def late(connection: socket.socket) -> None:
        end = GatewayEnd(connection)
        login = end.take()
        assert login.protobuf.type == seto.PAYLOAD_LOGIN
        threading.Event().wait(0.2)
        end.core.accept("s-1", SYSTEM_CLOCK.monotonic())
        with contextlib.suppress(OSError):
            end.flush()
            take_all(end)

    with Scripted(late) as server:
        clock = Shifted()
        clock.ahead_s = 1000.0
        client = StreamingAPIClient(Session(settings(server.port, socket_timeout=5.0), clock=clock))
        client.login()
        assert client.session.connected
        client.session.disconnect()
