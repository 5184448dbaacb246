"""The public feed: each change of a book in order, trades after it, the top once an input."""

from __future__ import annotations

from engine_harness import ALICE, BOB, CAROL, CONTRACT, NOW, Bench, contract_detail, mid

UPDATES = f"book_update.{CONTRACT}"
TRADES = f"trade.{CONTRACT}"
TOPS = f"book_top.{CONTRACT}"


def test_an_order_is_added_changed_and_removed():
    bench = Bench()
    assert bench.limit(ALICE, 5, 500).updates() == [("ADD", 1, 500, 5)]
    assert bench.limit(BOB, 2, 500, ask=True).updates() == [("CHANGE", 1, 500, 3)]
    assert bench.limit(BOB, 3, 500, ask=True).updates() == [("REMOVE", 1, 500, 0)]
    bench.limit(ALICE, 5, 500)
    assert bench.cancel(ALICE, bench.last_mid).updates() == [("REMOVE", 4, 500, 0)]


def test_a_trade_names_the_update_it_follows():
    bench = Bench()
    bench.limit(ALICE, 1, 500, ask=True)
    bench.limit(ALICE, 2, 505, ask=True)
    result = bench.limit(BOB, 5, 505)
    kinds = [o.topic for o in result.outputs if not o.cid]
    assert kinds == [UPDATES, TRADES, UPDATES, TRADES, UPDATES, TOPS]
    first, second = result.topic(TRADES)
    assert (first.trade_id, first.price_in_cents, first.size, first.order_id) == (1, 500, 1, 1)
    assert (second.trade_id, second.price_in_cents, second.size, second.order_id) == (2, 505, 2, 2)
    assert (first.book_update_sequence, second.book_update_sequence) == (3, 4)
    assert (first.is_ask, second.is_ask) == (False, False)
    assert result.updates()[-1] == ("ADD", 3, 505, 2)


def test_the_feed_names_no_account_and_no_mid():
    bench = Bench()
    bench.limit(ALICE, 1, 500, ask=True)
    for message in bench.limit(BOB, 5, 505).feed():
        assert (message.mid, message.cid, message.mpid, message.account_sequence) == ("", 0, 0, 0)
        assert (message.mversion, message.run_id, message.timestamp) == ("0.0.1", 1, NOW)


def test_outputs_of_the_feed_carry_their_sequence_twice():
    bench = Bench()
    result = bench.limit(ALICE, 1, 500)
    result = bench.limit(ALICE, 1, 505)
    for output, message in zip([o for o in result.outputs if not o.cid], result.feed(), strict=True):
        assert output.sequence == message.sequence == bench.engine.topic_head(output.topic) == 2


def test_the_top_is_published_only_when_it_changed():
    bench = Bench()
    (top,) = bench.limit(ALICE, 5, 500).topic(TOPS)
    assert (top.bid, top.bid_size, top.ask, top.ask_size) == (500, 5, 0, 0)
    assert bench.limit(ALICE, 5, 495).topic(TOPS) == []
    (top,) = bench.limit(BOB, 5, 600, ask=True).topic(TOPS)
    assert (top.bid, top.bid_size, top.ask, top.ask_size) == (500, 5, 600, 5)
    (top,) = bench.cancel(ALICE, mid(1)).topic(TOPS)
    assert (top.bid, top.bid_size) == (495, 5)


def test_an_input_that_leaves_the_top_as_it_was_publishes_none():
    bench = Bench()
    bench.limit(ALICE, 5, 500)
    assert bench.replace(ALICE, mid(1), 5, 500).topic(TOPS) == []


def test_each_contract_has_its_own_topics():
    bench = Bench(contract_detail(7), contract_detail(8))
    bench.limit(ALICE, 5, 500, contract_id=8)
    assert bench.engine.topic_heads() == {
        "run_change.0": 1,
        "book_top.7": 0,
        "book_update.7": 0,
        "trade.7": 0,
        "book_top.8": 1,
        "book_update.8": 1,
        "trade.8": 0,
    }
    assert bench.engine.topic_head("nothing.9") == 0


def test_both_owners_of_one_trade_are_told_in_matching_order():
    bench = Bench()
    bench.limit(ALICE, 1, 500, ask=True)
    bench.limit(CAROL, 1, 500, ask=True)
    cids = [o.cid for o in bench.limit(BOB, 2, 500).outputs if o.cid]
    assert cids == [BOB, BOB, BOB, ALICE, BOB, CAROL]
