"""The public feed over real sockets: what is subscribed to is dispatched, and local books are the venue's."""

from __future__ import annotations

import random
from typing import Any

import pytest
from trading_floor import DEADLINE_S, TICK, Floor, Trader, finished

from ledgerx.api.client import v0_0_1 as api
from ledgerx.errors import Error
from ledgerx.sdk.book import LocalBook
from ledgerx.sdk.context_settings import ContextSettings
from ledgerx.sdk.states import State

QUICK = ContextSettings(resend_min_s=0.02, resend_max_s=0.05)


def subscribed(trader: Trader, contract_id: int = 12) -> None:
    """Wait until the venue has what was subscribed to before: a new book's echo comes after that."""
    trader.context.book(contract_id).wait_synchronised(DEADLINE_S)


def trade(alice: Trader, bob: Trader, contract_id: int, size: int = 1) -> None:
    """One trade, with two book updates: the order's coming and its going."""
    alice.opened(alice.cmd.limit_order(contract_id, size, 100, is_ask=True))
    finished(bob.cmd.limit_order(contract_id, size, 100))


def contracts(trader: Trader, name: str) -> list[int]:
    return [call.msg.contract_id for call in trader.heard.named(name)]


class TestSubscriptions:
    def test_of_one_contract_brings_no_other_whose_number_begins_alike(self, floor: Floor) -> None:
        alice, bob, watcher = floor.trader(), floor.trader(), floor.trader()
        for kind in ("trade", "book_update"):
            watcher.context.subscribe(kind, 1)
        subscribed(watcher)
        for contract_id in (12, 11, 1):
            trade(alice, bob, contract_id)
        watcher.heard.wait_calls(2, "book_update")
        watcher.heard.wait_calls(1, "trade")
        assert contracts(watcher, "trade") == [1]
        assert contracts(watcher, "book_update") == [1, 1]

    def test_of_all_contracts_brings_each_message_once(self, floor: Floor) -> None:
        alice, bob, watcher = floor.trader(), floor.trader(), floor.trader()
        watcher.context.subscribe("trade")
        watcher.context.subscribe("trade", 1)
        watcher.context.subscribe("trade", 1)
        subscribed(watcher)
        for contract_id in (1, 12, 1):
            trade(alice, bob, contract_id)
        watcher.heard.wait_calls(3, "trade")
        assert contracts(watcher, "trade") == [1, 12, 1]

    def test_unsubscribing_ends_it_and_leaves_the_rest(self, floor: Floor) -> None:
        alice, bob, watcher = floor.trader(), floor.trader(), floor.trader()
        for contract_id in (1, 2):
            watcher.context.subscribe("trade", contract_id)
        watcher.context.unsubscribe("trade", 1)
        watcher.context.unsubscribe("trade", 1)
        subscribed(watcher)
        for contract_id in (1, 2):
            trade(alice, bob, contract_id)
        watcher.heard.wait_calls(1, "trade")
        assert contracts(watcher, "trade") == [2]

    def test_all_book_tops_come_by_default_and_can_be_ended(self, floor: Floor) -> None:
        alice, watcher, other = floor.trader(), floor.trader(), floor.trader()
        other.context.unsubscribe("book_top")
        for trader in (watcher, other):
            subscribed(trader)
        alice.opened(alice.cmd.limit_order(2, 3, 100))
        watcher.heard.wait_for(lambda: watcher.heard.counts["book tops"] > 0, "a book top", DEADLINE_S)
        other.context.subscribe("book_top", 3)
        subscribed(other, 5)
        alice.opened(alice.cmd.limit_order(3, 3, 100))
        other.heard.wait_for(lambda: other.heard.counts["book tops"] > 0, "a book top", DEADLINE_S)
        assert other.heard.counts["book tops"] == 1

    def test_public_messages_name_nobody_and_come_without_prev_msg(self, floor: Floor) -> None:
        alice, bob, watcher = floor.trader(), floor.trader(), floor.trader()
        watcher.context.subscribe("trade", 4)
        subscribed(watcher)
        trade(alice, bob, 4, size=2)
        (call,) = watcher.heard.wait_calls(1, "trade")
        message = call.msg
        assert (message.price_in_cents, message.size, message.is_ask, call.previous) == (100, 2, False, None)
        assert (message.mid, message.cid, message.mpid, message.account_sequence) == ("", 0, 0, 0)

    def test_they_hold_after_a_reconnection(self, floor: Floor) -> None:
        alice, bob = floor.trader(settings=QUICK), floor.trader(settings=QUICK)
        watcher = floor.trader(settings=QUICK)
        watcher.context.subscribe("trade", 1)
        watcher.context.unsubscribe("book_top")
        subscribed(watcher)
        floor.exchange.restart()
        for trader in (alice, bob, watcher):
            trader.heard.wait_calls(1, "run_change")
        watcher.context.book(12).wait_synchronised(DEADLINE_S)
        trade(alice, bob, 1)
        watcher.heard.wait_calls(1, "trade")
        assert contracts(watcher, "trade") == [1]


def equal_to_the_venues(book: LocalBook, asker: Trader) -> Any:
    """Wait until the book is as the venue's, in which nothing changes now; returns the venue's snapshot."""
    snapshot = finished(asker.cmd.get_book_state(book.contract_id)).answers[-1]
    at = (snapshot.run_id, snapshot.sequence)
    asker.heard.wait_for(lambda: book.position == at, "the book caught up", DEADLINE_S)
    orders = [(o.order_id, o.is_ask, o.price_in_cents, o.size) for o in snapshot.orders]
    assert [tuple(order) for order in book.orders()] == orders
    assert book.checksum() == snapshot.checksum
    return snapshot


