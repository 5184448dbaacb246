"""The session under asyncio over real sockets: every wait ends, every buffer has an end, as with threads."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest
from pair import kinds, order, raw_frame
from scripted import GatewayEnd, Scripted

from ledgerx.errors import ConnectionError as ConnectionLost
from ledgerx.errors import InvalidField, QueueFull, SocketDisconnected
from ledgerx.streaming_api import eto, seto
from ledgerx.streaming_api.aio import AsyncSession
from ledgerx.streaming_api.connection import SessionSettings
from ledgerx.streaming_api.core import CoreSettings
from ledgerx.streaming_api.payloads import Frame, admin, wrap

WAIT_S = 20.0


def settings(server: Scripted, **more: object) -> SessionSettings:
    fields = {"username": "user", "password": "pass", "ssl": False, "socket_timeout": WAIT_S, **more}
    return SessionSettings(host=server.host, port=server.port, **fields)  # type: ignore[arg-type]


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run to the end, which must come."""

    async def bounded() -> None:
        async with asyncio.timeout(WAIT_S):
            await work

    asyncio.run(bounded())


class Silent:
    """A script that answers the login, takes nothing more and says nothing, until it is released."""

    def __init__(self, *, answer: bool = True) -> None:
        self._answer = answer
        self._released = threading.Event()

    def __call__(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        if self._answer:
            GatewayEnd(connection).log_in()
        self._released.wait(WAIT_S)

    def release(self) -> None:
        self._released.set()


async def logged_in(made: SessionSettings, **core: Any) -> AsyncSession:
    session = AsyncSession(made, core_settings=CoreSettings(**core))
    await session.connect()
    assert kinds([await session.next_frame()]) == ["eto.login_response"]
    return session


def big() -> seto.Payload:
    payload = order()
    payload.order_create.label = "x" * 100_000
    return payload


class TestEveryWaitEnds:
    @pytest.mark.parametrize("call", ["next_frame", "logout", "read"])
    def test_a_disconnect_ends_what_other_tasks_wait_for(self, call: str) -> None:
        silent = Silent()

        async def work() -> None:
            session = await logged_in(settings(server))
            waiting = getattr(session, call)
            found = await asyncio.gather(waiting(), session.disconnect(), return_exceptions=True)
            assert isinstance(found[0], SocketDisconnected)
            assert found[1] is None
            silent.release()

        with Scripted(silent) as server:
            run(work())

    def test_a_disconnect_ends_an_iteration_with_an_error_and_a_logout_without(self) -> None:
        async def all_of(session: AsyncSession) -> list[Frame]:
            return [frame async for frame in session]

        async def work() -> None:
            session = await logged_in(settings(server))
            found = await asyncio.gather(all_of(session), session.disconnect(), return_exceptions=True)
            assert isinstance(found[0], SocketDisconnected)
            session = await logged_in(settings(server))
            frames, _ = await asyncio.gather(all_of(session), session.logout())
            assert kinds(frames) == ["eto.logout"]

        def until_gone(connection: socket.socket) -> None:
            end = GatewayEnd(connection)
            end.log_in()
            with pytest.raises((EOFError, OSError)):
                end.take()

        with Scripted(until_gone, lambda c: (e := GatewayEnd(c)).log_in() and e.take() and None) as server:
            run(work())

    def test_a_disconnect_ends_a_connect(self) -> None:
        accepted, silent = threading.Event(), Silent(answer=False)

        def script(connection: socket.socket) -> None:
            accepted.set()
            silent(connection)

        async def work() -> None:
            session = AsyncSession(settings(server, ssl=True))
            connecting = asyncio.create_task(session.connect())
            assert await asyncio.to_thread(accepted.wait, WAIT_S)  # it waits for the handshake now
            await session.disconnect()
            with pytest.raises(SocketDisconnected):
                await connecting
            assert not session.connected
            silent.release()

        with Scripted(script) as server:
            run(work())

    def test_a_handshake_is_bounded_by_connect_timeout(self) -> None:
        silent = Silent(answer=False)

        async def work() -> None:
            session = AsyncSession(settings(server, ssl=True, connect_timeout=0.05))
            with pytest.raises(ConnectionLost, match="timed out"):
                await session.connect()
            silent.release()

        with Scripted(silent) as server:
            run(work())

    @pytest.mark.parametrize("call", ["next_frame", "logout", "read"])
    def test_a_venue_that_says_nothing_in_socket_timeout_is_a_connection_error(self, call: str) -> None:
        silent = Silent()

        async def work() -> None:
            session = await logged_in(settings(server))
            session.settings.socket_timeout = 0.05
            sock = session.raw_socket
            assert sock is not None
            with pytest.raises(ConnectionLost, match="socket_timeout"):
                await getattr(session, call)()
            assert not session.connected
            assert sock.fileno() < 0
            silent.release()

        with Scripted(silent) as server:
            run(work())

    def test_a_flush_is_bounded_by_socket_timeout_and_closes_the_connection(self) -> None:
        silent = Silent()

        async def work() -> None:
            session = await logged_in(settings(server))
            session.settings.socket_timeout = 0.3
            sock = session.raw_socket
            assert sock is not None
            for _ in range(160):
                session.send(big())
            with pytest.raises(ConnectionLost, match="socket_timeout"):
                await session.flush()
            assert not session.connected
            assert sock.fileno() < 0
            silent.release()

        with Scripted(silent) as server:
            run(work())

    def test_a_disconnect_closes_at_once_and_ends_a_flush(self) -> None:
        silent = Silent()

        async def work() -> None:
            session = await logged_in(settings(server))
            sock = session.raw_socket
            assert sock is not None
            for _ in range(160):
                session.send(big())
            found = await asyncio.gather(session.flush(), session.disconnect(), return_exceptions=True)
            assert isinstance(found[0], SocketDisconnected)
            assert sock.fileno() < 0
            silent.release()

        with Scripted(silent) as server:
            run(work())

    def test_a_wait_that_is_cancelled_disturbs_no_later_one(self) -> None:
        asked = threading.Event()

        def script(connection: socket.socket) -> None:
            end = GatewayEnd(connection)
            end.log_in()
            asked.wait(WAIT_S)
            end.send(admin(eto.PAYLOAD_PING))
            end.take()

        async def work() -> None:
            session = await logged_in(settings(server))
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(session.next_frame(), 0.01)
            asked.set()
            assert kinds([await session.next_frame()]) == ["eto.ping"]
            await session.disconnect()

        with Scripted(script) as server:
            run(work())


class TestBuffersEnd:
    def test_what_the_kernel_does_not_take_counts_and_is_bounded(self) -> None:
        silent, cap = Silent(), 1024 * 1024

        async def work() -> None:
            session = await logged_in(settings(server), output_bytes_max=cap)
            flushes: list[asyncio.Task[None]] = []
            with pytest.raises(QueueFull):  # noqa: PT012 - each is sent as far as the kernel takes it
                for _ in range(300):
                    session.send(big())
                    flushes.append(asyncio.create_task(session.flush()))
                    await asyncio.wait(flushes[-1:], timeout=0)
            assert cap < session.output_buffer_size < cap + 200_000
            await session.disconnect()
            ends = await asyncio.gather(*flushes, return_exceptions=True)
            assert isinstance(ends[-1], SocketDisconnected)
            silent.release()

        with Scripted(silent) as server:
            run(work())

    def test_nothing_is_read_above_queue_frames_max_until_frames_are_taken(self) -> None:
        count, cap, chunk = 5_000, 100, 1024
        frame = raw_frame(wrap(seto.MarketQuotes(market_id=1)), 2)

        def script(connection: socket.socket) -> None:
            GatewayEnd(connection).log_in()
            payload = wrap(seto.MarketQuotes(market_id=1))
            connection.sendall(b"".join(raw_frame(payload, seq) for seq in range(2, count + 2)))
            while connection.recv(1000):
                pass

        async def work() -> None:
            made = settings(server)
            made.read_chunksize = chunk
            session = await logged_in(made, queue_frames_max=cap)
            await session.read()
            for _ in range(2_000):
                await session.read()  # lets the loop turn
            held = 0
            while session.take_frame() is not None:
                held += 1
            assert cap <= held <= cap + chunk // len(frame)
            for _ in range(count - held):
                await session.next_frame()
            await session.disconnect()

        with Scripted(script) as server:
            run(work())

    def test_a_venue_is_not_taken_for_dead_while_nobody_takes_its_frames(self) -> None:
        def script(connection: socket.socket) -> None:
            end = GatewayEnd(connection)
            end.log_in()
            end.send(*(wrap(seto.MarketQuotes(market_id=1)) for _ in range(3)))
            assert kinds([end.take() for _ in range(8)]) == ["eto.heartbeat"] * 8
            beaten.set()

        beaten = threading.Event()

        async def work() -> None:
            session = await logged_in(settings(server), heartbeat_s=0.05, queue_frames_max=1)
            assert await asyncio.to_thread(beaten.wait, WAIT_S)
            for _ in range(3):
                assert kinds([await session.next_frame()]) == ["market_quotes"]
            await session.disconnect()

        with Scripted(script) as server:
            run(work())


class TestConnecting:
    def test_two_connects_at_once_open_one_connection(self) -> None:
        async def work(port: int) -> None:
            session = AsyncSession(SessionSettings("u", "p", host="127.0.0.1", port=port, ssl=False))
            await asyncio.gather(session.connect(), session.connect())
            await session.disconnect()

        opened: list[object] = []
        with socket.create_server(("127.0.0.1", 0)) as listener:
            address = listener.getsockname()
            run(work(address[1]))
            with socket.create_connection(address) as last:  # accepted after all that were made before
                while last.getsockname() not in opened:
                    connection, peer = listener.accept()
                    connection.close()
                    opened.append(peer)
        assert len(opened) == 2

    @pytest.mark.parametrize("more", [{"host": "a\0b"}, {"host": "a" * 300}], ids=repr)
    def test_nothing_that_is_no_address_escapes_as_another_error(self, more: dict[str, Any]) -> None:
        fields: dict[str, Any] = {"host": "127.0.0.1", "port": 1, "ssl": False, **more}

        async def work() -> None:
            with pytest.raises(ConnectionLost) as caught:
                await AsyncSession(SessionSettings("u", "p", **fields)).connect()
            assert caught.value.__cause__ is not None

        run(work())

    def test_a_port_above_16_bits_is_not_cut_to_another_one(self) -> None:
        async def work() -> None:
            made = settings(server, connect_timeout=WAIT_S)
            made.port += 65_536
            with pytest.raises(InvalidField, match="65535"):
                await AsyncSession(made).connect()

        with Scripted() as server:
            run(work())

    def test_what_waits_cannot_be_flushed_without_a_connection(self) -> None:
        async def work() -> None:
            session = AsyncSession(settings(server))
            session.send(order(7))
            with pytest.raises(SocketDisconnected):
                await session.flush()
            assert session.output_buffer_size > 0
            await session.connect()
            assert kinds([await session.next_frame()]) == ["eto.login_response"]
            await session.flush()
            await session.disconnect()
            with pytest.raises(SocketDisconnected):
                await session.flush()

        def script(connection: socket.socket) -> None:
            end = GatewayEnd(connection)
            end.log_in()
            assert end.take().protobuf.order_create.reference == 7

        with Scripted(script) as server:
            run(work())

    def test_a_connection_that_ended_is_not_connected_and_cannot_be_flushed(self) -> None:
        async def work() -> None:
            session = await logged_in(settings(server))
            with pytest.raises(SocketDisconnected):
                await session.next_frame()
            assert not session.connected
            for call in (session.flush, session.next_frame, session.read, session.logout):
                with pytest.raises(SocketDisconnected):
                    await call()  # type: ignore[operator]

        with Scripted(lambda connection: GatewayEnd(connection).log_in() and None) as server:
            run(work())

    def test_what_came_before_a_connection_broke_is_told_though_writing_found_it_broken(self) -> None:
        broken = threading.Event()

        def script(connection: socket.socket) -> None:
            end = GatewayEnd(connection)
            end.log_in()
            asked.wait(WAIT_S)
            end.send(wrap(seto.MarketQuotes(market_id=1)))
            end.core.logout(0.0, eto.LOGOUT_DOWNTIME)
            end.flush()
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            connection.close()
            broken.set()

        asked = threading.Event()

        async def work() -> None:
            session = await logged_in(settings(server))
            session.send(order())
            asked.set()
            broken.wait(WAIT_S)  # the loop stands still, and reads nothing
            with pytest.raises(SocketDisconnected, match="DOWNTIME"):
                await session.flush()
            assert kinds([await session.next_frame() for _ in range(2)]) == ["market_quotes", "eto.logout"]
            with pytest.raises(SocketDisconnected, match="DOWNTIME"):
                await session.next_frame()

        with Scripted(script) as server:
            run(work())

    @pytest.mark.parametrize("nodelay", [True, False])
    def test_the_socket_is_there_and_has_the_delay_of_the_settings(self, nodelay: bool) -> None:
        async def work() -> None:
            session = AsyncSession(settings(server, tcp_nodelay=nodelay))
            assert session.raw_socket is None
            await session.connect()
            sock = session.raw_socket
            assert sock is not None
            assert bool(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)) is nodelay
            await session.disconnect()
            assert session.raw_socket is None

        with Scripted(lambda connection: connection.recv(100) and None) as server:
            run(work())

    def test_ipv6_works(self) -> None:
        async def work() -> None:
            await (await logged_in(settings(server))).disconnect()

        with Scripted(lambda connection: GatewayEnd(connection).log_in() and None, host="::1") as server:
            run(work())


