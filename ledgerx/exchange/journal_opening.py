"""Opens a journal's folder: which segments follow one another, what is torn, what is damaged.

The last segment is the one that is written. What is torn at its end is cut by `Opened.settle`, once
released.py has looked at it. All before it are complete: each must end where the next begins.
"""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from ledgerx.errors import JournalCorrupt, JournalWriteFailed
from ledgerx.exchange.disk import Fsync, sync_folder
from ledgerx.exchange.journal_scan import HEADER
from ledgerx.exchange.segment_index import SegmentFacts, SegmentIndex
from ledgerx.exchange.segments import (
    OpenSegments,
    index_segment,
    list_segments,
    load_facts,
    segment_path,
    store_index,
)

__all__ = ["Opened", "make_segment", "open_segments"]

_LOGGER = logging.getLogger(__name__)


@dataclass(slots=True)
class Opened:
    """The complete segments, and the last one: its file, its index, where its records end, what follows."""

    complete: list[SegmentFacts]
    index: SegmentIndex
    fd: int
    end: int  # 0 where even the header is torn
    cut_bytes: int

    def settle(self, folder: Path, fsync: Fsync) -> None:
        """Cut what is torn, give a new file its header; all of it on the disk. Raises JournalWriteFailed."""
        path = segment_path(folder, self.index.first)
        try:
            if self.cut_bytes:
                _LOGGER.warning("%s: %d torn bytes after byte %d are cut", path, self.cut_bytes, self.end)
                os.ftruncate(self.fd, self.end)
            if not self.end:
                _write_header(self.fd)
            fsync(self.fd)
            sync_folder(folder, fsync)
            sync_folder(folder.parent, fsync)  # the folder may be new itself
        except OSError as error:
            raise JournalWriteFailed(f"{path}: {error}") from error


def make_segment(folder: Path, first: int, fsync: Fsync) -> int:
    """A new segment, on the disk: its file descriptor. Raises OSError."""
    flags = os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC
    fd = os.open(segment_path(folder, first), flags, 0o600)
    try:
        _write_header(fd)
        fsync(fd)
        sync_folder(folder, fsync)
    except BaseException:
        os.close(fd)
        raise
    return fd


def open_segments(folder: Path, verified: int) -> Opened:
    """Look at every segment; those that end before record `verified` are taken on their index's word.

    Raises JournalCorrupt, with the position, and JournalWriteFailed where the folder cannot be used.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise JournalWriteFailed(f"{folder} cannot be made: {error}") from error
    firsts = list_segments(folder) or [1]
    complete: list[SegmentFacts] = []
    heads: dict[int, int] = {}
    reader = OpenSegments(folder)
    try:
        for first, following in pairwise(firsts):
            facts = load_facts(folder, first) if following - 1 <= verified else None
            if facts is None:
                facts = _complete_segment(folder, first, _heads_before(reader, complete))
            if facts.last + 1 != following:
                raise JournalCorrupt(
                    f"{segment_path(folder, first)} ends with record {facts.last}, and the next file begins"
                    f" with {following}: a file is missing or damaged; restore it from a copy",
                    position=facts.end,
                )
            complete.append(facts)
        heads = _heads_before(reader, complete)
    finally:
        reader.close()
    return _last_segment(folder, firsts[-1], heads, complete)


def _heads_before(reader: OpenSegments, complete: list[SegmentFacts]) -> dict[int, int]:
    return reader.get(complete[-1].first)[1].heads() if complete else {}


def _complete_segment(folder: Path, first: int, heads: dict[int, int]) -> SegmentFacts:
    """Check a complete segment; its index is written if it is not there as it should be."""
    path = segment_path(folder, first)
    scan, index = index_segment(path, first, heads, any_start=first > 1 and not heads)
    if scan.torn:
        raise JournalCorrupt(
            f"{path}: the bytes from {scan.end} on are no record, and another file follows: this is no torn"
            " tail; restore the file from a copy",
            position=scan.end,
        )
    if load_facts(folder, first) != index.facts:
        store_index(folder, index)
    return index.facts


def _last_segment(folder: Path, first: int, heads: dict[int, int], complete: list[SegmentFacts]) -> Opened:
    path = segment_path(folder, first)
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise JournalWriteFailed(f"{path}: {error}") from error
    try:
        scan, index = index_segment(path, first, heads, any_start=first > 1 and not complete)
    except BaseException:
        os.close(fd)
        raise
    return Opened(complete, index, fd, scan.end, scan.size - scan.end)


def _write_header(fd: int) -> None:
    if os.write(fd, HEADER) != len(HEADER):
        raise OSError("the header could not be written: is the disk full?")
