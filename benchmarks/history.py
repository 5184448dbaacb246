"""Candles beside bare PyIceberg, pandas, Polars and DuckDB: fetching, making, writing, and the relay.

Medians of interleaved passes; each maker of candles is a process of its own, so that its memory is its own.
What is not installed is left out.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import zmq
from rich.console import Console
from rich.table import Table

from ledgerx.history import HistoryClient, IcebergClient, OHLCClient
from ledgerx.history.candles import Trades, candles_of
from ledgerx.history.ingestor_pb2 import FromRelay, ToRelay
from ledgerx.history.relay import Relay
from ledgerx.history.shards import InProcess, OnRay, Runner, fill, shards_of
from ledgerx.history.sources import Instrument
from ledgerx.history.tables import OHLC, load_table, open_catalog
from ledgerx.history.warehouse import close_catalog, range_filter
from ledgerx.history.writer import Filled, WarehouseWriter

TICKER = "BENCH:ABC"
MINUTE_US = 60_000_000
PERIODS = (60, 300, 3600, 86_400)
MAKERS = ("ledgerx", "pandas", "polars", "duckdb")
FETCH_MAX, MAKE_MAX = 1.3, 1.2


# ------------------------------------------------------------------------------------------- data


def trades_of(count: int) -> Trades:
    """A month of trades at random times and prices, in order of time."""
    numbers = np.random.default_rng(1)
    times = np.sort(numbers.integers(0, 30 * 86_400_000_000, count))
    prices = 10_000 + numbers.integers(-1, 2, count).cumsum()
    return Trades(times, prices, numbers.integers(1, 100, count), numbers.random(count) < 0.5)


def filled(count: int, first: int = 0) -> Filled:
    """So many minutes, a candle each."""
    at = np.arange(first, first + count, dtype=np.int64)
    trades = Trades(at * MINUTE_US, 1000 + at % 500, np.ones(count, np.int64), at % 2 == 0)
    covered = (first * MINUTE_US, (first + count) * MINUTE_US)
    return Filled(Instrument(TICKER, 100, 1), 60, (covered,), candles_of(trades, [60])[60], "BENCH")


def milliseconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


def medians(passes: int, works: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Of each the median of interleaved passes, after one that warms up."""
    measured: dict[str, list[float]] = {name: [] for name in works}
    for number in range(passes + 1):
        for name, work in works.items():
            taken = milliseconds(work)
            if number:
                measured[name].append(taken)
    return {name: statistics.median(values) for name, values in measured.items()}


# -------------------------------------------------------------------------------- making candles


