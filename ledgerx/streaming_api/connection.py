"""A TCP or TLS socket that waits no longer than told, and that one thread may read while another writes.

The socket itself does not block. Each call holds a lock only while OpenSSL works, never while it waits.
"""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import threading
from types import TracebackType
from typing import Any

from ledgerx.clock import SYSTEM_CLOCK, Clock
from ledgerx.errors import ConnectionError as ConnectionLost
from ledgerx.errors import InvalidField, SocketDisconnected
from ledgerx.streaming_api.tls import client_context

__all__ = ["SessionSettings", "SessionSocket"]

_READ_BYTES = 65_536


class SessionSettings:
    """What a session needs to connect and to log in: a token, or a username and a password.

    `socket_timeout` (seconds, None: no limit) bounds each wait for the venue, and `connect_timeout`, by
    default the same, the connecting. `ssl_kwargs` are those of `tls.client_context`.
    """

    def __init__(
        self,
        username: str | None = None,
        password: str | None = None,
        token: str | None = None,
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
        self.ssl_kwargs = ssl_kwargs or {}
        self.tcp_nodelay = tcp_nodelay
        self.connect_timeout = socket_timeout if connect_timeout is None else connect_timeout
        self.read_chunksize = _READ_BYTES

    def __repr__(self) -> str:
        return f"SessionSettings(host={self.host!r}, port={self.port!r}, ssl={self.ssl!r})"  # no credentials


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

        Raises the streaming ConnectionError, within `connect_timeout`.
        """
        if self._sock is not None:
            return False
        settings = self.settings
        where = f"{settings.host}:{settings.port}"
        context = client_context(settings.ssl_kwargs) if settings.ssl else None
        try:
            sock = socket.create_connection((settings.host, settings.port), settings.connect_timeout)
        except (OSError, OverflowError, UnicodeError, TypeError) as error:
            raise ConnectionLost(f"cannot connect to {where}: {error}") from error
        try:
            if settings.tcp_nodelay:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if context is not None:
                name = settings.ssl_kwargs.get("server_hostname", settings.host)
                sock = context.wrap_socket(sock, server_hostname=name)
            sock.setblocking(False)
        except (OSError, ValueError) as error:
            sock.close()
            hint = ""
            if isinstance(error, ssl.SSLCertVerificationError):
                hint = ": ssl_kwargs={'ca_certs': FILE} names whose certificates are trusted"
            raise ConnectionLost(f"no TLS session with {where}: {error}{hint}") from error
        except BaseException:
            sock.close()
            raise
        self._polls = {}
        for event in (select.POLLIN, select.POLLOUT):
            self._polls[event] = select.poll()
            self._polls[event].register(sock, event)
        self._drained = True
        self._sock = sock
        return True

    def disconnect(self) -> None:
        """Close the connection. Does nothing where there is none."""
        sock, self._sock = self._sock, None
        if sock is None:
            return
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)  # wakes a thread that waits in recv
        with self._lock:
            sock.close()

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
        if wait_first and sock is not None:
            decrypted = isinstance(sock, ssl.SSLSocket) and sock.pending()
            if not decrypted and not self._wait(sock, event, deadline):
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
        if self._sock is not sock:
            return SocketDisconnected("disconnected meanwhile")
        self.disconnect()
        return ConnectionLost(f"{doing} {self.settings.host}:{self.settings.port} failed: {error}")

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
