"""A client with callbacks under asyncio: as `client.StreamingAPIClient`, awaited."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable
from types import TracebackType
from typing import Any, ClassVar, Self

from google.protobuf.message import Message

from ledgerx.errors import LoginError, LoginTimeout
from ledgerx.streaming_api import eto_pb2 as eto
from ledgerx.streaming_api import seto_pb2 as seto
from ledgerx.streaming_api.aio_session import AsyncSession
from ledgerx.streaming_api.callbacks import CALLBACKS, Callbacks
from ledgerx.streaming_api.client import (
    READ_MODE_BUFFER_AND_DISPATCH,
    READ_MODE_BUFFER_FROM_SOCKET,
    READ_MODE_DISPATCH_FROM_BUFFER,
)
from ledgerx.streaming_api.payloads import Frame, admin, wrap

__all__ = ["AsyncStreamingAPIClient"]


class AsyncStreamingAPIClient:
    """Calls handlers for what a session receives, and sends messages by their class.

    A handler may be a coroutine function: it is awaited. `last_login` is the payload that answered the login:
    a login response, or the logout that refused it. An `async with` block logs in, and logs out at its end.
    """

    CALLBACKS: ClassVar[list[str]] = list(CALLBACKS)

    def __init__(self, session: AsyncSession) -> None:
        self.session = session
        self.last_login: seto.Payload | None = None
        self._callbacks = Callbacks()

    async def __aenter__(self) -> Self:
        await self.login()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None and self.session.connected:
            await self.logout()
        await self.session.disconnect()

    # ------------------------------------------------------------------ login and logout

    async def login(self, receive: bool = True) -> None:
        """Connect and log in; with `receive`, wait for the answer. Returns at once where it is logged in.

        Raises the streaming ConnectionError, LoginError where it is refused, LoginTimeout without an answer.
        """
        if not self.session.connected:
            self.last_login = None
        await self.session.connect()
        if receive:
            await self._receive_login()

    async def _receive_login(self) -> None:
        """Dispatch up to the login's answer, and judge it."""
        session = self.session
        while self.last_login is None:
            if (frame := session.take_frame()) is not None:
                await self._dispatch(frame)
            elif session.logged_in:
                return  # another task reads, or who logged in the session before had the answer
            else:
                await session.read()
        try:
            self.check_login()
        except LoginError:
            await session.disconnect()
            raise

    def check_login(self) -> bool:
        """True where the login was accepted. Raises LoginTimeout before its answer was read, LoginError."""
        if self.last_login is None:
            raise LoginTimeout("no answer to the login was read: read() first")
        if self.last_login.eto_payload.type == eto.PAYLOAD_LOGOUT:
            reason = self.last_login.eto_payload.logout.reason
            raise LoginError(reason, eto.LogoutReason.Name(reason))
        return True

    async def logout(self, receive: bool = True) -> None:
        """Log out and disconnect, with `receive` after the confirmation. What came before is dispatched.

        Raises the streaming errors where the connection fails first.
        """
        self.last_login = None
        await self._dispatch_buffered(sys.maxsize)  # so that there is room for the confirmation
        try:
            if receive:
                await self.session.logout()
            else:
                await self.session.send_logout()
        finally:
            await self._dispatch_buffered(sys.maxsize)
            await self.session.disconnect()

    # ------------------------------------------------------------------ in and out

    @property
    def raw_socket(self) -> socket.socket | None:
        """The session's socket, which nothing else must read."""
        return self.session.raw_socket

    @property
    def output_buffer_size(self) -> int:
        """How many bytes wait to be sent."""
        return self.session.output_buffer_size

    async def read(self, read_mode: int = READ_MODE_BUFFER_AND_DISPATCH, limit: int = sys.maxsize) -> int:
        """Wait until something is there (1), dispatch at most `limit` frames that are (2), or both (3).

        The session reads by itself: (3) waits for a frame only where none is there. Returns how many were
        dispatched. Raises as `AsyncSession.next_frame`.
        """
        if not read_mode & READ_MODE_DISPATCH_FROM_BUFFER:
            if read_mode & READ_MODE_BUFFER_FROM_SOCKET:
                await self.session.read()
            return 0
        if not read_mode & READ_MODE_BUFFER_FROM_SOCKET:
            return await self._dispatch_buffered(limit)
        if limit <= 0:
            return 0
        await self._dispatch(await self.session.next_frame())
        return 1 + await self._dispatch_buffered(limit - 1)

    async def flush(self) -> None:
        """Send all that waits. Raises as `AsyncSession.flush`."""
        await self.session.flush()

    def send(self, message: Message) -> None:
        """Put a message such as seto.OrderCreate into the buffer, as the payload of its class.

        Raises InvalidMessage for what no payload carries, and as `AsyncSession.send`.
        """
        self.session.send(wrap(message))

    def ping(self) -> None:
        """Put a PING into the buffer; the answer is an eto.pong."""
        self.session.send(admin(eto.PAYLOAD_PING))

    # ------------------------------------------------------------------ handlers

    def add_handler(self, name: str, callback: Callable[..., Any]) -> None:
        """Have `callback(message=payload)` called for payloads named `name`, one of CALLBACKS.

        Raises InvalidCallbackError, and ValueError for what is no callable.
        """
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

    async def _dispatch_buffered(self, limit: int) -> int:
        dispatched = 0
        while dispatched < limit and (frame := self.session.take_frame()) is not None:
            await self._dispatch(frame)
            dispatched += 1
        return dispatched

    async def _dispatch(self, frame: Frame) -> None:
        payload = frame.protobuf
        if payload.type == seto.PAYLOAD_ETO and payload.eto_payload.type in (
            eto.PAYLOAD_LOGIN_RESPONSE,
            eto.PAYLOAD_LOGOUT,
        ):
            self.last_login = payload
        await self._callbacks.dispatch_async(frame)
