"""The HTTP front."""

import http.client
import json

import pytest
from raw_client import RawClient

from ledgerx.api.client import v0_0_1 as api
from ledgerx.exchange import Exchange
from ledgerx.protocol.crypto import KeyPair


@pytest.fixture(scope="module")
def exchange(tmp_path_factory):
    with Exchange(tmp_path_factory.mktemp("web")) as exchange:
        yield exchange


def get(exchange, path):
    connection = http.client.HTTPConnection("127.0.0.1", exchange.http_port, timeout=20)
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, body


def test_key_gives_what_a_client_must_know(exchange):
    status, body = get(exchange, "/key")
    key = json.loads(body)
    assert status == 200
    assert key["public_key"].encode() == exchange.public_key
    assert (len(key["venue_id"]), key["run_id"]) == (32, 1)


def test_the_index_says_what_it_is_and_where(exchange):
    status, body = get(exchange, "/")
    index = json.loads(body)
    assert status == 200
    assert index["protocol"] == "0.0.1"
    assert (index["request_port"], index["publish_port"]) == (exchange.request_port, exchange.publish_port)


def test_health_is_the_gateway_turning(exchange):
    assert get(exchange, "/healthz") == (200, b"ok\n")


def test_health_says_when_it_stopped(tmp_path):
    with Exchange(tmp_path, interval_ms=20) as exchange:
        exchange._server._gateway.stop()
        exchange._server._thread.join(20)
        assert get(exchange, "/healthz") == (503, b"stopped\n")


def test_metrics_count_orders_trades_and_connections(exchange):
    keys = KeyPair.generate()
    exchange.add_account("alice", keys.public)
    exchange.add_account("bob", KeyPair.generate().public)
    with RawClient(exchange, keys) as client:
        client.hello()
        client.send(client.order())
        client.receive_kind(api.MessageActionReport)
        status, body = get(exchange, "/metrics")
    assert status == 200
    lines = dict(line.rsplit(" ", 1) for line in body.decode().splitlines() if not line.startswith("#"))
    assert float(lines["ledgerx_orders_total"]) == 1
    assert float(lines["ledgerx_trades_total"]) == 0
    assert float(lines["ledgerx_connections"]) == 1
    assert float(lines["ledgerx_journal_records"]) > 10


def test_nothing_else_is_there(exchange):
    assert get(exchange, "/orders")[0] == 404
