"""What a task that is cancelled or closes gives up under asyncio, and what goes on all the same."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import AsyncIterator, Coroutine, Generator
from typing import Any

import pytest
from pair import kinds, order
from scripted import GatewayEnd, Scripted

from ledgerx.clock import SYSTEM_CLOCK
from ledgerx.errors import InvalidField, SocketDisconnected
from ledgerx.streaming_api import eto, seto
from ledgerx.streaming_api.aio import AsyncReconnectingClient, AsyncSession, AsyncStreamingAPIClient
from ledgerx.streaming_api.connection import SessionSettings
from ledgerx.streaming_api.payloads import admin, wrap
from ledgerx.streaming_api.reconnecting import ReconnectingClient
from ledgerx.streaming_api.session import Session

WAIT_S = 5.0


def settings(host: str, port: int) -> SessionSettings:
    return SessionSettings(
        "u", "p", host=host, port=port, ssl=False, socket_timeout=WAIT_S, connect_timeout=WAIT_S
    )


@contextlib.asynccontextmanager
async def client_at(host: str, port: int) -> AsyncIterator[AsyncReconnectingClient]:
    """A client that is closed at the end, whatever became of it."""
    client = AsyncReconnectingClient(
        AsyncSession(settings(host, port)), backoff_first_s=0.001, backoff_max_s=0.002
    )
    try:
        yield client
    finally:
        await client.close()


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run to the end, which must come, and which leaves no task behind."""

    async def bounded() -> None:
        async with asyncio.timeout(WAIT_S):
            await work
            while len(asyncio.all_tasks()) > 1:
                await Turn()  # what was cancelled ends in the next turns of the loop

    asyncio.run(bounded())


class Turn:
    """Awaited, a turn of the loop."""

    def __await__(self) -> Generator[None, None, None]:
        yield


class Venue:
    """A script that answers the login once it is let to, accepts settings, and notes what it is sent."""

    def __init__(self, *, lets: bool = True) -> None:
        self.asked = threading.Event()
        self.let = threading.Event()
        self.took: list[seto.Payload] = []
        if lets:
            self.let.set()

    def __call__(self, connection: socket.socket) -> None:
        end = GatewayEnd(connection)
        with contextlib.suppress(EOFError, OSError):
            end.take()
            self.asked.set()
            assert self.let.wait(WAIT_S)
            end.core.accept("s-1", SYSTEM_CLOCK.monotonic())
            end.flush()
            while True:
                frame = end.take()
                self.took.append(frame.protobuf)
                if kinds([frame]) == ["settings"]:
                    end.send(wrap(seto.SettingsAccepted(cancel_all_on_failure=False)))
                elif kinds([frame]) == ["eto.logout"]:
                    return

    @property
    def markets(self) -> list[int]:
        return [p.market_subscribe.market_id for p in self.took if p.type == seto.PAYLOAD_MARKET_SUBSCRIBE]


