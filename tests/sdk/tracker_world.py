"""Trackers and a real venue without sockets: a world whose time, losses and order of events a test decides.

The venue is the real one (engine, journal, lines, connections, sender); only its gateway's receiving half
and the wires are made here. A wire is two queues of frames. A cut loses a suffix of each: what was on its
way to the venue may still arrive late.
"""

from __future__ import annotations

from collections import deque
from pathlib import Path
from typing import Any

import zmq
from venue_harness import HandClock, detail

from ledgerx.api.client import v0_0_1 as api
from ledgerx.errors import VenueUnreachable
from ledgerx.exchange.connections import Connections
from ledgerx.exchange.gateway_settings import GatewaySettings
from ledgerx.exchange.sender import Sender
from ledgerx.exchange.venue import Venue
from ledgerx.protocol import wire
from ledgerx.protocol.crypto import KeyPair
from ledgerx.sdk.events import Event
from ledgerx.sdk.items import RequestItem
from ledgerx.sdk.link import LinkState
from ledgerx.sdk.states import State
from ledgerx.sdk.store import MessageIDStore
from ledgerx.sdk.tracker import Tracker, TrackerSettings

_HELLO_TAG = b"\x0a"
_WIRE_FRAMES_MAX = 6  # what a wire takes towards the client before the venue's socket says EAGAIN
_SETTLE_ROUNDS = 400


class Wire:
    """One connection's frames in flight."""

    def __init__(self, routing_id: bytes, cid: int) -> None:
        self.routing_id = routing_id
        self.cid = cid
        self.up: deque[bytes] = deque()
        self.down: deque[bytes] = deque()
        self.cut = False
        self.noticed = False  # the venue's side knows of the cut


class Client:
    """A tracker as a Context drives it, its dispatch thread included, one event at a time."""

    def __init__(self, world: World, cid: int, window: int) -> None:
        self.world = world
        self.cid = cid
        self.items: list[RequestItem] = []
        self.dispatched: list[Any] = []  # the line as the handlers saw it
        self.events: deque[Event] = deque()
        self.wire: Wire | None = None
        self.store = MessageIDStore()
        self.tracker = Tracker(
            instance=world.clock.unique_hex(),
            make_mid=world.clock.unique_hex,
            random=world.clock.random,
            store=self.store,
            settings=TrackerSettings(window_messages=window, frame_messages_max=3),
        )

    def submit(self, message: Any) -> None:
        if isinstance(message, list):
            batch, members = self.tracker.submit_batch(message, self.world.now)
            self.items += [batch, *members]
        else:
            self.items.append(self.tracker.submit(message, self.world.now))

    def write(self) -> None:
        """What the tracker has to send goes on the wire."""
        if self.tracker.link.should_open(self.world.now):
            self.wire = self.world.open_wire(self.cid)
            self.tracker.connection_opened(self.world.now)
        while self.wire is not None and (frame := self.tracker.output()) is not None:
            self.wire.up.append(frame)

    def read(self, frames: int) -> None:
        """So many frames of the wire arrive."""
        while self.wire is not None and self.wire.down and frames:
            self.tracker.receive(self.wire.down.popleft(), self.world.now)
            frames -= 1
        self._take()

    def lose(self, kept_up: int, kept_down: int, noticed: bool) -> None:
        """The connection breaks."""
        if self.wire is None:
            return
        self.read(kept_down)
        self.world.cut(self.wire, kept_up, noticed)
        self.wire = None
        self.tracker.connection_lost(self.world.now, VenueUnreachable("cut"))
        self._take()

    def tick(self) -> None:
        self.tracker.tick(self.world.now)
        if self.tracker.link.state is LinkState.DOWN and self.wire is not None:
            self.world.cut(self.wire, 0, False)
            self.wire = None
        self._take()

    def dispatch(self, count: int) -> None:
        """The handlers of so many events return."""
        while self.events and count:
            event = self.events.popleft()
            if event.sequence:
                self.dispatched.append(event.arguments)
            if event.item is not None and event.arguments:
                event.item.keep(*event.arguments)
            self.tracker.dispatched(event, self.world.now)
            count -= 1

    @property
    def quiet(self) -> bool:
        """Whether nothing is under way at this client."""
        idle = not self.events and not self.tracker.outstanding and not self.tracker._reads
        up = self.tracker.link.state is LinkState.UP and self.wire is not None
        current = self.tracker.line.dispatched_next == self.world.venue.engine.head(self.cid) + 1
        return idle and up and current and not self.wire.down  # type: ignore[union-attr]

    def _take(self) -> None:
        self.events += self.tracker.take_events()


