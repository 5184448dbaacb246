"""A restored engine is the engine: the same outputs to the byte, and the same next snapshot."""

from __future__ import annotations

from typing import Any

from engine_harness import ALICE, BOB, CONTRACT, NOW, SECOND, Bench, contract_detail
from hypothesis import given, settings
from hypothesis import strategies as st
from test_engine_properties import new_bench, stamp, streams

from ledgerx.clob._reference import Book as ReferenceBook
from ledgerx.exchange.engine import Engine
from ledgerx.exchange.snapshot_pb2 import Snapshot


def packed(engine: Engine) -> bytes:
    return engine.snapshot().SerializeToString(deterministic=True)


def restored(data: bytes) -> Engine:
    return Engine.restored(Snapshot.FromString(data))


def play(bench: Bench, stream: list[tuple[str, Any, Any]]) -> None:
    for action, cid, message in stream:
        if action == "send":
            bench.send(cid, stamp(bench, cid, type(message).FromString(message.SerializeToString())))
        elif action == "run":
            bench.start_run(bench.engine.run_id + 1)
        else:
            bench.tick(bench.time + cid * SECOND)


def check_every_place(bench: Bench, places: list[int]) -> None:
    """Executes the bench's inputs again with a snapshot and a restore after each of `places`."""
    engine = Engine()
    snapshots = {}
    for number, (entry, execution) in enumerate(zip(bench.inputs, bench.executions, strict=True), 1):
        assert engine.execute(entry) == execution
        if number in places:
            snapshots[number] = packed(engine)
            engine = restored(snapshots[number])
            assert packed(engine) == snapshots[number]
    end = packed(engine)
    assert end == packed(bench.engine)
    for number, data in snapshots.items():  # one restore and then the whole tail
        engine = restored(data)
        assert [engine.execute(entry) for entry in bench.inputs[number:]] == bench.executions[number:]
        assert packed(engine) == end


@settings(max_examples=60, deadline=None)
@given(streams, st.data())
def test_a_snapshot_after_any_record_restores_what_continues_the_same(
    stream: list[tuple[str, Any, Any]], data: st.DataObject
):
    bench = new_bench()
    bench.limits.mids_max = data.draw(st.sampled_from([5, 1000]))
    play(bench, stream)
    places = st.integers(1, len(bench.inputs))
    check_every_place(bench, data.draw(st.lists(places, min_size=1, max_size=6, unique=True)))


def test_both_books_give_and_take_the_same_snapshot():
    c, reference = Bench(), Bench(book_factory=ReferenceBook)
    for bench in (c, reference):
        for size, price, ask in ((3, 500, False), (4, 495, False), (2, 510, True), (1, 500, True)):
            bench.limit(ALICE if not ask else BOB, size, price, ask=ask)
        bench.quote(BOB, (490, 2), (520, 3))
    data = packed(c.engine)
    assert data == packed(reference.engine)
    assert packed(Engine.restored(Snapshot.FromString(data), ReferenceBook)) == data


def test_an_order_moved_by_a_replace_keeps_its_new_place_in_the_queue():
    bench = Bench()
    bench.limit(ALICE, 3, 500)
    first = bench.last_mid
    bench.limit(BOB, 3, 500)
    bench.replace(ALICE, first, 5, 500)
    again = restored(packed(bench.engine))
    assert [o.order_id for o in again.contracts[CONTRACT].book.snapshot()] == [2, 1]
    assert list(again.contracts[CONTRACT].orders) == [1, 2]


def test_what_time_and_removals_did_is_restored():
    bench = Bench(contract_detail(7), contract_detail(8, expiry=NOW + SECOND))
    bench.limit(ALICE, 3, 500, contract_id=8)
    bench.remove_account(BOB)
    bench.tick(NOW + 2 * SECOND)
    again = restored(packed(bench.engine))
    assert again.account_of_key("key 2") is None
    assert again.next_due() is None
    assert again.contracts[8].state == bench.engine.contracts[8].state != again.contracts[8].detail.state
    assert (again.first_time, again.number) == (NOW, bench.engine.number)
    assert again.topic_heads() == bench.engine.topic_heads()


def test_numbers_beyond_64_bits_are_restored():
    bench = Bench()
    holding = bench.engine.accounts[ALICE].holding(CONTRACT)
    holding.cash_in_cents, holding.bought_size = -(10**40), 10**30
    bench.engine.accounts[ALICE].rate_debt = 10**25
    again = restored(packed(bench.engine))
    assert again.accounts[ALICE].holding(CONTRACT).cash_in_cents == -(10**40)
    assert packed(again) == packed(bench.engine)
