"""What the tracker asks the dispatch thread to do, one tuple each."""

from __future__ import annotations

from typing import Any, NamedTuple

from ledgerx.sdk.items import RequestItem

__all__ = ["HANDLERS", "Event"]


class Event(NamedTuple):
    """Call `handler(*arguments)` of the processor, then `item`'s callback; then report it dispatched.

    `sequence` is the account's number of the message, 0 for what is not sequenced, `epoch` the line it is
    of (records.py). An empty `handler` means: only the callback. `redelivered`: a process that was killed
    may have dispatched it before.
    """

    handler: str
    arguments: tuple[Any, ...] = ()
    item: RequestItem | None = None
    sequence: int = 0
    public: bool = False
    epoch: int = 0
    redelivered: bool = False


# The kind of a message in the envelope -> the processor's handler.
HANDLERS = {
    "status": "handle_status_message",
    "action_report": "handle_action_report",
    "contract_detail": "handle_contract_detail",
    "batch": "handle_batch_message",
    "book_top": "handle_book_top",
    "book_state_snapshot": "handle_book_state_snapshot",
    "book_update": "handle_book_update",
    "trade": "handle_trade",
    "position": "handle_position",
    "heartbeat": "handle_heartbeat",
}
