"""The public feed at the client: what is subscribed to, and where each message of it goes.

Sans-I/O. ZeroMQ matches subscriptions by prefix, so `trade.1` brings `trade.12` along: what was not
asked for is left out here.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from ledgerx.api.client import v0_0_1 as api
from ledgerx.errors import DecodeError, InvalidField
from ledgerx.protocol import wire
from ledgerx.sdk.book import BookOwner, LocalBook
from ledgerx.sdk.events import HANDLERS, Event

__all__ = ["FEED_KINDS", "Feed", "Listener"]

Listener = Callable[[Any], object]

# What can be subscribed to, each by contract.
FEED_KINDS = ("book_top", "book_update", "trade")

_HEARTBEATS = b"heartbeat.0"


class Feed:
    """Subscriptions and local books of one Context."""

    def __init__(self, owner: BookOwner) -> None:
        self.books: dict[int, LocalBook] = {}
        self._owner = owner
        self._wanted: set[bytes] = {b"book_top."}
        self._listeners: dict[bytes, list[Listener]] = {}
        self._changes: list[tuple[bool, bytes]] = []

    def topics(self) -> list[bytes]:
        """Everything to subscribe to on a new connection."""
        self._changes.clear()
        return sorted(self._wanted | self._unasked() | {_HEARTBEATS})

    def take_changes(self) -> list[tuple[bool, bytes]]:
        """What to subscribe to (True) or unsubscribe from (False) since the last call."""
        changes, self._changes = self._changes, []
        return changes

    def subscribe(self, kind: str, contract_id: int | None) -> None:
        """Have a kind dispatched, of one contract or of all. Raises InvalidField."""
        topic = _topic(kind, contract_id)
        if topic not in self._wanted:
            self._wanted.add(topic)
            self._changes.append((True, topic))

    def unsubscribe(self, kind: str, contract_id: int | None) -> None:
        """End a subscription made with the same arguments. Raises InvalidField."""
        topic = _topic(kind, contract_id)
        if topic in self._wanted:
            self._wanted.discard(topic)
            if topic not in self._unasked():
                self._changes.append((False, topic))

    def listen(self, kind: str, contract_id: int | None, listener: Listener) -> None:
        """Have `listener` called with every message of a kind, of one contract or of all. Raises
        InvalidField.
        """
        topic = _topic(kind, contract_id)
        if topic not in self._wanted | self._unasked():
            self._changes.append((True, topic))
        self._listeners.setdefault(topic, []).append(listener)

    def unlisten(self, listener: Listener) -> None:
        """Call `listener` no more."""
        for topic, listeners in list(self._listeners.items()):
            self._listeners[topic] = kept = [one for one in listeners if one != listener]
            if not kept:
                del self._listeners[topic]
                if topic not in self._wanted | self._unasked():
                    self._changes.append((False, topic))

    def _unasked(self) -> set[bytes]:
        """Topics whose messages come for a book or a listener, and are dispatched only if asked for too."""
        return {book.topic.encode() for book in self.books.values()} | self._listeners.keys()

    def book(self, contract_id: int) -> LocalBook:
        """The local book of a contract, made at the first call. Raises InvalidField."""
        contract_id = _contract_id(contract_id)
        known = self.books.get(contract_id)
        if known is not None:
            return known
        book = self.books[contract_id] = LocalBook(contract_id, self._owner)
        # Subscribed once more if need be: it is the echo that starts the book.
        self._changes.append((True, book.topic.encode()))
        return book

    def disconnected(self) -> None:
        """The feed's socket is gone."""
        for book in self.books.values():
            book.disconnected()

    def ended(self) -> None:
        """The Context ended."""
        for book in self.books.values():
            book.ended()

    def receive(self, topic: bytes, data: bytes) -> list[Event]:
        """Take one frame of the feed; returns what is to be dispatched."""
        try:
            messages = [wire.decode_message(encoded) for encoded in wire.decode_frame(data).messages]
        except DecodeError as error:
            return [Event("handle_error", (error,))]
        every = topic.partition(b".")[0] + b"."
        asked = topic in self._wanted or every in self._wanted
        listeners = [*self._listeners.get(topic, ()), *self._listeners.get(every, ())]
        events = []
        for message in messages:
            if isinstance(message, api.MessageHeartbeat):
                self._heads(message)
                continue
            if isinstance(message, api.MessageBookUpdate) and message.contract_id in self.books:
                self.books[message.contract_id].update(message)
            for listener in listeners:
                listener(message)
            handler = "" if isinstance(message, api.Message) else HANDLERS.get(wire.kind_of(message), "")
            if asked and handler:
                events.append(Event(handler, (message, None), public=True))
        return events

    def mark(self, event: Event) -> None:
        """A private event on its way to dispatch: an own order's report marks it in its book.

        Answers to a question and replayed messages have no sequence here, and are not news.
        """
        if event.sequence and event.handler == "handle_action_report" and self.books:
            report = event.arguments[0]
            book = self.books.get(report.contract_id)
            if book is not None:
                book.mark(report)

    def _heads(self, message: Any) -> None:
        if not self.books:
            return
        sequences = {head.topic: head.sequence for head in message.heads}
        for book in self.books.values():
            if book.topic in sequences:
                book.heads(message.run_id, sequences[book.topic])


def _topic(kind: str, contract_id: int | None) -> bytes:
    if kind not in FEED_KINDS:
        text = f"kind {kind!r} cannot be subscribed to: choose from {', '.join(FEED_KINDS)}"
        raise InvalidField(text, field="kind", value=kind)
    return f"{kind}.{'' if contract_id is None else _contract_id(contract_id)}".encode()


def _contract_id(value: object) -> int:
    """What was given as a contract's number, if it can be one. Raises InvalidField."""
    try:
        number = -1 if isinstance(value, bool) else operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        number = -1
    if not 0 <= number < 2**63:
        text = f"contract_id must be a number from 0 to 2**63 - 1, not {value!r}"
        raise InvalidField(text, field="contract_id", value=value)
    return number
