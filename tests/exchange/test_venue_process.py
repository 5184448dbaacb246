"""The venue as a process: killed, stopped, and out of disk. What it told anyone is in its journal."""

import json
import shlex
import signal
import subprocess
import sys
from types import SimpleNamespace

import pytest
from raw_client import RawClient, new_mid

from ledgerx.api.client import v0_0_1 as api
from ledgerx.errors import ConnectTimeout
from ledgerx.exchange.control import add_account, call
from ledgerx.exchange.folder import read_note
from ledgerx.exchange.venue import Venue
from ledgerx.protocol.crypto import KeyPair
from ledgerx.protocol.wire import decode_message

WAIT_S = 30


class Process:
    """`pyledgerx exchange` with accounts; `limits` go to the shell before it starts."""

    def __init__(self, folder, *arguments, limits=""):
        command = [sys.executable, "-m", "ledgerx.cli.main", "exchange", "--json"]
        command += ["--data-dir", str(folder), "--port", "0", *arguments]
        self.folder = folder
        self.process = subprocess.Popen(
            ["/bin/sh", "-c", f"{limits} exec {shlex.join(command)}"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.ready = json.loads(self.process.stdout.readline() or "{}")

    @property
    def address(self):
        return SimpleNamespace(**self.ready | {"public_key": self.ready["public_key"].encode()})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate(timeout=WAIT_S)


def load(client, count, *, is_ask):
    """Sends orders of one side at one price until `count` messages of the line came back; the bytes."""
    line = {}
    sent = 0
    while len(line) < count:
        while sent < len(line) + 60:
            client.send(client.order(price=100, size=1 + sent % 3, is_ask=is_ask))
            sent += 1
        message, _replayed, data = client.receive_marked()
        line[message.account_sequence] = data
    return line


def drain(client, line):
    """Everything that still comes, or came and was not looked at."""
    for message, _replayed, data in client._waiting:
        line[message.account_sequence] = data
    while client.socket.poll(300):
        for data in client.frame().messages:
            message = decode_message(data)
            if not isinstance(message, api.MessageHeartbeat) and message.account_sequence:
                line[message.account_sequence] = data


def stored(folder, name):
    venue = Venue.open(folder)
    cid = venue.engine.account_named(name).cid
    messages = venue.lines.read(cid, 1, count_max=10**9, bytes_max=10**12)
    venue.close()
    return messages


def test_kill_9_loses_nothing_that_anyone_was_told(tmp_path):
    keys = {name: KeyPair.generate() for name in ("alice", "bob")}
    for name, pair in keys.items():
        add_account(tmp_path, name, pair.public)
    told = {}
    with Process(tmp_path) as venue:
        clients = {name: RawClient(venue.address, pair) for name, pair in keys.items()}
        for client in clients.values():
            client.hello()
        told["alice"] = load(clients["alice"], 300, is_ask=False)
        told["bob"] = load(clients["bob"], 150, is_ask=True)
        for client in clients.values():  # killed with requests under way
            client.send(*[client.order(price=90) for _ in range(400)])
        venue.process.kill()
        venue.process.wait(WAIT_S)
        for name, client in clients.items():
            drain(client, told[name])
            client.close()
    for name, line in told.items():
        messages = stored(tmp_path, name)
        assert sorted(line) == list(range(1, len(line) + 1))  # no hole
        assert messages[: len(line)] == [line[sequence] for sequence in sorted(line)]
    with Process(tmp_path) as venue, RawClient(venue.address, keys["alice"]) as client:
        hello = client.hello(next_sequence=len(told["alice"]) + 1)
        assert hello.run_id == 2
        change = client.receive_kind(api.MessageRunChange)
        assert (change.prev_run_id, change.run_id, change.account_sequence) == (1, 2, hello.head)


def test_a_disk_that_is_full_ends_the_process_before_anything_else_is_said(tmp_path):
    keys = KeyPair.generate()
    add_account(tmp_path, "alice", keys.public)
    with Process(tmp_path, limits="ulimit -f 128;") as venue, RawClient(venue.address, keys) as client:
        client.hello()
        line = {}
        while venue.process.poll() is None:
            client.send(*[client.order(price=100) for _ in range(10)])
            if client.socket.poll(100):
                for data in client.frame().messages:
                    line[decode_message(data).account_sequence] = data
        drain(client, line)
        assert venue.process.returncode == 1
        errors = venue.process.communicate(timeout=WAIT_S)[1]
        assert "stops at once" in errors
        assert "journal" in errors
    line.pop(0, None)
    messages = stored(tmp_path, "alice")
    assert sorted(line) == list(range(1, len(line) + 1))
    assert messages[: len(line)] == [line[sequence] for sequence in sorted(line)]


def test_it_ends_where_it_cannot_even_say_why(tmp_path):
    keys = KeyPair.generate()
    add_account(tmp_path, "alice", keys.public)
    limits = "ulimit -f 128; exec 2>/dev/full;"
    with Process(tmp_path, limits=limits) as venue, RawClient(venue.address, keys) as client:
        client.hello()
        while venue.process.poll() is None:
            client.send(*[client.order(price=100) for _ in range(10)])
            client.socket.poll(100)
        assert venue.process.returncode == 1


def test_sigterm_and_ctrl_c_end_it_in_order(tmp_path):
    for run_id, number in enumerate((signal.SIGTERM, signal.SIGINT), 1):
        with Process(tmp_path) as venue:
            assert read_note(tmp_path).pid == venue.process.pid
            venue.process.send_signal(number)
            output, errors = venue.process.communicate(timeout=WAIT_S)
            assert (venue.process.returncode, output, errors) == (0, "", "")
        assert read_note(tmp_path).pid is None
        check = Venue.open(tmp_path)
        assert check.engine.run_id == run_id
        assert not check.journal.renewal_due
        check.close()


def test_a_venue_that_stands_still_is_not_waited_for_for_ever(tmp_path):
    with Process(tmp_path) as venue:
        venue.process.send_signal(signal.SIGSTOP)
        with pytest.raises(ConnectTimeout, match="may or may not"):
            call(tmp_path, {"do": "account-remove", "name": "alice"}, timeout_s=0.3)
        venue.process.send_signal(signal.SIGCONT)
        add_account(tmp_path, "alice", KeyPair.generate().public)


def test_a_running_venue_takes_accounts_from_the_command_at_once(tmp_path):
    with Process(tmp_path, "--sync", "power") as venue:
        keys = KeyPair.generate()
        add_account(tmp_path, "alice", keys.public)
        with RawClient(venue.address, keys) as client:
            client.hello()
            client.send(api.MessageGetContract(mid=new_mid(), all_contracts=True))
            assert client.receive().remaining >= 12
