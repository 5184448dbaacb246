"""The native runtime and its twin in Python, told the same and asked the same: a Hypothesis machine."""

from __future__ import annotations

import collections
import math
from typing import Any

import hypothesis.strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from ledgerx.orderflow import (
    BookAction,
    Engine,
    EngineConfig,
    ExternalFeedPolicy,
    Side,
    StreamKind,
    Symbol,
)
from ledgerx.orderflow._reference import ReferenceEngine

SYMBOLS = [Symbol("A", "X", 3), Symbol("A", "Y", 3), Symbol("B", "X", 3)]
SERIES = ["trades", "candles", "footprint", "profile", "vpin"]
HEALTH_KEYS = frozenset(ReferenceEngine(EngineConfig()).health())

symbols = st.sampled_from(SYMBOLS)
prices = st.one_of(st.integers(95, 105), st.integers(-(2**40), 2**40))
sizes = st.one_of(st.integers(1, 20), st.integers(1, 2**30))
sequences = st.one_of(st.just(0), st.integers(1, 30))
times = st.one_of(st.just(0), st.integers(0, 40 * 10**9))
flags = st.one_of(st.just(0), st.integers(0, 255))
configs = st.builds(
    EngineConfig,
    instance_id=st.just("twins"),
    signal_module=st.sampled_from(["delta_momentum_v1", "price_momentum_v1"]),
    signal_threshold=st.integers(1, 60),
    momentum_fast_trades=st.integers(1, 3),
    momentum_slow_trades=st.integers(4, 9),
    momentum_threshold_bps=st.integers(1, 20_000),
    trades_kept_max=st.integers(0, 5),
    candle_ns=st.sampled_from([0, 1, 10**9, 7 * 10**9]),
    candles_kept_max=st.integers(1, 4),
    vpin_bucket_lots=st.sampled_from([0, 2**25, 2**27]),
    vpin_buckets=st.integers(1, 5),
    absorption_trades=st.integers(0, 6),
)
policies = st.builds(
    ExternalFeedPolicy,
    # The two read the wall clock apart from each other: silence is judged in the events' own time.
    stale_after_ms=st.sampled_from([0, 1, 3_000]),
    enforce_sequence=st.booleans(),
    one_numbering=st.booleans(),
    drop_duplicates=st.booleans(),
    reset_after_reconnect=st.booleans(),
    event_time=st.just(True),
    clock_skew_max_ms=st.sampled_from([0, 1_000]),
    flag_truncated_depth=st.booleans(),
    limit_depth=st.booleans(),
)
exercised: collections.Counter[str] = collections.Counter()


def close_to(left: Any, right: Any) -> bool:
    """Equal, or the same double but for the last bits of its sums."""
    if isinstance(left, float) and isinstance(right, float):
        return math.isclose(left, right, rel_tol=1e-9, abs_tol=1e-6 * max(1.0, abs(left)))
    return bool(left == right)


def comparable_health(kind: StreamKind, event: dict[str, Any]) -> dict[str, Any]:
    """Of a HEALTH event, what the twin tells too; any other whole."""
    return {key: event[key] for key in HEALTH_KEYS} if kind == StreamKind.HEALTH else event


class EngineTwins(RuleBasedStateMachine):
    """After every step both have told their subscribers the same and answer the same."""

    @initialize(config=configs, policy=policies)
    def make(self, config: EngineConfig, policy: ExternalFeedPolicy) -> None:
        self.native, self.twin = Engine(config), ReferenceEngine(config)
        self.told: tuple[list[Any], list[Any]] = ([], [])
        for engine in (self.native, self.twin):
            engine.start()
            engine.configure_external_feed(policy)

    def teardown(self) -> None:
        if hasattr(self, "native"):
            self.native.close()
            self.twin.close()

    def both(self, call: str, *arguments: Any) -> None:
        exercised["steps"] += 1
        exercised[call] += 1
        for engine in (self.native, self.twin):
            getattr(engine, call)(*arguments)

    @rule(
        s=symbols,
        price=prices,
        size=sizes,
        side=st.sampled_from(Side),
        n=sequences,
        at=times,
        more=times,
        f=flags,
    )
    def trade(self, s: Symbol, price: int, size: int, side: Side, n: int, at: int, more: int, f: int) -> None:
        self.both("ingest_trade", s, price, size, side, n, at, more, f)

    @rule(s=symbols, price=st.integers(95, 105), size=st.integers(1, 9), side=st.sampled_from(Side), at=times)
    def plain_trade(self, s: Symbol, price: int, size: int, side: Side, at: int) -> None:
        self.both("ingest_trade", s, price, size, side, 0, at)

    @rule(
        s=symbols,
        side=st.sampled_from(Side),
        level=st.integers(0, 5),
        price=st.integers(95, 105),
        size=st.integers(0, 9),
        action=st.sampled_from(BookAction),
        n=sequences,
        at=times,
        f=flags,
    )
    def book(
        self,
        s: Symbol,
        side: Side,
        level: int,
        price: int,
        size: int,
        action: BookAction,
        n: int,
        at: int,
        f: int,
    ) -> None:
        self.both("ingest_book", s, side, level, price, size, action, n, at, 0, f)

    @rule(f=flags)
    def poll(self, f: int) -> None:
        self.both("poll_once", f)

    @rule(s=symbols)
    def reset(self, s: Symbol) -> None:
        self.both("reset_symbol_session", s)

    @rule(value=st.booleans())
    def reconnecting(self, value: bool) -> None:
        self.both("set_external_reconnecting", value)

    @rule()
    def tick(self) -> None:
        self.both("external_health_tick")

    @rule(policy=policies)
    def configure(self, policy: ExternalFeedPolicy) -> None:
        self.both("configure_external_feed", policy)

    @rule()
    def restart(self) -> None:
        self.both("stop")
        self.both("start")

    @rule(s=symbols, kind=st.sampled_from(StreamKind))
    def subscribe(self, s: Symbol, kind: StreamKind) -> None:
        exercised["steps"] += 1
        for engine, told in zip((self.native, self.twin), self.told, strict=True):
            engine.subscribe(s, kind, lambda event, told=told: told.append((s, kind, event)))

    @rule(s=symbols)
    def unsubscribe(self, s: Symbol) -> None:
        self.both("unsubscribe", s)

    @invariant()
    def told_the_same(self) -> None:
        if not hasattr(self, "native"):
            return
        native, twin = self.told
        assert [(s, kind, comparable_health(kind, event)) for s, kind, event in native] == twin
        native.clear()
        twin.clear()

    @invariant()
    def answer_the_same(self) -> None:
        if not hasattr(self, "native"):
            return
        for s in SYMBOLS:
            assert self.native.analytics_snapshot(s) == self.twin.analytics_snapshot(s)
            assert self.native.signal_snapshot(s) == self.twin.signal_snapshot(s)
            assert self.native.book_snapshot(s) == self.twin.book_snapshot(s)
            figures, expected = self.native.flow_snapshot(s), self.twin.flow_snapshot(s)
            assert figures.keys() == expected.keys()
            assert all(close_to(figures[key], expected[key]) for key in figures), (figures, expected)
            for name in SERIES:
                rows = [
                    dict(zip(row.dtype.names, row.tolist(), strict=True))
                    for row in self.native.to_numpy(s, name)
                ]
                assert rows == self.twin.series(s, name), name
        twin = self.twin.metrics()
        native = self.native.metrics()
        assert {key: native[key] for key in twin} == twin
