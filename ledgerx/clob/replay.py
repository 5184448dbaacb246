"""Recorded order-by-order days, replayed through books: what form a file has, and the whole day in a call.

A day of the LOBSTER form is compared with the exchange's own levels after every row
(`ledgerx.clob.lobster_replay`); of one in Databento's market by order every reference must resolve
(`ledgerx.clob.mbo_replay`). To look at a book between rows, feed those modules' classes yourself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final, TypeVar

from ledgerx.clob import Book
from ledgerx.clob.dbn import DbnFile, is_dbn
from ledgerx.clob.lobster import LobsterFile
from ledgerx.clob.lobster_replay import LobsterCounts, LobsterReplay
from ledgerx.clob.mbo_replay import MboCounts, MboReplay
from ledgerx.errors import InvalidData

__all__ = ["Day", "event_buffers", "open_day", "replay_day"]

Day = LobsterFile | DbnFile
"""A recorded day: `name`, `path`, and `count()`, the number of its rows or records."""

_T = TypeVar("_T")

_PROGRESS_ROWS: Final = 1_000
_LOBSTER_SUFFIXES: Final = (".zip", ".csv")
_DBN_SUFFIXES: Final = (".dbn", ".zst")


def open_day(path: str | Path, orderbook: str | Path | None = None) -> Day:
    """The day in a file: DBN by its first bytes or name, LOBSTER by its name (.zip, .csv).

    `orderbook` is the LOBSTER file of levels where `path` is the file of messages under another name than
    `LobsterFile` expects. Raises InvalidData for another file, MissingExtra for DBN without `dbn`.
    """
    path = Path(path)
    if orderbook is not None:
        return LobsterFile(path, orderbook)
    try:
        with path.open("rb") as file:
            head = file.read(4)
    except OSError as error:
        raise InvalidData(f"{path}: cannot be read: {error}", file=path.name) from error
    if is_dbn(head) or path.suffix.lower() in _DBN_SUFFIXES:
        return DbnFile(path)
    if path.suffix.lower() in _LOBSTER_SUFFIXES:
        return LobsterFile(path)
    raise InvalidData(f"{path.name}: neither LOBSTER (*.zip, *.csv) nor DBN (*.dbn, *.zst)", file=path.name)


def replay_day(
    day: Day,
    make_book: Callable[[], Book] = Book,
    *,
    limit: int | None = None,
    progress: Callable[[int], object] | None = None,
) -> LobsterCounts | MboCounts:
    """Replays a day, or its first `limit` rows, and returns what was found.

    `make_book` makes each empty book: one for LOBSTER, one an instrument for DBN. `progress` is called
    with the number of rows done, now and then and at the end. Raises InvalidData for a broken file; rows
    that are wrong raise nothing, they are counted.
    """
    if isinstance(day, DbnFile):
        mbo = MboReplay(make_book)
        _feed(mbo.feed, day.records(limit), progress)
        mbo.finish()
        return mbo.counts()
    replay = LobsterReplay(make_book(), file=day.name)
    _feed(replay.feed, day.rows(limit), progress)
    return replay.counts()


def event_buffers(day: Day, *, limit: int | None = None) -> list[bytes]:
    """A day, or its first `limit` rows, as records for `Book.apply`: one buffer a book.

    LOBSTER gives one, DBN one an instrument in order of appearance. A book that applies the whole buffer
    ends as the replay's does, with the same checksum. `numpy.frombuffer(buffer, EVENT_DTYPE)` reads one.
    """
    if isinstance(day, DbnFile):
        mbo = MboReplay(keep_events=True)
        _feed(mbo.feed, day.records(limit), None)
        mbo.finish()
        return [mbo.events(instrument) for instrument in mbo.instruments]
    replay = LobsterReplay(file=day.name, keep_events=True)
    _feed(replay.feed, day.rows(limit), None)
    return [replay.events]


def _feed(feed: Callable[[_T], None], rows: Iterable[_T], progress: Callable[[int], object] | None) -> None:
    done = 0
    for done, row in enumerate(rows, start=1):
        feed(row)
        if progress is not None and done % _PROGRESS_ROWS == 0:
            progress(done)
    if progress is not None:
        progress(done)
