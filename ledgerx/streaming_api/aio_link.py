"""A TCP or TLS connection of an event loop that keeps no bytes of its own: what it does not take stays.

asyncio's transports take all they are given and hold it outside of every bound. This one gives the kernel
what it takes and says how much that was, and tells its owner when there is more to do.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Callable
from typing import Any

from ledgerx.errors import ConnectionError as ConnectionLost
from ledgerx.errors import Error
from ledgerx.streaming_api.connection import SessionSettings
from ledgerx.streaming_api.tls import client_context

__all__ = ["AsyncLink", "open_link"]


class AsyncLink:
    """One open connection. Its loop must have `add_reader`, as all but the proactor of Windows have.

    Nothing here waits. `watch` says of what the owner wants to be told.
    """

    def __init__(self, sock: socket.socket, settings: SessionSettings) -> None:
        self._sock = sock
        self._settings = settings
        self._loop = asyncio.get_running_loop()
        self._reader: Callable[[], None] | None = None
        self._writer: Callable[[], None] | None = None
        # TLS may have to write before it can go on reading, and the other way round.
        self.read_wants_write = False
        self.write_wants_read = False

    @property
    def raw_socket(self) -> socket.socket:
        """The socket. It does not block."""
        return self._sock

    @property
    def pending(self) -> bool:
        """Whether TLS holds bytes that it decrypted, of which the loop knows nothing."""
        return isinstance(self._sock, ssl.SSLSocket) and self._sock.pending() > 0

    def send(self, data: bytes) -> int:
        """Send what the kernel takes; how many bytes that was. Raises the streaming ConnectionError.

        After a 0 the same bytes must come first in the next call.
        """
        self.write_wants_read = False
        try:
            return self._sock.send(data)
        except (BlockingIOError, ssl.SSLWantWriteError):
            return 0
        except ssl.SSLWantReadError:
            self.write_wants_read = True
            return 0
        except (OSError, ValueError) as error:
            raise self._failed("writing to", error) from error

    def receive(self) -> bytes | None:
        """What has come: None for nothing, empty at the end. Raises the streaming ConnectionError."""
        self.read_wants_write = False
        try:
            return self._sock.recv(self._settings.read_chunksize)
        except (BlockingIOError, ssl.SSLWantReadError):
            return None
        except ssl.SSLWantWriteError:
            self.read_wants_write = True
            return None
        except (OSError, ValueError) as error:
            raise self._failed("reading from", error) from error

    def watch(self, reader: Callable[[], None] | None, writer: Callable[[], None] | None) -> None:
        """Have `reader` called while there is something to read, `writer` while the kernel takes bytes."""
        if reader != self._reader:
            self._reader = reader
            if reader is None:
                self._loop.remove_reader(self._sock)
            else:
                self._loop.add_reader(self._sock, reader)
        if writer != self._writer:
            self._writer = writer
            if writer is None:
                self._loop.remove_writer(self._sock)
            else:
                self._loop.add_writer(self._sock, writer)

    def close(self) -> None:
        """Close the connection at once. What the kernel took is still sent."""
        if self._sock.fileno() < 0:
            return
        with contextlib.suppress(RuntimeError):  # the loop is closed, and watches nothing
            self.watch(None, None)
        self._sock.close()

    def _failed(self, doing: str, error: Exception) -> ConnectionLost:
        return ConnectionLost(f"{doing} {self._settings.host}:{self._settings.port} failed: {error}")


async def open_link(settings: SessionSettings) -> AsyncLink:
    """Connect, with TLS if the settings say so, within `connect_timeout` seconds.

    Raises the streaming ConnectionError, and InvalidField for an unknown key of `ssl_kwargs`.
    """
    where = f"{settings.host}:{settings.port}"
    context = client_context(settings.ssl_kwargs) if settings.ssl else None
    try:
        async with asyncio.timeout(settings.connect_timeout):
            sock = await _connect(settings)
            try:
                if context is not None:
                    sock = await _secure(sock, context, settings)
                return AsyncLink(sock, settings)
            except BaseException:
                sock.close()
                raise
    except Error:
        raise
    except Exception as error:  # whatever asyncio and ssl make of a host or port of any type
        raise ConnectionLost(f"cannot connect to {where}: {str(error) or 'timed out'}") from error


async def _connect(settings: SessionSettings) -> socket.socket:
    """A socket connected to the first of the host's addresses that answers."""
    loop = asyncio.get_running_loop()
    addresses = await loop.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)
    failure: OSError = OSError("the host has no address")
    end = None if settings.connect_timeout is None else loop.time() + settings.connect_timeout
    for left, (family, kind, protocol, _, address) in zip(
        range(len(addresses), 0, -1), addresses, strict=True
    ):
        share = None if end is None else max(0.0, end - loop.time()) / left
        sock = socket.socket(family, kind, protocol)
        try:
            sock.setblocking(False)
            if settings.tcp_nodelay:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            async with asyncio.timeout(share):
                await loop.sock_connect(sock, address)
            return sock
        except OSError as error:  # TimeoutError, too
            sock.close()
            failure = error
        except BaseException:
            sock.close()
            raise
    raise failure


async def _secure(sock: socket.socket, context: ssl.SSLContext, settings: SessionSettings) -> ssl.SSLSocket:
    """The socket after TLS's handshake. Raises ConnectionError; the socket is closed then."""
    name = settings.ssl_kwargs.get("server_hostname")
    name = settings.host if name is None else name
    try:
        secure = context.wrap_socket(sock, server_hostname=name, do_handshake_on_connect=False)
    except BaseException:
        sock.close()
        raise
    loop = asyncio.get_running_loop()
    try:
        while True:
            try:
                secure.do_handshake()
                return secure
            except ssl.SSLWantReadError:
                await _until_called(secure, loop.add_reader, loop.remove_reader)
            except ssl.SSLWantWriteError:
                await _until_called(secure, loop.add_writer, loop.remove_writer)
    except (OSError, ValueError) as error:
        secure.close()
        hint = ""
        if isinstance(error, ssl.SSLCertVerificationError):
            hint = ": ssl_kwargs={'ca_certs': FILE} names whose certificates are trusted"
        where = f"{settings.host}:{settings.port}"
        raise ConnectionLost(f"no TLS session with {where}: {error}{hint}") from error
    except BaseException:
        secure.close()
        raise


async def _until_called(
    sock: socket.socket, add: Callable[..., Any], remove: Callable[[socket.socket], Any]
) -> None:
    called = asyncio.Event()
    add(sock, called.set)
    try:
        await called.wait()
    finally:
        remove(sock)
