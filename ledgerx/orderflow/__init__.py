"""Order flow: books and trades go into a native engine; analytics, signals and data quality come out.

The names are those of the manual. `api` holds the engine, `types` what it is told in, `feeds` what brings it
events.
"""

from __future__ import annotations

from ledgerx.errors import OrderflowArgError, OrderflowError, OrderflowStateError
from ledgerx.orderflow.api import Engine
from ledgerx.orderflow.types import (
    BookAction,
    DataQualityFlags,
    EngineConfig,
    ExternalFeedPolicy,
    Side,
    StreamKind,
    Symbol,
)

__all__ = [
    "BookAction",
    "DataQualityFlags",
    "Engine",
    "EngineConfig",
    "ExternalFeedPolicy",
    "OrderflowArgError",
    "OrderflowError",
    "OrderflowStateError",
    "Side",
    "StreamKind",
    "Symbol",
]
