"""The index of one journal segment: where each record is, and which record holds which message of a line.

A segment that is written has its index in memory, a few megabytes at most, because segments are short. Once
the segment is complete the index is written beside it, and memory holds those of the few segments that were
read last: what a venue keeps in memory does not grow with its history. The file is derived: one that is
missing or damaged is made again from its segment.

It costs 4 bytes a record and 4 bytes a message of a line. The file, all numbers little-endian:

    8  magic "ledgerxI"      u32 format version        u32 CRC-32 of all that follows
    u64 first record   u64 records   u64 the segment's length   i64 first time   i64 last time   u64 lines
    an i64 cid, u64 first sequence, u64 messages for each line
    a u32 offset for each record
    for each line in that order, a u32 for each message: its record's number less the first record's
"""

from __future__ import annotations

import struct
import zlib
from array import array
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from ledgerx.errors import JournalCorrupt
from ledgerx.exchange.journal_pb2 import Record
from ledgerx.exchange.journal_scan import HEADER

__all__ = ["FACTS_BYTES", "SEGMENT_BYTES_LIMIT", "SegmentFacts", "SegmentIndex", "read_facts"]

SEGMENT_BYTES_LIMIT: Final = 2**32 - 1
"""Where a record of a segment may begin at most: its offset is 32 bits."""

_MAGIC: Final = b"ledgerxI"
_FORMAT_VERSION: Final = 1
_HEAD = struct.Struct("<8sII")
_FACTS = struct.Struct("<QQQqqQ")
_LINE = struct.Struct("<qQQ")
_WORD: Final = "I"
_WORD_BYTES: Final = 4


class SegmentFacts(NamedTuple):
    """What is known of a segment without reading it: its records, length in bytes, and times (ns)."""

    first: int
    records: int
    end: int
    first_time: int
    last_time: int

    @property
    def last(self) -> int:
        """The number of its last record; one before `first` where it has none."""
        return self.first + self.records - 1


class _Line:
    """One account's messages in the segment: message `first + i` is in record number `places[i]`."""

    __slots__ = ("first", "places")

    def __init__(self, first: int, places: array[int]) -> None:
        self.first = first
        self.places = places

    @property
    def head(self) -> int:
        return self.first + len(self.places) - 1


class SegmentIndex:
    """The index of the segment whose first record is `first`. `heads` are the lines' heads before it.

    `any_start` takes a line that is not in `heads` from whatever number it begins with: for the oldest
    segment that is kept.
    """

    def __init__(self, first: int, heads: Mapping[int, int] | None = None, *, any_start: bool = False):
        self.first = first
        self.end = len(HEADER)
        self.first_time = 0
        self.last_time = 0
        self._any_start = any_start
        self._offsets = array(_WORD)
        self._lines = {cid: _Line(head + 1, array(_WORD)) for cid, head in (heads or {}).items()}

    def __len__(self) -> int:
        return len(self._offsets)

    @property
    def last(self) -> int:
        """The number of the last record; one before `first` where there is none."""
        return self.first + len(self._offsets) - 1

    @property
    def facts(self) -> SegmentFacts:
        """The segment in short."""
        return SegmentFacts(self.first, len(self._offsets), self.end, self.first_time, self.last_time)

    def add(self, record: Record, size: int) -> None:
        """The next record, which takes `size` bytes. Raises JournalCorrupt where a line has a hole."""
        time = record.input.time
        if not self._offsets:
            self.first_time = time
        self.last_time = time
        place = len(self._offsets)
        self._offsets.append(self.end)
        self.end += size
        lines = self._lines
        for output in record.outputs:
            cid = output.cid
            if cid:
                line = lines.get(cid)
                if line is None:
                    line = lines[cid] = _Line(output.sequence if self._any_start else 1, array(_WORD))
                line.places.append(place)
                if line.head != output.sequence:
                    raise JournalCorrupt(
                        f"record {record.number} gives account {cid} message {output.sequence} after"
                        f" {line.head - 1}",
                        position=self._offsets[-1],
                    )

    def span(self, number: int) -> tuple[int, int]:
        """Where a record begins and ends in the segment."""
        place = number - self.first
        following = self._offsets[place + 1] if place + 1 < len(self._offsets) else self.end
        return self._offsets[place], following

    def record_of(self, cid: int, sequence: int) -> int | None:
        """The number of the record that holds a message of a line, None if none of this segment does."""
        line = self._lines.get(cid)
        if line is None or not line.first <= sequence <= line.head:
            return None
        return self.first + line.places[sequence - line.first]

    def known_first(self, cid: int) -> int | None:
        """The line's first number that is not before this segment, None for a line it does not know."""
        line = self._lines.get(cid)
        return None if line is None else line.first

    def first_of(self, cid: int) -> int:
        """The same, 1 for a line it does not know."""
        return self.known_first(cid) or 1

    def head(self, cid: int) -> int:
        """The line's head at the end of the segment, 0 if it is not known."""
        line = self._lines.get(cid)
        return 0 if line is None else line.head

    def heads(self) -> dict[int, int]:
        """Every line's head at the end of the segment."""
        return {cid: line.head for cid, line in self._lines.items()}

    def know(self, cid: int, head: int) -> None:
        """Say what a line's head was before the segment, where no segment that is kept tells."""
        self._lines.setdefault(cid, _Line(head + 1, array(_WORD)))

    def pack(self) -> bytes:
        """The index as its file."""
        return b"".join(self._pack())

    def _pack(self) -> Iterator[bytes]:
        facts = _FACTS.pack(*self.facts, len(self._lines))
        lines = b"".join(_LINE.pack(cid, line.first, len(line.places)) for cid, line in self._lines.items())
        words = b"".join([self._offsets.tobytes(), *(line.places.tobytes() for line in self._lines.values())])
        body = facts + lines + words
        yield _HEAD.pack(_MAGIC, _FORMAT_VERSION, zlib.crc32(body))
        yield body

    @classmethod
    def unpack(cls, data: bytes) -> SegmentIndex | None:
        """The index that a file holds, None if it is damaged or of another format."""
        facts = read_facts(data)
        if facts is None or zlib.crc32(memoryview(data)[_HEAD.size :]) != _HEAD.unpack_from(data)[2]:
            return None
        index = cls(facts.first)
        index.end, index.first_time, index.last_time = facts.end, facts.first_time, facts.last_time
        lines = _FACTS.unpack_from(data, _HEAD.size)[-1]
        words = memoryview(data)[_HEAD.size + _FACTS.size + lines * _LINE.size :]
        index._offsets.frombytes(words[: facts.records * _WORD_BYTES])
        place = facts.records * _WORD_BYTES
        for number in range(lines):
            cid, first, count = _LINE.unpack_from(data, _HEAD.size + _FACTS.size + number * _LINE.size)
            places = array(_WORD)
            places.frombytes(words[place : place + count * _WORD_BYTES])
            place += count * _WORD_BYTES
            index._lines[cid] = _Line(first, places)
        return index


def read_facts(data: bytes) -> SegmentFacts | None:
    """What the beginning of an index file says, None if it is none. Its checksum is not looked at."""
    if len(data) < FACTS_BYTES:
        return None
    magic, version, _checksum = _HEAD.unpack_from(data)
    if (magic, version) != (_MAGIC, _FORMAT_VERSION):
        return None
    return SegmentFacts(*_FACTS.unpack_from(data, _HEAD.size)[:5])


FACTS_BYTES: Final = _HEAD.size + _FACTS.size
"""How much of an index file `read_facts` needs."""
