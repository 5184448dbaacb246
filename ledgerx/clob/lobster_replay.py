"""A recorded day of the LOBSTER form, order by order through a `Book`, compared with the file's levels.

The file is a window of the best levels, so the book follows these rules:

* Row 1 is the state after message 1: each of its levels is one anonymous order; message 2 is the first
  that is carried out.
* When a price leaves the window its orders are dropped: what becomes of them is not in the file.
* A level that is revealed (new, and deeper than all that were known) is one anonymous order of the
  quantity shown, ahead in time of what follows there.
* What names an id that does not stand at that side and price is taken out of the anonymous order there.
* Hidden executions, auction trades and halts change nothing.
* A delete whose size is not what is left of its order takes its size off the level, as the file's levels
  do: if that is less, the rest stays as anonymous quantity; if more, that comes out of the anonymous order.

After each row the book's levels must be the row's to the recorded depth. A row is equal, or it is equal
and reveals a level, or it is wrong: then the book adopts what the file shows and goes on.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, NoReturn, cast

from ledgerx.clob import ORDER_ID_MAX, Book, EventKind
from ledgerx.clob._carrier import WRONG_KEPT_MAX, Carrier
from ledgerx.clob.lobster import MessageType, Row
from ledgerx.clob.window import SAME, SideChange, Window
from ledgerx.errors import BookError, InvalidData, InvalidState, UnknownOrder

__all__ = ["ANONYMOUS_ID_MIN", "LobsterCounts", "LobsterReplay", "WrongRow"]

ANONYMOUS_ID_MIN: Final = 10**19
"""The ids of anonymous orders begin here; those of the form have at most 19 digits."""

_LESS: Final = (MessageType.PARTIAL_CANCEL, MessageType.DELETE, MessageType.EXECUTION)


class WrongRow(NamedTuple):
    """A row at which book and file differ.

    `side` is "bid" or "ask", `level` counts from 1 for the best; "" and 0 if the levels agree although
    the book refused the message. `expected` is the file's (price, size), `got` the book's; None: no level.
    `reason` is the book's refusal, "" if there was none.
    """

    row: int
    side: str
    level: int
    expected: tuple[int, int] | None
    got: tuple[int, int] | None
    reason: str


@dataclass(frozen=True, kw_only=True)
class LobsterCounts:
    """What a replay found. `rows` is the first row + `equal` + `revealed` + `wrong`."""

    rows: int = 0
    equal: int = 0
    """Rows after which the book was the file's, and no level was new to it."""
    revealed: int = 0
    """Rows after which it was, and a level came into the window that was adopted."""
    wrong: int = 0
    """All other rows."""
    first_wrong: tuple[WrongRow, ...] = ()
    """The first ten of them."""

    new_orders: int = 0
    partial_cancels: int = 0
    deletes: int = 0
    executions: int = 0
    hidden_executions: int = 0
    auctions: int = 0
    halts: int = 0

    unknown_ids: int = 0
    """Partial cancels, deletes and executions of ids that the file has not introduced."""
    forgotten_ids: int = 0
    """The same of ids that it has, but whose order was dropped when its price left the window."""
    executions_known: int = 0
    """Executions of orders that stood under the file's id."""
    executions_at_head: int = 0
    """Those of them that were the first of their queue."""
    deletes_odd: int = 0
    """Deletes whose size is not what the file's own messages had left of the order."""
    deletes_odd_in_book: int = 0
    """Deletes whose size is not what stood of the order in the book."""

    events: int = 0
    """How many events the book was given."""
    orders: int = 0
    """How many orders stood at the end."""
    checksum: int = 0
    """The book's at the end."""

    @property
    def ok(self) -> bool:
        """Whether no row was wrong."""
        return not self.wrong