def trade_at_random(rng: random.Random, traders: list[Trader], contract_id: int, count: int) -> None:
    """Orders, quotes, changes and cancels of several accounts, pipelined."""
    mine: list[list[str]] = [[] for _ in traders]
    items = []
    for _ in range(count):
        number = rng.randrange(len(traders))
        cmd, entries = traders[number].cmd, mine[number]
        price, size = TICK * rng.randint(1, 12), rng.randint(1, 9)
        kind = rng.choice(["order"] * 5 + ["quote", "cancel", "replace"])
        if kind == "order":
            item = cmd.limit_order(contract_id, size, price, is_ask=rng.random() < 0.5, wait=False)
            entries.append(item.mid)
        elif kind == "quote":
            item = cmd.quote(contract_id, price, size, price + TICK * 2, size, wait=False)
        elif not entries:
            continue
        elif kind == "cancel":
            item = cmd.cancel_order(contract_id, rng.choice(entries), wait=False)
        else:
            entry = rng.choice(entries)
            item = cmd.cancel_replace(contract_id, entry, rng.choice([1, size]), price, wait=False)
        items.append(item)
    for item in items:
        item.wait(State.ACKNOWLEDGED, DEADLINE_S)


class TestBooks:
    def test_one_follows_the_venues_through_trading_and_a_restart(self, floor: Floor) -> None:
        traders = [floor.trader(settings=QUICK) for _ in range(3)]
        watcher = floor.trader(settings=QUICK)
        rng = random.Random(20261127)
        trade_at_random(rng, traders, floor.contract, 50)
        book = watcher.context.book(floor.contract)
        assert watcher.context.book(floor.contract) is book
        trade_at_random(rng, traders, floor.contract, 250)
        book.wait_synchronised(DEADLINE_S)
        first = equal_to_the_venues(book, watcher)
        assert first.orders
        assert book.resynchronisations == 0  # nothing was lost, so nothing was fetched twice
        floor.exchange.restart()
        for trader in (*traders, watcher):
            trader.heard.wait_for(lambda heard=trader.heard: bool(heard.run_changes), "restart", DEADLINE_S)
        trade_at_random(rng, traders, floor.contract, 250)
        second = equal_to_the_venues(book, watcher)
        assert second.run_id == first.run_id + 1
        assert book.own == {}

    def test_own_orders_are_marked_whichever_context_of_the_account_placed_them(self, floor: Floor) -> None:
        keys = floor.keys()
        here, there, stranger = floor.trader(keys), floor.trader(keys), floor.trader()
        before = here.opened(here.cmd.limit_order(floor.contract, 1, 100))
        books = [trader.context.book(floor.contract) for trader in (here, there)]
        for book in books:
            book.wait_synchronised(DEADLINE_S)
        stranger.opened(stranger.cmd.limit_order(floor.contract, 1, 105))
        after = there.opened(there.cmd.limit_order(floor.contract, 2, 110))
        finished(here.cmd.get_open_orders())  # whose answers are no reports of these orders
        for book, trader in zip(books, (here, there), strict=True):
            equal_to_the_venues(book, trader)
            trader.heard.wait_reports(after, 1)
            assert sorted(book.own.values()) == sorted([before.mid, after.mid])
        for item in (before, after):
            finished(there.cmd.cancel_order(floor.contract, item.mid))
        here.heard.wait_reports(after, 2)
        for book, trader in zip(books, (here, there), strict=True):
            equal_to_the_venues(book, trader)
            assert book.own == {}
            assert len(book) == 1

    def test_a_contract_that_the_venue_has_not_says_so(self, floor: Floor) -> None:
        book = floor.trader().context.book(10**9)
        with pytest.raises(Error, match="no book of contract 1000000000"):
            book.wait_synchronised(DEADLINE_S)

    def test_it_may_be_asked_for_before_the_start_of_the_connection(self, floor: Floor) -> None:
        trader = floor.trader(connect=False)
        book = trader.context.book(floor.contract)
        book.wait_synchronised(DEADLINE_S)
        trader.opened(trader.cmd.limit_order(floor.contract, 1, 100))
        equal_to_the_venues(book, trader)

    def test_one_that_is_kept_brings_no_updates_to_the_handlers_unasked(self, floor: Floor) -> None:
        trader = floor.trader()
        book = trader.context.book(floor.contract)
        book.wait_synchronised(DEADLINE_S)
        trader.opened(trader.cmd.limit_order(floor.contract, 1, 100))
        equal_to_the_venues(book, trader)
        assert trader.heard.named("book_update", "book_state_snapshot")[:-1] == []
        trader.context.subscribe("book_update", floor.contract)
        subscribed(trader)
        trader.opened(trader.cmd.limit_order(floor.contract, 1, 105))
        trader.heard.wait_calls(1, "book_update")
        trader.context.unsubscribe("book_update", floor.contract)
        equal_to_the_venues(book, trader)
        finished(trader.cmd.cancel_all())
        equal_to_the_venues(book, trader)
        assert isinstance(trader.heard.named("book_update")[-1].msg, api.MessageBookUpdate)
