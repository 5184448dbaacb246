"""What a crash leaves of a folder: the files as they were before a write, or with a part of it.

The files are real ones, best on a memory disk (`scratch_folder`); nothing in what writes them is replaced.
`mark` remembers the folder before the writes that a crash shall hit, and `tear` or `cut_power` undo them in
part once the writer is dead, as a disk may: of a file that grew any first part of the growth is there, one
that was overwritten or made is as it was or as it is.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

__all__ = ["SimulatedDisk", "scratch_folder"]

_MEMORY_DISK = Path("/dev/shm")  # noqa: S108 (a folder of one's own is made in it)


def scratch_folder(prefix: str = "ledgerx-") -> Path:
    """A new folder, in memory where the system has a place for that. The caller removes it."""
    place = str(_MEMORY_DISK) if _MEMORY_DISK.is_dir() else None
    return Path(tempfile.mkdtemp(prefix=prefix, dir=place))


class SimulatedDisk:
    """A folder that a crash may tear.

    `appended` says which files are only ever appended to: of those the length is remembered, of all
    others the bytes. `ignored` files are left alone.
    """

    def __init__(
        self,
        folder: Path,
        *,
        appended: tuple[str, ...] = ("*.journal",),
        ignored: tuple[str, ...] = ("lock", "*.sqlite*"),
    ) -> None:
        self.folder = folder
        self._appended = appended
        self._ignored = ignored
        self._lengths: dict[Path, int] = {}
        self._contents: dict[Path, bytes] = {}

    def mark(self) -> None:
        """Remember the folder as it is."""
        self._lengths, self._contents = {}, {}
        for path in self._files():
            if self._matches(path, self._appended):
                self._lengths[path] = path.stat().st_size
            else:
                self._contents[path] = path.read_bytes()

    def growth(self) -> int:
        """By how many bytes the appended files grew since `mark`."""
        sizes = (path.stat().st_size - length for path, length in self._lengths.items() if path.exists())
        return sum(max(0, size) for size in sizes)

    def tear(self, random: Callable[[], float]) -> int:
        """The crash came in the middle of the appending write; how many bytes of the growth are gone.

        What was to be written after that was not: every other file is as it was.
        """
        gone = 0
        for path, length in self._lengths.items():
            size = path.stat().st_size
            if size > length:
                left = length + int(random() * (size - length))
                with path.open("r+b") as file:
                    file.truncate(left)
                gone += size - left
        self._put_back(lambda: True)
        return gone

    def cut_power(self, random: Callable[[], float]) -> None:
        """The appended files had reached the disk, and of what was only overwritten some did not."""
        self._put_back(lambda: random() < 0.5, keep_new=True)

    def _put_back(self, chosen: Callable[[], bool], *, keep_new: bool = False) -> None:
        for path in self._files():
            made = path not in self._lengths and path not in self._contents
            if path in self._lengths or (made and keep_new and self._matches(path, self._appended)):
                continue
            if not chosen():
                continue
            if path not in self._contents:
                path.unlink()
            elif path.read_bytes() != self._contents[path]:
                path.write_bytes(self._contents[path])

    def remove(self) -> None:
        """Remove the folder with all it holds."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _files(self) -> list[Path]:
        files = sorted(path for path in self.folder.rglob("*") if path.is_file())
        return [path for path in files if not self._matches(path, self._ignored)]

    @staticmethod
    def _matches(path: Path, patterns: tuple[str, ...]) -> bool:
        return any(path.match(pattern) for pattern in patterns)
