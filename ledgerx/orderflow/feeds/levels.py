"""From pictures of a book to events of its levels: what changed at each index."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest

from ledgerx.orderflow.types import BookAction, Side

__all__ = ["LevelChange", "LevelChanges"]

LevelChange = tuple[Side, int, int, int, BookAction]
"""side, level, price, size, action"""
PriceAndSize = tuple[int, int]


class LevelChanges:
    """Remembers what was told of each side and yields what is to be told next."""

    def __init__(self) -> None:
        self._told: dict[Side, list[PriceAndSize]] = {Side.BID: [], Side.ASK: []}

    def of(self, side: Side, levels: Iterable[Sequence[int]]) -> Iterator[LevelChange]:
        """The changes to `levels`, each (price, size, ...), best first."""
        now = [(level[0], level[1]) for level in levels]
        before, self._told[side] = self._told[side], now
        if now == before:
            return
        for index, (old, new) in enumerate(zip_longest(before, now)):
            if new is None:
                yield side, index, old[0], 0, BookAction.DELETE
            elif new != old:
                yield side, index, new[0], new[1], BookAction.UPSERT
