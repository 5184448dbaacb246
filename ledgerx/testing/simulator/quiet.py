"""Whether a market has come to rest: nothing in flight, nothing to dispatch, every line and book current."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledgerx.sdk.items import RequestItem
from ledgerx.sdk.states import State
from ledgerx.testing.simulator.client import Client

if TYPE_CHECKING:
    from ledgerx.testing.simulator.course import Course

__all__ = ["what_is_under_way"]


def what_is_under_way(course: Course) -> list[str]:
    """What is not at rest yet, in words; empty once everything is."""
    found: list[str] = []
    for client in course.clients:
        found += [f"client {client.number}: {what}" for what in _of_client(client, course)]
    for link in course.venue.network.links.values():
        if link.up.flying or link.up.arrived or (link.down and not link.is_cut):
            found.append("frames in flight")
    return found


def _of_client(client: Client, course: Course) -> list[str]:
    life, engine = client.life, course.venue.venue.engine
    tracker = life.io.tracker
    found = []
    if not life.up:
        found.append("no connection")
    if tracker.outstanding:
        found.append(f"{len(tracker.outstanding)} unacknowledged")
    if tracker.line.dispatched_next != engine.head(client.cid) + 1:
        found.append(f"next to dispatch {tracker.line.dispatched_next}, head {engine.head(client.cid)}")
    unsure = {s.mid for life in client.lives for s in life.sent if s.is_unsure}
    stored = [i for mid, i in life.store.items() if isinstance(i, RequestItem) and mid not in unsure]
    if any(item.state < State.OPEN for item in stored):
        found.append("a stored request is not answered")
    waiting = [s.item for s in life.sent if s.item.state < State.OPEN and not s.is_unsure]
    if waiting:
        found.append(f"not answered: {waiting[:3]}")
    for book in life.books:
        if not book.synchronised or book.position != (engine.run_id, engine.topic_head(book.topic)):
            at = (engine.run_id, engine.topic_head(book.topic))
            found.append(f"book {book.contract_id} at {book.position}, the venue's at {at}")
    return found
