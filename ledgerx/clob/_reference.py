"""The order book in plain Python: price-time priority, all integers, no I/O and no clock.

It is the oracle of any faster book with this interface, so each rule stands in a docstring here. Fills are
a list here, and a `Fills` that equals it there.

* Of one side, the better price goes first (bids: higher, asks: lower); of one price, who came first.
* An order trades at the price of the resting order it meets.
* The book is never crossed: the best bid is below the best ask, whenever both exist.
* A refused call changes nothing. Where several errors apply, this is their order: TypeError (an id, price
  or size that is no int), InvalidOrder for what the arguments alone show, DuplicateOrder or UnknownOrder,
  InvalidOrder for what it takes the book to see, BookFull, WouldCross, NotFillable.
* Prices are any signed 64-bit integer, sizes 1 to 2**63 - 1, ids 1 to 2**64 - 1. The sizes on one side
  sum to at most 2**63 - 1: an order that could bring them above is an InvalidOrder. A book holds at most
  `orders_max` orders: while it does, one that could rest is refused with BookFull.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NoReturn

from ledgerx.clob._checksum import checksum_of
from ledgerx.clob._records import (
    BEST_BYTES,
    BEST_FORMAT,
    EVENT_BYTES,
    EVENT_FORMAT,
    INCOMING_FORMAT,
    OUTCOME_BYTES,
    OUTCOME_FORMAT,
    Buffer,
    EventKind,
    incoming_of,
    output_of,
    records_of,
)
from ledgerx.clob._side import Resting, Side
from ledgerx.clob._types import (
    ORDER_ID_MAX,
    ORDERS_MAX,
    PRICE_MAX,
    PRICE_MIN,
    REFUSALS,
    SIZE_MAX,
    Fill,
    Level,
    Order,
    TimeInForce,
)
from ledgerx.errors import (
    BookError,
    BookFull,
    DuplicateOrder,
    InvalidOrder,
    NotFillable,
    UnknownOrder,
    WouldCross,
)

__all__ = ["Book"]


class Book:
    """One contract's resting orders, empty at first, at most `orders_max` of them.

    Not thread-safe: one owner at a time. Raises InvalidOrder if `orders_max` is not in 1 to 2**31.
    """

    __slots__ = ("_asks", "_bids", "_orders", "_orders_max")

    def __init__(self, orders_max: int = ORDERS_MAX) -> None:
        if not 1 <= orders_max | 0 <= 2**31:
            raise InvalidOrder(f"orders_max {orders_max} is not in 1 to {2**31}")
        self._orders_max = orders_max
        self._bids = Side(is_ask=False)
        self._asks = Side(is_ask=True)
        self._orders: dict[int, Resting] = {}

    # ------------------------------------------------------------------ orders in

    def add(self, order_id: int, is_ask: bool, price: int, size: int) -> None:
        """Rests an order at the back of its price's queue; never trades (for a mirror of another book).

        Raises InvalidOrder, DuplicateOrder, and WouldCross if the other side's best price reaches it.
        """
        own, other = (self._asks, self._bids) if is_ask else (self._bids, self._asks)
        if not (  # `|` refuses what is no int, at the least cost
            0 < order_id | 0 <= ORDER_ID_MAX
            and PRICE_MIN <= price | 0 <= PRICE_MAX
            and 0 < size | 0 <= SIZE_MAX - own.size
            and order_id not in self._orders
            and len(self._orders) < self._orders_max
        ):
            self._refuse(own, order_id, price, size)
        if other.keys and other.keys[-1] >= price * other.sign:
            raise WouldCross(f"order {order_id} at {price} would trade with {self.best(not is_ask)}")
        self._orders[order_id] = own.append(order_id, price, size)

    def submit(
        self,
        order_id: int,
        is_ask: bool,
        price: int | None,
        size: int,
        time_in_force: int = TimeInForce.GTC,
        post_only: bool = False,
    ) -> list[Fill]:
        """Matches an incoming order and returns its fills in the order they happened.

        `price` None is a market order, which meets every price. What remains, `size` less the sum of
        the fills' sizes, rests at the back of its price's queue if the order is GTC and has a price, and
        is dropped otherwise.

        Raises InvalidOrder (an unknown `time_in_force` too), DuplicateOrder, WouldCross if `post_only`
        and it would trade, NotFillable if FOK and the other side holds less than `size` at `price` or
        better. For the limit on a side's sum, a GTC order with a price counts with its whole size.
        """
        own, other = (self._asks, self._bids) if is_ask else (self._bids, self._asks)
        limit = 0 if price is None else price
        rests = price is not None and time_in_force == TimeInForce.GTC
        if not (
            0 < order_id | 0 <= ORDER_ID_MAX
            and PRICE_MIN <= limit | 0 <= PRICE_MAX
            and 0 < size | 0 <= (SIZE_MAX - own.size if rests else SIZE_MAX)
            and order_id not in self._orders
            and 0 <= time_in_force | 0 <= 2
            and not (rests and len(self._orders) >= self._orders_max)
        ):
            self._refuse(own, order_id, limit, size, time_in_force)
        fills: list[Fill] = []
        if other.keys and (price is None or other.keys[-1] >= price * other.sign):
            if post_only:
                raise WouldCross(f"post-only order {order_id} at {price} would trade")
            if time_in_force == TimeInForce.FOK and not other.holds(price, size):
                raise NotFillable(f"order {order_id} cannot fill {size} at {price}")
            size -= self._match(other, price, size, fills)
        elif time_in_force == TimeInForce.FOK:
            raise NotFillable(f"order {order_id} meets nothing at {price}")
        if rests and size:
            self._orders[order_id] = own.append(order_id, limit, size)
        return fills

    def preview(self, is_ask: bool, price: int | None, size: int) -> list[Fill]:
        """What `submit` would fill, without a change. Raises InvalidOrder for a bad size or price."""
        self._check_range(1, 0 if price is None else price, size)
        fills: list[Fill] = []
        for resting in (self._bids if is_ask else self._asks).matching(price):
            traded = min(size, resting.size)
            fills.append(Fill(resting.order_id, resting.price, traded, resting.size - traded))
            size -= traded
            if not size:
                break
        return fills

    def _match(self, other: Side, price: int | None, size: int, fills: list[Fill]) -> int:
        """Fills up to `size` from `other`, at `price` or better; returns what was filled."""
        wanted = size
        limit = None if price is None else price * other.sign
        keys, orders = other.keys, self._orders
        while size and keys:
            key = keys[-1]
            if limit is not None and key < limit:
                break
            level = other.levels[key]
            queue = level.queue
            before = size
            while size and queue:
                resting = next(iter(queue.values()))
                order_id, open_size = resting.order_id, resting.size
                if open_size > size:
                    resting.size = open_size - size
                    fills.append(Fill(order_id, resting.price, size, open_size - size))
                    size = 0
                else:
                    del queue[order_id], orders[order_id]
                    fills.append(Fill(order_id, resting.price, open_size, 0))
                    size -= open_size
            level.size -= before - size
            if not queue:
                other.drop_level(key)
        other.size -= wanted - size
        return wanted - size

    # ------------------------------------------------------------------ orders changed

    def reduce(self, order_id: int, by: int) -> int:
        """Takes `by` off an order, which keeps its place; returns what is left, and at 0 it is gone.

        Raises InvalidOrder if `by` is below 1 or above the open size, UnknownOrder.
        """
        if by | 0 < 1:
            raise InvalidOrder(f"order {order_id} cannot be reduced by {by}")
        resting = self._find(order_id)
        if by > resting.size:
            raise InvalidOrder(f"order {order_id} has {resting.size} open, not {by}")
        return self._take(resting, by)

    def execute(self, order_id: int, size: int) -> int:
        """As `reduce`, for a trade that happened: the order must be at its side's best price.

        It may stand anywhere in that price's queue. Raises InvalidOrder also if the price is not the best.
        """
        if size | 0 < 1:
            raise InvalidOrder(f"order {order_id} cannot execute {size}")
        resting = self._find(order_id)
        if size > resting.size:
            raise InvalidOrder(f"order {order_id} has {resting.size} open, not {size}")
        if resting.level.side.keys[-1] != resting.level.key:
            raise InvalidOrder(f"order {order_id} at {resting.price} is not at the best price")
        return self._take(resting, size)

    def cancel(self, order_id: int) -> int:
        """Removes an order and returns the size that was open. Raises UnknownOrder."""
        resting = self._find(order_id)
        del self._orders[order_id]
        resting.level.side.remove(resting)
        return resting.size

    def replace(self, order_id: int, price: int, size: int) -> bool:
        """Gives an order another price and open size; returns whether it kept its place.

        It keeps it at the same price with a size not above the present one; otherwise it goes to the
        back of the queue at `price`. Never trades. Raises InvalidOrder, UnknownOrder, and WouldCross if
        the other side's best price reaches `price`.
        """
        self._check_range(1, price, size)
        resting = self._find(order_id)
        own = resting.level.side
        other = self._bids if own.is_ask else self._asks
        if size > SIZE_MAX - own.size + resting.size:
            raise InvalidOrder(f"order {order_id}: size {size} brings the side above {SIZE_MAX}")
        if price == resting.price and size <= resting.size:
            own.reduce(resting, resting.size - size)
            return True
        if other.reaches(price):
            raise WouldCross(f"order {order_id} at {price} would trade with {self.best(other.is_ask)}")
        own.remove(resting)
        self._orders[order_id] = own.append(order_id, price, size)
        return False

    def clear(self) -> None:
        """Removes every order."""
        self._bids, self._asks, self._orders = Side(is_ask=False), Side(is_ask=True), {}

    # ------------------------------------------------------------------ events

    def apply_event(
        self, kind: int, order_id: int, is_ask: bool, price: int, size: int
    ) -> tuple[int | None, int | None]:
        """Carries out one event and returns the best prices after it: bid and ask, None where none.

        Arguments that the kind does not need may be 0. Raises what the method of that kind raises, and
        InvalidOrder for an unknown kind.
        """
        if kind == EventKind.ADD:
            self.add(order_id, is_ask, price, size)
        elif kind == EventKind.REDUCE:
            self.reduce(order_id, size)
        elif kind == EventKind.EXECUTE:
            self.execute(order_id, size)
        elif kind == EventKind.CANCEL:
            self.cancel(order_id)
        elif kind == EventKind.REPLACE:
            self.replace(order_id, price, size)
        elif kind == EventKind.CLEAR:
            self.clear()
        else:
            raise InvalidOrder(f"event kind {kind} is not in 1 to {max(EventKind)}")
        return self.best_bid, self.best_ask

    def apply(self, events: Buffer, best: Buffer | None = None) -> int:
        """Carries out events in order and returns how many there were.

        `events` is a contiguous buffer of the records of `ledgerx.clob._records`: a NumPy array of
        EVENT_DTYPE, or bytes. `best`, a writable buffer of 16 bytes an event (an array of int64 and
        shape (events, 2)), gets the best bid and ask after each: PRICE_MIN, PRICE_MAX where there is none.

        Raises TypeError for buffers of another form, and what the events raise, with `event_index` set;
        the events before that one stay applied.
        """
        records = records_of(events)
        count = len(records) // EVENT_BYTES
        out = None if best is None else output_of("best", best, count, BEST_BYTES)
        for index, record in enumerate(struct.iter_unpack(EVENT_FORMAT, records)):
            order_id, price, size, kind, is_ask = record
            try:
                bid, ask = self.apply_event(kind, order_id, bool(is_ask), price, size)
            except BookError as error:
                error.event_index = index
                raise
            if out is not None:
                ends = (PRICE_MIN if bid is None else bid, PRICE_MAX if ask is None else ask)
                struct.pack_into(BEST_FORMAT, out, index * BEST_BYTES, *ends)
        return count

    def match(self, events: Buffer, outcomes: Buffer) -> list[Fill]:
        """Carries out events in order, an ADD as an order that comes in, and returns the fills of all.

        `events` is a contiguous buffer of the records of `ledgerx.clob._records` for it: a NumPy array of
        INCOMING_DTYPE, or bytes. An ADD is matched as `submit` does it; the other kinds are those of
        `apply`. `outcomes`, a writable buffer of 8 bytes an event (an array of OUTCOME_DTYPE), gets what
        became of each: the place in REFUSALS of the exception that its method would have raised, 0 where it
        was carried out, and how many of the fills are its own. What is refused is passed over. The two
        buffers must not overlap.

        Raises TypeError for buffers of another form.
        """
        records = incoming_of(events)
        out = output_of("outcomes", outcomes, len(records) // EVENT_BYTES, OUTCOME_BYTES)
        fills: list[Fill] = []
        for index, record in enumerate(struct.iter_unpack(INCOMING_FORMAT, records)):
            order_id, price, size, kind, is_ask, time_in_force, post_only, is_market = record
            before, refusal = len(fills), 0
            try:
                if kind == EventKind.ADD:
                    limit = None if is_market else price
                    fills += self.submit(order_id, is_ask != 0, limit, size, time_in_force, post_only != 0)
                else:
                    self.apply_event(kind, order_id, is_ask != 0, price, size)
            except BookError as error:
                refusal = REFUSALS.index(type(error))
            struct.pack_into(OUTCOME_FORMAT, out, index * OUTCOME_BYTES, refusal, len(fills) - before)
        return fills

    # ------------------------------------------------------------------ what stands

    @property
    def best_bid(self) -> int | None:
        """The highest bid's price, None without one."""
        return self._bids.keys[-1] if self._bids.keys else None

    @property
    def best_ask(self) -> int | None:
        """The lowest ask's price, None without one."""
        return -self._asks.keys[-1] if self._asks.keys else None

    @property
    def orders_max(self) -> int:
        """How many orders the book may hold."""
        return self._orders_max

    def best(self, is_ask: bool) -> Level | None:
        """The best level of a side, None if it has no order."""
        side = self._asks if is_ask else self._bids
        return side.level_at(side.keys[-1]) if side.keys else None

    def level(self, is_ask: bool, price: int) -> Level:
        """The level of a price, with size and orders 0 if none rests there."""
        side = self._asks if is_ask else self._bids
        return side.level_at(price * side.sign)

    def depth(self, is_ask: bool, levels: int) -> list[Level]:
        """The best `levels` levels of a side or as many as there are, the best first."""
        side = self._asks if is_ask else self._bids
        return [
            side.level_at(key) for key in islice(reversed(side.keys), min(max(levels | 0, 0), len(side.keys)))
        ]

    def orders(self, is_ask: bool, price: int) -> list[Order]:
        """The orders at a price, first come first; empty if none."""
        side = self._asks if is_ask else self._bids
        level = side.levels.get(price * side.sign)
        return [] if level is None else [resting.as_order() for resting in level.queue.values()]

    def order(self, order_id: int) -> Order:
        """The order of that id. Raises UnknownOrder."""
        return self._find(order_id).as_order()

    def queue_position(self, order_id: int) -> tuple[int, int]:
        """How many orders stand before this one at its price, and the sum of their sizes.

        Takes time in proportion to their number. Raises UnknownOrder.
        """
        target = self._find(order_id)
        orders_ahead = size_ahead = 0
        for resting in target.level.queue.values():
            if resting is target:
                break
            orders_ahead += 1
            size_ahead += resting.size
        return orders_ahead, size_ahead

    def total(self, is_ask: bool) -> int:
        """The sum of the open sizes of a side."""
        return (self._asks if is_ask else self._bids).size

    def checksum(self) -> int:
        """64 bits that two books share if and, but for chance, only if their snapshots are equal.

        `ledgerx.clob._checksum` holds the definition.
        """
        return checksum_of(self._in_order())

    def snapshot(self) -> list[Order]:
        """All orders: bids from the highest price down, then asks from the lowest up, in order of time."""
        return list(self._in_order())

    def records(self) -> bytes:
        """The snapshot as records of `ledgerx.clob._records`, each an ADD."""
        return b"".join(
            struct.pack(EVENT_FORMAT, order_id, price, size, EventKind.ADD, is_ask)
            for order_id, is_ask, price, size in self._in_order()
        )

    def restore(self, orders: Iterable[Order] | bytes) -> None:
        """Replaces the whole content by `orders`, added in the order given; bytes are records.

        `restore(snapshot())` and `restore(records())` give the same book. Raises what `add` and `apply`
        raise; then nothing has changed.
        """
        fresh = Book(self._orders_max)
        if isinstance(orders, bytes):
            fresh.apply(orders)
        else:
            for index, (order_id, is_ask, price, size) in enumerate(orders):
                try:
                    fresh.add(order_id, is_ask, price, size)
                except BookError as error:
                    error.event_index = index
                    raise
        self._bids, self._asks, self._orders = fresh._bids, fresh._asks, fresh._orders

    def __len__(self) -> int:
        return len(self._orders)

    def __contains__(self, order_id: object) -> bool:
        return isinstance(order_id, int) and order_id in self._orders

    def __repr__(self) -> str:
        return f"<Book orders={len(self)} bid={self.best(False)} ask={self.best(True)}>"

    # ------------------------------------------------------------------ inside

    def _in_order(self) -> Iterator[Order]:
        for side in (self._bids, self._asks):
            for resting in side.matching(None):
                yield resting.as_order()

    def _find(self, order_id: int) -> Resting:
        resting = self._orders.get(order_id | 0)
        if resting is None:
            raise UnknownOrder(f"no order {order_id}")
        return resting

    def _take(self, resting: Resting, by: int) -> int:
        side = resting.level.side
        if by == resting.size:
            del self._orders[resting.order_id]
            side.remove(resting)
            return 0
        side.reduce(resting, by)
        return resting.size

    @staticmethod
    def _check_range(order_id: int, price: int, size: int) -> None:
        if not 0 < order_id | 0 <= ORDER_ID_MAX:
            raise InvalidOrder(f"order id {order_id} is not in 1 to {ORDER_ID_MAX}")
        if not PRICE_MIN <= price | 0 <= PRICE_MAX:
            raise InvalidOrder(f"order {order_id}: price {price} is no 64-bit integer")
        if not 0 < size | 0 <= SIZE_MAX:
            raise InvalidOrder(f"order {order_id}: size {size} is not in 1 to {SIZE_MAX}")

    def _refuse(self, own: Side, order_id: int, price: int, size: int, time_in_force: int = 0) -> NoReturn:
        """Raises what is wrong with an order that failed the quick test."""
        self._check_range(order_id, price, size)
        if not 0 <= time_in_force <= 2:
            raise InvalidOrder(f"order {order_id}: unknown time in force {time_in_force}")
        if order_id in self._orders:
            raise DuplicateOrder(f"order {order_id} is in the book")
        if size > SIZE_MAX - own.size:
            raise InvalidOrder(f"order {order_id}: size {size} brings the side above {SIZE_MAX}")
        raise BookFull(f"order {order_id}: the book holds {len(self)} orders, as many as it may")
