"""Snapshot files: `DATA/snapshots/<number of the last record executed>.snapshot`, the newest two.

All numbers are little-endian:

    8  magic "ledgerxS"   u32 format version   u32 CRC-32 of the payload   u64 the payload's length
    the payload: a serialised Snapshot of snapshot.proto

A file is written under another name, put on the disk and renamed. One that is damaged, of another format,
or of another journal is passed over with a line in the log, and the one before it serves.
"""

from __future__ import annotations

import logging
import os
import struct
import zlib
from pathlib import Path
from typing import Final

from google.protobuf.message import DecodeError

from ledgerx.clob import Book
from ledgerx.errors import SnapshotUnusable
from ledgerx.exchange.disk import Fsync, sync_folder, write_durably
from ledgerx.exchange.engine import Engine
from ledgerx.exchange.journal_scan import PREFIX
from ledgerx.exchange.segments import journal_folder, segment_path
from ledgerx.exchange.snapshot_pb2 import Position, Snapshot
from ledgerx.exchange.state import BookFactory

__all__ = [
    "SNAPSHOTS_KEPT",
    "list_snapshots",
    "load_snapshot",
    "restore_newest",
    "snapshot_folder",
    "snapshot_path",
    "store_snapshot",
]

_LOGGER = logging.getLogger(__name__)

SNAPSHOTS_KEPT: Final = 2

_HEAD = struct.Struct("<8sIIQ")
_MAGIC: Final = b"ledgerxS"
_FORMAT_VERSION: Final = 1


def snapshot_folder(data_folder: Path) -> Path:
    """Where a data folder has its snapshots."""
    return data_folder / "snapshots"


def snapshot_path(data_folder: Path, number: int) -> Path:
    """The file of the snapshot after record `number`."""
    return snapshot_folder(data_folder) / f"{number:020d}.snapshot"


def list_snapshots(data_folder: Path) -> list[int]:
    """After which records there are snapshots, in order."""
    names = [path.stem for path in snapshot_folder(data_folder).glob("*.snapshot")]
    return sorted(int(name) for name in names if len(name) == 20 and name.isdecimal())


def store_snapshot(data_folder: Path, snapshot: Snapshot, *, fsync: Fsync = os.fsync) -> int:
    """Write a snapshot and delete all but the newest two; its length in bytes. Raises OSError."""
    payload = snapshot.SerializeToString(deterministic=True)
    head = _HEAD.pack(_MAGIC, _FORMAT_VERSION, zlib.crc32(payload), len(payload))
    snapshot_folder(data_folder).mkdir(mode=0o700, exist_ok=True)
    write_durably(snapshot_path(data_folder, snapshot.position.number), head + payload, fsync)
    sync_folder(data_folder, fsync)  # the folder may be new itself
    for number in list_snapshots(data_folder)[:-SNAPSHOTS_KEPT]:
        snapshot_path(data_folder, number).unlink(missing_ok=True)
    return len(head) + len(payload)


def load_snapshot(path: Path) -> Snapshot:
    """The snapshot in a file. Raises SnapshotUnusable, which says why."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SnapshotUnusable(f"{path} cannot be read: {error.strerror or error}") from error
    if len(data) < _HEAD.size or not data.startswith(_MAGIC):
        raise SnapshotUnusable(f"{path} is no snapshot: its first bytes are others")
    _magic, version, checksum, length = _HEAD.unpack_from(data)
    if version != _FORMAT_VERSION:
        raise SnapshotUnusable(f"{path} has format {version}, this build reads {_FORMAT_VERSION}")
    payload = data[_HEAD.size :]
    if len(payload) != length or zlib.crc32(payload) != checksum:
        raise SnapshotUnusable(f"{path} is damaged: its checksum is wrong")
    try:
        return Snapshot.FromString(payload)
    except DecodeError as error:
        raise SnapshotUnusable(f"{path} does not parse: {error}") from error


def restore_newest(
    data_folder: Path, book_factory: BookFactory = Book, *, oldest: bool = False
) -> tuple[Engine, Position] | None:
    """An engine of the newest (or oldest) snapshot that can be used, and the record it was taken after."""
    numbers = list_snapshots(data_folder)
    for number in numbers if oldest else reversed(numbers):
        path = snapshot_path(data_folder, number)
        try:
            snapshot = load_snapshot(path)
            _check_position(data_folder, path, snapshot.position)
            return _restore(path, snapshot, book_factory), snapshot.position
        except SnapshotUnusable as error:
            _LOGGER.warning("a snapshot is passed over: %s", error)
    return None


def _check_position(data_folder: Path, path: Path, position: Position) -> None:
    """Raises SnapshotUnusable unless the journal has the snapshot's record where the snapshot says."""
    segment = segment_path(journal_folder(data_folder), position.segment)
    try:
        with segment.open("rb") as file:
            file.seek(position.start)
            raw = file.read(position.end - position.start)
    except OSError as error:
        raise SnapshotUnusable(f"{path} is of another journal: there is no {segment}") from error
    payload = raw[PREFIX.size :]
    if (
        not payload
        or PREFIX.unpack_from(raw) != (len(payload), position.checksum)
        or zlib.crc32(payload) != position.checksum
    ):
        raise SnapshotUnusable(
            f"{path} is of another journal: record {position.number} is not at byte {position.start}"
            f" of {segment}"
        )


def _restore(path: Path, snapshot: Snapshot, book_factory: BookFactory) -> Engine:
    try:
        return Engine.restored(snapshot, book_factory)
    except Exception as error:
        # The checksum was right: another build's idea of a state. What it lacks, the journal has.
        raise SnapshotUnusable(f"{path} does not fit together: {error}") from error
