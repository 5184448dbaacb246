"""The reference exchange: a venue that anyone can start on a laptop, with the command line or in Python.

    from ledgerx.exchange import Exchange

Nothing else is imported until it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ledgerx.exchange._exchange import Exchange

__all__ = ["Exchange"]


def __getattr__(name: str) -> Any:
    if name == "Exchange":
        from ledgerx.exchange._exchange import Exchange

        return Exchange
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
