"""The order book, price-time priority: the SDK mirrors with it, the exchange matches with it."""

from __future__ import annotations

from ledgerx.clob._records import EVENT_BYTES, EVENT_DTYPE, EventKind
from ledgerx.clob._types import (
    ORDER_ID_MAX,
    ORDERS_MAX,
    PRICE_MAX,
    PRICE_MIN,
    SIZE_MAX,
    Fill,
    Level,
    Order,
    TimeInForce,
)
from ledgerx.errors import NotCompiled

try:
    from ledgerx.clob._clob import Book
except ImportError as error:
    raise NotCompiled("ledgerx.clob._clob") from error

__all__ = [
    "EVENT_BYTES",
    "EVENT_DTYPE",
    "ORDERS_MAX",
    "ORDER_ID_MAX",
    "PRICE_MAX",
    "PRICE_MIN",
    "SIZE_MAX",
    "Book",
    "EventKind",
    "Fill",
    "Level",
    "Order",
    "TimeInForce",
]
