"""How much memory a book of many orders takes, in a process of its own: `python memory.py RECORDS COUNT`.

Prints the bytes by which the process grew for the first COUNT records, and what the book says it holds.
"""

from __future__ import annotations

import sys
from pathlib import Path

from ledgerx.clob import EVENT_BYTES, Book


def resident_bytes() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("no VmRSS")


def main(path: str, count: int) -> None:
    with Path(path).open("rb") as file:
        records = file.read(count * EVENT_BYTES)
    book = Book()
    before = resident_bytes()
    book.apply(records)
    grown = resident_bytes() - before
    assert len(book) == count
    print(grown, sys.getsizeof(book))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
