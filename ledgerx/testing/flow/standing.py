"""The orders that the flow has standing at the venue, and what the file believes of each.

Both agree but where the file executed another order than the head of the queue. The venue then filled
the head instead, and until the file catches up one order has more open than the file says (an excess)
and another has less; per price the sums stay equal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ledgerx.clob import Book, Fill

__all__ = ["Standing", "StandingOrders"]


class Standing:
    """One order placed by the flow.

    `total` is its size less what was canceled, as a cancel-replace states it; `due` is what the file
    says is open. `file_id` is 0 for the anonymous order of a level.
    """

    __slots__ = ("account", "due", "file_id", "is_ask", "number", "price", "total")

    def __init__(self, number: int, account: int, is_ask: bool, price: int, size: int, file_id: int) -> None:
        self.number = number
        self.account = account
        self.is_ask = is_ask
        self.price = price
        self.total = size
        self.due = size
        self.file_id = file_id


class StandingOrders:
    """The mirror of the venue's book, by the flow's numbers, by the file's ids, and anonymous by level."""

    def __init__(self) -> None:
        self.book = Book()
        self._by_number: dict[int, Standing] = {}
        self._by_file_id: dict[int, Standing] = {}
        self._anonymous: dict[tuple[bool, int], Standing] = {}

    def knows(self, file_id: int) -> bool:
        """Whether an order of that id of the file stands."""
        return file_id in self._by_file_id

    def place(self, number: int, account: int, is_ask: bool, price: int, size: int, file_id: int) -> None:
        """Rests an order; `file_id` 0 makes it the anonymous one of its level.

        Raises BookError as `Book.add` does.
        """
        self.book.add(number, is_ask, price, size)
        standing = self._by_number[number] = Standing(number, account, is_ask, price, size, file_id)
        if file_id:
            self._by_file_id[file_id] = standing
        else:
            self._anonymous[is_ask, price] = standing

    def named(self, file_id: int, is_ask: bool, price: int) -> Standing | None:
        """The order the file means: the known one, else the anonymous one of the level if it stands."""
        known = self._by_file_id.get(file_id)
        if known is not None and (known.is_ask, known.price) == (is_ask, price):
            return known
        return self._anonymous.get((is_ask, price))

    def left(self, standing: Standing) -> int:
        """What is open of an order at the venue."""
        return self.book.order(standing.number).size if standing.number in self.book else 0

    def filled(self, fills: Iterable[Fill]) -> None:
        """Forgets orders that the venue filled whole, unless the file still has them."""
        for fill in fills:
            if not fill.left:
                self._settle(self._by_number[fill.order_id])

    def requeue(self, standing: Standing, number: int) -> int:
        """Moves an order to the back of its queue under a new `number`; returns its open size."""
        size = self.book.cancel(standing.number)
        del self._by_number[standing.number]
        self.place(number, standing.account, standing.is_ask, standing.price, size, standing.file_id)
        self._by_number[number].due = standing.due
        return size

    def standing(self, number: int) -> Standing:
        """The order of that number, which must stand."""
        return self._by_number[number]

    def execute(self, named: Standing | None, size: int) -> None:
        """Notes that the file executed `size` of the order it names."""
        if named is not None:
            named.due = max(0, named.due - size)
            self._settle(named)

    def reduce(
        self, named: Standing | None, is_ask: bool, price: int, size: int
    ) -> Iterator[tuple[Standing, int]]:
        """Takes `size` off a level as the file says; yields each order and what it loses.

        The named order loses what brings it to what the file says is left of it; what remains of `size`
        comes from orders with an excess, then (a file at odds with itself) from any order there. Yields
        less than `size` in all if the level holds less.
        """
        if named is not None:
            named.due = max(0, named.due - size)
            by = min(size, max(0, self.left(named) - named.due))
            if by:
                size -= by
                yield self._take(named, by)
            self._settle(named)
        for only_excess in (True, False):
            for order in self.book.orders(is_ask, price) if size else []:
                standing = self._by_number[order.order_id]
                by = min(size, max(0, order.size - standing.due) if only_excess else order.size)
                if by:
                    size -= by
                    standing.due = min(standing.due, order.size - by)
                    yield self._take(standing, by)

    def drop(self, is_ask: bool, price: int) -> Iterator[tuple[Standing, int]]:
        """Takes away every order of a level; yields each and what was open of it."""
        for order in self.book.orders(is_ask, price):
            standing = self._by_number[order.order_id]
            standing.due = 0
            yield self._take(standing, order.size)

    def _take(self, standing: Standing, by: int) -> tuple[Standing, int]:
        standing.total -= by
        if self.book.reduce(standing.number, by) == 0:
            self._settle(standing)
        return standing, by

    def _settle(self, standing: Standing) -> None:
        """Forgets an order that neither the venue nor the file has any more."""
        if standing.number not in self.book and not standing.due:
            self._by_number.pop(standing.number, None)
            if self._by_file_id.get(standing.file_id) is standing:
                del self._by_file_id[standing.file_id]
            level = (standing.is_ask, standing.price)
            if self._anonymous.get(level) is standing:
                del self._anonymous[level]
