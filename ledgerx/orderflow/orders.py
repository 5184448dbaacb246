"""Recorded order-by-order days through the order book: the trades, and what each does to the levels."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ledgerx.clob.dbn import Action, DbnFile, Instrument
from ledgerx.clob.lobster import LobsterFile, MessageType
from ledgerx.clob.lobster_replay import LobsterReplay
from ledgerx.clob.mbo_replay import MboReplay
from ledgerx.clob.replay import open_day
from ledgerx.orderflow.feeds.levels import LevelChanges
from ledgerx.orderflow.types import BookAction, Side

__all__ = ["BookChange", "Print", "events_of_day"]


class Print(NamedTuple):
    """A trade. `instrument` is "" where a file has only one."""

    instrument: str
    time_ns: int
    price: int
    size: int
    aggressor: Side


class BookChange(NamedTuple):
    """A level that changed."""

    instrument: str
    time_ns: int
    side: Side
    level: int
    price: int
    size: int
    action: BookAction


def events_of_day(path: str | Path, levels: int = 10) -> Iterator[Print | BookChange]:
    """The events of a LOBSTER or DBN day in order: a trade before what it does to the book.

    Prices and sizes are the file's integers; LOBSTER's times are after midnight. Raises InvalidData, and
    MissingExtra for DBN without the extra `dbn`.
    """
    day = open_day(path)
    return _lobster(day, levels) if isinstance(day, LobsterFile) else _dbn(day, levels)


def _lobster(day: LobsterFile, levels: int) -> Iterator[Print | BookChange]:
    replay, changes = LobsterReplay(), LevelChanges()
    for row in day.rows():
        if row.number > 1 and row.type in (MessageType.EXECUTION, MessageType.HIDDEN_EXECUTION):
            aggressor = Side.ASK if row.is_ask else Side.BID
            yield Print("", row.time_ns, row.price, row.size, aggressor)
        replay.feed(row)
        for side in Side:
            shown = replay.book.depth(side == Side.ASK, min(levels, row.levels))
            for change in changes.of(side, shown):
                yield BookChange("", row.time_ns, *change)


def _dbn(day: DbnFile, levels: int) -> Iterator[Print | BookChange]:
    replay = MboReplay()
    changes: dict[Instrument, LevelChanges] = {}
    for record in day.records():
        name = str(record.instrument.instrument_id)
        if record.action is Action.TRADE and record.is_ask is not None and record.size > 0:
            # A TRADE record has the aggressor's own side: one that sold is on the ask side.
            yield Print(
                name, record.time_ns, record.price, record.size, Side.BID if record.is_ask else Side.ASK
            )
        replay.feed(record)
        if not record.is_last:
            continue
        told = changes.setdefault(record.instrument, LevelChanges())
        book = replay.instruments[record.instrument].book
        for side in Side:
            for change in told.of(side, book.depth(side == Side.ASK, levels)):
                yield BookChange(name, record.time_ns, *change)
