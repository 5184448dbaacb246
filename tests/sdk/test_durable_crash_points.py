"""A client that crashes between any two of its steps, in virtual time: a real venue, wires that are cut.

Every step of a Context with a durable store is taken by hand: submit, store, release, send, receive, call the
handler, commit, tell the tracker. A crash throws away all but the file, as SIGKILL does.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tracker_world import Client, World

from ledgerx.api.client import v0_0_1 as api
from ledgerx.protocol import wire
from ledgerx.sdk.events import Event
from ledgerx.sdk.items import RequestItem
from ledgerx.sdk.states import State
from ledgerx.sdk.store import MessageIDStore
from ledgerx.sdk.tracker import Tracker, TrackerSettings

CONTRACT = 7


class Crash(Exception):
    """The process is gone."""


class DurableClient(Client):
    """A client whose every step may be its last: `steps_left` counts them down."""

    def __init__(self, world: World, cid: int, window: int, path: Path) -> None:
        super().__init__(world, cid, window)
        self.path = path
        self.window = window
        self.told: list[tuple[Any, bool]] = []  # what handlers were called with: number or run, and the flag
        self.sent: list[str] = []  # mids whose submission returned
        self.first = 0
        self.crashes = 0
        self.steps_left: int | None = None
        self.begin()

    def begin(self) -> None:
        """A process begins on the file."""
        self.store = MessageIDStore(self.path)
        saved = self.store.claim(account="a", exchange="b")
        assert saved is not None
        assert self.store.file is not None
        self.file = self.store.file
        self.tracker = Tracker(
            instance=self.world.clock.unique_hex(),
            make_mid=self.world.clock.unique_hex,
            random=self.world.clock.random,
            store=self.store,
            settings=TrackerSettings(window_messages=self.window, frame_messages_max=3),
            durable=True,
        )
        self.tracker.resume(saved, self.world.now, self.world.clock.wall_ns())
        self.items = list(saved.items)

    def crash(self) -> None:
        """The process is killed; frames on their way may still arrive."""
        self.steps_left = None
        self.crashes += 1
        if self.wire is not None:
            self.world.cut(self.wire, 2, False)
            self.wire = None
        self.events.clear()
        self.store.release(clean=False)
        self.begin()

    @contextmanager
    def until_crash(self, steps: int | None) -> Iterator[None]:
        """Do something; crash after so many steps of it."""
        self.steps_left = steps
        try:
            yield
        except Crash:
            self.crash()
        self.steps_left = None

    def step(self) -> None:
        """A point at which the process may die."""
        if self.steps_left is not None:
            self.steps_left -= 1
            if self.steps_left < 0:
                raise Crash

    # ------------------------------------------------------------------ what a Context does

    def submit(self, message: Any) -> None:
        if isinstance(message, list):
            item, members = self.tracker.submit_batch(message, self.world.now)
        else:
            item, members = self.tracker.submit(message, self.world.now), []
        self.step()
        rows = self.tracker.durability.rows(item)
        if rows:
            self.file.insert(rows, self.world.clock.wall_ns())
            self.step()
            self.tracker.durability.saved(rows)
        self.items += [item, *members]
        self.sent += [each.mid for each in (item, *members) if each.place]

    def write(self) -> None:
        if self.tracker.link.should_open(self.world.now):
            self.wire = self.world.open_wire(self.cid)
            self.tracker.connection_opened(self.world.now)
        unsaved = self.tracker.durability.to_save()
        if unsaved:
            self.step()
            assert self.file.save(unsaved, self.world.clock.wall_ns())
            self.step()
            self.tracker.durability.saved(unsaved.rows, unsaved.position)
        if self.tracker.line.first and not self.first:
            self.first = self.tracker.line.first  # the file has it: no crash takes it away again
        while self.wire is not None and (frame := self.tracker.output()) is not None:
            self.wire.up.append(frame)
            self.step()

    def dispatch(self, count: int) -> None:
        while self.events and count:
            event = self.events.popleft()
            self.step()
            self._call(event)
            self.step()
            self.file.commit(self.tracker.progress(event))
            self.step()
            self.tracker.dispatched(event, self.world.now)
            count -= 1

    def _call(self, event: Event) -> None:
        if event.item is not None and event.arguments:
            event.item.keep(*event.arguments)
        if event.sequence:
            what: Any = event.arguments[0]
            if not isinstance(what, int):
                assert what.account_sequence == event.sequence
                previous = event.arguments[1]
                if event.item is not None and isinstance(what, api.MessageActionReport):
                    assert previous.mid == what.mid
            self.told.append((event.sequence, event.redelivered))


class DurableWorld(World):
    """Client 0 is durable; 1 is another context of its account, 2 of another account."""

    def __init__(self, folder: Path, window: int) -> None:
        super().__init__(folder / "D", window)
        self.durable = DurableClient(self, self.clients[0].cid, window, folder / "store.db")
        self.clients[0] = self.durable

    def check_durable(self) -> None:
        """Every number once and in order, save what is flagged; every request carried out, once."""
        client = self.durable
        client.write()  # a baseline taken by the last read is stored
        head = self.venue.engine.head(client.cid)
        repeated = [
            here for here, before in zip(client.told[1:], client.told, strict=False) if here[0] == before[0]
        ]
        once = list(dict.fromkeys(number for number, _ in client.told))
        assert once == list(range(client.first, head + 1))
        assert len(client.told) == len(once) + len(repeated)
        assert all(flag for _, flag in repeated)
        assert sum(flag for _, flag in client.told) <= client.crashes
        journal = Counter(record_mids(self))
        assert max(journal.values(), default=1) == 1
        assert [mid for mid in client.sent if not journal[mid]] == []
        resting = {order.entry.mid for order in self._account(client).orders.values()}
        for item in client.store.values():
            assert isinstance(item, RequestItem)
            assert (item.state is State.OPEN) == (item.mid in resting), item
        file = client.file._connection
        stored = {mid for (mid,) in file.execute("SELECT mid FROM ledgerx_requests")}
        assert stored == {item.mid for item in client.store.values() if item.place}  # type: ignore[attr-defined]
        assert file.execute("SELECT next FROM ledgerx_line").fetchone() == (head + 1,)


def record_mids(world: World) -> Iterator[str]:
    """The mid of every acknowledged request of the durable client's account."""
    for data in world._line(world.clients[0]):
        message = wire.decode_message(data)
        statuses = message.messages if isinstance(message, api.MessageBatch) else [message]
        for status in statuses:
            if isinstance(status, api.MessageStatus) and status.status == status.STATUS_ACKNOWLEDGED:
                yield status.mid


