"""What clients take for a number: any whole one, NumPy's as well, and nothing else, whatever the range."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest
from candle_makers import fill, span
from counting_source import CountingSource

from ledgerx.errors import InvalidField
from ledgerx.history import HistoryClient, OHLCClient
from ledgerx.history.ingestor import Ingestor
from ledgerx.history.periods import check_period, check_range
from ledgerx.history.relay import Relay
from ledgerx.history.warehouse import IcebergClient
from ledgerx.history.writer import WarehouseWriter

ABC = "TEST:ABC"
YEAR_10000_US = 253_402_300_800_000_000
ANY = "tcp://127.0.0.1:0"


def test_the_numbers_of_a_frame_may_be_asked_with(writer: WarehouseWriter, client: IcebergClient) -> None:
    writer.write([fill(0, 10)])
    frame = client.query_ohlc(ABC, 60, *span(0, 10))
    first, last = frame["timestamp"].iloc[0], frame["timestamp"].iloc[-1]
    assert isinstance(last, np.int64)
    assert len(client.query_ohlc(ABC, frame["period_seconds"].iloc[0], first, last, np.int64(3))) == 3
    assert client.find_missing_ranges(ABC, np.int32(60), first, last + 60_000_000) == []
    assert client.has_data(ABC, 60, first, last)


@pytest.mark.parametrize("value", [True, np.True_, 1.0, np.float64(1), "1", None])
def test_what_is_no_whole_number_is_refused(value: Any) -> None:
    with pytest.raises(InvalidField, match="start_time"):
        check_range(value, 10)
    with pytest.raises(InvalidField, match="period_seconds"):
        check_period(value)


@pytest.mark.parametrize("limit", [0, -1, "a", 1.5, True, 2**64])
def test_a_limit_that_is_none_is_refused_for_an_empty_range_too(limit: Any, client: IcebergClient) -> None:
    with pytest.raises(InvalidField, match="limit"):
        client.query_ohlc(ABC, 60, 5, 5, limit)

    async def program(relay: Relay) -> None:
        async with HistoryClient(relay.relay_endpoint, relay.notification_endpoint) as asking:
            with pytest.raises(InvalidField, match="limit"):
                await asking.request_historical_ohlc(ABC, 60, 0, 1, limit=limit)

    with Relay(ANY, ANY) as relay:
        asyncio.run(program(relay))


def test_a_stream_may_end_where_time_does(catalog_uri: str) -> None:
    start = YEAR_10000_US - 30 * 86_400_000_000

    async def program(relay: Relay) -> int:
        async with OHLCClient(catalog_uri, relay.relay_endpoint, relay.notification_endpoint) as client:
            parts = [part async for part in client.stream_ohlc(ABC, 604_800, start, YEAR_10000_US)]
            return len(parts)

    with (
        Relay(ANY, ANY) as relay,
        Ingestor(relay.relay_endpoint, WarehouseWriter(catalog_uri), [CountingSource()]),
    ):
        assert asyncio.run(program(relay)) == 0
