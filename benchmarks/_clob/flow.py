"""Events for a book that mirrors another: adds, reduces, executions at the best, cancels and replaces.

The same seed gives the same bytes. The first `shape.live` events are adds that fill the book; the others
keep about that number of orders in it while the middle wanders.
"""

from __future__ import annotations

from array import array
from random import Random

from _clob.model import RECORD, Model, Shape
from ledgerx.clob import EventKind

REDUCE, EXECUTE, REPLACE = 0.06, 0.12, 0.12
"""The shares of the kinds; adds and cancels share the rest."""


def events(shape: Shape, count: int, seed: int) -> tuple[bytes, bytes]:
    """`shape.live` adds and `count` events as records, and the best bid and ask after each of them all."""
    model = Model(shape, Random(f"{shape.name} {seed}"))
    total = shape.live + count
    records = bytearray(total * RECORD.size)
    best = array("q")
    for index in range(total):
        event = _add(model) if index < shape.live else _event(model)
        kind, order_id, is_ask, price, size = event
        RECORD.pack_into(records, index * RECORD.size, order_id, price, size, kind, is_ask)
        best.extend(model.best())
    return bytes(records), best.tobytes()


Event = tuple[int, int, int, int, int]
"""Kind, order id, is_ask, price and size: the arguments of `Book.apply_event`."""


def _add(model: Model) -> Event:
    order_id, is_ask, size = model.new_id(), model.thinner(), model.any_size()
    price = model.passive_price(is_ask)
    model.rest(order_id, is_ask, price, size)
    return EventKind.ADD, order_id, is_ask, price, size


def _event(model: Model) -> Event:
    """One event that is valid now, and done."""
    model.wander()
    draw = model.random.random()
    bids, asks = model.sides
    if bids.count < 2 or asks.count < 2:
        return _add(model)
    if draw < EXECUTE:
        return _execute(model)
    if draw < EXECUTE + REDUCE:
        return _reduce(model, model.any_order())
    if draw < EXECUTE + REDUCE + REPLACE:
        return _replace(model, model.any_order())
    short_by = (model.shape.live - len(model.ids)) / (0.1 * model.shape.live)
    if model.random.random() < 0.5 + short_by:
        return _add(model)
    return _cancel(model, model.any_order())


def _execute(model: Model) -> Event:
    """A trade with the first order of a side's best level: mostly the side that the middle moves into."""
    bid, ask = model.best()
    towards_asks = model.random.random() < (0.7 if 2 * model.middle >= bid + ask else 0.3)
    order_id = model.sides[towards_asks].front()
    is_ask, price, size = model.orders[order_id]
    by = size if model.random.random() < 0.6 else 1 + int(model.random.random() * size)
    model.take(order_id, by)
    return EventKind.EXECUTE, order_id, is_ask, price, by


def _reduce(model: Model, order_id: int) -> Event:
    is_ask, price, size = model.orders[order_id]
    if size == 1:
        return _cancel(model, order_id)
    by = 1 + int(model.random.random() * (size - 1))
    model.take(order_id, by)
    return EventKind.REDUCE, order_id, is_ask, price, by


def _replace(model: Model, order_id: int) -> Event:
    is_ask = model.orders[order_id][0]
    price, size = model.passive_price(is_ask), model.any_size()
    model.move(order_id, price, size)
    return EventKind.REPLACE, order_id, is_ask, price, size


def _cancel(model: Model, order_id: int) -> Event:
    is_ask, price, size = model.orders[order_id]
    model.remove(order_id)
    return EventKind.CANCEL, order_id, is_ask, price, size
