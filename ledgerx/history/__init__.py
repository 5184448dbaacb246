"""History: candles from an Iceberg warehouse; what it lacks is fetched on demand.

The names are those of the manual, and load what they need when they are first named (extra `history`).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from ledgerx.history.client import OHLCClient
    from ledgerx.history.request import HistoryClient
    from ledgerx.history.warehouse import IcebergClient

__all__ = ["HistoryClient", "IcebergClient", "OHLCClient"]

_MODULES: Final = {
    "HistoryClient": "ledgerx.history.request",
    "IcebergClient": "ledgerx.history.warehouse",
    "OHLCClient": "ledgerx.history.client",
}


def __getattr__(name: str) -> Any:
    """Load a client when it is first named."""
    if name in _MODULES:
        return getattr(import_module(_MODULES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
