"""Any number of threads may use one engine: nothing is lost, nothing breaks."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from engine_threads import hammer

from ledgerx.orderflow import Engine, EngineConfig, StreamKind, Symbol


def test_eight_threads_lose_nothing() -> None:
    counts = hammer(rounds=2, trades=1_500)
    assert counts["lots"] == counts["lots expected"]
    assert counts["events"] == counts["events expected"]
    assert counts["callbacks"] > 0


def test_a_callback_may_wait_for_another_thread_that_ingests(native: Engine, symbol: Symbol) -> None:
    done = threading.Event()

    def wait(event: dict[str, Any]) -> None:
        if event["price"] == 1:
            worker = threading.Thread(target=lambda: (native.ingest_trade(symbol, 2, 1, 0), done.set()))
            worker.start()
            assert done.wait(60)
            worker.join()

    native.subscribe(symbol, StreamKind.TRADES, wait)
    native.ingest_trade(symbol, 1, 1, 0)
    assert native.metrics()["processed_events"] == 2


@pytest.mark.parametrize("call", ["ingest_trades", "metrics"])
def test_an_engine_may_be_closed_while_others_use_it(symbol: Symbol, call: str) -> None:
    columns = {"price": [1] * 50_000, "size": [1] * 50_000, "aggressor_side": [1] * 50_000}
    calls: dict[str, Callable[[Engine], object]] = {
        "ingest_trades": lambda engine: engine.ingest_trades(symbol, columns),
        "metrics": lambda engine: engine.metrics(),
    }
    for _ in range(10):
        engine = Engine(EngineConfig())
        engine.start()
        refused: list[str] = []
        begun = threading.Barrier(5)

        def use(
            engine: Engine = engine, refused: list[str] = refused, begun: threading.Barrier = begun
        ) -> None:
            begun.wait()
            try:
                while True:
                    calls[call](engine)
            except Exception as error:
                refused.append(str(error))

        threads = [threading.Thread(target=use) for _ in range(4)]
        for thread in threads:
            thread.start()
        begun.wait()
        engine.close()
        for thread in threads:
            thread.join()
        assert all("closed" in text or "start()" in text for text in refused), refused
