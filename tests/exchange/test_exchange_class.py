"""`Exchange`: a venue in this process, its ports, and its restarts."""

import errno
import itertools
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from raw_client import RawClient, new_mid

import ledgerx.exchange as exchange_package
from ledgerx.api.client import v0_0_1 as api
from ledgerx.clock import SYSTEM_CLOCK
from ledgerx.errors import (
    DataFolderLocked,
    InvalidAddress,
    InvalidState,
    JournalWriteFailed,
    PortTaken,
)
from ledgerx.exchange import Exchange
from ledgerx.exchange.folder import read_note
from ledgerx.exchange.gateway_settings import GatewaySettings
from ledgerx.exchange.listen import candidate_ports, open_listeners
from ledgerx.exchange.venue import Venue
from ledgerx.protocol.crypto import KeyPair


def ports(exchange):
    return exchange.http_port, exchange.request_port, exchange.publish_port


def test_it_is_imported_alone():
    with pytest.raises(AttributeError):
        _ = exchange_package.Nothing


def test_without_a_folder_it_leaves_nothing_behind():
    with Exchange() as exchange:
        folder = exchange.data_dir
        assert folder.is_dir()
        assert len(exchange.public_key) == 40
        assert exchange.running
    assert not folder.exists()
    assert not exchange.running
    exchange.close()


def test_its_ports_lie_side_by_side(tmp_path):
    with Exchange(tmp_path) as exchange:
        http, request, publish = ports(exchange)
        assert (http, publish) == (request - 1, request + 1)
        for port in (http, request, publish):
            socket.create_connection((exchange.host, port)).close()
        note = read_note(tmp_path)
        assert (note.request_port, note.pid) == (request, os.getpid())
        assert note.streaming_port == exchange.streaming_port
        socket.create_connection((exchange.host, exchange.streaming_port)).close()
    assert read_note(tmp_path).pid is None


def test_a_restart_is_a_new_run_on_the_same_ports_with_the_same_accounts():
    keys = KeyPair.generate()
    with Exchange() as exchange:
        exchange.add_account("alice", keys.public)
        before, key = ports(exchange), exchange.public_key
        with RawClient(exchange, keys) as client:
            hello = client.hello()
            order = client.order(size=5)
            client.send(order)
            client.receive_kind(api.MessageActionReport)
        exchange.restart()
        assert (ports(exchange), exchange.public_key) == (before, key)
        with RawClient(exchange, keys) as client:
            again = client.hello(next_sequence=4, venue_id=hello.venue_id)
            assert (again.venue_id, again.run_id, again.head) == (hello.venue_id, 2, 5)
            cancel, change = client.receive(), client.receive()
            assert (cancel.mid, cancel.canceled_size) == (order.mid, 5)
            assert (change.prev_run_id, change.run_id) == (1, 2)


def test_another_process_of_the_folder_takes_its_ports_too(tmp_path):
    with Exchange(tmp_path, http=False) as exchange:
        before = exchange.request_port
    with Exchange(tmp_path, http=False) as exchange:
        assert exchange.request_port == before
        assert exchange.http_port is None


@pytest.mark.parametrize("neighbour", [-1, 0, 1])
def test_a_taken_port_is_named_with_what_to_do(tmp_path, neighbour):
    with Exchange(tmp_path / "D") as exchange:
        port = exchange.request_port
    with socket.socket() as other:
        other.bind(("127.0.0.1", port + neighbour))
        other.listen()
        for options in ({}, {"port": port}):
            exchange = Exchange(tmp_path / "D", **options)
            with pytest.raises(PortTaken, match=f"port {port + neighbour} .*--port") as caught:
                exchange.start()
            assert caught.value.port == port + neighbour
    with Exchange(tmp_path / "D") as exchange:  # and nothing was left open or locked
        assert exchange.request_port == port


def test_ports_are_tried_until_three_are_free():
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        ports = itertools.chain([taken, taken + 1, taken - 1], candidate_ports(0, None, SYSTEM_CLOCK))
        listeners = open_listeners("127.0.0.1", ports, KeyPair.generate(), GatewaySettings(), http=True)
        assert abs(listeners.request_port - taken) > 1
        listeners.close()


