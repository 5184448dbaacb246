"""What bin/bench clob generates is valid on the book, ends as its generator says, and so does the floor."""

from __future__ import annotations

import struct
from collections import Counter

import pytest

from _clob import floor, flow, incoming, model
from _clob.files import Events, Incoming
from _clob.matching import all_fills, flat_python
from _clob.peers import SortedBook
from ledgerx.clob import EVENT_BYTES, EVENT_DTYPE, Book, EventKind, TimeInForce

SMALL = model.NARROW._replace(live=300)
SCATTERED = model.WIDE._replace(live=300)
EVENTS = 5_000

shapes = pytest.mark.parametrize("shape", [SMALL, SCATTERED], ids=["narrow", "wide"])


def events(shape: model.Shape, seed: int = 7) -> Events:
    records, best = flow.events(shape, EVENTS, seed)
    return Events(records, shape.live, best)


def orders(seed: int = 7) -> Incoming:
    records, outcome = incoming.incoming(SMALL, EVENTS, seed)
    return Incoming(records, SMALL.live, EVENTS, outcome)


@shapes
def test_events_are_valid_and_end_where_the_generator_says(shape: model.Shape) -> None:
    made = events(shape)
    book, out = Book(), bytearray(len(made.best))
    assert book.apply(made.records, best=out) == shape.live + EVENTS
    assert out == made.best
    assert 0.8 * shape.live < len(book) < 1.2 * shape.live


def test_one_call_an_event_gives_the_same_best_prices() -> None:
    made, book = events(SMALL), Book()
    for index, event in enumerate(made.tuples):
        assert book.apply_event(*event) == made.best_after(index)


def test_every_kind_of_event_occurs_after_the_prefill() -> None:
    made = events(SMALL)
    kinds = Counter(made.records[EVENT_BYTES * SMALL.live + 24 :: EVENT_BYTES])
    assert set(kinds) == {kind for kind in EventKind if kind != EventKind.CLEAR}
    assert min(kinds.values()) > EVENTS / 50


def test_wide_prices_are_far_apart() -> None:
    book = Book()
    book.apply(events(SCATTERED).records)
    prices = [order.price for order in book.snapshot()]
    assert max(prices) - min(prices) > 500_000


def test_a_seed_gives_the_same_bytes() -> None:
    assert events(SMALL, 1) == events(SMALL, 1)
    assert events(SMALL, 1) != events(SMALL, 2)
    assert orders(1) == orders(1)


def test_records_are_those_of_the_book() -> None:
    packed = model.RECORD.pack(1, 2, 3, 4, 5)
    assert len(packed) == EVENT_BYTES == EVENT_DTYPE["itemsize"]
    values = [
        struct.unpack_from(form, packed, at)[0]
        for form, at in zip("QqqBB", EVENT_DTYPE["offsets"], strict=True)
    ]
    assert values == [1, 2, 3, 4, 5]


@shapes
def test_the_floor_agrees(shape: model.Shape) -> None:
    made = events(shape)
    native = floor.load()
    out = bytearray(len(made.best))
    assert native.run(made.records, made.prefill, out, *made.window) >= 0
    assert out == made.best
    bare, book = native.Bare(*made.window), Book()
    for event in made.tuples:
        assert bare.apply_event(*event) == book.apply_event(*event)
    for is_ask in (False, True):
        assert bare.depth(is_ask, 10) == book.depth(is_ask, 10)


def test_incoming_orders_trade_alike_on_every_book() -> None:
    rows = orders()
    fills = all_fills(Book(), rows.submits)
    assert incoming.Outcome(len(fills), sum(fill[2] for fill in fills)) == rows.outcome
    assert rows.outcome.fills > EVENTS / 3
    native = floor.load()
    assert all_fills(native.Bare(*rows.window), rows.submits) == fills
    assert all_fills(SortedBook(), rows.submits) == fills
    assert native.match(rows.records, rows.prefill, *rows.window)[1:] == rows.outcome
    assert flat_python(rows) > 0  # it compares the number of fills itself


def test_incoming_orders_are_of_every_kind() -> None:
    assert (incoming.GTC, incoming.IOC) == (TimeInForce.GTC, TimeInForce.IOC)
    kinds = Counter(orders().records[24::EVENT_BYTES])
    assert set(kinds) == {incoming.GTC, incoming.IOC, incoming.MARKET, incoming.CANCEL}
