"""The venue's append-only files: every input that changed its state, with every output it caused.

What may live here: appending, group commit, the turn to a new segment, reading back, and opening what a
crash left. The format is in journal_scan.py, the files in segments.py; what a lost tail means for the
venue's numbers is in released.py.

`append` only buffers. `commit` writes the whole group with one write (and one fsync with `sync="power"`)
and then moves the released marker; only after it returned may anything that the group caused be sent. A
write that fails leaves the file in a state nobody knows, so the journal refuses everything from then
on and the process must end.
"""

from __future__ import annotations

import bisect
import os
import zlib
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from ledgerx.errors import InvalidState, JournalCorrupt, JournalWriteFailed
from ledgerx.exchange.disk import Fsync, sync_folder
from ledgerx.exchange.journal_opening import Opened, make_segment, open_segments
from ledgerx.exchange.journal_pb2 import Record
from ledgerx.exchange.journal_scan import PREFIX, pack_record
from ledgerx.exchange.released import Mark, Marker, MarkFlags, current_boot_id, renewal_is_due
from ledgerx.exchange.segment_index import SEGMENT_BYTES_LIMIT, SegmentFacts, SegmentIndex
from ledgerx.exchange.segments import OpenSegments, index_path, segment_path, store_index

__all__ = ["SEGMENT_BYTES_MAX", "Journal", "Recovery", "Sync"]

Sync = Literal["process", "power"]

SEGMENT_BYTES_MAX: Final = 32 * 1024 * 1024
"""A segment that is as long gets no further group."""

_CACHE_RECORDS_MAX = 64


@dataclass(frozen=True, slots=True)
class Recovery:
    """What opening found: whole records, and the torn tail that was cut (bytes, and at which offset)."""

    records: int
    cut_bytes: int
    cut_at: int


