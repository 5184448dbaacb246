"""The session and its client under asyncio, from the same core::

    async with AsyncStreamingAPIClient(AsyncSession(settings)) as client:
        client.add_handler("seto.order_executed", on_executed)
        client.send(seto.OrderCreate(...))
        await client.flush()
        while True:
            await client.read()

Each object belongs to one event loop. Heartbeats are sent and answered by a task of the session.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import Any

from google.protobuf.message import Message

from ledgerx.clock import SYSTEM_CLOCK, Clock
from ledgerx.errors import ConnectionError as ConnectionLost
from ledgerx.errors import LoginError, SocketDisconnected
from ledgerx.streaming_api import eto_pb2 as eto
from ledgerx.streaming_api import seto_pb2 as seto
from ledgerx.streaming_api.callbacks import Callbacks
from ledgerx.streaming_api.connection import SessionSettings
from ledgerx.streaming_api.core import CoreSettings, Phase, Role, SessionCore
from ledgerx.streaming_api.payloads import Frame, admin, wrap
from ledgerx.streaming_api.session import login_of
from ledgerx.streaming_api.tls import client_context

__all__ = ["AsyncSession", "AsyncStreamingAPIClient"]


class AsyncSession:
    """As `session.Session`: one sequenced session, which a new connection resumes."""

    def __init__(
        self,
        settings: SessionSettings,
        account_sequence: int | None = None,
        *,
        core_settings: CoreSettings | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self.settings = settings
        self._core_settings = core_settings
        self._clock = clock
        self._core = self._new_core(account_sequence)
        self._writer: asyncio.StreamWriter | None = None
        self._task: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()

    async def __aenter__(self) -> AsyncSession:
        await self.connect()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.disconnect()

    async def __aiter__(self) -> AsyncIterator[Frame]:
        while True:
            try:
                yield await self.next_frame()
            except SocketDisconnected:
                if self._core.closed_by is None:
                    return  # logged out
                raise

    @property
    def connected(self) -> bool:
        """Whether there is a connection, as far as is known."""
        return self._writer is not None and not self._core.over

    @property
    def session(self) -> str:
        """The session's name, from the answer to the login; empty before."""
        return self._core.session

    @property
    def account_sequence(self) -> int | None:
        """The largest sequence of the account among the frames delivered."""
        return self._core.account_sequence

    @property
    def output_buffer_size(self) -> int:
        """How many bytes wait to be sent."""
        return self._core.output_bytes

    async def connect(self) -> None:
        """Connect and send the login, if not connected already. Raises the streaming ConnectionError."""
        login = login_of(self.settings)
        if self.connected:
            return
        await self.disconnect()
        settings = self.settings
        context = client_context(settings.ssl_kwargs) if settings.ssl else None
        name = settings.ssl_kwargs.get("server_hostname", settings.host) if settings.ssl else None
        opening = asyncio.open_connection(settings.host, settings.port, ssl=context, server_hostname=name)
        try:
            reader, self._writer = await asyncio.wait_for(opening, settings.connect_timeout)
        except (OSError, TimeoutError, ValueError) as error:
            where = f"{settings.host}:{settings.port}"
            raise ConnectionLost(f"cannot connect to {where}: {error or 'timed out'}") from error
        if self._core.phase is not Phase.CONNECTED:
            self._core = self._new_core(self._core.account_sequence)
        self._core.login(login, self._clock.monotonic())
        self._write()
        self._task = asyncio.get_running_loop().create_task(self._run(self._core, reader))

    async def disconnect(self) -> None:
        """Close the connection and forget what came and was not read."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()
            with contextlib.suppress(OSError, TimeoutError):
                await asyncio.wait_for(writer.wait_closed(), self.settings.connect_timeout)
        if self._core.phase is not Phase.CONNECTED:
            self._core = self._new_core(self._core.account_sequence)

    async def logout(self) -> None:
        """Say that the session ends, wait for the confirmation, and close. What came before can be read."""
        if not self.connected:
            raise SocketDisconnected("there is no session to log out of: connect() first")
        core = self._core
        while core.phase is Phase.LOGIN:
            await self._wait()
        core.logout(self._clock.monotonic())
        self._write()
        while not core.over:
            await self._wait()
        if core.closed_by is not None:
            raise core.closed_by

    def send(self, payload: seto.Payload) -> None:
        """Number a payload and put it into the buffer; before the login's answer it waits.

        Raises SocketDisconnected when the session is over, QueueFull where too much waits.
        """
        self._core.send(payload, self._clock.monotonic())

    async def flush(self) -> None:
        """Send all that is in the buffer; returns when the transport took it. Raises the streaming errors."""
        self._write()
        if self._writer is not None:
            try:
                await self._writer.drain()
            except OSError as error:
                self._core.lost(ConnectionLost(f"writing to {self.settings.host} failed: {error}"))
                raise self._core.closed_by or SocketDisconnected("the session is over") from error

    async def next_frame(self) -> Frame:
        """The next payload in order. Raises the streaming errors where nothing more will come."""
        while (frame := self._core.next_frame()) is None:
            if self._core.over:
                raise self._core.closed_by or SocketDisconnected("the session is over")
            if self._writer is None:
                raise SocketDisconnected("reading a session that is not connected: connect() first")
            await self._wait()
        return frame

    def take_frame(self) -> Frame | None:
        """The next payload, None where none is there now."""
        return self._core.next_frame()

    # ------------------------------------------------------------------ within

    def _new_core(self, account_sequence: int | None) -> SessionCore:
        return SessionCore(
            Role.CLIENT,
            self._clock.monotonic(),
            settings=self._core_settings,
            account_sequence=account_sequence,
        )

    async def _run(self, core: SessionCore, reader: asyncio.StreamReader) -> None:
        """Take in what comes, and do what is due."""
        reading: asyncio.Task[bytes] | None = None
        try:
            while not core.over:
                now = self._clock.monotonic()
                due = core.tick(now)
                if core.urgent:
                    self._write()
                if reading is None:
                    reading = asyncio.ensure_future(reader.read(self.settings.read_chunksize))
                done, _ = await asyncio.wait([reading], timeout=max(0.0, due - now))
                if done:
                    data, reading = reading.result(), None
                    core.receive(data, self._clock.monotonic()) if data else core.receive_eof()
                    if core.urgent:
                        self._write()
                self._wake()
        except OSError as error:
            core.lost(ConnectionLost(f"reading from {self.settings.host} failed: {error}"))
        finally:
            if reading is not None:
                reading.cancel()
            if self._writer is not None:
                self._writer.close()
            self._wake()

    def _write(self) -> None:
        writer, core = self._writer, self._core
        if writer is not None and core.output:
            data = bytes(core.output)
            writer.write(data)
            core.sent(len(data))

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def _wait(self) -> None:
        await self._changed.wait()


class AsyncStreamingAPIClient:
    """As `client.StreamingAPIClient`. A handler may be a coroutine function: it is awaited."""

    def __init__(self, session: AsyncSession) -> None:
        self.session = session
        self.last_login: seto.Payload | None = None
        self._callbacks = Callbacks()

    async def __aenter__(self) -> AsyncStreamingAPIClient:
        await self.login()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None and self.session.connected:
            await self.logout()
        await self.session.disconnect()

    async def login(self) -> None:
        """Connect, log in and wait for the answer. Raises ConnectionError, LoginError, LoginTimeout."""
        self.last_login = None
        await self.session.connect()
        while self.last_login is None:
            await self.read(limit=1)
        if self.last_login.eto_payload.type == eto.PAYLOAD_LOGOUT:
            reason = self.last_login.eto_payload.logout.reason
            await self.session.disconnect()
            raise LoginError(reason, eto.LogoutReason.Name(reason))

    async def logout(self) -> None:
        """Log out and disconnect. What came before is dispatched."""
        try:
            await self.session.logout()
        finally:
            while (frame := self.session.take_frame()) is not None:
                await self._dispatch(frame)
            await self.session.disconnect()

    async def read(self, limit: int | None = None) -> int:
        """Wait for a frame, and dispatch it and those that are there, at most `limit`; how many they were."""
        frame: Frame | None = await self.session.next_frame()
        dispatched = 0
        while frame is not None:
            await self._dispatch(frame)
            dispatched += 1
            frame = None if dispatched == limit else self.session.take_frame()
        return dispatched

    def send(self, message: Message) -> None:
        """Put a message such as seto.OrderCreate into the buffer, as the payload of its class."""
        self.session.send(wrap(message))

    async def flush(self) -> None:
        """Send all that waits."""
        await self.session.flush()

    def ping(self) -> None:
        """Put a PING into the buffer; the answer is an eto.pong."""
        self.session.send(admin(eto.PAYLOAD_PING))

    def add_handler(self, name: str, callback: Callable[..., Any]) -> None:
        """Have `callback(message=payload)` called for payloads of a name. As the client of threads."""
        self._callbacks.add(name, callback)

    def add_global_handler(self, callback: Callable[..., Any]) -> None:
        """Have `callback(name=name, message=frame)` called for every payload."""
        self._callbacks.add_global(callback)

    def del_handler(self, name: str, callback: Callable[..., Any]) -> None:
        """Take a handler away. Raises InvalidCallbackError."""
        self._callbacks.remove(name, callback)

    def del_global_handler(self, callback: Callable[..., Any]) -> None:
        """Take a global handler away."""
        self._callbacks.remove_global(callback)

    async def _dispatch(self, frame: Frame) -> None:
        payload = frame.protobuf
        if payload.type == seto.PAYLOAD_ETO and payload.eto_payload.type in (
            eto.PAYLOAD_LOGIN_RESPONSE,
            eto.PAYLOAD_LOGOUT,
        ):
            self.last_login = payload
        await self._callbacks.dispatch_async(frame)
