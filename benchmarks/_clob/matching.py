"""Timed runs of orders that match: one call an order, which returns its fills, or one call for all."""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from _clob.files import Incoming
from _clob.incoming import CANCEL, GTC, MARKET, Outcome
from _clob.mirror import timed, touched
from _clob.model import RECORD
from ledgerx.clob import Book, EventKind, TimeInForce
from ledgerx.clob._records import INCOMING_FORMAT, OUTCOME_BYTES

Runner = Callable[[Incoming], float]

Row = tuple[int, int, bool, int | None, int]


def started(make: Callable[[], Any], orders: Incoming) -> tuple[Callable[..., Any], Callable[[int], Any]]:
    """`submit` and `cancel` of a book that has the orders of the prefill."""
    book = make()
    submit, cancel = book.submit, book.cancel
    for kind, order_id, is_ask, price, size in orders.submits[: orders.prefill]:
        submit(order_id, is_ask, price, size, kind)
    return submit, cancel


def one_call(make: Callable[[], Any]) -> Runner:
    """`submit` for each order, `cancel` for the cancels.

    As the mirror's runs, it holds each answer until the next: what a caller does with it is not timed.
    That all fills come is seen once before, by `agree`.
    """

    def run(orders: Incoming) -> float:
        submit, cancel = started(make, orders)
        rows = orders.submits[orders.prefill :]
        fills: Any = None
        with timed() as clock:
            for kind, order_id, is_ask, price, size in rows:
                if kind == CANCEL:
                    cancel(order_id)
                else:
                    fills = submit(order_id, is_ask, price, size, kind)
            taken = clock()
        assert fills is not None
        return taken

    return run


def reading(make: Callable[[], Any]) -> Runner:
    """The same for a caller who takes out each fill, a tuple that is made then."""

    def run(orders: Incoming) -> float:
        submit, cancel = started(make, orders)
        rows = orders.submits[orders.prefill :]
        size_filled = 0
        with timed() as clock:
            for kind, order_id, is_ask, price, size in rows:
                if kind == CANCEL:
                    cancel(order_id)
                else:
                    for fill in submit(order_id, is_ask, price, size, kind):
                        size_filled += fill.size
            taken = clock()
        assert size_filled
        return taken

    return run


def count_fills(book: Any, orders: Incoming) -> int:
    """How many fills a book returns for all orders of the file."""
    count = 0
    for kind, order_id, is_ask, price, size in orders.submits:
        if kind == CANCEL:
            book.cancel(order_id)
        else:
            count += len(book.submit(order_id, is_ask, price, size, kind))
    return count


def batch(orders: Incoming) -> float:
    """Ours in one call over the whole buffer: the fills of all come as one `Fills`."""
    records = memoryview(events_of(orders))
    split = orders.prefill * RECORD.size
    book = Book()
    count = len(book.match(records[:split], touched(orders.prefill * OUTCOME_BYTES)))
    outcomes = touched(len(orders) * OUTCOME_BYTES)
    with timed() as clock:
        fills = book.match(records[split:], outcomes)
        taken = clock()
    assert count + len(fills) == orders.outcome.fills
    return taken


def events_of(orders: Incoming) -> bytes:
    """The same orders as `Book.match` takes them."""
    pack = struct.Struct(INCOMING_FORMAT).pack
    return b"".join(
        pack(order_id, price, size, EventKind.CANCEL, 0, 0, 0, 0)
        if kind == CANCEL
        else pack(order_id, price, size, EventKind.ADD, is_ask, *TIMES[kind])
        for order_id, price, size, kind, is_ask in orders.unpacked()
    )


TIMES = {kind: (TimeInForce.GTC if kind == GTC else TimeInForce.IOC, 0, kind == MARKET) for kind in range(3)}
"""Time in force, post-only and market order by the file's own kinds."""


def all_fills(book: Any, rows: Iterable[Row]) -> list[tuple[int, ...]]:
    """The fills of the rows on a book, in order."""
    found: list[tuple[int, ...]] = []
    for kind, order_id, is_ask, price, size in rows:
        if kind == CANCEL:
            book.cancel(order_id)
        else:
            found += [tuple(fill) for fill in book.submit(order_id, is_ask, price, size, kind)]
    return found


def agree(makers: Iterable[Callable[[], Any]], orders: Incoming, count: int) -> None:
    """Compares the fills of all books for the first `count` rows, and their number for all rows.

    The first book is the oracle, which is slow and gets the first rows only.
    """
    rows = orders.submits[:count]
    first, *rest = makers
    oracle, *others = (all_fills(make(), rows) for make in (first, *rest))
    events = events_of(orders)[: count * RECORD.size]
    others.append([tuple(fill) for fill in Book().match(events, bytearray(count * OUTCOME_BYTES))])
    assert all(fills == oracle for fills in others), "not the same fills"
    for make in rest:
        assert count_fills(make(), orders) == orders.outcome.fills


def plain_c(floor: Any) -> Runner:
    """A loop in C over the records; the fills go to an array."""

    def run(orders: Incoming) -> float:
        taken, fills, size = floor.match(orders.records, orders.prefill, *orders.window)
        assert Outcome(fills, size) == orders.outcome
        return float(taken)

    return run


def flat_python(orders: Incoming) -> float:
    """No call at all: an array of queues by price in one loop, orders as [id, size], cancels left lying."""
    base, width, _ = orders.window
    queues: list[deque[list[int]]] = [deque() for _ in range(width)]
    live: dict[int, list[int]] = {}
    best = [-1, width]
    fills: list[tuple[int, int, int, int]] = []
    _flat(orders.submits[: orders.prefill], base, queues, live, best, fills)
    rows = orders.submits
    chunks = [rows[at : at + 1000] for at in range(orders.prefill, len(rows), 1000)]
    count = 0
    with timed() as clock:
        for chunk in chunks:
            count += len(fills)
            fills.clear()
            _flat(chunk, base, queues, live, best, fills)
        taken = clock()
    assert count + len(fills) == orders.outcome.fills
    return taken


def _flat(
    rows: Iterable[Row],
    base: int,
    queues: list[deque[list[int]]],
    live: dict[int, list[int]],
    best: list[int],
    fills: list[tuple[int, int, int, int]],
) -> None:
    bid, ask = best
    width = len(queues)
    for kind, order_id, is_ask, price, size in rows:
        if kind == CANCEL:
            live.pop(order_id)[1] = 0
            continue
        if is_ask:
            limit = 0 if price is None else price - base
            while size and bid >= limit:
                queue = queues[bid]
                if not queue:
                    bid -= 1
                    continue
                order = queue[0]
                resting = order[1]
                if resting > size:
                    order[1] = resting - size
                    fills.append((order[0], bid + base, size, resting - size))
                    size = 0
                    break
                queue.popleft()
                if resting:
                    del live[order[0]]
                    fills.append((order[0], bid + base, resting, 0))
                    size -= resting
        else:
            limit = width - 1 if price is None else price - base
            while size and ask <= limit:
                queue = queues[ask]
                if not queue:
                    ask += 1
                    continue
                order = queue[0]
                resting = order[1]
                if resting > size:
                    order[1] = resting - size
                    fills.append((order[0], ask + base, size, resting - size))
                    size = 0
                    break
                queue.popleft()
                if resting:
                    del live[order[0]]
                    fills.append((order[0], ask + base, resting, 0))
                    size -= resting
        if size and kind == GTC and price is not None:
            order = live[order_id] = [order_id, size]
            queues[limit].append(order)
            if is_ask:
                ask = min(ask, limit)
            else:
                bid = max(bid, limit)
    best[:] = bid, ask
