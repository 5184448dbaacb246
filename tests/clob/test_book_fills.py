"""What a match returns: a sequence of fills that costs nothing until it is looked at, and a buffer."""

from __future__ import annotations

import copy
import gc
import pickle
from collections.abc import Sequence

import numpy
import pytest

from ledgerx.clob import FILL_DTYPE, Book, Fill, Fills

EXPECTED = [Fill(1, 10, 2, 0), Fill(2, 11, 3, 0), Fill(3, 12, 1, 8)]


@pytest.fixture
def fills() -> Fills:
    book = Book()
    for order in [(1, True, 10, 2), (2, True, 11, 3), (3, True, 12, 9)]:
        book.add(*order)
    return book.submit(4, False, 12, 6)


def test_fills_are_a_sequence_of_named_tuples(fills: Fills) -> None:
    assert isinstance(fills, Sequence)
    assert list(fills) == [fills[0], fills[1], fills[2]] == EXPECTED
    assert (len(fills), bool(fills), fills[-1].left) == (3, True, 8)
    assert list(reversed(fills)) == EXPECTED[::-1]
    assert fills[1:] == EXPECTED[1:]
    assert (fills.index(EXPECTED[1]), fills.count(EXPECTED[2]), EXPECTED[0] in fills) == (1, 1, True)
    for place in (3, -4):
        with pytest.raises(IndexError):
            fills[place]
    with pytest.raises(TypeError):
        fills["0"]  # type: ignore[call-overload]
    with pytest.raises(ValueError, match="not in list"):
        fills.index(Fill(9, 9, 9, 9))


def test_fills_equal_a_list_a_tuple_and_fills_of_the_same(fills: Fills) -> None:
    assert fills == EXPECTED
    assert EXPECTED == fills
    assert fills == tuple(EXPECTED)
    assert fills == copy.copy(fills)
    assert fills != EXPECTED[:2]
    assert fills != 3
    with pytest.raises(TypeError, match="unhashable"):
        hash(fills)
    with pytest.raises(TypeError):
        fills < EXPECTED  # type: ignore[operator]  # noqa: B015


def test_fills_are_a_buffer_of_records(fills: Fills) -> None:
    rows = numpy.frombuffer(fills, numpy.dtype(FILL_DTYPE))
    assert [tuple(row) for row in rows.tolist()] == EXPECTED
    assert not rows.flags.writeable


def test_fills_keep_what_they_were_when_the_book_goes_on(fills: Fills) -> None:
    book = Book()
    book.add(1, True, 5, 5)
    first = book.submit(2, False, 5, 2)
    kept = [book.submit(3 + n, False, 5, 1) for n in range(2)]
    assert first == [Fill(1, 5, 2, 3)]
    assert kept == [[Fill(1, 5, 1, 2)], [Fill(1, 5, 1, 1)]]


def test_no_fills_are_one_object_and_a_copy_is_a_list(fills: Fills) -> None:
    book = Book()
    assert book.submit(1, False, 5, 1) is book.submit(2, False, 5, 1)
    assert list(book.submit(3, False, 5, 1)) == []
    assert pickle.loads(pickle.dumps(fills)) == copy.deepcopy(fills) == EXPECTED
    assert repr(fills) == f"Fills({EXPECTED})"


def test_many_fills_alive_at_once_stay_apart() -> None:
    """More than are kept to be used again, of every length around those that are."""
    book = Book()
    for number in range(2000):
        book.add(number + 1, True, 5, 1)
    kept = [book.submit(9000 + n, False, 5, n % 9 + 1) for n in range(200)]
    expected = iter(range(1, 2001))
    for n, fills in enumerate(kept):
        assert [fill.order_id for fill in fills] == [next(expected) for _ in range(n % 9 + 1)]
    del kept
    gc.collect()
    assert [fill.order_id for fill in book.submit(9999, False, 5, 2)] == [next(expected), next(expected)]
