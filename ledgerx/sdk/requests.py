"""What may be asked of an exchange: the kinds of request, and what makes one ready to be sent."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from typing import Any

from ledgerx.api.client import v0_0_1 as api
from ledgerx.errors import InvalidField, InvalidMessage
from ledgerx.protocol import wire
from ledgerx.protocol.wire import AnyMessage
from ledgerx.sdk.states import TRADE_REQUESTS

__all__ = [
    "ASKED_AGAIN",
    "EFFECTS",
    "EXPIRING",
    "READS",
    "REQUESTS",
    "check_members",
    "check_size",
    "prepared",
]

# What changes something. The answers are in the account's line.
EFFECTS = (
    *TRADE_REQUESTS,
    api.MessageCancelOrder,
    api.MessageCancelReplace,
    api.MessageCancelAll,
    api.MessageBatch,
)

READS = (
    api.MessageGetContract,
    api.MessageGetBookState,
    api.MessageGetOpenOrders,
    api.MessageGetPositions,
)

# What must not be carried out long after it was wanted. A cancel is wanted however late it comes.
EXPIRING = (*TRADE_REQUESTS, api.MessageCancelReplace)

# Requests whose answers are not sequenced: what was lost with a connection is asked for again.
ASKED_AGAIN = (*READS, api.MessageReplay)

# What may be submitted.
REQUESTS = (*EFFECTS, *ASKED_AGAIN)

# What is added to a message before it leaves: mid, version, timestamp, expires, and in a batch the envelope.
_ADDED_BYTES_MAX = 128

# The venue cuts a client whose frame is above FRAME_BYTES_MAX; the envelope and CURVE need a little of it.
_REQUEST_BYTES_MAX = wire.FRAME_BYTES_MAX - 1024


def check_members(messages: Sequence[Any]) -> None:
    """Raise InvalidMessage naming the member of a batch that is no request."""
    for index, message in enumerate(messages):
        if not isinstance(message, REQUESTS):
            what = type(message).__name__
            raise InvalidMessage(f"messages[{index}] is a {what}, which is no request")


def check_size(kind: type[AnyMessage], messages: Sequence[AnyMessage]) -> None:
    """Raise InvalidMessage for a request that no frame can carry, before any work is done for it."""
    size = sum(message.ByteSize() + _ADDED_BYTES_MAX for message in messages)
    if size > _REQUEST_BYTES_MAX:
        text = f"a {kind.__name__} of {size} bytes is too large: {_REQUEST_BYTES_MAX} are allowed"
        raise InvalidMessage(text)


def prepared(message: AnyMessage, make_mid: Callable[[], str], in_use: Container[str]) -> Any:
    """A copy of a request with its mid and version. Raises InvalidField for a mid that it cannot have."""
    copy: Any = type(message)()
    copy.CopyFrom(message)
    mid: str = copy.mid
    if mid and (len(mid) != 32 or not set(mid) <= set("0123456789abcdef")):
        raise InvalidField(f"mid {mid!r} is not 32 hex characters", field="mid", value=mid)
    if mid and mid in in_use:
        raise InvalidField(f"mid {mid!r} is in use: leave mid empty", field="mid", value=mid)
    copy.mid = mid or make_mid()
    copy.mversion = api.VERSION
    return copy
