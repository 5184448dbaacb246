"""The local book by itself: what it applies, what makes it stale, and that it ends up as the venue's."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from book_bench import BookBench, mid
from hypothesis import given, settings
from hypothesis import strategies as st

from ledgerx.api.client import v0_0_1 as api
from ledgerx.errors import ConnectTimeout, Error, InvalidState, UnknownOrder
from ledgerx.sdk import book as book_module

Update = api.MessageBookUpdate


@pytest.fixture
def bench() -> BookBench:
    """A book that was never asked for anything yet."""
    return BookBench()


@pytest.fixture
def live(bench: BookBench) -> BookBench:
    """A synchronised book with one bid of 5 at 100."""
    bench.venue.submit(False, 100, 5)
    bench.heads()
    bench.answer()
    bench.check_equal()
    return bench


class TestBeginning:
    def test_nothing_is_asked_before_the_echo(self, bench: BookBench) -> None:
        bench.feed(bench.venue.submit(False, 100, 5))
        assert bench.asked == 0
        assert not bench.book.synchronised
        bench.heads()
        bench.heads()
        assert bench.asked == 1

    def test_updates_before_the_snapshot_are_not_applied_twice_and_those_after_it_are(
        self, bench: BookBench
    ) -> None:
        before = bench.venue.submit(False, 100, 5)
        bench.heads()
        during = bench.venue.submit(False, 105, 1)
        bench.evaluate()
        after = bench.venue.reduce(0, 1) + bench.venue.submit(True, 200, 2)
        bench.feed(before + during + after)
        bench.answer()
        bench.check_equal()
        assert bench.asked == 1

    def test_an_empty_topic_gives_an_empty_book(self, bench: BookBench) -> None:
        bench.heads()
        bench.answer()
        bench.check_equal()
        assert len(bench.book) == 0

    def test_a_snapshot_older_than_the_known_head_is_not_taken_for_the_truth(self, bench: BookBench) -> None:
        """It answers a question that an older connection asked."""
        bench.heads()
        bench.evaluate()
        bench.book.disconnected()
        bench.venue.submit(False, 100, 5)  # while nothing was subscribed
        bench.heads()
        bench.answer()
        assert not bench.book.synchronised
        bench.settle()
        bench.check_equal()

    def test_a_refusal_is_what_the_wait_raises(self, bench: BookBench) -> None:
        bench.heads()
        bench.book.snapshot(api.MessageStatus(status=300))
        bench.book.snapshot(api.MessageStatus(status=404, message="no such contract"))
        with pytest.raises(Error, match="no book of contract 7: no such contract"):
            bench.book.wait_synchronised(0)


class TestStale:
    def test_a_hole_asks_for_this_book_anew(self, live: BookBench) -> None:
        live.venue.submit(False, 105, 1)  # lost
        live.feed(live.venue.submit(False, 110, 1))
        assert not live.book.synchronised
        assert live.book.resynchronisations == 1
        assert live.book.best(False) == (100, 5, 1)  # its last good state
        live.answer()
        live.check_equal()

    def test_a_head_ahead_of_it_shows_the_loss_of_the_last_update(self, live: BookBench) -> None:
        live.venue.submit(False, 105, 1)  # lost
        live.heads()
        assert not live.book.synchronised
        live.answer()
        live.check_equal()

    def test_a_newer_run_empties_it(self, live: BookBench) -> None:
        live.venue.restart()
        live.heads()
        live.answer()
        live.check_equal()
        assert live.book.position == (2, 0)

    def test_an_update_of_a_newer_run_does(self, live: BookBench) -> None:
        live.venue.restart()
        live.feed(live.venue.submit(False, 105, 1))
        live.answer()
        live.check_equal()

    @pytest.mark.parametrize(
        "fields",
        [
            {"action": Update.REMOVE, "order_id": 99},
            {"action": Update.CHANGE, "order_id": 99, "size": 1},
            {"action": Update.CHANGE, "order_id": 1, "size": 5},
            {"action": Update.ADD, "order_id": 1, "price_in_cents": 90, "size": 1},
            {"action": Update.ADD, "order_id": 2, "price_in_cents": 90, "is_ask": True, "size": 1},
            {"action": Update.ADD, "order_id": 2, "price_in_cents": 90, "size": 0},
            {"action": 9, "order_id": 1},
        ],
        ids=[
            "removes a stranger",
            "changes a stranger",
            "changes nothing",
            "again",
            "crosses",
            "no size",
            "action of a newer version",
        ],
    )
    def test_an_update_that_does_not_fit_does(self, live: BookBench, fields: dict[str, Any]) -> None:
        update = Update(contract_id=7, run_id=1, sequence=2, **fields)
        live.feed([update])
        assert not live.book.synchronised
        live.answer()
        live.check_equal()

    def test_an_old_update_is_ignored(self, live: BookBench) -> None:
        update = live.venue.submit(False, 105, 1)
        live.feed(update)
        live.feed(update)
        live.check_equal()
        assert live.book.resynchronisations == 0

    def test_a_loss_among_the_updates_that_wait_for_the_snapshot_asks_again(self, live: BookBench) -> None:
        live.venue.submit(False, 105, 1)
        live.heads()
        live.evaluate()
        updates = [update for price in (110, 115, 120) for update in live.venue.submit(False, price, 1)]
        live.feed([updates[0], updates[2]])
        live.answer()
        assert not live.book.synchronised
        live.settle()
        live.check_equal()

    def test_more_updates_than_may_wait_ask_again(self, live: BookBench) -> None:
        live.heads()
        live.venue.submit(False, 105, 5)
        live.heads()
        live.evaluate()
        filler = live.venue.reduce(0, 1)
        for number in range(book_module._UPDATES_WAITING_MAX + 1):
            filler[0].sequence = 3 + number
            live.book.update(filler[0])
        assert live.asked == 3
        live.settle()
        live.check_equal()

    def test_after_a_disconnection_it_starts_from_the_next_echo(self, live: BookBench) -> None:
        live.book.disconnected()
        assert not live.book.synchronised
        live.feed(live.venue.submit(False, 105, 1))
        live.book.snapshot(live.venue.snapshot())  # nothing was asked on this connection
        assert not live.book.synchronised
        live.heads()
        live.answer()
        live.check_equal()

    def test_an_answer_of_an_older_connection_is_not_taken_for_the_newer_ones(self, bench: BookBench) -> None:
        bench.heads()
        older = bench.book.answer()
        told = bench.venue.snapshot()
        bench.book.disconnected()
        bench.heads()  # the venue has lost what it showed, and shows other orders at the same position
        older(told)
        assert not bench.book.synchronised
        bench.questions.popleft()
        bench.answer()
        bench.check_equal()


class TestReading:
    def test_levels_orders_and_queues(self, live: BookBench) -> None:
        for price, size in ((100, 2), (105, 1)):
            live.feed(live.venue.submit(False, price, size))
        live.feed(live.venue.submit(True, 200, 3))
        assert live.book.best(True) == (200, 3, 1)
        assert live.book.depth(False, 5) == [(105, 1, 1), (100, 7, 2)]
        assert live.book.queue_position(2) == (1, 5)
        assert len(live.book) == 4
        with pytest.raises(UnknownOrder):
            live.book.queue_position(99)

    def test_waiting_ends_with_the_snapshot_a_timeout_or_the_end(self, bench: BookBench) -> None:
        with pytest.raises(ConnectTimeout, match="book of contract 7"):
            bench.book.wait_synchronised(0.01)
        bench.heads()
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(bench.book.wait_synchronised, 30)
            bench.answer()
            waiting.result(30)
        bench.book.ended()
        with pytest.raises(InvalidState, match="ended"):
            bench.book.wait_synchronised()

    def test_the_dispatch_thread_cannot_wait_unless_there_is_nothing_to_wait_for(
        self, live: BookBench
    ) -> None:
        live.dispatching = True
        live.book.wait_synchronised()
        live.book.disconnected()
        with pytest.raises(InvalidState, match="would wait for itself"):
            live.book.wait_synchronised(30)


class TestOwnOrders:
    def test_the_snapshot_marks_them_and_reports_do_after_it(self, live: BookBench) -> None:
        live.feed(live.venue.submit(False, 105, 1, own=True))
        assert live.book.own == {}
        live.book.mark(live.venue.report(2))
        assert live.book.own == {2: mid(2)}
        live.book.disconnected()
        live.heads()
        live.answer()
        live.check_equal()

    def test_one_that_ended_is_marked_no_more(self, live: BookBench) -> None:
        live.feed(live.venue.submit(False, 105, 1, own=True))
        live.book.mark(live.venue.report(2))
        live.feed(live.venue.reduce(0, 1))
        assert live.book.own == {}
        live.book.mark(live.venue.report(2))
        live.check_equal()

    def test_a_report_that_overtakes_the_snapshot_it_follows_keeps_its_mark(self, live: BookBench) -> None:
        live.book.disconnected()
        live.heads()
        live.evaluate()
        update = live.venue.submit(False, 105, 1, own=True)
        live.book.mark(live.venue.report(2))
        live.feed(update)
        live.answer()
        live.check_equal()


# A day of the venue: orders, cancels, runs; and what happens to the feed and to the answers meanwhile.
SIDES = OWN = LOST = st.booleans()
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("order"), SIDES, st.integers(1, 12), st.integers(1, 5), OWN, LOST),
        st.tuples(st.just("reduce"), st.integers(0, 20), st.integers(1, 5), LOST),
        st.tuples(st.sampled_from(["heads", "evaluate", "answer", "disconnect", "restart"])),
    ),
    max_size=60,
)


@settings(max_examples=300)
@given(STEPS)
def test_whatever_the_feed_loses_it_ends_up_as_the_venues_book(steps: list[Any]) -> None:
    bench = BookBench()
    bench.heads()
    for kind, *values in steps:
        if kind == "order":
            is_ask, price, size, own, lost = values
            updates = bench.venue.submit(is_ask, price, size, own=own)
            number = bench.venue.order_id
            if number in bench.venue.own:
                bench.book.mark(bench.venue.report(number))
            bench.feed([] if lost else updates)
        elif kind == "reduce":
            *how, lost = values
            updates = bench.venue.reduce(*how)
            bench.feed([] if lost else updates)
        elif kind == "restart":  # a venue that restarts breaks every connection
            bench.venue.restart()
            bench.book.disconnected()
        elif kind == "disconnect":
            bench.book.disconnected()
        else:
            getattr(bench, kind)()
    bench.settle()
    bench.check_equal()
