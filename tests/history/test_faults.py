"""What breaks on the way: notifications, relays, ingestors. No row is lost or doubled, none waits in vain."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import zmq
from candle_makers import span
from counting_source import CountingSource
from proxies import LosingProxy, delaying

from ledgerx.history import HistoryClient, OHLCClient
from ledgerx.history.ingestor import Ingestor
from ledgerx.history.relay import Relay
from ledgerx.history.relay_core import RelayLimits
from ledgerx.history.writer import WarehouseWriter

ABC = "TEST:ABC"
ANY = "tcp://127.0.0.1:0"
REQUESTS, TOGETHER = 100, 20


@contextmanager
def ingesting(relay: Relay, catalog_uri: str, source: CountingSource) -> Iterator[Ingestor]:
    with Ingestor(relay.relay_endpoint, WarehouseWriter(catalog_uri), [source]) as opened:
        yield opened


async def statuses_of(client: HistoryClient, requests: int) -> Counter[str]:
    """The answers to requests for a minute each, all at once."""
    results = await asyncio.gather(
        *(client.request_historical_ohlc(ABC, 60, *span(at, at + 1)) for at in range(requests))
    )
    return Counter(result["status"] for result in results)


def test_no_request_is_lost_where_notifications_come_25_ms_late(catalog_uri: str) -> None:
    async def one(relay: Relay, notifications: str, at: int) -> str:
        # A client of its own, whose request follows its subscription at once; it never asks for the status.
        async with HistoryClient(relay.relay_endpoint, notifications, poll_interval=3600) as client:
            result = await client.request_historical_ohlc(ABC, 60, *span(at, at + 1))
            status: str = result["status"]
            return status

    async def program(relay: Relay, notifications: str) -> list[str]:
        statuses = []
        for _ in range(REQUESTS // TOGETHER):  # the first turn fetches, the others are answered sooner
            statuses += await asyncio.gather(
                *(one(relay, notifications, minute) for minute in range(TOGETHER))
            )
        return statuses

    with (
        Relay(ANY, ANY) as relay,
        ingesting(relay, catalog_uri, CountingSource()),
        delaying(relay.notification_endpoint, 0.025) as notifications,
    ):
        assert asyncio.run(program(relay, notifications)) == ["OK"] * REQUESTS
        assert relay.counts.notifications == REQUESTS


@pytest.mark.parametrize("every", [1, 3])
def test_a_lost_notification_costs_a_question_and_no_timeout(
    every: int, catalog_uri: str, zmq_context: zmq.Context[zmq.Socket[bytes]]
) -> None:
    async def program(relay: Relay, proxy: LosingProxy) -> Counter[str]:
        async with HistoryClient(relay.relay_endpoint, proxy.endpoint, poll_interval=0.2) as client:
            return await statuses_of(client, 30)

    source = CountingSource()
    with Relay(ANY, ANY) as relay, ingesting(relay, catalog_uri, source):
        with LosingProxy(zmq_context, relay.notification_endpoint) as proxy:
            proxy.losing = lambda number: number % every == 0
            assert asyncio.run(program(relay, proxy)) == {"OK": 30}
        assert proxy.lost == 30 // every
        assert relay.counts.requests == 30
    assert source.asked == dict.fromkeys(range(30), 1)


def test_a_relay_restarted_with_requests_in_flight_loses_none(catalog_uri: str) -> None:
    gate = threading.Event()
    source = CountingSource(gate=gate)

    async def program(relay: Relay) -> Relay:
        endpoints = relay.relay_endpoint, relay.notification_endpoint
        async with HistoryClient(*endpoints, poll_interval=0.2) as client:
            pending = asyncio.create_task(statuses_of(client, 20))
            assert await asyncio.to_thread(source.entered.wait, 10)
            await asyncio.to_thread(relay.stop)
            again = Relay(*endpoints)
            again.start()
            gate.set()
            try:
                assert await pending == {"OK": 20}
            except BaseException:
                again.stop()
                raise
            return again

    relay = Relay(ANY, ANY)
    relay.start()
    with ingesting(relay, catalog_uri, source):
        again = asyncio.run(program(relay))
        assert again.counts.requests == 20
        again.stop()
    assert set(source.asked) == set(range(20))


@pytest.mark.parametrize(("when", "fetched_again"), [("before", 10), ("behind", 0)])
def test_the_range_of_an_ingestor_that_was_killed_is_finished_by_another(
    when: str, fetched_again: int, catalog_uri: str
) -> None:
    source = CountingSource()

    async def program(relay: Relay, child: subprocess.Popen[str]) -> list[int]:
        async with OHLCClient(catalog_uri, relay.relay_endpoint, relay.notification_endpoint) as client:
            pending = asyncio.create_task(client.fetch_ohlc(ABC, 60, *span(0, 10)))
            assert child.stdout is not None
            assert json.loads(await asyncio.to_thread(child.stdout.readline)) == {"state": "stuck"}
            child.kill()
            with ingesting(relay, catalog_uri, source):
                opens: list[int] = (await pending)["open"].tolist()
                return opens

    limits = RelayLimits(worker_silence_s=2.0, worker_wait_s=30.0)
    with Relay(ANY, ANY, limits=limits) as relay, stuck(relay, catalog_uri, when) as child:
        assert asyncio.run(program(relay, child)) == list(range(100, 110))
        assert relay.counts.requests == 1
        assert relay.counts.jobs_given_again == 1
    assert source.asked.total() == fetched_again


@contextmanager
def stuck(relay: Relay, catalog_uri: str, when: str) -> Iterator[subprocess.Popen[str]]:
    """The process of an ingestor that takes a range and gets no further."""
    script = Path(__file__).with_name("stuck_ingestor.py")
    command = [sys.executable, str(script), relay.relay_endpoint, catalog_uri, when]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    try:
        assert json.loads(child.stdout.readline()) == {"state": "ready"}
        yield child
    finally:
        child.kill()
        child.wait()
        child.stdout.close()
