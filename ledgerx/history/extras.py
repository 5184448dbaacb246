"""What the extra `history` brings, or the error that names it."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ledgerx.errors import MissingExtra

__all__ = ["needed"]


def needed(module: str, needed_for: str, extra: str = "history") -> Any:
    """The module, imported. Raises MissingExtra naming the extra that brings it."""
    try:
        return import_module(module)
    except ImportError as error:
        raise MissingExtra(extra, needed_for) from error
