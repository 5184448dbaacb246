"""The client under asyncio: it logs in once, reads in the modes of the client of threads, and logs out."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Coroutine
from typing import Any

import pytest
from pair import kinds, order
from scripted import GatewayEnd, Scripted

from ledgerx.errors import ConnectionError as ConnectionLost
from ledgerx.errors import InvalidMessage, LoginError, LoginTimeout, SocketDisconnected
from ledgerx.streaming_api import eto, seto
from ledgerx.streaming_api.aio import (
    READ_MODE_BUFFER_AND_DISPATCH,
    READ_MODE_BUFFER_FROM_SOCKET,
    READ_MODE_DISPATCH_FROM_BUFFER,
    AsyncSession,
    AsyncStreamingAPIClient,
)
from ledgerx.streaming_api.connection import SessionSettings
from ledgerx.streaming_api.core import CoreSettings
from ledgerx.streaming_api.payloads import admin, wrap

WAIT_S = 20.0


def client_of(server: Scripted, core: CoreSettings | None = None, **more: object) -> AsyncStreamingAPIClient:
    fields: dict[str, Any] = {"ssl": False, "socket_timeout": WAIT_S, "connect_timeout": WAIT_S, **more}
    made = SessionSettings("u", "p", host=server.host, port=server.port, **fields)
    return AsyncStreamingAPIClient(AsyncSession(made, core_settings=core))


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run to the end, which must come."""

    async def bounded() -> None:
        async with asyncio.timeout(WAIT_S):
            await work

    asyncio.run(bounded())


def until_gone(connection: socket.socket) -> None:
    """Answer the login and take what comes, until the client has gone."""
    end = GatewayEnd(connection)
    end.log_in()
    with contextlib.suppress(EOFError, OSError):
        while True:
            end.take()


class TestLogin:
    def test_a_login_of_a_client_that_is_logged_in_returns_at_once(self) -> None:
        async def work() -> None:
            client = client_of(server)
            await client.login()
            await client.login()
            assert client.check_login()
            await client.session.disconnect()

        with Scripted(until_gone) as server:
            run(work())

    def test_so_does_one_whose_answer_was_read_from_the_session(self) -> None:
        async def work() -> None:
            client = client_of(server)
            await client.session.connect()
            assert kinds([await client.session.next_frame()]) == ["eto.login_response"]
            await client.login()
            await client.session.disconnect()

        with Scripted(until_gone) as server:
            run(work())

    def test_two_logins_and_a_read_at_once_share_one_connection_and_its_answer(self) -> None:
        async def work() -> None:
            client = client_of(server)
            await client.session.connect()
            await asyncio.gather(client.read(), client.login(), client.login())
            await client.session.disconnect()

        with Scripted(until_gone) as server:
            run(work())

    def test_a_login_may_be_received_later(self) -> None:
        async def work() -> None:
            client = client_of(server)
            await client.login(receive=False)
            with pytest.raises(LoginTimeout):
                client.check_login()
            assert await client.read() == 1
            assert client.check_login()
            await client.session.disconnect()

        with Scripted(until_gone) as server:
            run(work())

    def test_a_venue_that_does_not_answer_in_socket_timeout_is_a_connection_error(self) -> None:
        released = threading.Event()

        async def work() -> None:
            client = client_of(server, socket_timeout=0.05)
            with pytest.raises(ConnectionLost, match="socket_timeout"):
                await client.login()
            assert not client.session.connected
            released.set()

        with Scripted(lambda connection: released.wait(WAIT_S) and None) as server:
            run(work())

    def test_a_venue_that_does_not_answer_in_login_timeout_is_a_login_timeout(self) -> None:
        released = threading.Event()

        async def work() -> None:
            with pytest.raises(LoginTimeout):
                await client_of(server, CoreSettings(login_timeout_s=0.05)).login()
            released.set()

        with Scripted(lambda connection: released.wait(WAIT_S) and None) as server:
            run(work())

    def test_a_refused_login_is_a_login_error_and_closes(self) -> None:
        def script(connection: socket.socket) -> None:
            end = GatewayEnd(connection)
            end.take()
            end.core.logout(0.0, eto.LOGOUT_UNAUTHORISED)
            end.flush()

        async def work() -> None:
            client = client_of(server)
            with pytest.raises(LoginError, match="UNAUTHORISED"):
                await client.login()
            assert not client.session.connected

        with Scripted(script) as server:
            run(work())


