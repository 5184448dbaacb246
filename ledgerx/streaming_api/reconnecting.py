"""A client that logs in again when its session is lost, and goes on where it was.

It resumes after the account's message dispatched last, so that handlers get each one once and in order; it
subscribes again; it waits longer after each failure in a row. It never sends an order again: whether one that
was on its way arrived is told by the messages of the account, by the order's reference::

    client = ReconnectingClient(Session(settings))
    client.add_reconnect_handler(lambda in_doubt: ...)
    client.login()
    reference = client.order(seto.OrderCreate(...))
    while True:
        client.read()
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any

from google.protobuf.message import Message

from ledgerx.clock import SYSTEM_CLOCK, Clock
from ledgerx.errors import Error, LoginError, SocketDisconnected
from ledgerx.streaming_api import seto_pb2 as seto
from ledgerx.streaming_api.callbacks import checked_callback
from ledgerx.streaming_api.client import (
    READ_MODE_BUFFER_AND_DISPATCH,
    READ_MODE_BUFFER_FROM_SOCKET,
    READ_MODE_DISPATCH_FROM_BUFFER,
    StreamingAPIClient,
)
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
from ledgerx.streaming_api.session import Session

__all__ = ["BACKOFF_FIRST_S", "BACKOFF_MAX_S", "ReconnectingClient"]

_LOGGER = logging.getLogger(__name__)


class ReconnectingClient(StreamingAPIClient):
    """As StreamingAPIClient, for a program that runs for days.

    Args:
        session: not connected yet.
        backoff_first_s: the wait after the first failure; half to all of it, by chance.
        backoff_max_s: up to which it doubles with each failure more in a row.
        attempts_max: logins in a row that may fail; None: no limit.

    `read`, `flush` and `login` log in again where the connection fails. They raise LoginError for a refusal
    that stays one (UNAUTHORISED, UNVERIFIED), the last error after `attempts_max`, and SocketDisconnected
    after `close`, which any thread may call, and after `logout`. Any thread may send and flush while another
    reads; a session that is lost is replaced once, and handlers run one at a time: one must not wait for
    another thread's `flush`.

    Between two sessions subscriptions and settings are remembered, while `order` and `send` raise
    SocketDisconnected: what is asked must not arrive at a time of its own. Before the first login they hold.

    """

    def __init__(
        self,
        session: Session,
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
        self._closed = threading.Event()
        self._turn = threading.RLock()  # one thread at a time dispatches or logs in
        self._refusal: Error | None = None  # a login's that was refused for good
        self._logged_in_at = 0.0
        self._logins = 0  # sessions so far, by which threads tell whether a lost one was replaced already
        self._ended = threading.Event()  # logged out or closed: what ends then is not lost
        self._handlers: list[Callable[[list[seto.OrderCreate]], Any]] = []
        self.reconnects = 0

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()  # for a thread that still reads
        super().__exit__(kind, error, trace)

    # ------------------------------------------------------------------ what is asked

    def subscribe(self, market_id: int) -> None:
        """Subscribe to a market, now and after each login. Raises InvalidField for what is no id."""
        message = market_message(seto.MarketSubscribe, market_id)
        self._kept.subscribe(market_id)
        if self._logged_in():
            self.send(message)

    def unsubscribe(self, market_id: int) -> None:
        """End a subscription. Raises InvalidField for what is no id."""
        message = market_message(seto.MarketUnsubscribe, market_id)
        self._kept.unsubscribe(market_id)
        if self._logged_in():
            self.send(message)

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

        One that raises is reported to the log and keeps no other from being called. Raises InvalidField (a
        ValueError) for what is no callable.

        `in_doubt` are the orders of which the account's messages still say nothing. Most never arrived; one
        that the network held back may still be accepted, and is then told as any other.
        """
        self._handlers.append(checked_callback(callback))

    def close(self) -> None:
        """Disconnect, end a connecting that is under way, and do not connect again."""
        self._closed.set()
        self._ended.set()
        self.session.disconnect()

    # ------------------------------------------------------------------ the session

    def login(self, receive: bool = True) -> None:
        """Log in, as often as it takes. Does nothing where that is done already."""
        _ = receive  # a login that is not waited for could not be repeated
        with self._turn:
            if not self._logged_in():
                self._check_open()
                self._ended.clear()
                self._refusal = None
                super().read(READ_MODE_DISPATCH_FROM_BUFFER)
                if self._closed.is_set():  # meanwhile
                    self._ended.set()
                self._log_in_again()

    def logout(self, receive: bool = True) -> None:
        """As StreamingAPIClient.logout; a thread that reads gets SocketDisconnected, until the next login."""
        self._ended.set()
        if not self._logged_in():
            self.session.disconnect()  # ends a connecting that is under way
        super().logout(receive)

    def read(self, read_mode: int = READ_MODE_BUFFER_AND_DISPATCH, limit: int = sys.maxsize) -> int:
        """As StreamingAPIClient.read; a session that is lost is replaced, and the call returns."""
        with self._turn:  # after a login of another thread, which reads the answer itself
            login = self._logins
        try:
            if read_mode & READ_MODE_BUFFER_FROM_SOCKET:
                self.session.read()
        except LOST as error:
            with self._turn:
                dispatched = super().read(READ_MODE_DISPATCH_FROM_BUFFER, limit)
                if not dispatched or limit == sys.maxsize:  # else the next call replaces it
                    self._lost(error, login)
                return dispatched
        with self._turn:
            return super().read(read_mode & READ_MODE_DISPATCH_FROM_BUFFER, limit)

    def flush(self) -> None:
        """As StreamingAPIClient.flush; a lost session is replaced, and orders on their way are in doubt."""
        login = self._logins
        try:
            super().flush()
        except LOST as error:
            with self._turn:
                if self._logins == login:
                    super().read(READ_MODE_DISPATCH_FROM_BUFFER)
                self._lost(error, login)

    def send(self, message: Message) -> None:
        """As StreamingAPIClient.send; the latest settings are sent again after each login."""
        if isinstance(message, seto.Settings):
            self._kept.keep_settings(message)
            if not self._logged_in():
                return  # the next login sends them
        elif self._logins and not self._logged_in():
            raise SocketDisconnected("the session is lost and not resumed yet: nothing is sent")
        super().send(message)

    def _lost(self, error: Error, login: int) -> None:
        """Replace the session that came of a login, unless another thread did."""
        with self._turn:
            if self._closed.is_set():
                raise SocketDisconnected("the client was closed") from error
            if self._ended.is_set():
                raise SocketDisconnected("the client is logged out: login() first") from error
            if self._logins != login:
                return
            if self._refusal is not None:
                raise self._refusal
            _LOGGER.warning("the session is lost and will be resumed: %s", error)
            self._log_in_again(error if self._logins else None)

    def _log_in_again(self, lost: Error | None = None) -> None:
        """Log in after a session was lost, or for the first time."""
        failure = self._backoff.begin(lost, self._clock.monotonic() - self._logged_in_at)
        while True:
            if failure is not None:
                self._refusal = failure if is_refusal(failure) else None
                if self._ended.is_set() or self._ended.wait(
                    self._backoff.after(failure, self._clock.random())
                ):
                    raise SocketDisconnected("the client was closed or logged out") from failure
            try:
                self._log_in(first=lost is None)
                return
            except (LoginError, *LOST) as error:
                failure = error
            self.session.disconnect()

    def _log_in(self, *, first: bool) -> None:
        self.session.disconnect()
        self.last_login = None
        self._check_wanted()
        self.session.connect()
        self._check_wanted()  # close() may have come before there was anything to end
        self._read_answer()
        self.check_login()
        if not first:
            self.reconnects += 1
        session = self.session
        for message in self._kept.after_login(session.number, session.account_sequence, first=first):
            super().send(message)
        super().flush()
        self._logged_in_at = self._clock.monotonic()
        self._logins += 1

    def _check_wanted(self) -> None:
        if self._ended.is_set():
            raise SocketDisconnected("the client was closed or logged out")

    def _check_open(self) -> None:
        if self._closed.is_set():
            raise SocketDisconnected("the client was closed")

    def _dispatch(self, frame: Frame) -> None:
        payload = frame.protobuf
        if not self._kept.take(payload):
            return  # told before
        super()._dispatch(frame)
        in_doubt = self._kept.settled(payload, self.session.number)
        for handler in self._handlers if in_doubt is not None else ():
            try:
                handler(list(in_doubt or ()))
            except Exception:
                _LOGGER.exception("a reconnect handler failed: %r", handler)
