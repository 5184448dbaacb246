"""The gateway on sockets in memory and a clock that the test moves: what needs time to pass."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from venue_harness import detail

from ledgerx.api.client import v0_0_1 as api
from ledgerx.exchange.gateway import Gateway
from ledgerx.exchange.keys import AccountKeys
from ledgerx.exchange.venue import Venue
from ledgerx.protocol.wire import decode_frame, decode_message, encode_frame, encode_message
from ledgerx.testing.clock import VirtualClock
from ledgerx.testing.network import MemoryNetwork, MemoryTransport

KEY = "0" * 40


class Hall:
    """A gateway and one account's connections."""

    def __init__(self, folder: Path) -> None:
        self.clock = VirtualClock(1)
        self.venue = Venue.open(folder, clock=self.clock, contracts=[detail()])
        self.venue.add_account("alice", KEY)
        self.venue.start_run()
        self.network = MemoryNetwork()
        sockets = self.network.router(), self.network.publisher()
        self.gateway = Gateway(self.venue, *sockets, AccountKeys(), clock=self.clock)

    def close(self) -> None:
        self.gateway.close()
        self.venue.close()

    def say(self, transport: MemoryTransport, *messages: Any) -> list[Any]:
        """Send messages, have the gateway turn, and take what it answered."""
        transport.send(encode_frame([encode_message(message) for message in messages]))
        transport.link.up.deliver()
        self.gateway.turn()
        transport.link.down.deliver()
        answers = []
        while (frame := transport.link.down.take()) is not None:
            answers += [decode_message(data) for data in decode_frame(frame).messages]
        return answers

    def hello(self, connection: int = 1) -> api.MessageHello:
        return api.MessageHello(
            mid=self.clock.unique_hex(), client_instance="c" * 32, connection=connection, next_sequence=1
        )

    def order(self) -> api.MessageLimitOrder:
        return api.MessageLimitOrder(
            mid=self.clock.unique_hex(),
            timestamp=self.clock.wall_ns(),
            contract_id=7,
            size=1,
            price_in_cents=100,
        )

    def falls_silent(self, transport: MemoryTransport) -> None:
        for _ in range(5):
            self.clock.advance(1.0)
            self.gateway.turn()
        transport.link.down.clear()


@pytest.fixture
def hall(tmp_path: Path) -> Iterator[Hall]:
    hall = Hall(tmp_path)
    yield hall
    hall.close()


def test_a_silent_connection_goes_on_with_a_hello(hall: Hall) -> None:
    transport = hall.network.connect(KEY)
    hall.say(transport, hall.hello())
    hall.falls_silent(transport)
    assert len(hall.gateway.connections) == 0
    answers = hall.say(transport, hall.hello(), hall.order())
    assert [type(answer) for answer in answers[:2]] == [api.MessageHello, api.MessageStatus]


def test_requests_on_a_connection_that_lapsed_end_it_so_that_none_is_executed_out_of_order(
    hall: Hall,
) -> None:
    transport = hall.network.connect(KEY)
    hall.say(transport, hall.hello())
    hall.falls_silent(transport)
    records = hall.venue.journal.last_number
    assert hall.say(transport, hall.order()) == []
    assert hall.say(transport, hall.hello(), hall.order()) == []
    assert hall.venue.journal.last_number == records
    again = hall.network.connect(KEY)
    assert isinstance(hall.say(again, hall.hello(connection=2))[0], api.MessageHello)