class LobsterReplay:
    """Feed it rows from the first on; `book` (None: a new one) follows them.

    `file` names the file in errors. With `keep_events` all that was done to the book is kept for `events`.
    Raises InvalidState if `book` is not empty.
    """

    def __init__(self, book: Book | None = None, *, file: str = "", keep_events: bool = False) -> None:
        self.book = Book() if book is None else book
        if len(self.book):
            raise InvalidState("a day must be replayed into an empty book")
        self._file = file
        self._carrier = Carrier(self.book, keep_events)
        self._window = Window()
        self._levels = 0
        self._last_anonymous = ORDER_ID_MAX + 1
        self._anonymous: dict[tuple[bool, int], list[int]] = {}
        self._left: dict[int, int] = {}  # by the file's messages alone, whatever the window hides
        self._types = [0] * (max(MessageType) + 1)
        self._counts: Counter[str] = Counter()
        self._wrong: list[WrongRow] = []

    @property
    def events(self) -> bytes:
        """The records of all events so far, for `Book.apply`. Raises InvalidState if they are not kept."""
        if self._carrier.kept is None:
            raise InvalidState("the replay was not told to keep its events")
        return bytes(self._carrier.kept)

    def counts(self) -> LobsterCounts:
        """What was found so far."""
        types = self._types
        return LobsterCounts(
            first_wrong=tuple(self._wrong),
            new_orders=types[MessageType.NEW],
            partial_cancels=types[MessageType.PARTIAL_CANCEL],
            deletes=types[MessageType.DELETE],
            executions=types[MessageType.EXECUTION],
            hidden_executions=types[MessageType.HIDDEN_EXECUTION],
            auctions=types[MessageType.AUCTION],
            halts=types[MessageType.HALT],
            events=self._carrier.count,
            orders=len(self.book),
            checksum=self.book.checksum(),
            **cast(dict[str, Any], self._counts),
        )

    def feed(self, row: Row) -> None:
        """One row. Raises InvalidData if its levels cannot be a book's, or their number has changed."""
        counts, refusal = self._counts, ""
        counts["rows"] += 1
        if counts["rows"] == 1:
            self._levels = row.levels
        else:  # the first row's message is already in the levels that it shows
            self._types[row.type] += 1
            try:
                self._message(row)
            except BookError as error:
                refusal = str(error)
        if row.levels != self._levels:
            self._fail(row, f"{row.levels} levels a side, not {self._levels} as before")
        try:
            self._compare(row, refusal)
        except BookError as error:
            self._fail(row, f"the book cannot adopt its levels: {error}", error)

    # ------------------------------------------------------------------ the message

    def _message(self, row: Row) -> None:
        if row.type is MessageType.NEW:
            self._left[row.order_id] = row.size
            self._carrier.do(EventKind.ADD, row.order_id, row.is_ask, row.price, row.size)
        elif row.type in _LESS:
            introduced = self._count_reduction(row)
            if row.order_id in self.book:
                order = self.book.order(row.order_id)
                if order.is_ask == row.is_ask and order.price == row.price:
                    self._take(row, order.size)
                    return
            self._counts["forgotten_ids" if introduced else "unknown_ids"] += 1
            self._take_anonymous(row, row.size)

    def _count_reduction(self, row: Row) -> bool:
        """Follows what the messages alone leave of an order; returns whether one introduced it."""
        left = self._left.pop(row.order_id, 0)
        if left and row.type is MessageType.DELETE:
            self._counts["deletes_odd"] += left != row.size
        elif left > row.size:
            self._left[row.order_id] = left - row.size
        return left > 0

    def _take(self, row: Row, open_size: int) -> None:
        """Takes the row's size off the order it names, which stands."""
        do, order_id = self._carrier.do, row.order_id
        if row.type is MessageType.EXECUTION:
            self._counts["executions_known"] += 1
            self._counts["executions_at_head"] += self.book.queue_position(order_id)[0] == 0
            do(EventKind.EXECUTE, order_id, size=row.size)
        elif row.type is MessageType.PARTIAL_CANCEL:
            do(EventKind.REDUCE, order_id, size=row.size)
        elif row.size >= open_size:
            do(EventKind.CANCEL, order_id)
        else:
            do(EventKind.REDUCE, order_id, size=row.size)
            self._anonymous.setdefault((row.is_ask, row.price), []).append(order_id)
        if row.type is MessageType.DELETE and row.size != open_size:
            self._counts["deletes_odd_in_book"] += 1
            if row.size > open_size:
                self._take_anonymous(row, row.size - open_size)

    def _take_anonymous(self, row: Row, size: int) -> None:
        """Takes `size` out of the anonymous orders of the row's level. Raises UnknownOrder if it lacks."""
        level = (row.is_ask, row.price)
        ids = [order_id for order_id in self._anonymous.pop(level, ()) if order_id in self.book]
        standing = [self.book.order(order_id) for order_id in ids]
        if ids:
            self._anonymous[level] = ids
        if sum(order.size for order in standing) < size:
            raise UnknownOrder(f"no order {row.order_id} at {row.price}, nor {size} of unknown orders there")
        kind = EventKind.EXECUTE if row.type is MessageType.EXECUTION else EventKind.REDUCE
        for order in standing:
            by = min(size, order.size)
            if by:
                self._carrier.do(kind, order.order_id, size=by)
                size -= by

    # ------------------------------------------------------------------ the levels

    def _compare(self, row: Row, refusal: str) -> None:
        depth, levels = self.book.depth, row.levels
        bids = self._window.compare(False, row.bids, depth(False, levels + 1), levels)
        asks = self._window.compare(True, row.asks, depth(True, levels + 1), levels)
        counts = self._counts
        if bids is SAME and asks is SAME and not refusal:
            counts["equal"] += counts["rows"] > 1
            return
        if refusal or bids.wrong_level or asks.wrong_level:
            counts["wrong"] += 1
            self._note_wrong(row, bids, asks, refusal)
            self._adopt(row)
            return
        for is_ask, change in ((False, bids), (True, asks)):
            for price, _size in change.left:
                self._drop(is_ask, price)
        for is_ask, change in ((False, bids), (True, asks)):
            for price, size in change.revealed:
                self._reveal(is_ask, price, size)
        if bids.revealed or asks.revealed:
            counts["revealed"] += counts["rows"] > 1
        else:
            counts["equal"] += counts["rows"] > 1

    def _note_wrong(self, row: Row, bids: SideChange, asks: SideChange, refusal: str) -> None:
        if len(self._wrong) == WRONG_KEPT_MAX:
            return
        side, change = ("bid", bids) if bids.wrong_level else ("ask", asks)
        if not change.wrong_level:
            side = ""
        self._wrong.append(
            WrongRow(row.number, side, change.wrong_level, change.shown, change.predicted, refusal)
        )

    def _adopt(self, row: Row) -> None:
        """Makes the book what the row shows: levels that differ become one anonymous order each."""
        sides = ((False, row.bids), (True, row.asks))
        for is_ask, shown in sides:
            for level in self.book.depth(is_ask, row.levels + 1):
                if (level.price, level.size) not in shown:
                    self._drop(is_ask, level.price)
        for is_ask, shown in sides:
            for price, size in shown:
                if not self.book.level(is_ask, price).size:
                    self._reveal(is_ask, price, size)

    def _drop(self, is_ask: bool, price: int) -> None:
        for order in self.book.orders(is_ask, price):
            self._carrier.do(EventKind.CANCEL, order.order_id)
        self._anonymous.pop((is_ask, price), None)

    def _reveal(self, is_ask: bool, price: int, size: int) -> None:
        self._last_anonymous -= 1
        self._carrier.do(EventKind.ADD, self._last_anonymous, is_ask, price, size)
        self._anonymous[is_ask, price] = [self._last_anonymous]

    def _fail(self, row: Row, what: str, cause: Exception | None = None) -> NoReturn:
        where = f"{self._file} row {row.number}".strip()
        raise InvalidData(f"{where}: {what}", file=self._file, row=row.number) from cause
