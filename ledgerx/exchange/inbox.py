"""Frames that came in and are not handled yet: each connection's in order, the connections in turns.

A frame may hold tens of thousands of requests. Handled in one go it would keep every other client waiting
for seconds; here each connection has a slice of its frames handled, then the next one's turn comes.
Sans-I/O.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import zmq

__all__ = ["SLICE_MESSAGES", "Inbox", "Incoming"]

SLICE_MESSAGES: Final = 20
_FRAME_BYTES: Final = 500  # what a frame costs beyond its bytes, roughly


@dataclass(slots=True)
class Incoming:
    """A frame: who sent it, its last part, its messages, and how many of them were taken."""

    routing_id: bytes
    cid: int
    key: str
    part: zmq.Frame
    messages: Sequence[bytes]
    taken: int = 0


class Inbox:
    """Frames by connection. It is full once it holds `bytes_max`; a last frame may go above that."""

    def __init__(self, *, bytes_max: int, slice_messages: int = SLICE_MESSAGES) -> None:
        self._by_connection: OrderedDict[bytes, deque[Incoming]] = OrderedDict()
        self._bytes = 0
        self._bytes_max = bytes_max
        self._slice_messages = slice_messages
        self._slice_taken = 0

    def __bool__(self) -> bool:
        return bool(self._by_connection)

    @property
    def wants_more(self) -> bool:
        """Whether another frame should be added before the next message is taken."""
        return not self._slice_taken and self._bytes < self._bytes_max

    def add(self, frame: Incoming) -> None:
        """Put a frame, which has messages, behind those of its connection."""
        self._by_connection.setdefault(frame.routing_id, deque()).append(frame)
        self._bytes += _size(frame)

    def take(self) -> tuple[Incoming, bytes]:
        """The next message to handle, and its frame. Must not be called on an empty inbox."""
        routing_id, frames = next(iter(self._by_connection.items()))
        frame = frames[0]
        message = frame.messages[frame.taken]
        frame.taken += 1
        self._slice_taken += 1
        if frame.taken == len(frame.messages):
            self.drop(frame)
        if self._slice_taken >= self._slice_messages:
            self._by_connection.move_to_end(routing_id)
            self._slice_taken = 0
        return frame, message

    def drop(self, frame: Incoming) -> None:
        """Forget what is left of a frame that a message was taken from."""
        frames = self._by_connection.get(frame.routing_id)
        if not frames or frames[0] is not frame:
            return
        frames.popleft()
        self._bytes -= _size(frame)
        if not frames:
            del self._by_connection[frame.routing_id]
            self._slice_taken = 0


def _size(frame: Incoming) -> int:
    return len(frame.part) + _FRAME_BYTES
