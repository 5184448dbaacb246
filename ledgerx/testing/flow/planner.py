"""From the rows of a recorded day to the steps of live traders. Pure: no I/O, no clock, no chance.

The venue's book, as these steps make it, equals the file's after every row:

* a new order is placed by the trader whose turn it is, a partial cancel is a cancel-replace to a smaller
  total, a delete a cancel;
* an execution is an immediate-or-cancel order at the recorded price and size, sent by a trader who owns
  none of what it hits;
* levels that leave the file's window are canceled; levels that enter it, and the opening book of row 1,
  are placed by the house as one anonymous order each, ahead in time of what follows there; what names
  an order the file never showed comes out of that one;
* hidden executions, auctions and halts change no visible level and send nothing.

Each row is checked against what the steps before it predict: a level is equal, or new and deeper than
all that were predicted (revealed), or the file is at odds with itself and InvalidData says where.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn

from ledgerx.clob import Fill, TimeInForce
from ledgerx.clob.lobster import MessageType, Row
from ledgerx.clob.window import Window
from ledgerx.errors import BookError, InvalidData, InvalidField
from ledgerx.testing.flow.standing import Standing, StandingOrders
from ledgerx.testing.flow.steps import HOUSE, Action, Step

__all__ = ["PRICE_UNITS_PER_CENT", "TURN_ROWS", "Plan", "Planner"]

PRICE_UNITS_PER_CENT = 100
"""LOBSTER's prices are dollars x 10,000."""

TURN_ROWS = 50
"""For how many rows one trader places the new orders before the next one does."""


@dataclass
class Plan:
    """What was planned so far. `rows` = the first + `equal` + `revealed`."""

    rows: int = 0
    equal: int = 0
    revealed: int = 0
    orders: int = 0
    house_orders: int = 0
    reductions: int = 0
    cancels: int = 0
    executions: int = 0
    executions_shown: int = 0
    executions_at_head: int = 0
    requeued: int = 0
    hidden_executions: int = 0
    auctions: int = 0
    halts: int = 0


