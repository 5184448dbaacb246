"""A client under asyncio that logs in again when its session is lost, and goes on where it was.

The rules are those of `reconnecting.ReconnectingClient`::

    async with AsyncReconnectingClient(AsyncSession(settings)) as client:
        client.add_reconnect_handler(lambda in_doubt: ...)
        reference = client.order(seto.OrderCreate(...))
        await client.flush()
        while True:
            await client.read()
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import sys
from collections.abc import Callable
from types import TracebackType
from typing import Any

from google.protobuf.message import Message

from ledgerx.clock import SYSTEM_CLOCK, Clock
from ledgerx.errors import Error, LoginError, SocketDisconnected
from ledgerx.streaming_api import seto_pb2 as seto
from ledgerx.streaming_api.aio_client import AsyncStreamingAPIClient
from ledgerx.streaming_api.aio_session import AsyncSession
from ledgerx.streaming_api.callbacks import checked_callback
from ledgerx.streaming_api.client import READ_MODE_BUFFER_AND_DISPATCH
from ledgerx.streaming_api.payloads import Frame
from ledgerx.streaming_api.reconnection import (
    BACKOFF_FIRST_S,
    BACKOFF_MAX_S,
    LOST,
    Backoff,
    Resumption,
    is_refusal,
    market_message,
)

__all__ = ["AsyncReconnectingClient"]

_LOGGER = logging.getLogger(__name__)
_FAILED = (LoginError, *LOST)


class AsyncReconnectingClient(AsyncStreamingAPIClient):
    """As AsyncStreamingAPIClient, for a program that runs for days.

    Args:
        session: not connected yet.
        backoff_first_s: the wait after the first failure; half to all of it, by chance.
        backoff_max_s: up to which it doubles with each failure more in a row.
        attempts_max: logins in a row that may fail; None: no limit.

    `read`, `flush` and `login` log in again where the connection fails: one task does, others wait for it.
    They raise LoginError for a refusal that stays one (UNAUTHORISED, UNVERIFIED), the last error after
    `attempts_max`, and SocketDisconnected after `logout`, `close` or the end of an `async with` block.

    Between two sessions subscriptions and settings are remembered, while `order` and `send` raise
    SocketDisconnected: what is asked must not arrive at a time of its own. Before the first login they hold.

    """

    def __init__(
        self,
        session: AsyncSession,
        *,
        backoff_first_s: float = BACKOFF_FIRST_S,
        backoff_max_s: float = BACKOFF_MAX_S,
        attempts_max: int | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        super().__init__(session)
        self._backoff = Backoff(backoff_first_s, backoff_max_s, attempts_max)
        self._clock = clock
        # Microseconds: references grow from one start of a program to the next.
        self._kept = Resumption(clock.wall_ns() // 1000, session.account_sequence)
        self._attempt: asyncio.Task[None] | None = None  # what logs in, or did last
        self._refusal: Error | None = None  # a login's that was refused for good
        self._logged_in_at = 0.0
        self._logins = 0
        self._ended = asyncio.Event()
        self._closed = False
        self._handlers: list[Callable[[list[seto.OrderCreate]], Any]] = []
        self.reconnects = 0

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        await super().__aexit__(kind, error, trace)
        await self._attempt_over()

    # ------------------------------------------------------------------ what is asked

    def subscribe(self, market_id: int) -> None:
        """Subscribe to a market, now and after each login. Raises InvalidField for what is no id."""
        message = market_message(seto.MarketSubscribe, market_id)
        self._kept.subscribe(market_id)
        if self.session.logged_in:
            super().send(message)

    def unsubscribe(self, market_id: int) -> None:
        """End a subscription. Raises InvalidField for what is no id."""
        message = market_message(seto.MarketUnsubscribe, market_id)
        self._kept.unsubscribe(market_id)
        if self.session.logged_in:
            super().send(message)

    def order(self, order: seto.OrderCreate) -> int:
        """Put an order into the buffer; its reference, an unused one where it has none.

        Raises InvalidField for a reference that an unanswered order has, and as `send`.
        """
        asked = self._kept.order(order, self.session.number)
        try:
            self.send(asked)
        except BaseException:
            self._kept.forget(asked.reference)
            raise
        return asked.reference

    @property
    def in_doubt(self) -> list[seto.OrderCreate]:
        """The orders that nothing has been heard of yet, in the order they were sent."""
        return self._kept.unanswered

    def add_reconnect_handler(self, callback: Callable[[list[seto.OrderCreate]], Any]) -> None:
        """Have `callback(in_doubt)` called after each new login once all that was missed is dispatched.

        `in_doubt` are the orders of which the account's messages still say nothing. Most never arrived; one
        that the network held back may still be accepted, and is then told as any other. A callback may be a
        coroutine function; one that raises is reported to the log and keeps no other from being called.
        Raises InvalidField (a ValueError) for what is no callable.
        """
        self._handlers.append(checked_callback(callback))

    def send(self, message: Message) -> None:
        """As AsyncStreamingAPIClient.send; the latest settings are sent again after each login."""
        if isinstance(message, seto.Settings):
            self._kept.keep_settings(message)
            if not self.session.logged_in:
                return  # the next login sends them
        elif self._logins and not self.session.logged_in:
            raise SocketDisconnected("the session is lost and not resumed yet: nothing is sent")
        super().send(message)

    # ------------------------------------------------------------------ the session

    async def login(self, receive: bool = True) -> None:
        """Log in, as often as it takes. Returns at once where it is logged in."""
        _ = receive  # a login that is not waited for could not be repeated
        if self._closed:
            raise SocketDisconnected("the client was closed")
        if self._attempt is asyncio.current_task():
            return  # a handler asks within the login
        self._ended.clear()
        self._refusal = None
        if self.session.logged_in and not self._is_attempting():
            return
        begins = not self._is_attempting()
        if begins:
            await self._dispatch_buffered(sys.maxsize)
        try:
            await self._attempted(None)
        except asyncio.CancelledError:
            if begins and self._attempt is not None:
                self._attempt.cancel()  # who gives this up wants no session
            raise

    async def logout(self, receive: bool = True) -> None:
        """As AsyncStreamingAPIClient.logout; tasks that read end with SocketDisconnected."""
        self._ended.set()
        if not self.session.logged_in:
            await self.session.disconnect()  # ends a connecting that is under way
        await super().logout(receive)

    async def close(self) -> None:
        """Disconnect, and do not connect again."""
        self._closed = True
        self._ended.set()
        await self.session.disconnect()
        await self._attempt_over()

    async def read(self, read_mode: int = READ_MODE_BUFFER_AND_DISPATCH, limit: int = sys.maxsize) -> int:
        """As AsyncStreamingAPIClient.read; a session that is lost is replaced, and the call returns."""
        logins = self._logins
        try:
            return await super().read(read_mode, limit)
        except _FAILED as error:
            dispatched = await self._dispatch_buffered(limit)
            if not dispatched or limit == sys.maxsize:  # else the next call replaces it
                await self._resume(error, logins)
            return dispatched

    async def flush(self) -> None:
        """As AsyncStreamingAPIClient.flush; a lost session is replaced, and orders on their way are in doubt.

        Returns once the new session is there: what was in the buffer of the lost one is not sent again.
        """
        logins = self._logins
        try:
            await super().flush()
        except _FAILED as error:
            await self._dispatch_buffered(sys.maxsize)
            await self._resume(error, logins)

    # ------------------------------------------------------------------ within

    async def _resume(self, error: Error, logins: int) -> None:
        """Replace a session that was lost after so many logins, unless another task did or does."""
        if self._ended.is_set():
            raise SocketDisconnected("the client logged out or was closed") from error
        if is_refusal(error) or self._attempt is asyncio.current_task():
            raise error  # a handler within the login must not wait for it
        if self._refusal is not None:
            raise self._refusal
        if self._logins == logins:
            if not self._is_attempting():
                _LOGGER.warning("the session is lost and will be resumed: %s", error)
            await self._attempted(error if self._logins else None)

    def _is_attempting(self) -> bool:
        return self._attempt is not None and not self._attempt.done()

    async def _attempted(self, lost: Error | None) -> None:
        """Wait for the login that is under way, or begin one; a wait that is cancelled does not end it."""
        while True:
            if not self._is_attempting():
                self._attempt = asyncio.get_running_loop().create_task(self._log_in_again(lost))
                self._attempt.add_done_callback(_look_at)
            attempt = self._attempt
            assert attempt is not None
            try:
                await asyncio.shield(attempt)
                return
            except asyncio.CancelledError:
                task = asyncio.current_task()
                if not attempt.cancelled() or (task is not None and task.cancelling()):
                    raise
                # Another task's login was given up: this one still wants the session.

    async def _attempt_over(self) -> None:
        """Wait until what logs in has seen that the client ended, unless it is what asks."""
        if self._attempt is not None and self._attempt is not asyncio.current_task():
            await asyncio.wait((self._attempt,))

    async def _log_in_again(self, lost: Error | None) -> None:
        """Log in after a session was lost, or for the first time."""
        failure = self._backoff.begin(lost, self._clock.monotonic() - self._logged_in_at)
        while True:
            if failure is not None:
                self._check_open(failure)
                self._refusal = failure if is_refusal(failure) else None
                await self._pause(self._backoff.after(failure, self._clock.random()))
                self._check_open(failure)
            try:
                await self._log_in(first=lost is None)
                return
            except _FAILED as error:
                failure = error
            except BaseException:
                await self.session.disconnect()  # a session half begun is resumed anew
                raise
            await self.session.disconnect()

    async def _log_in(self, *, first: bool) -> None:
        self._check_open(None)
        await self.session.disconnect()
        self.last_login = None
        await self.session.connect()
        await self._receive_login()
        self._check_open(None)
        self._logins += 1
        self._logged_in_at = self._clock.monotonic()
        if not first:
            self.reconnects += 1
        session = self.session
        for message in self._kept.after_login(session.number, session.account_sequence, first=first):
            super().send(message)
        await super().flush()

    def _check_open(self, failure: Error | None) -> None:
        if self._ended.is_set():
            raise SocketDisconnected("the client logged out or was closed") from failure

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._ended.wait()
        except TimeoutError:
            return

    async def _dispatch(self, frame: Frame) -> None:
        payload = frame.protobuf
        if not self._kept.take(payload):
            return
        await super()._dispatch(frame)
        in_doubt = self._kept.settled(payload, self.session.number)
        if in_doubt is None:
            return
        for handler in self._handlers:
            try:
                result = handler(list(in_doubt))
                if inspect.isawaitable(result):
                    await result
            except Exception:
                _LOGGER.exception("a reconnect handler failed: %r", handler)


def _look_at(attempt: asyncio.Task[None]) -> None:
    """Take a failure note of: who waited has it, and where all who did were cancelled nobody asks."""
    if not attempt.cancelled():
        attempt.exception()
