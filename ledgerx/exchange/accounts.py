"""The accounts as other programs see them: an SQLite projection of the journal, and its rows.

The journal decides; this file repeats what it says, so that `pyledgerx account list` need not take the
folder's lock and re-execute a journal while a venue runs. It is compared when the folder is opened and
rebuilt where it differs.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from ledgerx.errors import DataFolderUnusable

__all__ = ["AccountRow", "AccountsProjection", "list_accounts"]

_BUSY_TIMEOUT_S = 5.0
_SCHEMA = """
CREATE TABLE IF NOT EXISTS accounts (
    cid INTEGER PRIMARY KEY, mpid INTEGER NOT NULL, name TEXT NOT NULL, public_key TEXT NOT NULL,
    active INTEGER NOT NULL
)
"""


class AccountRow(NamedTuple):
    """One account. `public_key` is Z85; a removed account stays listed with `active` False."""

    cid: int
    mpid: int
    name: str
    public_key: str
    active: bool


def list_accounts(path: Path) -> list[AccountRow]:
    """The rows of a projection, by cid, without the folder's lock. Empty where there is no file.

    Raises DataFolderUnusable where the file cannot be read.
    """
    if not path.exists():
        return []
    try:
        uri = f"{path.absolute().as_uri()}?mode=ro"
        with contextlib.closing(sqlite3.connect(uri, uri=True, timeout=_BUSY_TIMEOUT_S)) as database:
            return _select(database)
    except sqlite3.Error as error:
        raise DataFolderUnusable(f"{path} cannot be read: {error}") from error


class AccountsProjection:
    """The projection as the venue keeps it. Raises DataFolderUnusable where the disk refuses."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def update(self, accounts: Iterable[AccountRow]) -> bool:
        """Make the file say what the journal says; whether it did not."""
        wanted = sorted(accounts)
        try:
            return self._replace(wanted)
        except sqlite3.DatabaseError:
            # Damaged, or no database at all: nothing in it is needed.
            self._discard()
        try:
            return self._replace(wanted)
        except sqlite3.Error as error:
            raise DataFolderUnusable(f"{self._path} cannot be written: {error}") from error

    def _replace(self, wanted: list[AccountRow]) -> bool:
        with contextlib.closing(sqlite3.connect(self._path, timeout=_BUSY_TIMEOUT_S)) as database:
            # It can be rebuilt, and the venue's loop must not wait for the disk.
            database.execute("PRAGMA synchronous = OFF")
            with database:
                database.execute(_SCHEMA)
                self._path.chmod(0o600)
                if _select(database) == wanted:
                    return False
                database.execute("DELETE FROM accounts")
                database.executemany("INSERT INTO accounts VALUES (?, ?, ?, ?, ?)", wanted)
        return True

    def _discard(self) -> None:
        for suffix in ("", "-journal", "-wal", "-shm"):
            with contextlib.suppress(OSError):
                self._path.with_name(self._path.name + suffix).unlink()


def _select(database: sqlite3.Connection) -> list[AccountRow]:
    rows = database.execute("SELECT cid, mpid, name, public_key, active FROM accounts ORDER BY cid")
    return [AccountRow(cid, mpid, name, key, bool(active)) for cid, mpid, name, key, active in rows]
