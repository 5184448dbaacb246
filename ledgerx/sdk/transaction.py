"""A handler's own writes in a durable store's file, committed with the message that it was called for."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ledgerx.errors import InvalidField, StoreError

__all__ = ["Transaction"]

# What would end the transaction before its message was dispatched, or is not undone with it.
_NOT_ALLOWED = (
    "BEGIN",
    "COMMIT",
    "END",
    "ROLLBACK",
    "SAVEPOINT",
    "RELEASE",
    "ATTACH",
    "DETACH",
    "PRAGMA",
    "VACUUM",
)

# SQLite's codes (the low byte) for a disk that is full, broken or read-only.
_DISK = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CORRUPT}


class Transaction:
    """Runs a handler's statements. SQLite's errors about them are raised as they are (`sqlite3.Error`).

    Where the disk refuses one, the message is not committed and dispatch stops, whatever the handler does
    about the error.
    """

    def __init__(self, connection: sqlite3.Connection, failed: Callable[[sqlite3.Error], StoreError]) -> None:
        self._connection = connection
        self._failed = failed
        self._refusal: sqlite3.Error | None = None

    def execute(self, sql: str, parameters: Any = ()) -> sqlite3.Cursor:
        """Run one statement: `sqlite3.Connection.execute`.

        Raises InvalidField for one that would end the transaction.
        """
        return self._guarded(lambda: self._connection.execute(_checked(sql), parameters))

    def executemany(self, sql: str, parameters: Iterable[Any]) -> sqlite3.Cursor:
        """Run one statement with each of many parameters: `sqlite3.Connection.executemany`."""
        return self._guarded(lambda: self._connection.executemany(_checked(sql), parameters))

    def _guarded(self, run: Callable[[], sqlite3.Cursor]) -> sqlite3.Cursor:
        try:
            return run()
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF in _DISK:
                self._refusal = error
            raise

    def check(self) -> None:
        """Raise the disk's refusal of a statement, if there was one."""
        if self._refusal is not None:
            raise self._failed(self._refusal) from self._refusal

    @contextlib.contextmanager
    def savepoint(self) -> Iterator[None]:
        """Undo what is written in here if it raises."""
        self._connection.execute("SAVEPOINT ledgerx")
        try:
            yield
        except BaseException:
            if self._connection.in_transaction:  # SQLite ends it itself after some errors
                self._connection.execute("ROLLBACK TO ledgerx")
                self._connection.execute("RELEASE ledgerx")
            raise
        if self._connection.in_transaction:
            self._connection.execute("RELEASE ledgerx")


def _checked(sql: str) -> str:
    words = sql.split(maxsplit=1)
    if words and words[0].upper().rstrip(";") in _NOT_ALLOWED:
        text = f"{words[0]} is not for a handler: its writes are committed with the message"
        raise InvalidField(text, field="sql", value=sql)
    return sql
