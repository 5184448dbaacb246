"""A relay that does not let a client or an ingestor in: none waits in vain, and an ingestor tries again."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Collection, Coroutine
from typing import Any

import pytest
import zmq
from candle_makers import span
from counting_source import CountingSource

from ledgerx.errors import RelayUnreachable
from ledgerx.history import HistoryClient
from ledgerx.history.ingestor import Ingestor
from ledgerx.history.relay import Relay
from ledgerx.history.writer import WarehouseWriter
from ledgerx.protocol.crypto import KeyPair

ABC = "TEST:ABC"
ANY = "tcp://127.0.0.1:0"
RELAY, CLIENT, INGESTOR, STRANGER = (KeyPair.generate() for _ in range(4))


def relay_of(allowed: Collection[KeyPair], before: Relay | None = None) -> Relay:
    """A relay that lets these in, at the endpoints of one before."""
    endpoints = (ANY, ANY) if before is None else (before.relay_endpoint, before.notification_endpoint)
    return Relay(*endpoints, keypair=RELAY, allowed_keys=[pair.public for pair in allowed])


def client_of(relay: Relay, pair: KeyPair, **options: float) -> HistoryClient:
    return HistoryClient(
        relay.relay_endpoint,
        relay.notification_endpoint,
        client_keypair=pair,
        server_public_key=RELAY.public,
        **options,
    )


class Record(logging.Handler):
    """Whether a text was logged."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text
        self.seen = threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        if self.text in record.getMessage():
            self.seen.set()


def test_a_client_that_is_refused_before_it_asks_does_not_wait_for_ever() -> None:
    with relay_of([CLIENT]) as relay:
        client = client_of(relay, STRANGER, connect_timeout=30)

        def once_refused(
            loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, None], **options: Any
        ) -> asyncio.Task[None]:
            """Tasks of a machine so busy that the relay refuses between the connection and the question."""
            deadline = time.monotonic() + 10
            while not client._dealer.closed and client._dealer.get(zmq.EVENTS) & zmq.POLLOUT:
                assert time.monotonic() < deadline, "the relay does not refuse"
            return asyncio.Task(work, loop=loop, **options)

        async def program() -> None:
            asyncio.get_running_loop().set_task_factory(once_refused)
            with pytest.raises(RelayUnreachable, match=r"refused the connection: are the keys its own"):
                await client.connect()

        asyncio.run(program())


def test_requests_end_with_a_connection_error_where_a_restarted_relay_refuses_the_client() -> None:
    async def program(relay: Relay) -> None:
        async with client_of(relay, CLIENT, poll_interval=0.1) as client:
            asked = asyncio.Event()
            pending = asyncio.create_task(
                client.request_historical_ohlc(ABC, 60, *span(0, 10), 600.0, progress=lambda _: asked.set())
            )
            await asked.wait()
            await asyncio.to_thread(relay.stop)
            with relay_of([INGESTOR], relay):
                for request in (pending, client.request_historical_ohlc(ABC, 60, *span(0, 10), 600.0)):
                    with pytest.raises(ConnectionError):
                        await request

    with relay_of([CLIENT]) as relay:
        asyncio.run(program(relay))


def test_an_ingestor_that_was_refused_serves_when_it_is_allowed(catalog_uri: str) -> None:
    refused = Record("refuses this ingestor: are the keys its own")
    logging.getLogger("ledgerx.history.ingestor").addHandler(refused)

    async def program(relay: Relay) -> dict[str, Any]:
        async with client_of(relay, CLIENT) as client:
            return await client.request_historical_ohlc(ABC, 60, *span(0, 10))

    strict = relay_of([CLIENT])
    strict.start()
    keys: dict[str, Any] = {"client_keypair": INGESTOR, "server_public_key": RELAY.public}
    try:
        with Ingestor(strict.relay_endpoint, WarehouseWriter(catalog_uri), [CountingSource()], **keys):
            assert refused.seen.wait(30)
            strict.stop()
            with relay_of([CLIENT, INGESTOR], strict) as relay:
                assert asyncio.run(program(relay))["status"] == "OK"
    finally:
        strict.stop()
        logging.getLogger("ledgerx.history.ingestor").removeHandler(refused)
