"""The life of a request: its states, what moves it, and the one table of transitions.

No other file decides a state. The diagram in docs/protocol.rst is drawn from TRANSITIONS.
"""

from __future__ import annotations

import enum

from ledgerx.api.client import v0_0_1 as api
from ledgerx.protocol.wire import AnyMessage

__all__ = [
    "FINAL_STATES",
    "TRADE_REQUESTS",
    "TRANSITIONS",
    "Cause",
    "State",
    "cause_of",
    "next_state",
    "reaches",
]


class State(enum.IntEnum):
    """Where a request is. SENT is the unknown outcome: it goes on being resent."""

    SENT = 1
    ACKNOWLEDGED = 2
    OPEN = 3
    DONE = 4
    FAILED = 5


class Cause(enum.Enum):
    """What an answer, or the user, means to a request's state."""

    ACKNOWLEDGED = "acknowledged"
    ANSWERED = "an answer, with more to come"
    ACCEPTED = "stands in the market, or traded and still stands"
    FINISHED = "last answer"
    REFUSED = "refused"
    ABANDONED = "abandoned by the user"


FINAL_STATES = frozenset({State.DONE, State.FAILED})

# Requests that stay open in the market after they are accepted.
TRADE_REQUESTS = (
    api.MessageLimitOrder,
    api.MessageMarketOrder,
    api.MessageQuote,
)

TRANSITIONS: dict[State, dict[Cause, State]] = {
    State.SENT: {
        Cause.ACKNOWLEDGED: State.ACKNOWLEDGED,
        Cause.ANSWERED: State.ACKNOWLEDGED,
        Cause.ACCEPTED: State.OPEN,
        Cause.FINISHED: State.DONE,
        Cause.REFUSED: State.FAILED,
        Cause.ABANDONED: State.FAILED,
    },
    State.ACKNOWLEDGED: {
        Cause.ACKNOWLEDGED: State.ACKNOWLEDGED,
        Cause.ANSWERED: State.ACKNOWLEDGED,
        Cause.ACCEPTED: State.OPEN,
        Cause.FINISHED: State.DONE,
        Cause.REFUSED: State.FAILED,
        Cause.ABANDONED: State.FAILED,
    },
    State.OPEN: {
        Cause.ACKNOWLEDGED: State.OPEN,
        Cause.ANSWERED: State.OPEN,
        Cause.ACCEPTED: State.OPEN,
        Cause.FINISHED: State.DONE,
        Cause.REFUSED: State.FAILED,
        Cause.ABANDONED: State.FAILED,
    },
    State.DONE: {},
    State.FAILED: {},
}


def cause_of(answer: AnyMessage, request: AnyMessage) -> Cause:
    """What one answer from the exchange means to the request it answers.

    The message whose `remaining` is 0 is the last of its mid, by the protocol's shared fields.
    """
    status = answer.status if isinstance(answer, api.MessageStatus) else 0
    if status == api.MessageStatus.STATUS_ACKNOWLEDGED:
        return Cause.ACKNOWLEDGED
    if getattr(answer, "remaining", 0):
        return Cause.ACCEPTED if isinstance(request, TRADE_REQUESTS) else Cause.ANSWERED
    return Cause.REFUSED if status >= api.MessageStatus.STATUS_MALFORMED else Cause.FINISHED


def next_state(state: State, cause: Cause) -> State:
    """The state after `cause`; a final state stays as it is."""
    return TRANSITIONS[state].get(cause, state)


def reaches(state: State, wanted: State) -> bool:
    """Whether a request in `state` is at `wanted` or has passed it. FAILED passes nothing."""
    return state == wanted or (state > wanted and state is not State.FAILED)
