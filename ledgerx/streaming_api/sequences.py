"""The two directions of a session: what was sent, kept for a replay, and what came, put in order. No I/O."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from ledgerx.streaming_api.payloads import Frame

__all__ = ["Received", "Sent"]


class Sent:
    """The latest payloads of one direction, so that the other end may ask for them again.

    Admin payloads are kept without their bytes: a replay says GAPFILL in their place.
    """

    def __init__(self, payloads_max: int, bytes_max: int) -> None:
        self._kept: deque[tuple[int, bytes | None]] = deque()
        self._payloads_max = payloads_max
        self._bytes_max = bytes_max
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._kept)

    def add(self, seq: int, data: bytes | None) -> None:
        """Keep a payload; the oldest are forgotten above the caps."""
        self._kept.append((seq, data))
        self._bytes += len(data) if data else 0
        while len(self._kept) > self._payloads_max or self._bytes > self._bytes_max:
            _, forgotten = self._kept.popleft()
            self._bytes -= len(forgotten) if forgotten else 0

    def covers(self, seq: int, next_seq: int) -> bool:
        """Whether everything from `seq` on, to what was sent last, is still kept."""
        return seq >= next_seq or (bool(self._kept) and self._kept[0][0] <= seq)

    def since(self, seq: int) -> Iterator[tuple[int, bytes | None]]:
        """What is kept from `seq` on, oldest first."""
        return (entry for entry in list(self._kept) if entry[0] >= seq)

    def clear(self) -> None:
        """Forget everything."""
        self._kept.clear()
        self._bytes = 0


class Received:
    """Payloads in any order in, in the order of their sequence out.

    For a gap at most `held_max` are held, of at most `bytes_max` in all.
    """

    def __init__(self, inseq: int, held_max: int, bytes_max: int) -> None:
        self.next = inseq
        self.held: dict[int, Frame] = {}
        self._held_max = held_max
        self._bytes_max = bytes_max
        self._bytes = 0

    def __len__(self) -> int:
        return len(self.held)

    def hold(self, seq: int, frame: Frame) -> bool:
        """Keep a payload that is ahead; False where too many are."""
        if seq in self.held:
            return True
        if len(self.held) >= self._held_max or self._bytes + len(frame.bytes) > self._bytes_max:
            return False
        self.held[seq] = frame
        self._bytes += len(frame.bytes)
        return True

    def take_next(self) -> Frame | None:
        """The held payload whose turn it is."""
        frame = self.held.pop(self.next, None) if self.held else None
        if frame is not None:
            self.next += 1
            self._bytes -= len(frame.bytes)
        return frame
