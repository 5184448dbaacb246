"""One direction of a simulated connection: bytes in, bytes out later, some frames lost or doubled.

TCP neither loses nor doubles; a session must survive both all the same, by its numbers.
"""

from __future__ import annotations

from collections import Counter, deque

from ledgerx.clock import Random
from ledgerx.streaming_api.framing import Deframer, frame_encode

__all__ = ["Pipe"]


class Pipe:
    """Carries one direction. `faults`: the chance that a frame is lost, and that it comes twice."""

    def __init__(self, numbers: Random, counts: Counter[str], faults: float) -> None:
        self._numbers = numbers
        self._counts = counts
        self._faults = faults
        self._deframer = Deframer()
        self._bytes = bytearray()
        self._begun = False

    def put(self, data: bytes) -> None:
        """Bytes leave. The first frame, a login or its answer, always arrives: nothing asks for it again."""
        queue = deque(self._deframer.feed(data))
        while queue:
            payload = queue.popleft()
            chance = self._numbers.random()
            if self._begun and chance < self._faults:
                self._counts["frames lost"] += 1
                continue
            frame_encode(self._bytes, payload)
            if self._begun and chance > 1 - self._faults:
                self._counts["frames doubled"] += 1
                frame_encode(self._bytes, payload)
            self._begun = True

    def take(self) -> bytes:
        """Some of what is under way: a frame's part, or many frames."""
        count = len(self._bytes)
        if count and self._numbers.random() < 0.5:
            count = self._numbers.randrange(count + 1)
        data = bytes(self._bytes[:count])
        del self._bytes[:count]
        return data

    def __len__(self) -> int:
        return len(self._bytes)
