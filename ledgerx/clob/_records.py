"""Many events in one buffer: the record that `Book.apply` reads and `Book.records` writes.

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
    "Buffer",
    "EventKind",
    "best_of",
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

# How NumPy names the record's fields to other buffer users, byte orders left out and 64-bit ints as Q and q.
_FORMAT_START: Final = "T{Q:order_id:q:price:q:size:B:kind:B:is_ask:"


def records_of(events: Buffer) -> bytes:
    """The bytes of a buffer of records. Raises TypeError if it is not contiguous or of another form."""
    try:
        view = memoryview(events)
    except TypeError:
        view = None
    if view is None or not view.c_contiguous:
        raise TypeError(f"events: not a contiguous buffer of {EVENT_BYTES}-byte records")
    is_bytes = view.itemsize == 1 and view.format in ("B", "b", "c")
    names = view.format.translate({ord("L"): "Q", ord("l"): "q", ord("<"): "", ord("="): "", ord("@"): ""})
    is_struct = view.itemsize == EVENT_BYTES and names.startswith(_FORMAT_START)
    if not (is_bytes or is_struct) or view.nbytes % EVENT_BYTES:
        raise TypeError(
            f"events: {view.nbytes} bytes of format {view.format} are no {EVENT_BYTES}-byte records: "
            "use numpy.dtype(EVENT_DTYPE)"
        )
    return view.tobytes()


def best_of(best: Buffer, count: int) -> memoryview:
    """The bytes of a buffer for `count` pairs of best prices. Raises TypeError if it cannot take them."""
    try:
        view = memoryview(best)
    except TypeError:
        view = None
    if view is None or view.readonly or not view.c_contiguous or view.nbytes != count * BEST_BYTES:
        raise TypeError(f"best: {count} events need a writable buffer of {count * BEST_BYTES} bytes")
    return view.cast("B")
