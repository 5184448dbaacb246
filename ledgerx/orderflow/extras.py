"""The optional packages of order flow, imported when they are needed and named where they are missing."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ledgerx.errors import MissingExtra

__all__ = ["numpy", "pyarrow"]


def numpy(needed_for: str) -> Any:
    """NumPy. Raises MissingExtra saying what it is needed for."""
    return _package("numpy", needed_for)


def pyarrow(needed_for: str, part: str = "") -> Any:
    """A module of pyarrow, itself without `part`. Raises MissingExtra saying what it is needed for."""
    return _package(f"pyarrow.{part}" if part else "pyarrow", needed_for)


def _package(name: str, needed_for: str) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        raise MissingExtra("orderflow", needed_for) from error
