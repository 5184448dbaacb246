"""Which endpoints relay, clients and ingestors take: ports that can be bound, or connected to."""

from __future__ import annotations

import pytest

from ledgerx.errors import InvalidField
from ledgerx.history import HistoryClient
from ledgerx.history.endpoints import check_endpoint
from ledgerx.history.ingestor import Ingestor
from ledgerx.history.relay import Relay
from ledgerx.history.writer import WarehouseWriter

GOOD = "tcp://127.0.0.1:5555"
NO_PORTS = ("65536", "00", "71091", "99999999", "9" * 5000, "-1", "", "x", "\u0661")


@pytest.mark.parametrize("port", [*NO_PORTS, "*", "0"])
def test_a_side_that_connects_takes_only_a_port_that_can_be_connected_to(port: str) -> None:
    endpoint = f"tcp://127.0.0.1:{port}"
    for pair in ((endpoint, GOOD), (GOOD, endpoint)):
        with pytest.raises(InvalidField, match="with a port from 1 to 65535"):
            HistoryClient(*pair)
    with pytest.raises(InvalidField, match="with a port from 1 to 65535"):
        Ingestor(endpoint, WarehouseWriter("sqlite:///unused.db"), [])


@pytest.mark.parametrize("port", NO_PORTS)
def test_a_relay_takes_only_a_port_that_can_be_bound(port: str) -> None:
    for pair in ((f"tcp://127.0.0.1:{port}", GOOD), (GOOD, f"tcp://127.0.0.1:{port}")):
        with pytest.raises(InvalidField, match=r"with a port from 0 \(any\) to 65535"):
            Relay(*pair)


@pytest.mark.parametrize("port", ["0", "*"])
def test_a_relay_takes_any_free_port_and_tells_which(port: str) -> None:
    with Relay(f"tcp://127.0.0.1:{port}", f"tcp://127.0.0.1:{port}") as relay:
        for endpoint in (relay.relay_endpoint, relay.notification_endpoint):
            assert 0 < int(endpoint.rpartition(":")[2]) <= 65535


def test_the_last_port_is_one() -> None:
    assert check_endpoint("tcp://[::1]:65535", "relay_endpoint", keyed=False, keys_needed="keys")