class Journal:
    """A folder of segments, open for appending. Use `Journal.open`.

    `recovery` says what opening found. `renewal_due` is true while something that was released is missing
    and no run has begun under a new venue_id.
    """

    def __init__(
        self,
        folder: Path,
        opened: Opened,
        marker: Marker,
        mark: Mark,
        sync: Sync,
        *,
        fsync: Fsync,
        segment_bytes_max: int,
    ) -> None:
        self.folder = folder
        self._index: SegmentIndex = opened.index
        self._segments: list[SegmentFacts] = opened.complete
        self._fd = opened.fd
        self._open = OpenSegments(folder)
        self._hint = 0  # the complete segment that a line was found in last
        self._pending: list[Record] = []
        self._pending_payloads: list[bytes] = []
        self._pending_bytes = 0
        self._cache: OrderedDict[int, Record] = OrderedDict()
        self._marker = marker
        self._mark = mark
        self._sync = sync
        self._fsync = fsync
        self._segment_bytes_max = min(segment_bytes_max, SEGMENT_BYTES_LIMIT)
        self._failed = False
        self.recovery = Recovery(self.committed, opened.cut_bytes, opened.index.end)

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        sync: Sync = "process",
        boot_id: str | None = None,
        verified: int = 0,
        fsync: Fsync = os.fsync,
        segment_bytes_max: int = SEGMENT_BYTES_MAX,
    ) -> Journal:
        """Open the journal in `folder`, or make it; cut a torn tail.

        Every record is checked, save those of complete segments up to record `verified`, which a snapshot
        holds the outcome of. `boot_id` is for tests: the running kernel's by default. Raises
        JournalCorrupt, JournalWriteFailed.
        """
        boot_id = current_boot_id() if boot_id is None else boot_id
        marker: Marker | None = None
        opened: Opened | None = None
        try:
            opened = open_segments(folder, verified)
            marker = Marker(folder / "released", fsync=fsync)
            segment, end = opened.index.first, opened.index.end
            due = renewal_is_due(
                marker.load(), segment=segment, end=opened.end, torn=opened.cut_bytes > 0, boot_id=boot_id
            )
            opened.settle(folder, fsync)
            flags = MarkFlags.RENEWAL_DUE if due else MarkFlags.NONE
            flags |= MarkFlags.POWER if sync == "power" else MarkFlags.NONE
            mark = Mark(end, flags, boot_id, segment)
            # Durable, or a power cut could bring back the mark of an orderly close.
            marker.store(mark, durable=True)
        except BaseException:
            if opened is not None:
                os.close(opened.fd)
            if marker is not None:
                marker.close()
            raise
        return cls(folder, opened, marker, mark, sync, fsync=fsync, segment_bytes_max=segment_bytes_max)

    @property
    def path(self) -> Path:
        """The segment that is written."""
        return segment_path(self.folder, self._index.first)

    @property
    def segments(self) -> list[SegmentFacts]:
        """The segments that are kept, the one that is written last."""
        return [*self._segments, self._index.facts]

    @property
    def first_number(self) -> int:
        """The number of the first record that is kept."""
        return self._segments[0].first if self._segments else self._index.first

    @property
    def last_number(self) -> int:
        """The number of the last record appended; 0 before the first."""
        return self._index.last

    @property
    def committed(self) -> int:
        """The number of the last record written."""
        return self._index.last - len(self._pending)

    @property
    def end(self) -> int:
        """The kept segments' length in bytes, what is only buffered not counted."""
        return sum(facts.end for facts in self._segments) + self._index.end - self._pending_bytes

    @property
    def renewal_due(self) -> bool:
        """Whether the venue's next run must take a new venue_id."""
        return MarkFlags.RENEWAL_DUE in self._mark.flags

    def renewed(self) -> None:
        """A run has begun under a new venue_id, and its record is committed."""
        self._store_mark(self._mark.flags & ~MarkFlags.RENEWAL_DUE, durable=True)

    # ------------------------------------------------------------------ writing

    def append(self, record: Record) -> None:
        """Buffer a record for the next commit. Its number must be the next one."""
        self._check_usable()
        if record.number != self.last_number + 1:
            raise InvalidState(f"record {record.number} appended where {self.last_number + 1} belongs")
        payload = record.SerializeToString()
        size = PREFIX.size + len(payload)
        self._index.add(record, size)
        self._pending.append(record)
        self._pending_payloads.append(payload)
        self._pending_bytes += size

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
                self._fsync(self._fd)
            count = len(self._pending)
            self._pending.clear()
            self._pending_payloads.clear()
            self._pending_bytes = 0
            if self._index.end >= self._segment_bytes_max:
                self._next_segment()
            self._store_mark(self._mark.flags)
        except (OSError, JournalWriteFailed) as error:
            self._failed = True
            raise JournalWriteFailed(f"{self.path}: {error}") from error
        return count

    def prune(self, before: int) -> int:
        """Delete the complete segments all of whose records are before record `before`; how many.

        The oldest goes first, so that what a crash leaves has no hole. Raises JournalWriteFailed.
        """
        count = 0
        while count < len(self._segments) and self._segments[count].last < before:
            count += 1
        try:
            for facts in self._segments[:count]:
                self._open.drop(facts.first)
                segment_path(self.folder, facts.first).unlink()
                index_path(self.folder, facts.first).unlink(missing_ok=True)
                sync_folder(self.folder, self._fsync)
        except OSError as error:
            raise JournalWriteFailed(f"{self.folder}: {error}") from error
        del self._segments[:count]
        self._hint = 0
        return count

    def close(self) -> None:
        """Close the files; what is only buffered is dropped. May be called again."""
        if self._fd < 0:
            return
        try:
            if not self._failed:
                self._fsync(self._fd)
                self._store_mark(self._mark.flags | MarkFlags.CLOSED, durable=True)
        except OSError as error:
            raise JournalWriteFailed(f"{self.path}: {error}") from error
        finally:
            fd, self._fd = self._fd, -1
            os.close(fd)
            self._open.close()
            self._marker.close()

    def abandon(self) -> None:
        """Close the files without saying that it was closed in order, as after a failure."""
        self._failed = True
        self.close()

    def _next_segment(self) -> None:
        """Complete the present segment and begin another.

        The complete one is on the disk before the other exists: damage in it is never a torn tail.
        """
        self._fsync(self._fd)
        store_index(self.folder, self._index)
        index = SegmentIndex(self.last_number + 1, self._index.heads())
        fd = make_segment(self.folder, index.first, self._fsync)
        os.close(self._fd)
        self._segments.append(self._index.facts)
        self._fd, self._index = fd, index

    def _store_mark(self, flags: MarkFlags, *, durable: bool = False) -> None:
        end = self._index.end - self._pending_bytes
        self._mark = Mark(end, flags, self._mark.boot_id, self._index.first)
        self._marker.store(self._mark, durable=durable)

    # ------------------------------------------------------------------ reading

    def read(self, number: int) -> Record:
        """The record of that number, buffered ones included.

        Raises IndexError for a number that is not there, JournalCorrupt where the disk changed it.
        """
        if not self.first_number <= number <= self.last_number or not number:
            raise IndexError(
                f"the journal has records {self.first_number} to {self.last_number}, not {number}"
            )
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

    def records(self, first: int = 1) -> Iterator[Record]:
        """Every written record that is kept, from number `first` on, in order, past the cache."""
        for number in range(max(first, self.first_number), self.committed + 1):
            yield self._load(number)

    def head(self, cid: int) -> int:
        """The last sequence of an account's line, what is only buffered included."""
        return self._index.head(cid)

    def heads(self) -> dict[int, int]:
        """Every account's head that is known."""
        return self._index.heads()

    def know_head(self, cid: int, head: int) -> None:
        """Say what an account's head is, where the segments that are kept do not tell."""
        self._index.know(cid, head)

    def record_of(self, cid: int, sequence: int) -> int | None:
        """The number of the record that holds a message of a line; None if none that is kept does."""
        number = self._index.record_of(cid, sequence)
        if number is not None or not self._segments:
            return number
        if self._hint < len(self._segments):
            number = self._complete(self._hint).record_of(cid, sequence)
            if number is not None:
                return number
        place = bisect.bisect_right(
            range(len(self._segments)), sequence, key=lambda place: self._complete(place).first_of(cid)
        )
        self._hint = max(place - 1, 0)
        return self._complete(self._hint).record_of(cid, sequence)

    def first_available(self, cid: int) -> int:
        """The first sequence of a line that a segment has which is kept; the next one where none has."""
        if self.first_number == 1:
            return 1
        for place in range(len(self._segments)):
            first = self._complete(place).known_first(cid)
            if first is not None:
                return first
        return self._index.first_of(cid)

    def _complete(self, place: int) -> SegmentIndex:
        return self._open.get(self._segments[place].first)[1]

    def _load(self, number: int) -> Record:
        fd, index = self._fd, self._index
        if number < index.first:
            place = bisect.bisect_right(self._segments, number, key=lambda facts: facts.first) - 1
            fd, index = self._open.get(self._segments[place].first)
        start, end = index.span(number)
        raw = os.pread(fd, end - start, start)
        payload = raw[PREFIX.size :]
        if len(raw) != end - start or PREFIX.unpack_from(raw) != (len(payload), zlib.crc32(payload)):
            raise JournalCorrupt(f"record {number}, at byte {start}, has changed on the disk", position=start)
        record = Record.FromString(payload)
        if record.number != number:
            raise JournalCorrupt(f"record {record.number} stands where {number} belongs", position=start)
        return record

    def _check_usable(self) -> None:
        if self._failed:
            raise JournalWriteFailed(f"{self.path}: an earlier write failed; nothing more is written")
        if self._fd < 0:
            raise InvalidState("the journal is closed")
