"""The follower: executes the journal behind the venue, compares every output, and takes the snapshots.

So the venue never stands still for a snapshot, and that the engine is deterministic is proved record by
record while it trades. A difference is an error that a person must look at: no snapshot is taken any more.

`python -m ledgerx.exchange.follower DATA RECORDS` is the process, which follower_process.py starts. It
ends when its standard input does, so with the venue however that ends. It prints a line of JSON for what it
has done: {"at": number}, {"snapshot": number, "bytes": count}, {"error": text, "diverged": number or 0}.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import select
import signal
import sys
from pathlib import Path
from typing import Any, Final

from ledgerx.clob import Book
from ledgerx.errors import Error, JournalCorrupt, JournalDiverged
from ledgerx.exchange.disk import Fsync
from ledgerx.exchange.engine import Engine
from ledgerx.exchange.journal_tail import JournalTail, Tailed
from ledgerx.exchange.recovery import execute_again
from ledgerx.exchange.segments import journal_folder
from ledgerx.exchange.snapshot_files import restore_newest, snapshot_folder, store_snapshot
from ledgerx.exchange.snapshot_pb2 import Position
from ledgerx.exchange.state import BookFactory

__all__ = ["SNAPSHOT_BYTES", "SNAPSHOT_RECORDS", "Follower", "main"]

SNAPSHOT_RECORDS: Final = 50_000
"""After so many records a snapshot is taken, unless the venue is told otherwise."""

SNAPSHOT_BYTES: Final = 16 * 1024 * 1024
"""After so many bytes of records it is taken in any case: a record can be a batch of 200 orders."""

_STEP_RECORDS: Final = 1000
_STEP_BYTES: Final = 256 * 1024
_POLL_S: Final = 0.2
_BEHIND: Final = 8  # snapshots' worth of records ahead: then only every eighth is taken
_NICE: Final = 10


class Follower:
    """Executes a data folder's journal from its newest snapshot on. Needs no lock, writes only snapshots.

    A snapshot is due `snapshot_records` records or `snapshot_bytes` bytes after the last one. `number` is
    the last record executed, `snapshots` counts those taken, `snapshot_number` the record of the last one
    that is there.
    """

    def __init__(
        self,
        data_folder: Path,
        *,
        snapshot_records: int = SNAPSHOT_RECORDS,
        snapshot_bytes: int = SNAPSHOT_BYTES,
        book_factory: BookFactory = Book,
        fsync: Fsync = os.fsync,
    ) -> None:
        self._folder = data_folder
        self._snapshot_records = snapshot_records
        self._snapshot_bytes = snapshot_bytes
        self._fsync = fsync
        self.snapshots = 0
        self.snapshot_size = 0
        restored = restore_newest(data_folder, book_factory)
        position: Position | None = None
        self.engine = Engine(book_factory)
        if restored is not None:
            self.engine, position = restored
        self.snapshot_number = self.engine.number
        self._tail = JournalTail(journal_folder(data_folder), position)
        self._last: Tailed | None = None
        self._bytes = 0  # of the records since the last snapshot
        for left in snapshot_folder(data_folder).glob("*.new"):
            left.unlink(missing_ok=True)

    @property
    def number(self) -> int:
        """The last record executed."""
        return self.engine.number

    def step(self, records_max: int = _STEP_RECORDS) -> int:
        """Execute some of what was written since; how many records. One snapshot at most, when it is due.

        Raises JournalDiverged, after which this follower must not be used, JournalCorrupt, OSError.
        """
        count = size = 0
        far: bool | None = None  # asked once a step at most, and only where it matters
        for tailed in self._tail.read(records_max):
            if tailed.record.number != self.engine.number + 1:
                raise JournalCorrupt(
                    f"the journal begins with record {tailed.record.number} and no snapshot reaches it",
                    position=tailed.start,
                )
            for _record in execute_again(self.engine, iter((tailed.record,))):
                self._last = tailed
                count += 1
            size += tailed.end - tailed.start
            self._bytes += tailed.end - tailed.start
            if far is None and self._due(far):
                far = self._tail.bytes_ahead() >= _BEHIND * self._snapshot_bytes
            if self._due(far):
                self.take_snapshot()
                break
            if size >= _STEP_BYTES:
                break
        return count

    def _due(self, far: bool | None) -> bool:
        """Whether a snapshot is. One that is `far` from the journal's end takes fewer, to get there."""
        since = self.engine.number - self.snapshot_number
        times = _BEHIND if far else 1
        return since >= times * self._snapshot_records or self._bytes >= times * self._snapshot_bytes

    def take_snapshot(self) -> None:
        """Write a snapshot of the present state. Raises OSError.

        The records go to the disk first: a snapshot is never ahead of its journal.
        """
        if self._last is None:
            return
        self._tail.sync(self._fsync)
        snapshot = self.engine.snapshot()
        snapshot.position.CopyFrom(self._last.position)
        self.snapshot_size = store_snapshot(self._folder, snapshot, fsync=self._fsync)
        self.snapshot_number = self.engine.number
        self.snapshots += 1
        self._bytes = 0

    def check_end(self) -> None:
        """Raises JournalCorrupt where no record can follow the last one, because the journal is damaged."""
        rest = self._tail.remainder()
        if rest.damage:
            raise JournalCorrupt(
                f"{rest.path}: record {self.number + 1}, at byte {rest.start}, is damaged: {rest.damage}",
                position=rest.start,
            )

    def close(self) -> None:
        """Close the journal. May be called again."""
        self._tail.close()


def main(arguments: list[str]) -> int:
    """The process. Returns its exit code: 0 when it was told to end, 1 after an error it has told of."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the venue's, which then ends this
    os.nice(_NICE)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    folder, records = Path(arguments[0]), int(arguments[1])
    try:
        follower = Follower(folder, snapshot_records=records)
        with contextlib.closing(follower):
            _follow(follower)
    except BrokenPipeError:
        return 0
    except (Error, OSError) as error:
        _say(error=str(error), diverged=error.number if isinstance(error, JournalDiverged) else 0)
        return 1
    return 0


def _follow(follower: Follower) -> None:
    snapshots = 0
    _say(at=follower.number)
    while not _ended(0.0):
        done = follower.step()
        if follower.snapshots != snapshots:
            snapshots = follower.snapshots
            _say(snapshot=follower.snapshot_number, bytes=follower.snapshot_size)
        if done:
            _say(at=follower.number)
        else:
            follower.check_end()
            if _ended(_POLL_S):
                return


def _ended(wait_s: float) -> bool:
    """Whether the venue closed its end, or is gone."""
    readable, _, _ = select.select([sys.stdin], [], [], wait_s)
    return bool(readable) and not os.read(sys.stdin.fileno(), 1)


def _say(**what: Any) -> None:
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
