"""Fails if a book keeps memory or references: flat_memory.py [OPERATIONS, ten million if not given].

Each section of every_call.py runs on its own and may leave the process no larger (RSS), no reference more to
what it was handed or returns, and no container more; a shorter run, no byte more that tracemalloc knows of.
"""

from __future__ import annotations

import gc
import os
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import every_call

from ledgerx import errors
from ledgerx.clob import Book, Fill, Level, Order

FULL_RUN = 10_000_000
RSS_GROWTH_BYTES_MAX = 1 << 20  # one object of 32 bytes lost in 10 calls is twice this
TRACED_RUNS_MIN = 100
TRACED_ROUNDS_MAX = 15
TRACED_GROWTH_BYTES_MAX = 1024  # an int lost in a run is three times this
REFERENCES_MAX = 20  # counts waver by what the script itself holds; a lost one shows thousands of times

PROBES: dict[str, object] = {
    "None": None,
    "True": True,
    "False": False,
    "a large int": every_call.HUGE,
    "a large id": every_call.LARGE_ID,
    "a record buffer": every_call.RECORDS,
    "an array": every_call.EVENTS,
    "an array of best prices": every_call.BEST,
    **{kind.__name__: kind for kind in (Book, Fill, Level, Order, every_call.Child, every_call.Index)},
    **{
        name: getattr(errors, name)
        for name in ("InvalidOrder", "UnknownOrder", "DuplicateOrder", "WouldCross")
    },
}
for method, args, _ in every_call.BAD_CALLS:
    for place, argument in enumerate(args):
        if not isinstance(argument, int):
            PROBES[f"argument {place} of {method}{args}"] = argument


def rss_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def references() -> dict[str, int]:
    return {name: sys.getrefcount(probe) for name, probe in PROBES.items()}


def containers() -> int:
    gc.collect()
    return len(gc.get_objects())


def run(name: str, section: Callable[[], int], times: int) -> int:
    for _ in range(max(3, times // 10)):  # what is made once is made
        section()
    kept, counted, rss = containers(), references(), rss_bytes()
    operations = sum(section() for _ in range(times))
    every_call.REFUSED.clear()
    lost = containers() - kept
    assert lost <= REFERENCES_MAX, f"{name}: {lost} containers more after {times} runs"
    grown = {
        what: now - counted[what]
        for what, now in references().items()
        if now - counted[what] > REFERENCES_MAX
    }
    assert not grown, f"{name}: references more after {times} runs: {grown}"
    growth = rss_bytes() - rss
    assert growth <= RSS_GROWTH_BYTES_MAX, f"{name}: {growth} bytes more after {times} runs"
    print(f"{name}: {operations} operations, {growth} bytes", flush=True)
    return operations


def traced_growth(section: Callable[[], int], times: int) -> int:
    gc.collect()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(times):
        section()
    every_call.REFUSED.clear()
    gc.collect()
    return tracemalloc.get_traced_memory()[0] - before


def run_traced(name: str, section: Callable[[], int], times: int) -> None:
    """What Python keeps to use again fills up in the first rounds; what is lost grows in each."""
    for _ in range(TRACED_ROUNDS_MAX):
        growth = traced_growth(section, times)
        if growth <= TRACED_GROWTH_BYTES_MAX:
            return
    raise AssertionError(f"{name}: {growth} bytes traced after {times} runs")


def main(wanted: int) -> None:
    share = wanted / FULL_RUN
    total = sum(
        run(name, section, int(times * share)) for name, (section, times) in every_call.SECTIONS.items()
    )
    assert total >= wanted, f"{total} operations, not {wanted}"
    tracemalloc.start()
    for name, (section, times) in every_call.SECTIONS.items():
        run_traced(name, section, max(TRACED_RUNS_MIN, int(times * share / 50)))
    print(f"{total} operations: flat")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else FULL_RUN)
