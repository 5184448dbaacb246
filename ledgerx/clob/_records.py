"""Many events in one buffer: the record that `Book.apply` and `Book.match` read and `Book.records` writes.

32 bytes, little-endian, in C `struct clob_event` of ledgerx/clob/core/clob.h:

======  ======  ==========  ==================================================================
offset  type    field       meaning
======  ======  ==========  ==================================================================
0       uint64  order_id
8       int64   price       ADD: its price; REPLACE: the new one
16      int64   size        ADD: open size; REDUCE and EXECUTE: by how much; REPLACE: the new one
24      uint8   kind        an EventKind
25      uint8   is_ask      ADD: 1 for an ask, 0 for a bid
26      6       (padding)   not read; written as 0
======  ======  ==========  ==================================================================

What an event's kind does not need is not read. `numpy.dtype(EVENT_DTYPE)` is the same record, and
`numpy.frombuffer(book.records(), EVENT_DTYPE)` reads one without a copy. No NumPy is needed here.

`Book.match`, for which an ADD is an order that comes in, reads three bytes more of it, INCOMING_DTYPE:

======  ======  =============  ===============================================================
26      uint8   time_in_force  a TimeInForce
27      uint8   post_only      1 for an order that must not trade
28      uint8   is_market      1 for an order without a price
29      3       (padding)      not read
======  ======  =============  ===============================================================
"""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import Any, Final

__all__ = [
    "BEST_BYTES",
    "BEST_FORMAT",
    "EVENT_BYTES",
    "EVENT_DTYPE",
    "EVENT_FORMAT",
    "FILL_DTYPE",
    "INCOMING_DTYPE",
    "INCOMING_FORMAT",
    "OUTCOME_BYTES",
    "OUTCOME_DTYPE",
    "OUTCOME_FORMAT",
    "Buffer",
    "EventKind",
    "incoming_of",
    "output_of",
    "records_of",
]

Buffer = Any
"""What exports the buffer protocol: bytes, an array, a memoryview (`collections.abc.Buffer` from 3.12)."""


class EventKind(IntEnum):
    """What an event does; each is the method of `Book` of the same name."""

    ADD = 1
    REDUCE = 2
    EXECUTE = 3
    CANCEL = 4
    REPLACE = 5
    CLEAR = 6


EVENT_FORMAT: Final = "<QqqBB6x"
"""The record as `struct` names it."""

EVENT_BYTES: Final = struct.calcsize(EVENT_FORMAT)
"""A record's length: 32."""

EVENT_DTYPE: Final[dict[str, Any]] = {
    "names": ["order_id", "price", "size", "kind", "is_ask"],
    "formats": ["<u8", "<i8", "<i8", "u1", "u1"],
    "offsets": [0, 8, 16, 24, 25],
    "itemsize": EVENT_BYTES,
}
"""The record as `numpy.dtype` takes it."""

INCOMING_FORMAT: Final = "<QqqBBBBB3x"
"""The record of `Book.match` as `struct` names it."""

INCOMING_DTYPE: Final[dict[str, Any]] = {
    "names": [*EVENT_DTYPE["names"], "time_in_force", "post_only", "is_market"],
    "formats": [*EVENT_DTYPE["formats"], "u1", "u1", "u1"],
    "offsets": [*EVENT_DTYPE["offsets"], 26, 27, 28],
    "itemsize": EVENT_BYTES,
}
"""The record of `Book.match` as `numpy.dtype` takes it."""

OUTCOME_FORMAT: Final = "<II"
"""What became of an event of `Book.match`: a place in REFUSALS, and how many fills are its own."""

OUTCOME_BYTES: Final = struct.calcsize(OUTCOME_FORMAT)
"""Their length: 8."""

OUTCOME_DTYPE: Final[dict[str, Any]] = {"names": ["refusal", "fills"], "formats": ["<u4", "<u4"]}
"""The same as `numpy.dtype` takes it."""

FILL_DTYPE: Final[dict[str, Any]] = {
    "names": ["order_id", "price", "size", "left"],
    "formats": ["<u8", "<i8", "<i8", "<i8"],
    "itemsize": 32,
}
"""The record of a fill in the buffer of a `Fills`, as `numpy.dtype` takes it."""

BEST_FORMAT: Final = "<qq"
"""The best prices after an event, bid then ask: PRICE_MIN where there is no bid, PRICE_MAX where no ask."""

BEST_BYTES: Final = struct.calcsize(BEST_FORMAT)
"""Their length: 16, so an array of shape (events, 2) and type int64 holds them."""

# How NumPy names the records' fields to other buffer users: kind, colon, name, colon.
_EVENT_FIELDS: Final = ["Q", "order_id", "q", "price", "q", "size", "B", "kind", "B", "is_ask"]
_INCOMING_FIELDS: Final = [*_EVENT_FIELDS, *["B", "time_in_force", "B", "post_only", "B", "is_market"]]

_ALIKE: Final = {ord("L"): "Q", ord("l"): "q", ord("<"): "", ord("="): "", ord("@"): ""}
"""Byte orders are left out, and 64-bit ints are called Q and q."""

_NO_BUFFER: Final = (TypeError, ValueError, BufferError)
"""What an object raises that does not show its memory, or a NumPy array of a form that has no name."""


def records_of(events: Buffer) -> bytes:
    """The bytes of a buffer of records. Raises TypeError if it is not contiguous or of another form."""
    return _bytes_of(events, _EVENT_FIELDS, "EVENT_DTYPE")


def incoming_of(events: Buffer) -> bytes:
    """The same for the records of `Book.match`."""
    return _bytes_of(events, _INCOMING_FIELDS, "INCOMING_DTYPE")


def _bytes_of(events: Buffer, fields: list[str], dtype: str) -> bytes:
    try:
        view = memoryview(events)
    except _NO_BUFFER:
        view = None
    if view is None or not view.c_contiguous:
        raise TypeError(f"events: not a contiguous buffer of {EVENT_BYTES}-byte records")
    is_bytes = view.itemsize == 1 and view.format in ("B", "b", "c")
    is_struct = view.itemsize == EVENT_BYTES and _has_fields(view.format, fields)
    if not (is_bytes or is_struct) or view.nbytes % EVENT_BYTES:
        raise TypeError(
            f"events: {view.nbytes} bytes of format {view.format} are no {EVENT_BYTES}-byte records: "
            f"use numpy.dtype({dtype})"
        )
    return view.tobytes()


def _has_fields(form: str, fields: list[str]) -> bool:
    """Whether a struct's format begins with these fields."""
    words = form.removeprefix("T{").split(":")[: len(fields)]
    words[::2] = [kind.translate(_ALIKE) for kind in words[::2]]
    return form.startswith("T{") and words == fields


def output_of(name: str, output: Buffer, count: int, item_bytes: int) -> memoryview:
    """The bytes of a buffer for something of each event. Raises TypeError if it cannot take `count`."""
    try:
        view = memoryview(output)
    except _NO_BUFFER:
        view = None
    fits = view is not None and not view.readonly and view.c_contiguous and "O" not in view.format
    if view is None or not fits or view.nbytes != count * item_bytes:
        raise TypeError(f"{name}: {count} events need a writable buffer of {count * item_bytes} bytes")
    return view.cast("B") if view.nbytes else memoryview(bytearray())
