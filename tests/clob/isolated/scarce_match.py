"""Matches a million pairs of orders with little memory left: what traded must be told, whatever was refused.

    scarce_match.py MEGABYTES

Prints how many orders were refused and how many fills came back, or that none was matched.
"""

from __future__ import annotations

import resource
import sys
from pathlib import Path

import numpy

from ledgerx.clob import FILL_DTYPE, INCOMING_DTYPE, OUTCOME_DTYPE, REFUSALS, Book, EventKind, Fills

PAIRS = 500_000
PAGES = Path("/proc/self/statm")
"""Where a process on Linux reads how many pages it has; on other systems memory is not limited here."""


def main(megabytes: int) -> None:
    orders = numpy.zeros(2 * PAIRS, INCOMING_DTYPE)
    orders["kind"], orders["price"], orders["size"] = EventKind.ADD, 5, 1
    orders["order_id"] = numpy.arange(1, 2 * PAIRS + 1)
    orders["is_ask"] = numpy.arange(2 * PAIRS) % 2
    outcomes = numpy.ones(2 * PAIRS, OUTCOME_DTYPE)
    book = Book()
    before = resource.getrlimit(resource.RLIMIT_AS)
    if PAGES.exists():
        held = int(PAGES.read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (held + megabytes * 2**20, before[1]))
    fills: Fills | None = None
    try:
        fills = book.match(orders, outcomes)
    except MemoryError:
        pass
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
    assert book._check() is None
    if fills is None:
        assert len(book) == 0, "orders were matched, and their fills lost"
        print("nothing was matched")
        return
    refused = int((outcomes["refusal"] == REFUSALS.index(MemoryError)).sum())
    told = numpy.frombuffer(fills, FILL_DTYPE)
    assert len(told) == outcomes["fills"].sum()
    assert 2 * len(told) + len(book) + refused == 2 * PAIRS
    print(f"{refused} refused, {len(told)} fills")


if __name__ == "__main__":
    main(int(sys.argv[1]))
