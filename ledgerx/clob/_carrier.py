"""What both replays share: carrying events out on a book, and keeping them for `Book.apply` if asked."""

from __future__ import annotations

import struct
from typing import Final

from ledgerx.clob import Book, EventKind
from ledgerx.clob._records import EVENT_FORMAT

__all__ = ["WRONG_KEPT_MAX", "Carrier"]

WRONG_KEPT_MAX: Final = 10
"""How many wrong rows or records a result names; all are counted."""

_PACK = struct.Struct(EVENT_FORMAT).pack


class Carrier:
    """One book. `count` is how many events it took; `kept` holds their records, None if not asked for."""

    __slots__ = ("_apply", "book", "count", "kept")

    def __init__(self, book: Book, keep: bool) -> None:
        self.book = book
        self.count = 0
        self.kept = bytearray() if keep else None
        self._apply = book.apply_event

    def do(self, kind: EventKind, order_id: int, is_ask: bool = False, price: int = 0, size: int = 0) -> None:
        """One event. Raises BookError as the book does; then nothing was kept."""
        self._apply(kind, order_id, is_ask, price, size)
        self.count += 1
        if self.kept is not None:
            self.kept += _PACK(order_id, price, size, kind, is_ask)
