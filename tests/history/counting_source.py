"""A source that counts what it is asked for, and fails, pages or waits as a test wishes."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator

from candle_makers import MINUTE_US, minutes

from ledgerx.errors import SourceFailed
from ledgerx.history.periods import Range
from ledgerx.history.sources import Instrument, Page


class CountingSource:
    """Minutes for ever, one trade each, or `every` so many, as `candle_makers.minutes` makes them.

    `page_minutes` is a page's length; after `fails_after` pages of a call it fails, so many times as
    `failures` says; `gate` holds every call up until it is set.
    """

    def __init__(
        self,
        name: str = "TEST",
        *,
        every: int = 1,
        page_minutes: int = 10**9,
        fails_after: int = 0,
        failures: int = 0,
        gate: threading.Event | None = None,
    ) -> None:
        self.name = name
        self.asked: Counter[int] = Counter()  # minute: how often
        self.calls = 0
        self.entered = threading.Event()
        self._every = every
        self._page_minutes = page_minutes
        self._fails_after = fails_after
        self._failures = failures
        self._gate = gate
        self._lock = threading.Lock()

    def instrument(self, symbol: str) -> Instrument | None:
        return None if symbol == "NONE" else Instrument(f"{self.name}:{symbol}", 100, 1)

    def pages(self, symbol: str, period_seconds: int, wanted: Range) -> Iterator[Page]:
        assert period_seconds == 60
        first, last = (time // MINUTE_US for time in wanted)
        with self._lock:
            self.calls += 1
            failing = self._failures > 0
            self._failures -= failing
        self.entered.set()
        if self._gate is not None:
            assert self._gate.wait(60)
        for number, start in enumerate(range(first, last, self._page_minutes)):
            if failing and number == self._fails_after:
                raise SourceFailed("the venue's limit is reached: 429")
            end = min(start + self._page_minutes, last)
            with self._lock:
                self.asked.update(range(start, end))
            aligned = start + -start % self._every
            yield Page((start * MINUTE_US, end * MINUTE_US), minutes(aligned, end, every=self._every))

    def close(self) -> None:
        pass
