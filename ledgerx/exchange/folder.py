"""The venue's data folder D: its lock, its key, its files, and the note that says where the venue listens.

* `D/lock`: held by the one process that uses the folder, whose id stands in it.
* `D/venue.key`: the venue's CURVE certificate, 0600.
* `D/venue.json`: where the venue listens (VenueNote); kept after it stopped, for its ports.
* `D/journal/`: see journal.py.
* `D/accounts.sqlite`: a projection of the journal, see accounts.py.
* `D/credentials.sqlite`, `D/streaming.crt`, `D/streaming.key`: of the streaming front, see streaming/.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from ledgerx.errors import DataFolderLocked, DataFolderUnusable
from ledgerx.protocol.crypto import KeyPair

__all__ = ["DataFolder", "VenueNote", "accounts_path", "load_key_pair", "lock_holder", "read_note"]


@dataclass(frozen=True, slots=True)
class VenueNote:
    """Where a venue listens. `pid` and `control_port` are None while none runs."""

    host: str
    request_port: int
    publish_port: int
    http_port: int | None
    public_key: str
    pid: int | None = None
    control_port: int | None = None
    streaming_port: int | None = None


def accounts_path(folder: Path) -> Path:
    """The accounts' projection."""
    return folder / "accounts.sqlite"


def read_note(folder: Path) -> VenueNote | None:
    """What D/venue.json says, or None where there is none that can be read."""
    try:
        values = json.loads((folder / "venue.json").read_text(encoding="utf-8"))
        return VenueNote(**{field.name: values[field.name] for field in fields(VenueNote)})
    except (OSError, ValueError, TypeError, KeyError):
        return None


def load_key_pair(folder: Path) -> KeyPair:
    """The venue's key pair. Raises CertificateFileError, InvalidCertificate."""
    return KeyPair.load_certificate(folder / "venue.key")


def lock_holder(folder: Path) -> int | None:
    """The id of the process that took the folder's lock last."""
    try:
        return int((folder / "lock").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


class DataFolder:
    """A data folder whose lock this process holds, made (0700) if it is new. Use `DataFolder.acquire`."""

    def __init__(self, path: Path, lock_fd: int) -> None:
        self.path = path
        self._lock_fd = lock_fd

    @classmethod
    def acquire(cls, path: Path) -> DataFolder:
        """Take the folder's lock, without waiting.

        Raises DataFolderLocked, which names the folder and the process that has it, and
        DataFolderUnusable where the folder cannot be made or written.
        """
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            fd = os.open(path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except (FileExistsError, NotADirectoryError) as error:
            raise DataFolderUnusable(
                f"cannot use data folder {path}: a file is in the way: name a folder, new or used before"
            ) from error
        except OSError as error:
            raise DataFolderUnusable(
                f"cannot use data folder {path}: {error.strerror or error}: name a folder that can be written"
            ) from error
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(fd, 32, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(fd)
            raise DataFolderLocked(
                f"data folder {path} is in use by process {holder}: stop that venue or use another folder"
            ) from error
        try:
            os.ftruncate(fd, 0)
            os.pwrite(fd, b"%d\n" % os.getpid(), 0)
        except OSError as error:
            os.close(fd)
            raise DataFolderUnusable(f"cannot write to data folder {path}: {error.strerror}") from error
        return cls(path, fd)

    def key_pair(self) -> KeyPair:
        """The venue's key pair, made at first. Raises CertificateFileError, InvalidCertificate."""
        if not (self.path / "venue.key").exists():
            return KeyPair.generate().save_certificate(self.path / "venue.key")
        return load_key_pair(self.path)

    def write_note(self, note: VenueNote) -> None:
        """Replace D/venue.json, whole or not at all. Raises DataFolderUnusable where the disk refuses."""
        scratch = self.path / "venue.json.new"
        try:
            scratch.write_text(json.dumps(asdict(note), indent=1) + "\n", encoding="utf-8")
            scratch.replace(self.path / "venue.json")
        except OSError as error:
            raise DataFolderUnusable(f"{scratch} cannot be written: {error.strerror or error}") from error

    def release(self) -> None:
        """Give the lock up. May be called again."""
        fd, self._lock_fd = self._lock_fd, -1
        if fd >= 0:
            with contextlib.suppress(OSError):
                # Explicitly, since a forked child may still have the file open.
                fcntl.flock(fd, fcntl.LOCK_UN)
            os.close(fd)
