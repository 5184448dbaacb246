"""What a client of the relay decides, without I/O: which requests are pending, and when to ask again.

A notification is the quick way an answer comes. That none came tells nothing: so the status of what is
pending is asked for every `poll_s`, and at once when the relay is another one or the subscription was made
again.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from ledgerx.history.ingestor_pb2 import (
    FromRelay,
    HistoryNotification,
    HistoryRequest,
    StatusRequest,
    ToRelay,
)

__all__ = ["News", "RequestCore"]

STATUS_IDS_MAX: Final = 1000


class News(NamedTuple):
    """What a message brought: answers, what is to be sent, and how far pending requests are (0 to 1)."""

    answers: list[HistoryNotification]
    messages: list[ToRelay]
    progress: dict[str, float]


class RequestCore:
    """A client's pending requests. Methods take the time in seconds."""

    def __init__(self, client_id: str, *, poll_s: float = 1.0) -> None:
        self.client_id = client_id
        self.poll_s = poll_s
        self._pending: dict[str, HistoryRequest] = {}
        self._next_poll = 0.0

    def submit(self, request: HistoryRequest, now: float) -> ToRelay:
        """A request to be sent; it is pending until it is answered or forgotten."""
        if not self._pending:
            self._next_poll = now + self.poll_s
        self._pending[request.request_id] = request
        return ToRelay(request=request)

    def forget(self, request_id: str) -> None:
        """Wait no more for an answer; one that comes is ignored."""
        self._pending.pop(request_id, None)

    def receive(self, message: FromRelay, now: float) -> News:
        """A message of the relay, by whichever way."""
        kind = message.WhichOneof("kind")
        if kind == "notification":
            return News(self._answers([message.notification]), [], {})
        if kind == "ready":
            return News([], self._ask(now), {})
        if kind != "status":
            return News([], [], {})
        status = message.status
        again = [ToRelay(request=self._pending[one]) for one in status.unknown if one in self._pending]
        progress = {
            one.request_id: one.periods_done / max(one.periods_total, 1)
            for one in status.pending
            if one.request_id in self._pending
        }
        return News(self._answers(status.done), again, progress)

    def due(self, now: float) -> list[ToRelay]:
        """What is to be sent as time passed."""
        return self._ask(now) if now >= self._next_poll else []

    def _ask(self, now: float) -> list[ToRelay]:
        self._next_poll = now + self.poll_s
        ids = list(self._pending)
        return [
            ToRelay(
                status=StatusRequest(
                    client_id=self.client_id, request_ids=ids[first : first + STATUS_IDS_MAX]
                )
            )
            for first in range(0, len(ids), STATUS_IDS_MAX)
        ]

    def _answers(self, notifications: Iterable[HistoryNotification]) -> list[HistoryNotification]:
        return [one for one in notifications if self._pending.pop(one.request_id, None) is not None]
