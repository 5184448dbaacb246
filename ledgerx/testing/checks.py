"""Checks that raise what they found."""

from __future__ import annotations

from ledgerx.errors import VerificationFailed

__all__ = ["check"]


def check(condition: bool, what: str) -> None:
    """Raise VerificationFailed with `what` should have been so, unless `condition` holds."""
    if not condition:
        raise VerificationFailed(f"this did not hold: {what}")
