"""The connection of one client: hello, heartbeats, silence, loss and the wait before the next try.

Sans-I/O. A connection is one pair of sockets; after every loss it is thrown away and the next one gets
the next number. The shell opens a connection when `should_open` says so and tells what becomes of it.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Link", "LinkSettings", "LinkState"]


class LinkState(enum.Enum):
    """Where the connection is."""

    DOWN = "down"  # no sockets; `reopen_at` says when to try
    GREETING = "greeting"  # sockets open, hello sent, no answer yet
    UP = "up"


@dataclass(frozen=True, slots=True)
class LinkSettings:
    """Times in seconds."""

    connect_timeout_s: float = 5.0
    reopen_min_s: float = 0.1
    reopen_max_s: float = 5.0
    jitter: float = 0.2
    interval_s: float = 1.0  # until the venue says its own
    grace_s: float = 0.5
    silent_intervals_max: int = 3


class Link:
    """The state of the one connection a client has."""

    def __init__(self, settings: LinkSettings, random: Callable[[], float]) -> None:
        self.state = LinkState.DOWN
        self.connection = 0
        self.offline = False
        self.interval_s = settings.interval_s
        self.reopen_at = 0.0
        self._settings = settings
        self._random = random
        self._failures = 0
        self._opened_at = 0.0
        self._heard_at: float | None = None
        self._hello_at = 0.0

    # What the shell tells.

    def opened(self, now: float) -> None:
        """New sockets stand; the hello goes first."""
        self.state = LinkState.GREETING
        self.connection += 1
        self._opened_at = now
        self._hello_at = now + self.interval_s

    def lost(self, now: float) -> None:
        """The sockets are gone. The next try waits, longer after each failure, never in step."""
        self.state = LinkState.DOWN
        wait = min(self._settings.reopen_max_s, self._settings.reopen_min_s * 2 ** min(self._failures, 16))
        self._failures += 1
        self.reopen_at = now + wait * (1 + self._settings.jitter * (2 * self._random() - 1))

    def heard(self, now: float) -> bool:
        """A byte came: a sign of life. True if the exchange was taken for offline."""
        self._heard_at = now
        returned, self.offline = self.offline, False
        return returned

    def greeted(self, interval_ms: int, now: float) -> None:
        """The venue answered the hello, with the interval that it expects from now on."""
        self.state = LinkState.UP
        self._failures = 0
        if interval_ms > 0:
            self.interval_s = interval_ms / 1000
        self._hello_at = min(self._hello_at, now + self.interval_s)

    def hello_sent(self, now: float) -> None:
        """A hello, which is the client's heartbeat, was put out."""
        self._hello_at = now + self.interval_s

    # What the clock brings.

    def should_open(self, now: float) -> bool:
        """Whether it is time for new sockets."""
        return self.state is LinkState.DOWN and now >= self.reopen_at

    def greeting_expired(self, now: float) -> bool:
        """Whether the hello has gone unanswered for the connect timeout."""
        return self.state is LinkState.GREETING and now >= self._opened_at + self._settings.connect_timeout_s

    def hello_due(self, now: float) -> bool:
        """Whether it is time for the client's heartbeat."""
        return self.state is LinkState.UP and now >= self._hello_at

    def turns_offline(self, now: float) -> bool:
        """True once when the exchange has been silent for its interval and the grace."""
        if self.offline or self._heard_at is None or now < self._offline_at():
            return False
        self.offline = True
        return True

    def silent(self, now: float) -> bool:
        """Whether an open connection has been silent for so long that it is given up."""
        return self.state is LinkState.UP and now >= self._silent_at()

    def deadline(self) -> float:
        """When one of the above may next become true."""
        if self.state is LinkState.DOWN:
            times = [self.reopen_at]
        elif self.state is LinkState.GREETING:
            times = [self._opened_at + self._settings.connect_timeout_s]
        else:
            times = [self._hello_at, self._silent_at()]
        if self._heard_at is not None and not self.offline:
            times.append(self._offline_at())
        return min(times)

    def _offline_at(self) -> float:
        return (self._heard_at or 0.0) + self.interval_s + self._settings.grace_s

    def _silent_at(self) -> float:
        intervals = self._settings.silent_intervals_max * self.interval_s
        return (self._heard_at or self._opened_at) + intervals + self._settings.grace_s
