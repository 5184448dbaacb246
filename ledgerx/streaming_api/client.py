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

import sys
from types import TracebackType

from ledgerx.streaming_api import eto_pb2 as eto
from ledgerx.streaming_api.base_client import BaseClient
from ledgerx.streaming_api.payloads import Frame
from ledgerx.streaming_api.session import Session

__all__ = [
    "READ_MODE_BUFFER_AND_DISPATCH",
    "READ_MODE_BUFFER_FROM_SOCKET",
    "READ_MODE_DISPATCH_FROM_BUFFER",
    "StreamingAPIClient",
]

_LOOK_AGAIN_S = 0.05
_LOOKS_MAX = 4
READ_MODE_BUFFER_FROM_SOCKET = 1
READ_MODE_DISPATCH_FROM_BUFFER = 2
READ_MODE_BUFFER_AND_DISPATCH = READ_MODE_BUFFER_FROM_SOCKET | READ_MODE_DISPATCH_FROM_BUFFER


class StreamingAPIClient(BaseClient[Session]):
    """Calls handlers for what a session receives, and sends messages by their class.

    `last_login` is the payload that answered the login: a login response, or the logout that refused it.
    A `with` block logs in, and logs out at its end.
    """

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
            if self.last_login is not None or not self.session.session:
                self.check_login()
            if self.session.connected:  # else the next read says what ended it
                self.flush()

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

    def _read_answer(self) -> None:
        """Read until the login is answered, or the session ends. Another thread may read what comes, too."""
        since, looks = self.session.now(), 0
        while self.last_login is None:
            if StreamingAPIClient.read(self, READ_MODE_DISPATCH_FROM_BUFFER) == 0:
                if not self.session.connected:
                    if self.session.closed_by is not None:
                        raise self.session.closed_by
                    return
                if self.session.session:
                    # Another thread took the answer: it will dispatch it soon, or did before this one waited.
                    looks += 1
                    if looks > _LOOKS_MAX:
                        return
                self.session.read_some(since, _LOOK_AGAIN_S)

    def _logged_in(self) -> bool:
        answer = self.last_login
        accepted = answer is not None and answer.eto_payload.type == eto.PAYLOAD_LOGIN_RESPONSE
        return accepted and self.session.connected

    def _dispatch(self, frame: Frame) -> None:
        self._note(frame.protobuf)
        self._callbacks.dispatch(frame)
