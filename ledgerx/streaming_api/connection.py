"""A TCP or TLS socket that waits no longer than told, and that one thread may read while another writes.

The socket itself does not block. Each call holds a lock only while OpenSSL works, never while it waits.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import socket
import ssl
import threading
from types import TracebackType
from typing import Any

from ledgerx.clock import SYSTEM_CLOCK, Clock
from ledgerx.errors import ConnectionError as ConnectionLost
from ledgerx.errors import InvalidField, SocketDisconnected
from ledgerx.streaming_api.tls import check_ssl_kwargs, client_context

__all__ = ["SessionSettings", "SessionSocket"]

_READ_BYTES = 65_536
_PORT_MAX = 65_535
_TIMEOUT_MAX_S = 1_000_000  # what a poll can wait is twice that
_CONNECTING = (0, errno.EINPROGRESS, errno.EWOULDBLOCK, errno.EINTR)
# What the operating system and OpenSSL raise for a host, a port or a name that they refuse.
_REFUSALS = (OSError, OverflowError, ValueError, TypeError)


class SessionSettings:
    """What a session needs to connect and to log in: a token (text or bytes), or a username and a password.

    `socket_timeout` (seconds, None: no limit) bounds each wait for the venue, and `connect_timeout`, by
    default the same, the whole of connecting: all addresses of the host and the TLS handshake, though not
    the look-up of the host's name. `ssl_kwargs` are those of `tls.client_context`.

    Raises InvalidField for what cannot be one of these; whether a host or a file is there, connecting tells.
    """

    def __init__(
        self,
        username: str | None = None,
        password: str | None = None,
        token: str | bytes | None = None,
        host: str = "stream.smarkets.com",
        port: int = 3801,
        ssl: bool = True,
        socket_timeout: float | None = 30,
        ssl_kwargs: dict[str, Any] | None = None,
        tcp_nodelay: bool = True,
        *,
        connect_timeout: float | None = None,
    ) -> None:
        self.username = username
        self.password = password
        self.token = token
        self.host = host
        self.port = port
        self.ssl = ssl
        self.socket_timeout = socket_timeout
        self.ssl_kwargs = {} if ssl_kwargs is None else ssl_kwargs
        self.tcp_nodelay = tcp_nodelay
        self.connect_timeout = socket_timeout if connect_timeout is None else connect_timeout
        self.read_chunksize = _READ_BYTES
        self.check()

    def check(self) -> None:
        """Look at the values as they are now: a program may have set others. Raises InvalidField."""
        for field in ("username", "password", "token"):
            self._check_credential(field, getattr(self, field))
        if not isinstance(self.host, str):
            message = f"host is {self.host!r}: give a name or an address as text"
            raise InvalidField(message, field="host", value=self.host)
        port = self.port
        if not isinstance(port, int) or isinstance(port, bool) or not 0 <= port <= _PORT_MAX:
            message = f"port is {port!r}: give a number up to 65535"  # getaddrinfo takes it modulo 2**16
            raise InvalidField(message, field="port", value=port)
        for field in ("socket_timeout", "connect_timeout"):
            seconds = getattr(self, field)
            number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
            if seconds is not None and not (number and 0 < seconds <= _TIMEOUT_MAX_S):
                message = (
                    f"{field} is {seconds!r}: give seconds above 0 and up to 1,000,000, or None: no limit"
                )
                raise InvalidField(message, field=field, value=seconds)
        if not isinstance(self.read_chunksize, int) or self.read_chunksize < 1:
            message = f"read_chunksize is {self.read_chunksize!r}: give a number of bytes of at least 1"
            raise InvalidField(message, field="read_chunksize", value=self.read_chunksize)
        check_ssl_kwargs(self.ssl_kwargs)

    def _check_credential(self, field: str, value: object) -> None:
        if value is None or (field == "token" and isinstance(value, bytes)):
            return
        wanted = "a text, bytes or None" if field == "token" else "a text or None"
        if not isinstance(value, str):
            # Neither the text nor the error carries the value: it may be a secret.
            message = f"{field} is {type(value).__name__}: give {wanted}"
            raise InvalidField(message, field=field, value=type(value))
        if any("\ud800" <= character <= "\udfff" for character in value):
            message = f"{field} has half a surrogate pair, which UTF-8 cannot carry: give {wanted}"
            raise InvalidField(message, field=field, value=str)


class SessionSocket:
    """The connection of a session: bytes out and in, and the errors of the streaming API."""

    def __init__(self, settings: SessionSettings, *, clock: Clock = SYSTEM_CLOCK) -> None:
        if not isinstance(settings, SessionSettings):
            message = f"settings is {type(settings).__name__}, not SessionSettings"
            raise InvalidField(message, field="settings", value=settings)
        self.settings = settings
        self._clock = clock
        self._sock: socket.socket | None = None
        self._polls: dict[int, select.poll] = {}
        self._drained = True  # the last read took all there was, so that the next one waits at first
        self._lock = threading.Lock()
        self._connecting = threading.Lock()  # one thread at a time connects
        self._attempt: socket.socket | None = None  # what it connects with, not open yet
        self._ends = 0  # calls of disconnect(), which end an attempt too

    def __enter__(self) -> SessionSocket:
        self.connect()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.disconnect()

    @property
    def connected(self) -> bool:
        """Whether there is a connection, as far as is known."""
        return self._sock is not None

    @property
    def raw_socket(self) -> socket.socket | None:
        """The socket, for select and the like. It does not block; nothing must be read from it elsewhere."""
        return self._sock

    def connect(self) -> bool:
        """Connect, with TLS if the settings say so; False where it was connected already.

        Raises the streaming ConnectionError, within `connect_timeout` (only the look-up of the host's name
        may take longer: the operating system's has no timeout), and at once where another thread disconnects.
        Addresses are tried in order; each gets its share of the time that is left. Raises InvalidField for
        settings that cannot be.
        """
        with self._connecting:
            if self._sock is not None:
                return False
            ends, settings = self._ends, self.settings
            settings.check()
            timeout = settings.connect_timeout
            deadline = None if timeout is None else self._clock.monotonic() + timeout
            context = client_context(settings.ssl_kwargs) if settings.ssl else None
            try:
                sock = self._dial(deadline, ends)
            except _REFUSALS as error:
                where = f"{settings.host}:{settings.port}"
                raise ConnectionLost(f"cannot connect to {where}: {error}") from error
            self._open(sock, context, deadline, ends)
            return True

    def disconnect(self) -> None:
        """Close the connection, or end the connecting of another thread. Does nothing where there is none."""
        with self._lock:
            self._ends += 1
            sock, self._sock = self._sock, None
            if sock is not None:
                _close(sock)
            if self._attempt is not None:
                _shut_down(self._attempt)  # its thread closes it

    def send(self, byte_array: bytes | bytearray | memoryview) -> int:
        """Send what the connection takes, at least a byte; how many bytes that was.

        Raises SocketDisconnected without a connection, the streaming ConnectionError where it fails.
        """
        sent = self._until(lambda sock: sock.send(byte_array), select.POLLOUT, "writing to", self._deadline())
        if not sent and len(byte_array):
            raise SocketDisconnected("the connection took no byte")
        return int(sent)

    def recv(self) -> bytes:
        """What has come, at least a byte. Waits for it up to `socket_timeout`.

        Raises SocketDisconnected without a connection or at its end, ConnectionError where it fails.
        """
        data = self.receive_until(self._deadline())
        if data is None:
            seconds = self.settings.socket_timeout
            self.disconnect()
            raise ConnectionLost(f"nothing came from {self.settings.host} in socket_timeout, {seconds} s")
        return data

    def receive_until(self, deadline: float | None) -> bytes | None:
        """As `recv`, up to a time of the clock; None where nothing came."""
        chunk = self.settings.read_chunksize
        data: bytes | None = self._until(
            lambda sock: sock.recv(chunk), select.POLLIN, "reading from", deadline, wait_first=self._drained
        )
        self._drained = data is None or len(data) < chunk
        if data == b"":
            self.disconnect()
            raise SocketDisconnected(f"{self.settings.host} closed the connection")
        return data

    def _deadline(self) -> float | None:
        timeout = self.settings.socket_timeout
        return None if timeout is None else self._clock.monotonic() + timeout

    def _until(
        self, call: Any, event: int, doing: str, deadline: float | None, *, wait_first: bool = False
    ) -> Any:
        """Call until it does not want to wait; None at the deadline (when writing: ConnectionError)."""
        sock = self._sock
        if wait_first and sock and not self._decrypted(sock) and not self._wait(sock, event, deadline):
            return None
        while True:
            sock = self._sock
            if sock is None:
                raise SocketDisconnected(f"{doing} a session that is not connected: connect() first")
            waits_for = event
            try:
                with self._lock:
                    return call(sock)
            except (BlockingIOError, ssl.SSLWantReadError):
                waits_for = event if not isinstance(sock, ssl.SSLSocket) else select.POLLIN
            except ssl.SSLWantWriteError:
                waits_for = select.POLLOUT
            except OSError as error:
                raise self._failed(sock, doing, error) from error
            if not self._wait(sock, waits_for, deadline):
                if event == select.POLLIN:
                    return None
                raise self._failed(sock, doing, TimeoutError("timed out"))

    def _failed(self, sock: socket.socket, doing: str, error: Exception) -> Exception:
        with self._lock:
            if self._sock is not sock:
                return SocketDisconnected("disconnected meanwhile")
            self._sock = None
            _close(sock)
        return ConnectionLost(f"{doing} {self.settings.host}:{self.settings.port} failed: {error}")

    # ------------------------------------------------------------------ connecting

    def _dial(self, deadline: float | None, ends: int) -> socket.socket:
        """A TCP connection to the first address that takes one before the deadline."""
        settings = self.settings
        found = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)
        failure: OSError = OSError("the host has no address")
        for left, (family, kind, protocol, _, address) in zip(range(len(found), 0, -1), found, strict=True):
            now = self._clock.monotonic()
            until = None if deadline is None else now + max(0.0, deadline - now) / left
            sock = socket.socket(family, kind, protocol)
            try:
                sock.setblocking(False)
                self._try(sock, ends)
                code = sock.connect_ex(address)
                if code in _CONNECTING:
                    self._ready(sock, select.POLLOUT, until)
                    code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if code:
                    raise OSError(code, os.strerror(code))
                self._try(sock, ends)
                return sock
            except OSError as error:
                self._give_up(sock)
                failure = error
            except BaseException:
                self._give_up(sock)
                raise
        raise failure

    def _open(
        self, sock: socket.socket, context: ssl.SSLContext | None, deadline: float | None, ends: int
    ) -> None:
        """Make a TCP connection that of the session, with TLS where there is a context."""
        where = f"{self.settings.host}:{self.settings.port}"
        try:
            if self.settings.tcp_nodelay:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if context is not None:
                name = self.settings.ssl_kwargs.get("server_hostname")
                name = self.settings.host if name is None else name
                sock = context.wrap_socket(sock, server_hostname=name, do_handshake_on_connect=False)
                self._shake_hands(sock, deadline, ends)
            polls = {}
            for event in (select.POLLIN, select.POLLOUT):
                polls[event] = select.poll()
                polls[event].register(sock, event)
            with self._lock:
                self._check_ends(ends)
                self._polls, self._drained, self._attempt, self._sock = polls, True, None, sock
        except _REFUSALS as error:
            self._give_up(sock)
            if context is None:
                raise ConnectionLost(f"cannot connect to {where}: {error}") from error
            hint = ""
            if isinstance(error, ssl.SSLCertVerificationError):
                hint = ": ssl_kwargs={'ca_certs': FILE} names whose certificates are trusted"
            raise ConnectionLost(f"no TLS session with {where}: {error}{hint}") from error
        except BaseException:
            self._give_up(sock)
            raise

    def _shake_hands(self, sock: ssl.SSLSocket, deadline: float | None, ends: int) -> None:
        self._try(sock, ends)
        while True:
            try:
                sock.do_handshake()
                return
            except ssl.SSLWantReadError:
                self._ready(sock, select.POLLIN, deadline)
            except ssl.SSLWantWriteError:
                self._ready(sock, select.POLLOUT, deadline)

    def _try(self, sock: socket.socket, ends: int) -> None:
        """Let `disconnect` reach a socket that is not the session's yet."""
        with self._lock:
            self._check_ends(ends)
            self._attempt = sock

    def _give_up(self, sock: socket.socket) -> None:
        with self._lock:
            self._attempt = None
            sock.close()

    def _check_ends(self, ends: int) -> None:
        if self._ends != ends:
            raise ConnectionAbortedError("disconnect() was called meanwhile")

    def _ready(self, sock: socket.socket, event: int, deadline: float | None) -> None:
        waiting = select.poll()
        waiting.register(sock, event)
        left = None if deadline is None else max(0.0, deadline - self._clock.monotonic()) * 1000
        if not waiting.poll(left):
            raise TimeoutError("timed out")

    # ------------------------------------------------------------------ waiting

    def _decrypted(self, sock: socket.socket) -> bool:
        """Whether TLS holds bytes that were read from the network already."""
        if not isinstance(sock, ssl.SSLSocket):
            return False
        with self._lock:
            return sock.pending() > 0

    def _wait(self, sock: socket.socket, event: int, deadline: float | None) -> bool:
        if sock.fileno() < 0:
            return True  # closed meanwhile: the next call says so
        timeout = None if deadline is None else max(0.0, deadline - self._clock.monotonic())
        timeout_ms = None if timeout is None else timeout * 1000
        try:
            return bool(self._polls[event].poll(timeout_ms))
        except RuntimeError:  # another thread waits with it: reading twice, or writing what TLS must read for
            waiting = select.poll()
            waiting.register(sock, event)
            return bool(waiting.poll(timeout_ms))


def _shut_down(sock: socket.socket) -> None:
    """Have threads that wait for the socket wake."""
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)


def _close(sock: socket.socket) -> None:
    _shut_down(sock)
    sock.close()
