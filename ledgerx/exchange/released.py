"""The marker of what was released: how far the journal reached when something was last sent.

A venue that restarts must know whether it may go on counting where the journal ends. It may not when
something it told a client is missing from the journal: the same sequence numbers would be given to
other messages, and a client that counts on would never notice. Such a venue takes a new `venue_id`,
on which every client starts over.

A damaged tail alone does not say so. When the process is killed in the middle of a write, the record is
torn, but nothing of it was sent, because sending waits for the write to return. When the machine goes
down, whole pages that were written and never reached the disk are missing, and what they held may have
been sent. The two look alike in the file. The marker tells them apart: it holds the journal's end at
the last release, and the machine's boot id.

* The journal ends before the marker's end: something that was released is gone. New venue_id.
* Same boot: the page cache survived the process, the journal has every write that returned.
* Another boot, and the last venue wrote with `sync="process"` and did not close in order: what it sent
  last may never have reached the disk, even where the file happens to end between two records. New
  venue_id. With `sync="power"` each group was on the disk before it was sent, so the end decides alone.
* No marker, or a boot that cannot be told: a torn tail cannot be judged, so it counts as a loss.

A renewal that is due is kept in the marker until a run has begun under the new venue_id, so that an
`account add` in between does not forget it.
"""

from __future__ import annotations

import os
import struct
import zlib
from dataclasses import dataclass
from enum import IntFlag
from pathlib import Path

from ledgerx.errors import JournalWriteFailed
from ledgerx.exchange.disk import Fsync

__all__ = ["Mark", "MarkFlags", "Marker", "current_boot_id", "read_mark", "renewal_is_due"]

_BODY = struct.Struct("<QB36sQ")
_OLD_BODY = struct.Struct("<QB36s")  # written by builds whose journals had one segment
_CHECKSUM = struct.Struct("<I")
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class MarkFlags(IntFlag):
    """What else the marker remembers."""

    NONE = 0
    CLOSED = 1  # the journal was closed in order, all of it on the disk
    POWER = 2  # each group was on the disk before it was released
    RENEWAL_DUE = 4  # a released record was lost; no run has begun under a new venue_id yet


@dataclass(frozen=True, slots=True)
class Mark:
    """What the marker file says: the journal's end at the last release, flags, boot id.

    `end` is in bytes, in the segment whose first record is `segment`.
    """

    end: int
    flags: MarkFlags
    boot_id: str
    segment: int = 1


def current_boot_id() -> str:
    """The running kernel's boot id, or "" where there is none to read."""
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return ""


def renewal_is_due(mark: Mark | None, *, segment: int = 1, end: int, torn: bool, boot_id: str) -> bool:
    """Whether something that was released may be missing from a journal.

    `end`: where its last whole record ends, in which `segment`. `torn`: bytes after that were cut.
    `boot_id`: of the running kernel. The module says why.
    """
    if mark is None:
        return torn
    if MarkFlags.RENEWAL_DUE in mark.flags or (segment, end) < (mark.segment, mark.end):
        return True
    if mark.flags & (MarkFlags.CLOSED | MarkFlags.POWER):
        return False
    if not mark.boot_id or not boot_id:
        return torn
    return mark.boot_id != boot_id


def read_mark(path: Path) -> Mark | None:
    """The mark of a file that another process may be writing, None where it cannot be read."""
    try:
        return _mark_of(path.read_bytes())
    except OSError:
        return None


def _mark_of(raw: bytes) -> Mark | None:
    body, checksum = raw[: -_CHECKSUM.size], raw[-_CHECKSUM.size :]
    if len(body) not in (_BODY.size, _OLD_BODY.size) or checksum != _CHECKSUM.pack(zlib.crc32(body)):
        return None
    end, flags, boot_id, *segment = (_BODY if len(body) == _BODY.size else _OLD_BODY).unpack(body)
    return Mark(end, MarkFlags(flags), boot_id.rstrip(b"\0").decode("ascii", "replace"), *segment)


class Marker:
    """The file that holds the mark, written in place. Raises JournalWriteFailed where the disk refuses."""

    def __init__(self, path: Path, *, fsync: Fsync = os.fsync) -> None:
        self._fsync = fsync
        try:
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise JournalWriteFailed(f"{path}: {error}") from error
        self._path = path

    def load(self) -> Mark | None:
        """The mark, or None where the file is new or cannot be read."""
        return _mark_of(os.pread(self._fd, _BODY.size + _CHECKSUM.size, 0))

    def store(self, mark: Mark, *, durable: bool = False) -> None:
        """Write the mark; `durable` waits until it is on the disk."""
        body = _BODY.pack(mark.end, mark.flags, mark.boot_id.encode("ascii", "replace"), mark.segment)
        try:
            os.pwrite(self._fd, body + _CHECKSUM.pack(zlib.crc32(body)), 0)
            if durable:
                self._fsync(self._fd)
        except OSError as error:
            raise JournalWriteFailed(f"{self._path}: {error}") from error

    def close(self) -> None:
        """Close the file. May be called again."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)
