"""The generators' own book: just enough of one to know which event may come next and what it leads to."""

from __future__ import annotations

import struct
from bisect import bisect_left, insort
from random import Random
from typing import NamedTuple

from ledgerx.clob import PRICE_MAX, PRICE_MIN

RECORD = struct.Struct("<QqqBB6x")
"""EVENT_DTYPE's record."""

START_PRICE = 10_000_000


class Shape(NamedTuple):
    """How flow looks: `live` orders rest, `near` is the mean distance of most of them to the touch in ticks,
    `far` the greatest of the rest, who are `tail` of all; `drift` ticks is how far the middle moves at once.
    """

    name: str
    live: int
    near: float
    far: int
    tail: float
    drift: int


NARROW = Shape("narrow", 2_000, 20.0, 1_000, 0.15, 4)
WIDE = Shape("wide", 2_000, 2_000.0, 500_000, 0.6, 500)
MANY = Shape("many", 1_000_000, 200.0, 5_000, 0.15, 1)
SHAPES = {shape.name: shape for shape in (NARROW, WIDE, MANY)}


class Side:
    """One side: prices as keys that grow towards the touch, and each one's order ids, first come first."""

    def __init__(self, sign: int) -> None:
        self.sign = sign
        self.keys: list[int] = []
        self.queues: dict[int, dict[int, None]] = {}
        self.count = 0

    def best(self) -> int | None:
        return self.keys[-1] * self.sign if self.keys else None

    def front(self) -> int:
        return next(iter(self.queues[self.keys[-1]]))

    def add(self, order_id: int, price: int) -> None:
        key = price * self.sign
        queue = self.queues.get(key)
        if queue is None:
            self.queues[key] = {order_id: None}
            insort(self.keys, key)
        else:
            queue[order_id] = None
        self.count += 1

    def remove(self, order_id: int, price: int) -> None:
        key = price * self.sign
        queue = self.queues[key]
        del queue[order_id]
        self.count -= 1
        if not queue:
            del self.queues[key]
            del self.keys[bisect_left(self.keys, key)]


class Model:
    """Both sides, each order by id, and where a new price may lie around a middle that wanders."""

    def __init__(self, shape: Shape, random: Random) -> None:
        self.shape = shape
        self.random = random
        self.middle = START_PRICE
        self.sides = (Side(1), Side(-1))
        self.orders: dict[int, list[int]] = {}  # id -> [is_ask, price, size]
        self.ids: list[int] = []
        self.places: dict[int, int] = {}
        self.last_id = 0

    def best(self) -> tuple[int, int]:
        """As `Book.apply` records it."""
        bid, ask = self.sides[0].best(), self.sides[1].best()
        return PRICE_MIN if bid is None else bid, PRICE_MAX if ask is None else ask

    def new_id(self) -> int:
        self.last_id += 1
        return self.last_id

    def wander(self) -> None:
        """One step of the middle's random walk."""
        draw = self.random.random()
        if draw < 0.05:
            self.middle += self.shape.drift if draw < 0.025 else -self.shape.drift

    def distance(self) -> int:
        """How far behind the touch an order is placed: mostly near, some in a long tail."""
        draw = self.random.random()
        if self.random.random() < self.shape.tail:
            return int(self.shape.far**draw)
        return int(draw / (1.0 - draw) * self.shape.near / 2) if draw < 0.95 else int(10 * self.shape.near)

    def passive_price(self, is_ask: int) -> int:
        """A price that does not cross."""
        distance = self.distance()
        if is_ask:
            return max(self.middle + 1 + distance, self.best()[0] + 1)
        return min(self.middle - distance, self.best()[1] - 1)

    def thinner(self) -> int:
        """The side with fewer orders, mostly: so that neither runs dry."""
        bids, asks = self.sides[0].count, self.sides[1].count
        return int(self.random.random() * (bids + asks + 2) < bids + 1)

    def rest(self, order_id: int, is_ask: int, price: int, size: int) -> None:
        self.orders[order_id] = [is_ask, price, size]
        self.sides[is_ask].add(order_id, price)
        self.places[order_id] = len(self.ids)
        self.ids.append(order_id)

    def remove(self, order_id: int) -> None:
        is_ask, price, _ = self.orders.pop(order_id)
        self.sides[is_ask].remove(order_id, price)
        place, last = self.places.pop(order_id), self.ids.pop()
        if last != order_id:
            self.ids[place] = last
            self.places[last] = place

    def take(self, order_id: int, by: int) -> None:
        order = self.orders[order_id]
        order[2] -= by
        if not order[2]:
            self.remove(order_id)

    def move(self, order_id: int, price: int, size: int) -> None:
        """What `Book.replace` does."""
        order = self.orders[order_id]
        if price != order[1] or size > order[2]:
            self.sides[order[0]].remove(order_id, order[1])
            self.sides[order[0]].add(order_id, price)
        order[1:] = price, size

    def any_order(self) -> int:
        return self.ids[int(self.random.random() * len(self.ids))]

    def any_size(self) -> int:
        return 1 + int(self.random.random() * 100)
