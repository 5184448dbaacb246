"""What "on the disk" means here: the one function that says so, and what is built from it.

Everything of a venue that must outlive the machine's power goes through an `Fsync`, `os.fsync` unless a
test gives another: one that counts, or one that fails.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

__all__ = ["Fsync", "sync_folder", "write_durably"]

Fsync: TypeAlias = Callable[[int], None]
"""Returns once what was written to a file descriptor is on the disk. Raises OSError."""


def sync_folder(path: Path, fsync: Fsync = os.fsync) -> None:
    """Put a folder's names on the disk. Raises OSError."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fsync(fd)
    finally:
        os.close(fd)


def write_durably(path: Path, data: bytes, fsync: Fsync = os.fsync) -> None:
    """Write a file, whole or not at all, and put it on the disk with its name. Raises OSError.

    Until it is whole it is called `<name>.<process id>.new`.
    """
    scratch = path.with_name(f"{path.name}.{os.getpid()}.new")
    fd = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        left = memoryview(data)
        while left:
            left = left[os.write(fd, left) :]
        fsync(fd)
    finally:
        os.close(fd)
    scratch.replace(path)
    sync_folder(path.parent, fsync)
