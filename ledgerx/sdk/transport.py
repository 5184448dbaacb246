"""The ZeroMQ sockets of one connection, and what their monitors say of it.

One thread owns a Transport. ZeroMQ's own reconnection is off: it would lose a middle range of messages
and mix an old connection's with a new one's, so a lost connection is closed whole and another opened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import zmq
from zmq.utils.monitor import recv_monitor_message

from ledgerx.errors import (
    ClientKeyRefused,
    ConnectTimeout,
    Error,
    HandshakeFailed,
    ServerKeyMismatch,
    VenueUnreachable,
)
from ledgerx.protocol import sockets
from ledgerx.protocol.crypto import KeyPair
from ledgerx.protocol.ports import Address

__all__ = ["Transport"]

_MONITORED = (
    zmq.EVENT_CONNECT_DELAYED
    | zmq.EVENT_CONNECTED
    | zmq.EVENT_CLOSED
    | zmq.EVENT_DISCONNECTED
    | zmq.EVENT_HANDSHAKE_SUCCEEDED
    | zmq.EVENT_HANDSHAKE_FAILED_AUTH
    | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
    | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL
)

# Frames waiting in the socket for a venue that does not read: the rest waits in the tracker.
_SEND_FRAMES_MAX = 64
# The public feed may be dropped by its publisher's high-water mark; the request line never is.
_FEED_FRAMES_MAX = 10_000


class Transport:
    """A request socket and a feed socket, on their way to one venue.

    Raises QueueFull where the process has no socket left, VenueUnreachable where ZeroMQ takes no address.
    """

    def __init__(self, ctx: sockets.AnyContext, address: Address, keys: KeyPair, server_key: bytes) -> None:
        self.address = address
        self._sockets: list[sockets.AnySocket] = []
        self._monitors: dict[sockets.AnySocket, tuple[sockets.AnySocket, int]] = {}
        self._resolved: set[int] = set()  # ports whose connection was begun: the host has an address
        self._connected: set[int] = set()
        self._secured: set[int] = set()
        try:
            self.request = self._open(ctx, sockets.dealer, keys, server_key, _SEND_FRAMES_MAX, 0)
            self.feed = self._open(ctx, sockets.sub, keys, server_key, 0, _FEED_FRAMES_MAX)
            self._connect(self.request, address.request_port)
            self._connect(self.feed, address.publish_port)
        except zmq.ZMQError as error:
            self.close()
            raise VenueUnreachable(f"{address.host} cannot be connected to: {error}") from error
        except Error:
            self.close()
            raise

    def _connect(self, socket: sockets.AnySocket, port: int) -> None:
        self._monitors[socket.get_monitor_socket(_MONITORED)] = (socket, port)
        socket.connect(self.address.endpoint(port))

    def _open(
        self,
        ctx: sockets.AnyContext,
        factory: Callable[..., sockets.AnySocket],
        keys: KeyPair,
        server_key: bytes,
        send_hwm: int,
        recv_hwm: int,
    ) -> sockets.AnySocket:
        options = {"rtimeo": 0, "reconn_ivl": -1, "linger": 0, "send_hwm": send_hwm, "recv_hwm": recv_hwm}
        assert keys.private is not None
        socket = sockets.secure_socket(factory, keys.private, keys.public, server_key, ctx, **options)
        self._sockets.append(socket)
        return socket

    @property
    def monitors(self) -> Iterable[sockets.AnySocket]:
        """The sockets to poll for `lost`."""
        return self._monitors

    def lost(self, monitor: sockets.AnySocket) -> Error | None:
        """Read what a monitor says; the error that ended the connection, if one did.

        CURVE lets a client know so much: a refused key is told by the venue, a wrong server key shows
        only as a connection that the venue closes during the handshake.
        """
        _, port = self._monitors[monitor]
        where = f"{self.address.host} port {port}"
        while monitor.poll(0):
            event = recv_monitor_message(monitor)
            kind, value = event["event"], event["value"]
            self._resolved.add(port)
            if kind == zmq.EVENT_CONNECT_DELAYED:
                continue
            if kind == zmq.EVENT_CONNECTED:
                self._connected.add(port)
            elif kind == zmq.EVENT_HANDSHAKE_FAILED_AUTH:
                return ClientKeyRefused(
                    f"{where} knows no account with this client's public key (ZAP status {int(value)}): "
                    "register it with `pyledgerx account add`"
                )
            elif kind == zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL:
                return ServerKeyMismatch(
                    f"{where} closed the connection during the handshake, as a venue does when the server "
                    "public key is not its own: fetch it with `pyledgerx --fetch-exchange-key`, and see that "
                    "the port is right"
                )
            elif kind == zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL:
                return HandshakeFailed(f"{where} does not speak CURVE-secured ZeroMQ: is the port right?")
            elif kind == zmq.EVENT_CLOSED and port not in self._connected:
                return VenueUnreachable(f"{where} accepts no connection: is the venue running?")
            elif kind == zmq.EVENT_HANDSHAKE_SUCCEEDED:
                self._secured.add(port)
            elif port not in self._secured:
                return VenueUnreachable(f"{where} closed the connection before the handshake: is it a venue?")
            else:
                return VenueUnreachable(f"{where} closed the connection")
        return None

    def unanswered(self) -> Error:
        """Why no greeting has come, by how far the connections came."""
        host = self.address.host
        for port in (self.address.request_port, self.address.publish_port):
            if port not in self._resolved:
                return VenueUnreachable(
                    f"no address was found for the host name {host}: is it spelled right?"
                )
            if port not in self._connected:
                return VenueUnreachable(f"{host} port {port} did not answer the connection attempt")
        return ConnectTimeout(f"{host} accepted the connection and did not answer in time: is it a venue?")

    def subscribe(self, topics: Iterable[bytes]) -> None:
        """Subscribe the feed to topics or to prefixes of topics."""
        for topic in topics:
            self.feed.subscribe(topic)

    def send(self, frame: bytes) -> bool:
        """Give one frame to the request socket; False if it can take none now."""
        try:
            self.request.send(frame, zmq.NOBLOCK)
        except zmq.Again:
            return False
        return True

    def close(self, linger_ms: int = 0) -> None:
        """Close all sockets; unsent frames have `linger_ms` to leave."""
        for monitor, (socket, _) in self._monitors.items():
            socket.disable_monitor()
            monitor.close(linger=0)
        for socket in self._sockets:
            socket.close(linger=linger_ms if socket is self._sockets[0] else 0)
        self._monitors.clear()
        self._sockets.clear()
