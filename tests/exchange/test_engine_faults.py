"""A book that raises in the middle of a request: a journaled 500, a state that holds together, no poison."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from engine_harness import ALICE, BOB, CONTRACT, NOW, SECOND, Bench, Report, Status, brief, contract_detail
from test_engine_snapshots import packed, restored
from venue_harness import Floor

from ledgerx.api.client import v0_0_1 as api
from ledgerx.clob import Book
from ledgerx.exchange.engine import Engine
from ledgerx.exchange.snapshot_pb2 import Snapshot
from ledgerx.protocol.wire import decode_message, encode_message


class Broken(Exception):
    """What a bug raises."""


class FaultyBook(Book):
    """A book whose n-th call of a method raises instead, before it does anything."""

    countdown: dict[str, int]

    @classmethod
    def factory(cls, **faults: int) -> Any:
        """Makes such books; all of them share the countdown."""
        return type("FaultyBook", (cls,), {"countdown": dict(faults)})

    def _tick(self, name: str) -> None:
        if name in self.countdown:
            self.countdown[name] -= 1
            if not self.countdown[name]:
                raise Broken(name)

    def submit(self, *args: Any, **kwargs: Any) -> Any:
        self._tick("submit")
        return super().submit(*args, **kwargs)

    def cancel(self, order_id: int) -> int:
        self._tick("cancel")
        return super().cancel(order_id)

    def reduce(self, order_id: int, by: int) -> int:
        self._tick("reduce")
        return super().reduce(order_id, by)

    def preview(self, *args: Any) -> Any:
        self._tick("preview")
        return super().preview(*args)

    def total(self, is_ask: bool) -> int:
        self._tick("total")
        return super().total(is_ask)

    def best(self, is_ask: bool) -> Any:
        self._tick("best")
        return super().best(is_ask)


def play(bench: Bench) -> Iterator[Any]:
    """Requests of every kind, each after the last; yields what each caused."""
    yield bench.limit(ALICE, 5, 500)
    first = bench.last_mid
    yield bench.limit(BOB, 3, 505, ask=True)
    bobs = bench.last_mid
    yield bench.limit(ALICE, 2, 495)
    yield bench.quote(BOB, (490, 2), (510, 3))
    yield bench.quote(BOB, (485, 2), (515, 3))
    yield bench.replace(ALICE, first, 3, 500)
    yield bench.replace(ALICE, first, 6, 500)
    yield bench.replace(ALICE, first, 6, 505)
    yield bench.limit(BOB, 4, 495, ask=True)
    yield bench.market(ALICE, 2)
    yield bench.limit(ALICE, 1, 480, post_only=True)
    members = [
        api.MessageLimitOrder(mid=f"{n:032x}", contract_id=CONTRACT, size=1, price_in_cents=470)
        for n in range(900, 903)
    ]
    yield bench.batch(ALICE, *members)
    yield bench.cancel(BOB, bobs)
    yield bench.quote(BOB, (None, 0), (520, 1))
    yield bench.cancel_all(ALICE)
    yield bench.cancel_all(BOB)


def check_whole(bench: Bench) -> None:
    """Book, listings, holdings and positions say the same."""
    engine = bench.engine
    contract = engine.contracts[CONTRACT]
    resting = {order.order_id: order.size for order in contract.book.snapshot()}
    assert {o.order_id: o.open_size for o in contract.orders.values()} == resting
    assert {o.order_id for a in engine.accounts.values() for o in a.orders.values()} == set(resting)
    for account in engine.accounts.values():
        listed = [order for entry in account.entries.values() for order in entry.orders]
        assert sorted(o.order_id for o in listed) == sorted(account.orders)
        assert set(map(id, account.quotes.values())) <= set(map(id, account.entries.values()))
        for entry in account.entries.values():
            assert entry.live == len(entry.orders) > 0
        holding = account.holding(CONTRACT)
        for is_ask in (False, True):
            mine = [o for o in account.orders.values() if o.is_ask == is_ask]
            assert holding.open_size[is_ask] == sum(o.open_size for o in mine)
    assert sum(a.holding(CONTRACT).position for a in engine.accounts.values()) == 0
    data = packed(engine)
    assert packed(Engine.restored(Snapshot.FromString(data))) == data


def check_lines(bench: Bench) -> bool:
    """Every mid has one end, nothing of it comes after, sizes add up; whether a 500 is among the ends."""
    ended: dict[tuple[int, str], bool] = {}
    moved: dict[int, int] = {}
    failed = False
    for execution in bench.executions:
        for output in execution.outputs:
            message = decode_message(output.message)
            if not output.cid or not message.mid:
                continue
            key = (output.cid, message.mid)
            assert not ended.get(key), "a message came after the last one of its mid"
            ended[key] = message.remaining == 0
            failed |= getattr(message, "status", 0) == Status.STATUS_VENUE_ERROR
            if isinstance(message, api.MessageActionReport) and message.order_id:
                gone = moved.get(message.order_id, 0) + message.filled_size + message.canceled_size
                moved[message.order_id] = gone
                assert message.original_size == gone + message.size
    assert all(ended.values())
    return failed


def calls() -> dict[str, int]:
    """How often the schedule calls each method."""
    many = dict.fromkeys(("submit", "cancel", "reduce", "preview", "total", "best"), 10**6)
    kind = FaultyBook.factory(**many)
    for _result in play(Bench(book_factory=kind)):
        pass
    return {name: 10**6 - left for name, left in kind.countdown.items()}


FAULTS = [(name, nth) for name, count in calls().items() for nth in range(1, count + 1)]


@pytest.mark.parametrize(("name", "nth"), FAULTS)
def test_a_fault_at_any_call_is_a_500_and_leaves_a_whole_state(name: str, nth: int):
    bench = Bench(book_factory=FaultyBook.factory(**{name: nth}))
    for _result in play(bench):
        check_whole(bench)
    bench.start_run(2)  # whatever was left ends, as at a restart
    check_whole(bench)
    assert not any(account.orders or account.entries for account in bench.engine.accounts.values())
    failed = check_lines(bench)
    assert failed or name == "best"  # the top of a book is published behind the request
    again = Engine(FaultyBook.factory(**{name: nth}))
    assert [again.execute(entry) for entry in bench.inputs] == bench.executions


def test_the_schedule_calls_every_method():
    assert len(FAULTS) > 60
    assert min(calls().values()) >= 1


def test_an_order_that_fails_uses_its_mid_and_changes_nothing():
    bench = Bench(book_factory=FaultyBook.factory(submit=2))
    bench.limit(BOB, 3, 505, ask=True)
    before = bench.book(), bench.engine.topic_heads()
    result = bench.limit(ALICE, 5, 505)
    assert result.told(ALICE) == [("ACKNOWLEDGED", 1), ("VENUE_ERROR", 0)]
    assert (bench.book(), bench.engine.topic_heads()) == before
    assert bench.engine.consumed(ALICE, bench.last_mid) == result.number
    assert bench.limit(ALICE, 5, 505).told(ALICE)[1] == ("ORDER_SUCCESS", 1)


def test_a_quote_whose_second_side_fails_leaves_none():
    bench = Bench(book_factory=FaultyBook.factory(submit=2))
    result = bench.quote(ALICE, (490, 2), (510, 3))
    assert [line[0] for line in result.told(ALICE)] == ["ACKNOWLEDGED", "INSERTED", "CANCELED", "VENUE_ERROR"]
    assert [brief(m)[-1] for m in result.line(ALICE)][-1] == 0
    assert bench.book() == []


def test_a_replace_that_fails_half_way_ends_the_order():
    bench = Bench(book_factory=FaultyBook.factory(submit=2))
    bench.limit(ALICE, 5, 500)
    order = bench.last_mid
    result = bench.replace(ALICE, order, 8, 505)
    reports = [m for m in result.line(ALICE) if isinstance(m, api.MessageActionReport)]
    assert (reports[-1].mid, reports[-1].status_type, reports[-1].size) == (order, Report.STATUS_CANCELED, 0)
    assert result.told(ALICE)[-1] == ("VENUE_ERROR", 0)
    assert bench.book() == []


def test_a_venue_restarts_over_it_and_a_resend_gets_the_first_answer(tmp_path):
    def faulty() -> Any:
        return FaultyBook.factory(submit=2)

    with Floor(tmp_path, "alice", "bob", book_factory=faulty()) as floor:
        floor.turn(("bob", floor.order(price=101, is_ask=True)))
        order = floor.order(price=101)
        floor.turn(("alice", order))
        status = floor.line("alice")[-1]
        assert status.status == Status.STATUS_VENUE_ERROR
        assert floor.venue.journal.read(
            floor.venue.journal.committed
        ).input.request.message == encode_message(order)
        line = floor.line("alice")
    with Floor(tmp_path, clock=floor.clock, book_factory=faulty()) as again:
        assert again.line("alice")[: len(line)] == line
        (first,) = again.ask("alice", order)
        assert first == line[0]
        assert again.venue.counts["repeats"] == 1


@pytest.mark.parametrize("name", ["expiry", "removal"])
def test_what_the_venue_does_itself_goes_on_over_a_fault(name: str):
    details = contract_detail(), contract_detail(8, expiry=NOW + SECOND)
    bench = Bench(*details, book_factory=FaultyBook.factory(cancel=1))
    bench.limit(ALICE, 3, 500, contract_id=8)
    bench.limit(ALICE, 3, 495, contract_id=8)
    if name == "expiry":
        bench.tick(NOW + 2 * SECOND)
    else:
        bench.remove_account(ALICE)
    assert [o.order_id for o in bench.engine.contracts[8].book.snapshot()] == [1]
    bench.start_run(2)
    assert not bench.engine.accounts[ALICE].orders
    assert packed(restored(packed(bench.engine))) == packed(bench.engine)


def test_a_top_that_could_not_be_read_is_published_with_the_next_input():
    bench = Bench(book_factory=FaultyBook.factory(best=1))
    assert bench.limit(ALICE, 3, 500).topic(f"book_top.{CONTRACT}") == []
    again = restored(packed(bench.engine))
    (top,) = bench.tick(NOW + SECOND).topic(f"book_top.{CONTRACT}")
    assert (top.bid, top.bid_size) == (500, 3)
    assert again.execute(bench.inputs[-1]) == bench.executions[-1]
