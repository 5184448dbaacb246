"""A client's process: the SDK as a Context runs it, without its threads, and a program that trades at random.

The I/O thread's turns and the dispatcher's steps are the SDK's own; the simulation says when each comes. A
`Life` is one process; a client that crashed begins another.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ledgerx.api.client import v0_0_1 as api
from ledgerx.clock import Random, seeded_random
from ledgerx.protocol import wire
from ledgerx.protocol.crypto import KeyPair
from ledgerx.protocol.ports import Address
from ledgerx.protocol.wire import AnyMessage
from ledgerx.sdk.context_settings import ContextSettings
from ledgerx.sdk.feed import FEED_KINDS
from ledgerx.sdk.io_thread import IOThread
from ledgerx.sdk.items import RequestItem
from ledgerx.sdk.link import LinkState
from ledgerx.sdk.store import MessageIDStore
from ledgerx.testing.clock import VirtualClock
from ledgerx.testing.link import Link
from ledgerx.testing.network import MemoryNetwork, MemoryPoller, MemoryTransport
from ledgerx.testing.simulator.mortal import MortalStore, ProcessCrash
from ledgerx.testing.simulator.plan import Plan
from ledgerx.testing.simulator.program import Program
from ledgerx.testing.simulator.strategy import Strategy

__all__ = ["Client", "Life", "Sent"]

_REPLAY_TAG = wire.encode_message(api.MessageReplay(mid="0"))[:1]
_ADDRESS = Address.of("venue.invalid", None, None, None)
BOOKS = (1, 2)


@dataclass(slots=True, eq=False)
class Sent:
    """One request of a life, and what its callback was told, if it has one by now."""

    item: RequestItem
    mid: str
    body: AnyMessage
    told: list[tuple[Any, Any]] = field(default_factory=list)
    has_callback: bool = False
    callback_due: float | None = None
    abandoned: bool = False
    is_member: bool = False
    is_kept: bool = False  # `submit` returned
    is_unsure: bool = False  # sent before the venue lost data

    def set_callback(self) -> None:
        """Have the answers told, from the first on."""
        self.has_callback = True
        self.callback_due = None
        self.item.callback = lambda msg, prev: self.told.append((msg, prev))


class _Counting(MemoryTransport):
    """A transport that counts what the client sends again, and what it asks for by itself."""

    def __init__(
        self, link: Link, counts: Counter[str], seen: set[bytes], own: Callable[[], set[str]]
    ) -> None:
        super().__init__(link)
        self._counts = counts
        self._seen = seen
        self._own = own

    def send(self, frame: bytes) -> bool:
        taken = super().send(frame)
        if taken:
            for message in wire.decode_frame(frame).messages:
                if message in self._seen:
                    self._counts["resends"] += 1
                elif message.startswith(_REPLAY_TAG):
                    own = wire.decode_message(message).mid in self._own()
                    self._counts["replays asked for" if own else "holes asked for"] += 1
                self._seen.add(message)
        return taken


class Life:
    """One process of a client, from its start to its end."""

    def __init__(self, client: Client, number: int) -> None:
        plan = client.plan
        self.clock: VirtualClock = client.clock.sibling(f"{plan.seed} client {client.number} life {number}")
        self.draw: Random = seeded_random(f"{plan.seed} strategy {client.number} life {number}")
        self.counts = client.counts
        self.sent: list[Sent] = []
        self.link: Link | None = None
        self.running = True  # until the network heals: its program sends requests
        self.dies_after: int | None = None  # so many chances more
        self.is_dead = False
        self.program = Program(self, plan.raise_rate, plan.react_rate)
        self._copies: set[bytes] = set()
        path = client.path
        self.store = MessageIDStore() if path is None else MortalStore(path, self._chance)
        self.io = IOThread(
            _ADDRESS,
            KeyPair(client.key.encode(), None),
            b"",
            store=self.store,
            settings=ContextSettings(window_messages=plan.window),
            clock=self.clock,
            on_end=lambda: None,
            connect=lambda _ctx: self._connect(client),  # type: ignore[arg-type,return-value]
            poller=MemoryPoller,  # type: ignore[arg-type]
        )
        self.dispatcher = self.io.prepare(self.program)
        self.books = [self.io.feed.book(contract_id) for contract_id in BOOKS]
        self.strategy = Strategy(self.draw)

    def _connect(self, client: Client) -> MemoryTransport:
        link = client.network.connect(client.key).link
        transport = _Counting(link, self.counts, self._copies, lambda: self.own_mids)
        self.link = transport.link
        self.counts["connections"] += 1
        return transport

    def _chance(self) -> None:
        """The durable store is about to write, or has written."""
        if self.dies_after is not None:
            self.dies_after -= 1
            self.is_dead = self.is_dead or self.dies_after < 0
        if self.is_dead:
            raise ProcessCrash

    def kill(self) -> None:
        """The process is gone."""
        self.is_dead = True
        if isinstance(self.store, MortalStore):
            self.store.kill()

    def stop(self) -> None:
        """The process ends in order."""
        self.store.release(clean=True)

    def submit(self, message: AnyMessage | list[AnyMessage]) -> None:
        """Send a request, or a batch; some have a callback at once, some later, some never."""
        now = self.clock.monotonic()
        with self.io.lock:
            if isinstance(message, list):
                batch, members = self.io.tracker.submit_batch(message, now)
                items = [batch, *members]
                bodies = [batch.msg, *message]
            else:
                items, bodies = [self.io.tracker.submit(message, now)], [message]
        for item, body in zip(items, bodies, strict=True):
            self.sent.append(Sent(item, item.mid, body, is_member=item.batch is not None))
        self.io.keep(items[0])
        for sent in self.sent[-len(items) :]:
            sent.is_kept = True
            chance = self.draw.random()
            if chance < 0.4:
                sent.set_callback()
            elif chance < 0.8:
                sent.callback_due = now + self.draw.uniform(0, 5)

    def venue_lost_data(self) -> bool:
        """Whether a venue of this market lost what it had sent."""
        return self.counts["venues that lost data"] > 0

    def late_callbacks(self, *, all_of_them: bool = False) -> None:
        """Set the callbacks whose time has come."""
        now = self.clock.monotonic()
        for sent in self.sent:
            if sent.callback_due is not None and (all_of_them or sent.callback_due <= now):
                if sent.item.answers:
                    self.counts["callbacks set late"] += 1
                sent.set_callback()
                self.io.callback_set(sent.item)

    def abandon_one(self) -> None:
        """Give up a request that is not finished, if there is one."""
        open_ones = [sent for sent in self.sent[-20:] if not sent.item.finished and not sent.is_member]
        if open_ones:
            sent = self.draw.choice(open_ones)
            for other in self.sent:
                if other is sent or other.item.batch is sent.item:
                    other.abandoned = True
            self.io.abandon(sent.item)
            self.counts["abandoned"] += 1

    def change_subscription(self) -> None:
        """Subscribe to a kind of public message, or end that."""
        kind, contract_id = self.draw.choice(FEED_KINDS), self.draw.choice([None, 1, 2])
        with self.io.lock:
            change = self.draw.choice([self.io.feed.subscribe, self.io.feed.unsubscribe])
            change(kind, contract_id)

    def turn(self) -> None:
        """One turn of the I/O thread."""
        self.io.turn(None)  # type: ignore[arg-type]

    def dispatch(self, count: int) -> int:
        """The dispatch thread takes so many events; how many there were."""
        for done in range(count):
            if not self.dispatcher.step():
                return done
        return count

    @property
    def own_mids(self) -> set[str]:
        """What this process asked for."""
        return {sent.mid for sent in self.sent}

    @property
    def up(self) -> bool:
        """Whether there is a connection."""
        return self.io.tracker.link.state is LinkState.UP


class Client:
    """A client with its keys, through all its lives."""

    def __init__(
        self,
        number: int,
        key: str,
        folder: Path,
        plan: Plan,
        clock: VirtualClock,
        network: MemoryNetwork,
        counts: Counter[str],
    ) -> None:
        self.number = number
        self.key = key
        self.plan = plan
        self.clock = clock
        self.network = network
        self.counts = counts
        self.path = folder / f"client {number}" if plan.durable[number] else None
        self.cid = 0
        self.paused_until = 0.0
        self.slow_until = 0.0
        self.lives: list[Life] = []
        self.begin()

    @property
    def life(self) -> Life:
        """The process that runs."""
        return self.lives[-1]

    def begin(self) -> None:
        """A process starts."""
        self.lives.append(Life(self, len(self.lives)))

    @property
    def sessions(self) -> list[list[Life]]:
        """The lives that go on where the one before ended: all of them with a file, else each alone."""
        return [[life] for life in self.lives] if self.path is None else [self.lives]

    def crash(self, *, orderly: bool = False) -> Link | None:
        """The process is gone, and another starts; the link that it leaves."""
        life = self.life
        if orderly:
            life.stop()
        else:
            life.kill()
        self.begin()
        return life.link

    def step(self, now: float, requests: float) -> bool:
        """What the process does between two looks of the simulation; False if it died in it."""
        if now >= self.paused_until:
            try:
                self._step(now, requests)
            except ProcessCrash:
                return False
        return not self.life.is_dead

    def _step(self, now: float, requests: float) -> None:
        life = self.life
        draw = life.draw
        while draw.random() < requests:
            life.submit(life.strategy.request(life.sent))
        if draw.random() < 0.01:
            life.abandon_one()
        if draw.random() < 0.02:
            life.change_subscription()
        life.late_callbacks()
        life.turn()
        if now >= self.slow_until:
            life.dispatch(draw.choice([0, 1, 3, 50]))
