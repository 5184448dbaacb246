"""The client's side of the trading protocol, without I/O: what was sent, acknowledged, answered.

Bytes and a time go in (`receive`, `tick`, `submit`); frames to send (`output`) and events to dispatch
(`take_events`) come out. It reads no clock, owns no socket and calls no user code. docs/protocol.rst
says the rules; the branches here name them. Times are seconds of a monotonic clock; the venue's
time is told by its messages.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ledgerx.api.client import v0_0_1 as api
from ledgerx.errors import (
    ConnectTimeout,
    DecodeError,
    Error,
    HandshakeFailed,
    InvalidField,
    InvalidMessage,
    Retryable,
    ServerKeyMismatch,
)
from ledgerx.protocol import wire
from ledgerx.protocol.wire import AnyMessage
from ledgerx.sdk.durability import Durability
from ledgerx.sdk.events import HANDLERS, Event
from ledgerx.sdk.items import RequestItem
from ledgerx.sdk.line import AccountLine
from ledgerx.sdk.link import Link, LinkSettings, LinkState
from ledgerx.sdk.outbox import Outbox
from ledgerx.sdk.outstanding import Outstanding, ResendSettings
from ledgerx.sdk.reads import Reads
from ledgerx.sdk.records import Progress, Saved
from ledgerx.sdk.requests import (
    ASKED_AGAIN,
    EXPIRING,
    READS,
    REQUESTS,
    check_members,
    check_size,
    prepared,
)
from ledgerx.sdk.states import Cause, State, cause_of, next_state
from ledgerx.sdk.store import IDStoreItem

__all__ = ["REQUESTS", "Tracker", "TrackerSettings"]

_MALFORMED = api.MessageStatus.STATUS_MALFORMED


@dataclass(frozen=True, slots=True)
class TrackerSettings:
    """Every number the tracker obeys."""

    link: LinkSettings = field(default_factory=LinkSettings)
    resend: ResendSettings = field(default_factory=ResendSettings)
    window_messages: int = 10_000
    hole_patience_s: float = 1.0
    resend_max_age_s: float = 60.0
    frame_bytes_max: int = wire.FRAME_BYTES_MAX // 4
    frame_messages_max: int = 200


class Tracker:
    """One context's dealings with one venue.

    `instance` names the context, 32 hex characters; `make_mid` gives fresh message IDs; `store` holds
    the items in progress by mid; `owner` is given to each item. A `durable` tracker lets a request leave
    once it was told that it is stored: see durability.py.
    """

    def __init__(
        self,
        *,
        instance: str,
        make_mid: Callable[[], str],
        random: Callable[[], float],
        store: MutableMapping[str, IDStoreItem],
        settings: TrackerSettings | None = None,
        owner: Any = None,
        durable: bool = False,
    ) -> None:
        self.settings = settings or TrackerSettings()
        self.link = Link(self.settings.link, random)
        self.line = AccountLine(self.settings.window_messages)
        self.outstanding = Outstanding(self.settings.resend, random)
        self.venue_id = ""
        self.run_id = 0
        self._instance = instance
        self._make_mid = make_mid
        self._store = store
        self._owner = owner
        self._events: deque[Event] = deque()
        self._outbox = Outbox()
        self.durability = Durability(durable, self.line, self._outbox, store)
        self._failure: Error | None = None
        self._told: type[Error] | None = None  # the kind of failure that the user was told of last
        self._reads = Reads()
        self._replay: RequestItem | None = None  # whose pages are coming in
        self._hole_replay: RequestItem | None = None  # the tracker's own
        self._venue_offset_ns: int | None = None  # venue time less monotonic time
        self._last_timestamp = 0
        self._reported_next = 0  # what the venue was last told of our progress

    # ------------------------------------------------------------------ requests

    def submit(self, message: AnyMessage, now: float, *, internal: bool = False) -> RequestItem:
        """Take a request; returns its item, SENT. The message is copied.

        Raises InvalidMessage for what is no request or too large, InvalidField for a mid that is
        malformed or in use, QueueFull. What the tracker itself asks (`internal`) always has room.
        """
        if not isinstance(message, REQUESTS):
            raise InvalidMessage(f"{type(message).__name__} is no request: it cannot be submitted")
        if isinstance(message, api.MessageBatch):
            members = [wire.unwrap(member) for member in message.requests]
            return self.submit_batch(members, now, expires=message.expires)[0]
        if not internal:
            self.outstanding.check_room()
        check_size(type(message), [message])
        item = self._make_item(message)
        item.internal = internal
        self._enqueue([item], now)
        return item

    def submit_batch(
        self, messages: Sequence[AnyMessage], now: float, *, expires: int = 0
    ) -> tuple[RequestItem, list[RequestItem]]:
        """Take requests to be run in the order given; returns the batch's item and the members'.

        The venue judges the number of members, and refuses a batch or a replay among them, so that these
        are answered as any bad request. Raises InvalidMessage naming the member that is none, and as
        `submit` does.
        """
        check_members(messages)
        self.outstanding.check_room()
        check_size(api.MessageBatch, messages)
        batch = self._make_item(api.MessageBatch(expires=expires))
        batch.members = [self._make_item(message) for message in messages]
        for member in batch.members:
            member.batch = batch
        self._enqueue([batch, *batch.members], now)
        return batch, batch.members

    def abandon(self, item: RequestItem, now: float) -> None:
        """The user gives a request up: FAILED, not resent, its later answers are strangers'."""
        for given_up in (*item.members, item):
            given_up.state = next_state(given_up.state, Cause.ABANDONED)
            self.outstanding.acknowledged(given_up.mid, now)
            self._forget(given_up)

    def _make_item(self, message: AnyMessage) -> RequestItem:
        return RequestItem(prepared(message, self._make_mid, self._store), self._owner)

    def _enqueue(self, items: Sequence[RequestItem], now: float) -> None:
        """Take a request, or a batch and its members: all of them or, if it raises, nothing."""
        mids = {item.mid for item in items}
        if len(mids) < len(items):
            raise InvalidField("two members of a batch have the same mid", field="mid", value=sorted(mids))
        first = items[0]
        first.submitted_at = now
        for item in items:
            self._store[item.mid] = item
        self.durability.admit(items)
        self.outstanding.add(first)
        if self.link.state is LinkState.UP:
            self._send(first, now)

    def _send(self, item: RequestItem, now: float) -> None:
        if self.link.hello_due(now):
            self._queue_hello(now)
        if item.encoded is None:
            item.encoded = self._stamp(item, now)
            item.first_connection = self.link.connection
        if isinstance(item.msg, ASKED_AGAIN) and not item.answered:
            self._reads.add(item)
        for member in item.members:
            if isinstance(member.msg, READS) and not member.answered:
                self._reads.add(member)
        self._outbox.put_request(item)
        self.outstanding.sent(now)

    def _stamp(self, item: RequestItem, now: float) -> bytes:
        """Fix the request's bytes. Done at the first sending, when the venue's time is known."""
        message = item.msg
        # Its age counts from when it was wanted, not from when a connection was there to send it on.
        left_ns = int((self.settings.resend_max_age_s - (now - item.submitted_at)) * 1e9)
        for asked in (item, *item.members):
            asked.msg.timestamp = self._timestamp(now)
            if isinstance(asked.msg, EXPIRING) and not asked.msg.expires and not message.expires:
                asked.msg.expires = max(1, asked.msg.timestamp + left_ns)
        for member in item.members:
            message.requests.append(wire.envelope(member.msg))
        return wire.encode_message(message)

    def _timestamp(self, now: float) -> int:
        """Venue time as last told, and always above the one before."""
        told = int(now * 1e9) + (self._venue_offset_ns or 0)
        self._last_timestamp = max(told, self._last_timestamp + 1)
        return self._last_timestamp

    # ------------------------------------------------------------------ connection

    def connection_opened(self, now: float) -> None:
        """The shell made new sockets: the hello is the first thing to send on them."""
        self.link.opened(now)
        self.outstanding.connection_opened()
        self._outbox.clear()
        self._replay = None
        if self._hole_replay is not None:  # the hello's cursor fills the hole
            self.abandon(self._hole_replay, now)
            self._hole_replay = None
        self._queue_hello(now)

    def connection_lost(self, now: float, reason: Error) -> None:
        """The sockets are gone, for `reason`."""
        if self.link.state is LinkState.DOWN:
            return
        was_up = self.link.state is LinkState.UP
        self.link.lost(now)
        self._outbox.clear()
        if was_up:
            self._told = type(reason)
            self._events.append(Event("handle_disconnected", (reason,)))
        elif type(reason) is not self._told and not self._doubtful(reason):  # not at every try
            self._told = type(reason)
            refused = isinstance(reason, HandshakeFailed)
            self._events.append(Event("handle_handshake_failed" if refused else "handle_error", (reason,)))
        self._failure = reason

    def _doubtful(self, reason: Error) -> bool:
        """Whether a refusal of a server key that was right before may be a venue that is going down.

        It closes in the middle of a handshake too; a wrong key is refused the next time as well.
        """
        first = not isinstance(self._failure, ServerKeyMismatch)
        return first and self.line.known and isinstance(reason, ServerKeyMismatch)

    @property
    def failure(self) -> Error | None:
        """Why there is no connection; None while there is one, or before the first try ended."""
        return self._failure

    def _queue_hello(self, now: float) -> None:
        hello = api.MessageHello(
            mid=self._make_mid(),
            mversion=api.VERSION,
            timestamp=self._timestamp(now) if self._venue_offset_ns is not None else 0,
            client_instance=self._instance,
            connection=self.link.connection,
            next_sequence=self.line.dispatched_next,
            venue_id=self.venue_id,
        )
        self._reported_next = self.line.dispatched_next
        self.link.hello_sent(now)
        self._outbox.put_hello(wire.encode_message(hello))

    def _on_hello(self, hello: api.MessageHello, now: float) -> None:
        """The venue's greeting: take or keep the baseline, then resend before anything new."""
        if hello.connection != self.link.connection:
            return
        known = self.line.known
        if known and hello.venue_id != self.venue_id:
            self._new_baseline(hello, f"venue {self.venue_id} is now {hello.venue_id}: its data is another")
        elif known and self.line.contradicts(hello.head):
            last = self.line.released_next - 1
            self._new_baseline(hello, f"the venue's line ends at {hello.head}, this client has seen {last}")
        elif not known:
            self._baseline(hello)
        self.durability.heard_head(hello.head)
        self._reported_next = self.line.dispatched_next
        self.run_id = max(self.run_id, hello.run_id) if known else hello.run_id
        self.line.heard_head(hello.head, now)
        first = self.link.state is not LinkState.UP
        self.link.greeted(hello.interval_ms, now)
        self._failure = self._told = None
        self._outbox.clear()
        for item in [*self._reads.lost(), *self.outstanding]:
            self._send(item, now)
        if first:
            self._events.append(Event("handle_connected"))

    def _new_baseline(self, hello: api.MessageHello, why: str) -> None:
        self._baseline(hello)
        self.run_id = hello.run_id
        text = f"{why}; numbers start anew at {hello.head + 1}, requests the old one answered stay open"
        self._events.append(Event("handle_error", (Error(text),)))

    def _baseline(self, hello: api.MessageHello) -> None:
        self.line.baseline(hello.head)
        self.venue_id = hello.venue_id
        self.durability.baseline(hello.venue_id)

    # ------------------------------------------------------------------ input

    def receive(self, data: bytes, now: float) -> None:
        """Take one frame of the request connection. Never raises: bad bytes become an error event."""
        if self.link.heard(now):
            self._events.append(Event("handle_exchange_online"))
        try:
            frame = wire.decode_frame(data)
            messages = [wire.decode_message(encoded) for encoded in frame.messages]
        except DecodeError as error:
            self._events.append(Event("handle_error", (error,)))
            return
        for message in messages:
            if isinstance(message, api.Message):
                self._on_unknown_kind(message, now)
            elif frame.replayed:
                self._on_replayed(message, now)
            else:
                self._on_message(message, now)

    def _on_message(self, message: Any, now: float) -> None:
        if isinstance(message, api.MessageHello):
            self._tell_time(message.timestamp, now)
            self._on_hello(message, now)
            return
        if self.link.state is not LinkState.UP:
            return  # before the greeting nothing counts
        if isinstance(message, api.MessageHeartbeat):
            self._tell_time(message.timestamp, now)
            self.line.heard_head(message.head, now)
            self._events.append(Event("handle_heartbeat", (message, None)))
            return
        if message.account_sequence == 0:
            self._release_answer(message, now)
            return
        self._note_acknowledged(message, now)
        for sequence, released in self.line.accept(message.account_sequence, message, now):
            self._release(sequence, released)

    def _on_unknown_kind(self, message: api.Message, now: float) -> None:
        """A newer venue's: no handler is called, but its number must not be missed as a hole."""
        if self.link.state is not LinkState.UP:
            return
        try:
            sequence = wire.shared_fields(message).account_sequence
        except DecodeError as error:
            self._events.append(Event("handle_error", (error,)))
            return
        for number, released in self.line.accept(sequence, message, now):
            self._release(number, released)

    def _tell_time(self, venue_ns: int, now: float) -> None:
        if venue_ns > 0:
            self._venue_offset_ns = venue_ns - int(now * 1e9)

    def _note_acknowledged(self, message: Any, now: float) -> None:
        """An ACK counts when it arrives, even if an earlier message is still missing."""
        if isinstance(message, api.MessageStatus):
            self._acknowledged(message.mid, now)
        elif isinstance(message, api.MessageBatch):
            self._acknowledged(message.mid, now)
            batch = self._item(message.mid)
            for ack in message.messages:
                self._acknowledged(ack.mid, now)
                member = self._reads.get(ack.mid)
                if member is not None and batch is not None:
                    self._ask_again_if_lost(member, batch, now)

    def _ask_again_if_lost(self, member: RequestItem, batch: RequestItem, now: float) -> None:
        """A batch that an older connection carried may have been run there: the reads' answers went there.

        The venue does not run it again for its second copy, so its reads are asked on their own.
        """
        up = self.link.state is LinkState.UP
        if up and member.encoded is None and batch.first_connection != self.link.connection:
            self._send(member, now)

    def _acknowledged(self, mid: str, now: float) -> None:
        self.outstanding.acknowledged(mid, now)
        item = self._store.get(mid)
        if isinstance(item, RequestItem):
            item.acknowledged = True
            item.state = next_state(item.state, Cause.ACKNOWLEDGED)

    def _release_answer(self, message: Any, now: float) -> None:
        """An answer that is not sequenced: to a read, a replay, or to bytes that could not be read.

        It goes to the asker only, so what answers no request in progress is a copy: a read that was
        asked twice is dispatched once.
        """
        item = self._item(message.mid)
        known = item is not None and (item.mid in self._reads or not isinstance(item.msg, ASKED_AGAIN))
        if item is None or not known:
            refusal = (
                isinstance(message, api.MessageStatus)
                and message.status >= api.MessageStatus.STATUS_MALFORMED
            )
            if refusal and not self._reads.ended(message.mid):
                text = f"the venue refused a message: {message.status} {message.message}"
                self._events.append(Event("handle_error", (Error(text),)))
            return
        repeated = item.acknowledged
        self._note_acknowledged(message, now)
        cause = cause_of(message, item.msg)
        if isinstance(item.msg, api.MessageReplay):
            self._replay = item if cause is Cause.ACKNOWLEDGED else None
        if cause in (Cause.FINISHED, Cause.REFUSED):
            item.answered = True
            self._reads.end(item)
            if item is self._hole_replay and cause is Cause.REFUSED:
                self._skip_hole(message, now)
        if cause is not Cause.ACKNOWLEDGED or not repeated:
            self._events.append(self._event(message, item, 0))

    def _skip_hole(self, refusal: api.MessageStatus, now: float) -> None:
        """The venue keeps no such messages any more: they are lost to this client, which is told so."""
        first, missing = refusal.first_available, self.line.released_next
        if first > missing:
            text = f"the venue no longer has messages {missing} to {first - 1} of the account's line"
            self._events.append(Event("handle_error", (Error(text),)))
            for sequence, released in self.line.skip_to(first, now):
                self._release(sequence, released)

    def _release(self, sequence: int, message: Any) -> None:
        """A sequenced message whose turn it is."""
        if isinstance(message, api.MessageRunChange):
            self.run_id = message.run_id
            arguments = (message.run_id, message.prev_run_id)
            event = Event("handle_run_change", arguments, None, sequence)
        elif isinstance(message, api.Message):
            event = Event("", sequence=sequence)
        else:
            event = self._event(message, self._item(message.mid), sequence)
        redelivered = sequence == self.durability.doubtful_next
        self._events.append(event._replace(epoch=self.durability.epoch, redelivered=redelivered))

    def _on_replayed(self, message: Any, now: float) -> None:
        """A stored message sent again: it fills a hole, or is what the user asked to see again."""
        sequence = message.account_sequence
        item = self._replay
        if item is None or item.internal:
            self._note_acknowledged(message, now)
            for number, released in self.line.accept(sequence, message, now):
                self._release(number, released)
            return
        if sequence <= item.replayed_to:
            return
        item.replayed_to = sequence
        if self.line.first_below(sequence):
            self._events.append(self._news(message))
        self._events.append(Event("", (message, item.msg), item))

    @staticmethod
    def _news(message: Any) -> Event:
        """The handler's call for a message of the time before this client: it sent no such mid."""
        if isinstance(message, api.MessageRunChange):
            return Event("handle_run_change", (message.run_id, message.prev_run_id))
        return Event(HANDLERS.get(wire.kind_of(message), ""), (message, None))

    def _event(self, message: Any, item: RequestItem | None, sequence: int) -> Event:
        """The handler's call for one answer, with the message that came before it.

        For a status the request; for reports first the request, later the report before; None for
        a mid that this context did not send (the manual's `prev_msg`).
        """
        if item is not None and item.internal:
            return Event("", (message, item.msg), item, sequence)
        previous = None if item is None else item.msg
        if item is not None and isinstance(message, api.MessageActionReport):
            previous = item.last_report or item.msg
            item.last_report = message
        handler = HANDLERS.get(wire.kind_of(message), "")
        return Event(handler, (message, previous), item, sequence)

    def _item(self, mid: str) -> RequestItem | None:
        item = self._store.get(mid)
        return item if isinstance(item, RequestItem) else None

    # ------------------------------------------------------------------ dispatch

    def dispatched(self, event: Event, now: float) -> None:
        """The event's handler and callback returned: states move, and the venue may go on."""
        if event.sequence and event.epoch == self.durability.epoch:
            self.line.dispatched(event.sequence, now)
            told = self.line.dispatched_next - self._reported_next
            if told >= self.settings.window_messages // 2 and self.link.state is LinkState.UP:
                self._queue_hello(now)
        item = event.item
        state = self._state_after(event)
        if item is not None and state is not None:
            item.state = state
            if item.finished:
                self._forget(item)

    @staticmethod
    def _state_after(event: Event) -> State | None:
        """Where an event moves its item; None where it moves none."""
        item = event.item
        if item is None or not event.arguments or event.arguments[0].mid != item.mid:
            return None  # a replayed message moves no state
        return next_state(item.state, cause_of(event.arguments[0], item.msg))

    def _forget(self, item: RequestItem) -> None:
        """The manual's scenario 3: all three messages may be discarded."""
        self._store.pop(item.mid, None)
        self._reads.end(item)
        for member in _given_up_with(item, item.state):
            member.state = State.FAILED
            self._forget(member)
        item.members = []

    # ------------------------------------------------------------------ what a durable store must know

    def resume(self, saved: Saved, now: float, wall_ns: int) -> None:
        """Begin where another tracker ended. Before anything else is asked of this one."""
        self.durability.resume(saved)
        self._last_timestamp, self.venue_id = saved.timestamp, saved.position.venue_id
        for item in saved.items:
            self._store[item.mid] = item
            item.resumed(self._owner, now - max(0, wall_ns - item.wanted_ns) / 1e9)
            if item.batch is None and item.state is State.SENT:
                self.outstanding.add(item)
            elif isinstance(item.msg, READS):
                self._reads.add(item)  # of a batch, which may be acknowledged and not yet dispatched

    def withdraw(self, item: RequestItem, now: float) -> None:
        """The file refused a request: it is as if it had never been submitted, for no byte of it left."""
        self._outbox.drop(item)
        self.abandon(item, now)

    def progress(self, event: Event) -> Progress:
        """What must be in the file after the event's handler, before `dispatched` is called."""
        state = self._state_after(event)
        gone = [] if event.item is None or state is None else _given_up_with(event.item, state)
        return self.durability.progress(event, state, gone)

    # ------------------------------------------------------------------ time and output

    def tick(self, now: float) -> None:
        """Do what the time has come for."""
        if self.link.turns_offline(now):
            self._events.append(Event("handle_exchange_offline"))
        if self.link.greeting_expired(now):
            self.connection_lost(now, ConnectTimeout("the exchange did not answer the hello in time"))
        elif self.link.silent(now):
            self.connection_lost(now, Retryable("the exchange has been silent for too long"))
        if self.link.state is not LinkState.UP:
            return
        if self.link.hello_due(now):
            self._queue_hello(now)
        if not self._outbox:  # while the socket is full, copies would only make it fuller
            for item in self.outstanding.due(now):
                self._send(item, now)
        if self._hole_replay is None or self._hole_replay.finished:
            hole = self.line.hole(now, self.settings.hole_patience_s)
            if hole is not None:
                request = api.MessageReplay(from_sequence=hole[0], to_sequence=hole[1])
                self._hole_replay = self.submit(request, now, internal=True)

    def next_deadline(self) -> float:
        """When `tick` next has something to do."""
        times = [self.link.deadline()]
        if self.link.state is LinkState.UP:
            others = (self.outstanding.deadline(), self.line.gap_deadline(self.settings.hole_patience_s))
            times += [time for time in others if time is not None]
        return min(times)

    @property
    def has_output(self) -> bool:
        """Whether `output` has a frame to send."""
        return self._outbox.ready

    @property
    def has_unsent_requests(self) -> bool:
        """Whether a request may not have left: it waits for the socket or for a connection."""
        return bool(self.outstanding) and (bool(self._outbox) or self.link.state is not LinkState.UP)

    def output(self) -> bytes | None:
        """The next frame to send, or None. Give it back with `unsend` if the socket cannot take it."""
        messages = self._outbox.take(self.settings.frame_messages_max, self.settings.frame_bytes_max)
        if not messages:
            return None
        self._reported_next = self.line.dispatched_next
        return wire.encode_frame(messages, next_sequence=self.line.dispatched_next)

    def unsend(self) -> None:
        """The socket did not take the last frame: its messages go back to the front."""
        self._outbox.give_back()

    def take_events(self) -> list[Event]:
        """What to dispatch, in order."""
        events = list(self._events)
        self._events.clear()
        return events


def _given_up_with(batch: RequestItem, state: State) -> list[RequestItem]:
    """The members that fail with their batch: those that the venue did not acknowledge on their own."""
    if state is not State.FAILED:
        return []
    return [member for member in batch.members if not member.finished and not member.acknowledged]
