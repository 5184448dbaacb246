"""A local book on a test bench: the venue's book beside it, a feed that may lose, snapshots when wanted."""

from __future__ import annotations

from collections import deque
from typing import Any

from ledgerx.api.client import v0_0_1 as api
from ledgerx.clob import Book
from ledgerx.sdk.book import LocalBook

CONTRACT = 7


class VenueBook:
    """The venue's side: each change gives the updates that the feed carries."""

    def __init__(self) -> None:
        self.book = Book()
        self.run_id = 1
        self.sequence = 0
        self.order_id = 0
        self.account_sequence = 0
        self.own: set[int] = set()

    def submit(self, is_ask: bool, price: int, size: int, *, own: bool = False) -> list[Any]:
        """An order: the changes of those it meets, then what rests of it."""
        self.order_id += 1
        fills = self.book.submit(self.order_id, is_ask, price, size)
        updates = [self._update(fill.order_id, fill.left) for fill in fills]
        if self.order_id in self.book:
            updates.append(
                self._sequenced(
                    action=api.MessageBookUpdate.ADD,
                    order_id=self.order_id,
                    is_ask=is_ask,
                    price_in_cents=price,
                    size=self.book.order(self.order_id).size,
                )
            )
            if own:
                self.own.add(self.order_id)
        return updates

    def reduce(self, index: int, by: int) -> list[Any]:
        """Take some off an order, all of it with a large `by`."""
        orders = self.book.snapshot()
        if not orders:
            return []
        order = orders[index % len(orders)]
        return [self._update(order.order_id, self.book.reduce(order.order_id, min(by, order.size)))]

    def restart(self) -> None:
        """A new run with an empty book."""
        self.book.clear()
        self.run_id += 1
        self.sequence = 0

    def report(self, order_id: int) -> Any:
        """The next report to the account on an order of its own."""
        self.account_sequence += 1
        size = self.book.order(order_id).size if order_id in self.book else 0
        return api.MessageActionReport(
            mid=mid(order_id), order_id=order_id, size=size, account_sequence=self.account_sequence
        )

    def snapshot(self) -> Any:
        """The answer to MessageGetBookState as of now."""
        message = api.MessageBookStateSnapshot(
            contract_id=CONTRACT, run_id=self.run_id, sequence=self.sequence, as_of=self.account_sequence
        )
        message.checksum = self.book.checksum()
        for order in self.book.snapshot():
            message.orders.add(
                order_id=order.order_id,
                is_ask=order.is_ask,
                price_in_cents=order.price,
                size=order.size,
                mid=mid(order.order_id) if order.order_id in self.own else "",
            )
        return message

    def _update(self, order_id: int, left: int) -> Any:
        action = api.MessageBookUpdate.CHANGE if left else api.MessageBookUpdate.REMOVE
        return self._sequenced(action=action, order_id=order_id, size=left)

    def _sequenced(self, **fields: Any) -> Any:
        self.sequence += 1
        return api.MessageBookUpdate(
            contract_id=CONTRACT, run_id=self.run_id, sequence=self.sequence, **fields
        )


class BookBench:
    """A LocalBook, its owner's part played by the bench: questions wait until `answer`."""

    def __init__(self) -> None:
        self.venue = VenueBook()
        self.book = LocalBook(CONTRACT, self)
        self.asked = 0
        self.questions: deque[Any] = deque()  # None: not at the venue yet; else its answer
        self.dispatching = False

    # What the book asks of its owner.

    def ask_snapshot(self, book: LocalBook) -> None:
        assert book is self.book
        self.asked += 1
        self.questions.append(None)

    def is_dispatching(self) -> bool:
        return self.dispatching

    # What the test does.

    def heads(self) -> None:
        """The echo of the subscription, or a heartbeat."""
        self.book.heads(self.venue.run_id, self.venue.sequence)

    def feed(self, updates: list[Any]) -> None:
        for update in updates:
            self.book.update(update)

    def evaluate(self) -> None:
        """The questions reach the venue, which answers with its book of this moment."""
        for index, answer in enumerate(self.questions):
            if answer is None:
                self.questions[index] = self.venue.snapshot()

    def answer(self) -> None:
        """The oldest question's answer reaches the book, evaluated now if it was not before."""
        if self.questions:
            answer = self.questions.popleft()
            self.book.snapshot(self.venue.snapshot() if answer is None else answer)

    def settle(self) -> None:
        """Nothing changes any more: heartbeats go on and every question is answered."""
        for _ in range(10):
            self.heads()
            if not self.questions:
                return
            while self.questions:
                self.answer()
        raise AssertionError("the book asks without end")

    def check_equal(self) -> None:
        """The book is the venue's, order for order."""
        assert self.book.synchronised
        assert self.book.orders() == self.venue.book.snapshot()
        assert self.book.checksum() == self.venue.book.checksum()
        assert self.book.position == (self.venue.run_id, self.venue.sequence)
        own = {order_id: mid(order_id) for order_id in self.venue.own if order_id in self.venue.book}
        assert self.book.own == own


def mid(order_id: int) -> str:
    """The mid of an own order."""
    return f"{order_id:032x}"
