"""Every rule of the book holds for the C book and for its plain-Python twin."""

from __future__ import annotations

import pytest

from ledgerx.clob import Book, _reference


@pytest.fixture(params=[Book, _reference.Book], ids=["c", "reference"])
def book_class(request: pytest.FixtureRequest) -> type[Book]:
    """The class under test; the twin has the same interface."""
    book_class: type[Book] = request.param
    return book_class
