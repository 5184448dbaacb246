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

__all__ = ["BEST_BYTES", "BEST_FORMAT", "EVENT_BYTES", "EVENT_DTYPE", "EVENT_FORMAT", "Buffer", "EventKind"]

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

BEST_FORMAT: Final = "<qq"
"""The best prices after an event, bid then ask: PRICE_MIN where there is no bid, PRICE_MAX where no ask."""

BEST_BYTES: Final = struct.calcsize(BEST_FORMAT)
"""Their length: 16, so an array of shape (events, 2) and type int64 holds them."""
