"""The item of one request: what the user holds of it, and what it keeps for a callback set late."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ledgerx.protocol.wire import AnyMessage
from ledgerx.sdk.states import FINAL_STATES, State, reaches
from ledgerx.sdk.store import IDStoreItem

if TYPE_CHECKING:
    from typing import Protocol

    class Owner(Protocol):
        """What an item asks of the Context that tracks it."""

        def wait_until(self, condition: Callable[[], bool], timeout: float | None) -> bool: ...
        def callback_set(self, item: RequestItem) -> None: ...
        def abandon(self, item: RequestItem) -> None: ...


__all__ = ["ANSWERS_KEPT_MAX", "RequestItem"]

# How many answers an item keeps for a callback that may yet be set, the newest: a whole page of a replay,
# with its ACK and its status.
ANSWERS_KEPT_MAX = 10_002


class RequestItem(IDStoreItem):
    """One request and what became of it.

    `msg` is the request as sent, its `mid` included; `callback(msg, prev_msg)` is called on the
    dispatch thread for every answer from the first, however late it is set; `state` moves as
    `ledgerx.sdk.states` says.
    """

    def __init__(self, msg: AnyMessage, owner: Owner | None = None) -> None:
        self.state = State.SENT
        self.batch: RequestItem | None = None
        self.members: list[RequestItem] = []
        self.internal = False  # the tracker's own request, of which the user sees nothing
        self.acknowledged = False  # the ACK arrived; it may not have been dispatched yet
        self.answered = False  # the last answer arrived; it may not have been dispatched yet
        self.encoded: bytes | None = None  # the bytes, once they may have left
        self.submitted_at = 0.0  # seconds of the monotonic clock
        self.first_connection = 0  # the connection that the bytes left on first
        self.last_report: Any = None
        self.replayed_to = 0  # of a replay: the last sequence delivered to the callback
        self.place = 0  # in first-sent order, in a durable store; 0: not in its file
        self.inserted = False  # the file has it
        self.saved = True  # nothing of it has to be stored before it leaves
        self.wanted_ns = 0  # when it was submitted, by the wall clock, if it comes from a file
        self._owner = owner
        self._answers: list[tuple[Any, Any]] = []
        self._delivered = 0
        self._has_callback = False
        super().__init__(msg)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {type(self.msg).__name__} {self.msg.mid} {self.state.name}>"

    @property
    def mid(self) -> str:
        """The message ID: 32 hex characters; of an order, the entry ID too."""
        return str(self.msg.mid)

    @property
    def outcome_unknown(self) -> bool:
        """True while the venue has not acknowledged the request: it may or may not be carried out."""
        return self.state is State.SENT

    @property
    def answers(self) -> list[Any]:
        """The answers dispatched so far, oldest first (the newest ANSWERS_KEPT_MAX of them)."""
        return [answer for answer, _ in self._answers]

    @property
    def finished(self) -> bool:
        """True once the request is DONE or FAILED."""
        return self.state in FINAL_STATES

    def wait(self, state: State = State.DONE, timeout: float | None = None) -> bool:
        """Wait until the request is in `state` or past it; True if so.

        False when `timeout` seconds pass first, or when the request FAILED and another state was
        asked for. ACKNOWLEDGED is reached when the ACK arrives; every other state when the answer's
        handler and callback have returned. Raises InvalidState on the dispatch thread, which would
        wait for itself, and TypeError for seconds in the state's place.
        """
        if state not in tuple(State):
            raise TypeError(f"state must be a State, not {state!r}: seconds are given as timeout={state!r}")
        if self._owner is not None:
            self._owner.wait_until(lambda: reaches(self.state, state) or self.finished, timeout)
        return reaches(self.state, state)

    def abandon(self) -> None:
        """Give the request up: it is FAILED for this client and no longer resent.

        What the venue made of it stays unknown; later answers are dispatched with prev_msg None.
        """
        if self._owner is not None:
            self._owner.abandon(self)

    def resumed(self, owner: Owner | None, submitted_at: float) -> None:
        """Another process made this request; `owner` tracks it from now on."""
        self._owner = owner
        self.submitted_at = submitted_at

    def _callback_changed(self) -> None:
        self._has_callback = True
        if self._owner is not None:
            self._owner.callback_set(self)

    def keep(self, answer: Any, previous: Any) -> None:
        """Remember one dispatched answer for the callback. Dispatch thread only."""
        self._answers.append((answer, previous))
        if len(self._answers) > ANSWERS_KEPT_MAX:
            surplus = len(self._answers) - ANSWERS_KEPT_MAX
            del self._answers[:surplus]
            self._delivered = max(0, self._delivered - surplus)

    def undelivered(self) -> list[tuple[Any, Any]]:
        """What the callback has not been given yet, now taken as given. Dispatch thread only."""
        if not self._has_callback:
            return []
        waiting = self._answers[self._delivered :]
        self._delivered = len(self._answers)
        return waiting
