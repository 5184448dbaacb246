"""Periods without trades: they have no candle, or, where that is asked for, one without volume."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from candle_makers import fill, span

from ledgerx.history import OHLCClient
from ledgerx.history.relay import Relay
from ledgerx.history.warehouse import IcebergClient
from ledgerx.history.writer import WarehouseWriter

ABC = "TEST:ABC"


def test_a_period_without_trades_has_the_close_before_it_and_no_volume(
    writer: WarehouseWriter, client: IcebergClient
) -> None:
    writer.write([fill(0, 20, every=5)])  # minutes 0, 5, 10 and 15, at 100 more
    frame = client.query_ohlc(ABC, 60, *span(0, 20), fill_empty=True)
    assert frame["timestamp"].tolist() == [span(minute, 0)[0] for minute in range(20)]
    for name in ("open", "high", "low", "close"):
        assert frame[name].tolist() == [100 + minute // 5 * 5 for minute in range(20)]
    for name in ("volume", "trade_count"):
        assert frame[name].tolist() == [int(minute % 5 == 0) for minute in range(20)]
    assert frame["quote_volume"].tolist() == [100 + m if m % 5 == 0 else 0 for m in range(20)]
    assert not frame["is_partial"].any()
    assert frame["ticker"].tolist() == [ABC] * 20
    assert len(client.query_ohlc(ABC, 60, *span(0, 20))) == 4


def test_the_first_periods_have_the_close_from_before_the_range(
    writer: WarehouseWriter, client: IcebergClient
) -> None:
    writer.write([fill(0, 20, every=10)])
    frame = client.query_ohlc(ABC, 60, *span(13, 16), fill_empty=True)
    assert (frame["close"].tolist(), frame["volume"].tolist()) == ([110] * 3, [0] * 3)
    assert client.query_ohlc(ABC, 60, *span(8, 20), 3, fill_empty=True)["close"].tolist() == [100, 100, 110]


def test_a_period_that_nobody_fetched_or_that_has_no_close_before_it_has_no_candle(
    writer: WarehouseWriter, client: IcebergClient
) -> None:
    writer.write([replace(fill(5, 6), covered=(span(2, 8),)), replace(fill(25, 26), covered=(span(20, 28),))])
    frame = client.query_ohlc(ABC, 60, *span(0, 40), fill_empty=True)
    assert [time // 60_000_000 for time in frame["timestamp"]] == [5, 6, 7, 25, 26, 27]
    assert client.query_ohlc(ABC, 60, *span(21, 24), fill_empty=True).empty
    assert client.query_ohlc(ABC, 60, *span(30, 40), fill_empty=True).empty


def test_a_fetch_fills_what_it_is_asked_to_fill(
    writer: WarehouseWriter, client: IcebergClient, catalog_uri: str
) -> None:
    writer.write([fill(0, 20, every=5)])

    async def program(relay: Relay) -> list[int]:
        async with OHLCClient(catalog_uri, relay.relay_endpoint, relay.notification_endpoint) as asking:
            frame = await asking.fetch_ohlc(ABC, 60, *span(0, 20), fill_empty=True)
            return [int(value) for value in frame["volume"]]

    with Relay("tcp://127.0.0.1:0", "tcp://127.0.0.1:0") as relay:
        assert sum(asyncio.run(program(relay))) == 4
