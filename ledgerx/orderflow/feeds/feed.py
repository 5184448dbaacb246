"""What an engine asks of a feed that brings it events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ledgerx.orderflow.api import Engine

__all__ = ["Feed"]


class Feed(Protocol):
    """A source of trades and book events, drained by `Engine.poll_once` in the caller's thread."""

    def open(self, engine: Engine) -> None:
        """Begin to serve `engine`; called once, by `Engine.attach`."""

    def drain(self) -> int:
        """Ingest what is there and return how many events that was; never wait for more."""

    def close(self) -> None:
        """End; called once, by `Engine.close`."""
