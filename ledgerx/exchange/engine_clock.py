"""Engine time from wall-clock readings: it never runs back, and one wild reading does not move it.

Sans-I/O: readings go in, engine time comes out. Time that went forward cannot be taken back (orders would
expire, contracts end), so a jump of more than `jump_ns_max` counts only when a second reading confirms it.
"""

from __future__ import annotations

from typing import Final

__all__ = ["JUMP_NS_MAX", "EngineClock"]

JUMP_NS_MAX: Final = 60_000_000_000


class EngineClock:
    """`now` is engine time, nanoseconds since 1970 UTC; it starts at the time the journal ended."""

    def __init__(self, now: int = 0, *, jump_ns_max: int = JUMP_NS_MAX) -> None:
        self.now = now
        self._jump_ns_max = jump_ns_max
        self._suspect: int | None = None

    def read(self, wall_ns: int) -> int:
        """Engine time after a reading: the greater of the last one and the wall clock's.

        A forward jump is held back; the next reading confirms it if it is not before the one held and
        no second jump beyond it.
        """
        if wall_ns <= self.now + self._jump_ns_max or self._confirms(wall_ns):
            self._suspect = None
            self.now = max(self.now, wall_ns)
        else:
            self._suspect = wall_ns
        return self.now

    def _confirms(self, wall_ns: int) -> bool:
        return self._suspect is not None and 0 <= wall_ns - self._suspect <= self._jump_ns_max
