"""Reads a journal's folder from outside: while a venue writes it, on a copy, or where it is damaged.

It takes no lock and writes nothing. Bytes that are no whole record yet may be one at the next call.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from ledgerx.errors import JournalCorrupt
from ledgerx.exchange.disk import Fsync
from ledgerx.exchange.journal_pb2 import Record
from ledgerx.exchange.journal_scan import HEADER, PREFIX, check_header, record_end, valid_record_after
from ledgerx.exchange.segments import list_segments, segment_path
from ledgerx.exchange.snapshot_pb2 import Position

__all__ = ["JournalTail", "Remainder", "Tailed"]

_CHUNK_BYTES: Final = 1024 * 1024


class Tailed(NamedTuple):
    """A record and where it stands."""

    record: Record
    segment: int
    start: int
    end: int
    checksum: int

    @property
    def position(self) -> Position:
        """The same as a snapshot has it."""
        return Position(
            number=self.record.number,
            segment=self.segment,
            start=self.start,
            end=self.end,
            checksum=self.checksum,
        )


class Remainder(NamedTuple):
    """What stands behind the last record that was read: `size` bytes from byte `start` of `path` on.

    `damage` says why they are no torn tail and no write under way, "" where they may be.
    """

    path: Path
    start: int
    size: int
    damage: str


class JournalTail:
    """A reader on a journal's folder. `after` is the record to go on behind, by default the beginning."""

    def __init__(self, folder: Path, after: Position | None = None) -> None:
        self._folder = folder
        self._fd = -1
        self._chunk = b""
        self._chunk_start = 0
        self.number = 0 if after is None else after.number
        self._segment = 0 if after is None else after.segment
        self._start = len(HEADER) if after is None else after.end

    @classmethod
    def at(cls, folder: Path, number: int) -> JournalTail:
        """A reader whose next record is the first of the segment that has record `number`, or of all."""
        before = [first for first in list_segments(folder) if first <= number]
        if not before:
            return cls(folder)
        return cls(folder, Position(number=before[-1] - 1, segment=before[-1], end=len(HEADER)))

    def read(self, count_max: int) -> Iterator[Tailed]:
        """The next records, at most `count_max`; ends where no whole one follows.

        Raises JournalCorrupt for a file of another kind or format, and a number that does not count on.
        """
        for _ in range(count_max):
            found = self._next()
            if found is None:
                return
            yield found

    @property
    def path(self) -> Path:
        """The segment that is read."""
        return segment_path(self._folder, self._segment or 1)

    def remainder(self) -> Remainder:
        """What follows the last record read. Reads the rest of the segment."""
        data = b""
        if self._fd >= 0:
            size = os.fstat(self._fd).st_size
            data = os.pread(self._fd, max(size - self._start, 0), self._start)
        later = [first for first in list_segments(self._folder) if first > self._segment]
        damage = ""
        if data and record_end(memoryview(data), 0) is not None:
            return Remainder(self.path, self._start, len(data), "")  # it was written just now
        if data:
            following = valid_record_after(memoryview(data), 1, self.number + 1)
            if following is not None:
                damage = f"a valid record follows at byte {self._start + following}"
            elif later:
                damage = f"another segment follows, {segment_path(self._folder, later[0]).name}"
        elif later and self._segment and later[0] != self.number + 1:
            name = segment_path(self._folder, later[0]).name
            damage = f"record {self.number + 1} is missing: the next segment is {name}"
        return Remainder(self.path, self._start, len(data), damage)

    def bytes_ahead(self) -> int:
        """How many bytes of the journal are still to be read, roughly."""
        later = [first for first in list_segments(self._folder) if first >= max(self._segment, 1)]
        size = sum(segment_path(self._folder, first).stat().st_size for first in later)
        return size - self._start if later else 0

    def sync(self, fsync: Fsync) -> None:
        """Put the segment that is read on the disk, whoever wrote it. Raises OSError."""
        if self._fd >= 0:
            fsync(self._fd)

    def close(self) -> None:
        """Close the file. May be called again."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def _next(self) -> Tailed | None:
        if self._fd < 0 and not self._open():
            return None
        start = self._start
        prefix = self._bytes(start, PREFIX.size)
        if prefix is None:
            return self._next() if self._turn() else None
        length, checksum = PREFIX.unpack(prefix)
        payload = self._bytes(start + PREFIX.size, length) if length else None
        if payload is None or zlib.crc32(payload) != checksum:
            self._chunk = b""  # it may be whole when it is read again
            return None
        record = Record.FromString(payload)
        if record.number != self.number + 1:
            path = segment_path(self._folder, self._segment)
            raise JournalCorrupt(
                f"{path}: the record at byte {start} is number {record.number} where {self.number + 1}"
                " belongs",
                position=start,
            )
        self.number = record.number
        self._start = start + PREFIX.size + length
        return Tailed(record, self._segment, start, self._start, checksum)

    def _open(self) -> bool:
        """Open the segment to read, once it has its header."""
        if not self._segment:
            segments = list_segments(self._folder)
            if not segments:
                return False
            self._segment, self.number = segments[0], segments[0] - 1
        path = segment_path(self._folder, self._segment)
        try:
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise JournalCorrupt(f"{path} cannot be read: {error.strerror or error}", position=0) from error
        try:
            whole = check_header(memoryview(os.pread(fd, len(HEADER), 0)))
        except JournalCorrupt as error:
            os.close(fd)
            raise JournalCorrupt(f"{path}: {error}", position=error.position) from error
        if not whole:
            os.close(fd)
            return False
        self._fd = fd
        return True

    def _turn(self) -> bool:
        """At the end of a segment, go to the next one; whether there is one."""
        if os.fstat(self._fd).st_size != self._start:
            return False
        if self._segment > self.number or not segment_path(self._folder, self.number + 1).exists():
            return False
        self.close()
        self._segment, self._start, self._chunk = self.number + 1, len(HEADER), b""
        return self._open()

    def _bytes(self, start: int, size: int) -> bytes | None:
        """So many bytes of the file, None where it ends before."""
        place = start - self._chunk_start
        if place < 0 or place + size > len(self._chunk):
            self._chunk = os.pread(self._fd, max(_CHUNK_BYTES, size), start)
            self._chunk_start, place = start, 0
        return self._chunk[place : place + size] if size <= len(self._chunk) else None
