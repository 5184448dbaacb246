"""A client's durable store in a process that may die before or after each of its writes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from ledgerx.sdk.records import Progress, Row, Unsaved
from ledgerx.sdk.request_file import RequestFile
from ledgerx.sdk.store import MessageIDStore

__all__ = ["MortalStore", "ProcessCrash"]


class ProcessCrash(BaseException):
    """The process is gone: no handler of its own catches that."""


class _MortalFile(RequestFile):
    """The file, with a chance to die on both sides of each write."""

    chance: Callable[[], None]

    def insert(self, rows: Sequence[Row], wall_ns: int) -> bool:
        self.chance()
        stored = super().insert(rows, wall_ns)
        self.chance()
        return stored

    def save(self, unsaved: Unsaved, wall_ns: int) -> bool:
        self.chance()
        stored = super().save(unsaved, wall_ns)
        self.chance()
        return stored

    def commit(self, progress: Progress) -> list[Row]:
        self.chance()
        rows = super().commit(progress)
        self.chance()
        return rows


class MortalStore(MessageIDStore):
    """A MessageIDStore; `chance` is called around each write and raises ProcessCrash where one comes."""

    def __init__(self, path: Path, chance: Callable[[], None]) -> None:
        self._chance = chance
        super().__init__(path)

    def _open(self, path: Path) -> None:
        super()._open(path)
        assert self._file is not None
        self._file.__class__ = _MortalFile
        self._file.chance = self._chance  # type: ignore[attr-defined]

    def kill(self) -> None:
        """The process is gone: what was not committed is not in the file."""
        self.release(clean=False)
