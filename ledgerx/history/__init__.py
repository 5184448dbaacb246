"""History: candles from an Iceberg warehouse; what it lacks is fetched on demand.

The names are those of the manual, and load what they need when they are first named (extra `history`).
"""

from __future__ import annotations

__all__: list[str] = []
