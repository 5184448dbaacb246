"""The journal's file format, and the scan that finds where a file's valid records are.

A file is a header (8 bytes of magic, a u32 format version, all numbers little-endian) and records:
a u32 length, a u32 CRC-32 of the payload, the payload: a serialised `journal_pb2.Record`.

The scan checks every checksum and that the numbers have no holes. Bytes that are no record are a torn
tail when no valid record follows, and damage when one does.
"""

from __future__ import annotations

import struct
import zlib
from array import array
from dataclasses import dataclass

from ledgerx.errors import JournalCorrupt

__all__ = [
    "FORMAT_VERSION",
    "HEADER",
    "PREFIX",
    "Scan",
    "check_header",
    "pack_record",
    "record_end",
    "scan_journal",
    "valid_record_after",
]

FORMAT_VERSION = 1
_MAGIC = b"ledgerxJ"
HEADER = _MAGIC + struct.pack("<I", FORMAT_VERSION)
PREFIX = struct.Struct("<II")

_NUMBER_TAG = 0x08  # protobuf field 1, varint: every Record begins with its number
_NUMBER_BYTES_MAX = 10


@dataclass(frozen=True, slots=True)
class Scan:
    """What a file holds: each record's offset, where the last ends, and the file's size in bytes."""

    offsets: array[int]
    end: int
    size: int

    @property
    def torn(self) -> bool:
        """Whether bytes follow the last record."""
        return self.size > self.end


def pack_record(payload: bytes) -> bytes:
    """One record as the file holds it."""
    return PREFIX.pack(len(payload), zlib.crc32(payload)) + payload


def scan_journal(data: memoryview, first_number: int) -> Scan:
    """Find the records in a file's bytes.

    Raises JournalCorrupt, with the position, for a header of another kind, for a record with valid ones
    after it, and for numbers that do not count on from `first_number`.
    """
    offsets = array("Q")
    if not check_header(data):
        return Scan(offsets, 0, len(data))
    position, number = len(HEADER), first_number
    while (end := record_end(data, position)) is not None:
        found = _number_at(data, position + PREFIX.size)
        if found != number:
            raise JournalCorrupt(
                f"the record at byte {position} is number {found} where {number} belongs", position=position
            )
        offsets.append(position)
        position, number = end, number + 1
    following = valid_record_after(data, position + 1, number)
    if following is not None:
        raise JournalCorrupt(
            f"record {number}, at byte {position}, is damaged, and a valid record follows at byte"
            f" {following}: this is no torn tail; restore the file from a copy",
            position=position,
        )
    return Scan(offsets, position, len(data))


def check_header(data: memoryview) -> bool:
    """Whether the header is whole. A torn one (shorter, or zeros) belongs to a file that was being made."""
    head = bytes(data[: len(HEADER)])
    if head == HEADER:
        return True
    if len(data) <= len(HEADER) and (HEADER.startswith(head) or not any(head)):
        return False
    if not any(data):
        return False
    if head.startswith(_MAGIC):
        raise JournalCorrupt(
            f"the journal has format {int.from_bytes(head[len(_MAGIC) :], 'little')}, this build reads"
            f" {FORMAT_VERSION}",
            position=len(_MAGIC),
        )
    raise JournalCorrupt("this file is no journal: its first bytes are others", position=0)


def record_end(data: memoryview, position: int) -> int | None:
    """Where the record at `position` ends, or None where no valid one stands."""
    start = position + PREFIX.size
    if start > len(data):
        return None
    length, checksum = PREFIX.unpack_from(data, position)
    end = start + length
    if not length or end > len(data) or data[start] != _NUMBER_TAG:
        return None
    return end if zlib.crc32(data[start:end]) == checksum else None


def _number_at(data: memoryview, position: int) -> int:
    """The record number at the head of a payload."""
    number = 0
    for index, byte in enumerate(data[position + 1 : position + 1 + _NUMBER_BYTES_MAX]):
        number |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            break
    return number


def valid_record_after(data: memoryview, position: int, number: int) -> int | None:
    """The position of the next valid record of a number from `number` on, or None."""
    rest = bytes(data[position:])
    tag = rest.find(_NUMBER_TAG, PREFIX.size)
    while tag >= 0:
        start = position + tag - PREFIX.size
        if record_end(data, start) is not None and _number_at(data, position + tag) >= number:
            return start
        tag = rest.find(_NUMBER_TAG, tag + 1)
    return None
