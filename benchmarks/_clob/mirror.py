"""Timed runs of a mirror's events: each way to drive a book, and what every run must end with.

Arguments are tuples of ints made before the clock starts, the same for all. After each event best bid and
ask are asked, after every hundred the depth of both sides, ten levels. A collection of garbage cannot
start inside a run. All is one thread in memory: its CPU time is measured, which other programs on the
machine disturb less than the time on the wall.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from _clob.files import CHUNK, Events
from _clob.peers import ADD, CANCEL, EXECUTE, REDUCE, NautilusBook, Peer
from ledgerx.clob import Book

DEPTH = 10

Runner = Callable[[Events], float]
"""One run on a new book: the seconds that the events after the prefill took."""


@contextmanager
def timed() -> Iterator[Callable[[], float]]:
    """Gives a clock that starts at 0, the CPU seconds of this thread, with the garbage collector at rest."""
    gc.collect()
    gc.disable()
    try:
        begun = time.thread_time()
        yield lambda: time.thread_time() - begun
    finally:
        gc.enable()


def touched(size: int) -> bytearray:
    """A buffer whose pages are there already."""
    return bytearray(b"\xff") * size


def settle(events: Events, pair: tuple[Any, Any]) -> None:
    """Refuses a run that did not end with the right best prices."""
    assert pair == events.best_after(len(events.tuples) - 1), f"ended with {pair}"


def filled(make: Callable[[], Any], events: Events) -> Any:
    """A book with the orders of the prefill."""
    book = make()
    for event in events.tuples[: events.prefill]:
        book.apply_event(*event)
    return book


def one_call(make: Callable[[], Peer]) -> Runner:
    """`apply_event`, which returns the best prices."""

    def run(events: Events) -> float:
        book = filled(make, events)
        call, depth, chunks = book.apply_event, book.depth, events.chunks
        pair = None, None
        with timed() as clock:
            for chunk in chunks:
                for kind, order_id, is_ask, price, size in chunk:
                    pair = call(kind, order_id, is_ask, price, size)
                depth(False, DEPTH)
                depth(True, DEPTH)
            taken = clock()
        settle(events, pair)
        return taken

    return run


def methods(events: Events) -> float:
    """Ours by a method for each kind, then the attributes best_bid and best_ask."""
    book = filled(Book, events)
    add, reduce, execute, cancel = book.add, book.reduce, book.execute, book.cancel
    replace, depth, chunks = book.replace, book.depth, events.chunks
    bid = ask = None
    with timed() as clock:
        for chunk in chunks:
            for kind, order_id, is_ask, price, size in chunk:
                if kind == ADD:
                    add(order_id, is_ask, price, size)
                elif kind == CANCEL:
                    cancel(order_id)
                elif kind == EXECUTE:
                    execute(order_id, size)
                elif kind == REDUCE:
                    reduce(order_id, size)
                else:
                    replace(order_id, price, size)
                bid, ask = book.best_bid, book.best_ask
            depth(False, DEPTH)
            depth(True, DEPTH)
        taken = clock()
    settle(events, (bid, ask))
    return taken


def batch(events: Events) -> float:
    """Ours in one call over the whole buffer, best prices recorded; no depth."""
    split = events.prefill * 32
    records = memoryview(events.records)
    book = Book()
    book.apply(records[:split])
    out = touched(16 * len(events))
    with timed() as clock:
        book.apply(records[split:], best=out)
        taken = clock()
    assert out == events.best[split // 2 :], "wrong best prices"
    return taken


def nothing(call: Callable[..., object]) -> Runner:
    """A call with five ints that does nothing."""

    def run(events: Events) -> float:
        chunks = events.chunks
        with timed() as clock:
            for chunk in chunks:
                for kind, order_id, is_ask, price, size in chunk:
                    call(kind, order_id, is_ask, price, size)
            return clock()

    return run


def plain_c(floor: Any) -> Runner:
    """The floor: a loop in C over the buffer, best prices recorded; no depth."""

    def run(events: Events) -> float:
        out = touched(len(events.best))
        taken: float = floor.run(events.records, events.prefill, out, *events.window)
        assert out == events.best, "wrong best prices"
        return taken

    return run


class Nautilus:
    """nautilus_trader's book, on the first `count` events; it keeps its prepared orders between runs."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.prepared: list[Any] = []

    def __call__(self, events: Events) -> float:
        if not self.prepared:
            self.prepared = NautilusBook.prepare(events.tuples[: events.prefill + self.count])
        book = NautilusBook()
        call, depth = book.apply_prepared, book.depth
        for verb, order in self.prepared[: events.prefill]:
            call(verb, order)
        timed_ones = self.prepared[events.prefill :]
        chunks = [timed_ones[at : at + CHUNK] for at in range(0, len(timed_ones), CHUNK)]
        bid = ask = None
        with timed() as clock:
            for chunk in chunks:
                for verb, order in chunk:
                    bid, ask = call(verb, order)
                depth(False, DEPTH)
                depth(True, DEPTH)
            taken = clock()
        settle_at = events.best_after(len(self.prepared) - 1)
        assert (int(bid.as_double()), int(ask.as_double())) == settle_at  # type: ignore[union-attr]
        return taken * len(events) / len(timed_ones)


def agree(makers: Iterable[Callable[[], Peer]], events: Events, count: int) -> None:
    """Compares best prices after each of the first `count` events, and depth after every hundredth."""
    books = [make() for make in makers]
    oracle = books[0]
    for index, event in enumerate(events.tuples[:count]):
        for book in books:
            pair = book.apply_event(*event)
            assert pair == events.best_after(index), f"{type(book).__name__} after event {index}: {pair}"
        if index % CHUNK == 0:
            for is_ask in (False, True):
                wanted = sizes(oracle.depth(is_ask, DEPTH))
                for book in books:
                    assert sizes(book.depth(is_ask, DEPTH)) == wanted, f"{type(book).__name__}'s depth"


def sizes(levels: Sequence[Any]) -> list[tuple[int, int]]:
    """Price and size of each level."""
    return [(level[0], level[1]) for level in levels]


def agree_nautilus(events: Events, count: int) -> None:
    """The same for nautilus_trader's book, which takes other arguments."""
    book = NautilusBook()
    for index, (verb, order) in enumerate(NautilusBook.prepare(events.tuples[:count])):
        pair = tuple(
            None if price is None else int(price.as_double()) for price in book.apply_prepared(verb, order)
        )
        assert pair == events.best_after(index), f"nautilus_trader after event {index}: {pair}"
