"""Order flow: books and trades go into a native engine; analytics, signals and data quality come out.

The names are those of the manual. `types` holds what an engine is told in.
"""

from __future__ import annotations

from ledgerx.errors import OrderflowArgError, OrderflowError, OrderflowStateError
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
    "EngineConfig",
    "ExternalFeedPolicy",
    "OrderflowArgError",
    "OrderflowError",
    "OrderflowStateError",
    "Side",
    "StreamKind",
    "Symbol",
]
