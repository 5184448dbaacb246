"""The client's feed by itself: topics, filters, and what may not stop it."""

from __future__ import annotations

from typing import Any

import pytest

from ledgerx.api.client import v0_0_1 as api
from ledgerx.errors import DecodeError
from ledgerx.protocol import wire
from ledgerx.sdk.book import LocalBook
from ledgerx.sdk.feed import Feed


class Owner:
    """Plays the Context's part."""

    def ask_snapshot(self, book: LocalBook) -> None:
        """Nothing is asked here."""

    def is_dispatching(self) -> bool:
        return False


@pytest.fixture
def feed() -> Feed:
    return Feed(Owner())


def frame(*messages: Any) -> bytes:
    return wire.encode_frame([wire.encode_message(message) for message in messages])


def update(contract_id: int) -> api.MessageBookUpdate:
    return api.MessageBookUpdate(contract_id=contract_id, run_id=1, sequence=1)


def test_tops_and_heartbeats_are_subscribed_to_from_the_start(feed: Feed) -> None:
    assert feed.topics() == [b"book_top.", b"heartbeat.0"]
    feed.subscribe("trade", 7)
    feed.book(3)
    assert feed.topics() == [b"book_top.", b"book_update.3", b"heartbeat.0", b"trade.7"]
    assert feed.take_changes() == []  # a new connection begins with all of them


def test_changes_are_told_once_and_a_books_topic_is_never_unsubscribed(feed: Feed) -> None:
    feed.subscribe("book_update", 3)
    feed.subscribe("book_update", 3)
    feed.book(3)
    feed.unsubscribe("book_update", 3)
    feed.subscribe("trade", None)
    feed.unsubscribe("trade", None)
    assert feed.take_changes() == [
        (True, b"book_update.3"),
        (True, b"book_update.3"),
        (True, b"trade."),
        (False, b"trade."),
    ]
    assert feed.take_changes() == []


def test_what_comes_along_with_a_prefix_is_left_out(feed: Feed) -> None:
    feed.subscribe("book_update", 1)
    assert [event.handler for event in feed.receive(b"book_update.1", frame(update(1)))] == [
        "handle_book_update"
    ]
    assert feed.receive(b"book_update.12", frame(update(12))) == []


def test_noise_is_an_error_event_and_what_is_not_known_is_passed_over(feed: Feed) -> None:
    (event,) = feed.receive(b"book_top.1", b"\xff\xff")
    assert event.handler == "handle_error"
    assert isinstance(event.arguments[0], DecodeError)
    unknown = wire.encode_frame([b"\xca\x3e\x00"])  # field 1001 of Message
    assert feed.receive(b"book_top.1", unknown) == []
    heads = api.MessageHeartbeat(heads=[api.TopicHead(topic="book_update.1", sequence=3)])
    assert feed.receive(b"heartbeat.0", frame(heads)) == []
