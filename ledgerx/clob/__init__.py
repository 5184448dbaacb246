"""The order book, price-time priority: the SDK mirrors with it, the exchange matches with it."""

from __future__ import annotations

from collections.abc import Sequence

from ledgerx.clob._records import (
    EVENT_BYTES,
    EVENT_DTYPE,
    FILL_DTYPE,
    INCOMING_DTYPE,
    OUTCOME_DTYPE,
    EventKind,
)
from ledgerx.clob._types import (
    ORDER_ID_MAX,
    ORDERS_MAX,
    PRICE_MAX,
    PRICE_MIN,
    REFUSALS,
    SIZE_MAX,
    Fill,
    Level,
    Order,
    TimeInForce,
)
from ledgerx.errors import NotCompiled

try:
    from ledgerx.clob._clob import Book, Fills
except ImportError as error:
    raise NotCompiled("ledgerx.clob._clob") from error

Sequence.register(Fills)

__all__ = [
    "EVENT_BYTES",
    "EVENT_DTYPE",
    "FILL_DTYPE",
    "INCOMING_DTYPE",
    "ORDERS_MAX",
    "ORDER_ID_MAX",
    "OUTCOME_DTYPE",
    "PRICE_MAX",
    "PRICE_MIN",
    "REFUSALS",
    "SIZE_MAX",
    "Book",
    "EventKind",
    "Fill",
    "Fills",
    "Level",
    "Order",
    "TimeInForce",
]
