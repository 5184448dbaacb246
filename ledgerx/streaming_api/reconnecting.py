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
from typing import Any, Final

from google.protobuf.message import Message

from ledgerx.clock import SYSTEM_CLOCK, Clock
from ledgerx.errors import ConnectionError as ConnectionLost
from ledgerx.errors import (
    DecodeError,
    InvalidField,
    LoginError,
    LoginTimeout,
    ParseError,
    SocketDisconnected,
)
from ledgerx.streaming_api import eto_pb2 as eto
from ledgerx.streaming_api import seto_pb2 as seto
from ledgerx.streaming_api.client import (
    READ_MODE_BUFFER_AND_DISPATCH,
    READ_MODE_BUFFER_FROM_SOCKET,
    READ_MODE_DISPATCH_FROM_BUFFER,
    StreamingAPIClient,
)
from ledgerx.streaming_api.payloads import FIELD_OF_TYPE, Frame, account_sequence_of
from ledgerx.streaming_api.session import Session

__all__ = ["BACKOFF_FIRST_S", "BACKOFF_MAX_S", "ReconnectingClient"]

_LOGGER = logging.getLogger(__name__)

BACKOFF_FIRST_S: Final = 0.1
BACKOFF_MAX_S: Final = 30.0

_FINAL_REASONS: Final = (eto.LOGOUT_UNAUTHORISED, eto.LOGOUT_UNVERIFIED)
_ANSWERS: Final = ("order_accepted", "order_rejected", "order_invalid")
_LOST: Final = (ConnectionLost, SocketDisconnected, LoginTimeout, DecodeError, ParseError)


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
        if not 0 < backoff_first_s <= backoff_max_s:
            text = f"backoff_first_s {backoff_first_s!r} is not above 0 and at most backoff_max_s"
            raise InvalidField(text, field="backoff_first_s", value=backoff_first_s)
        self._backoff_first_s = backoff_first_s
        self._backoff_max_s = backoff_max_s
        self._attempts_max = attempts_max
        self._clock = clock
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._turn = threading.RLock()  # one thread at a time dispatches or logs in
        self._logins = 0  # sessions so far, by which threads tell whether a lost one was replaced already
        self._left = False  # logged out: what ends then is not lost
        self._markets: dict[int, None] = {}
        self._unanswered: dict[int, seto.OrderCreate] = {}
        self._next_reference = clock.wall_ns() // 1000  # grows from one start of a program to the next
        self._dispatched = session.account_sequence or 0
        self._settings = seto.Settings(cancel_all_on_failure=False)
        self._doubtful: set[int] | None = None  # references in doubt, while what was missed comes
        self._handlers: list[Callable[[list[seto.OrderCreate]], Any]] = []
        self.reconnects = 0

    # ------------------------------------------------------------------ what is asked

    def subscribe(self, market_id: int) -> None:
        """Subscribe to a market, now and after each login."""
        with self._lock:
            self._markets[market_id] = None
        self.send(seto.MarketSubscribe(market_id=market_id))

    def unsubscribe(self, market_id: int) -> None:
        """End a subscription."""
        with self._lock:
            self._markets.pop(market_id, None)
        self.send(seto.MarketUnsubscribe(market_id=market_id))

    def order(self, order: seto.OrderCreate) -> int:
        """Put an order into the buffer; its reference, an unused one where it has none.

        Raises InvalidField for a reference that an unanswered order has, and as `send`.
        """
        asked = seto.OrderCreate()
        asked.CopyFrom(order)
        with self._lock:
            if not asked.HasField("reference"):
                asked.reference = self._next_reference
                self._next_reference += 1
            elif asked.reference in self._unanswered:
                text = f"reference {asked.reference} is an unanswered order's: give each order its own"
                raise InvalidField(text, field="reference", value=asked.reference)
            self._unanswered[asked.reference] = asked
        try:
            self.send(asked)
        except BaseException:
            with self._lock:
                del self._unanswered[asked.reference]
            raise
        return asked.reference

    @property
    def in_doubt(self) -> list[seto.OrderCreate]:
        """The orders that nothing has been heard of yet, in the order they were sent."""
        with self._lock:
            return list(self._unanswered.values())

    def add_reconnect_handler(self, callback: Callable[[list[seto.OrderCreate]], Any]) -> None:
        """Have `callback(in_doubt)` called after each new login once all that was missed is dispatched.

        One that raises is reported to the log and keeps no other from being called. Raises InvalidField (a
        ValueError) for what is no callable.

        `in_doubt` are the orders of which the account's messages still say nothing. Most never arrived; one
        that the network held back may still be accepted, and is then told as any other.
        """
        if not callable(callback):
            message = f"callback must be a callable, not {type(callback).__name__}"
            raise InvalidField(message, field="callback", value=callback)
        self._handlers.append(callback)

    def close(self) -> None:
        """Disconnect, end a connecting that is under way, and do not connect again."""
        self._closed.set()
        self.session.disconnect()

    # ------------------------------------------------------------------ the session

    def login(self, receive: bool = True) -> None:
        """Log in, as often as it takes. Does nothing where that is done already."""
        _ = receive  # a login that is not waited for could not be repeated
        with self._turn:
            if not self._logged_in():
                self._left = False
                self._log_in_again(first=True)

    def logout(self, receive: bool = True) -> None:
        """As StreamingAPIClient.logout; a thread that reads gets SocketDisconnected, until the next login."""
        self._left = True
        super().logout(receive)

    def read(self, read_mode: int = READ_MODE_BUFFER_AND_DISPATCH, limit: int = sys.maxsize) -> int:
        """As StreamingAPIClient.read; a session that is lost is replaced, and the call returns."""
        with self._turn:  # after a login of another thread, which reads the answer itself
            login = self._logins
        try:
            if read_mode & READ_MODE_BUFFER_FROM_SOCKET:
                self.session.read()
        except _LOST as error:
            with self._turn:
                dispatched = super().read(READ_MODE_DISPATCH_FROM_BUFFER, limit)
                self._lost(error, login)
                return dispatched
        with self._turn:
            return super().read(read_mode & READ_MODE_DISPATCH_FROM_BUFFER, limit)

    def flush(self) -> None:
        """As StreamingAPIClient.flush; a lost session is replaced, and orders on their way are in doubt."""
        login = self._logins
        try:
            super().flush()
        except _LOST as error:
            with self._turn:
                if self._logins == login:
                    super().read(READ_MODE_DISPATCH_FROM_BUFFER)
                self._lost(error, login)

    def send(self, message: Message) -> None:
        """As StreamingAPIClient.send; the latest settings are sent again after each login."""
        if isinstance(message, seto.Settings):
            self._settings.CopyFrom(message)
        super().send(message)

    def _lost(self, error: Exception, login: int) -> None:
        """Replace the session that came of a login, unless another thread did."""
        with self._turn:
            if self._closed.is_set():
                raise SocketDisconnected("the client was closed") from error
            if self._left:
                raise SocketDisconnected("the client is logged out: login() first") from error
            if self._logins != login:
                return
            _LOGGER.warning("the session is lost and will be resumed: %s", error)
            self._log_in_again(first=self._logins == 0)

    def _log_in_again(self, *, first: bool) -> None:
        pause, failures = self._backoff_first_s, 0
        while True:
            try:
                self._log_in(first=first)
                return
            except LoginError as error:
                if error.reason in _FINAL_REASONS:
                    raise
                failure: Exception = error
            except _LOST as error:
                failure = error
            failures += 1
            self.session.disconnect()
            if self._closed.is_set():
                raise SocketDisconnected("the client was closed") from failure
            if self._attempts_max is not None and failures >= self._attempts_max:
                raise failure
            if self._closed.wait(pause * (0.5 + self._clock.random() / 2)):
                raise SocketDisconnected("the client was closed") from failure
            pause = min(2 * pause, self._backoff_max_s)

    def _log_in(self, *, first: bool) -> None:
        with self._lock:
            doubtful, markets = set(self._unanswered), list(self._markets)
        self.session.disconnect()
        self.last_login = None
        self._check_open()
        self.session.connect()
        self._check_open()  # close() may have come before there was anything to end
        self._read_answer()
        self.check_login()
        if not first:
            self.reconnects += 1
            for market_id in markets:
                self.send(seto.MarketSubscribe(market_id=market_id))
            self._doubtful = doubtful
            self.send(self._settings)  # the session's own; its answer comes behind all that was missed
        super().flush()
        self._logins += 1

    def _check_open(self) -> None:
        if self._closed.is_set():
            raise SocketDisconnected("the client was closed")

    def _dispatch(self, frame: Frame) -> None:
        payload = frame.protobuf
        sequence = account_sequence_of(payload)
        if sequence:
            if sequence <= self._dispatched:
                return  # told before
            self._dispatched = sequence
        field = FIELD_OF_TYPE.get(payload.type)
        if field in _ANSWERS:
            with self._lock:
                self._unanswered.pop(getattr(payload, field).reference, None)
        super()._dispatch(frame)
        if field == "settings_accepted" and self._doubtful is not None:
            doubtful, self._doubtful = self._doubtful, None
            in_doubt = [order for order in self.in_doubt if order.reference in doubtful]
            for handler in self._handlers:
                try:
                    handler(list(in_doubt))
                except Exception:
                    _LOGGER.exception("a reconnect handler failed: %r", handler)
