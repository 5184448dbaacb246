"""A period that has not ended is not covered, whoever asks for it: more of it may come."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest
from candle_makers import MINUTE_US, fill, span
from counting_source import CountingSource

from ledgerx.clock import SYSTEM_CLOCK
from ledgerx.errors import HistoryRequestFailed, InvalidField, WarehouseUnavailable
from ledgerx.history import HistoryClient, OHLCClient
from ledgerx.history.commit_queue import CommitQueue
from ledgerx.history.ingestor import Ingestor
from ledgerx.history.relay import Relay
from ledgerx.history.shards import shards_of
from ledgerx.history.warehouse import IcebergClient
from ledgerx.history.writer import WarehouseWriter

ABC = "TEST:ABC"
ANY = "tcp://127.0.0.1:0"


def now_us() -> int:
    return SYSTEM_CLOCK.wall_ns() // 1000


def test_a_request_for_what_is_to_come_covers_what_has_ended(catalog_uri: str, client: IcebergClient) -> None:
    source = CountingSource()
    day = 86_400 * 1_000_000
    start = now_us() // MINUTE_US * MINUTE_US - 10 * MINUTE_US

    async def program(relay: Relay) -> dict[str, Any]:
        async with HistoryClient(relay.relay_endpoint, relay.notification_endpoint) as asking:
            return await asking.request_historical_ohlc(ABC, 60, start, start + day)

    with Relay(ANY, ANY) as relay, Ingestor(relay.relay_endpoint, WarehouseWriter(catalog_uri), [source]):
        result = asyncio.run(program(relay))
    ((covered_from, covered_to),) = client.covered(ABC, 60)
    assert covered_from == start
    assert start + 10 * MINUTE_US <= covered_to <= now_us()
    assert result["row_count"] == (covered_to - covered_from) // MINUTE_US
    assert set(source.asked) == set(range(covered_from // MINUTE_US, covered_to // MINUTE_US))


def test_shards_end_with_the_last_period_that_has_ended() -> None:
    now = now_us()
    (shard,) = shards_of("files:x", ABC, (now - MINUTE_US, now + MINUTE_US), (60, 3600), days=3)
    assert now - 2 * MINUTE_US < shard.span[1] <= now_us()
    assert shards_of("files:x", ABC, (now + 10**12, now + 2 * 10**12), (60,)) == []


def test_an_answer_from_the_warehouse_names_its_state_too(catalog_uri: str, client: IcebergClient) -> None:
    async def program(relay: Relay) -> list[dict[str, Any]]:
        async with HistoryClient(relay.relay_endpoint, relay.notification_endpoint) as asking:
            return [await asking.request_historical_ohlc(ABC, 60, *span(0, 10)) for _ in range(2)]

    with (
        Relay(ANY, ANY) as relay,
        Ingestor(relay.relay_endpoint, WarehouseWriter(catalog_uri), [CountingSource()]),
    ):
        first, second = asyncio.run(program(relay))
    state = client.state()
    assert (first["snapshot_id"], first["sequence_number"]) == state
    assert (second["snapshot_id"], second["sequence_number"]) == state
    assert state[1] > 0


def test_a_request_within_a_failing_one_gets_what_was_fetched_for_it(catalog_uri: str) -> None:
    gate = threading.Event()
    source = CountingSource(page_minutes=50, fails_after=1, failures=1, gate=gate)

    async def program(relay: Relay) -> None:
        endpoints = relay.relay_endpoint, relay.notification_endpoint
        async with OHLCClient(catalog_uri, *endpoints) as one, OHLCClient(catalog_uri, *endpoints) as other:
            first = asyncio.create_task(one.fetch_ohlc(ABC, 60, *span(0, 100)))
            assert await asyncio.to_thread(source.entered.wait, 60)  # the one that fails is under way
            second = asyncio.create_task(other.fetch_ohlc(ABC, 60, *span(0, 10)))
            await asyncio.wait((second,), timeout=0.2)  # it is asked for, and held up with the first
            gate.set()
            whole, part = await asyncio.gather(first, second, return_exceptions=True)
            assert isinstance(whole, HistoryRequestFailed)
            assert not isinstance(part, BaseException)
            assert len(part) == 10

    with Relay(ANY, ANY) as relay, Ingestor(relay.relay_endpoint, WarehouseWriter(catalog_uri), [source]):
        asyncio.run(program(relay))
    assert max(source.asked.values()) == 1


def test_an_ingestor_that_cannot_start_leaves_no_thread(catalog_uri: str) -> None:
    source = CountingSource()
    with pytest.raises(InvalidField, match="relay_endpoint"):
        Ingestor("tcp://127.0.0.1:*", WarehouseWriter(catalog_uri), [source]).start()


class CountingWriter(WarehouseWriter):
    """A writer whose catalog is away once it is open."""

    writes = 0

    def write(self, filled: Any) -> Any:
        self.writes += 1
        raise WarehouseUnavailable("the catalog is away")


def test_ranges_that_wait_for_a_catalog_that_is_away_wait_together(tmp_path: Path) -> None:
    writer = CountingWriter(f"sqlite:///{tmp_path}/a.db")
    commits = CommitQueue(writer)
    futures = [commits.put(fill(number, number + 1)) for number in range(20)]
    commits.start()
    for future in futures:
        with pytest.raises(WarehouseUnavailable):
            future.result(30)
    commits.stop()
    assert writer.writes == 1


class AwayWriter(WarehouseWriter):
    """A writer whose catalog is away once it is open, and that waits for it as long as it is told."""

    def __init__(self, uri: str) -> None:
        super().__init__(uri, patience_s=1e6)
        self.asked = threading.Event()

    def _write(self, filled: Any) -> Any:
        self.asked.set()
        raise WarehouseUnavailable("the catalog is away")


def test_an_ingestor_that_stops_waits_for_no_catalog(tmp_path: Path) -> None:
    writer = AwayWriter(f"sqlite:///{tmp_path}/a.db")

    async def program(relay: Relay, ingestor: Ingestor) -> None:
        async with HistoryClient(relay.relay_endpoint, relay.notification_endpoint) as asking:
            asked = asyncio.create_task(asking.request_historical_ohlc(ABC, 60, *span(0, 10)))
            assert await asyncio.to_thread(writer.asked.wait, 30)
            await asyncio.to_thread(ingestor.stop)
            asked.cancel()

    with Relay(ANY, ANY) as relay:
        ingestor = Ingestor(relay.relay_endpoint, writer, [CountingSource()])
        ingestor.start()
        asyncio.run(program(relay, ingestor))
        assert not ingestor.alive
