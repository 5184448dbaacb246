"""The follower as a process beside a venue: it takes snapshots, tells of divergence, ends with the venue."""

import json
import logging
import subprocess
import sys
import threading
import urllib.request

import pytest
from venue_harness import Floor

from ledgerx.exchange._exchange import Exchange
from ledgerx.exchange.follower import Follower
from ledgerx.exchange.follower_process import FollowerProcess
from ledgerx.exchange.snapshot_files import list_snapshots, load_snapshot, snapshot_path, store_snapshot
from ledgerx.exchange.venue import Venue
from ledgerx.protocol.crypto import KeyPair

WAIT_S = 30


def trade(floor, turns=5):
    for _ in range(turns):
        floor.turn(("alice", floor.order(price=100, size=3)), ("bob", floor.order(price=101, is_ask=True)))
        floor.turn(("bob", floor.order(price=100, size=2, is_ask=True)))


def until(condition):
    """Waits for what another process does."""
    pause = threading.Event()
    for _ in range(WAIT_S * 50):
        if condition():
            return
        pause.wait(0.02)
    raise AssertionError("it did not happen in time")


@pytest.fixture
def traded(tmp_path):
    with Floor(tmp_path, "alice", "bob") as floor:
        trade(floor)
    return tmp_path, floor.venue.journal.committed


def spoil(folder):
    """A snapshot whose state the journal does not follow from."""
    follower = Follower(folder)
    follower.step(8)
    follower.take_snapshot()
    follower.close()
    snapshot = load_snapshot(snapshot_path(folder, 8))
    snapshot.order_id += 1
    store_snapshot(folder, snapshot)


def test_it_follows_snapshots_and_ends_when_it_is_told(traded):
    folder, last = traded
    follower = FollowerProcess(folder, 6)
    follower.start()
    until(lambda: follower.number == last)
    process = follower._process
    follower.stop()
    follower.stop()
    assert process.returncode == 0
    assert follower.counts == {"snapshots": 3, "divergences": 0, "failures": 0}
    assert follower.snapshot_number == list_snapshots(folder)[-1]


def test_a_divergence_is_logged_and_counted_and_it_is_not_started_again(traded, caplog):
    folder, _last = traded
    spoil(folder)
    follower = FollowerProcess(folder, 1)
    with caplog.at_level(logging.ERROR):
        follower.start()
        follower._thread.join(WAIT_S)
    assert follower.counts == {"snapshots": 0, "divergences": 1, "failures": 0}
    assert "THE JOURNAL DIVERGES: executed again, record 9" in caplog.text
    assert list_snapshots(folder) == [8]
    follower.stop()


@pytest.mark.parametrize("damage", ["file", "record"])
def test_a_damaged_journal_is_told(traded, caplog, damage):
    folder, _last = traded
    path = folder / "journal" / f"{1:020d}.journal"
    data = bytearray(path.read_bytes())
    data[1000] ^= 1
    path.write_bytes(data if damage == "record" else b"another file altogether")
    follower = FollowerProcess(folder, 1)
    follower.start()
    follower._thread.join(WAIT_S)
    assert follower.counts["failures"] == 1
    assert ("is damaged" if damage == "record" else "no journal") in caplog.text
    follower.stop()


def test_one_that_is_killed_is_started_again(traded, caplog):
    folder, last = traded
    follower = FollowerProcess(folder, 10**6)
    follower.start()
    until(lambda: follower.number == last)
    first = follower._process
    first.kill()
    until(lambda: follower._process is not first)
    assert follower.counts["failures"] == 1
    follower.stop()


def test_it_ends_with_a_venue_that_is_killed(traded):
    folder, last = traded
    command = [sys.executable, "-m", "ledgerx.exchange.follower", str(folder), "10"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    told = [json.loads(process.stdout.readline()) for _ in range(4)]
    assert {"at": last} in told
    process.stdin.close()  # what the end of the venue's process does
    assert process.wait(WAIT_S) == 0
    process.stdout.close()


def test_it_stands_in_the_metrics_and_the_next_start_uses_its_snapshot(tmp_path):
    with Exchange(tmp_path, snapshot_every=3) as exchange:
        for name in ("alice", "bob", "carol"):
            exchange.add_account(name, KeyPair.generate().public)
        until(lambda: list_snapshots(tmp_path))
        url = f"http://127.0.0.1:{exchange.http_port}/metrics"

        def metrics():
            with urllib.request.urlopen(url, timeout=WAIT_S) as answer:
                lines = answer.read().decode().splitlines()
            return {name: float(value) for name, value in (li.split() for li in lines if li[0] != "#")}

        until(lambda: metrics()["ledgerx_follower_snapshots_total"] >= 1)
        numbers = metrics()
        assert numbers["ledgerx_follower_divergences_total"] == 0
        assert numbers["ledgerx_snapshot_record"] > 0
        until(lambda: metrics()["ledgerx_follower_record"] == metrics()["ledgerx_journal_records"])
    venue = Venue.open(tmp_path)
    assert venue.recovered_from == list_snapshots(tmp_path)[-1]
    venue.close()
