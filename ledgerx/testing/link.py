"""In-memory links: frames in flight in order, that a test delivers, loses and cuts.

A `Pipe` is one direction. A `Link` is what one client has with one venue: requests up, answers down,
subscriptions up and the feed down. Nothing moves by itself: a frame put into a pipe is in flight until
`deliver` lets it arrive.
"""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

__all__ = ["Link", "Pipe"]

F = TypeVar("F")


class Pipe(Generic[F]):
    """Frames one way, first in, first out. `frames_max` bounds what waits in it, in flight or arrived."""

    def __init__(self, frames_max: int = 1_000_000) -> None:
        self.flying: deque[F] = deque()
        self.arrived: deque[F] = deque()
        self._frames_max = frames_max

    def __len__(self) -> int:
        return len(self.flying) + len(self.arrived)

    def put(self, frame: F) -> bool:
        """Send a frame; False where the pipe is full."""
        if len(self) >= self._frames_max:
            return False
        self.flying.append(frame)
        return True

    def deliver(self, count: int | None = None) -> int:
        """Let the oldest frames arrive, all of them by default; how many did."""
        moved = len(self.flying) if count is None else min(count, len(self.flying))
        for _ in range(moved):
            self.arrived.append(self.flying.popleft())
        return moved

    def take(self) -> F | None:
        """The oldest frame that arrived."""
        return self.arrived.popleft() if self.arrived else None

    def lose(self, first: int, count: int) -> int:
        """Lose so many frames in flight from the one at `first` on; how many there were."""
        kept = list(self.flying)
        lost = len(kept[first : first + count])
        del kept[first : first + count]
        self.flying = deque(kept)
        return lost

    def clear(self) -> int:
        """Lose everything, what arrived and was not read too; how many frames that was."""
        lost = len(self)
        self.flying.clear()
        self.arrived.clear()
        return lost


class Link:
    """One connection between a client's sockets and a venue's.

    `key` is the client's public key (Z85 text), `routing_id` what the venue's socket calls the client.
    `cut` stops both directions; who notices, and when, is the test's to say: `client_noticed`,
    `venue_noticed`.
    """

    def __init__(self, routing_id: bytes, key: str, *, frames_max: int, feed_frames_max: int) -> None:
        self.routing_id = routing_id
        self.key = key
        self.up: Pipe[bytes] = Pipe(frames_max)
        self.down: Pipe[bytes] = Pipe(frames_max)
        self.subscriptions: Pipe[bytes] = Pipe()
        self.feed: Pipe[tuple[bytes, bytes]] = Pipe(feed_frames_max)
        self.subscribed: dict[bytes, None] = {}
        self.is_cut = False
        self.client_noticed = False
        self.venue_noticed = False

    def cut(self, *, kept_up: int = 0, kept_down: int = 0) -> int:
        """Break the connection; how many frames are lost.

        Of those in flight the first `kept_up` and `kept_down` still arrive, at any time later: after the
        frames of the client's next connection, if the test lets those arrive first.
        """
        self.is_cut = True
        lost = self.up.lose(kept_up, len(self.up.flying)) + self.down.lose(kept_down, len(self.down.flying))
        return lost + self.feed.clear() + self.subscriptions.clear()

    def matches(self, topic: bytes) -> bool:
        """Whether the client has subscribed to a topic, or to a prefix of it."""
        return any(topic.startswith(prefix) for prefix in self.subscribed)