class TestTls:
    def test_what_tls_holds_is_read_though_the_socket_has_no_more(
        self, certificate: Path, server_tls: ssl.SSLContext
    ) -> None:
        count = 500

        def script(connection: socket.socket) -> None:
            GatewayEnd(connection).log_in()
            payload = wrap(seto.MarketQuotes(market_id=1))
            connection.sendall(b"".join(raw_frame(payload, seq) for seq in range(2, count + 2)))
            connection.recv(1000)

        async def work() -> None:
            made = settings(server, ssl=True, ssl_kwargs={"ca_certs": str(certificate)})
            made.read_chunksize = 100
            session = await logged_in(made, queue_frames_max=10)
            assert isinstance(session.raw_socket, ssl.SSLSocket)
            for _ in range(count):
                assert kinds([await session.next_frame()]) == ["market_quotes"]
            await session.disconnect()

        with Scripted(script, tls=server_tls) as server:
            run(work())

    def test_much_is_sent_whole_and_in_order(self, certificate: Path, server_tls: ssl.SSLContext) -> None:
        count = 300

        def script(connection: socket.socket) -> None:
            end = GatewayEnd(connection)
            end.log_in()
            for seq in range(2, count + 2):
                assert end.take().protobuf.eto_payload.seq == seq
            end.send(admin(eto.PAYLOAD_PING))

        async def work() -> None:
            made = settings(server, ssl=True, ssl_kwargs={"ca_certs": str(certificate)})
            session = await logged_in(made, output_bytes_max=2**26)
            for _ in range(count):
                session.send(big())
            await session.flush()
            assert session.output_buffer_size == 0
            assert kinds([await session.next_frame()]) == ["eto.ping"]
            await session.disconnect()

        with Scripted(script, tls=server_tls) as server:
            run(work())

    def test_an_untrusted_certificate_is_refused(self, server_tls: ssl.SSLContext) -> None:
        def script(connection: socket.socket) -> None:
            raise AssertionError("the handshake must have failed")

        async def work() -> None:
            with pytest.raises(ConnectionLost, match="ca_certs") as caught:
                await AsyncSession(settings(server, ssl=True)).connect()
            assert isinstance(caught.value.__cause__, ssl.SSLError)

        server = Scripted(script, tls=server_tls)
        with pytest.raises(ssl.SSLError), server:
            run(work())
