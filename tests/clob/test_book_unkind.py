"""Arguments and surroundings that mean the C book harm: its plain-Python twin has no such edges."""

from __future__ import annotations

import gc
import struct
from collections.abc import Callable
from typing import Any

import pytest

from ledgerx.clob import Book, Level
from ledgerx.clob._records import BEST_FORMAT
from ledgerx.errors import InvalidOrder


class Index:
    """An int by its __index__ alone."""

    def __init__(self, value: int) -> None:
        self.value = value

    def __index__(self) -> int:
        return self.value


@pytest.fixture
def book() -> Book:
    book = Book()
    for price in (10, 11, 12):
        book.add(price, False, price, 1)
    return book


def test_what_is_an_int_by_index_alone_may_leave_int64(book: Book) -> None:
    assert len(book.depth(False, Index(2**70))) == 3  # type: ignore[arg-type]
    assert book.depth(False, Index(-(2**70))) == []  # type: ignore[arg-type]
    assert book.depth(False, Index(1)) == [Level(12, 1, 1)]  # type: ignore[arg-type]
    with pytest.raises(InvalidOrder, match=r"size .* is not in 1 to"):
        book.reduce(10, Index(-(2**70)))  # type: ignore[arg-type]
    with pytest.raises(InvalidOrder, match=r"has less than .* open"):
        book.reduce(10, Index(2**70))  # type: ignore[arg-type]


@pytest.mark.parametrize("method", ["snapshot", "depth", "orders", "submit", "preview"])
def test_a_finalizer_may_change_the_book_that_is_being_told(method: str) -> None:
    """A collection that a new tuple starts, as Python before 3.12 has it, runs what it likes."""
    calls: dict[str, Callable[[], list[Any]]] = {
        "snapshot": lambda: book.snapshot(),
        "depth": lambda: book.depth(False, 5000),
        "orders": lambda: book.orders(False, 1),
        "submit": lambda: book.submit(9000, True, None, 5000),
        "preview": lambda: book.preview(True, None, 5000),
    }
    book = Book()
    for number in range(5000):
        book.add(number + 1, False, 1 if method == "orders" else number, 1)

    class Cycle:
        def __init__(self) -> None:
            self.me = self

        def __del__(self) -> None:
            book.restore([])

    gc.collect()
    Cycle()
    assert len(calls[method]()) == 5000
    gc.collect()
    assert len(book) == 0


def test_buffers_may_begin_at_any_address(book: Book) -> None:
    records = book.records()
    for offset in range(1, 8):
        applied, best = Book(), bytearray(8 + 16 * 3)
        assert (
            applied.apply(memoryview(bytes(offset) + records)[offset:], memoryview(best)[offset:][: 16 * 3])
            == 3
        )
        assert applied.records() == records
        assert [bid for bid, _ in struct.iter_unpack(BEST_FORMAT, best[offset:][: 16 * 3])] == [12, 12, 12]
