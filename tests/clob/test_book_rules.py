"""Every rule of the book, one test a rule."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import Any

import pytest

from ledgerx.clob import ORDER_ID_MAX, PRICE_MAX, PRICE_MIN, SIZE_MAX, Book, Fill, Level, Order, TimeInForce
from ledgerx.errors import BookFull, DuplicateOrder, InvalidOrder, NotFillable, UnknownOrder, WouldCross

BID, ASK = False, True
CHECKSUMS = (
    10303068005398039600,
    444711501337971438,
    2184644943914077710,
)  # computed once; any book must agree
IOC, FOK = TimeInForce.IOC, TimeInForce.FOK


@pytest.fixture
def book(book_class: type[Book]) -> Book:
    """Bids 100: ids 1 (5), 2 (7); 99: id 3 (1). Asks 102: ids 4 (2), 5 (3); 105: id 6 (10)."""
    book = book_class()
    for order in [(1, BID, 100, 5), (2, BID, 100, 7), (3, BID, 99, 1), (4, ASK, 102, 2), (5, ASK, 102, 3)]:
        book.add(*order)
    book.add(6, ASK, 105, 10)
    return book


def unchanged(book: Book, error: type[Exception], call: Callable[[], Any]) -> None:
    before = book.snapshot()
    with pytest.raises(error):
        call()
    assert book.snapshot() == before
    assert book.total(BID) == sum(order.size for order in before if not order.is_ask)
    assert book.total(ASK) == sum(order.size for order in before if order.is_ask)


# ---------------------------------------------------------------------------- adding


def test_an_added_order_rests_at_the_back_of_its_level(book: Book) -> None:
    book.add(9, BID, 100, 4)
    assert [order.order_id for order in book.orders(BID, 100)] == [1, 2, 9]
    assert book.level(BID, 100) == Level(100, 16, 3)


@pytest.mark.parametrize(("is_ask", "price"), [(BID, 102), (BID, 200), (ASK, 100), (ASK, 1)])
def test_an_added_order_that_would_cross_is_refused(book: Book, is_ask: bool, price: int) -> None:
    unchanged(book, WouldCross, lambda: book.add(9, is_ask, price, 1))


@pytest.mark.parametrize(
    ("order_id", "price", "size"),
    [
        (0, 50, 1),
        (-1, 50, 1),
        (ORDER_ID_MAX + 1, 50, 1),
        (9, PRICE_MAX + 1, 1),
        (9, PRICE_MIN - 1, 1),
        (9, 50, 0),
        (9, 50, -3),
        (9, 50, SIZE_MAX + 1),
        (0, 0, 0),
        (9, 50, SIZE_MAX),  # with what stands, the side's sum would leave 64 bits
    ],
)
def test_values_out_of_range_are_refused(book: Book, order_id: int, price: int, size: int) -> None:
    unchanged(book, InvalidOrder, lambda: book.add(order_id, BID, price, size))
    unchanged(book, InvalidOrder, lambda: book.submit(order_id, BID, price, size))


def test_the_ends_of_every_range_are_taken(book_class: type[Book]) -> None:
    book = book_class()
    book.add(ORDER_ID_MAX, ASK, PRICE_MAX, SIZE_MAX)
    book.add(1, BID, PRICE_MIN, SIZE_MAX)
    assert book.best(ASK) == Level(PRICE_MAX, SIZE_MAX, 1)
    assert book.best(BID) == Level(PRICE_MIN, SIZE_MAX, 1)
    assert book.submit(2, BID, PRICE_MAX, SIZE_MAX, IOC) == [Fill(ORDER_ID_MAX, PRICE_MAX, SIZE_MAX, 0)]


@pytest.mark.parametrize("values", [(1.0, 50, 1), (9, 50.0, 1), (9, 50, 1.0), ("9", 50, 1), (9, 50, None)])
def test_what_is_no_int_is_a_type_error(book: Book, values: tuple[Any, Any, Any]) -> None:
    order_id, price, size = values
    unchanged(book, TypeError, lambda: book.add(order_id, BID, price, size))
    unchanged(book, TypeError, lambda: book.submit(order_id, BID, price, size))


def test_an_id_in_use_is_refused_on_either_side(book: Book) -> None:
    unchanged(book, DuplicateOrder, lambda: book.add(4, BID, 90, 1))
    unchanged(book, DuplicateOrder, lambda: book.submit(4, BID, 90, 1))
    unchanged(book, DuplicateOrder, lambda: book.submit(1, BID, 200, 1, IOC))


def test_an_id_is_free_again_once_its_order_is_gone(book: Book) -> None:
    book.cancel(1)
    book.add(1, ASK, 110, 1)
    assert book.order(1) == Order(1, ASK, 110, 1)


# ---------------------------------------------------------------------------- matching


def test_an_order_that_meets_nothing_rests(book: Book) -> None:
    assert book.submit(9, BID, 101, 4) == []
    assert book.best(BID) == Level(101, 4, 1)


def test_fills_go_by_price_then_time_at_the_resting_price(book: Book) -> None:
    fills = book.submit(9, BID, 105, 6)
    assert fills == [Fill(4, 102, 2, 0), Fill(5, 102, 3, 0), Fill(6, 105, 1, 9)]
    assert 9 not in book
    assert book.best(ASK) == Level(105, 9, 1)
    assert book.total(ASK) == 9


def test_the_rest_of_a_limit_order_rests_at_its_own_price(book: Book) -> None:
    assert book.submit(9, ASK, 100, 20) == [Fill(1, 100, 5, 0), Fill(2, 100, 7, 0)]
    assert book.order(9) == Order(9, ASK, 100, 8)
    assert book.best(BID) == Level(99, 1, 1)


def test_a_partial_fill_keeps_the_resting_order_first(book: Book) -> None:
    assert book.submit(9, ASK, 100, 3, IOC) == [Fill(1, 100, 3, 2)]
    assert book.orders(BID, 100) == [Order(1, BID, 100, 2), Order(2, BID, 100, 7)]


def test_the_rest_of_an_ioc_order_is_dropped(book: Book) -> None:
    assert book.submit(9, BID, 104, 50, IOC) == [Fill(4, 102, 2, 0), Fill(5, 102, 3, 0)]
    assert 9 not in book


def test_a_market_order_meets_every_price_and_never_rests(book: Book) -> None:
    assert [fill.size for fill in book.submit(9, BID, None, 100)] == [2, 3, 10]
    assert 9 not in book
    assert book.best(ASK) is None
    assert book.submit(9, BID, None, 100) == []


def test_fill_or_kill_fills_whole_or_changes_nothing(book: Book) -> None:
    unchanged(book, NotFillable, lambda: book.submit(9, BID, 104, 6, FOK))
    unchanged(book, NotFillable, lambda: book.submit(9, BID, 101, 1, FOK))
    unchanged(book, NotFillable, lambda: book.submit(9, BID, None, 16, FOK))
    assert [fill.size for fill in book.submit(9, BID, 105, 15, FOK)] == [2, 3, 10]


def test_post_only_refuses_to_trade_and_rests_otherwise(book: Book) -> None:
    unchanged(book, WouldCross, lambda: book.submit(9, BID, 102, 1, post_only=True))
    unchanged(book, WouldCross, lambda: book.submit(9, BID, None, 1, post_only=True))
    unchanged(book, WouldCross, lambda: book.submit(9, BID, 102, 99, FOK, post_only=True))
    assert book.submit(9, BID, 101, 1, post_only=True) == []
    assert 9 in book


def test_an_unknown_time_in_force_is_refused(book: Book) -> None:
    unchanged(book, InvalidOrder, lambda: book.submit(9, BID, 50, 1, 3))
    unchanged(book, InvalidOrder, lambda: book.submit(9, BID, 50, 1, -1))


def test_a_side_that_is_full_still_lets_immediate_orders_through(book_class: type[Book]) -> None:
    book = book_class()
    book.add(1, BID, 10, SIZE_MAX)
    book.add(2, ASK, 20, 1)
    unchanged(book, InvalidOrder, lambda: book.submit(3, BID, 20, 1))
    assert book.submit(3, BID, 20, SIZE_MAX, IOC) == [Fill(2, 20, 1, 0)]


def test_preview_tells_what_submit_would_fill_and_changes_nothing(book: Book) -> None:
    before = book.snapshot()
    previewed = list(book.preview(BID, 105, 6))
    assert book.snapshot() == before
    assert previewed == book.submit(9, BID, 105, 6)
    assert list(book.preview(BID, None, 99)) == [Fill(6, 105, 9, 0)]
    assert list(book.preview(ASK, 101, 1)) == []


def test_preview_checks_its_arguments_at_the_call(book: Book) -> None:
    with pytest.raises(InvalidOrder):
        book.preview(BID, 100, 0)


# ---------------------------------------------------------------------------- changing


@pytest.mark.parametrize("method", ["reduce", "execute"])
def test_a_reduction_keeps_the_place_and_removes_at_zero(book: Book, method: str) -> None:
    assert getattr(book, method)(1, 2) == 3
    assert book.orders(BID, 100) == [Order(1, BID, 100, 3), Order(2, BID, 100, 7)]
    assert book.total(BID) == 11
    assert getattr(book, method)(1, 3) == 0
    assert 1 not in book
    assert book.best(BID) == Level(100, 7, 1)


@pytest.mark.parametrize("method", ["reduce", "execute"])
def test_a_reduction_beyond_the_order_is_refused(book: Book, method: str) -> None:
    unchanged(book, InvalidOrder, lambda: getattr(book, method)(1, 6))
    unchanged(book, InvalidOrder, lambda: getattr(book, method)(1, 0))
    unchanged(book, InvalidOrder, lambda: getattr(book, method)(77, -1))
    unchanged(book, UnknownOrder, lambda: getattr(book, method)(77, 1))
    unchanged(book, TypeError, lambda: getattr(book, method)(1, 1.0))


def test_an_execution_may_hit_the_middle_of_the_best_queue_but_no_other_price(book: Book) -> None:
    assert book.execute(2, 1) == 6
    unchanged(book, InvalidOrder, lambda: book.execute(3, 1))
    unchanged(book, InvalidOrder, lambda: book.execute(6, 1))


def test_cancel_removes_and_tells_the_open_size(book: Book) -> None:
    assert book.cancel(3) == 1
    assert book.cancel(4) == 2
    assert book.depth(BID, 9) == [Level(100, 12, 2)]
    assert book.best(ASK) == Level(102, 3, 1)
    unchanged(book, UnknownOrder, lambda: book.cancel(3))


def test_replace_keeps_the_place_only_at_the_same_price_and_no_larger_size(book: Book) -> None:
    assert book.replace(1, 100, 5) is True
    assert book.replace(1, 100, 4) is True
    assert [order.order_id for order in book.orders(BID, 100)] == [1, 2]
    assert book.replace(1, 100, 5) is False
    assert book.orders(BID, 100) == [Order(2, BID, 100, 7), Order(1, BID, 100, 5)]
    assert book.replace(2, 99, 1) is False
    assert [order.order_id for order in book.orders(BID, 99)] == [3, 2]
    assert book.total(BID) == 7


def test_replace_refuses_what_would_cross_or_cannot_be(book: Book) -> None:
    unchanged(book, WouldCross, lambda: book.replace(1, 102, 5))
    unchanged(book, WouldCross, lambda: book.replace(6, 100, 5))
    unchanged(book, UnknownOrder, lambda: book.replace(77, 100, 5))
    unchanged(book, InvalidOrder, lambda: book.replace(1, 100, 0))
    unchanged(book, InvalidOrder, lambda: book.replace(1, PRICE_MAX + 1, 5))
    unchanged(book, InvalidOrder, lambda: book.replace(1, 100, SIZE_MAX - 7))


def test_an_order_does_not_cross_itself(book: Book) -> None:
    book.clear()
    book.add(1, BID, 10, 1)
    assert book.replace(1, 500, 1) is False


# ---------------------------------------------------------------------------- looking


def test_best_and_depth_run_from_the_spread_outwards(book: Book) -> None:
    assert book.best(BID) == Level(100, 12, 2)
    assert book.best(ASK) == Level(102, 5, 2)
    assert book.depth(BID, 5) == [Level(100, 12, 2), Level(99, 1, 1)]
    assert book.depth(ASK, 1) == [Level(102, 5, 2)]
    assert book.depth(ASK, 0) == []


def test_an_empty_price_has_an_empty_level(book: Book) -> None:
    assert book.level(BID, 42) == Level(42, 0, 0)
    assert book.orders(BID, 42) == []


def test_queue_position_counts_what_stands_before_at_the_price(book: Book) -> None:
    assert book.queue_position(1) == (0, 0)
    assert book.queue_position(2) == (1, 5)
    assert book.queue_position(3) == (0, 0)
    for method in (book.queue_position, book.order):
        with pytest.raises(UnknownOrder):
            method(77)


def test_len_and_contains_count_resting_orders(book: Book) -> None:
    assert len(book) == 6
    assert 6 in book
    assert 7 not in book
    assert "1" not in book


def test_repr_names_the_top(book: Book) -> None:
    assert "orders=6" in repr(book)


# ---------------------------------------------------------------------------- copying


def test_a_snapshot_runs_bids_down_then_asks_up_each_in_time(book: Book) -> None:
    assert [order.order_id for order in book.snapshot()] == [1, 2, 3, 4, 5, 6]


def test_restore_makes_the_same_book_and_drops_what_was(book: Book, book_class: type[Book]) -> None:
    other = book_class()
    other.add(77, BID, 1, 1)
    other.restore(book.snapshot())
    assert other.snapshot() == book.snapshot()
    assert other.checksum() == book.checksum()
    assert 77 not in other


def test_a_refused_restore_changes_nothing(book: Book) -> None:
    unchanged(book, DuplicateOrder, lambda: book.restore([Order(1, BID, 1, 1), Order(1, BID, 1, 1)]))
    unchanged(book, WouldCross, lambda: book.restore([Order(1, BID, 5, 1), Order(2, ASK, 5, 1)]))


def test_clear_empties(book: Book) -> None:
    book.clear()
    assert (len(book), book.total(BID), book.total(ASK), book.best(BID)) == (0, 0, 0, None)


def test_the_checksum_is_the_documented_number(book: Book, book_class: type[Book]) -> None:
    assert book_class().checksum() == 0
    one = book_class()
    one.add(1, BID, 100, 5)
    mask, digest = 2**64 - 1, 0
    for word in (1, 100, 10):
        z = ((digest ^ word) + 0x9E3779B97F4A7C15) & mask
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        digest = z ^ (z >> 31)
    assert one.checksum() == digest
    extreme = book_class()
    extreme.add(ORDER_ID_MAX, ASK, PRICE_MIN, SIZE_MAX)
    assert (one.checksum(), extreme.checksum(), book.checksum()) == CHECKSUMS


def test_the_checksum_sees_every_field_and_the_order_of_time(book: Book) -> None:
    base = book.checksum()
    book.replace(1, 100, 6)
    book.replace(1, 100, 5)  # the same orders, 1 behind 2
    assert book.checksum() != base
    book.replace(2, 100, 8)
    book.replace(2, 100, 7)
    assert book.checksum() == base


# ---------------------------------------------------------------------------- the cap


def test_a_full_book_refuses_what_could_rest_and_still_trades(book_class: type[Book]) -> None:
    book = book_class(2)
    book.add(1, BID, 10, 5)
    book.add(2, ASK, 20, 5)
    unchanged(book, BookFull, lambda: book.add(3, BID, 9, 1))
    unchanged(book, BookFull, lambda: book.submit(3, BID, 20, 5))
    assert book.submit(3, BID, 20, 5, IOC) == [Fill(2, 20, 5, 0)]
    book.add(4, BID, 9, 1)
    assert book.replace(4, 8, 2) is False
    assert (len(book), book.orders_max) == (2, 2)


@pytest.mark.parametrize("orders_max", [0, -1, 2**31 + 1, 2**70])
def test_a_cap_out_of_range_is_refused(book_class: type[Book], orders_max: int) -> None:
    with pytest.raises(InvalidOrder, match=f"orders_max {orders_max} is not in"):
        book_class(orders_max)


# ---------------------------------------------------------------------------- arguments


def test_arguments_may_be_named(book: Book) -> None:
    book.add(order_id=9, is_ask=True, price=110, size=1)
    assert book.submit(order_id=10, is_ask=False, price=102, size=1, post_only=False, time_in_force=1) == [
        Fill(4, 102, 1, 1)
    ]
    assert book.reduce(order_id=9, by=1) == 0
    assert book.depth(is_ask=False, levels=1) == [Level(100, 12, 2)]


@pytest.mark.parametrize("order_id", [9, ORDER_ID_MAX, 2**29 + 1, 2**31, 2**60])
@pytest.mark.parametrize("immediate", [1, True, IOC, IntEnum("Mine", {"AT_ONCE": 1}).AT_ONCE])  # type: ignore[misc]
@pytest.mark.parametrize("is_ask", [BID, 0, 0.0, ""])
def test_an_order_is_the_same_in_whatever_form_its_values_come(
    book: Book, order_id: int, immediate: int, is_ask: Any
) -> None:
    assert book.submit(order_id, is_ask, 102, 1, immediate) == [Fill(4, 102, 1, 1)]
    assert book.submit(order_id, is_ask, 102, 1, immediate, BID) == [Fill(4, 102, 1, 0)]
    assert book.submit(order_id, is_ask, None, 9, immediate, post_only=is_ask) == [
        Fill(5, 102, 3, 0),
        Fill(6, 105, 6, 4),
    ]
    assert book.submit(order_id, is_ask, 101, 1, immediate, 1) == []
    unchanged(book, WouldCross, lambda: book.submit(order_id, is_ask, 105, 1, immediate, True))
    unchanged(book, WouldCross, lambda: book.submit(order_id, is_ask, 105, 1, immediate, "yes"))  # type: ignore[arg-type]
    assert book.submit(order_id, is_ask, 105, 9) == [Fill(6, 105, 4, 0)]
    assert book.order(order_id) == Order(order_id, False, 105, 5)


@pytest.mark.parametrize(
    "price", [0, -1, 1, 2**30 - 1, 2**30, -(2**30), 2**60, -(2**60), PRICE_MIN, PRICE_MAX]
)
@pytest.mark.parametrize("size", [1, 2**30, 2**60, SIZE_MAX])
def test_a_price_and_a_size_of_any_length_come_through(book_class: type[Book], price: int, size: int) -> None:
    book = book_class()
    assert book.submit(1, ASK, price, size) == []
    assert book.orders(ASK, price) == [Order(1, True, price, size)]
    assert book.submit(2, BID, price, size, FOK) == [Fill(1, price, size, 0)]


def test_what_is_wrong_first_is_told_first(book: Book) -> None:
    for time_in_force in (3, 2**70, -1):
        with pytest.raises(InvalidOrder, match="size"):
            book.submit(9, BID, 50, 0, time_in_force)
        with pytest.raises(InvalidOrder, match=f"order 1: unknown time in force {time_in_force}"):
            book.submit(1, BID, 50, 1, time_in_force)
    with pytest.raises(InvalidOrder, match="0"):
        book.submit(0, BID, 50, 1, 3)


@pytest.mark.parametrize(
    "call",
    [
        lambda book: book.add(9, BID, 100),
        lambda book: book.add(9, BID, 100, 1, 1),
        lambda book: book.add(9, BID, 100, 1, order_id=9),
        lambda book: book.add(9, BID, 100, sise=1),
        lambda book: book.cancel(),
        lambda book: book.cancel(1, order_id=1),
        lambda book: book.cancel("1"),
        lambda book: book.cancel(1.0),
        lambda book: book.depth(BID, 1.5),
        lambda book: type(book)("2"),
    ],
)
def test_arguments_that_do_not_fit_are_type_errors(book: Book, call: Callable[[Book], Any]) -> None:
    unchanged(book, TypeError, lambda: call(book))


def test_ids_that_no_order_can_have_are_unknown(book: Book) -> None:
    for order_id in (0, -1, 2**64, 2**80):
        for call in (book.cancel, book.order, book.queue_position):
            with pytest.raises(UnknownOrder, match=f"no order {order_id}$"):
                call(order_id)
        with pytest.raises(UnknownOrder):
            book.reduce(order_id, 1)
        assert order_id not in book
    assert "1" not in book
    assert 1.0 not in book


def test_sizes_beyond_64_bits_are_refused_where_an_order_is_changed(book: Book) -> None:
    for by in (2**63, -(2**63) - 1, 2**90):
        unchanged(book, InvalidOrder, lambda by=by: book.reduce(1, by))  # type: ignore[misc]
        unchanged(book, InvalidOrder, lambda by=by: book.execute(1, by))  # type: ignore[misc]
        unchanged(book, InvalidOrder, lambda by=by: book.replace(1, 100, by))  # type: ignore[misc]
        unchanged(book, InvalidOrder, lambda by=by: book.replace(1, by, 1))  # type: ignore[misc]
    unchanged(book, UnknownOrder, lambda: book.reduce(99, 2**63))
    unchanged(book, InvalidOrder, lambda: book.reduce(99, -(2**90)))
    assert book.level(BID, 2**80) == Level(2**80, 0, 0)
    assert book.orders(BID, -(2**80)) == []
    assert len(book.depth(BID, 2**80)) == 2
    assert book.depth(BID, -(2**80)) == []


def test_errors_name_the_order_and_the_rule(book: Book) -> None:
    for error, text, call in (
        (UnknownOrder, "no order 99", lambda: book.cancel(99)),
        (DuplicateOrder, "order 4 is in the book", lambda: book.add(4, BID, 1, 1)),
        (InvalidOrder, "order 9: size 0 is not in 1 to", lambda: book.add(9, BID, 1, 0)),
        (InvalidOrder, "order id 0 is not in 1 to", lambda: book.add(0, BID, 1, 1)),
        (InvalidOrder, "order 1 has 5 open, not 6", lambda: book.reduce(1, 6)),
        (InvalidOrder, "order 3 at 99 is not at the best price", lambda: book.execute(3, 1)),
        (InvalidOrder, "order 9: unknown time in force 7", lambda: book.submit(9, BID, 1, 1, 7)),
        (
            InvalidOrder,
            "size 9223372036854775807 brings the side above",
            lambda: book.add(9, BID, 1, SIZE_MAX),
        ),
        (WouldCross, "order 9 at 102 would trade", lambda: book.add(9, BID, 102, 1)),
        (NotFillable, "order 9 cannot fill 6 at 104", lambda: book.submit(9, BID, 104, 6, FOK)),
    ):
        with pytest.raises(error, match=text):
            call()


def test_repr_says_how_many_and_the_best(book: Book) -> None:
    assert repr(book) == (
        "<Book orders=6 bid=Level(price=100, size=12, orders=2) ask=Level(price=102, size=5, orders=2)>"
    )
