"""The order book beside its peers from PyPI and plain C, on one generated file; and orders that match.

Prints medians of interleaved passes in millions a second and a verdict for each expectation. Every book
gets the same events: the best prices are asked after each, ten levels of both sides after each hundred
(not where the whole array goes in by one call). The time is the
thread's CPU time. The file is the same for a seed, and kept between runs. Before anything is timed, all
books are compared event by event on the file's beginning.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table

from _clob import expected, files, floor, matching, memory, mirror, model, peers, venue
from _clob.expected import Name
from ledgerx.clob import Book
from ledgerx.clob import _reference as reference

ORDERS_IN_MEMORY = 1_000_000
AGREE = 20_000
SLOW = 100_000
"""How many events those get that would hold the run up; they are millions a second all the same."""


class Case(NamedTuple):
    """A figure: `run` gives the seconds for `number` of them."""

    name: str
    number: int
    run: Callable[[], float]


def missing(package: str) -> str:
    """Why a peer is not measured, empty if it is there."""
    try:
        version(package)
    except PackageNotFoundError:
        return f"{package} is not installed"
    return ""


def first(events: files.Events, count: int) -> files.Events:
    """The same file, cut short."""
    total = events.prefill + count
    if total * 32 >= len(events.records):
        return events
    return files.Events(events.records[: total * 32], events.prefill, events.best[: total * 16])


def mirror_cases(events: files.Events, bare: Any) -> tuple[list[Case], dict[str, str]]:
    """Every way to drive a mirror, after a check that all of them agree."""
    makers: list[Callable[[], Any]] = [reference.Book, Book, lambda: bare.Bare(*events.window)]
    count = len(events)
    short = first(events, SLOW)
    cases = [
        Case(Name.NOTHING, count, lambda: mirror.nothing(bare.nothing)(events)),
        Case(Name.BARE, count, lambda: mirror.one_call(makers[2])(events)),
        Case(Name.PLAIN_C, count, lambda: mirror.plain_c(bare)(events)),
        Case(Name.ONE_CALL, count, lambda: mirror.one_call(Book)(events)),
        Case(Name.METHODS, count, lambda: mirror.methods(events)),
        Case(Name.APPLY, count, lambda: mirror.batch(events)),
        Case(Name.REFERENCE, len(short), lambda: mirror.one_call(reference.Book)(short)),
    ]
    skipped: dict[str, str] = {}
    kinds: tuple[tuple[str, str, Callable[[], peers.Peer]], ...] = (
        (Name.ORDER_BOOK, "order-book", peers.LevelBook),
        (Name.SORTED, "sortedcontainers", peers.SortedBook),
    )
    for name, package, make in kinds:
        if reason := missing(package):
            skipped[name] = reason
            continue
        makers.append(make)
        cases.append(Case(name, count, lambda make=make: mirror.one_call(make)(events)))  # type: ignore[misc]
    mirror.agree(makers, events, events.prefill + AGREE)
    if reason := missing("nautilus_trader"):
        skipped[Name.NAUTILUS] = reason
    else:
        mirror.agree_nautilus(events, events.prefill + AGREE)
        nautilus = mirror.Nautilus(2 * SLOW)
        cases.append(Case(Name.NAUTILUS, count, lambda: nautilus(events)))
    return cases, skipped


def matching_cases(orders: files.Incoming, bare: Any) -> list[Case]:
    """Every book that can match. What is counted are messages: the new orders, and the cancels among them."""
    makers: dict[str, Callable[[], Any]] = {Name.MATCH_BARE: lambda: bare.Bare(*orders.window)}
    makers[Name.MATCH] = Book
    if not missing("sortedcontainers"):
        makers[Name.MATCH_SORTED] = peers.SortedBook
    matching.agree([reference.Book, *makers.values()], orders, orders.prefill + AGREE)
    number = len(orders)
    cases = [
        Case(Name.MATCH_PLAIN_C, number, lambda: matching.plain_c(bare)(orders)),
        Case(Name.MATCH_FLAT, number, lambda: matching.flat_python(orders)),
        Case(Name.MATCH_BATCH, number, lambda: matching.batch(orders)),
    ]
    for name, make in makers.items():
        run = matching.one_call(make)
        cases.append(Case(name, number, lambda run=run: run(orders)))  # type: ignore[misc]
    cases.append(Case(Name.MATCH_READ, number, lambda: matching.reading(Book)(orders)))
    count = min(SLOW // 5, orders.count)
    inputs = venue.requests(orders, count)
    cases.append(Case(Name.ENGINE, count, lambda: venue.seconds(inputs, orders.prefill)))
    return cases


def variant_cases(wide: files.Events, many: files.Events, bare: Any) -> list[Case]:
    """Ours where prices are far apart, and among a million orders, whose coming is not timed."""
    return [
        Case(Name.WIDE, len(wide), lambda: mirror.one_call(Book)(wide)),
        Case(Name.WIDE_APPLY, len(wide), lambda: mirror.batch(wide)),
        Case(Name.MANY, len(many), lambda: mirror.one_call(Book)(many)),
        Case(Name.MANY_APPLY, len(many), lambda: mirror.batch(many)),
        Case(Name.MANY_PLAIN_C, len(many), lambda: mirror.plain_c(bare)(many)),
    ]


def bytes_an_order(path: Path) -> tuple[float, float]:
    """By how much a process grew for each of many orders, and what the book says of itself."""
    command = [sys.executable, str(memory.__file__), str(path), str(ORDERS_IN_MEMORY)]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    grown, own = map(int, result.stdout.split())
    return grown / ORDERS_IN_MEMORY, own / ORDERS_IN_MEMORY


def measure(cases: list[Case], passes: int, console: Console) -> dict[str, float]:
    """The medians, in millions a second."""
    figures: dict[str, list[float]] = {case.name: [] for case in cases}
    gc.freeze()  # the arguments, which no collection need look at
    for number in range(passes):
        with console.status(f"pass {number + 1} of {passes}"):
            for case in cases:
                figures[case.name].append(case.number / case.run() / 1e6)
    return {name: statistics.median(values) for name, values in figures.items()}


def table_of(medians: dict[str, float], skipped: dict[str, str], title: str) -> Table:
    table = Table("what is driven", "million/s", "ns each", "to plain C", title=title)
    for name in Name:
        if name in skipped:
            table.add_row(name, "-", "-", skipped[name])
        elif name in medians:
            rate = medians[name]
            limit = medians.get(expected.floor_of(name), rate)
            to_limit = "other work" if name == Name.ENGINE else f"{rate / limit:.3f}"
            table.add_row(name, f"{rate:,.3f}", f"{1e3 / rate:,.0f}", to_limit)
    return table


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the medians there")
    parser.add_argument(
        "--events", type=int, default=1_000_000, help="of the main file (default %(default)s)"
    )
    parser.add_argument("--passes", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    console = Console()
    with console.status("making the files"):
        bare = floor.load()
        count, seed = options.events, options.seed
        events = files.load_events(model.NARROW, count, seed)
        orders = files.load_incoming(model.NARROW, count, seed)
        wide = files.load_events(model.WIDE, count // 2, seed)
        many = files.load_events(model.MANY, count // 2, seed)
    with console.status("comparing the books"):
        cases, skipped = mirror_cases(events, bare)
        cases += matching_cases(orders, bare)
        cases += variant_cases(wide, many, bare)
    medians = measure(cases, options.passes, console)
    grown, own = bytes_an_order(files.write(many.records, "memory"))
    title = f"Order book: {count:,} events, seed {seed}, medians of {options.passes} passes"
    console.print(table_of(medians, skipped, title))
    share = orders.count / len(orders)
    console.print(
        f"matching: {share:.3f} of the messages are new orders, the rest cancels; an order has "
        f"{orders.outcome.fills / (orders.count + orders.prefill):.2f} fills; "
        "the engine gets the orders alone"
    )
    verdicts = expected.verdicts(medians, grown, share)
    console.print(expected.table_of(verdicts))
    console.print(f"memory: the process grew by {grown:.1f} bytes an order; the book says {own:.1f}")
    if options.json:
        report = {
            "python": platform.python_version(), "machine": platform.machine(), "cpus": os.cpu_count(),
            "seed": seed, "events": count, "passes": options.passes,
            "million_per_second": medians, "not_measured": skipped, "memory_bytes_per_order": grown,
            "own_bytes_per_order": own, "expectations": [verdict._asdict() for verdict in verdicts],
        }  # fmt: skip
        options.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
