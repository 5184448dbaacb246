"""What the traders of a recorded day do: the planner's output, before it becomes commands."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

__all__ = ["HOUSE", "Action", "Step"]

HOUSE = 0
"""The account that places what the file does not explain: the opening book and revealed levels."""


class Action(IntEnum):
    """The four things a trader sends."""

    PLACE = 1
    """A limit order that rests."""
    REDUCE = 2
    """A cancel-replace to the smaller total `size` at the same price, which keeps the order's place."""
    CANCEL = 3
    """A cancel of all that is left; `size` is that."""
    EXECUTE = 4
    """An immediate-or-cancel limit order that takes `size` at `price`."""


class Step(NamedTuple):
    """One command of one account.

    `row` is the file's row that causes it; `order` is the flow's own number of the order placed, changed
    or (EXECUTE) sent as aggressor; `is_ask` is that order's side; prices are cents, sizes lots.

    Of an EXECUTE, `expected` is the number of the resting order that the file says was hit, 0 if the
    file names none that stands; `shown` tells whether the file has shown that order arriving.
    """

    action: Action
    row: int
    account: int
    order: int
    is_ask: bool
    price: int
    size: int
    expected: int = 0
    shown: bool = False
