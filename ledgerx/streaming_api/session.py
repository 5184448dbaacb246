"""A session over a socket: the shell around `core`. Any thread may send while another reads."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from types import TracebackType
from typing import TypeVar

from ledgerx.clock import SYSTEM_CLOCK, Clock
from ledgerx.errors import ConnectionError as ConnectionLost
from ledgerx.errors import Error, SocketDisconnected
from ledgerx.streaming_api import seto_pb2 as seto
from ledgerx.streaming_api.connection import SessionSettings, SessionSocket
from ledgerx.streaming_api.core import CoreSettings, Phase, Role, SessionCore
from ledgerx.streaming_api.payloads import Frame

__all__ = ["Frame", "Session", "SessionSettings", "SessionSocket", "login_of"]

_WRITE_BYTES = 65_536
A = TypeVar("A")
R = TypeVar("R")


class Session:
    """One sequenced session, which a new connection resumes after the account's message delivered last.

    `account_sequence` is that of the message delivered last; None asks for nothing from before the login.
    A `with` block connects and logs in, and disconnects at its end.
    """

    def __init__(
        self,
        settings: SessionSettings,
        inseq: int = 1,
        outseq: int = 1,
        account_sequence: int | None = None,
        *,
        core_settings: CoreSettings | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self.settings = settings
        self.socket = SessionSocket(settings, clock=clock)
        self.out_payload = seto.Payload()
        self._clock = clock
        self._inseq = inseq
        self._core_settings = core_settings
        self._lock = threading.RLock()  # the core's
        self._writing = threading.Lock()  # frames leave in order
        self._core = self._new_core(account_sequence)
        _ = outseq  # accepted as the manual says: the login is always number 1

    def __enter__(self) -> Session:
        self.connect()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.disconnect()

    def __repr__(self) -> str:
        return f"<Session {self.settings.host}:{self.settings.port} {self._core.phase.name}>"

    # ------------------------------------------------------------------ what it is

    @property
    def connected(self) -> bool:
        """Returns True if the socket is currently connected."""
        return self.socket.connected

    @property
    def raw_socket(self) -> socket.socket | None:
        """The socket, for select and the like; None without a connection."""
        return self.socket.raw_socket

    @property
    def session(self) -> str:
        """The session's name, from the answer to the login; empty before."""
        return self._core.session

    @property
    def inseq(self) -> int:
        """The sequence expected next."""
        return self._core.inseq

    @property
    def outseq(self) -> int:
        """The sequence of the next payload sent."""
        return self._core.outseq

    @property
    def account_sequence(self) -> int | None:
        """The largest sequence of the account among the frames delivered."""
        return self._core.account_sequence

    @property
    def output_buffer_size(self) -> int:
        """How many bytes wait to be sent."""
        return self._core.output_bytes

    # ------------------------------------------------------------------ connection

    def connect(self) -> None:
        """Connect and send the login, if not connected already.

        Raises the streaming ConnectionError: without credentials before any byte is sent.
        """
        login = login_of(self.settings)
        if not self.socket.connect():
            return
        with self._lock:
            # What was sent before the first connection waits in its core for the login's answer.
            if self._core.phase is not Phase.CONNECTED:
                self._core = self._new_core(self._core.account_sequence)
            self._core.login(login, self._clock.monotonic())
        self.flush()

    def disconnect(self) -> None:
        """Close the connection and forget what came and was not read. Does nothing where there is none."""
        self.socket.disconnect()
        with self._lock:
            if self._core.phase is not Phase.CONNECTED:
                self._core = self._new_core(self._core.account_sequence)

    def logout(self) -> None:
        """Say that the session ends, wait for the confirmation, and close.

        What comes before it can still be read. Raises the streaming errors where the connection fails first.
        """
        try:
            while self._core.phase is Phase.LOGIN:
                self.read()  # what waits for its answer must leave before the logout
            self.send_logout()
            while not self._core.over:
                self.read()
            if self._core.closed_by is not None:
                raise self._core.closed_by
        finally:
            self.socket.disconnect()

    def send_logout(self) -> None:
        """Say that the session ends, and do not wait for the confirmation. Raises the streaming errors."""
        if not self.connected:
            raise SocketDisconnected("there is no session to log out of: connect() first")
        with self._lock:
            self._core.logout(self._clock.monotonic())
        self.flush()

    # ------------------------------------------------------------------ out

    def send(self, payload: seto.Payload | None = None) -> None:
        """Number `out_payload`, or the payload given, and put it into the buffer.

        Before the login is answered it waits, and is numbered then. Raises SocketDisconnected when the
        session is over, QueueFull where too much waits.
        """
        with self._lock:
            self._core.send(self.out_payload if payload is None else payload, self._clock.monotonic())

    def flush(self) -> None:
        """Send all that is in the buffer. Raises the streaming errors."""
        with self._writing:
            while True:
                with self._lock:
                    data = bytes(self._core.output[:_WRITE_BYTES])
                if not data:
                    return
                sent = self._guard(self.socket.send, data)
                with self._lock:
                    self._core.sent(sent)
                    if not self._core.output:
                        return

    # ------------------------------------------------------------------ in

    def read(self) -> None:
        """Wait until something comes, up to `socket_timeout`, and take it in.

        Heartbeats are sent and answered meanwhile. Raises the streaming errors where nothing more will come.
        """
        limit = self.settings.socket_timeout
        now = self._clock.monotonic()
        end = None if limit is None else now + limit
        while True:
            due = self._tick()
            if self._core.over:
                raise self._core.closed_by or SocketDisconnected("the session is over")
            deadline = due if end is None else min(due, end)
            data = self._guard(self.socket.receive_until, deadline)
            if data is not None:
                self._receive(data)
                return
            if end is not None and self._clock.monotonic() >= end:
                self.socket.disconnect()
                error = ConnectionLost(f"nothing came from {self.settings.host} in socket_timeout, {limit} s")
                self._lost(error)
                raise error

    def next_frame(self) -> Frame | None:
        """The next payload in order, or None where none is there now."""
        with self._lock:
            return self._core.next_frame()

    # ------------------------------------------------------------------ within

    def _new_core(self, account_sequence: int | None) -> SessionCore:
        return SessionCore(
            Role.CLIENT,
            self._clock.monotonic(),
            settings=self._core_settings,
            inseq=self._inseq,
            account_sequence=account_sequence,
        )

    def _tick(self) -> float:
        """What is due now, sent if it must be; the time of the next."""
        with self._lock:
            due = self._core.tick(self._clock.monotonic())
            urgent = self._core.urgent
        if urgent:
            self.flush()
        self._close_if_over()
        return due

    def _receive(self, data: bytes) -> None:
        with self._lock:
            frames = self._core.ready
            self._core.receive(data, self._clock.monotonic())
            came, urgent = self._core.ready > frames, self._core.urgent
        if urgent:
            self.flush()
        self._close_if_over()
        if self._core.closed_by is not None and not came:
            raise self._core.closed_by

    def _close_if_over(self) -> None:
        if self._core.over:
            self.socket.disconnect()

    def _guard(self, call: Callable[[A], R], argument: A) -> R:
        """Call; where the connection fails the core is told."""
        try:
            return call(argument)
        except Error as error:
            self._lost(error)
            raise

    def _lost(self, error: Error) -> None:
        with self._lock:
            self._core.lost(error)


def login_of(settings: SessionSettings) -> seto.Login:
    """The login of settings: the token's, or else the username's. Raises ConnectionError for neither."""
    if settings.token:
        return seto.Login(cookie=settings.token.encode())
    if settings.username and settings.password:
        return seto.Login(username=settings.username, password=settings.password)
    raise ConnectionLost("no credentials: give SessionSettings a token, or a username and a password")
