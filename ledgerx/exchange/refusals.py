"""How a request is refused inside the engine: one exception that carries the status. It never leaves it."""

from __future__ import annotations

from typing import Final

from ledgerx.api.client.v0_0_1 import MessageStatus

__all__ = ["QUOTED_CHARACTERS_MAX", "Refused", "quoted"]

QUOTED_CHARACTERS_MAX: Final = 64
"""How much of a text from a client is repeated to it."""


class Refused(Exception):
    """The request is refused and nothing was changed. `field` names what is at fault, if one field is."""

    def __init__(self, status: MessageStatus.Status, field: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.field = field
        self.message = message


def quoted(text: str) -> str:
    """A client's text for a sentence: in quotes, cut to QUOTED_CHARACTERS_MAX."""
    return repr(text if len(text) <= QUOTED_CHARACTERS_MAX else text[: QUOTED_CHARACTERS_MAX - 1] + "…")
