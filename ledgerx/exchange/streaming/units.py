"""Numbers of the venue as the streaming protocol has them: quantities, sides, prices, account sequences."""

from __future__ import annotations

from typing import Any, Final

from ledgerx.streaming_api import seto_pb2 as seto

__all__ = ["QUANTITY_A_LOT", "number_in_line", "price_of", "quantity_of", "side_of"]

QUANTITY_A_LOT: Final = 10_000
_UINT32_MAX: Final = 2**32 - 1


def quantity_of(lots: int) -> int:
    """Lots as a quantity."""
    return max(lots, 0) * QUANTITY_A_LOT


def side_of(is_ask: bool) -> seto.Side:
    """The side of an order or level."""
    return seto.SIDE_SELL if is_ask else seto.SIDE_BUY


def price_of(cents: int) -> int:
    """Cents as a price of 32 bits; what does not fit, as a negative price, is cut down."""
    return min(max(cents, 0), _UINT32_MAX)


def number_in_line(message: Any, sequence: int) -> None:
    """Say which message of the account's line this is, in both of the fields that there are for it."""
    message.account_sequence_64 = sequence
    if sequence <= _UINT32_MAX:
        message.account_sequence = sequence