class Planner:
    """Feed it rows, get steps. Traders are accounts 1 to `traders` (at least 2), the house is 0.

    `orders` is the mirror of the venue's book; `file` names the file in errors. After an error the
    planner is of no further use.
    """

    def __init__(self, traders: int = 4, *, file: str = "") -> None:
        if traders < 2:
            raise InvalidField(
                "an execution needs a trader besides the owner", field="traders", value=traders
            )
        self.plan = Plan()
        self.orders = StandingOrders()
        self._file = file
        self._traders = traders
        self._aggressor = traders
        self._last_number = 0
        self._shown = Window()

    def feed(self, row: Row) -> list[Step]:
        """The steps of one row. Raises InvalidData for a row that does not follow from those before."""
        self.plan.rows += 1
        try:
            if self.plan.rows == 1:  # its message is already in the levels that it shows
                return list(self._window(row))
            return [*self._message(row), *self._window(row)]
        except BookError as error:
            self._fail(row, "", str(error), error)

    # ------------------------------------------------------------------ the message

    def _message(self, row: Row) -> Iterator[Step]:
        plan = self.plan
        if row.type is MessageType.NEW:
            yield self._new(row)
        elif row.type in (MessageType.PARTIAL_CANCEL, MessageType.DELETE):
            yield from self._less(row)
        elif row.type is MessageType.EXECUTION:
            yield from self._execution(row)
        elif row.type is MessageType.HIDDEN_EXECUTION:
            plan.hidden_executions += 1
        elif row.type is MessageType.AUCTION:
            plan.auctions += 1
        else:
            plan.halts += 1

    def _new(self, row: Row) -> Step:
        if row.order_id == 0 or self.orders.knows(row.order_id):
            self._fail(row, "order id", f"{row.order_id} cannot be a new order's")
        trader = 1 + row.number // TURN_ROWS % self._traders
        return self._place(row, trader, row.is_ask, self._cents(row, row.price), row.size, row.order_id)

    def _less(self, row: Row) -> Iterator[Step]:
        price = self._cents(row, row.price)
        missing = row.size
        named = self.orders.named(row.order_id, row.is_ask, price)
        for standing, by in self.orders.reduce(named, row.is_ask, price, row.size):
            missing -= by
            yield self._changed(row, standing, by)
        if missing:
            self._fail(row, "size", f"{row.size} is more than {row.price} holds, by {missing}")

    def _execution(self, row: Row) -> Iterator[Step]:
        price, book = self._cents(row, row.price), self.orders.book
        yield from self._correct_queue(row, price)
        fills = list(book.preview(not row.is_ask, price, row.size))
        if sum(fill.size for fill in fills) != row.size or any(fill.price != price for fill in fills):
            self._fail(row, "price", f"{row.size} at {row.price} is not what the best level gives: {fills}")
        named = self.orders.named(row.order_id, row.is_ask, price)
        expected, shown = (0, False) if named is None else (named.number, named.file_id != 0)
        self.plan.executions += 1
        self.plan.executions_shown += shown
        self.plan.executions_at_head += shown and all(fill.order_id == expected for fill in fills)
        for account, size in self._aggressors(fills):
            number = self._next_number()
            self.orders.filled(book.submit(number, not row.is_ask, price, size, TimeInForce.IOC))
            yield Step(
                Action.EXECUTE, row.number, account, number, not row.is_ask, price, size, expected, shown
            )
        self.orders.execute(named, row.size)

    def _correct_queue(self, row: Row, price: int) -> Iterator[Step]:
        """Moves orders to the back where the file proves that an anonymous order stands elsewhere.

        Where an anonymous quantity stands in its queue is a guess. An execution of an order behind it
        proves that it stands behind; an execution out of it proves that it stands before what is ahead
        of it. (So it is at an opening, where the file adds orders older than those of row 1.) Orders
        that the file has shown never change places among themselves.
        """
        named = self.orders.named(row.order_id, row.is_ask, price)
        if named is None or self.orders.left(named) == 0:
            return
        ahead: list[Standing] = []
        for order in self.orders.book.orders(row.is_ask, price):
            if order.order_id == named.number:
                break
            ahead.append(self.orders.standing(order.order_id))
        for standing in ahead:
            if (standing.file_id == 0) != (named.file_id == 0):
                number = self._next_number()
                size = self.orders.requeue(standing, number)
                self.plan.requeued += 1
                account, side = standing.account, standing.is_ask
                yield Step(Action.CANCEL, row.number, account, standing.number, side, price, size)
                yield Step(Action.PLACE, row.number, account, number, side, price, size)

    def _aggressors(self, fills: list[Fill]) -> list[tuple[int, int]]:
        """Who sends how much: one order, unless every trader owns a part of what it would hit."""
        sent: list[tuple[int, int]] = []
        size = 0
        owners: set[int] = set()
        for fill in fills:
            owner = self.orders.standing(fill.order_id).account
            if size and self._free_trader(owners | {owner}) is None:
                sent.append((self._aggressor, size))
                size, owners = 0, set()
            owners.add(owner)
            size += fill.size
            # The same one as before if possible: a run of one account's orders travels together.
            self._aggressor = self._free_trader(owners) or self._aggressor
        sent.append((self._aggressor, size))
        return sent

    def _free_trader(self, owners: set[int]) -> int | None:
        for step in range(self._traders):
            trader = 1 + (self._aggressor - 1 + step) % self._traders
            if trader not in owners:
                return trader
        return None

    # ------------------------------------------------------------------ the window

    def _window(self, row: Row) -> Iterator[Step]:
        """Brings the mirror to what the row shows: drops what left, places what was revealed."""
        placed = self.plan.house_orders
        yield from self._window_side(row, False, row.bids)
        yield from self._window_side(row, True, row.asks)
        revealed = self.plan.house_orders > placed
        if self.plan.rows > 1:
            self.plan.revealed += revealed
            self.plan.equal += not revealed

    def _window_side(self, row: Row, is_ask: bool, levels: tuple[tuple[int, int], ...]) -> Iterator[Step]:
        shown = [(self._cents(row, price), size) for price, size in levels]
        predicted = self.orders.book.depth(is_ask, row.levels + 2)
        change = self._shown.compare(is_ask, shown, predicted, row.levels)
        if change.wrong_level:
            level = f"{'ask' if is_ask else 'bid'} level {change.wrong_level}"
            self._fail(row, level, f"{change.shown or 'absent'}, predicted {change.predicted or 'none'}")
        for price, size in change.revealed:
            yield self._place(row, HOUSE, is_ask, price, size, 0)
        for price, _size in change.left:
            for standing, by in self.orders.drop(is_ask, price):
                yield self._changed(row, standing, by)

    # ------------------------------------------------------------------ steps

    def _next_number(self) -> int:
        self._last_number += 1
        return self._last_number

    def _place(self, row: Row, account: int, is_ask: bool, price: int, size: int, file_id: int) -> Step:
        number = self._next_number()
        self.orders.place(number, account, is_ask, price, size, file_id)
        self.plan.orders += account != HOUSE
        self.plan.house_orders += account == HOUSE
        return Step(Action.PLACE, row.number, account, number, is_ask, price, size)

    def _changed(self, row: Row, standing: Standing, by: int) -> Step:
        """The command for `by` taken off an order, which the mirror has done already."""
        action, size = Action.REDUCE, standing.total
        if standing.number not in self.orders.book:
            action, size = Action.CANCEL, by
        self.plan.cancels += action is Action.CANCEL
        self.plan.reductions += action is Action.REDUCE
        is_ask, price = standing.is_ask, standing.price
        return Step(action, row.number, standing.account, standing.number, is_ask, price, size)

    def _cents(self, row: Row, price: int) -> int:
        """A LOBSTER price in cents. Raises InvalidData if it is none."""
        cents, rest = divmod(price, PRICE_UNITS_PER_CENT)
        if rest:
            self._fail(row, "price", f"{price} is no whole number of cents")
        return cents

    def _fail(self, row: Row, field: str, what: str, cause: Exception | None = None) -> NoReturn:
        where = f"{self._file} row {row.number}".strip() + (f", {field}" if field else "")
        raise InvalidData(f"{where}: {what}", file=self._file, row=row.number, field=field) from cause