class UntilGone:
    """A script that takes the login and answers nothing, until the client has gone."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.gone = threading.Event()

    def __call__(self, connection: socket.socket) -> None:
        end = GatewayEnd(connection)
        end.take()
        self.asked.set()
        with pytest.raises((EOFError, OSError)):
            end.take()
        self.gone.set()


def lose_after_an_order(connection: socket.socket) -> None:
    """Answer the login, and close once an order came."""
    end = GatewayEnd(connection)
    end.log_in()
    while kinds([end.take()]) != ["order_create"]:
        pass


class TestCancelled:
    def test_a_read_that_is_cancelled_while_the_session_is_resumed_does_not_end_the_resumption(self) -> None:
        slow = Venue(lets=False)  # its answer takes longer than any of the reads waits

        async def work() -> None:
            told: list[list[seto.OrderCreate]] = []
            async with client_at(server.host, server.port) as client:
                client.add_reconnect_handler(told.append)
                client.subscribe(7)
                await client.login()
                reference = client.order(order().order_create)
                await client.flush()
                cancelled = 0
                while not told:
                    try:
                        await asyncio.wait_for(client.read(), 0.02)
                    except TimeoutError:
                        cancelled += 1
                    if cancelled >= 5 and slow.asked.is_set():
                        slow.let.set()
                assert cancelled >= 5
                assert client.session.logged_in
                assert client.reconnects == 1
                assert [[asked.reference for asked in in_doubt] for in_doubt in told] == [[reference]]
                await client.logout()

        with Scripted(lose_after_an_order, slow) as server:
            run(work())
        # The second connection lived up to the logout, so there was no third.
        assert [seto.PayloadType.Name(payload.type) for payload in slow.took] == [
            "PAYLOAD_MARKET_SUBSCRIBE",
            "PAYLOAD_SETTINGS",
            "PAYLOAD_ETO",
        ]
        assert slow.markets == [7]

    def test_a_login_that_is_cancelled_is_given_up(self) -> None:
        mute, venue = UntilGone(), Venue()

        async def work() -> None:
            async with client_at(server.host, server.port) as client:
                client.subscribe(7)
                login = asyncio.create_task(client.login())
                assert await asyncio.to_thread(mute.asked.wait, WAIT_S)
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(login, 0.1)
                assert not client.session.connected
                assert await asyncio.to_thread(mute.gone.wait, WAIT_S)
                await client.login()
                assert client.session.logged_in
                assert client.reconnects == 0
                await client.logout()

        with Scripted(mute, venue) as server:
            run(work())
        assert venue.markets == [7]


class TestClose:
    def test_a_close_beside_a_connect_is_not_lost(self) -> None:
        rounds = 300

        async def work(port: int) -> None:
            for turns in range(rounds):
                async with client_at("127.0.0.1", port) as client:
                    login = asyncio.create_task(client.login())
                    for _ in range(turns % 10):
                        await Turn()
                    await client.close()
                    with pytest.raises(SocketDisconnected):
                        await login  # which nobody answers
                    assert not client.session.connected
                    assert client.raw_socket is None

        # The kernel connects; nobody accepts.
        with socket.create_server(("127.0.0.1", 0), backlog=2 * rounds) as listener:
            run(work(listener.getsockname()[1]))


class TestLogout:
    @pytest.mark.parametrize("kind", [AsyncStreamingAPIClient, AsyncReconnectingClient])
    def test_logout_is_said_however_slow_the_handlers_are(self, kind: type[AsyncStreamingAPIClient]) -> None:
        heard: list[str] = []

        def script(connection: socket.socket) -> None:
            end = GatewayEnd(connection)
            end.log_in()
            for _ in range(50):
                if kinds([end.take()]) == ["eto.logout"]:
                    return  # confirmed
                end.send(admin(eto.PAYLOAD_PONG))
            raise AssertionError("the handlers were waited for before the logout was said")

        async def work() -> None:
            client = kind(AsyncSession(settings(server.host, server.port)))

            async def slow(name: str, message: object) -> None:
                """Return when the next frame is there."""
                heard.append(name)
                with contextlib.suppress(SocketDisconnected):
                    client.send(order().order_create)
                    await client.session.flush()
                    await client.session.read()

            await client.login()
            client.add_global_handler(slow)
            client.send(order().order_create)
            await client.flush()
            await client.session.read()
            await client.logout()
            assert not client.session.connected

        with Scripted(script) as server:
            run(work())
        assert heard[0] == "eto.pong"
        assert heard[-1] == "eto.logout"


class TestReconnecting:
    def test_a_read_before_any_login_is_no_reconnect(self) -> None:
        venue = Venue()

        async def work() -> None:
            told: list[object] = []
            async with client_at(server.host, server.port) as client:
                client.add_reconnect_handler(told.append)
                client.subscribe(7)
                await client.read()
                assert client.session.logged_in
                assert client.reconnects == 0
                await client.logout()  # what came is dispatched
            assert told == []

        with Scripted(venue) as server:
            run(work())
        assert venue.markets == [7]

    @pytest.mark.parametrize("handler", [5, None, "handler"], ids=repr)
    def test_what_is_no_callable_is_no_reconnect_handler(self, handler: Any) -> None:
        async def work() -> None:
            async with client_at("127.0.0.1", 1) as client:
                with pytest.raises(InvalidField):
                    client.add_reconnect_handler(handler)

        run(work())

    @pytest.mark.parametrize("market", [2**70, "1", None], ids=repr)
    def test_a_market_that_is_no_number_is_not_kept(self, market: Any) -> None:
        def refuses(client: AsyncReconnectingClient | ReconnectingClient) -> None:
            with pytest.raises(InvalidField):
                client.subscribe(market)

        async def work() -> None:
            async with client_at(server.host, server.port) as client:
                refuses(client)
                client.subscribe(7)
                await client.login()
                refuses(client)
                await client.logout()
                await client.login()
                await client.logout()

        refuses(AsyncReconnectingClient(AsyncSession(settings("127.0.0.1", 1))))
        refuses(ReconnectingClient(Session(settings("127.0.0.1", 1))))
        venues = [Venue() for _ in range(4)]
        with Scripted(*venues) as server:
            run(work())
            with contextlib.closing(
                ReconnectingClient(Session(settings(server.host, server.port)))
            ) as client:
                refuses(client)
                client.subscribe(7)
                client.login()
                refuses(client)
                client.logout()
                client.login()
                client.logout()
        assert [venue.markets for venue in venues] == [[7]] * 4
