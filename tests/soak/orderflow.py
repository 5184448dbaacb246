"""The order-flow runtime beside its twin for 1,000,000 random events, all snapshots compared after each."""

from __future__ import annotations

import argparse
import collections
import random
import sys
from pathlib import Path
from typing import Any

from ledgerx.orderflow import Engine, EngineConfig, ExternalFeedPolicy, StreamKind
from ledgerx.orderflow._reference import ReferenceEngine

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "orderflow"))
from engine_twins import SERIES, SYMBOLS, close_to, comparable_health

EVENTS_OF_AN_ENGINE = 2_000
EVENTS_OF_A_SESSION = 60  # the twin computes everything anew: long sessions cost it their square


def settings(numbers: random.Random) -> EngineConfig:
    return EngineConfig(
        signal_module=numbers.choice(["delta_momentum_v1", "price_momentum_v1"]),
        signal_threshold=numbers.randint(1, 60),
        momentum_fast_trades=numbers.randint(1, 3),
        momentum_slow_trades=numbers.randint(4, 9),
        momentum_threshold_bps=numbers.randint(1, 20_000),
        trades_kept_max=numbers.randint(0, 20),
        candle_ns=numbers.choice([0, 1, 50, 1_000]),
        candles_kept_max=numbers.randint(1, 4),
        vpin_bucket_lots=numbers.choice([0, 7, 40]),
        vpin_buckets=numbers.randint(1, 5),
        absorption_trades=numbers.randint(0, 6),
    )


def policy(numbers: random.Random) -> ExternalFeedPolicy:
    return ExternalFeedPolicy(
        stale_after_ms=numbers.choice([0, 1]),
        enforce_sequence=numbers.random() < 0.8,
        one_numbering=numbers.random() < 0.3,
        drop_duplicates=numbers.random() < 0.3,
        reset_after_reconnect=numbers.random() < 0.3,
        event_time=True,  # the wall clock is read by each at its own moment
        clock_skew_max_ms=numbers.choice([0, 1]),
        flag_truncated_depth=numbers.random() < 0.3,
        limit_depth=numbers.random() < 0.3,
    )


def event(numbers: random.Random, clock: list[int]) -> tuple[str, tuple[Any, ...]]:
    """A call of an engine and its arguments."""
    symbol = numbers.choice(SYMBOLS)
    clock[0] += numbers.choice([0, 1, 30, 400, 3_000_000])
    clock[1] += numbers.choice([0, 1, 1, 1, 1, 1, 2, -3])
    times = (clock[0], clock[0] + numbers.choice([0, 5, 2_000_000]))
    flags = numbers.randrange(256) if numbers.random() < 0.05 else 0
    sequence = max(0, clock[1]) if numbers.random() < 0.8 else 0
    price, size = 100 + int(numbers.gauss(0, 6)), numbers.randint(1, 30)
    side = numbers.randrange(2)
    if numbers.random() < 0.6:
        return "ingest_trade", (symbol, price, size, side, sequence, *times, flags)
    level, action = numbers.randrange(5), numbers.randrange(2)
    return "ingest_book", (symbol, side, level, price, size - 1, action, sequence, *times, flags)


def compare(native: Engine, twin: ReferenceEngine, *, series: bool) -> None:
    for symbol in SYMBOLS:
        for name in ("analytics_snapshot", "signal_snapshot", "book_snapshot"):
            left, right = getattr(native, name)(symbol), getattr(twin, name)(symbol)
            assert left == right, (name, left, right)
        figures, expected = native.flow_snapshot(symbol), twin.flow_snapshot(symbol)
        assert figures.keys() == expected.keys()
        assert all(close_to(figures[key], expected[key]) for key in figures), (figures, expected)
        for name in SERIES if series else ():
            rows = [row.tolist() for row in native.to_numpy(symbol, name)]
            assert rows == [tuple(row.values()) for row in twin.series(symbol, name)], name
    metrics, expected = native.metrics(), twin.metrics()
    assert {key: metrics[key] for key in expected} == expected


def run(numbers: random.Random, counts: collections.Counter[str]) -> None:
    """One engine and its twin."""
    config = settings(numbers)
    native, twin = Engine(config), ReferenceEngine(config)
    told: dict[Any, list[Any]] = {native: [], twin: []}
    rules = policy(numbers)
    for engine in (native, twin):
        engine.start()
        engine.configure_external_feed(rules)
        for kind in StreamKind:
            engine.subscribe(
                SYMBOLS[0], kind, lambda what, kind=kind, engine=engine: told[engine].append((kind, what))
            )
    clock = [0, 1]
    for number in range(EVENTS_OF_AN_ENGINE):
        call, arguments = event(numbers, clock)
        if number % EVENTS_OF_A_SESSION == 0:
            call, arguments = "reset_symbol_session", (arguments[0],)
        elif numbers.random() < 0.02:
            call, arguments = "set_external_reconnecting", (numbers.random() < 0.5,)
        elif numbers.random() < 0.02:
            call, arguments = "poll_once", (0,)
        counts[call] += 1
        for engine in (native, twin):
            getattr(engine, call)(*arguments)
        assert [(kind, comparable_health(kind, what)) for kind, what in told[native]] == told[twin]
        counts["deliveries"] += len(told[twin])
        told[native].clear()
        told[twin].clear()
        compare(native, twin, series=number % 20 == 0)
    native.close()
    twin.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--events", type=int, default=1_000_000)
    options = parser.parse_args()
    numbers = random.Random(options.seed)
    counts: collections.Counter[str] = collections.Counter()
    while counts["ingest_trade"] + counts["ingest_book"] < options.events:
        run(numbers, counts)
    print(", ".join(f"{name} {count:,}" for name, count in sorted(counts.items())), flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
