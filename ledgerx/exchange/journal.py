"""The venue's append-only file: every input that changed its state, with every output it caused.

What may live here: appending, group commit, reading back, and opening a file that a crash left. The
format is in journal_scan.py; what a lost tail means for the venue's numbers is in released.py.

`append` only buffers. `commit` writes the whole group with one write (and one fsync with `sync="power"`)
and then moves the released marker; only after it returned may anything that the group caused be sent. A
write that fails leaves the file in a state nobody knows, so the journal refuses everything from then
on and the process must end.
"""

from __future__ import annotations

import mmap
import os
import zlib
from array import array
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ledgerx.errors import InvalidState, JournalCorrupt, JournalWriteFailed
from ledgerx.exchange.journal_pb2 import Record
from ledgerx.exchange.journal_scan import HEADER, PREFIX, Scan, pack_record, scan_journal
from ledgerx.exchange.released import Mark, Marker, MarkFlags, current_boot_id, renewal_is_due

__all__ = ["Journal", "Recovery", "Sync"]

Sync = Literal["process", "power"]

_CACHE_RECORDS_MAX = 64


@dataclass(frozen=True, slots=True)
class Recovery:
    """What opening found: whole records, and the torn tail that was cut (bytes, and at which offset)."""

    records: int
    cut_bytes: int
    cut_at: int


class Journal:
    """One journal file, open for appending. Use `Journal.open`.

    `recovery` says what opening found. `renewal_due` is true while something that was released is missing
    and no run has begun under a new venue_id.
    """

    def __init__(self, path: Path, fd: int, scan: Scan, marker: Marker, mark: Mark, sync: Sync) -> None:
        self.path = path
        self.recovery = Recovery(len(scan.offsets), scan.size - scan.end, scan.end)
        self._fd = fd
        self._offsets: array[int] = scan.offsets
        self._end = scan.end
        self._pending: list[Record] = []
        self._pending_payloads: list[bytes] = []
        self._cache: OrderedDict[int, Record] = OrderedDict()
        self._marker = marker
        self._mark = mark
        self._sync = sync
        self._failed = False

    @classmethod
    def open(cls, folder: Path, *, sync: Sync = "process", boot_id: str | None = None) -> Journal:
        """Open the journal in `folder`, or make it; cut a torn tail.

        `boot_id` is for tests: the running kernel's by default. Raises JournalCorrupt, JournalWriteFailed.
        """
        path = _journal_path(folder)
        boot_id = current_boot_id() if boot_id is None else boot_id
        try:
            fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise JournalWriteFailed(f"{path}: {error}") from error
        try:
            scan = _scan_file(fd, path)
            marker = Marker(folder / "released")
            due = renewal_is_due(marker.load(), end=scan.end, torn=scan.torn, boot_id=boot_id)
            end = _settle(fd, path, scan)
            scan = Scan(scan.offsets, end, max(scan.size, end))
            flags = MarkFlags.RENEWAL_DUE if due else MarkFlags.NONE
            mark = Mark(end, flags | (MarkFlags.POWER if sync == "power" else MarkFlags.NONE), boot_id)
            # Durable, or a power cut could bring back the mark of an orderly close.
            marker.store(mark, durable=True)
        except BaseException:
            os.close(fd)
            raise
        return cls(path, fd, scan, marker, mark, sync)

    @property
    def last_number(self) -> int:
        """The number of the last record appended; 0 before the first."""
        return len(self._offsets) + len(self._pending)

    @property
    def committed(self) -> int:
        """The number of the last record written."""
        return len(self._offsets)

    @property
    def end(self) -> int:
        """The file's length in bytes, what is only buffered not counted."""
        return self._end

    @property
    def renewal_due(self) -> bool:
        """Whether the venue's next run must take a new venue_id."""
        return MarkFlags.RENEWAL_DUE in self._mark.flags

    def renewed(self) -> None:
        """A run has begun under a new venue_id, and its record is committed."""
        self._store_mark(self._mark.flags & ~MarkFlags.RENEWAL_DUE, durable=True)

    def append(self, record: Record) -> None:
        """Buffer a record for the next commit. Its number must be the next one."""
        self._check_usable()
        if record.number != self.last_number + 1:
            raise InvalidState(f"record {record.number} appended where {self.last_number + 1} belongs")
        self._pending.append(record)
        self._pending_payloads.append(record.SerializeToString())

    def commit(self) -> int:
        """Write what is buffered as one group; returns how many records. Raises JournalWriteFailed."""
        self._check_usable()
        if not self._pending:
            return 0
        group = b"".join(map(pack_record, self._pending_payloads))
        try:
            written = os.write(self._fd, group)
            if written != len(group):
                raise OSError(f"only {written} of {len(group)} bytes were written: is the disk full?")
            if self._sync == "power":
                os.fsync(self._fd)
            self._accept_group()
            self._store_mark(self._mark.flags)
        except (OSError, JournalWriteFailed) as error:
            self._failed = True
            raise JournalWriteFailed(f"{self.path}: {error}") from error
        count = len(self._pending)
        self._pending.clear()
        self._pending_payloads.clear()
        return count

    def read(self, number: int) -> Record:
        """The record of that number, buffered ones included.

        Raises IndexError for a number that is not there, JournalCorrupt where the disk changed it.
        """
        if not 1 <= number <= self.last_number:
            raise IndexError(f"the journal has records 1 to {self.last_number}, not {number}")
        if number > self.committed:
            return self._pending[number - self.committed - 1]
        record = self._cache.get(number)
        if record is None:
            record = self._cache[number] = self._load(number)
            if len(self._cache) > _CACHE_RECORDS_MAX:
                self._cache.popitem(last=False)
        else:
            self._cache.move_to_end(number)
        return record

    def records(self) -> Iterator[Record]:
        """Every written record, in order, past the cache."""
        for number in range(1, self.committed + 1):
            yield self._load(number)

    def close(self) -> None:
        """Close the file; what is only buffered is dropped. May be called again."""
        if self._fd < 0:
            return
        try:
            if not self._failed:
                os.fsync(self._fd)
                self._store_mark(self._mark.flags | MarkFlags.CLOSED, durable=True)
        except OSError as error:
            raise JournalWriteFailed(f"{self.path}: {error}") from error
        finally:
            fd, self._fd = self._fd, -1
            os.close(fd)
            self._marker.close()

    def abandon(self) -> None:
        """Close the file without saying that it was closed in order, as after a failure."""
        self._failed = True
        self.close()

    def _accept_group(self) -> None:
        for payload in self._pending_payloads:
            self._offsets.append(self._end)
            self._end += PREFIX.size + len(payload)

    def _store_mark(self, flags: MarkFlags, *, durable: bool = False) -> None:
        self._mark = Mark(self._end, flags, self._mark.boot_id)
        self._marker.store(self._mark, durable=durable)

    def _load(self, number: int) -> Record:
        start = self._offsets[number - 1]
        end = self._offsets[number] if number < self.committed else self._end
        raw = os.pread(self._fd, end - start, start)
        payload = raw[PREFIX.size :]
        if len(raw) != end - start or PREFIX.unpack_from(raw) != (len(payload), zlib.crc32(payload)):
            raise JournalCorrupt(f"record {number}, at byte {start}, has changed on the disk", position=start)
        return Record.FromString(payload)

    def _check_usable(self) -> None:
        if self._failed:
            raise JournalWriteFailed(f"{self.path}: an earlier write failed; nothing more is written")
        if self._fd < 0:
            raise InvalidState("the journal is closed")


