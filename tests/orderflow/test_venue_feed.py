"""A venue's public feed through an engine: trades and levels of a real market, over real sockets."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from ledgerx.orderflow import Engine, Symbol
from ledgerx.orderflow.feeds import VenueFeed
from ledgerx.orderflow.feeds.listener import Listener
from ledgerx.sdk.commands import get_cmd_version
from ledgerx.sdk.context import Context
from ledgerx.testing.process import VenueProcess

CONTRACT = 1


@pytest.fixture
def venue() -> Iterator[VenueProcess]:
    with VenueProcess() as venue:
        yield venue


def connected(venue: VenueProcess, name: str) -> Context:
    keys = venue.trader(name)
    assert keys.private is not None
    context = Context(venue.address, keys.private, keys.public, venue.public_key, Listener())
    context.start()
    context.wait_connected(30)
    return context


def until(engine: Engine, condition: Callable[[], bool]) -> None:
    """Poll until it holds; the test's own limit ends what never does."""
    while not condition():
        engine.poll_once()


def test_a_venues_trades_and_levels_are_the_engines(native: Engine, venue: VenueProcess) -> None:
    seller, buyer, watcher = (connected(venue, name) for name in ("seller", "buyer", "watcher"))
    feed = VenueFeed(watcher, [CONTRACT], names={CONTRACT: "BTC"})
    native.attach(feed)
    symbol = Symbol("LEDGERX", "BTC")
    watcher.book(CONTRACT).wait_synchronised(30)
    sell, buy = (get_cmd_version("0.0.1").Commands(context) for context in (seller, buyer))
    terms = {"contract_id": CONTRACT, "price_in_cents": 5_000}
    sell.limit_order(size=5, is_ask=True, **terms)
    until(native, lambda: bool(native.book_snapshot(symbol).get("asks")))
    assert native.book_snapshot(symbol)["asks"] == [{"level": 0, "price": 5_000, "size": 5}]
    buy.limit_order(size=2, is_ask=False, **terms)
    until(native, lambda: native.analytics_snapshot(symbol).get("buy_volume") == 2)
    sell.limit_order(size=1, is_ask=True, contract_id=CONTRACT, price_in_cents=6_000)
    until(native, lambda: len(native.book_snapshot(symbol)["asks"]) == 2)
    assert [row["size"] for row in native.book_snapshot(symbol)["asks"]] == [3, 1]
    assert native.analytics_snapshot(symbol)["delta"] == 2
    assert native.metrics()["sequence_gaps"] == 0
    native.close()
    for context in (seller, buyer, watcher):
        context.stop()
        context.join()


def test_a_lost_venue_degrades_the_engine_until_it_is_back(native: Engine, venue: VenueProcess) -> None:
    watcher = connected(venue, "watcher")
    native.attach(VenueFeed(watcher))
    native.poll_once()
    assert native.metrics()["external_feed_reconnecting"] is False
    venue.kill()
    until(native, lambda: native.metrics()["external_feed_reconnecting"])
    venue.start()
    until(native, lambda: not native.metrics()["external_feed_reconnecting"])
    native.close()
    watcher.stop()
    watcher.join()
