"""What a durable store keeps of a tracker, as data: the narrow protocol between the two.

Sans-I/O. The tracker says what must be in the file before a request leaves (`rows`, `to_save`) and when an
event was dispatched (`progress`); the file (request_file.py) writes it, and gives back a `Saved` at start.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from ledgerx.sdk.items import RequestItem

__all__ = ["Position", "Progress", "Row", "Saved", "Unsaved"]


class Position(NamedTuple):
    """Where a client is in its line. `epoch` grows with each baseline: numbers of two do not compare."""

    epoch: int = 0
    venue_id: str = ""
    first: int = 0
    next: int = 0


class Row(NamedTuple):
    """One request. `place` is its place in first-sent order; `message` the bytes that leave, once `stamped`.

    `batch` is the mid of the batch that carries it, "" for none.
    """

    place: int
    mid: str
    batch: str
    message: bytes
    stamped: bool
    timestamp: int


class Unsaved(NamedTuple):
    """What has to be in the file before more requests leave: a new baseline, requests that were stamped."""

    position: Position | None
    rows: list[Row]

    def __bool__(self) -> bool:
        return self.position is not None or bool(self.rows)


class Progress(NamedTuple):
    """What the file must say once an event was dispatched.

    `moved` are requests, by their place, with their new state and the last report's bytes (None: as before),
    `finished` those to be forgotten.
    """

    position: Position | None = None
    moved: tuple[tuple[int, int, bytes | None], ...] = ()
    finished: tuple[int, ...] = ()


@dataclass(slots=True)
class Saved:
    """What a file held when it was opened.

    `items` are the requests in progress in first-sent order, those of a batch as its members too;
    `clean` says that no handler was at work when it was last written.
    """

    position: Position = field(default_factory=Position)
    timestamp: int = 0
    clean: bool = True
    items: list[RequestItem] = field(default_factory=list)
