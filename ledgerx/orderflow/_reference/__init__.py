"""The runtime in plain Python, the oracle of the native one: each rule written as its definition says.

Every answer is computed anew from what came in; nothing is clever and nothing is fast. Tests run over both.
"""

from __future__ import annotations

from ledgerx.orderflow._reference.engine import ReferenceEngine

__all__ = ["ReferenceEngine"]