class World:
    """One venue on `folder`; clients 0 and 1 are contexts of one account, client 2 of another."""

    def __init__(self, folder: Path, window: int) -> None:
        self.clock = HandClock()
        self.folder = folder
        self.settings = GatewaySettings(window_messages=window, interval_ms=1000)
        self.wires: dict[bytes, Wire] = {}
        self.strays: deque[Wire] = deque()
        self.next_beat = 0.0
        self.venue = self._open_venue()
        cids = [self.venue.add_account(name, KeyPair.generate().public).cid for name in ("alice", "bob")]
        self._run_venue()
        self.clients = [Client(self, cid, window) for cid in (cids[0], cids[0], cids[1])]

    @property
    def now(self) -> float:
        return self.clock.monotonic()

    # ------------------------------------------------------------------ the venue

    def _open_venue(self) -> Venue:
        return Venue.open(self.folder, clock=self.clock, contracts=[detail(tick_in_cents=1)])

    def _run_venue(self) -> None:
        self.connections = Connections()
        self.sender = Sender(self, self.venue, self.connections, self.settings)  # type: ignore[arg-type]
        self.greetings: list[tuple[bytes, bytes]] = []
        self.venue.commit()
        self.venue.start_run()

    def restart(self) -> None:
        """The venue's process ends and another begins; its sockets broke with it."""
        self.venue.close()
        for client in self.clients:
            client.lose(0, 0, True)
        self.strays.clear()
        self.venue = self._open_venue()
        self._run_venue()

    def arrive(self, wire_: Wire, frames: int) -> None:
        """So many frames of a wire reach the venue."""
        while wire_.up and frames:
            self._frame(wire_, wire_.up.popleft())
            frames -= 1

    def _frame(self, wire_: Wire, data: bytes) -> None:
        routing_id = wire_.routing_id
        frame = wire.decode_frame(data)
        if self.connections.is_retired(routing_id):
            return
        connection = self.connections.get(routing_id)
        if connection is not None:
            connection.heard(frame.next_sequence, self.now)
            self.sender.wake([connection])
        for message in frame.messages:
            if self.connections.is_retired(routing_id):
                return
            if message.startswith(_HELLO_TAG):
                self._hello(wire_, wire.decode_message(message))
            elif self.connections.get(routing_id) is not None:
                self.venue.request(wire_.cid, message, asker=routing_id)
            else:
                self.venue.refuse(wire_.cid, "say hello first", asker=routing_id)
                return

    def _hello(self, wire_: Wire, hello: api.MessageHello) -> None:
        known = self.connections.get(wire_.routing_id)
        if known is not None and known.is_of(hello):
            known.heard(hello.next_sequence, self.now)
            return
        engine = self.venue.engine
        head, venue_id = engine.head(wire_.cid), engine.venue_id
        connection = self.connections.hello(
            wire_.routing_id, wire_.cid, hello, head=head, venue_id=venue_id, now=self.now
        )
        if connection is not None:
            self.sender.wake([connection])
            answer = self.venue.hello(wire_.cid, hello, interval_ms=self.settings.interval_ms)
            self.greetings.append((wire_.routing_id, answer))

    def turn(self) -> None:
        """The venue's turn ends: one group in the journal, then everything leaves."""
        turn = self.venue.commit()
        greetings, self.greetings = self.greetings, []
        self.sender.greet(greetings)
        for cid in turn.cids:
            self.sender.wake(self.connections.of_account(cid))
        self.sender.send_lines()
        self.sender.send_answers(turn.answers)
        if self.now >= self.next_beat:
            self.next_beat = self.now + self.settings.interval_s
            silent = self.now - self.settings.heartbeats_missed_max * self.settings.interval_s
            for connection in self.connections.silent(silent):
                self.connections.lapse(connection.routing_id)
            self.sender.heartbeat()

    def send_multipart(self, parts: list[bytes], flags: int) -> None:
        """The venue's socket."""
        wire_ = self.wires[parts[0]]
        if wire_.noticed:
            raise zmq.ZMQError(zmq.EHOSTUNREACH)
        if len(wire_.down) >= _WIRE_FRAMES_MAX:
            raise zmq.Again
        if not wire_.cut:
            wire_.down.append(parts[1])

    # ------------------------------------------------------------------ the network and the clock

    def open_wire(self, cid: int) -> Wire:
        wire_ = Wire(len(self.wires).to_bytes(5, "big"), cid)
        self.wires[wire_.routing_id] = wire_
        return wire_

    def cut(self, wire_: Wire, kept_up: int, noticed: bool) -> None:
        """Of the frames on their way to the venue the first `kept_up` arrive, at some time; no other does."""
        while len(wire_.up) > kept_up:
            wire_.up.pop()
        wire_.down.clear()
        wire_.cut = True
        wire_.noticed = noticed
        self.strays.append(wire_)

    def stray(self) -> None:
        """What the oldest cut wire still holds arrives."""
        if self.strays:
            self.arrive(self.strays.popleft(), _SETTLE_ROUNDS)
            self.turn()

    def advance(self, seconds: float) -> None:
        self.clock.advance(seconds)
        for client in self.clients:
            client.tick()
        self.turn()

    def settle(self) -> None:
        """The network is whole from now on: time passes until nothing is under way."""
        while self.strays:
            self.stray()
        for _ in range(_SETTLE_ROUNDS):
            for client in self.clients:
                client.write()
                if client.wire is not None:
                    self.arrive(client.wire, _SETTLE_ROUNDS)
            self.turn()
            for client in self.clients:
                client.read(_SETTLE_ROUNDS)
                client.dispatch(10**6)
            if all(client.quiet for client in self.clients):
                return
            self.advance(0.1)
        waiting = [[item for item in c.items if not item.finished] for c in self.clients]
        raise AssertionError(f"not settled after {_SETTLE_ROUNDS} rounds: {waiting}")

    # ------------------------------------------------------------------ what must hold in the end

    def check(self) -> None:
        """Every request has one outcome, carried out once; every line is whole, in order, as stored."""
        positions: dict[int, int] = {}
        for client in self.clients:
            line = [wire.decode_message(data) for data in self._line(client)]
            self._check_line(client, line)
            resting = {order.entry.mid for order in self._account(client).orders.values()}
            for item in client.items:
                assert item.state in (State.DONE, State.FAILED, State.OPEN), item
                assert (item.state is State.OPEN) == (item.mid in resting), item
            own = {item.mid for item in client.items}
            assert set(client.store) == resting & own
            self._check_executed_once(client, line)
            self._check_replays(client)
            reports = [message for message in line if isinstance(message, api.MessageActionReport)]
            positions[client.cid] = sum(
                -report.filled_size if report.is_ask else report.filled_size for report in reports
            )
            assert self._position(client) == positions[client.cid]
        assert sum(positions.values()) == 0

    def _line(self, client: Client) -> list[bytes]:
        return self.venue.lines.read(client.cid, 1, count_max=10**6, bytes_max=10**9)

    def _check_line(self, client: Client, line: list[Any]) -> None:
        seen = [
            (message.run_id, message.prev_run_id) if isinstance(message, api.MessageRunChange) else message
            for message in line[client.tracker.line.first - 1 :]
        ]
        told = [
            arguments if isinstance(arguments[0], int) else arguments[0] for arguments in client.dispatched
        ]
        assert told == seen

    def _check_executed_once(self, client: Client, line: list[Any]) -> None:
        acks: dict[str, int] = {}
        for message in line:
            statuses = [*message.messages, message] if isinstance(message, api.MessageBatch) else [message]
            for status in statuses:
                if isinstance(status, api.MessageStatus) and status.status == status.STATUS_ACKNOWLEDGED:
                    acks[status.mid] = acks.get(status.mid, 0) + 1
        assert set(acks.values()) <= {1}
        sizes: dict[int, list[int]] = {}
        for report in line:
            if isinstance(report, api.MessageActionReport):
                changed = sizes.setdefault(report.order_id, [report.original_size])
                changed[0] = report.original_size
                changed += [-report.filled_size, -report.canceled_size]
                last = (report.status_type, report.size)
                if not report.size and last[0] != report.STATUS_NOT_FILLED:
                    assert sum(changed) == 0, report

    def _check_replays(self, client: Client) -> None:
        for item in client.items:
            if isinstance(item.msg, api.MessageReplay) and item.state is State.DONE:
                numbers = [answer.account_sequence for answer in item.answers if answer.account_sequence]
                assert numbers == list(range(1, len(numbers) + 1)), item

    def _account(self, client: Client) -> Any:
        return self.venue.engine.accounts[client.cid]

    def _position(self, client: Client) -> int:
        holding = self._account(client).holdings.get(7)
        return 0 if holding is None else holding.position
