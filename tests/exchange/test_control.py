"""Commands to a venue, running or not, from whoever can read its key and from nobody else."""

import contextlib
import json
import os
import subprocess
import sys
import threading

import pytest
import zmq
from venue_harness import Floor

from ledgerx.errors import (
    AccountError,
    ConnectTimeout,
    DataFolderLocked,
    DataFolderUnusable,
    InvalidField,
    InvalidKey,
)
from ledgerx.exchange import Exchange
from ledgerx.exchange.control import add_account, call, remove_account
from ledgerx.exchange.folder import lock_holder, read_note
from ledgerx.exchange.venue import Venue
from ledgerx.protocol.crypto import KeyPair
from ledgerx.protocol.sockets import req, secure_socket


@pytest.fixture(params=["running", "stopped"])
def folder(request, tmp_path):
    if request.param == "stopped":
        yield tmp_path / "D"
        return
    with Exchange(tmp_path / "D", http=False):
        yield tmp_path / "D"


def test_accounts_are_added_and_removed_alike(folder):
    keys = KeyPair.generate()
    row = add_account(folder, "alice", keys.public)
    assert row == (1, 1, "alice", keys.public.decode(), True)
    assert add_account(folder, "bob", KeyPair.generate().public, mpid=9).mpid == 9
    assert remove_account(folder, "alice") == (1, 1, "alice", keys.public.decode(), False)
    assert add_account(folder, "alice", keys.public).cid == 3


def test_errors_come_back_as_they_were_raised(folder):
    key = KeyPair.generate().public
    add_account(folder, "alice", key)
    with pytest.raises(AccountError, match="alice"):
        add_account(folder, "alice", KeyPair.generate().public)
    with pytest.raises(AccountError, match="nobody"):
        remove_account(folder, "nobody")
    with pytest.raises(InvalidKey):
        add_account(folder, "bob", "not a key")
    with pytest.raises(InvalidKey):
        call(folder, {"do": "account-add", "name": "bob", "public_key": "not a key"})
    for request in ({"do": "dance"}, {"do": "account-add", "name": 7, "public_key": "x"}):
        with pytest.raises(InvalidField, match="does not know"):
            call(folder, request)


def test_a_raw_key_of_32_bytes_is_a_key(tmp_path):
    keys = KeyPair.generate()
    raw = zmq.utils.z85.decode(keys.public)
    assert add_account(tmp_path, "alice", raw).public_key == keys.public.decode()


def test_only_adding_makes_a_folder(tmp_path):
    with pytest.raises(DataFolderUnusable, match="no data folder"):
        remove_account(tmp_path / "D", "alice")
    assert not (tmp_path / "D").exists()


def test_the_venues_own_key_is_needed(tmp_path, zmq_context):
    with Exchange(tmp_path, http=False) as exchange:
        note = read_note(tmp_path)
        trader = KeyPair.generate()
        exchange.add_account("alice", trader.public)
        for keys in (trader, KeyPair.generate()):
            socket = secure_socket(
                req, keys.private, keys.public, exchange.public_key, zmq_context, rtimeo=300
            )
            socket.connect(f"tcp://127.0.0.1:{note.control_port}")
            with contextlib.suppress(zmq.Again):  # refused before it could send: ZeroMQ took its pipe away
                socket.send(json.dumps({"do": "account-remove", "name": "alice"}).encode(), zmq.DONTWAIT)
            assert not socket.poll(300)
            socket.close(linger=0)
        assert [row.active for row in exchange.accounts()] == [True]


def test_what_is_no_command_is_answered_and_the_venue_goes_on(tmp_path, zmq_context):
    with Exchange(tmp_path, http=False) as exchange:
        keys = KeyPair.load_certificate(tmp_path / "venue.key")
        socket = secure_socket(req, keys.private, keys.public, keys.public, zmq_context, rtimeo=10_000)
        socket.connect(f"tcp://127.0.0.1:{read_note(tmp_path).control_port}")
        for data in (b"\xff", b"[]", b"7", b"{"):
            socket.send(data)
            assert json.loads(socket.recv())["error"] == "InvalidField"
        socket.close(linger=0)
        exchange.add_account("alice", KeyPair.generate().public)


def test_a_venue_that_does_not_get_ready_is_waited_for_only_so_long(tmp_path):
    with Floor(tmp_path), pytest.raises(ConnectTimeout, match="in use by process") as caught:
        call(tmp_path, {"do": "account-remove", "name": "alice"}, timeout_s=0.2)
    assert isinstance(caught.value.__cause__, DataFolderLocked)
    assert lock_holder(tmp_path) == os.getpid()
    assert lock_holder(tmp_path / "none") is None


def test_commands_wait_for_each_other(tmp_path):
    """Several at once on a stopped venue: each takes the lock in its turn."""
    threads = [
        threading.Thread(target=add_account, args=(tmp_path, f"trader {n}", KeyPair.generate().public))
        for n in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    venue = Venue.open(tmp_path)
    assert sorted(row.name for row in venue.accounts()) == [f"trader {n}" for n in range(6)]
    venue.close()


INTERRUPTED = """
import signal, sys
from ledgerx.exchange.control import add_account
from ledgerx.protocol.crypto import KeyPair

def interrupt(number, frame):
    raise KeyboardInterrupt

signal.signal(signal.SIGALRM, interrupt)
for moment in range(1, 101):
    try:
        signal.setitimer(signal.ITIMER_REAL, moment / 10_000)
        add_account(sys.argv[1], f"trader {moment}", KeyPair.generate().public)
        signal.setitimer(signal.ITIMER_REAL, 0)
    except KeyboardInterrupt:
        pass
print("done")
"""


def test_ctrl_c_ends_a_command_at_whatever_moment_it_comes(tmp_path):
    # Without a tracer, which such an exception may catch with its own locks taken.
    environment = {name: os.environ[name] for name in os.environ if not name.startswith("COVERAGE_")}
    with Exchange(tmp_path, http=False):
        command = [sys.executable, "-c", INTERRUPTED, str(tmp_path)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment)
        assert (done.stdout, done.returncode) == ("done\n", 0), done.stderr
        add_account(tmp_path, "alice", KeyPair.generate().public)
