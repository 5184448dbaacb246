"""A network in memory: the venue's sockets, and for each client's connection what a Transport is.

The objects here stand in for ZeroMQ's where `ledgerx.exchange.gateway` and `ledgerx.sdk.io_thread` use
them, so that both run as they are. Frames move when the links' owner says so (see `link`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import zmq

from ledgerx.errors import ConnectTimeout, Error, VenueUnreachable
from ledgerx.testing.link import Link

__all__ = ["MemoryNetwork", "MemoryPoller", "MemoryTransport"]

_SUBSCRIBE, _UNSUBSCRIBE = b"\x01", b"\x00"


class _Frame:
    """A received frame, with what ZeroMQ knows of its sender."""

    def __init__(self, data: bytes, key: str) -> None:
        self.bytes = data
        self._key = key

    def __len__(self) -> int:
        return len(self.bytes)

    def get(self, name: object) -> str:
        """The account's key; a descriptor there is not."""
        if name != "User-Id":
            raise ValueError(f"no {name!r}")
        return self._key


class _Router:
    """The venue's request socket."""

    def __init__(self, network: MemoryNetwork) -> None:
        self._network = network

    def recv_multipart(self, flags: int = 0, copy: bool = True) -> list[Any]:
        self._network.on_receive()
        for link in self._network.links.values():
            data = link.up.take()
            if data is not None:
                return [_Frame(link.routing_id, link.key), _Frame(data, link.key)]
        raise zmq.Again

    def send_multipart(self, parts: list[bytes], flags: int = 0) -> None:
        self._network.on_send()
        link = self._network.links.get(parts[0])
        if link is None or link.venue_noticed:
            raise zmq.ZMQError(zmq.EHOSTUNREACH)
        if not link.is_cut and not link.down.put(parts[1]):
            self._network.blocked += 1
            raise zmq.Again


class _Publisher:
    """The venue's feed socket, an XPUB that tells of every subscription."""

    def __init__(self, network: MemoryNetwork) -> None:
        self._network = network

    def recv_multipart(self, flags: int = 0, copy: bool = True) -> list[Any]:
        for link in self._network.links.values():
            data = link.subscriptions.take()
            if data is not None:
                if data[:1] == _SUBSCRIBE:
                    link.subscribed[data[1:]] = None
                else:
                    link.subscribed.pop(data[1:], None)
                return [_Frame(data, link.key)]
        raise zmq.Again

    def send_multipart(self, parts: list[bytes], flags: int = 0) -> None:
        self._network.on_send()
        for link in self._network.links.values():
            if not link.is_cut and link.matches(parts[0]):
                link.feed.put((parts[0], parts[1]))  # a full one drops it, as an XPUB does


class MemoryNetwork:
    """Every link to one venue. `links` has them by routing id, oldest first.

    `frames_max` bounds a link's frames in each direction; a full one takes no more (EAGAIN), and the
    feed drops. `on_receive` and `on_send` are called before the venue receives and sends: what they
    raise ends the venue's turn there. `blocked` counts refused frames.
    """

    def __init__(self, *, frames_max: int = 100, feed_frames_max: int = 10_000) -> None:
        self.links: dict[bytes, Link] = {}
        self.listening = True
        self.blocked = 0
        self.on_receive: Callable[[], object] = lambda: None
        self.on_send: Callable[[], object] = lambda: None
        self._frames_max = frames_max
        self._feed_frames_max = feed_frames_max
        self._made = 0

    def router(self) -> Any:
        """What the gateway takes as its request socket."""
        return _Router(self)

    def publisher(self) -> Any:
        """What the gateway takes as its feed socket."""
        return _Publisher(self)

    def connect(self, key: str) -> MemoryTransport:
        """A new connection of the client with that public key (Z85 text)."""
        self._made += 1
        link = Link(
            b"\0" + self._made.to_bytes(4, "big"),
            key,
            frames_max=self._frames_max,
            feed_frames_max=self._feed_frames_max,
        )
        if self.listening:
            self.links[link.routing_id] = link
        else:
            link.cut()
            link.client_noticed = True
        return MemoryTransport(link)

    def forget(self, link: Link) -> None:
        """Nothing of a cut link arrives any more."""
        self.links.pop(link.routing_id, None)


class _Monitor:
    """Readable once the client may notice that its connection is gone."""

    def __init__(self, link: Link) -> None:
        self._link = link

    @property
    def readable(self) -> bool:
        return self._link.client_noticed and not self._link.down.arrived


class _Dealer:
    """The client's request socket."""

    def __init__(self, link: Link) -> None:
        self._link = link

    @property
    def readable(self) -> bool:
        return bool(self._link.down.arrived)

    def recv_multipart(self, flags: int = 0) -> list[bytes]:
        data = self._link.down.take()
        if data is None:
            raise zmq.Again
        return [data]


class _Subscriber:
    """The client's feed socket."""

    def __init__(self, link: Link) -> None:
        self._link = link

    @property
    def readable(self) -> bool:
        return bool(self._link.feed.arrived)

    def recv_multipart(self, flags: int = 0) -> list[bytes]:
        parts = self._link.feed.take()
        if parts is None:
            raise zmq.Again
        return list(parts)

    def subscribe(self, topic: bytes) -> None:
        if not self._link.is_cut:
            self._link.subscriptions.put(_SUBSCRIBE + topic)

    def unsubscribe(self, topic: bytes) -> None:
        if not self._link.is_cut:
            self._link.subscriptions.put(_UNSUBSCRIBE + topic)


class MemoryTransport:
    """A client's end of a link, with the methods of `ledgerx.sdk.transport.Transport`."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self.request = _Dealer(link)
        self.feed = _Subscriber(link)
        self.monitors = (_Monitor(link),)

    def lost(self, monitor: object) -> Error | None:
        return VenueUnreachable("the connection was cut") if self.link.client_noticed else None

    def unanswered(self) -> Error:
        return ConnectTimeout("the venue did not answer in time")

    def subscribe(self, topics: Iterable[bytes]) -> None:
        for topic in topics:
            self.feed.subscribe(topic)

    def send(self, frame: bytes) -> bool:
        return self.link.is_cut or self.link.up.put(frame)

    def close(self, linger_ms: int = 0) -> None:
        if not self.link.is_cut:
            self.link.cut(kept_up=len(self.link.up.flying))
        self.link.down.clear()


class MemoryPoller:
    """What `zmq.Poller` is to the I/O thread: never waits."""

    def __init__(self) -> None:
        self._sources: list[Any] = []

    def register(self, source: Any, flags: int = 0) -> None:
        if not isinstance(source, int):
            self._sources.append(source)

    def poll(self, timeout_ms: int) -> list[tuple[Any, int]]:
        return [(source, zmq.POLLIN) for source in self._sources if source.readable]
