"""The journal's files: which segments a folder has, what stands in them, and their indexes.

A segment is `<number of its first record>.journal`, its index `<the same>.index`. Only the last one is
written; the others are complete, and damage in one is never a torn tail.
"""

from __future__ import annotations

import contextlib
import logging
import mmap
import os
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from ledgerx.errors import JournalCorrupt, JournalWriteFailed
from ledgerx.exchange.journal_pb2 import Record
from ledgerx.exchange.journal_scan import PREFIX, Scan, scan_journal
from ledgerx.exchange.segment_index import FACTS_BYTES, SegmentFacts, SegmentIndex, read_facts

__all__ = [
    "OpenSegments",
    "index_path",
    "index_segment",
    "journal_folder",
    "list_segments",
    "load_facts",
    "segment_path",
    "store_index",
]

_LOGGER = logging.getLogger(__name__)

_OPEN_MAX: Final = 8


def journal_folder(data_folder: Path) -> Path:
    """Where a data folder has its journal."""
    return data_folder / "journal"


def segment_path(folder: Path, first: int) -> Path:
    """The file of the segment that begins with record `first`."""
    return folder / f"{first:020d}.journal"


def index_path(folder: Path, first: int) -> Path:
    """The file of that segment's index."""
    return folder / f"{first:020d}.index"


def list_segments(folder: Path) -> list[int]:
    """The first records of the segments in a folder, in order. Raises JournalCorrupt for a strange name."""
    found = []
    for path in folder.glob("*.journal"):
        if len(path.stem) != 20 or not path.stem.isdecimal() or not int(path.stem):
            raise JournalCorrupt(f"{path} is not named after a record: take it out of the folder", position=0)
        found.append(int(path.stem))
    return sorted(found)


def index_segment(
    path: Path, first: int, heads: Mapping[int, int], *, any_start: bool = False
) -> tuple[Scan, SegmentIndex]:
    """Check every record of a segment and index it. Raises JournalCorrupt naming the file."""
    index = SegmentIndex(first, heads, any_start=any_start)
    try:
        with path.open("rb") as file:
            if not os.fstat(file.fileno()).st_size:
                return scan_journal(memoryview(b""), first), index
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped, memoryview(mapped) as data:
                scan = scan_journal(data, first)
                ends = [*scan.offsets[1:], scan.end] if scan.offsets else []
                for start, end in zip(scan.offsets, ends, strict=True):
                    index.add(Record.FromString(bytes(data[start + PREFIX.size : end])), end - start)
    except JournalCorrupt as error:
        raise JournalCorrupt(f"{path}: {error}", position=error.position) from error
    except OSError as error:
        raise JournalCorrupt(f"{path} cannot be read: {error.strerror or error}", position=0) from error
    return scan, index


def store_index(folder: Path, index: SegmentIndex) -> None:
    """Write an index beside its segment, whole or not at all. Raises JournalWriteFailed."""
    path = index_path(folder, index.first)
    scratch = path.with_suffix(".index.new")
    try:
        scratch.write_bytes(index.pack())
        scratch.chmod(0o600)
        scratch.replace(path)
    except OSError as error:
        raise JournalWriteFailed(f"{path}: {error}") from error


def load_facts(folder: Path, first: int) -> SegmentFacts | None:
    """What a complete segment's index says of it; None unless it is about the segment that is there."""
    try:
        with index_path(folder, first).open("rb") as file:
            facts = read_facts(file.read(FACTS_BYTES))
        length = segment_path(folder, first).stat().st_size
    except OSError:
        return None
    return facts if facts is not None and (facts.first, facts.end) == (first, length) else None


class OpenSegments:
    """The complete segments that were read last, a few of them: their files and indexes."""

    def __init__(self, folder: Path, *, open_max: int = _OPEN_MAX) -> None:
        self._folder = folder
        self._open_max = open_max
        self._open: OrderedDict[int, tuple[int, SegmentIndex]] = OrderedDict()

    def get(self, first: int) -> tuple[int, SegmentIndex]:
        """The segment's file descriptor and index. Raises JournalCorrupt."""
        found = self._open.get(first)
        if found is not None:
            self._open.move_to_end(first)
            return found
        index = self._index(first)
        try:
            fd = os.open(segment_path(self._folder, first), os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise JournalCorrupt(f"{segment_path(self._folder, first)}: {error}", position=0) from error
        self._open[first] = fd, index
        if len(self._open) > self._open_max:
            self.drop(next(iter(self._open)))
        return fd, index

    def drop(self, first: int) -> None:
        """Close a segment, if it is open."""
        found = self._open.pop(first, None)
        if found is not None:
            os.close(found[0])

    def close(self) -> None:
        """Close them all."""
        for first in list(self._open):
            self.drop(first)

    def _index(self, first: int) -> SegmentIndex:
        with contextlib.suppress(OSError):
            index = SegmentIndex.unpack(index_path(self._folder, first).read_bytes())
            if index is not None and index.first == first:
                return index
        _LOGGER.warning("%s is missing or damaged and is made again", index_path(self._folder, first))
        before = [number for number in list_segments(self._folder) if number < first]
        heads = self.get(before[-1])[1].heads() if before else {}
        path = segment_path(self._folder, first)
        _scan, index = index_segment(path, first, heads, any_start=not before)
        store_index(self._folder, index)
        return index
