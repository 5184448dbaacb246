"""The values that go into a book and come out of it, and their ranges."""

from __future__ import annotations

from enum import IntEnum
from typing import Final, NamedTuple

from ledgerx.errors import (
    BookFull,
    DuplicateOrder,
    InvalidOrder,
    InvalidState,
    NotFillable,
    UnknownOrder,
    WouldCross,
)

__all__ = [
    "ORDERS_MAX",
    "ORDER_ID_MAX",
    "PRICE_MAX",
    "PRICE_MIN",
    "REFUSALS",
    "SIZE_MAX",
    "Fill",
    "Level",
    "Order",
    "TimeInForce",
]

ORDER_ID_MAX: Final = 2**64 - 1
"""The largest order id; the smallest is 1."""

PRICE_MIN: Final = -(2**63)
"""The lowest price."""

PRICE_MAX: Final = 2**63 - 1
"""The highest price."""

SIZE_MAX: Final = 2**63 - 1
"""The largest size of an order and the largest sum of the sizes on one side; the smallest size is 1."""


ORDERS_MAX: Final = 16_777_216
"""How many orders a book may hold unless it is told another cap."""

REFUSALS: Final[tuple[type[Exception] | None, ...]] = (
    None,
    UnknownOrder,
    DuplicateOrder,
    InvalidOrder,
    WouldCross,
    NotFillable,
    BookFull,
    MemoryError,
    InvalidState,
)
"""Why `Book.match` passed an event over, by the number in its outcomes: 0 is none."""


class TimeInForce(IntEnum):
    """How long an order may wait. The numbers are those of MessageLimitOrder.TimeInForce."""

    GTC = 0
    """Until canceled: what does not fill at once rests."""
    IOC = 1
    """Immediate or cancel: what does not fill at once is dropped."""
    FOK = 2
    """Fill or kill: fills whole at once, or nothing happens."""


class Fill(NamedTuple):
    """One match, told of the resting order: `size` traded at `price`, `left` of it stays open."""

    order_id: int
    price: int
    size: int
    left: int


class Order(NamedTuple):
    """A resting order; `size` is what is open of it."""

    order_id: int
    is_ask: bool
    price: int
    size: int


class Level(NamedTuple):
    """One price of one side: the sum of the open sizes and the number of orders. Empty: both 0."""

    price: int
    size: int
    orders: int
