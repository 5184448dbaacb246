"""Orders for a book that matches: limit orders around the touch, many of which trade, IOC, market, cancels.

The same record as an event's, with a kind of this file's own: 0 and 1 are TimeInForce.GTC and IOC, MARKET
an IOC order without a price, CANCEL takes a resting order out. Cancels are not counted among the orders.
"""

from __future__ import annotations

from random import Random
from typing import NamedTuple

from _clob.model import RECORD, Model, Shape

GTC, IOC, MARKET, CANCEL = 0, 1, 2, 3


class Outcome(NamedTuple):
    """What every matching book must come to: how many fills, and the sum of their sizes."""

    fills: int
    size: int


def incoming(shape: Shape, count: int, seed: int) -> tuple[bytes, Outcome]:
    """`shape.live` passive orders, then `count` orders and the cancels among them; and what they lead to."""
    random = Random(f"incoming {shape.name} {seed}")
    model = Model(shape, random)
    records = bytearray()
    fills = filled = orders = 0
    while orders < shape.live + count:
        if orders >= shape.live:
            model.wander()
            if random.random() < (len(model.ids) - shape.live) / (0.1 * shape.live):
                order_id = model.any_order()
                model.remove(order_id)
                records += RECORD.pack(order_id, 0, 0, CANCEL, 0)
                continue
        kind, is_ask, price = _order(model, aggressive=orders >= shape.live and random.random() < 0.45)
        order_id, size = model.new_id(), model.any_size()
        records += RECORD.pack(order_id, price, size, kind, is_ask)
        orders += 1
        trades, left = _match(model, is_ask, None if kind == MARKET else price, size)
        fills, filled = fills + trades, filled + size - left
        if left and kind == GTC:
            model.rest(order_id, is_ask, price, left)
    return bytes(records), Outcome(fills, filled)


def _order(model: Model, aggressive: bool) -> tuple[int, int, int]:
    """Kind, side and price of the next order."""
    if not aggressive:
        is_ask = model.thinner()
        return GTC, is_ask, model.passive_price(is_ask)
    bid, ask = model.best()
    is_ask = int(model.random.random() < (0.3 if 2 * model.middle >= bid + ask else 0.7))
    touch = model.sides[1 - is_ask].best()
    if touch is None:
        return GTC, is_ask, model.passive_price(is_ask)
    draw = model.random.random()
    reach = int(model.random.random() * 3) * (-1 if is_ask else 1)
    if draw < 0.5:
        return GTC, is_ask, touch + reach
    return (IOC, is_ask, touch + reach) if draw < 0.85 else (MARKET, is_ask, 0)


def _match(model: Model, is_ask: int, price: int | None, size: int) -> tuple[int, int]:
    """Trades with the other side; returns the number of fills and what is left."""
    other = model.sides[1 - is_ask]
    fills = 0
    while size and other.keys:
        if price is not None and other.keys[-1] < price * other.sign:
            break
        order_id = other.front()
        by = min(size, model.orders[order_id][2])
        model.take(order_id, by)
        size -= by
        fills += 1
    return fills, size
