"""The file of a durable store: requests in progress and the place in the line, in SQLite (WAL).

What is written when is the tracker's to say (durability.py); this file writes it, one transaction each. A
commit is in the operating system's hands when it returns, so a killed process loses none; with `sync`
"power" it is on the disk, so a power cut loses none either.

`PATH` is the database, beside it SQLite keeps `PATH-wal` and `PATH-shm` and this keeps `PATH-lock`, held by
the one process that has the file open.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from ledgerx.errors import InvalidState, StoreBusy, StoreError, StoreMismatch, StoreWriteFailed
from ledgerx.sdk.file_lock import FileLock
from ledgerx.sdk.records import Position, Progress, Row, Saved, Unsaved
from ledgerx.sdk.request_schema import PAGE_BYTES, connect, load_items, write_error
from ledgerx.sdk.states import State
from ledgerx.sdk.transaction import Transaction

__all__ = ["RequestFile"]

_BUSY_TIMEOUT_S = 5.0
_GONE = int(State.DONE)  # or FAILED: the row goes

_INSERT = (
    "INSERT INTO ledgerx_requests (place, mid, batch, message, stamped, timestamp, state, wanted_ns)"
    " VALUES (?, ?, ?, ?, ?, ?, 1, ?) ON CONFLICT (place) DO UPDATE"
    " SET message = excluded.message, stamped = excluded.stamped, timestamp = excluded.timestamp"
)


class RequestFile:
    """An open file of one account at one exchange. Every method may be called from any thread.

    Raises StoreLocked, StoreMismatch, StoreCorrupt, StoreUnusable.
    """

    def __init__(self, path: Path, *, sync: str, file_bytes_max: int | None) -> None:
        self.path = path
        self.in_handler: Callable[[], bool] = lambda: False  # whether the caller may open a transaction
        self.busy_timeout_s = _BUSY_TIMEOUT_S
        self._writer = threading.RLock()  # held by a handler's transaction until it is committed
        self._open: Transaction | None = None
        self._pending: list[Row] = []  # stored by the open transaction
        self._pages_max = None if file_bytes_max is None else file_bytes_max // PAGE_BYTES
        self._lock = FileLock(path)
        try:
            self._connection = connect(path, sync, file_bytes_max)
            self._lock.keep_from_children(self._connection)
            self.loaded = self._load()
        except BaseException:
            self.close(clean=False)
            raise

    def _load(self) -> Saved:
        row = self._connection.execute(
            "SELECT epoch, venue_id, first, next, timestamp, clean FROM ledgerx_line"
        ).fetchone()
        self._epoch: int = row[0]
        self._in_doubt = not row[5]  # whether a killed process may have dispatched the next message
        items, self._dropped = load_items(self._connection, self.path)
        return Saved(Position(*row[:4]), timestamp=row[4], clean=bool(row[5]), items=items)

    # ------------------------------------------------------------------ its owner and its end

    def bind(self, **owner: str) -> None:
        """The file is in use, of this account at this exchange. Raises StoreMismatch if it was another's."""
        with self._held(self.busy_timeout_s), self._committed():
            for name, value in owner.items():
                query = "SELECT value FROM ledgerx_owner WHERE name = ?"
                found = self._connection.execute(query, (name,)).fetchone()
                if found is None:
                    self._connection.execute("INSERT INTO ledgerx_owner VALUES (?, ?)", (name, value))
                elif found[0] != value:
                    text = f"store {self.path} is of {name} {found[0]}, not {value}: use another file"
                    raise StoreMismatch(text, path=str(self.path))
            self._connection.execute("UPDATE ledgerx_line SET clean = 0")
            self._remove(self._dropped)

    def close(self, *, clean: bool) -> None:
        """End it; `clean` says that no handler is at work. May be called again.

        The doubt that a killed process left stays until the message in doubt was dispatched.
        """
        if not self._lock.held:
            return
        with self._writer:
            connection: sqlite3.Connection | None = getattr(self, "_connection", None)
            if connection is not None and self._lock.held:
                with contextlib.suppress(sqlite3.Error):
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")
                        clean = False
                    if clean and not self._in_doubt:
                        connection.execute("UPDATE ledgerx_line SET clean = 1")
                self._lock.let_children_have(connection)
                connection.close()
            self._lock.release()

    # ------------------------------------------------------------------ before a request leaves

    def insert(self, rows: Sequence[Row], wall_ns: int) -> bool:
        """Store requests; True once they are in the file, False if this thread's transaction will bring them.

        Raises StoreBusy while a handler's transaction of another thread lasts, and StoreWriteFailed.
        """
        with self._held(self.busy_timeout_s):
            if self._open is not None:
                with self._open.savepoint():
                    self._put(rows, wall_ns)
                self._pending += rows
                return False
            if len(rows) == 1 and self._pages_max is None:
                self._connection.execute(_INSERT, (*rows[0], wall_ns))  # a transaction of its own
            else:
                with self._committed():
                    self._put(rows, wall_ns)
        return True

    def save(self, unsaved: Unsaved, wall_ns: int) -> bool:
        """Store a baseline, and requests again; False, at once, while a handler's transaction lasts."""
        try:
            with self._held(0.0):
                if self._open is not None:
                    return False
                self._in_doubt = self._in_doubt and unsaved.position is None
                with self._committed(unsaved.position):
                    self._put(unsaved.rows, wall_ns)
        except StoreBusy:
            return False
        return True

    def _put(self, rows: Sequence[Row], wall_ns: int) -> None:
        self._connection.executemany(_INSERT, [(*row, wall_ns) for row in rows])
        self._check_room()

    def _check_room(self) -> None:
        """The last tenth of the file is for what becomes of requests, so that it ends no Context."""
        if self._pages_max is not None:
            (pages,) = self._connection.execute("PRAGMA page_count").fetchone()
            (free,) = self._connection.execute("PRAGMA freelist_count").fetchone()
            if pages - free > self._pages_max * 9 // 10:
                text = (
                    f"store {self.path} is full: {pages - free} pages of at most {self._pages_max} are used"
                )
                raise StoreWriteFailed(text, path=str(self.path))

    def forget(self, places: Sequence[int]) -> None:
        """Requests were given up. Raises StoreBusy, StoreWriteFailed."""
        with self._held(self.busy_timeout_s):
            if self._open is not None:
                self._remove(places)
            else:
                with self._committed():
                    self._remove(places)

    # ------------------------------------------------------------------ handlers

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """What a handler writes here is committed with its message, after it returned. See MessageIDStore."""
        self._check_open()
        if not self.in_handler():
            raise InvalidState("store.transaction() is for handlers and callbacks, on the dispatch thread")
        if self._open is None:
            with contextlib.ExitStack() as undo:
                self._writer.acquire()
                undo.callback(self._writer.release)
                with self._mapped():
                    self._connection.execute("BEGIN IMMEDIATE")
                self._open = Transaction(self._connection, self._failed)
                undo.pop_all()
        with self._open.savepoint():
            yield self._open

    def commit(self, progress: Progress) -> list[Row]:
        """An event was dispatched: store that, and what its handler wrote; returns the requests among it.

        Raises StoreWriteFailed where the file refuses, or refused the handler: nothing of it is in the file.
        """
        self._in_doubt = self._in_doubt and progress.position is None
        if self._open is not None:
            return self._commit_handlers(progress)
        position, changes = progress.position, len(progress.moved) + len(progress.finished)
        if position is None and not changes:
            return []
        with self._held(None):
            if position is not None and position.epoch == self._epoch and changes <= 1:
                self._dispatched_one(progress, position.next)
            else:
                with self._committed(position):
                    self._move(progress)
        return []

    def _dispatched_one(self, progress: Progress, following: int) -> None:
        """The common case in one statement, which is a transaction of its own (request_schema.py)."""
        if not progress.moved and not progress.finished:
            self._connection.execute("UPDATE ledgerx_line SET next = ?", (following,))
            return
        place, state, report = progress.moved[0] if progress.moved else (progress.finished[0], _GONE, None)
        self._connection.execute(
            "INSERT INTO ledgerx_dispatched VALUES (?, ?, ?, ?)", (following, place, state, report)
        )

    def _commit_handlers(self, progress: Progress) -> list[Row]:
        assert self._open is not None
        pending, self._pending = self._pending, []
        try:
            with self._mapped():
                self._open.check()
                self._move(progress)
                self._finish(progress.position)
        finally:
            self._roll_back()
            self._open = None
            self._writer.release()
        return pending

    def _move(self, progress: Progress) -> None:
        for place, state, report in progress.moved:
            if report is None:
                self._connection.execute(
                    "UPDATE ledgerx_requests SET state = ? WHERE place = ?", (state, place)
                )
            else:
                self._connection.execute(
                    "UPDATE ledgerx_requests SET state = ?, report = ? WHERE place = ?",
                    (state, report, place),
                )
        self._remove(progress.finished)

    def _remove(self, places: Sequence[int]) -> None:
        for place in places:
            self._connection.execute("DELETE FROM ledgerx_requests WHERE place = ?", (place,))

    # ------------------------------------------------------------------ one transaction

    @contextlib.contextmanager
    def _held(self, timeout_s: float | None) -> Iterator[None]:
        """The file to this thread alone: within a handler's transaction, or with none open."""
        self._check_open()
        if not self._writer.acquire(timeout=-1 if timeout_s is None else timeout_s):
            raise StoreBusy(f"a handler's transaction has held store {self.path} for {timeout_s:g} s")
        try:
            with self._mapped():
                yield
        finally:
            self._writer.release()

    @contextlib.contextmanager
    def _committed(self, position: Position | None = None) -> Iterator[None]:
        """One transaction, which also moves the place in the line if a position is given."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._finish(position)
        finally:
            self._roll_back()

    def _finish(self, position: Position | None) -> None:
        """Move the place in the line, unless it is of a line that ended, and commit."""
        if position is not None and position.epoch >= self._epoch:
            self._connection.execute(
                "UPDATE ledgerx_line SET epoch = ?, venue_id = ?, first = ?, next = ?", position
            )
        self._connection.execute("COMMIT")
        if position is not None:
            self._epoch = max(self._epoch, position.epoch)

    def _roll_back(self) -> None:
        """End what was not committed. SQLite has done so itself after some errors."""
        with contextlib.suppress(sqlite3.Error):
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    @contextlib.contextmanager
    def _mapped(self) -> Iterator[None]:
        """SQLite's errors as ours."""
        self._check_open()
        try:
            yield
        except sqlite3.Error as error:
            raise self._failed(error) from error

    def _check_open(self) -> None:
        if not self._lock.held:  # in a forked child too, where the lock would never be released
            raise InvalidState(f"store {self.path} is closed here: it ended with its Context")

    def _failed(self, error: sqlite3.Error) -> StoreError:
        return write_error(self.path, error)
