"""Orders through the SDK and a venue in another process, beside the engine alone and a bare socket echo.

Prints medians of interleaved passes: round trips in microseconds, orders a second, and each as a ratio to
the limit of its kind. The bare echo is a CURVE-secured DEALER and ROUTER that carry frames of an order's
size and do nothing else. A durable store's path of a message (what is committed after each handler) stands
beside a bare SQLite connection that updates one row a transaction, in the same folder.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sqlite3
import statistics
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import zmq
from rich.console import Console
from rich.table import Table

from ledgerx.api.client import v0_0_1 as api
from ledgerx.clock import SYSTEM_CLOCK
from ledgerx.exchange.venue import Venue
from ledgerx.protocol import sockets, wire
from ledgerx.protocol.crypto import KeyPair
from ledgerx.sdk.commands.v0_0_1 import Commands
from ledgerx.sdk.context import Context
from ledgerx.sdk.records import Position, Progress
from ledgerx.sdk.states import State
from ledgerx.sdk.store import MessageIDStore
from ledgerx.testing.process import VenueProcess
from ledgerx.testing.recorder import Recorder

PASSES = 5
ROUND_TRIPS = 300
ORDERS = 4_000
BATCHES = 20
COMMITS = 10_000
FRAME_BYTES = 120
TIMEOUT_S = 60.0


def echo(keys: KeyPair, ports: Any) -> None:
    """The bare server's process."""
    with zmq.Context() as ctx:
        server = sockets.secure_socket(
            sockets.router, keys.private or b"", keys.public, None, ctx, rtimeo=-1, linger=0
        )
        ports.send(server.bind_to_random_port("tcp://127.0.0.1"))
        while len(parts := server.recv_multipart()) > 1 and parts[-1]:
            server.send_multipart(parts)
        server.close()


class Echo:
    """A client of the bare echo."""

    def __init__(self) -> None:
        server, client = KeyPair.generate(), KeyPair.generate()
        ours, theirs = multiprocessing.Pipe()
        self.process = multiprocessing.get_context("spawn").Process(target=echo, args=(server, theirs))
        self.process.start()
        self.ctx: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self.socket = sockets.secure_socket(
            sockets.dealer, client.private or b"", client.public, server.public, self.ctx, rtimeo=-1, linger=0
        )
        self.socket.connect(f"tcp://127.0.0.1:{ours.recv()}")

    def round_trip(self) -> None:
        self.socket.send(bytes(FRAME_BYTES))
        self.socket.recv()

    def pipelined(self, count: int) -> None:
        for _ in range(count):
            self.socket.send(bytes(FRAME_BYTES))
        for _ in range(count):
            self.socket.recv()

    def close(self) -> None:
        self.socket.send(b"")
        self.process.join()
        self.socket.close()
        self.ctx.term()


def median_us(call: Callable[[], object]) -> float:
    """The median time of one call, microseconds."""
    times = []
    for _ in range(ROUND_TRIPS):
        begun = SYSTEM_CLOCK.monotonic()
        call()
        times.append(SYSTEM_CLOCK.monotonic() - begun)
    return statistics.median(times) * 1e6


def per_second(count: int, call: Callable[[], object]) -> float:
    """How many a second, given a call that does `count`."""
    begun = SYSTEM_CLOCK.monotonic()
    call()
    return count / (SYSTEM_CLOCK.monotonic() - begun)


def order(**fields: Any) -> api.MessageLimitOrder:
    return api.MessageLimitOrder(contract_id=1, size=1, price_in_cents=5000, **fields)


def pipelined(commands: Commands) -> None:
    items = [commands.limit_order(1, 1, 5000, wait=False) for _ in range(ORDERS)]
    assert all(item.wait(State.OPEN, TIMEOUT_S) for item in items)


def batched(commands: Commands) -> None:
    items = []
    for _ in range(BATCHES):
        items += commands.batch([order() for _ in range(200)], wait=False)[1]
    assert all(item.wait(State.OPEN, TIMEOUT_S) for item in items)


