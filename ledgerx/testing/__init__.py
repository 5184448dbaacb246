"""Public tools for testing against ledgerx: what its own tests use, users get too."""

from __future__ import annotations

__all__: list[str] = []
