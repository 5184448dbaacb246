"""The order-flow engine beside the published package and beside its limits, in one run.

Medians of interleaved passes of thread CPU time, in thousands (singles) or millions (batches) a second, and a
verdict for each expectation. The session is the same for all: prices drawn from 20 or 10,000 ticks. The
published package's cost grows with a session, so it gets 20,000 trades a pass, and with --whole one million
once.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.metadata
import importlib.util
import json
import os
import platform
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from _orderflow import bindings
from rich.console import Console
from rich.table import Table

import ledgerx.orderflow as ours

SESSION = 1_000_000
PART = 100_000
FIRST = 20_000
SNAPSHOTS = 20_000
PRICES = (20, 10_000)


def published() -> Any | None:
    """The published package, or None where it is not installed. Not by its name, which this file has too."""
    try:
        files = importlib.metadata.files("orderflow-gregorian09") or []
    except importlib.metadata.PackageNotFoundError:
        return None
    folder = next(
        Path(str(file.locate())).parent for file in files if file.parts[-2:] == ("orderflow", "__init__.py")
    )
    spec = importlib.util.spec_from_file_location(
        "published_orderflow", folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def prices_of(ticks: int, count: int) -> list[int]:
    numbers = random.Random(ticks)
    return [numbers.randrange(ticks) for _ in range(count)]


@contextlib.contextmanager
def engine_of(package: Any, kind: int | None) -> Iterator[tuple[Any, Any]]:
    """A started engine with its symbol, and a subscriber of `kind` that does nothing."""
    with contextlib.ExitStack() as stack:
        if package is not ours:
            library = Path(package.__file__).parent / "native" / "libof_ffi_c.so"
            engine = package.Engine(package.EngineConfig(instance_id="bench"), str(library))
        else:
            engine = package.Engine(package.EngineConfig(instance_id="bench"))
        engine.start()
        stack.callback(engine.close)
        symbol = package.Symbol("CME", "ESM6", 10)
        if kind is not None:
            engine.subscribe(symbol, kind, lambda event: None)
        yield engine, symbol


def trades_a_second(engine: Any, symbol: Any, prices: list[int]) -> float:
    ingest, begun = engine.ingest_trade, time.thread_time()
    for price in prices:
        ingest(symbol, price, 3, price & 1)
    return len(prices) / (time.thread_time() - begun)


def books_a_second(engine: Any, symbol: Any, prices: list[int]) -> float:
    ingest, begun = engine.ingest_book, time.thread_time()
    for price in prices:
        ingest(symbol, price & 1, price % 10, price, 3)
    return len(prices) / (time.thread_time() - begun)


def session(ticks: int, kind: int | None) -> dict[str, float]:
    """Our rate over the first and the last part of a session of a million."""
    prices = prices_of(ticks, SESSION)
    with engine_of(ours, kind) as (engine, symbol):
        rates = [
            trades_a_second(engine, symbol, prices[begin : begin + PART]) for begin in range(0, SESSION, PART)
        ]
    return {"first": rates[0], "tenth": rates[-1], "whole": len(rates) / sum(1 / rate for rate in rates)}


def first_trades(package: Any, ticks: int, kind: int | None) -> float:
    with engine_of(package, kind) as (engine, symbol):
        return trades_a_second(engine, symbol, prices_of(ticks, FIRST))


def first_books(package: Any, kind: int | None) -> float:
    with engine_of(package, kind) as (engine, symbol):
        return books_a_second(engine, symbol, prices_of(1_000, FIRST))


def snapshots(package: Any, name: str) -> float:
    with engine_of(package, None) as (engine, symbol):
        for price in prices_of(20, 1_000):
            engine.ingest_trade(symbol, price, 3, price & 1)
            engine.ingest_book(symbol, price & 1, price % 10, price, 3)
        call, begun = getattr(engine, name), time.thread_time()
        for _ in range(SNAPSHOTS):
            call(symbol)
        return SNAPSHOTS / (time.thread_time() - begun)


def columns_of(ticks: int) -> dict[str, Any]:
    numbers = np.random.default_rng(1)
    return {
        "price": numbers.integers(0, ticks, SESSION),
        "size": numbers.integers(1, 10, SESSION),
        "aggressor_side": numbers.integers(0, 2, SESSION).astype("uint8"),
        "ts_exchange_ns": np.arange(SESSION, dtype="uint64") * np.uint64(5_000_000),
    }


def batch(ticks: int) -> float:
    columns = columns_of(ticks)
    with engine_of(ours, None) as (engine, symbol):
        engine.ingest_trades(symbol, columns)  # pages are made, prices known
        begun = time.thread_time()
        engine.ingest_trades(symbol, columns)
        return SESSION / (time.thread_time() - begun)


def numpy_pass(ticks: int) -> float:
    """What NumPy needs for the volumes by price and side alone."""
    columns = columns_of(ticks)
    begun = time.thread_time()
    bought = columns["aggressor_side"] == 1
    np.bincount(columns["price"][bought], columns["size"][bought], ticks)
    np.bincount(columns["price"][~bought], columns["size"][~bought], ticks)
    np.cumsum(np.where(bought, columns["size"], -columns["size"]))
    return SESSION / (time.thread_time() - begun)


def bound(ingest: Callable[[int, int, int], object]) -> float:
    prices, begun = prices_of(20, PART), time.thread_time()
    for price in prices:
        ingest(price, 3, price & 1)
    return PART / (time.thread_time() - begun)


def cases(peer: Any | None) -> dict[str, Callable[[], dict[str, float] | float]]:
    found: dict[str, Callable[[], dict[str, float] | float]] = {}
    analytics = int(ours.StreamKind.ANALYTICS)
    for ticks in PRICES:
        for kind, told in ((None, ""), (analytics, ", told")):
            found[f"ledgerx trades, {ticks} prices{told}"] = lambda t=ticks, k=kind: session(t, k)
            if peer is not None:
                name = f"published trades, {ticks} prices{told}, first 20k"
                found[name] = lambda t=ticks, k=kind: first_trades(peer, t, k)
        found[f"ledgerx batch, {ticks} prices"] = lambda t=ticks: batch(t)
        found[f"numpy, {ticks} prices"] = lambda t=ticks: numpy_pass(t)
    for ingest, name in ((bindings.by_ctypes(), "ctypes"), (bindings.by_cffi(), "cffi")):
        if ingest is not None:
            found[f"the same library by {name}, 20 prices"] = lambda i=ingest: bound(i)
    for package, name in ((ours, "ledgerx"), (peer, "published")):
        if package is None:
            continue
        found[f"{name} books"] = lambda p=package: first_books(p, None)
        found[f"{name} books, told"] = lambda p=package: first_books(p, analytics)
        for call in ("analytics_snapshot", "signal_snapshot", "book_snapshot"):
            found[f"{name} {call}"] = lambda p=package, c=call: snapshots(p, c)
    return found


def measure(peer: Any | None, passes: int) -> dict[str, float]:
    """Medians by name; a case that gives several figures has one name for each."""
    samples: dict[str, list[float]] = {}
    every = cases(peer)
    for _ in range(passes):
        for name, run in every.items():
            result = run()
            for part, value in (result if isinstance(result, dict) else {"": result}).items():
                samples.setdefault(f"{name}, {part}" if part else name, []).append(value)
    return {name: statistics.median(values) for name, values in samples.items()}


def verdicts(figures: dict[str, float]) -> list[tuple[str, float, float, bool]]:
    """(what, limit, measured, met) for each expectation that can be judged."""
    rows: list[tuple[str, float, float, bool]] = []

    def at_least(what: str, limit: float, measured: float) -> None:
        rows.append((what, limit, measured, measured >= limit))

    def at_most(what: str, limit: float, measured: float) -> None:
        rows.append((what, limit, measured, measured <= limit))

    few, many = "ledgerx trades, 20 prices", "ledgerx trades, 10000 prices"
    whole = figures.get("published trades, whole session")
    if whole:
        at_least("a million trades, x published", 10, figures[f"{few}, whole"] / whole)
    for ticks in PRICES:
        for told in ("", ", told"):
            mine = f"ledgerx trades, {ticks} prices{told}"
            theirs = figures.get(f"published trades, {ticks} prices{told}, first 20k")
            if theirs:
                at_least(
                    f"first 20,000 trades, {ticks} prices{told}, x published",
                    3,
                    figures[f"{mine}, first"] / theirs,
                )
            at_most(
                f"first over tenth 100,000, {ticks} prices{told}",
                1.3,
                figures[f"{mine}, first"] / figures[f"{mine}, tenth"],
            )
    for told in ("", ", told"):
        at_most(
            f"20 over 10,000 prices{told}",
            2,
            figures[f"{few}{told}, whole"] / figures[f"{many}{told}, whole"],
        )
    at_least("batch, M trades a second", 20, figures["ledgerx batch, 20 prices"] / 1e6)
    for call in ("analytics_snapshot", "signal_snapshot", "book_snapshot"):
        theirs = figures.get(f"published {call}")
        if theirs:
            at_least(f"{call}, x published", 3, figures[f"ledgerx {call}"] / theirs)
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--passes", type=int, default=5)
    parser.add_argument(
        "--whole", action="store_true", help="give the published package the million trades too"
    )
    parser.add_argument("--json", type=Path, help="write the figures there")
    options = parser.parse_args()
    peer, json_file = published(), options.json and options.json.absolute()
    with (
        tempfile.TemporaryDirectory() as folder,
        contextlib.chdir(folder),
    ):  # the published package writes files
        figures = measure(peer, options.passes)
        if options.whole and peer is not None:
            with engine_of(peer, None) as (engine, symbol):
                figures["published trades, whole session"] = trades_a_second(
                    engine, symbol, prices_of(20, SESSION)
                )
    console = Console()
    table = Table(
        "thousands a second",
        "",
        title=f"{platform.machine()}, {os.cpu_count()} cores, {options.passes} passes",
    )
    for name, value in figures.items():
        table.add_row(name, f"{value / 1e3:,.0f}")
    console.print(table)
    expected = Table("expected", "limit", "measured", "")
    for what, limit, measured, met in verdicts(figures):
        expected.add_row(what, f"{limit:g}", f"{measured:.2f}", "met" if met else "missed")
    console.print(expected)
    if peer is None:
        console.print("the published package is not installed here: only the figures of ledgerx were judged")
    if json_file:
        json_file.write_text(json.dumps(figures, indent=1))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
