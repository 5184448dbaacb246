"""The one seam for time and randomness: nothing else in ledgerx reads a clock or makes a random number.

Cores take `now` as an argument; shells hold a Clock and pass what it says. (Keys and TLS draw from
libsodium and OpenSSL.)
"""

from __future__ import annotations

import os
import random
import time
from typing import Protocol

# A clock that counts the time a laptop sleeps, so that an order made before is known to be old after it
# (Linux: CLOCK_BOOTTIME; macOS: CLOCK_MONOTONIC; Windows: time.monotonic itself).
_CLOCK_ID = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC", None))

__all__ = ["SYSTEM_CLOCK", "Clock", "Random", "SystemClock", "seeded_random"]

Random = random.Random
"""A source of numbers, as `seeded_random` makes one."""


class Clock(Protocol):
    """Where a shell gets its time and its randomness."""

    def wall_ns(self) -> int:
        """Nanoseconds since 1970 UTC. May jump."""

    def monotonic(self) -> float:
        """Seconds from an arbitrary start. Never decreases, and goes on while the machine sleeps."""

    def random(self) -> float:
        """A number in [0, 1)."""

    def unique_hex(self) -> str:
        """32 hex characters that no other call returns: a version 4 UUID."""


class SystemClock:
    """The machine's own time and randomness."""

    def __init__(self) -> None:
        self._random = random.SystemRandom()

    def wall_ns(self) -> int:
        """The system's wall clock."""
        return time.time_ns()

    def monotonic(self) -> float:
        """The system's monotonic clock."""
        return time.monotonic() if _CLOCK_ID is None else time.clock_gettime(_CLOCK_ID)

    def random(self) -> float:
        """From the system's entropy."""
        return self._random.random()

    def unique_hex(self) -> str:
        """A version 4 UUID, 122 random bits."""
        raw = bytearray(os.urandom(16))
        raw[6] = raw[6] & 0x0F | 0x40
        raw[8] = raw[8] & 0x3F | 0x80
        return raw.hex()


def seeded_random(seed: str | int) -> Random:
    """Numbers that look random and are the same for the same seed: for tests and simulations."""
    return Random(seed)


SYSTEM_CLOCK = SystemClock()
