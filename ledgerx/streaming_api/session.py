"""A session over a socket: the shell around `core`. Any thread may send while another reads."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from types import TracebackType
from typing import TypeVar

from ledgerx.clock import SYSTEM_CLOCK, Clock
from ledgerx.errors import ConnectionError as ConnectionLost
from ledgerx.errors import Error, InvalidField, InvalidMessage, SocketDisconnected
from ledgerx.streaming_api import seto_pb2 as seto
from ledgerx.streaming_api.connection import SessionSettings, SessionSocket
from ledgerx.streaming_api.core import CoreSettings, Phase, Role, SessionCore
from ledgerx.streaming_api.payloads import Frame

__all__ = ["Frame", "Session", "SessionSettings", "SessionSocket", "login_of"]

_WRITE_BYTES = 65_536
_SEQUENCE_MAX = 2**64 - 1
A = TypeVar("A")
R = TypeVar("R")


class Session:
    """One sequenced session, which a new connection resumes after the account's message delivered last.

    `account_sequence` is that of the message delivered last; None asks for nothing from before the login.
    `number` counts the sessions: it grows where what was sent and not answered is lost.
    A `with` block connects and logs in, and disconnects at its end. Raises InvalidField for a sequence that
    is none.
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
        _check_sequence("inseq", inseq, 1)
        if account_sequence is not None:
            _check_sequence("account_sequence", account_sequence, 0)
        self.settings = settings
        self.number = 0
        self.socket = SessionSocket(settings, clock=clock)
        self.out_payload = seto.Payload()
        self._clock = clock
        self._inseq = inseq
        self._core_settings = core_settings
        self._lock = threading.RLock()  # the core's
        # Taken in this order, before the core's.
        self._connecting = threading.Lock()
        self._reading = threading.Lock()  # what came is taken in in order
        self._writing = threading.Lock()  # frames leave in order
        self._core = self._new_core(account_sequence)
        self._closed: SessionCore | None = None  # the one whose connection was closed when it ended
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
    def closed_by(self) -> Error | None:
        """The failure that ended the session; None while it lasts, and after a logout."""
        return self._core.closed_by

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
        """Connect and send the login, if not connected already: of several threads one does.

        Raises the streaming ConnectionError: without credentials before any byte is sent, otherwise within
        `connect_timeout` but for the look-up of the host's name. Raises InvalidField for settings that cannot
        be.
        """
        with self._connecting:
            if self.socket.connected:
                return
            login = login_of(self.settings)
            with self._lock:
                if self._core.over:
                    self._closed = self._core
            # Nobody may be between the old connection's socket and core: both are replaced here.
            with self._reading, self._writing:
                self.socket.connect()
                try:
                    self._log_in(login)
                except BaseException:
                    self.socket.disconnect()  # it would never be logged in
                    raise

    def disconnect(self) -> None:
        """Close the connection and forget what came and was not read; ends the connecting of another thread.

        Does nothing where there is none.
        """
        core = self._core
        begun = core.phase is not Phase.CONNECTED
        self.socket.disconnect()
        with self._lock:
            if begun and self._core is core:  # else another thread has connected meanwhile
                self._core = self._new_core(core.account_sequence)

    def logout(self) -> None:
        """Say that the session ends, wait for the confirmation, and close.

        What comes before it can still be read; another thread may be the one that reads it. Raises the
        streaming errors where the connection fails first.
        """
        try:
            while self._core.phase is Phase.LOGIN:
                self._read(bounded=False)  # what waits for its answer must leave before the logout
            core = self._core
            try:
                self.send_logout()
                while not core.over:
                    self._read(bounded=False)
            except Error:
                # Another thread that took the confirmation in closes the connection under this one.
                if not core.over:
                    raise
            if core.closed_by is not None:
                raise core.closed_by
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

        Before the login is answered, and before there is a connection, it waits and is numbered then. Raises
        SocketDisconnected when the session is over, QueueFull where too much waits, InvalidMessage for what
        is no seto.Payload or lacks a field.
        """
        if payload is None:
            payload = self.out_payload
        elif type(payload) is not seto.Payload:
            given = type(payload).__name__
            raise InvalidMessage(
                f"payload is {given}, not seto.Payload: payloads.wrap() makes one of a message"
            )
        with self._lock:
            self._core.send(payload, self._clock.monotonic())

    def flush(self) -> None:
        """Send all that is in the buffer.

        Raises the streaming errors: SocketDisconnected without a connection, where what waits stays and
        leaves after the next login.
        """
        with self._writing:
            self._flush()

    # ------------------------------------------------------------------ in

    def read(self) -> None:
        """Wait until something comes, up to `socket_timeout` seconds, and take it in.

        Returns at once while `queue_frames_max` frames wait for `next_frame`. Heartbeats are sent and
        answered meanwhile. Raises the streaming errors where nothing more will come: SocketDisconnected where
        there was no connection yet, ConnectionError where nothing came in `socket_timeout`.
        """
        self._read(bounded=True)

    def next_frame(self) -> Frame | None:
        """The next payload in order, or None where none is there now."""
        with self._lock:
            return self._core.next_frame()

    # ------------------------------------------------------------------ within

    def _new_core(self, account_sequence: int | None) -> SessionCore:
        self.number += 1
        return SessionCore(
            Role.CLIENT,
            self._clock.monotonic(),
            settings=self._core_settings,
            inseq=self._inseq,
            account_sequence=account_sequence,
        )

    def _log_in(self, login: seto.Login) -> None:
        with self._lock:
            # What was sent before the first connection waits in its core for the login's answer.
            if self._core.phase is not Phase.CONNECTED:
                self._core = self._new_core(self._core.account_sequence)
            self._core.login(login, self._clock.monotonic())
        self._flush()

    def _flush(self) -> None:
        """Send all; `_writing` is held."""
        core = self._core
        while True:
            with self._lock:
                data = bytes(core.output[:_WRITE_BYTES])
            if not data:
                if not self.socket.connected:
                    raise SocketDisconnected("there is no connection to send to: connect() first")
                return
            sent = self._guard(core, self.socket.send, data)
            with self._lock:
                core.sent(sent)
                if not core.output:
                    return

    def now(self) -> float:
        """The time by the session's clock, from which `read_some` counts."""
        return self._clock.monotonic()

    def read_some(self, since: float, seconds: float) -> None:
        """As `read`, for at most so many seconds; `socket_timeout` counts from a time of the clock on."""
        self._read(bounded=True, since=since, seconds=seconds)

    def _read(self, *, bounded: bool, since: float | None = None, seconds: float | None = None) -> None:
        """As `read`; not bounded: also when nobody takes the frames that wait."""
        limit, now = self.settings.socket_timeout, self._clock.monotonic()
        end = None if limit is None else (now if since is None else since) + limit
        until = None if seconds is None else now + seconds
        while True:
            core = self._core
            if core.phase is Phase.CONNECTED:
                raise SocketDisconnected("reading a session that is not connected: connect() first")
            unread = core.wants_data and now >= core.last_received + core.settings.heartbeat_s
            if unread and self._fill(core, now):
                return  # it is not the venue that was silent: nobody read
            due = self._tick(core)
            if core.over:
                raise core.closed_by or SocketDisconnected("the session is over")
            if bounded and not core.wants_data:
                return
            if self._fill(core, min(time for time in (due, end, until) if time is not None)):
                return
            if end is not None:
                end = max(end, core.last_received + (limit or 0.0))  # another thread may have heard something
            if end is not None and not core.over and self._clock.monotonic() >= end:
                error = ConnectionLost(f"nothing came from {self.settings.host} in socket_timeout, {limit} s")
                self._lost(core, error)
                self._close_if_over(core)
                raise error
            if until is not None and self._clock.monotonic() >= until:
                return

    def _fill(self, core: SessionCore, deadline: float) -> bool:
        """Take in what comes up to a time of the clock; False where nothing did."""
        if not self._reading.acquire(blocking=False):
            # Another thread reads: what comes second must not be taken in first.
            left, expected = max(0.0, deadline - self._clock.monotonic()), core.inseq
            if not self._reading.acquire(timeout=left):
                return False
            if core.inseq != expected:
                self._reading.release()
                return True  # what this one waits for may be what came
        try:
            if core.over or self._core is not core:
                return False  # by the other thread: the caller looks again
            data = self._guard(core, self.socket.receive_until, deadline)
            if data is None:
                return False
            self._receive(core, data)
            return True
        finally:
            self._reading.release()

    def _tick(self, core: SessionCore) -> float:
        """What is due now, sent if it must be; the time of the next."""
        now = self._clock.monotonic()
        with self._lock:
            if not core.wants_data:
                core.receive(b"", now)  # it is not the venue that is silent: nobody takes the frames
            due = core.tick(now)
            urgent = core.urgent and not core.over
        if urgent:
            self.flush()
        self._close_if_over(core)
        return due

    def _receive(self, core: SessionCore, data: bytes) -> None:
        with self._lock:
            frames = core.ready
            core.receive(data, self._clock.monotonic())
            came = core.ready > frames
            urgent = core.urgent and not core.over
        if urgent:
            self.flush()
        self._close_if_over(core)
        if core.closed_by is not None and not came:
            raise core.closed_by

    def _close_if_over(self, core: SessionCore) -> None:
        if core.over:
            with self._lock:
                if self._core is core and self._closed is not core:
                    self._closed = core  # once: what is connected later is another thread's
                    self.socket.disconnect()

    def _guard(self, core: SessionCore, call: Callable[[A], R], argument: A) -> R:
        """Call; where the connection fails the core is told."""
        try:
            return call(argument)
        except Error as error:
            self._lost(core, error)
            raise

    def _lost(self, core: SessionCore, error: Error) -> None:
        with self._lock:
            core.lost(error)


def login_of(settings: SessionSettings) -> seto.Login:
    """The login of settings: the token's, or else the username's.

    Raises ConnectionError for neither, InvalidField for settings that cannot be.
    """
    settings.check()
    if settings.token:
        token = settings.token
        return seto.Login(cookie=token if isinstance(token, bytes) else token.encode())
    if settings.username and settings.password:
        return seto.Login(username=settings.username, password=settings.password)
    raise ConnectionLost("no credentials: give SessionSettings a token, or a username and a password")


def _check_sequence(field: str, value: object, lowest: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= _SEQUENCE_MAX:
        message = f"{field} is {value!r}: give a number from {lowest} to 2**64 - 1"
        raise InvalidField(message, field=field, value=value)
