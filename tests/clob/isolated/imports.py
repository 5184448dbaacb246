"""Imports `_clob` again and again, in one interpreter and in others: imports.py again|interpreters TIMES.

A module that was dropped is gone with its types, though a book that outlives it works on; the memory of
interpreters that have ended is given back. Without subinterpreters in this Python the second says so.
"""

from __future__ import annotations

import gc
import importlib
import os
import sys
import weakref
from pathlib import Path
from typing import Any

import ledgerx.clob
from ledgerx.errors import UnknownOrder

NAME = "ledgerx.clob._clob"
RSS_GROWTH_BYTES_MAX = 2 << 20

BOOK_OF_A_MEGABYTE = """
from ledgerx.clob import Book, _clob
book = Book()
for number in range(1, 10_001):
    book.add(number, number % 2 == 1, number if number % 2 else -number, 5)
fills = book.submit(10_001, True, None, 12)
assert [fill.size for fill in fills] == [5, 5, 2] and len(book) == 9_998
class Child(Book):
    pass
child = Child()
child.self = child
try:
    book.cancel(99_999)
except Exception as error:
    assert type(error).__name__ == "UnknownOrder"
"""


def rss_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def import_again(kept: list[Any]) -> weakref.ref[type]:
    """A fresh module, used and dropped, but for a book in `kept`."""
    del sys.modules[NAME]
    module = importlib.import_module(NAME)
    assert module.Book is not ledgerx.clob.Book
    book = module.Book()
    book.add(1, False, 5, 5)
    fills = book.submit(2, True, 5, 1)
    assert [fill.left for fill in fills] == [4]
    if len(kept) < 3:
        kept.append((book, fills))
    return weakref.ref(module.Book)


def again(times: int) -> None:
    kept: list[Any] = []
    types = [import_again(kept) for _ in range(20)]
    gc.collect()
    before = rss_bytes()
    types += [import_again(kept) for _ in range(times)]
    gc.collect()
    alive = sum(reference() is not None for reference in types)
    # sys.modules and the package hold the last one.
    assert alive == len(kept) + 1, f"{alive} of {len(types)} types are alive"
    growth = rss_bytes() - before
    assert growth <= RSS_GROWTH_BYTES_MAX, f"{growth} bytes more after {times} imports"
    for book, fills in kept:
        assert fills[0] == (1, 5, 1, 4)
        assert book.cancel(1) == 4
        try:
            book.cancel(1)
        except UnknownOrder:
            continue
        raise AssertionError("the order was cancelled twice")
    print(f"{len(types)} imports, {growth} bytes")


def runner() -> Any:
    """Runs a program in an interpreter of its own; None where this Python cannot."""
    for name in ("_interpreters", "_xxsubinterpreters"):
        try:
            module = importlib.import_module(name)
        except ImportError:
            continue

        def run(program: str, module: Any = module) -> None:
            interpreter = module.create()
            failure = module.run_string(interpreter, program)
            module.destroy(interpreter)
            assert failure is None, failure

        return run
    return None


def interpreters(times: int) -> None:
    run = runner()
    if run is None:
        print("no subinterpreters here")
        return
    for _ in range(5):
        run(BOOK_OF_A_MEGABYTE)
    gc.collect()
    before = rss_bytes()
    for _ in range(times):
        run(BOOK_OF_A_MEGABYTE)
    growth = rss_bytes() - before
    # What an interpreter itself leaves is less; a book alone would be a megabyte.
    assert growth <= times * 500_000, f"{growth} bytes more after {times} interpreters"
    print(f"{times} interpreters, {growth} bytes")


if __name__ == "__main__":
    {"again": again, "interpreters": interpreters}[sys.argv[1]](int(sys.argv[2]))
