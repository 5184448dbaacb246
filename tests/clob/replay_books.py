"""For the replay tests: every implementation of the book, and files of market by order made by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import databento_dbn as dbn

from ledgerx.clob import Book
from ledgerx.clob._reference import Book as ReferenceBook

BOOKS: list[Any] = list(dict.fromkeys([ReferenceBook, Book]))

LAST, SNAPSHOT = 128, 32 | 8

ACTIONS = {
    "A": dbn.Action.ADD,
    "C": dbn.Action.CANCEL,
    "M": dbn.Action.MODIFY,
    "F": dbn.Action.FILL,
    "T": dbn.Action.TRADE,
    "R": dbn.Action.CLEAR,
    "N": dbn.Action.NONE,
}
SIDES = {"A": dbn.Side.ASK, "B": dbn.Side.BID, "N": dbn.Side.NONE}


def header(schema: Any = dbn.Schema.MBO) -> bytes:
    metadata = dbn.Metadata(
        dataset="GLBX.MDP3",
        start=0,
        stype_in=dbn.SType.RAW_SYMBOL,
        stype_out=dbn.SType.INSTRUMENT_ID,
        schema=schema,
    )
    return metadata.encode()


def message(
    action: str, side: str, price: int, size: int, order_id: int, flags: int = LAST, instrument_id: int = 7
) -> bytes:
    return bytes(
        dbn.MBOMsg(
            publisher_id=1,
            instrument_id=instrument_id,
            ts_event=1_000,
            order_id=order_id,
            price=price,
            size=size,
            action=ACTIONS[action],
            side=SIDES[side],
            ts_recv=2_000,
            flags=flags,
        )
    )


def write_dbn(folder: Path, *messages: bytes, head: bytes | None = None) -> Path:
    path = folder / "day.mbo.dbn"
    path.write_bytes((header() if head is None else head) + b"".join(messages))
    return path
