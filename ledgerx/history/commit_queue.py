"""The one writer of a process: ranges from many threads are queued and committed together."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Final

from ledgerx.errors import Error, InvalidState, WarehouseUnavailable
from ledgerx.history.periods import clip
from ledgerx.history.writer import Commit, Filled, WarehouseWriter

__all__ = ["CommitQueue"]

_log = logging.getLogger(__name__)
_RANGES_MAX: Final = 50
_CANDLES_MAX: Final = 500_000
_QUEUED_MAX: Final = 200
_Item = tuple[Filled, "Future[Commit]"]


class CommitQueue:
    """A thread that writes what others put in.

    Args:
        writer: used by that thread alone from `start` on, and closed by it.
        after_commits: called in that thread with the number of commits so far, for maintenance.

    """

    def __init__(self, writer: WarehouseWriter, after_commits: Callable[[int], None] | None = None) -> None:
        self._writer = writer
        self._after_commits = after_commits
        self._queue: queue.Queue[_Item | None] = queue.Queue(_QUEUED_MAX)
        self._held: _Item | None = None
        self._thread = threading.Thread(target=self._run, name="ledgerx-warehouse-writer")
        self._opened: Future[None] = Future()
        self._ended = threading.Event()

    def start(self) -> None:
        """Begin; returns when the tables are there. Raises what `WarehouseWriter.open` raises."""
        self._thread.start()
        self._opened.result()

    def put(self, filled: Filled) -> Future[Commit]:
        """Queue a range to be written; waits while the queue is full. Raises InvalidState after `stop`."""
        if self._ended.is_set():
            raise InvalidState("the warehouse's writer has ended")
        future: Future[Commit] = Future()
        self._queue.put((filled, future))
        return future

    def stop(self) -> None:
        """Write what is queued, as far as the catalog takes it at once, and end."""
        if self._thread.is_alive() and not self._ended.is_set():
            self._ended.set()
            self._writer.hurry()
            self._queue.put(None)
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        try:
            try:
                self._writer.open()
            except BaseException as error:
                self._ended.set()
                self._opened.set_exception(error)
                return
            self._opened.set_result(None)
            commits = 0
            while batch := self._batch():
                self._write(batch)
                commits += 1
                if self._after_commits is not None:
                    self._after_commits(commits)
        finally:
            self._writer.close()

    def _batch(self) -> list[_Item]:
        """The next ranges to commit together, none of which overlap; empty at the end."""
        item = self._held if self._held is not None else self._queue.get()
        self._held = None
        batch: list[_Item] = []
        candles = 0
        while item is not None:
            if any(_overlap(item[0], other) for other, _ in batch):
                self._held = item  # together they would double the rows that both have
                break
            batch.append(item)
            candles += len(item[0].candles)
            if len(batch) >= _RANGES_MAX or candles >= _CANDLES_MAX:
                break
            try:
                item = self._queue.get_nowait()
            except queue.Empty:
                break
        else:
            if batch:
                self._queue.put(None)  # the end, seen behind a last batch
        return batch

    def _write(self, batch: list[_Item]) -> None:
        try:
            commit = self._writer.write([filled for filled, _ in batch])
        except Error as error:
            # One of them may be at fault, the others are not; where the catalog is away, all wait in vain.
            if len(batch) > 1 and not isinstance(error, WarehouseUnavailable):
                for item in batch:
                    self._write([item])
                return
            for _, future in batch:
                future.set_exception(error)
        except BaseException as error:
            _log.exception("the warehouse's writer failed")
            for _, future in batch:
                future.set_exception(error)
        else:
            for _, future in batch:
                future.set_result(commit)


def _overlap(one: Filled, other: Filled) -> bool:
    if (one.instrument.ticker, one.period_seconds) != (other.instrument.ticker, other.period_seconds):
        return False
    return any(clip(one.covered, span) for span in other.covered)
