"""An ingestor, to be killed, that sticks before or behind its commit: `RELAY CATALOG before|behind`."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator, Sequence

from counting_source import CountingSource

from ledgerx.history.ingestor import Ingestor
from ledgerx.history.periods import Range
from ledgerx.history.sources import Page
from ledgerx.history.writer import Commit, Filled, WarehouseWriter


def say(what: str) -> None:
    print(json.dumps({"state": what}), flush=True)


def stick() -> None:
    say("stuck")
    threading.Event().wait()


class StuckSource(CountingSource):
    def pages(self, symbol: str, period_seconds: int, wanted: Range) -> Iterator[Page]:
        yield from super().pages(symbol, period_seconds, wanted)
        stick()


class StuckWriter(WarehouseWriter):
    def write(self, filled: Sequence[Filled]) -> Commit:
        commit = super().write(filled)
        stick()
        return commit


if __name__ == "__main__":
    relay, catalog, when = sys.argv[1:]
    writer = StuckWriter(catalog) if when == "behind" else WarehouseWriter(catalog)
    # All pages in one: what is before the commit is then before any.
    source = StuckSource() if when == "before" else CountingSource()
    with Ingestor(relay, writer, [source]):
        say("ready")
        threading.Event().wait()
