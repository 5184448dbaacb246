"""Trackers against the real venue over wires that break: requests are carried out once, lines are whole."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tracker_world import World

from ledgerx.api.client import v0_0_1 as api

CONTRACT = 7

PRICES = st.integers(95, 105)
SIZES = st.integers(1, 5)

TRADES: Any = st.one_of(
    st.builds(
        api.MessageLimitOrder,
        contract_id=st.just(CONTRACT),
        size=SIZES,
        price_in_cents=PRICES,
        is_ask=st.booleans(),
        time_in_force=st.sampled_from([0, 0, 0, 1, 2]),
    ),
    st.builds(api.MessageMarketOrder, contract_id=st.just(CONTRACT), size=SIZES, is_ask=st.booleans()),
    st.builds(
        api.MessageQuote,
        contract_id=st.just(CONTRACT),
        bid_price_in_cents=st.integers(95, 99),
        bid_size=st.integers(0, 5),
        ask_price_in_cents=st.integers(101, 105),
        ask_size=st.integers(0, 5),
    ),
    st.builds(api.MessageCancelAll),
    st.builds(api.MessageLimitOrder, contract_id=st.just(CONTRACT)),  # to be refused
)
QUESTIONS: Any = st.sampled_from(
    [
        api.MessageGetContract(all_contracts=True),
        api.MessageGetPositions(),
        api.MessageGetOpenOrders(),
        api.MessageGetBookState(contract_id=CONTRACT),
        api.MessageGetBookState(),  # to be refused
    ]
)
BATCHES: Any = st.lists(st.one_of(QUESTIONS, TRADES), min_size=0, max_size=3)
REPLAYS: Any = st.just(api.MessageReplay(from_sequence=1))
MESSAGES: Any = st.one_of(TRADES, TRADES, QUESTIONS, BATCHES, BATCHES, REPLAYS)
# A change of an order that the client sent before: which one, and the new size (0: a cancel) and price.
CHANGES: Any = st.tuples(st.integers(0, 50), st.integers(0, 6), PRICES)

WHO = st.sampled_from([0, 0, 0, 1, 2])
FEW = st.integers(0, 3)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("submit"), WHO, MESSAGES),
        st.tuples(st.just("change"), WHO, CHANGES),
        st.tuples(st.just("up"), WHO, st.integers(1, 4)),
        st.tuples(st.just("down"), WHO, st.integers(1, 4)),
        st.tuples(st.just("dispatch"), WHO, st.integers(1, 6)),
        st.tuples(st.just("exchange"), WHO),
        st.tuples(st.just("cut"), WHO, FEW, FEW, st.booleans()),
        st.tuples(st.just("broken_exchange"), WHO, FEW, FEW, st.booleans()),
        st.tuples(st.just("surprise"), WHO, MESSAGES, FEW, st.booleans()),
        st.tuples(st.just("surprise"), WHO, MESSAGES, FEW, st.booleans()),
        st.tuples(st.just("advance"), st.sampled_from([0.05, 0.3, 1.0, 3.0, 30.0])),
        st.tuples(st.sampled_from(["stray", "stray", "restart"])),
    ),
    min_size=10,
    max_size=80,
)


class Course:
    """Carries the steps out."""

    def __init__(self, world: World) -> None:
        self.world = world

    def take(self, step: tuple[Any, ...]) -> None:
        kind, *values = step
        getattr(self, f"_{kind}")(*values)

    def _submit(self, who: int, message: Any) -> None:
        self.world.clients[who].submit(message)

    def _change(self, who: int, change: tuple[int, int, int]) -> None:
        client = self.world.clients[who]
        orders = [item for item in client.items if isinstance(item.msg, api.MessageLimitOrder)]
        if not orders:
            return
        index, size, price = change
        entry = {"contract_id": CONTRACT, "entry_id": orders[index % len(orders)].mid}
        if size:
            client.submit(api.MessageCancelReplace(size=size, price_in_cents=price, **entry))
        else:
            client.submit(api.MessageCancelOrder(**entry))

    def _up(self, who: int, frames: int) -> None:
        client = self.world.clients[who]
        if client.wire is None:
            self.world.advance(max(0.0, client.tracker.link.reopen_at - self.world.now))
        client.write()
        if client.wire is not None:
            self.world.arrive(client.wire, frames)
            self.world.turn()

    def _down(self, who: int, frames: int) -> None:
        self.world.clients[who].read(frames)

    def _dispatch(self, who: int, count: int) -> None:
        self.world.clients[who].dispatch(count)

    def _exchange(self, who: int) -> None:
        """Everything that is on the way arrives and is dispatched, which is how most of the time goes."""
        for _ in range(2):
            self._up(who, 100)
            self._down(who, 100)
        self._dispatch(who, 1000)

    def _broken_exchange(self, who: int, up: int, kept_down: int, noticed: bool) -> None:
        """What was sent is carried out, and the connection breaks while the answers come."""
        self._up(who, up + 1)
        self._cut(who, 0, kept_down, noticed)

    def _surprise(self, who: int, message: Any, kept_down: int, noticed: bool) -> None:
        """All was well; then one message is carried out, and the connection breaks while it is answered."""
        self._exchange(who)
        self._submit(who, message)
        self._broken_exchange(who, 3, kept_down, noticed)

    def _cut(self, who: int, kept_up: int, kept_down: int, noticed: bool) -> None:
        self.world.clients[who].lose(kept_up, kept_down, noticed)

    def _advance(self, seconds: float) -> None:
        self.world.advance(seconds)

    def _stray(self) -> None:
        self.world.stray()

    def _restart(self) -> None:
        self.world.restart()


def run(steps: list[tuple[Any, ...]], window: int) -> None:
    """Connect everybody, take the steps, let everything settle, and check."""
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder) / "D", window)
        try:
            course = Course(world)
            for who in range(3):
                course.take(("exchange", who))
            for step in steps:
                course.take(step)
            world.settle()
            world.check()
        finally:
            world.venue.close()


ORDER = api.MessageLimitOrder(contract_id=CONTRACT, size=1, price_in_cents=95)
POSITIONS = api.MessageGetPositions()


@example([("surprise", 0, [POSITIONS], 0, False)], 10_000)
@example([("surprise", 0, [POSITIONS], 1, False)], 10_000)
@example([("submit", 0, ORDER)] * 6 + [("surprise", 0, [POSITIONS], 2, False)], 8)
@settings(max_examples=80, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(STEPS, st.sampled_from([10_000, 8]))
def test_after_the_network_heals_every_request_has_one_outcome(
    steps: list[tuple[Any, ...]], window: int
) -> None:
    run(steps, window)


@pytest.mark.full
@pytest.mark.timeout(900)
@settings(max_examples=2000, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(STEPS, st.sampled_from([10_000, 8]))
@pytest.mark.no_cover
def test_so_it_does_over_many_courses(steps: list[tuple[Any, ...]], window: int) -> None:
    run(steps, window)