def _journal_path(folder: Path) -> Path:
    """The one journal file of a folder, named after its first record's number."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise JournalWriteFailed(f"{folder} cannot be made: {error}") from error
    first = folder / f"{1:020d}.journal"
    others = [path.name for path in folder.glob("*.journal") if path != first]
    if others:
        raise JournalCorrupt(f"{folder} holds journals that this build cannot read: {others}", position=0)
    return first


def _scan_file(fd: int, path: Path) -> Scan:
    """What stands in the file at `path`. Raises JournalCorrupt naming it."""
    if not os.fstat(fd).st_size:
        return scan_journal(memoryview(b""), int(path.stem))
    with mmap.mmap(fd, 0, access=mmap.ACCESS_READ) as mapped, memoryview(mapped) as data:
        try:
            return scan_journal(data, int(path.stem))
        except JournalCorrupt as error:
            raise JournalCorrupt(f"{path}: {error}", position=error.position) from error


def _settle(fd: int, path: Path, scan: Scan) -> int:
    """Cut what is torn, give a new file its header; the end it then has. All of it on the disk."""
    try:
        if scan.torn:
            os.ftruncate(fd, scan.end)
        end = scan.end
        if not end:
            end = os.write(fd, HEADER)
            if end != len(HEADER):
                raise OSError("the header could not be written: is the disk full?")
        os.fsync(fd)
        folder_fd = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(folder_fd)
        finally:
            os.close(folder_fd)
    except OSError as error:
        raise JournalWriteFailed(f"{path}: {error}") from error
    return end
