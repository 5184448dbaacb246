"""Numbers of the venue as the streaming protocol has them: quantities, sides, prices, account sequences."""

from __future__ import annotations

from typing import Any, Final

from ledgerx.exchange.state import Contract
from ledgerx.streaming_api import seto_pb2 as seto

__all__ = ["QUANTITY_A_LOT", "UINT64_MAX", "number_in_line", "price_of", "quantity_of", "sayable", "side_of"]

QUANTITY_A_LOT: Final = 10_000
_UINT32_MAX: Final = 2**32 - 1
UINT64_MAX: Final = 2**64 - 1


def sayable(contract: Contract) -> bool:
    """Whether the streaming protocol has a number for the contract, and for each price it may trade at.

    Both have 32 bits without a sign there. Sessions are told nothing of other contracts.
    """
    return max(contract.contract_id, contract.max_price) <= _UINT32_MAX and contract.min_price >= 0


def quantity_of(lots: int) -> int:
    """Lots as a quantity; more than 64 bits hold, of a whole level, is cut down."""
    return min(max(lots, 0) * QUANTITY_A_LOT, UINT64_MAX)


def side_of(is_ask: bool) -> seto.Side:
    """The side of an order or level."""
    return seto.SIDE_SELL if is_ask else seto.SIDE_BUY


def price_of(cents: int) -> int:
    """Cents as a price. A market order has none, which is 0."""
    return min(max(cents, 0), _UINT32_MAX)


def number_in_line(message: Any, sequence: int) -> None:
    """Say which message of the account's line this is, in both of the fields that there are for it."""
    message.account_sequence_64 = sequence
    if sequence <= _UINT32_MAX:
        message.account_sequence = sequence
