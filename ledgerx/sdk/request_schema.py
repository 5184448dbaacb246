"""What stands in a durable store's file: its tables, opening and checking them, reading the requests."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from ledgerx.errors import (
    DecodeError,
    StoreCorrupt,
    StoreError,
    StoreMismatch,
    StoreUnusable,
    StoreWriteFailed,
)
from ledgerx.protocol import wire
from ledgerx.sdk.items import RequestItem
from ledgerx.sdk.requests import READS
from ledgerx.sdk.states import State

__all__ = ["PAGE_BYTES", "connect", "load_items", "write_error"]

_APPLICATION_ID = 0x4C445853  # "LDXS"
_VERSION = 1

# A statement that stands alone is a transaction, and SQLite gives the GIL away for each: between busy threads
# that costs more than the writing. So triggers make one statement of what belongs together.
_TABLES = """
CREATE TABLE ledgerx_owner (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE ledgerx_line (
    epoch INTEGER NOT NULL, venue_id TEXT NOT NULL, first INTEGER NOT NULL, next INTEGER NOT NULL,
    timestamp INTEGER NOT NULL, clean INTEGER NOT NULL
);
INSERT INTO ledgerx_line VALUES (0, '', 0, 0, 0, 1);
-- By place alone: an index of the random mids would be one more page to write for each request.
CREATE TABLE ledgerx_requests (
    place INTEGER PRIMARY KEY, mid TEXT NOT NULL, batch TEXT NOT NULL, message BLOB NOT NULL,
    stamped INTEGER NOT NULL, timestamp INTEGER NOT NULL, state INTEGER NOT NULL, report BLOB,
    wanted_ns INTEGER NOT NULL
);
CREATE TRIGGER ledgerx_inserted AFTER INSERT ON ledgerx_requests BEGIN
    UPDATE ledgerx_line SET timestamp = max(timestamp, NEW.timestamp);
END;
CREATE TRIGGER ledgerx_stamped AFTER UPDATE OF timestamp ON ledgerx_requests BEGIN
    UPDATE ledgerx_line SET timestamp = max(timestamp, NEW.timestamp);
END;
CREATE VIEW ledgerx_dispatched AS SELECT next, 0 AS place, 0 AS state, NULL AS report FROM ledgerx_line;
CREATE TRIGGER ledgerx_moved INSTEAD OF INSERT ON ledgerx_dispatched BEGIN
    UPDATE ledgerx_line SET next = NEW.next;
    UPDATE ledgerx_requests SET state = NEW.state, report = coalesce(NEW.report, report)
        WHERE place = NEW.place AND NEW.state < 4;
    DELETE FROM ledgerx_requests WHERE place = NEW.place AND NEW.state >= 4;
END;
"""

# A commit writes whole pages, and the line's is one: small ones make it twice as fast.
PAGE_BYTES = 1024

_BUSY_TIMEOUT_S = 5.0  # for another program that writes into the file


def connect(path: Path, sync: str, file_bytes_max: int | None) -> sqlite3.Connection:
    """Open the file, made (0600) if it is new. Raises StoreMismatch, StoreCorrupt, StoreUnusable."""
    connection: sqlite3.Connection | None = None
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        connection = sqlite3.connect(
            path, timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
        )
        _prepare(connection, path, sync, file_bytes_max)
    except OSError as error:
        raise StoreUnusable(f"cannot use store {path}: {error.strerror or error}", path=str(path)) from error
    except sqlite3.Error as error:
        if connection is not None:
            connection.close()
        raise _open_error(path, error) from error
    except StoreError:
        assert connection is not None
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, path: Path, sync: str, file_bytes_max: int | None) -> None:
    execute = connection.execute
    execute(f"PRAGMA page_size = {PAGE_BYTES}")  # of a file that is yet empty
    (application,), (version,) = (
        execute("PRAGMA application_id").fetchone(),
        execute("PRAGMA user_version").fetchone(),
    )
    (tables,) = execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if application != _APPLICATION_ID and (application or tables):
        raise StoreMismatch(f"{path} is no store of ledgerx: name another file", path=str(path))
    if version > _VERSION:
        raise StoreMismatch(f"store {path} is of a newer build, form {version}", path=str(path))
    execute("PRAGMA journal_mode = WAL")
    execute(f"PRAGMA synchronous = {'FULL' if sync == 'power' else 'NORMAL'}")
    if file_bytes_max is not None:
        execute(f"PRAGMA max_page_count = {max(1, file_bytes_max // PAGE_BYTES)}")
    if not tables:
        form = f"PRAGMA application_id = {_APPLICATION_ID}; PRAGMA user_version = {_VERSION};"
        connection.executescript(f"BEGIN IMMEDIATE; {_TABLES} {form} COMMIT;")
    for table in ("ledgerx_owner", "ledgerx_line", "ledgerx_requests"):
        (found,) = execute(f"PRAGMA quick_check({table})").fetchone()
        if found != "ok":
            raise StoreCorrupt(f"store {path} is damaged: {found}", path=str(path))


def load_items(connection: sqlite3.Connection, path: Path) -> tuple[list[RequestItem], list[int]]:
    """The requests in progress, in first-sent order, batches before their members; what need not be kept.

    Raises StoreCorrupt.
    """
    items: dict[str, RequestItem] = {}
    dropped: list[int] = []
    columns = "place, mid, batch, message, stamped, state, report, wanted_ns"
    rows = connection.execute(f"SELECT {columns} FROM ledgerx_requests ORDER BY place")  # noqa: S608
    try:
        for place, mid, batch_mid, message, stamped, state, report, wanted_ns in rows:
            item = RequestItem(wire.decode_message(message))
            item.place, item.inserted, item.saved = place, True, bool(stamped)
            item.state, item.wanted_ns = State(state), wanted_ns
            item.last_report = None if report is None else wire.decode_message(report)
            batch = items.get(batch_mid)
            if batch is not None:
                item.batch = batch
                batch.members.append(item)
            elif batch_mid:
                if isinstance(item.msg, READS):
                    dropped.append(place)  # a question of a process that ended
                    continue
                item.state = max(item.state, State.ACKNOWLEDGED)  # with its batch, which is done
            elif stamped:
                item.encoded = message
            item.acknowledged = item.state is not State.SENT
            items[mid] = item
    except (sqlite3.Error, DecodeError, ValueError) as error:
        raise StoreCorrupt(f"store {path} is damaged: {error}", path=str(path)) from error
    return list(items.values()), dropped


def _open_error(path: Path, error: sqlite3.Error) -> StoreError:
    if getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return StoreCorrupt(f"store {path} is damaged, or no store: {error}", path=str(path))
    return StoreUnusable(f"cannot use store {path}: {error}", path=str(path))


def write_error(path: Path, error: sqlite3.Error) -> StoreError:
    """What a failed write is to a program."""
    if getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return StoreCorrupt(f"store {path} is damaged: {error}", path=str(path))
    return StoreWriteFailed(f"store {path} could not be written: {error}", path=str(path))
