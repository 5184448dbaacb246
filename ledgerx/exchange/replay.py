"""One page of a MessageReplay: which stored messages it brings, or why it brings none."""

from __future__ import annotations

from typing import Final, NamedTuple

from ledgerx.api.client.v0_0_1 import MessageReplay, MessageStatus
from ledgerx.exchange.line_store import LineStore
from ledgerx.exchange.refusals import Refused

__all__ = ["PAGE_BYTES_MAX", "PAGE_MESSAGES_MAX", "Page", "replay_page"]

PAGE_MESSAGES_MAX: Final = 10_000
PAGE_BYTES_MAX: Final = 4 * 1024 * 1024


class Page(NamedTuple):
    """The messages, as first sent, and the sequence that the next page starts from (0: none is left).

    `beyond`: the range asked for goes on after the head.
    """

    messages: list[bytes]
    next_sequence: int
    beyond: bool


def replay_page(
    lines: LineStore,
    cid: int,
    request: MessageReplay,
    *,
    messages_max: int = PAGE_MESSAGES_MAX,
    bytes_max: int = PAGE_BYTES_MAX,
) -> Page:
    """The page that starts at the request's `from_sequence`; a `to_sequence` above the head means the head.

    Raises Refused: malformed, or a range that the line does not have.
    """
    if not request.HasField("from_sequence"):
        raise Refused(
            MessageStatus.STATUS_MALFORMED,
            "from_sequence",
            "from_sequence is missing: set it to the first account_sequence wanted",
        )
    first, head, available = request.from_sequence, lines.head(cid), lines.first_available(cid)
    if not available <= first <= head + 1:
        raise Refused(
            MessageStatus.STATUS_REPLAY_RANGE,
            "from_sequence",
            f"from_sequence {first} is not in this account's line: it is kept from {available} to {head}",
        )
    last = min(request.to_sequence, head) if request.HasField("to_sequence") else head
    if request.HasField("to_sequence") and request.to_sequence < first:
        raise Refused(
            MessageStatus.STATUS_MALFORMED,
            "to_sequence",
            f"to_sequence {request.to_sequence} is below from_sequence {first}: leave it out for the head",
        )
    messages = lines.read(cid, first, count_max=messages_max, bytes_max=bytes_max, to_sequence=last)
    following = first + len(messages)
    beyond = first > head or (request.HasField("to_sequence") and request.to_sequence > head)
    return Page(messages, following if following <= last else 0, beyond)
