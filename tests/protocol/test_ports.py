"""One address names the others; what cannot be an address is refused by name."""

from __future__ import annotations

import pytest

from ledgerx import errors
from ledgerx.protocol import ports
from ledgerx.protocol.ports import Address


def test_the_default_ports_are_the_protocols() -> None:
    assert (ports.HTTP_PORT, ports.REQUEST_PORT, ports.PUBLISH_PORT, ports.STREAMING_PORT) == (
        7810,
        7811,
        7812,
        3801,
    )


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("venue.example", "venue.example", None),
        ("127.0.0.1:17811", "127.0.0.1", 17811),
        ("[::1]:17811", "::1", 17811),
        ("[::1]", "::1", None),
        ("fe80::1", "fe80::1", None),
    ],
)
def test_a_host_may_carry_a_port(text: str, host: str, port: int | None) -> None:
    assert ports.parse_host_port(text) == (host, port)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "a b",
        ":1",
        "[::1",
        "[::1]x",
        "host:",
        "host:port",
        "host:0",
        "host:65536",
        "host:-1",
        None,
        "http://h:1",
    ],
)
def test_what_is_no_host_is_refused_and_shown(text: str) -> None:
    with pytest.raises(errors.InvalidAddress) as caught:
        ports.parse_host_port(text)
    assert repr(text) in str(caught.value) or "port" in str(caught.value)
    assert isinstance(caught.value, ValueError)


def test_the_neighbours_of_the_request_port_follow_it() -> None:
    assert Address.of("127.0.0.1:17811") == Address("127.0.0.1", 17811, 17812, 17810)
    assert Address.of("127.0.0.1") == Address("127.0.0.1", 7811, 7812, 7810)


def test_a_port_given_by_keyword_replaces_what_would_follow() -> None:
    address = Address.of("host:5", request_port=100, publish_port=200, http_port=300)
    assert address == Address("host", 100, 200, 300)


@pytest.mark.parametrize("fqdn", ["host:65535", "host:1"])
def test_a_neighbour_that_is_no_port_is_refused(fqdn: str) -> None:
    with pytest.raises(errors.InvalidAddress):
        Address.of(fqdn)


@pytest.mark.parametrize("port", [True, 0, -1, 65536, "x", 1.5e9])
def test_a_number_that_is_no_port_is_refused(port: int) -> None:
    with pytest.raises(errors.InvalidAddress, match="publish_port"):
        Address.of("host", publish_port=port)


def test_an_ipv6_host_is_bracketed_in_an_endpoint() -> None:
    assert Address.of("::1").endpoint(7811) == "tcp://[::1]:7811"
    assert Address.of("127.0.0.1").endpoint(7811) == "tcp://127.0.0.1:7811"
