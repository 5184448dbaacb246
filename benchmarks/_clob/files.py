"""The generated files, kept in a temporary folder by seed and size, and the forms that are run from them."""

from __future__ import annotations

import hashlib
import os
import struct
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from _clob import flow, incoming, model
from ledgerx.clob import PRICE_MAX, PRICE_MIN

CACHE = Path(tempfile.gettempdir()) / f"ledgerx-bench-clob-{os.getuid()}"
Event = tuple[int, int, bool, int, int]

CHUNK = 100
"""Events between two looks at the depth."""


def kept(name: str, make: Callable[[], tuple[bytes, ...]], parts: int) -> list[bytes]:
    """What `make` gives, from the temporary folder if the generators have not changed since."""
    digest = hashlib.sha256()
    for module in (flow, incoming, model):
        digest.update(Path(module.__file__ or "").read_bytes())
    stem = f"{name}-{digest.hexdigest()[:16]}"
    paths = [folder() / f"{stem}-{part}" for part in range(parts)]
    if not all(path.exists() for path in paths):
        for path, data in zip(paths, make(), strict=True):
            write(data, path.name)
    return [path.read_bytes() for path in paths]


def write(data: bytes, name: str) -> Path:
    """Puts a file into the temporary folder, whole or not at all."""
    fresh = folder() / f"{name}.{os.getpid()}"
    fresh.write_bytes(data)
    return fresh.rename(CACHE / name)


def folder() -> Path:
    """The temporary folder, which must be this user's own: a compiled module is loaded from it."""
    CACHE.mkdir(mode=0o700, exist_ok=True)
    found = CACHE.stat()
    if found.st_uid != os.getuid() or found.st_mode & 0o022:
        raise SystemExit(f"{CACHE} can be written by others: remove it")
    return CACHE


@dataclass
class Orders:
    """Records, of which the first `prefill` are not timed."""

    records: bytes
    prefill: int

    @cached_property
    def tuples(self) -> list[Event]:
        """(kind, order_id, is_ask, price, size), as `Book.apply_event` takes them."""
        return [(kind, i, bool(is_ask), price, size) for i, price, size, kind, is_ask in self.unpacked()]

    def unpacked(self) -> list[tuple[int, ...]]:
        return list(model.RECORD.iter_unpack(self.records))

    @cached_property
    def window(self) -> tuple[int, int, int]:
        """What the floor must be told: its lowest price, how many there are, and the highest id."""
        rows = self.unpacked()
        prices = [row[1] for row in rows if row[1]]
        return min(prices), max(prices) - min(prices) + 1, max(row[0] for row in rows)

    def __len__(self) -> int:
        return len(self.records) // model.RECORD.size - self.prefill


@dataclass
class Events(Orders):
    """Events for a mirror; `best` holds best bid and ask after each, as `Book.apply` records them."""

    best: bytes

    def best_after(self, index: int) -> tuple[int | None, int | None]:
        """The best prices after an event, counted with the prefill."""
        bid, ask = struct.unpack_from("<qq", self.best, 16 * index)
        return None if bid == PRICE_MIN else bid, None if ask == PRICE_MAX else ask

    @cached_property
    def chunks(self) -> list[list[Event]]:
        """The timed events, a hundred at a time."""
        return [self.tuples[at : at + CHUNK] for at in range(self.prefill, len(self.tuples), CHUNK)]


@dataclass
class Incoming(Orders):
    """Orders for a matching book, `count` of them timed, and what all must come to."""

    count: int
    outcome: incoming.Outcome

    @cached_property
    def submits(self) -> list[tuple[int, int, bool, int | None, int]]:
        """(time in force or CANCEL, order_id, is_ask, price, size), as `Book.submit` takes them."""
        return [
            (incoming.IOC, i, bool(is_ask), None, size)
            if kind == incoming.MARKET
            else (kind, i, bool(is_ask), price, size)
            for i, price, size, kind, is_ask in self.unpacked()
        ]


def load_events(shape: model.Shape, count: int, seed: int) -> Events:
    records, best = kept(f"{shape.name}-{count}-{seed}", lambda: flow.events(shape, count, seed), 2)
    return Events(records, shape.live, best)


def load_incoming(shape: model.Shape, count: int, seed: int) -> Incoming:
    def make() -> tuple[bytes, bytes]:
        records, outcome = incoming.incoming(shape, count, seed)
        return records, struct.pack("<qq", *outcome)

    records, outcome = kept(f"incoming-{shape.name}-{count}-{seed}", make, 2)
    return Incoming(records, shape.live, count, incoming.Outcome(*struct.unpack("<qq", outcome)))
