"""Who may connect: the ZAP handler's view of the accounts, and of the venue's own key for control.

The authenticator asks from a thread of its own, so the keys are one immutable set that is replaced whole.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

__all__ = ["CONTROL_DOMAIN", "TRADING_DOMAIN", "AccountKeys"]

TRADING_DOMAIN: Final = "trading"
CONTROL_DOMAIN: Final = "control"


class AccountKeys:
    """A credentials provider as pyzmq's authenticator takes one. Keys are Z85 text."""

    def __init__(self, keys: Iterable[str] = ()) -> None:
        self._keys = frozenset(keys)

    def replace(self, keys: Iterable[str]) -> None:
        """Let these in from now on, and no other."""
        self._keys = frozenset(keys)

    def callback(self, domain: str, key: bytes) -> bool:
        """Whether a client with this public key (Z85) is let in."""
        return key.decode("ascii") in self._keys