def engine_alone() -> float:
    """Orders a second through decoding, engine, encoding and journal, without sockets."""
    with tempfile.TemporaryDirectory() as folder:
        venue = Venue.open(Path(folder) / "venue")
        venue.start_run()
        cid = venue.add_account("bench", KeyPair.generate().public).cid
        venue.commit()
        now = venue.time
        orders = [
            wire.encode_message(order(mid=SYSTEM_CLOCK.unique_hex(), timestamp=now + number))
            for number in range(ORDERS)
        ]

        def run() -> None:
            for number, data in enumerate(orders):
                venue.request(cid, data)
                if number % 50 == 49:
                    venue.commit()

        rate = per_second(ORDERS, run)
        venue.close()
    return rate


def bare_commits(folder: Path) -> float:
    """Transactions a second of SQLite alone, as the store has it set."""
    connection = sqlite3.connect(folder / "bare.db", isolation_level=None)
    for statement in ("page_size = 1024", "journal_mode = WAL", "synchronous = NORMAL"):
        connection.execute(f"PRAGMA {statement}")
    connection.execute("CREATE TABLE IF NOT EXISTS line (next INTEGER)")
    connection.execute("INSERT INTO line VALUES (0)")

    def run() -> None:
        for number in range(COMMITS):
            connection.execute("UPDATE line SET next = ?", (number,))

    rate = per_second(COMMITS, run)
    connection.execute("DROP TABLE line")
    connection.close()
    return rate


def store_commits(folder: Path) -> float:
    """Messages a second that a durable store takes as dispatched."""
    store = MessageIDStore(folder / "store.db")
    store.claim(account="bench", exchange="bench")
    file = store.file
    assert file is not None

    def run() -> None:
        for number in range(COMMITS):
            file.commit(Progress(Position(1, "venue", 1, number)))

    rate = per_second(COMMITS, run)
    store.release(clean=True)
    return rate


def connected(venue: VenueProcess, name: str, store: MessageIDStore | None) -> Context:
    """A Context of an account of its own, not started."""
    keys = venue.trader(name)
    return Context(venue.address, keys.private or b"", keys.public, venue.public_key, Recorder(), store=store)


def measure() -> dict[str, list[float]]:
    """Every figure, once a pass, the kinds interleaved."""
    figures: dict[str, list[float]] = {}
    bare = Echo()
    with VenueProcess() as venue, tempfile.TemporaryDirectory() as scratch, ExitStack() as stack:
        folder = Path(scratch)
        commands, durable = (
            Commands(stack.enter_context(connected(venue, name, store)))
            for name, store in (("bench", None), ("durable", MessageIDStore(folder / "trader.db")))
        )
        for _ in range(PASSES):
            for name, value in (
                ("bare round trip, us", median_us(bare.round_trip)),
                ("order to ACK, us", median_us(lambda: commands.limit_order(1, 1, 5000))),
                ("bare pipelined, frames/s", per_second(ORDERS, lambda: bare.pipelined(ORDERS))),
                ("engine and journal alone, orders/s", engine_alone()),
                ("pipelined, orders/s", per_second(ORDERS, lambda: pipelined(commands))),
                ("batches of 200, orders/s", per_second(BATCHES * 200, lambda: batched(commands))),
                ("durable: order to ACK, us", median_us(lambda: durable.limit_order(1, 1, 5000))),
                ("durable: pipelined, orders/s", per_second(ORDERS, lambda: pipelined(durable))),
                ("bare SQLite, commits/s", bare_commits(folder)),
                ("durable: messages committed/s", store_commits(folder)),
            ):
                figures.setdefault(name, []).append(value)
    bare.close()
    return figures


LIMITS = {
    "order to ACK, us": "bare round trip, us",
    "pipelined, orders/s": "engine and journal alone, orders/s",
    "batches of 200, orders/s": "engine and journal alone, orders/s",
    "durable: order to ACK, us": "order to ACK, us",
    "durable: pipelined, orders/s": "pipelined, orders/s",
    "durable: messages committed/s": "bare SQLite, commits/s",
    "engine and journal alone, orders/s": "bare pipelined, frames/s",
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the medians there")
    options = parser.parse_args()
    medians = {name: statistics.median(values) for name, values in measure().items()}
    table = Table("figure", "median", "ratio", "to", title=f"Trading, medians of {PASSES} passes")
    for name, value in medians.items():
        limit = LIMITS.get(name)
        ratio = f"{value / medians[limit]:.2f}" if limit else ""
        table.add_row(name, f"{value:,.0f}", ratio, limit or "")
    Console().print(table)
    if options.json:
        options.json.write_text(json.dumps(medians, indent=2), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