def test_the_port_asked_for_goes_before_the_one_used_and_that_before_any():
    assert list(candidate_ports(7811, 9000, SYSTEM_CLOCK)) == [7811]
    assert list(candidate_ports(0, 9000, SYSTEM_CLOCK)) == [9000]
    assert all(20_000 <= port < 32_000 for port in candidate_ports(0, None, SYSTEM_CLOCK))


@pytest.mark.parametrize("port", [1, 65535, 70000, -5])
def test_a_port_needs_its_neighbours(tmp_path, port):
    with pytest.raises(InvalidAddress, match="neighbours"):
        Exchange(tmp_path, port=port).start()


@pytest.mark.parametrize("host", ["no-such-host.invalid", "192.0.2.1"])
def test_a_host_of_another_machine_is_refused(tmp_path, host):
    with pytest.raises(InvalidAddress, match=r"host|machine"):
        Exchange(tmp_path, host=host).start()


def test_a_host_may_be_a_name(tmp_path):
    keys = KeyPair.generate()
    with Exchange(tmp_path, host="localhost") as exchange:
        exchange.add_account("alice", keys.public)
        with RawClient(exchange, keys) as client:
            client.hello()


def test_it_is_started_once_at_a_time(tmp_path):
    exchange = Exchange(tmp_path, http=False)
    with pytest.raises(InvalidState):
        _ = exchange.request_port
    exchange.start()
    with pytest.raises(InvalidState):
        exchange.start()
    with pytest.raises(DataFolderLocked):
        Exchange(tmp_path, http=False).start()
    exchange.stop()
    exchange.stop()
    exchange.start()
    exchange.close()


def test_the_same_contracts_file_on_the_next_day_changes_nothing(tmp_path):
    file = tmp_path / "contracts.toml"
    built_in = Path(sys.modules["ledgerx.exchange"].__file__).with_name("contracts.toml")
    file.write_text(built_in.read_text())
    with Exchange(tmp_path / "D", contracts=file, http=False):
        pass
    with Exchange(tmp_path / "D", contracts=file, http=False):
        pass
    venue = Venue.open(tmp_path / "D")
    kinds = [record.input.WhichOneof("kind") for record in venue.journal.records()]
    assert kinds.count("contract_add") == len(venue.engine.contracts)
    venue.close()


def test_after_a_failed_write_it_sends_nothing_and_says_why(tmp_path):
    keys = KeyPair.generate()
    settings = GatewaySettings(interval_ms=20, heartbeats_missed_max=1000)
    exchange = Exchange(tmp_path, http=False, settings=settings)
    exchange.start()
    exchange.add_account("alice", keys.public)
    with RawClient(exchange, keys) as client:
        client.hello()
        journal = exchange._server._gateway._venue.journal
        read_only = os.open(journal.path, os.O_RDONLY)
        os.dup2(read_only, journal._fd)
        os.close(read_only)
        client.send(client.order(), api.MessageGetPositions(mid=new_mid()))
        thread = exchange._server._thread
        thread.join(20)
        assert not exchange.running
        while client.socket.poll(200):
            assert all(b"acknowledged" not in data for data in client.frame().messages)
    with pytest.raises(InvalidState, match=os.strerror(errno.EBADF)) as caught:
        _ = exchange.request_port
    assert isinstance(caught.value.__cause__, JournalWriteFailed)
    exchange.close()


@pytest.mark.parametrize("module", ["uvicorn", "starlette", "prometheus_client"])
def test_a_missing_extra_is_named_and_without_http_none_is_needed(tmp_path, module):
    program = f"""
import sys
sys.modules[{module!r}] = None
from ledgerx.errors import MissingExtra
from ledgerx.exchange import Exchange
with Exchange({str(tmp_path)!r}, http=False): pass
try:
    Exchange({str(tmp_path)!r}).start()
except MissingExtra as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "'ledgerx-python[exchange]'" in done.stdout