def make(name: str, count: int) -> None:
    """One maker in this process: prints its median time, its process's memory and what it made."""
    trades = trades_of(count)
    makers = {"ledgerx": by_ledgerx, "pandas": by_pandas, "polars": by_polars, "duckdb": by_duckdb}
    prepared = makers[name](trades)
    before = memory_mib("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
    rows = prepared()
    times = [milliseconds(prepared) for _ in range(3)]
    figures = {"ms": statistics.median(times), "mib": memory_mib("VmHWM") - before, "rows": rows}
    print(json.dumps(figures))


def memory_mib(name: str) -> float:
    """The memory of this process: now (VmRSS), or at most (VmHWM)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(name))


def by_ledgerx(trades: Trades) -> Callable[[], list[int]]:
    return lambda: [len(candles) for candles in candles_of(trades, PERIODS).values()]


def columns_of(trades: Trades) -> dict[str, Any]:
    return {"ts": trades.timestamp, "price": trades.price, "size": trades.size, "bought": trades.bought}


def by_pandas(trades: Trades) -> Callable[[], list[int]]:
    import pandas as pd

    frame = pd.DataFrame(columns_of(trades))

    def work() -> list[int]:
        rows = []
        given = frame.assign(
            quote=frame["price"] * frame["size"], buy=frame["size"].where(frame["bought"], 0)
        )
        for period in PERIODS:
            groups = given.groupby(given["ts"] // (period * 1_000_000), sort=False)
            made = groups.agg(
                open=("price", "first"), high=("price", "max"), low=("price", "min"), close=("price", "last"),
                volume=("size", "sum"), quote=("quote", "sum"), count=("size", "count"), buy=("buy", "sum"),
            )  # fmt: skip
            rows.append(len(made))
        return rows

    return work


def by_polars(trades: Trades) -> Callable[[], list[int]]:
    import polars as pl

    frame = pl.DataFrame(columns_of(trades))

    def work() -> list[int]:
        price, size = pl.col("price"), pl.col("size")
        finest = (
            frame.lazy()
            .group_by_dynamic("ts", every=f"{PERIODS[0] * 1_000_000}i")
            .agg(
                price.first().alias("open"),
                price.max().alias("high"),
                price.min().alias("low"),
                price.last().alias("close"),
                size.sum().alias("volume"),
                (price * size).sum().alias("quote"),
                pl.len().alias("count"),
                size.filter(pl.col("bought")).sum().alias("buy"),
            )
            .collect()
        )
        rows = [len(finest)]
        for period in PERIODS[1:]:
            sums = [pl.col(name).sum() for name in ("volume", "quote", "count", "buy")]
            made = finest.group_by_dynamic("ts", every=f"{period * 1_000_000}i").agg(
                pl.col("open").first(),
                pl.col("high").max(),
                pl.col("low").min(),
                pl.col("close").last(),
                *sums,
            )
            rows.append(len(made))
        return rows

    return work


def by_duckdb(trades: Trades) -> Callable[[], list[int]]:
    import duckdb
    import pyarrow as pa

    table = pa.table(columns_of(trades))
    base = duckdb.connect()
    base.register("trades", table)

    def work() -> list[int]:
        base.execute(
            f"""create or replace temp table finest as select ts // {PERIODS[0] * 1_000_000} as bucket,
            arg_min(price, ts) as open, max(price) as high, min(price) as low, arg_max(price, ts) as close,
            sum(size)::bigint as volume, sum(price * size)::bigint as quote, count(*) as count,
            sum(size) filter (bought) as buy from trades group by bucket"""  # noqa: S608 - whole numbers alone
        )
        rows = [len(base.execute("select * from finest order by bucket").fetchnumpy()["bucket"])]
        for period in PERIODS[1:]:
            made = base.execute(
                f"""select bucket // {period // PERIODS[0]} as longer, arg_min(open, bucket),
                max(high), min(low),
                arg_max(close, bucket), sum(volume), sum(quote), sum(count), sum(buy)
                from finest group by longer order by longer"""  # noqa: S608
            ).fetchnumpy()
            rows.append(len(made["longer"]))
        return rows

    return work


def made_by_all(count: int) -> dict[str, dict[str, Any]]:
    """Every maker that is installed, one after the other."""
    found: dict[str, dict[str, Any]] = {}
    for name in MAKERS:
        if name != "ledgerx" and importlib.util.find_spec(name) is None:
            continue
        command = [sys.executable, __file__, "--make", name, "--trades", str(count)]
        found[name] = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert len({tuple(figures["rows"]) for figures in found.values()}) == 1, found
    return found


# -------------------------------------------------------------------------------------- the warehouse


def fetches(folder: Path, candles: int, passes: int) -> dict[str, float]:
    """A covered range through the client, beside a bare scan of the same file."""
    uri = f"sqlite:///{folder}/catalog.db"
    writer = WarehouseWriter(uri)
    writer.open()
    writer.write([filled(candles)])
    writer.close()
    catalog = open_catalog(uri)

    def bare() -> int:
        table = load_table(catalog, "trading", OHLC)
        assert table is not None
        return len(table.scan(row_filter=range_filter(TICKER, 60, 0, candles * MINUTE_US)).to_arrow())

    async def measure() -> dict[str, float]:
        endpoints = relay.relay_endpoint, relay.notification_endpoint
        async with OHLCClient(uri, *endpoints) as client:
            loop = asyncio.get_running_loop()

            def through(method: Any) -> Callable[[], object]:
                wanted = TICKER, 60, 0, candles * MINUTE_US
                return lambda: asyncio.run_coroutine_threadsafe(method(*wanted), loop).result()

            works: dict[str, Callable[[], object]] = {
                "bare PyIceberg scan": bare,
                "fetch_ohlc_arrow": through(client.fetch_ohlc_arrow),
                "fetch_ohlc (DataFrame)": through(client.fetch_ohlc),
            }
            return await asyncio.to_thread(medians, passes, works)

    with Relay("tcp://127.0.0.1:0", "tcp://127.0.0.1:0") as relay:
        found = asyncio.run(measure())
        assert relay.counts.requests == 0
    close_catalog(catalog)
    return found


def missing(folder: Path, candles: int, passes: int) -> float:
    """find_missing_ranges over a range of a million candles with a hole every 10,000."""
    uri = f"sqlite:///{folder}/missing.db"
    writer = WarehouseWriter(uri)
    writer.open()
    step = candles // 100
    writer.write([filled(step - 1, number * step) for number in range(100)])
    writer.close()
    with IcebergClient(uri) as client:
        wanted = TICKER, 60, 0, candles * MINUTE_US
        assert len(client.find_missing_ranges(*wanted)) == 100
        return medians(passes, {"": lambda: client.find_missing_ranges(*wanted)})[""]


def writes(folder: Path, candles: int, passes: int) -> float:
    """A commit of so many candles, again and again over the same range."""
    writer = WarehouseWriter(f"sqlite:///{folder}/writes.db")
    writer.open()
    content = [filled(candles)]
    found = medians(passes, {"": lambda: writer.write(content)})[""]
    writer.close()
    return found


# -------------------------------------------------------------------------------------------- the relay


@contextmanager
def answering(relay: Relay) -> Iterator[None]:
    """An ingestor that says at once that it is done: what is left is the relay's and the client's time."""
    stopped = threading.Event()

    def run() -> None:
        with zmq.Context() as context, context.socket(zmq.DEALER) as socket:
            socket.connect(relay.relay_endpoint)
            hello = ToRelay()
            hello.worker.worker_id, hello.worker.jobs_max = "bench", 100_000
            hello.worker.sources.append("BENCH")
            told = 0.0
            while not stopped.is_set():
                if time.monotonic() - told > 1:
                    told = time.monotonic()
                    socket.send(hello.SerializeToString())
                if socket.poll(50):
                    message = FromRelay.FromString(socket.recv())
                    if message.HasField("work"):
                        done = ToRelay()
                        done.done.job_id, done.done.relay_id = message.work.job_id, message.work.relay_id
                        done.done.worker_id = "bench"
                        done.done.presence.runs.extend([0, 1])
                        socket.send(done.SerializeToString())

    thread = threading.Thread(target=run)
    thread.start()
    yield
    stopped.set()
    thread.join()


def requests(count: int) -> tuple[float, float]:
    """So many requests at once: seconds, and how many were answered."""

    async def program(relay: Relay) -> tuple[float, float]:
        async with HistoryClient(relay.relay_endpoint, relay.notification_endpoint) as client:
            began = time.perf_counter()
            results = await asyncio.gather(
                *(
                    client.request_historical_ohlc(TICKER, 60, at * MINUTE_US, (at + 1) * MINUTE_US, 60)
                    for at in range(count)
                )
            )
            answered = sum(result["status"] == "OK" for result in results)
            return time.perf_counter() - began, answered

    with Relay("tcp://127.0.0.1:0", "tcp://127.0.0.1:0") as relay, answering(relay):
        return asyncio.run(program(relay))


# ------------------------------------------------------------------------------------------- the report


def shards(folder: Path, count: int) -> dict[str, float]:
    """Seconds from a file of trades to committed candles of every period, in this process and on Ray."""
    trades = trades_of(count)
    columns = columns_of(trades)
    names = {"timestamp_us": columns["ts"], "price": columns["price"], "size": columns["size"]}
    (folder / "trades").mkdir()
    sides = pc.if_else(pa.array(trades.bought), "buy", "sell")
    pq.write_table(pa.table({**names, "side": sides}), folder / "trades" / "BIG.parquet")
    parts = shards_of(f"files:{folder / 'trades'}", "FILE:BIG", (0, 30 * 86_400_000_000), PERIODS)
    runners: dict[str, Callable[[], Runner]] = {"in process": InProcess}
    if importlib.util.find_spec("ray") is not None:
        runners["on Ray"] = lambda: OnRay("local")
    found = {}
    for name, runner in runners.items():
        (folder / name).mkdir()
        writer = WarehouseWriter(f"sqlite:///{folder / name}/catalog.db")
        writer.open()
        begun = time.perf_counter()
        sum(fill(writer, parts, runner()))
        found[name] = time.perf_counter() - begun
        writer.close()
    return found


def show(rows: list[tuple[str, str, str]]) -> None:
    table = Table(
        "what", "figure", "limit", title=f"{os.cpu_count()} CPUs, Python {platform.python_version()}"
    )
    for row in rows:
        table.add_row(*row)
    Console().print(table)


def verdict(ratio: float, most: float) -> str:
    return f"{ratio:.2f} x, at most {most:g} x: {'met' if ratio <= most else 'NOT met'}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trades", type=int, default=10_000_000)
    parser.add_argument("--candles", type=int, default=100_000)
    parser.add_argument("--requests", type=int, default=2_000)
    parser.add_argument("--passes", type=int, default=15)
    parser.add_argument("--make", choices=MAKERS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.make:
        make(options.make, options.trades)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        fetched = fetches(folder, options.candles, options.passes)
        lacking = missing(folder, 10 * options.candles, options.passes)
        written = writes(folder, options.candles, options.passes)
        sharded = shards(folder, options.trades)
    seconds, answered = requests(options.requests)
    made = made_by_all(options.trades)
    bare = fetched["bare PyIceberg scan"]
    rows = [
        (
            f"{options.candles:,} candles, {what}",
            f"{taken:.1f} ms",
            "" if taken == bare else f"{taken / bare:.2f} x",
        )
        for what, taken in fetched.items()
    ]
    rows[1] = (*rows[1][:2], verdict(fetched["fetch_ohlc_arrow"] / bare, FETCH_MAX))
    rows.append((f"missing ranges of {10 * options.candles:,} candles", f"{lacking:.2f} ms", ""))
    rows.append((f"write of {options.candles:,} candles", f"{written:.0f} ms", ""))
    rows.append((f"{answered:,} of {options.requests:,} requests at once", f"{seconds:.2f} s", ""))
    for maker, figures in made.items():
        taken = f"{figures['ms']:.0f} ms, {figures['mib']:.0f} MiB more"
        rows.append((f"{options.trades:,} trades to 4 periods, {maker}", taken, ""))
    best = min(figures["ms"] for figures in made.values())
    last = rows[-len(made)]
    rows[-len(made)] = (*last[:2], verdict(made["ledgerx"]["ms"] / best, MAKE_MAX))
    for where, taken_s in sharded.items():
        rows.append((f"{options.trades:,} trades, file to warehouse, shards {where}", f"{taken_s:.2f} s", ""))
    show(rows)


if __name__ == "__main__":
    main()
