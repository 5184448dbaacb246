"""A client with callbacks under asyncio: as `client.StreamingAPIClient`, awaited."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Self

from ledgerx.errors import LoginError
from ledgerx.streaming_api.aio_session import AsyncSession
from ledgerx.streaming_api.base_client import BaseClient
from ledgerx.streaming_api.client import (
    READ_MODE_BUFFER_AND_DISPATCH,
    READ_MODE_BUFFER_FROM_SOCKET,
    READ_MODE_DISPATCH_FROM_BUFFER,
)
from ledgerx.streaming_api.payloads import Frame

__all__ = ["AsyncStreamingAPIClient"]


class AsyncStreamingAPIClient(BaseClient[AsyncSession]):
    """Calls handlers for what a session receives, and sends messages by their class.

    A handler may be a coroutine function: it is awaited. `last_login` is the payload that answered the login:
    a login response, or the logout that refused it. An `async with` block logs in, and logs out at its end.
    """

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

    async def logout(self, receive: bool = True) -> None:
        """Log out and disconnect, with `receive` after the confirmation. What came before is dispatched.

        Raises the streaming errors where the connection fails first.
        """
        self.last_login = None
        try:
            if receive:
                await self.session.logout()
            else:
                await self.session.send_logout()
        finally:
            await self._dispatch_buffered(sys.maxsize)
            await self.session.disconnect()

    # ------------------------------------------------------------------ in and out

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

    async def _dispatch_buffered(self, limit: int) -> int:
        dispatched = 0
        while dispatched < limit and (frame := self.session.take_frame()) is not None:
            await self._dispatch(frame)
            dispatched += 1
        return dispatched

    async def _dispatch(self, frame: Frame) -> None:
        self._note(frame.protobuf)
        await self._callbacks.dispatch_async(frame)
