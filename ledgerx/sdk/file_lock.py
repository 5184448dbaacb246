"""The lock beside a store's file, and what a forked child may not keep of either."""

from __future__ import annotations

import contextlib
import fcntl
import os
import weakref
from pathlib import Path
from typing import Any

from ledgerx.errors import StoreLocked, StoreUnusable

__all__ = ["FileLock"]


class FileLock:
    """`PATH-lock`, held from the making to `release`. Raises StoreLocked, StoreUnusable."""

    def __init__(self, path: Path) -> None:
        self._fd = -1
        name = f"{path}-lock"
        try:
            fd = os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            what = error.strerror or error
            text = f"cannot use store {path}: {what}: name a file in a folder that can be written"
            raise StoreUnusable(text, path=str(path)) from error
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(fd, 32, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(fd)
            text = f"store {path} is in use by process {holder}: one Context uses a file at a time"
            raise StoreLocked(text, path=str(path)) from error
        self._fd = fd
        with contextlib.suppress(OSError):  # a full disk: the number is for people only
            os.ftruncate(fd, 0)
            os.pwrite(fd, b"%d\n" % os.getpid(), 0)
        _HELD.add(self)

    @property
    def held(self) -> bool:
        """Whether this process has it."""
        return self._fd >= 0

    def release(self) -> None:
        """Give it up. May be called again."""
        fd, self._fd = self._fd, -1
        _HELD.discard(self)
        if fd >= 0:
            with contextlib.suppress(OSError):
                fcntl.flock(fd, fcntl.LOCK_UN)
            os.close(fd)

    def keep_from_children(self, connection: Any) -> None:
        """A forked child must neither use nor close this."""
        _PARENTS[id(self)] = connection

    def let_children_have(self, connection: Any) -> None:
        """It is about to be closed."""
        _PARENTS.pop(id(self), None)

    def _forked(self) -> None:
        """In a child: the lock stays with the parent, whose end must end it."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)


_HELD: weakref.WeakSet[FileLock] = weakref.WeakSet()
_PARENTS: dict[int, Any] = {}  # in a child what is in here is never closed


def _forked() -> None:
    for lock in list(_HELD):
        lock._forked()


os.register_at_fork(after_in_child=_forked)
