"""What a tracker must have stored, and when: before a request leaves, and after an event was dispatched.

Sans-I/O: it says what to write, as the tuples of records.py, and is told what was written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ledgerx.api.client import v0_0_1 as api
from ledgerx.protocol import wire
from ledgerx.sdk.events import Event
from ledgerx.sdk.items import RequestItem
from ledgerx.sdk.line import AccountLine
from ledgerx.sdk.outbox import Outbox
from ledgerx.sdk.records import Position, Progress, Row, Saved, Unsaved
from ledgerx.sdk.requests import EFFECTS
from ledgerx.sdk.states import FINAL_STATES, State

__all__ = ["Durability"]


class Durability:
    """One tracker's dealings with a durable store; without one (`enabled` false) nothing has to be stored."""

    def __init__(self, enabled: bool, line: AccountLine, outbox: Outbox, store: Mapping[str, Any]) -> None:
        self.enabled = enabled
        self.epoch = 0  # how many baselines the line has had
        self.doubtful_next = 0  # the number that a handler may have seen before a crash
        self.venue_id = ""
        self._line = line
        self._outbox = outbox
        self._store = store
        self._places = 0  # how many durable requests there were

    def resume(self, saved: Saved) -> None:
        """Begin where another process ended."""
        position = saved.position
        self.epoch, self.venue_id = position.epoch, position.venue_id
        if position.next:
            self._line.resume(position.first, position.next)
            self.doubtful_next = 0 if saved.clean else position.next
        self._places = max((item.place for item in saved.items), default=0)

    def admit(self, items: Sequence[RequestItem]) -> None:
        """A request, or a batch and its members, were submitted: what has an effect is to be stored."""
        if self.enabled and isinstance(items[0].msg, EFFECTS):
            for item in items:
                self._places += 1
                item.place, item.saved = self._places, False

    def baseline(self, venue_id: str) -> None:
        """The line begins anew. No request leaves before the file knows."""
        self.epoch += 1
        self.venue_id = venue_id
        self.doubtful_next = 0
        self._outbox.blocked = self.enabled

    def heard_head(self, head: int) -> None:
        """The first greeting says which numbers there are: one that was not given yet cannot be doubtful."""
        if self.doubtful_next > head:
            self.doubtful_next = 0

    # ------------------------------------------------------------------ before a request leaves

    def rows(self, item: RequestItem) -> list[Row]:
        """What must be in the file before `item` leaves: nothing for a request that changes nothing."""
        if not item.place:
            return []
        stamped = item.encoded is not None
        rows = []
        for each in (item, *item.members):
            message = item.encoded if each is item and item.encoded else wire.encode_message(each.msg)
            batch = "" if each is item else item.mid
            rows.append(Row(each.place, each.mid, batch, message, stamped, each.msg.timestamp))
        return rows

    def to_save(self) -> Unsaved:
        """What else must be in the file before requests leave: a baseline, requests stamped late."""
        position = self._position(self._line.dispatched_next) if self._outbox.blocked else None
        late = [item for item in self._outbox.held() if item.inserted and not item.saved]
        return Unsaved(position, [row for item in late for row in self.rows(item)])

    @property
    def holds(self) -> bool:
        """Whether requests wait for the file."""
        return bool(self._outbox.held())

    def saved(self, rows: Sequence[Row], position: Position | None = None) -> None:
        """All this is in the file: what waited for it may leave."""
        for row in rows:
            item = self._store.get(row.mid)
            if isinstance(item, RequestItem):
                item.inserted, item.saved = True, row.stamped
        if position is not None and position.epoch == self.epoch:
            self._outbox.blocked = False
        self._outbox.release()

    # ------------------------------------------------------------------ after an event was dispatched

    def progress(self, event: Event, state: State | None, gone: Sequence[RequestItem]) -> Progress:
        """What must be in the file after the event's handler, before the tracker is told.

        `state` is where the event moves its item, None for nowhere; `gone` are the members that go with it.
        """
        position = None
        if event.sequence and event.epoch == self.epoch:
            following = self._line.next_after(event.sequence)
            position = None if following is None else self._position(following)
        item = event.item
        if item is None or state is None or not item.place:
            return Progress(position)
        if state in FINAL_STATES:
            return Progress(position, finished=tuple(each.place for each in (item, *gone)))
        answer = event.arguments[0]
        report = wire.encode_message(answer) if isinstance(answer, api.MessageActionReport) else None
        return Progress(position, moved=((item.place, state, report),))

    def _position(self, following: int) -> Position:
        return Position(self.epoch, self.venue_id, self._line.first, following)
