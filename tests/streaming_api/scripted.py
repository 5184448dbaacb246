"""Servers on loopback that say what a test tells them to: recorded bytes, or a gateway's end of a session."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable
from types import TracebackType

from ledgerx.clock import SYSTEM_CLOCK
from ledgerx.streaming_api.core import Role, SessionCore
from ledgerx.streaming_api.payloads import Frame

__all__ = ["GatewayEnd", "Scripted"]

WAIT_S = 20.0
Script = Callable[[socket.socket], None]


class Scripted:
    """A listening socket; a thread gives each connection to the next script. Errors are raised at the end."""

    def __init__(self, *scripts: Script, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, 0), family=family)
        self._listener.settimeout(WAIT_S)
        self.host = host
        self.port: int = self._listener.getsockname()[1]
        self._scripts = scripts
        self._tls = tls
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Scripted:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._listener.close()
        self._thread.join(WAIT_S)
        self._listener.close()
        if kind is None and self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            for script in self._scripts:
                connection, _ = self._listener.accept()
                connection.settimeout(WAIT_S)
                if self._tls is not None:
                    connection = self._tls.wrap_socket(connection, server_side=True)
                with connection:
                    script(connection)
        except BaseException as error:
            self._error = error


class GatewayEnd:
    """A gateway's end of one connection, driven step by step by a script."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self.core = SessionCore(Role.GATEWAY, SYSTEM_CLOCK.monotonic())

    def log_in(self, session: str = "s-1") -> Frame:
        """Take the login and accept it; the login."""
        login = self.take()
        self.core.accept(session, SYSTEM_CLOCK.monotonic())
        self.flush()
        return login

    def take(self) -> Frame:
        """The next payload of the client."""
        while (frame := self.core.next_frame()) is None:
            data = self._connection.recv(65536)
            if not data:
                raise EOFError("the client closed")
            self.core.receive(data, SYSTEM_CLOCK.monotonic())
            self.flush()
        return frame

    def send(self, *payloads: object) -> None:
        """Send payloads, and what else waits."""
        for payload in payloads:
            self.core.send(payload, SYSTEM_CLOCK.monotonic())  # type: ignore[arg-type]
        self.flush()

    def flush(self) -> None:
        """Send what waits."""
        data = bytes(self.core.output)
        self._connection.sendall(data)
        self.core.sent(len(data))
