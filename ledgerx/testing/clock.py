"""A clock that only its owner moves: time and randomness from a seed."""

from __future__ import annotations

from ledgerx.clock import Random, seeded_random

__all__ = ["START_NS", "VirtualClock"]

START_NS = 1_800_000_000 * 1_000_000_000
"""Where wall time begins unless told: January 2027."""

_START_S = 1000.0
_NS = 1_000_000_000


class _Time:
    """What clocks of one world share."""

    __slots__ = ("seconds",)

    def __init__(self) -> None:
        self.seconds = 0.0


class VirtualClock:
    """A `ledgerx.clock.Clock` that stands still until `advance`; the same seed gives the same numbers.

    `sibling` makes the clock of another process of the same world: time passes for both together, while
    randomness and the jumps of its wall clock are its own.
    """

    def __init__(self, seed: str | int = 0, *, wall_ns: int = START_NS) -> None:
        self._time = _Time()
        self._wall_ns = wall_ns
        self._jumped_ns = 0
        self._random: Random = seeded_random(seed)

    def sibling(self, seed: str | int) -> VirtualClock:
        """Another process's clock on the same time, with a wall clock that is right."""
        other = VirtualClock(seed, wall_ns=self._wall_ns)
        other._time = self._time
        return other

    # ------------------------------------------------------------------ ledgerx.clock.Clock

    def wall_ns(self) -> int:
        """Nanoseconds since 1970 UTC, jumps included."""
        return self._wall_ns + self._jumped_ns + int(self._time.seconds * _NS)

    def monotonic(self) -> float:
        """Seconds, which `jump` leaves alone."""
        return _START_S + self._time.seconds

    def random(self) -> float:
        """The next number in [0, 1) of the seed."""
        return self._random.random()

    def unique_hex(self) -> str:
        """A version 4 UUID of the seed."""
        raw = bytearray(self._random.randbytes(16))
        raw[6] = raw[6] & 0x0F | 0x40
        raw[8] = raw[8] & 0x3F | 0x80
        return raw.hex()

    # ------------------------------------------------------------------ what moves it

    def advance(self, seconds: float) -> None:
        """Let time pass, for every sibling too."""
        self._time.seconds += max(0.0, seconds)

    def jump(self, seconds: float) -> None:
        """Set this wall clock forward, or back with a negative number; no time passes."""
        self._jumped_ns += int(seconds * _NS)
