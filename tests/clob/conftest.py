"""Every rule of the book holds for the C book and for its plain-Python twin."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from sanitized import runtime_of

from ledgerx.clob import Book, _reference


@pytest.fixture(params=[Book, _reference.Book], ids=["c", "reference"])
def book_class(request: pytest.FixtureRequest) -> type[Book]:
    """The class under test; the twin has the same interface."""
    book_class: type[Book] = request.param
    return book_class


@pytest.fixture(scope="session")
def sanitizing_compiler() -> tuple[str, Path]:
    """A compiler with AddressSanitizer, and its runtime. Debian's gcc brings it."""
    for compiler in filter(None, (os.environ.get("CC"), "gcc", "cc")):
        runtime = runtime_of(compiler)
        if runtime is not None:
            return compiler, runtime
    pytest.skip("no gcc with libasan here: apt-get install gcc, or dnf install gcc libasan")