class TestLogout:
    def test_a_logout_may_leave_without_the_confirmation(self) -> None:
        def script(connection: socket.socket) -> None:
            end = GatewayEnd(connection)
            end.log_in()
            assert kinds([end.take()]) == ["eto.logout"]

        async def work() -> None:
            client = client_of(server)
            await client.login()
            await client.logout(receive=False)
            assert client.raw_socket is None
            with pytest.raises(SocketDisconnected):
                await client.logout(receive=False)

        with Scripted(script) as server:
            run(work())

    def test_a_logout_finds_room_in_a_full_queue_and_tells_what_came_before_it(self) -> None:
        heard: list[str] = []

        def script(connection: socket.socket) -> None:
            end = GatewayEnd(connection)
            end.log_in()
            end.send(*(wrap(seto.MarketQuotes(market_id=1)) for _ in range(5)))
            assert kinds([end.take()]) == ["eto.logout"]

        async def work() -> None:
            client = client_of(server, CoreSettings(queue_frames_max=6))
            client.add_global_handler(lambda name, message: heard.append(name))
            await client.login()
            await client.logout()

        with Scripted(script) as server:
            run(work())
        assert heard == ["eto.login_response", *["seto.market_quotes"] * 5, "eto.logout"]


class TestReading:
    def test_the_read_modes_are_those_of_the_client_of_threads(self) -> None:
        heard: list[str] = []

        def script(connection: socket.socket) -> None:
            end = GatewayEnd(connection)
            end.log_in()
            end.send(*(wrap(seto.MarketQuotes(market_id=1)) for _ in range(3)))
            end.take()  # until the client has read these
            end.send(admin(eto.PAYLOAD_PING))
            with contextlib.suppress(EOFError, OSError):
                while True:
                    end.take()

        async def work() -> None:
            client = client_of(server)
            client.add_global_handler(lambda name, message: heard.append(name))
            await client.login()
            assert await client.read(READ_MODE_BUFFER_FROM_SOCKET) == 0
            assert heard == ["eto.login_response"]
            assert await client.read(READ_MODE_BUFFER_AND_DISPATCH, 1) == 1
            assert await client.read(READ_MODE_BUFFER_AND_DISPATCH, 0) == 0
            while heard.count("seto.market_quotes") < 3:
                await client.read(READ_MODE_BUFFER_FROM_SOCKET)
                assert await client.read(READ_MODE_DISPATCH_FROM_BUFFER, limit=1) == 1
            assert await client.read(READ_MODE_DISPATCH_FROM_BUFFER) == 0
            client.send(order().order_create)
            assert client.output_buffer_size > 0
            await client.flush()
            assert client.output_buffer_size == 0
            assert await client.read() == 1
            assert heard[-1] == "eto.ping"
            await client.session.disconnect()

        with Scripted(script) as server:
            run(work())

    def test_filling_at_the_end_of_the_connection_is_socket_disconnected_once_all_is_dispatched(self) -> None:
        async def work() -> None:
            client = client_of(server)
            await client.login(receive=False)
            assert await client.read() == 1
            with pytest.raises(SocketDisconnected):
                await client.read(READ_MODE_BUFFER_FROM_SOCKET)

        with Scripted(lambda connection: GatewayEnd(connection).log_in() and None) as server:
            run(work())

    def test_what_no_payload_carries_is_refused(self) -> None:
        with Scripted() as server, pytest.raises(InvalidMessage):
            client_of(server).send(eto.Payload())


class TestFullQueue:
    def test_a_logout_takes_in_what_is_before_its_confirmation_however_much_it_is(self) -> None:
        answered = threading.Event()

        async def work() -> None:
            client = client_of(server, CoreSettings(queue_frames_max=1))
            await client.login()
            for reference in range(5):
                client.send(order(reference).order_create)
            await client.flush()
            heard: list[str] = []
            client.add_global_handler(lambda name, message: heard.append(name))
            assert await asyncio.to_thread(answered.wait, WAIT_S)
            await client.logout()
            assert heard.count("eto.pong") == 5

        def script(connection: socket.socket) -> None:
            end = GatewayEnd(connection)
            end.log_in()
            for _ in range(5):
                assert end.take().protobuf.type == seto.PAYLOAD_ORDER_CREATE
                end.core.send(admin(eto.PAYLOAD_PONG), 0.0)
            answered.set()
            assert kinds([end.take()]) == ["eto.logout"]  # all of them leave with its confirmation

        with Scripted(script) as server:
            run(work())
