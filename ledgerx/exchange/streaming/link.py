"""One connection of the front: a socket that does not block, TLS in memory where it has any, and its session.

TLS over `ssl.MemoryBIO` costs 17 kB a session; nothing is kept of what was sent.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
from typing import Final

from ledgerx.errors import ConnectionError as ConnectionLost
from ledgerx.streaming_api.core import SessionCore

__all__ = ["Link"]

_READ_BYTES: Final = 65_536
_RECORD_BYTES: Final = 16_384  # of TLS at most


class Link:
    """Bytes between the socket and the core. `received` counts what came, without TLS."""

    __slots__ = ("_handshaken", "_incoming", "_outgoing", "_tls", "_wire", "core", "received", "sock")

    def __init__(self, sock: socket.socket, core: SessionCore, context: ssl.SSLContext | None) -> None:
        self.sock = sock
        self.core = core
        self.received = 0
        self._wire = bytearray()
        self._handshaken = context is None
        self._tls: ssl.SSLObject | None = None
        if context is not None:
            self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)

    @property
    def unsent(self) -> bool:
        """Whether the socket must be waited for."""
        return bool(self._wire) or (self._handshaken and bool(self.core.output))

    @property
    def over(self) -> bool:
        """Whether nothing more will come, and what was to be said is on its way."""
        return self.core.over and not (self._wire and self.core.closed_by is None)

    def read(self, now: float) -> None:
        """Take in what has come. What is wrong with it closes the session."""
        try:
            data = self.sock.recv(_READ_BYTES)
        except BlockingIOError:
            return
        except OSError as error:
            self.core.lost(ConnectionLost(f"the connection failed: {error}"))
            return
        if not data:
            self.core.receive_eof()
        elif self._tls is None:
            self._feed(data, now)
        else:
            self._incoming.write(data)
            self._decrypt(self._tls, now)

    def write(self) -> None:
        """Send what the socket takes."""
        try:
            while self._wire or self._encrypt():
                count = self.sock.send(self._wire)
                del self._wire[:count]
        except BlockingIOError:
            return
        except OSError as error:
            self.core.lost(ConnectionLost(f"the connection failed: {error}"))
            self._wire.clear()

    def close(self) -> None:
        """Say that nothing more comes, where that can be said at once, and close the socket."""
        if self._tls is not None and self._handshaken and not self._wire:
            with contextlib.suppress(ssl.SSLError, OSError):
                try:
                    self._tls.unwrap()
                except ssl.SSLWantReadError:
                    self.sock.send(self._outgoing.read())
        self.sock.close()

    def _feed(self, data: bytes, now: float) -> None:
        self.received += len(data)
        self.core.receive(data, now)

    def _decrypt(self, tls: ssl.SSLObject, now: float) -> None:
        try:
            if not self._handshaken:
                tls.do_handshake()
                self._handshaken = True
            while not self.core.over:
                data = tls.read(_READ_BYTES)
                if not data:
                    self.core.receive_eof()
                    return
                self._feed(data, now)
        except ssl.SSLWantReadError:
            return
        except ssl.SSLZeroReturnError:
            self.core.receive_eof()
        except ssl.SSLError as error:
            self._wire += self._outgoing.read()  # the alert
            self.core.lost(ConnectionLost(f"TLS failed: {error}"))

    def _encrypt(self) -> bool:
        """Move some of the session's output to the wire; whether there is any."""
        output = self.core.output
        if self._tls is None:
            self._wire += output
            self.core.sent(len(output))
        else:
            if self._handshaken and output:
                count = self._tls.write(bytes(memoryview(output)[:_RECORD_BYTES]))
                self.core.sent(count)
            self._wire += self._outgoing.read()
        return bool(self._wire)
