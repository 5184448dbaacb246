"""Arguments and surroundings that mean the C book harm: its plain-Python twin has no such edges."""

from __future__ import annotations

import gc
import struct
from collections.abc import Callable
from typing import Any

import numpy
import pytest

from ledgerx.clob import Book, EventKind, Level, Order
from ledgerx.clob._records import BEST_FORMAT, EVENT_FORMAT
from ledgerx.errors import DuplicateOrder, InvalidOrder, UnknownOrder


class Index:
    """An int by its __index__ alone."""

    def __init__(self, value: int) -> None:
        self.value = value

    def __index__(self) -> int:
        return self.value


@pytest.fixture
def book() -> Book:
    book = Book()
    for price in (10, 11, 12):
        book.add(price, False, price, 1)
    return book


def test_what_is_an_int_by_index_alone_may_leave_int64(book: Book) -> None:
    assert len(book.depth(False, Index(2**70))) == 3  # type: ignore[arg-type]
    assert book.depth(False, Index(-(2**70))) == []  # type: ignore[arg-type]
    assert book.depth(False, Index(1)) == [Level(12, 1, 1)]  # type: ignore[arg-type]
    with pytest.raises(InvalidOrder, match=r"size .* is not in 1 to"):
        book.reduce(10, Index(-(2**70)))  # type: ignore[arg-type]
    with pytest.raises(InvalidOrder, match=r"has less than .* open"):
        book.reduce(10, Index(2**70))  # type: ignore[arg-type]


class Failing:
    """Neither an int nor a bool."""

    def __index__(self) -> int:
        raise LookupError("mine")

    __bool__ = __index__  # type: ignore[assignment]


class Counting(Index):
    """An int, or a bool, that counts how often it was asked."""

    asked = 0

    def __index__(self) -> int:
        self.asked += 1
        return self.value

    def __bool__(self) -> bool:
        return bool(self.__index__())


@pytest.mark.parametrize(
    ("method", "count"),
    [("add", 4), ("submit", 6), ("preview", 3), ("replace", 3), ("reduce", 2), ("apply_event", 5)],
)
def test_behind_an_argument_that_fails_no_other_is_asked(method: str, count: int, book: Book) -> None:
    for failing in range(count):
        arguments: list[Any] = [Counting(1) for _ in range(count)]
        arguments[failing] = Failing()
        with pytest.raises(LookupError, match="mine"):
            getattr(book, method)(*arguments)
        assert sum(argument.asked for argument in arguments if isinstance(argument, Counting)) <= failing + 1
        assert len(book) == 3


class Unshown(int):
    """An int that cannot be shown."""

    def __str__(self) -> str:
        raise LookupError("mine")


@pytest.mark.parametrize("kind", [int, Unshown])
def test_a_value_that_cannot_be_shown_raises_its_own_error(kind: type[int], book: Book) -> None:
    with pytest.raises(LookupError, match="mine"):
        book.submit(Unshown(5), True, kind(2**70), 1)
    with pytest.raises(LookupError, match="mine"):
        book.submit(Unshown(5), True, 1, 1, 7)


def test_no_code_finds_a_book_that_is_half_made() -> None:
    found: list[int] = []

    class Looking(int):
        def __str__(self) -> str:
            found.append(sum(len(each) for each in gc.get_objects() if type(each) is Book))
            return "a look"

    with pytest.raises(InvalidOrder, match="orders_max a look is not in 1 to"):
        Book(Looking(0))
    assert len(found) == 1


@pytest.mark.parametrize("method", ["snapshot", "depth", "orders", "submit", "preview"])
def test_a_finalizer_may_change_the_book_that_is_being_told(method: str) -> None:
    """A collection that a new tuple starts, as Python before 3.12 has it, runs what it likes."""
    calls: dict[str, Callable[[], list[Any]]] = {
        "snapshot": lambda: book.snapshot(),
        "depth": lambda: book.depth(False, 5000),
        "orders": lambda: book.orders(False, 1),
        "submit": lambda: book.submit(9000, True, None, 5000),
        "preview": lambda: book.preview(True, None, 5000),
    }
    book = Book()
    for number in range(5000):
        book.add(number + 1, False, 1 if method == "orders" else number, 1)

    class Cycle:
        def __init__(self) -> None:
            self.me = self

        def __del__(self) -> None:
            book.restore([])

    gc.collect()
    Cycle()
    assert len(calls[method]()) == 5000
    gc.collect()
    assert len(book) == 0


def test_buffers_may_begin_at_any_address(book: Book) -> None:
    records = book.records()
    for offset in range(1, 8):
        applied, best = Book(), bytearray(8 + 16 * 3)
        assert (
            applied.apply(memoryview(bytes(offset) + records)[offset:], memoryview(best)[offset:][: 16 * 3])
            == 3
        )
        assert applied.records() == records
        assert [bid for bid, _ in struct.iter_unpack(BEST_FORMAT, best[offset:][: 16 * 3])] == [12, 12, 12]


@pytest.mark.parametrize("price", [True, Index(7), Index(2**70)])
def test_the_price_of_a_level_without_orders_is_a_plain_int(price: Any, book: Book) -> None:
    assert type(book.level(False, price).price) is int
    assert book.level(False, price) == Level(price.__index__(), 0, 0)
    assert book.orders(False, price) == []


def test_what_a_preview_refuses_names_no_order(book: Book) -> None:
    with pytest.raises(InvalidOrder, match=r"^price 9223372036854775808 is no 64-bit integer"):
        book.preview(False, 2**63, 1)
    with pytest.raises(InvalidOrder, match=r"^size 9223372036854775808 is not"):
        book.preview(False, 1, 2**63)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_number_too_long_to_be_shown_is_refused_as_any_other(sign: int, book: Book) -> None:
    number = sign * 10**5000
    for call in (lambda: book.cancel(number), lambda: book.order(number), lambda: book.reduce(number, 1)):
        with pytest.raises(UnknownOrder, match="thousands of digits"):
            call()
    for call in (
        lambda: book.add(number, False, 1, 1),
        lambda: book.add(1, False, number, 1),
        lambda: book.add(1, False, 1, number),
        lambda: book.submit(1, False, 1, 1, number),
        lambda: book.apply_event(number, 1, False, 1, 1),
    ):
        with pytest.raises(InvalidOrder, match="thousands of digits"):
            call()
    assert number not in book
    with pytest.raises(InvalidOrder):
        Book(number)


def test_an_order_that_cannot_be_restored_is_told_by_its_place(book: Book) -> None:
    with pytest.raises(InvalidOrder) as caught:
        book.restore([Order(1, False, 1, 1), Order(2, False, 2**63, 1)])
    assert caught.value.event_index == 1
    with pytest.raises(DuplicateOrder) as twice:
        book.restore([Order(1, False, 1, 1), Order(1, False, 2, 1)])
    assert twice.value.event_index == 1
    assert len(book) == 3


def test_an_output_may_have_a_field_of_any_name(book: Book) -> None:
    best = numpy.zeros(1, [("Offer", "<i8"), ("Other", "<i8")])
    assert book.apply(_clear(), best) == 1
    with pytest.raises(TypeError, match="writable buffer"):
        book.apply(_clear(), numpy.zeros((1, 2), object))


def _clear() -> bytes:
    return struct.pack(EVENT_FORMAT, 0, 0, 0, EventKind.CLEAR, False)
