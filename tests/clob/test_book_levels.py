"""Thousands of levels: their tree grows three nodes deep and shrinks again, wherever levels come and go."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledgerx.clob import Book, Level

NODE_KEYS, MERGED_MAX = 32, 24  # as core/internal.h has them: keys of a node, and of one that two became


class Prices:
    """A side of a book with one order at each price, beside the set of these prices."""

    def __init__(self, book: Book, is_ask: bool) -> None:
        self.book = book
        self.is_ask = is_ask
        self.prices: set[int] = set()
        self.base = 1_000_000  # prices from minus a million become ids

    def add(self, price: int) -> None:
        self.book.add(self.base + price, self.is_ask, price, 1)
        self.prices.add(price)

    def cancel(self, price: int) -> None:
        self.book.cancel(self.base + price)
        self.prices.remove(price)

    def outwards(self) -> list[int]:
        return sorted(self.prices, reverse=not self.is_ask)

    def agree(self) -> None:
        told = self.book.depth(self.is_ask, len(self.prices) + 1)
        assert told == [Level(price, 1, 1) for price in self.outwards()]
        if hasattr(self.book, "_check"):
            assert self.book._check() is None


@pytest.mark.parametrize("is_ask", [False, True], ids=["bids", "asks"])
@pytest.mark.parametrize("left_when_shrunk", [0, 1])
def test_a_price_beyond_all_is_found_where_the_farthest_levels_have_gone(
    book_class: type[Book], is_ask: bool, left_when_shrunk: int
) -> None:
    """The first of two inner nodes loses its leaves, and its neighbour is just small enough to be merged."""
    side = Prices(book_class(), is_ask)
    inwards = 1 if not is_ask else -1
    leaves_of_first = NODE_KEYS // 2
    for number in range((leaves_of_first + MERGED_MAX) * NODE_KEYS):
        side.add(inwards * number)
    for number in range(leaves_of_first * NODE_KEYS - left_when_shrunk):
        side.cancel(inwards * number)
    for number in (-1, -1000, 0, 1, 100):
        assert side.book.level(is_ask, inwards * number).size == 0
        side.add(inwards * number)
    side.agree()
    for price in side.outwards():
        side.cancel(price)
    side.agree()


@settings(max_examples=60, deadline=None)
@given(
    is_ask=st.booleans(),
    seed=st.integers(0, 2**32),
    order=st.sampled_from(["inwards", "outwards", "anyhow"]),
    ranges=st.lists(
        st.tuples(st.booleans(), st.integers(-250, 3250), st.integers(1, 1500), st.booleans()), max_size=12
    ),
)
def test_levels_come_and_go_by_ranges(
    is_ask: bool, seed: int, order: str, ranges: list[tuple[bool, int, int, bool]]
) -> None:
    side = Prices(Book(), is_ask)
    prices = list(range(0, 3000, 2))
    if order == "anyhow":
        random.Random(seed).shuffle(prices)
    elif (order == "inwards") == is_ask:
        prices.reverse()
    for price in prices:
        side.add(price)
    for adds, first, count, backwards in ranges:
        touched = [at for at in range(first, first + count) if (at in side.prices) != adds]
        for price in reversed(touched) if backwards else touched:
            (side.add if adds else side.cancel)(price)
        side.agree()
