"""The sockets of one connection: opened all or none."""

from __future__ import annotations

import pytest
import zmq

from ledgerx.errors import QueueFull, VenueUnreachable
from ledgerx.protocol.crypto import KeyPair
from ledgerx.protocol.ports import Address
from ledgerx.sdk.transport import Transport

KEYS = KeyPair.generate()


@pytest.mark.parametrize("sockets_max", [1, 2, 4])
def test_where_sockets_are_used_up_it_raises_and_leaves_none_open(sockets_max: int) -> None:
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    context.max_sockets = sockets_max
    with pytest.raises((QueueFull, VenueUnreachable)):
        Transport(context, Address.of("127.0.0.1:9"), KEYS, KEYS.public)
    context.term()  # would wait for a socket that was left open


def test_an_address_that_zeromq_does_not_take_is_unreachable(zmq_context: zmq.Context) -> None:
    with pytest.raises(VenueUnreachable, match="ex!ample cannot be connected to"):
        Transport(zmq_context, Address.of("ex!ample"), KEYS, KEYS.public)


def test_what_the_socket_cannot_take_is_refused_and_not_lost(zmq_context: zmq.Context) -> None:
    transport = Transport(zmq_context, Address.of("127.0.0.1:9"), KEYS, KEYS.public)
    taken = 0
    while transport.send(b"frame") and taken < 1000:
        taken += 1
    assert 0 < taken < 1000
    transport.close()


def test_closing_twice_is_fine(zmq_context: zmq.Context) -> None:
    transport = Transport(zmq_context, Address.of("127.0.0.1:9"), KEYS, KEYS.public)
    transport.close()
    transport.close()
