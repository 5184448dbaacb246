"""Arguments and surroundings that mean the C book harm: its plain-Python twin has no such edges."""

from __future__ import annotations

import pytest

from ledgerx.clob import Book, Level
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
