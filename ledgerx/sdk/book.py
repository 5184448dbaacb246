"""The local book of one contract: a mirror of the exchange's, kept from the public feed.

Sans-I/O. It takes the echo of its subscription, then a snapshot, then every update above it. A hole in
the topic's sequence, a head ahead of it or a newer run makes it stale, and it alone is fetched anew.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from ledgerx.api.client import v0_0_1 as api
from ledgerx.clob import Book, Level, Order
from ledgerx.errors import BookError, ConnectTimeout, Error, InvalidState

__all__ = ["BookOwner", "LocalBook"]

# Updates kept while a snapshot is on its way; with more, the snapshot is asked for again.
_UPDATES_WAITING_MAX = 100_000


class BookOwner(Protocol):
    """What a book asks of the Context that keeps it."""

    def ask_snapshot(self, book: LocalBook) -> None:
        """Have the exchange asked for the book's state, with `book.answer()` as the callback."""

    def is_dispatching(self) -> bool:
        """Whether the caller runs on the dispatch thread, where nothing can be waited for."""


class LocalBook:
    """What the exchange's book of one contract looks like from here.

    Prices are integer cents, sizes lots. Reading is safe from any thread; each call sees one moment of
    the book. While `synchronised` is False the book shows its last good state.
    """

    def __init__(self, contract_id: int, owner: BookOwner) -> None:
        self.contract_id = contract_id
        self.topic = f"book_update.{contract_id}"
        self.resynchronisations = 0
        self._owner = owner
        self._book = Book()
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._live = False
        self._asked = False  # a snapshot is on its way
        self._question = 0  # counts what was asked, and what connections ended
        self._position = (0, 0)  # (run_id, sequence) that the book is true at
        self._head = (0, 0)  # what the publisher last said of the topic on this connection
        self._waiting: list[Any] = []
        self._own: dict[int, tuple[str, int]] = {}  # order_id -> mid, account_sequence of the report
        self._failure: Error | None = None

    # ------------------------------------------------------------------ reading

    @property
    def synchronised(self) -> bool:
        """Whether every update up to the last known one has been applied."""
        return self._live

    @property
    def position(self) -> tuple[int, int]:
        """(run_id, sequence of the topic) the book is true at."""
        return self._position

    def wait_synchronised(self, timeout: float | None = None) -> None:
        """Wait until the book is true.

        Raises ConnectTimeout, why the exchange refused it, and InvalidState on the dispatch thread or when
        the Context ended.
        """
        if not self._live and self._owner.is_dispatching():
            raise InvalidState("a handler cannot wait for a book: it would wait for itself")
        with self._changed:
            self._changed.wait_for(lambda: self._live or self._failure is not None, timeout)
            if self._live:
                return
            if self._failure is not None:
                raise self._failure
        raise ConnectTimeout(f"the book of contract {self.contract_id} was not there in {timeout} s")

    def best(self, is_ask: bool) -> Level | None:
        """The best level of a side: (price, size, orders), or None."""
        with self._lock:
            return self._book.best(is_ask)

    def depth(self, is_ask: bool, levels: int) -> list[Level]:
        """The best `levels` levels of a side, best first."""
        with self._lock:
            return self._book.depth(is_ask, levels)

    def orders(self) -> list[Order]:
        """All resting orders: bids from the highest down, asks from the lowest up, oldest first."""
        with self._lock:
            return self._book.snapshot()

    def queue_position(self, order_id: int) -> tuple[int, int]:
        """(orders, lots) ahead of an order at its price. Raises UnknownOrder."""
        with self._lock:
            return self._book.queue_position(order_id)

    def checksum(self) -> int:
        """64 bits over all orders in priority order, equal to the exchange's of the same position."""
        with self._lock:
            return self._book.checksum()

    @property
    def own(self) -> Mapping[int, str]:
        """Resting orders of the account's own: order_id to the order's mid."""
        with self._lock:
            return {order_id: mid for order_id, (mid, _) in self._own.items() if order_id in self._book}

    def __len__(self) -> int:
        return len(self._book)

    # ------------------------------------------------------------------ feeding

    def disconnected(self) -> None:
        """The feed is gone; its echo will come on the next connection."""
        with self._lock:
            self._live = self._asked = False
            self._question += 1
            self._head = (0, 0)
            self._waiting.clear()

    def ended(self) -> None:
        """The Context ended: the book will not change any more."""
        with self._lock:
            self._live = False
            self._failure = InvalidState("the Context has ended, and its books with it")
            self._changed.notify_all()

    def heads(self, run_id: int, sequence: int) -> None:
        """The publisher says where the topic stands: the echo of the subscription, or a heartbeat."""
        with self._lock:
            self._head = max(self._head, (run_id, sequence))
            if self._live and self._head > self._position:
                self._stale()
            if not self._live and not self._asked:
                self._request()

    def update(self, message: Any) -> None:
        """One change from the feed."""
        with self._lock:
            if not self._live:
                if self._asked:
                    self._wait_for_snapshot(message)
                return
            self._apply(message)

    def answer(self) -> Callable[..., None]:
        """What to call with the answer to the question that is asked now; it counts until there is another.

        An answer of an older connection may come late, and from a venue that has lost what it showed: its
        position may be that of the book now, and its orders others.
        """
        question = self._question

        def answered(message: Any, request: Any = None) -> None:
            with self._lock:
                if question == self._question:
                    self.snapshot(message, request)

        return answered

    def snapshot(self, message: Any, request: Any = None) -> None:
        """The exchange's answer: the whole book, or a status that says why not. An item's callback."""
        with self._lock:
            if isinstance(message, api.MessageBookStateSnapshot):
                self._restore(message)
            elif isinstance(message, api.MessageStatus) and message.status >= 400:
                self._failure = Error(f"no book of contract {self.contract_id}: {message.message}")
                self._changed.notify_all()

    def mark(self, report: Any) -> None:
        """A report on an order of this account's own."""
        with self._lock:
            if report.size > 0:
                self._own[report.order_id] = (report.mid, report.account_sequence)
            else:
                self._own.pop(report.order_id, None)

    def _request(self) -> None:
        self._asked = True
        self._question += 1
        self._owner.ask_snapshot(self)

    def _stale(self) -> None:
        self._live = False
        self.resynchronisations += 1
        self._waiting.clear()

    def _wait_for_snapshot(self, message: Any) -> None:
        if len(self._waiting) >= _UPDATES_WAITING_MAX:
            self._waiting.clear()
            self._request()
        self._waiting.append(message)

    def _restore(self, message: api.MessageBookStateSnapshot) -> None:
        if not self._asked:
            return  # the connection it was asked for on is gone
        self._asked = False
        self._failure = None
        restored = (Order(o.order_id, o.is_ask, o.price_in_cents, o.size) for o in message.orders)
        self._book.restore(list(restored))
        # A report that is newer than the snapshot may have come before it.
        newer = {order_id: own for order_id, own in self._own.items() if own[1] > message.as_of}
        self._own = {o.order_id: (o.mid, message.as_of) for o in message.orders if o.mid} | newer
        self._position = (message.run_id, message.sequence)
        self._live = True
        waiting, self._waiting = self._waiting, []
        for update in waiting:
            if self._live:
                self._apply(update)
        if self._live and self._position < self._head:
            self._stale()  # the snapshot was asked for on an older connection
            self._request()
        self._changed.notify_all()

    def _apply(self, message: Any) -> None:
        run_id, sequence = self._position
        at = (message.run_id, message.sequence)
        if at <= self._position:
            return
        if at != (run_id, sequence + 1) or not self._changed_book(message):
            self._stale()
            self._request()
            return
        self._position = at

    def _changed_book(self, message: Any) -> bool:
        """Apply one update; False if it does not fit the book, which then is not what it should be."""
        book = self._book
        try:
            if message.action == api.MessageBookUpdate.ADD:
                book.add(message.order_id, message.is_ask, message.price_in_cents, message.size)
            elif message.action == api.MessageBookUpdate.CHANGE:
                book.reduce(message.order_id, book.order(message.order_id).size - message.size)
            elif message.action == api.MessageBookUpdate.REMOVE:
                book.cancel(message.order_id)
            else:
                return False  # an action of a newer version: its effect is in the next snapshot
        except BookError:
            return False
        return True
