"""The mids of what streaming sessions ask: each carries what the answers to it must say.

An account's line says by mid whose request a message answers. A session that resumes, on this venue or on
one that was started again, has nothing but the line; so the mid itself holds the client's reference and the
number of the payload (of an order) or of the order (of all else). It has the form of a version 8 UUID, the
kind that RFC 9562 leaves to its maker; 21 bits of it are random.

    bits  127-80 reference, high   79-76 version 8   75-72 kind   71 reference is set   70-64 random
           63-62 variant           61-56 random      55-40 reference, low   39-8 number   7-0 random
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final, NamedTuple

from ledgerx.exchange.mids import mid_key

__all__ = ["RANDOM_BITS", "RequestKind", "StreamingMid", "make_mid", "read_mid"]

RANDOM_BITS: Final = 21

_VERSION: Final = 8
_VARIANT: Final = 2
_NUMBER_MASK: Final = 0xFFFF_FFFF


class RequestKind(IntEnum):
    """What a streaming session asked for."""

    CREATE = 1
    CANCEL = 2
    REPLACE = 3
    REDUCE = 4
    CANCEL_ALL = 5
    FAILURE = 6  # a session ended without a logout, and its settings say that orders end with it


class StreamingMid(NamedTuple):
    """What a mid says. `number` is the payload's sequence for CREATE and the order_id for the others.

    Of either only the lower 32 bits are kept; 0 where there is none.
    """

    kind: RequestKind
    reference: int | None
    number: int


def make_mid(kind: RequestKind, reference: int | None, number: int, random: int) -> str:
    """The mid of a request; `random` has RANDOM_BITS bits."""
    shown = reference or 0
    high, low = shown >> 16, shown & 0xFFFF
    value = high << 80 | _VERSION << 76 | kind << 72 | (reference is not None) << 71 | (random >> 14) << 64
    value |= _VARIANT << 62 | (random >> 8 & 0x3F) << 56 | low << 40
    value |= (number & _NUMBER_MASK) << 8 | random & 0xFF
    return f"{value:032x}"


def read_mid(mid: str) -> StreamingMid | None:
    """What `make_mid` put in, None for any other text: a refused request may have any."""
    key = mid_key(mid)
    if key is None or mid[12] != "8" or mid[16] not in "89ab":
        return None
    value = int.from_bytes(key)
    try:
        kind = RequestKind(value >> 72 & 0xF)
    except ValueError:
        return None
    reference = value >> 80 << 16 | value >> 40 & 0xFFFF if value >> 71 & 1 else None
    return StreamingMid(kind, reference, value >> 8 & _NUMBER_MASK)
