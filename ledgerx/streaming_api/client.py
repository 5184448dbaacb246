"""A client with callbacks: reads frames of a session and calls the handlers of each.

A program logs in, sends, and reads for as long as it likes::

    client = StreamingAPIClient(Session(SessionSettings("alice", "secret", host="127.0.0.1")))
    client.add_handler("seto.order_executed", lambda message: print(message.order_executed))
    client.login()
    client.send(seto.OrderCreate(...))
    client.flush()
    while True:
        client.read()
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable
from types import TracebackType
from typing import Any, ClassVar

from google.protobuf.message import Message

from ledgerx.clock import SYSTEM_CLOCK
from ledgerx.errors import LoginError, LoginTimeout
from ledgerx.streaming_api import eto_pb2 as eto
from ledgerx.streaming_api import seto_pb2 as seto
from ledgerx.streaming_api.callbacks import CALLBACKS, Callbacks
from ledgerx.streaming_api.payloads import Frame, admin, wrap
from ledgerx.streaming_api.session import Session

__all__ = [
    "READ_MODE_BUFFER_AND_DISPATCH",
    "READ_MODE_BUFFER_FROM_SOCKET",
    "READ_MODE_DISPATCH_FROM_BUFFER",
    "StreamingAPIClient",
]

_LOOK_AGAIN_S = 0.05
READ_MODE_BUFFER_FROM_SOCKET = 1
READ_MODE_DISPATCH_FROM_BUFFER = 2
READ_MODE_BUFFER_AND_DISPATCH = READ_MODE_BUFFER_FROM_SOCKET | READ_MODE_DISPATCH_FROM_BUFFER


class StreamingAPIClient:
    """Calls handlers for what a session receives, and sends messages by their class.

    `last_login` is the payload that answered the login: a login response, or the logout that refused it.
    A `with` block logs in, and logs out at its end.
    """

    CALLBACKS: ClassVar[list[str]] = list(CALLBACKS)

    def __init__(self, session: Session) -> None:
        self.session = session
        self.last_login: seto.Payload | None = None
        self._callbacks = Callbacks()

    def __enter__(self) -> StreamingAPIClient:
        self.login()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None and self.session.connected:
            self.logout()
        else:
            self.session.disconnect()

    # ------------------------------------------------------------------ login and logout

    def login(self, receive: bool = True) -> None:
        """Connect and log in; with `receive`, wait for the answer. Does nothing where that is done already.

        Raises the streaming ConnectionError, LoginError where it is refused, LoginTimeout without an answer
        in 30 s (`login_timeout_s`). A venue that says nothing for `socket_timeout` is a ConnectionError: with
        one below 30 s a login that is not answered ends so, and never as a LoginTimeout.
        """
        if self._logged_in():
            return
        if not self.session.connected:  # else another thread connects, and may have read the answer
            self.last_login = None
        self.session.connect()
        if receive:
            self._read_answer()
            self.check_login()
            if self.session.connected:  # else the next read says what ended it
                self.flush()

    def check_login(self) -> bool:
        """True where the login was accepted. Raises LoginTimeout before its answer was read, LoginError."""
        if self.last_login is None:
            raise LoginTimeout("no answer to the login was read: read() first")
        if self.last_login.eto_payload.type == eto.PAYLOAD_LOGOUT:
            reason = self.last_login.eto_payload.logout.reason
            raise LoginError(reason, eto.LogoutReason.Name(reason))
        return True

    def logout(self, receive: bool = True) -> None:
        """Log out and disconnect, with `receive` after the confirmation. What came before is dispatched."""
        self.last_login = None
        try:
            if receive:
                self.session.logout()
            else:
                self.session.send_logout()
        finally:
            self.read(READ_MODE_DISPATCH_FROM_BUFFER)
            self.session.disconnect()

    # ------------------------------------------------------------------ in and out

    @property
    def raw_socket(self) -> socket.socket | None:
        """The session's socket, for select and the like."""
        return self.session.raw_socket

    @property
    def output_buffer_size(self) -> int:
        """How many bytes wait to be sent."""
        return self.session.output_buffer_size

    def read(self, read_mode: int = READ_MODE_BUFFER_AND_DISPATCH, limit: int = sys.maxsize) -> int:
        """Fill the buffer from the socket (1), dispatch at most `limit` frames of it (2), or both (3).

        Filling waits until something comes. Returns how many were dispatched. Raises as `Session.read`.
        """
        if read_mode & READ_MODE_BUFFER_FROM_SOCKET:
            self.session.read()
        dispatched = 0
        if read_mode & READ_MODE_DISPATCH_FROM_BUFFER:
            while dispatched < limit and (frame := self.session.next_frame()) is not None:
                self._dispatch(frame)
                dispatched += 1
        return dispatched

    def flush(self) -> None:
        """Send all that waits. Raises as `Session.flush`: SocketDisconnected without a connection."""
        self.session.flush()

    def send(self, message: Message) -> None:
        """Put a message such as seto.OrderCreate into the buffer, as the payload of its class.

        Raises InvalidMessage for what no payload carries, and as `Session.send`.
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

    def _read_answer(self) -> None:
        """Read until the login is answered, or the session ends. Another thread may read what comes, too."""
        since = SYSTEM_CLOCK.monotonic()
        while self.last_login is None:
            if StreamingAPIClient.read(self, READ_MODE_DISPATCH_FROM_BUFFER) == 0:
                if not self.session.connected:
                    return
                # Another thread may have taken the answer and be about to dispatch it: look again soon.
                self.session.read_some(since, _LOOK_AGAIN_S)

    def _logged_in(self) -> bool:
        answer = self.last_login
        accepted = answer is not None and answer.eto_payload.type == eto.PAYLOAD_LOGIN_RESPONSE
        return accepted and self.session.connected

    def _dispatch(self, frame: Frame) -> None:
        payload = frame.protobuf
        if payload.type == seto.PAYLOAD_ETO and payload.eto_payload.type in (
            eto.PAYLOAD_LOGIN_RESPONSE,
            eto.PAYLOAD_LOGOUT,
        ):
            self.last_login = payload
        self._callbacks.dispatch(frame)
