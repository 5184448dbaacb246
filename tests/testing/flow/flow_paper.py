"""A venue on paper for the flow's tests: applies steps to a book of its own and keeps the trades."""

from __future__ import annotations

import random
from collections import defaultdict

from ledgerx.clob import Book, Fill, TimeInForce
from ledgerx.testing.flow.schedule import Wave
from ledgerx.testing.flow.steps import Action, Step


class PaperVenue:
    """Knows the book and the owners, as a venue does, and nothing of the file."""

    def __init__(self) -> None:
        self.book = Book()
        self.owners: dict[int, int] = {}
        self.totals: dict[int, int] = {}
        self.filled: dict[int, int] = defaultdict(int)
        self.trades: dict[int, list[Fill]] = {}  # by the aggressor's number

    def apply(self, step: Step) -> None:
        assert step.size > 0
        if step.action in (Action.PLACE, Action.EXECUTE):
            assert step.order not in self.owners, "numbers are used once"
            self.owners[step.order], self.totals[step.order] = step.account, step.size
        else:
            order = self.book.order(step.order)
            assert self.owners[step.order] == step.account, "only the owner changes an order"
            assert (order.is_ask, order.price) == (step.is_ask, step.price)
        getattr(self, f"_{step.action.name.lower()}")(step)

    def run(self, wave: Wave, chance: random.Random) -> None:
        """The accounts' batches, interleaved at random; each in its own order."""
        queues = [list(reversed(steps)) for steps in wave.values()]
        while queues:
            queue = chance.choice(queues)
            self.apply(queue.pop())
            queues = [queue for queue in queues if queue]

    def _place(self, step: Step) -> None:
        assert self.book.submit(step.order, step.is_ask, step.price, step.size) == [], "placed orders rest"

    def _reduce(self, step: Step) -> None:
        left = step.size - self.filled[step.order]
        assert step.size < self.totals[step.order]
        self.totals[step.order] = step.size
        assert self.book.replace(step.order, step.price, left), "a smaller size keeps the place"

    def _cancel(self, step: Step) -> None:
        assert self.book.cancel(step.order) == step.size

    def _execute(self, step: Step) -> None:
        fills = self.book.submit(step.order, step.is_ask, step.price, step.size, TimeInForce.IOC)
        for fill in fills:
            assert self.owners[fill.order_id] != step.account, "nobody trades with himself"
            self.filled[fill.order_id] += fill.size
        self.trades[step.order] = fills
