"""Source, relay, ingestor, warehouse and client together, with real sockets: what is asked for how often."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pandas as pd
import pytest
import zmq
from candle_makers import MINUTE_US, fill, span
from counting_source import CountingSource

from ledgerx.errors import (
    HistoryRequestFailed,
    HistoryTimeout,
    InvalidField,
    InvalidState,
    RelayUnreachable,
)
from ledgerx.history import HistoryClient, IcebergClient, OHLCClient
from ledgerx.history.ingestor import Ingestor
from ledgerx.history.ingestor_pb2 import FromRelay, ToRelay
from ledgerx.history.relay import Relay
from ledgerx.history.writer import WarehouseWriter
from ledgerx.protocol.crypto import KeyPair

ABC = "TEST:ABC"
ANY = "tcp://127.0.0.1:0"


@pytest.fixture
def relay() -> Iterator[Relay]:
    with Relay(ANY, ANY) as opened:
        yield opened


@contextmanager
def ingesting(relay: Relay, catalog_uri: str, source: CountingSource, **options: Any) -> Iterator[Ingestor]:
    with Ingestor(relay.relay_endpoint, WarehouseWriter(catalog_uri), [source], **options) as opened:
        yield opened


def ohlc_client(catalog_uri: str, relay: Relay) -> OHLCClient:
    return OHLCClient(catalog_uri, relay.relay_endpoint, relay.notification_endpoint)


def history_client(relay: Relay, **options: Any) -> HistoryClient:
    return HistoryClient(relay.relay_endpoint, relay.notification_endpoint, **options)


def opens(frame: pd.DataFrame) -> list[int]:
    values: list[int] = frame["open"].tolist()
    return values


def test_what_is_missing_is_fetched_and_a_second_fetch_asks_for_nothing(
    relay: Relay, catalog_uri: str
) -> None:
    source = CountingSource()

    async def program() -> None:
        async with ohlc_client(catalog_uri, relay) as client:
            for _ in range(2):
                frame = await client.fetch_ohlc(ABC, 60, *span(0, 100))
                assert opens(frame) == list(range(100, 200))

    with ingesting(relay, catalog_uri, source):
        asyncio.run(program())
    assert relay.counts.requests == 1
    assert source.asked == dict.fromkeys(range(100), 1)


def test_a_fetch_with_holes_asks_for_the_holes_alone(
    relay: Relay, catalog_uri: str, writer: WarehouseWriter
) -> None:
    writer.write([fill(10, 20), fill(30, 40)])
    source = CountingSource()

    async def program() -> None:
        async with ohlc_client(catalog_uri, relay) as client:
            assert opens(await client.fetch_ohlc(ABC, 60, *span(0, 50))) == list(range(100, 150))

    with ingesting(relay, catalog_uri, source):
        asyncio.run(program())
    assert relay.counts.requests == 3
    assert source.asked == dict.fromkeys([*range(10), *range(20, 30), *range(40, 50)], 1)


def test_minutes_without_trades_are_asked_for_once(relay: Relay, catalog_uri: str) -> None:
    source = CountingSource(every=7)

    async def program() -> None:
        async with ohlc_client(catalog_uri, relay) as client:
            for _ in range(3):
                assert len(await client.fetch_ohlc(ABC, 60, *span(0, 70))) == 10
                assert (await client.fetch_ohlc(ABC, 60, *span(1, 7))).empty

    with ingesting(relay, catalog_uri, source):
        asyncio.run(program())
    assert relay.counts.requests == 1
    assert set(source.asked.values()) == {1}


def test_50_clients_that_overlap_cause_each_minute_to_be_fetched_once(relay: Relay, catalog_uri: str) -> None:
    source = CountingSource(page_minutes=40)

    async def one(number: int) -> None:
        first, last = 3 * number, 3 * number + 90
        async with ohlc_client(catalog_uri, relay) as client:
            frame = await client.fetch_ohlc(ABC, 60, *span(first, last), request_timeout=90)
        assert opens(frame) == list(range(100 + first, 100 + last))

    async def program() -> None:
        await asyncio.gather(*(one(number) for number in range(50)))

    with ingesting(relay, catalog_uri, source):
        asyncio.run(program())
    assert source.asked == dict.fromkeys(range(3 * 49 + 90), 1)


def test_the_low_level_client_returns_what_the_manual_says(relay: Relay, catalog_uri: str) -> None:
    async def program() -> tuple[dict[str, Any], ...]:
        async with history_client(relay) as client:
            found = await client.request_historical_ohlc(ABC, 60, *span(0, 10))
            limited = await client.request_historical_ohlc(ABC, 60, *span(100, 110), limit=3)
            empty = await client.request_historical_ohlc(ABC, 60, *span(5, 5))
            refused = await client.request_historical_ohlc("TEST:NONE", 60, *span(0, 10))
        return found, limited, empty, refused

    with ingesting(relay, catalog_uri, CountingSource()):
        found, limited, empty, refused = asyncio.run(program())
    assert found["status"] == "OK"
    assert found["request_id"]
    assert found["error_message"] is None
    assert (found["iceberg_namespace"], found["iceberg_table"], found["row_count"]) == ("trading", "ohlc", 10)
    assert (limited["status"], limited["row_count"]) == ("OK", 3)
    assert (empty["status"], empty["row_count"]) == ("NOT_FOUND", 0)
    assert refused["status"] == "ERROR"
    assert "no symbol 'NONE'" in refused["error_message"]


def test_a_source_that_fails_half_way_loses_doubles_and_tears_nothing(
    relay: Relay, catalog_uri: str, client: IcebergClient
) -> None:
    source = CountingSource(page_minutes=10, fails_after=3, failures=1)

    async def program() -> pd.DataFrame:
        async with ohlc_client(catalog_uri, relay) as asking:
            with pytest.raises(ValueError, match="limit is reached: 429"):
                await asking.fetch_ohlc(ABC, 60, *span(0, 60))
            assert client.find_missing_ranges(ABC, 60, *span(0, 60)) == [span(30, 60)]
            return await asking.fetch_ohlc(ABC, 60, *span(0, 60))

    with ingesting(relay, catalog_uri, source):
        assert opens(asyncio.run(program())) == list(range(100, 160))
    assert source.asked == dict.fromkeys(range(60), 1)


def test_a_request_before_connect_is_a_connection_error(relay: Relay) -> None:
    async def program() -> None:
        client = history_client(relay)
        with pytest.raises(ConnectionError, match=r"connect\(\)"):
            await client.request_historical_ohlc(ABC, 60, 0, 1)
        await client.close()

    asyncio.run(program())


def test_a_relay_that_is_not_there_is_a_connection_error(catalog_uri: str) -> None:
    async def program() -> None:
        client = HistoryClient("tcp://127.0.0.1:1", "tcp://127.0.0.1:1", connect_timeout=0.2)
        with pytest.raises(RelayUnreachable, match="pyledgerx relay"):
            await client.connect()
        with pytest.raises(InvalidState):
            await client.connect()

    asyncio.run(program())


def test_no_answer_within_the_timeout_is_a_timeout_error(relay: Relay, catalog_uri: str) -> None:
    gate = threading.Event()

    async def program() -> None:
        async with ohlc_client(catalog_uri, relay) as client:
            with pytest.raises(TimeoutError) as caught:
                await client.fetch_ohlc(ABC, 60, *span(0, 10), request_timeout=0.5)
            assert isinstance(caught.value, HistoryTimeout)
            gate.set()
            assert len(await client.fetch_ohlc(ABC, 60, *span(0, 10))) == 10

    source = CountingSource(gate=gate)
    with ingesting(relay, catalog_uri, source):
        asyncio.run(program())
    assert set(source.asked.values()) == {1}


def test_a_source_that_has_no_such_symbol_is_a_value_error(relay: Relay, catalog_uri: str) -> None:
    async def program() -> None:
        async with ohlc_client(catalog_uri, relay) as client:
            with pytest.raises(HistoryRequestFailed, match="TEST:NONE: TEST has no symbol 'NONE'"):
                await client.fetch_ohlc("TEST:NONE", 60, *span(0, 10))

    with ingesting(relay, catalog_uri, CountingSource()):
        asyncio.run(program())


def test_a_period_that_has_not_ended_is_not_asked_for(relay: Relay, catalog_uri: str) -> None:
    far = 4_000_000_000_000_000  # in the year 2096

    async def program() -> None:
        async with ohlc_client(catalog_uri, relay) as client:
            assert (await client.fetch_ohlc(ABC, 60, far, far + 10 * MINUTE_US)).empty

    asyncio.run(program())
    assert relay.counts.requests == 0


def test_a_long_range_streams_in_parts(relay: Relay, catalog_uri: str) -> None:
    async def program() -> list[int]:
        async with ohlc_client(catalog_uri, relay) as client:
            parts = [part async for part in client.stream_ohlc(ABC, 60, *span(0, 100), candles_max=30)]
        assert [value for part in parts for value in part.column("open").to_pylist()] == list(range(100, 200))
        return [part.num_rows for part in parts]

    with ingesting(relay, catalog_uri, CountingSource()):
        assert asyncio.run(program()) == [30, 30, 30, 10]


def test_a_program_of_the_manuals_pattern_reaches_the_relay_by_req(relay: Relay, catalog_uri: str) -> None:
    start, end = span(0, 10)
    message = ToRelay()
    message.request.request_id, message.request.client_id = "mine", "me"
    message.request.range.ticker, message.request.range.period_seconds = ABC, 60
    message.request.range.start_time, message.request.range.end_time = start, end
    with ingesting(relay, catalog_uri, CountingSource()), zmq.Context() as context:
        listening, asking = context.socket(zmq.SUB), context.socket(zmq.REQ)
        listening.subscribe("RESPONSE:me")
        listening.connect(relay.notification_endpoint)
        assert FromRelay.FromString(listening.recv_multipart()[1]).HasField("ready")
        asking.connect(relay.relay_endpoint)
        asking.send(message.SerializeToString())
        assert FromRelay.FromString(asking.recv()).accepted.notification_topic == "RESPONSE:me"
        assert FromRelay.FromString(listening.recv_multipart()[1]).notification.row_count == 10
        listening.close()
        asking.close()


def test_endpoints_beyond_this_machine_need_keys() -> None:
    with pytest.raises(ValueError, match=r"relay_endpoint .*client_keypair and server_public_key"):
        HistoryClient("tcp://relay:5555", "tcp://127.0.0.1:5557")
    with pytest.raises(InvalidField, match="notification_endpoint"):
        HistoryClient("tcp://127.0.0.1:5555", "tcp://10.0.0.1:5557")
    with pytest.raises(InvalidField, match="server_public_key is missing"):
        HistoryClient("tcp://relay:5555", "tcp://relay:5557", client_keypair=KeyPair.generate())
    with pytest.raises(InvalidField, match="a keypair"):
        Relay("tcp://0.0.0.0:0", ANY)
    keys = KeyPair.generate()
    HistoryClient("tcp://relay:1", "tcp://relay:2", client_keypair=keys, server_public_key=keys.public)


def test_with_keys_all_is_encrypted_and_strangers_stay_out(catalog_uri: str) -> None:
    keys, known, stranger = KeyPair.generate(), KeyPair.generate(), KeyPair.generate()

    async def program(relay: Relay) -> Counter[str]:
        async with history_client(relay, client_keypair=known, server_public_key=keys.public) as client:
            result = await client.request_historical_ohlc(ABC, 60, *span(0, 10))
        for pair in (stranger, None):
            options = {} if pair is None else {"client_keypair": pair, "server_public_key": keys.public}
            with pytest.raises(ConnectionError):
                await history_client(relay, connect_timeout=0.3, **options).connect()
        return Counter(result["status"])

    with (
        Relay(ANY, ANY, keypair=keys, allowed_keys=[known.public]) as relay,
        ingesting(relay, catalog_uri, CountingSource(), client_keypair=known, server_public_key=keys.public),
    ):
        assert asyncio.run(program(relay)) == Counter("OK")
