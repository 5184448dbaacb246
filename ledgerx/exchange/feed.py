"""The public feed on its XPUB socket: each topic's messages, heartbeats, and the echo of subscriptions.

A ZeroMQ subscriber cannot know when its subscription has reached the publisher; what is published before
that is lost to it. So each subscription is answered on the very topic it names with that topic's head: once
the subscriber has it, it misses nothing that follows. A subscription is a prefix; one that is not a whole
topic is answered with the heads of all topics it covers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

import zmq

from ledgerx.exchange.engine import Output
from ledgerx.exchange.notices import feed_heartbeat
from ledgerx.exchange.peers import Peers, user_key
from ledgerx.exchange.venue import Venue
from ledgerx.protocol.sockets import AnySocket
from ledgerx.protocol.wire import encode_frame, frame_groups

__all__ = ["HEARTBEAT_TOPIC", "TOPIC_BYTES_MAX", "Feed"]

HEARTBEAT_TOPIC: Final = b"heartbeat.0"
TOPIC_BYTES_MAX: Final = 4096
"""The longest subscription. Not less: the limit holds for CURVE's handshake too, which needs some hundred."""

_SUBSCRIBE: Final = b"\x01"
_TOPIC = re.compile(r"[a-z_]+\.[0-9]+")
_SUBSCRIPTIONS_A_TURN_MAX: Final = 1000


class Feed:
    """The publisher. Every method belongs to the thread that owns the socket."""

    def __init__(self, socket: AnySocket, venue: Venue, peers: Peers, *, interval_ms: int) -> None:
        self.socket = socket
        self._venue = venue
        self._peers = peers
        self._interval_ms = interval_ms

    def publish(self, outputs: Iterable[Output]) -> None:
        """Send a committed turn's messages: one frame a topic, in each topic's order."""
        topics: dict[str, list[bytes]] = {}
        for output in outputs:
            topics.setdefault(output.topic, []).append(output.message)
        for topic, messages in topics.items():
            for group in frame_groups(messages):
                self._send(topic.encode(), encode_frame(group))

    def heartbeat(self) -> None:
        """Send the feed's sign of life, with every topic's head."""
        self._send_heads(HEARTBEAT_TOPIC, self._venue.engine.topic_heads())

    def subscriptions(self) -> None:
        """Answer the subscriptions that came in. To be called after the turn's messages were sent."""
        for _ in range(_SUBSCRIPTIONS_A_TURN_MAX):
            try:
                frames = self.socket.recv_multipart(zmq.NOBLOCK, copy=False)
            except zmq.Again:
                return
            self._subscription(frames[0])

    def _subscription(self, frame: zmq.Frame) -> None:
        key = user_key(frame)
        if self._venue.engine.account_of_key(key) is None:
            self._peers.cut_frame(frame)
            return
        data = frame.bytes
        if data[:1] != _SUBSCRIBE:
            return
        self._peers.note(frame, key)
        prefix = data[1:]
        text = prefix.decode("utf-8", "replace")
        heads = {
            topic: head for topic, head in self._venue.engine.topic_heads().items() if topic.startswith(text)
        }
        if not heads and _TOPIC.fullmatch(text):
            heads[text] = 0
        self._send_heads(prefix, heads)

    def _send_heads(self, topic: bytes, heads: dict[str, int]) -> None:
        engine = self._venue.engine
        beat = feed_heartbeat(
            heads, run_id=engine.run_id, time=self._venue.committed_time, interval_ms=self._interval_ms
        )
        self._send(topic, encode_frame([beat]))

    def _send(self, topic: bytes, frame: bytes) -> None:
        # An XPUB drops what a slow subscriber does not take; the hole in the sequence tells it.
        self.socket.send_multipart([topic, frame], zmq.NOBLOCK)
