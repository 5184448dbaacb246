"""The order book, price-time priority: the SDK mirrors with it, the exchange matches with it."""

from __future__ import annotations

from ledgerx.clob._reference import Book
from ledgerx.clob._types import (
    ORDER_ID_MAX,
    PRICE_MAX,
    PRICE_MIN,
    SIZE_MAX,
    Fill,
    Level,
    Order,
    TimeInForce,
)

__all__ = [
    "ORDER_ID_MAX",
    "PRICE_MAX",
    "PRICE_MIN",
    "SIZE_MAX",
    "Book",
    "Fill",
    "Level",
    "Order",
    "TimeInForce",
]
