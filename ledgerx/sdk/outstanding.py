"""Requests that the exchange has not acknowledged: their bytes, their order, when to send them again.

Sans-I/O. A request is resent as the same bytes, in first-sent order, until its ACK arrives (the
manual's scenario 1).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ledgerx.errors import QueueFull
from ledgerx.sdk.items import RequestItem

__all__ = ["Outstanding", "ResendSettings"]


@dataclass(frozen=True, slots=True)
class ResendSettings:
    """Times in seconds."""

    resend_min_s: float = 0.1
    resend_max_s: float = 5.0
    jitter: float = 0.2
    requests_max: int = 100_000
    resend_requests_max: int = 200  # at one time


class Outstanding:
    """The unacknowledged requests, oldest first, and one timer for all of them.

    The connection is ordered, so as long as ACKs come the later requests are only waiting for their
    turn: the timer starts anew with each ACK, and backs off while none comes.
    """

    def __init__(self, settings: ResendSettings, random: Callable[[], float]) -> None:
        self._settings = settings
        self._random = random
        self._items: OrderedDict[str, RequestItem] = OrderedDict()
        self._wait_s = settings.resend_min_s
        self._resend_at: float | None = None

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[RequestItem]:
        return iter(self._items.values())

    def check_room(self) -> None:
        """Raise QueueFull where one more request would pass the cap."""
        if len(self._items) >= self._settings.requests_max:
            raise QueueFull(
                f"{len(self._items)} requests are unacknowledged, the cap is "
                f"{self._settings.requests_max}: wait for some of them before sending more"
            )

    def add(self, item: RequestItem) -> None:
        """One more request, after all that stand."""
        self._items[item.mid] = item

    def sent(self, now: float) -> None:
        """Something of this was given to the connection: the timer runs, if it did not."""
        if self._resend_at is None:
            self._resend_at = now + self._jittered()

    def connection_opened(self) -> None:
        """A new connection: nothing has been sent on it."""
        self._wait_s = self._settings.resend_min_s
        self._resend_at = None

    def acknowledged(self, mid: str, now: float) -> bool:
        """The ACK of `mid` arrived, or it was given up; True if it was outstanding."""
        if self._items.pop(mid, None) is None:
            return False
        self._wait_s = self._settings.resend_min_s
        self._resend_at = now + self._jittered() if self._items else None
        return True

    def due(self, now: float) -> list[RequestItem]:
        """What to resend now: the oldest requests, in first-sent order."""
        if self._resend_at is None or now < self._resend_at:
            return []
        self._wait_s = min(self._wait_s * 2, self._settings.resend_max_s)
        self._resend_at = now + self._jittered()
        oldest = iter(self._items.values())
        count = min(len(self._items), self._settings.resend_requests_max)
        return [item for item in (next(oldest) for _ in range(count)) if item.encoded is not None]

    def deadline(self) -> float | None:
        """When `due` next has something to say."""
        return self._resend_at

    def _jittered(self) -> float:
        return self._wait_s * (1 + self._settings.jitter * (2 * self._random() - 1))