ORDERS: Any = st.builds(
    api.MessageLimitOrder,
    contract_id=st.just(CONTRACT),
    size=st.integers(1, 3),
    price_in_cents=st.integers(97, 103),
    is_ask=st.booleans(),
    time_in_force=st.sampled_from([0, 0, 1]),
)
MESSAGES: Any = st.one_of(
    ORDERS,
    st.builds(api.MessageCancelAll),
    st.lists(st.one_of(ORDERS, st.just(api.MessageGetPositions())), min_size=1, max_size=3),
    st.just(api.MessageGetPositions()),
)
CRASH: Any = st.one_of(st.none(), st.integers(0, 12))
STEPS: Any = st.lists(
    st.one_of(
        st.tuples(st.just("submit"), MESSAGES, CRASH),
        st.tuples(st.just("exchange"), CRASH),
        st.tuples(st.just("exchange"), CRASH),
        st.tuples(st.just("other"), ORDERS),
        st.tuples(st.just("cut"), st.integers(0, 3), st.integers(0, 3)),
        st.tuples(st.just("advance"), st.sampled_from([0.05, 1.0, 5.0])),
        st.tuples(st.sampled_from(["stray", "restart"])),
    ),
    min_size=5,
    max_size=50,
)


def take(world: DurableWorld, step: tuple[Any, ...]) -> None:
    kind, *values = step
    client = world.durable
    if kind == "submit":
        message, crash = values
        with client.until_crash(crash):
            client.submit(message)
            client.write()
    elif kind == "exchange":
        with client.until_crash(values[0]):
            for _ in range(2):
                world.advance(max(0.0, client.tracker.link.reopen_at - world.now))
                client.write()
                if client.wire is not None:
                    world.arrive(client.wire, 100)
                world.turn()
                client.read(100)
                client.dispatch(1000)
    elif kind == "other":
        other = world.clients[2]
        other.submit(values[0])
        other.write()
        if other.wire is not None:
            world.arrive(other.wire, 100)
        world.turn()
    elif kind == "cut":
        client.lose(values[0], values[1], True)
    elif kind == "advance":
        world.advance(values[0])
    else:
        getattr(world, kind)()


def run(steps: list[tuple[Any, ...]], window: int, fresh: bool = False) -> DurableWorld:
    """Take the steps, let everything settle, and check; a `fresh` client has never met the venue."""
    with tempfile.TemporaryDirectory() as folder:
        world = DurableWorld(Path(folder), window)
        try:
            for client in world.clients[1:] if fresh else world.clients:
                client.write()
                assert client.wire is not None
                world.arrive(client.wire, 10)
                world.turn()
                client.read(10)
                client.write()
                client.dispatch(10)
            for step in steps:
                take(world, step)
            world.settle()
            world.check_durable()
            return world
        finally:
            world.durable.store.release(clean=True)
            world.venue.close()


ORDER = api.MessageLimitOrder(contract_id=CONTRACT, size=2, price_in_cents=100)


@example([("submit", ORDER, 1), ("exchange", 3)], 100, False)
@example([("submit", [ORDER, api.MessageGetPositions()], None), ("exchange", 4), ("exchange", 7)], 100, False)
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(STEPS, st.sampled_from([100, 4]), st.booleans())
def test_whatever_step_is_the_last_every_number_is_dispatched_once_but_for_the_flagged(
    steps: list[tuple[Any, ...]], window: int, fresh: bool
) -> None:
    run(steps, window, fresh)


def test_a_crash_after_each_single_step_of_one_trade() -> None:
    """The same course, killed one step later each time, until it is not killed."""
    for fresh, crashes in ((False, 18), (True, 18)):
        crash = repeated = 0
        while True:
            course = [("submit", [ORDER, ORDER], None), ("other", ORDER), ("exchange", crash)]
            client = run(course, 100, fresh).durable
            repeated += len(client.told) - len({number for number, _ in client.told})
            if not client.crashes:
                break
            crash += 1
        assert crash >= crashes
        assert repeated > 3
