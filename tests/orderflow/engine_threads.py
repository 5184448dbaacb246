"""Eight threads, one engine: singles, batches, callbacks and snapshots at once."""

from __future__ import annotations

import collections
import threading
from typing import Any

import numpy as np

from ledgerx.orderflow import Engine, EngineConfig, StreamKind, Symbol

THREADS = 8
SYMBOLS = [Symbol("CME", name) for name in ("ESM6", "NQM6")]


def bring(engine: Engine, number: int, trades: int) -> None:
    """One thread's events: every other thread brings its trades in batches."""
    symbol = SYMBOLS[number % len(SYMBOLS)]
    if number % 4 == 3:
        columns = {
            "price": np.arange(trades) % 97,
            "size": np.full(trades, number + 1),
            "aggressor_side": (np.arange(trades) % 2).astype("uint8"),
        }
        for begin in range(0, trades, 1_000):
            engine.ingest_trades(
                symbol, {name: column[begin : begin + 1_000] for name, column in columns.items()}
            )
        return
    for at in range(trades):
        engine.ingest_trade(symbol, at % 97, number + 1, at % 2)
        if at % 4 == 0:
            engine.ingest_book(symbol, at % 2, at % 10, at % 97, 1)


def look(engine: Engine, over: threading.Event, counts: collections.Counter[str]) -> None:
    """Snapshots, series, and subscriptions that come and go."""
    while not over.is_set():
        for symbol in SYMBOLS:
            engine.analytics_snapshot(symbol)
            engine.signal_snapshot(symbol)
            engine.book_snapshot(symbol)
            engine.flow_snapshot(symbol)
            engine.to_numpy(symbol, "footprint")
            counts["looks"] += 1
        engine.subscribe(SYMBOLS[0], StreamKind.ANALYTICS, lambda event: counts.update(callbacks=1))
        engine.poll_once()
        engine.unsubscribe(SYMBOLS[0])
        engine.metrics()


def hammer(*, rounds: int, trades: int) -> collections.Counter[str]:
    """`rounds` times eight threads with `trades` trades each, on one engine."""
    counts: collections.Counter[str] = collections.Counter()
    settings = EngineConfig(trades_kept_max=1_000, vpin_bucket_lots=500, absorption_trades=50)
    with Engine(settings) as engine:
        engine.subscribe(SYMBOLS[1], StreamKind.TRADES, lambda event: counts.update(callbacks=1))
        for _ in range(rounds):
            over = threading.Event()
            workers = [threading.Thread(target=bring, args=(engine, at, trades)) for at in range(THREADS)]
            looker = threading.Thread(target=look, args=(engine, over, counts))
            for thread in (looker, *workers):
                thread.start()
            for thread in workers:
                thread.join()
            over.set()
            looker.join()
            counts["lots expected"] += trades * sum(range(1, THREADS + 1))
            singles = sum(number % 4 != 3 for number in range(THREADS))
            counts["events expected"] += trades * THREADS + singles * -(-trades // 4)
        counts["lots"] = sum(lots(engine.analytics_snapshot(symbol)) for symbol in SYMBOLS)
        counts["events"] = engine.metrics()["processed_events"]
    return counts


def lots(analytics: dict[str, Any]) -> int:
    return int(analytics["buy_volume"] + analytics["sell_volume"])
