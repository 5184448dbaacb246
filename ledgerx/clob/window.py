"""A recorded book's window: the best levels that a file shows, against those that a book predicts.

Pure comparison, for whatever follows such a file. After each row a side is what was predicted, but for

* levels that left: predicted, and deeper than all that a full window shows;
* levels revealed: shown, and deeper than all that were predicted. Only a window that was full can hide
  them: had the row before shown fewer levels than it might, it would have shown these too.

Anything else is wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from ledgerx.clob import Level

__all__ = ["SAME", "SideChange", "Window"]


class SideChange(NamedTuple):
    """How a side that is shown differs from what was predicted. Pairs are (price, size).

    `left` and `revealed` hold levels, the best first. `wrong_level` is the first that is wrong, from 1 for
    the best, 0 if none; there `shown` and `predicted` differ, and None stands for no level. After a wrong
    level nothing more was compared.
    """

    left: Sequence[tuple[int, int]] = ()
    revealed: Sequence[tuple[int, int]] = ()
    wrong_level: int = 0
    shown: tuple[int, int] | None = None
    predicted: tuple[int, int] | None = None


SAME: Final = SideChange()
"""No difference."""


class Window:
    """Both sides of a file's window, row after row."""

    def __init__(self) -> None:
        self._full = [True, True]

    def compare(
        self, is_ask: bool, shown: Sequence[tuple[int, int]], predicted: Sequence[Level], levels: int
    ) -> SideChange:
        """One side of a row: what it shows, the best first, against the levels of a book.

        `levels` is how many the file shows at most; `predicted` must hold all up to that number and
        those that may leave. Before the first row all levels count as hidden: predict none.
        """
        was_full = self._full[is_ask]
        self._full[is_ask] = len(shown) >= levels
        expected = [(price, size) for price, size, _orders in predicted]
        if expected == list(shown):
            return SAME
        for place, (level, pair) in enumerate(zip(expected, shown, strict=False), start=1):
            if level != pair:
                return SideChange(wrong_level=place, shown=pair, predicted=level)
        common = min(len(expected), len(shown))
        left, revealed = expected[common:], shown[common:]
        if left and len(shown) < levels:
            return SideChange(wrong_level=common + 1, predicted=left[0])
        if revealed and not was_full:
            return SideChange(wrong_level=common + 1, shown=revealed[0])
        return SideChange(left, revealed)
