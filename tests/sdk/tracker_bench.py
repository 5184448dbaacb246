"""A tracker on a test bench: time is a number, the venue is what the test says."""

from __future__ import annotations

from typing import Any

from ledgerx.api.client import v0_0_1 as api
from ledgerx.errors import Error, VenueUnreachable
from ledgerx.protocol import wire
from ledgerx.sdk.events import Event
from ledgerx.sdk.items import RequestItem
from ledgerx.sdk.store import MessageIDStore
from ledgerx.sdk.tracker import Tracker, TrackerSettings

VENUE_TIME_NS = 1_800_000_000_000_000_000
VENUE_ID = "ab" * 16


class Bench:
    """One tracker, the frames it put out, and the venue's side of the conversation by hand."""

    def __init__(self, settings: TrackerSettings | None = None, *, head: int = 0, connect: bool = True):
        self.now = 100.0
        self.mids = 0
        self.store = MessageIDStore()
        self.tracker = Tracker(
            instance="c" * 32,
            make_mid=self._make_mid,
            random=lambda: 0.5,
            store=self.store,
            settings=settings,
        )
        self.sent: list[Any] = []
        self.sequence = head
        self.frames = 0
        if connect:
            self.connect()

    def _make_mid(self) -> str:
        self.mids += 1
        return f"{self.mids:032x}"

    # The client's side.

    def connect(self, **hello: Any) -> None:
        self.tracker.connection_opened(self.now)
        self.take()
        self.greet(**hello)

    def greet(self, **fields: Any) -> None:
        values = {
            "client_instance": "c" * 32,
            "connection": self.tracker.link.connection,
            "venue_id": VENUE_ID,
            "run_id": 1,
            "head": self.sequence,
            "interval_ms": 1000,
            "timestamp": VENUE_TIME_NS,
        }
        self.say(api.MessageHello(**(values | fields)))

    def lose(self, reason: Error | None = None) -> None:
        self.tracker.connection_lost(self.now, reason or VenueUnreachable("gone"))

    def take(self) -> list[Any]:
        """The messages that the tracker has put out since the last call."""
        new = []
        while (frame := self.tracker.output()) is not None:
            self.frames += 1
            self.last_frame = wire.decode_frame(frame)
            new += [wire.decode_message(data) for data in self.last_frame.messages]
        self.sent += new
        return new

    def submit(self, message: Any) -> RequestItem:
        return self.tracker.submit(message, self.now)

    def order(self) -> RequestItem:
        return self.submit(api.MessageLimitOrder(contract_id=1, size=2, price_in_cents=100))

    def advance(self, seconds: float) -> None:
        self.now += seconds
        self.tracker.tick(self.now)

    def events(self) -> list[Event]:
        """Take what is to be dispatched, without dispatching it."""
        return self.tracker.take_events()

    def dispatch(self) -> list[Event]:
        """Dispatch all there is, as the dispatch thread does."""
        events = self.tracker.take_events()
        for event in events:
            if event.item is not None and event.arguments:
                event.item.keep(*event.arguments)
            self.tracker.dispatched(event, self.now)
        return events

    # The venue's side.

    def say(self, *messages: Any, replayed: bool = False) -> None:
        frame = wire.encode_frame([wire.encode_message(m) for m in messages], replayed=replayed)
        self.tracker.receive(frame, self.now)

    def numbered(self, message: Any) -> Any:
        self.sequence += 1
        message.account_sequence = self.sequence
        return message

    def status(self, mid: str, status: int, remaining: int = 0, numbered: bool = True, **more: Any) -> Any:
        message = api.MessageStatus(mid=mid, status=status, remaining=remaining, run_id=1, **more)
        return self.numbered(message) if numbered else message

    def ack(self, item: RequestItem, remaining: int = 1, numbered: bool = True) -> Any:
        return self.status(item.mid, 300, remaining, numbered)

    def report(self, item: RequestItem, size: int, remaining: int | None = None, **more: Any) -> Any:
        left = (1 if size else 0) if remaining is None else remaining
        return self.numbered(api.MessageActionReport(mid=item.mid, size=size, remaining=left, **more))


def handlers(events: list[Event]) -> list[str]:
    """The names of the handlers called."""
    return [event.handler for event in events]
