"""`pyledgerx journal` on folders that are sound, running, copied, pruned, torn and damaged."""

import json
import shutil
import threading

import pytest
from click.testing import CliRunner
from venue_harness import Floor

from ledgerx.api.client import v0_0_1 as api
from ledgerx.cli.main import main
from ledgerx.exchange import Exchange
from ledgerx.exchange.follower import Follower
from ledgerx.exchange.journal import Journal
from ledgerx.exchange.journal_report import _message_values, verify
from ledgerx.exchange.journal_scan import pack_record
from ledgerx.exchange.retention import Retention
from ledgerx.exchange.segments import list_segments, segment_path
from ledgerx.exchange.snapshot_files import list_snapshots, load_snapshot, snapshot_path, store_snapshot
from ledgerx.protocol.crypto import KeyPair


def run(*arguments):
    return CliRunner().invoke(main, ["journal", *map(str, arguments)])


def verified(folder, *options, code=0):
    done = run("verify", folder, "--json", *options)
    assert (done.exit_code, done.stderr) == (code, "")
    return json.loads(done.stdout)


def dumped(folder, *options):
    done = run("dump", folder, *options)
    assert done.exit_code == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def trade(floor, turns=10):
    for _ in range(turns):
        floor.turn(("alice", floor.order(price=100, size=3)), ("bob", floor.order(price=101, is_ask=True)))
        floor.turn(("bob", floor.order(price=100, size=2, is_ask=True)))


def follow(folder, **options):
    follower = Follower(folder, **options)
    while follower.step():
        pass
    follower.close()


@pytest.fixture
def folder(tmp_path):
    """A stopped venue's folder: several segments, two snapshots."""
    with Floor(tmp_path / "D", "alice", "bob", segment_bytes_max=3000) as floor:
        trade(floor)
        follow(floor.folder, snapshot_records=10)
        members = [api.Message(limit_order=floor.order()), api.Message(limit_order=floor.order(size=0))]
        floor.turn(("alice", api.MessageBatch(mid=floor.mid(), timestamp=floor.clock.wall, requests=members)))
        floor.turn(("alice", api.MessageCancelAll(mid=floor.mid(), timestamp=floor.clock.wall)))
    return floor.folder


def last_segment(folder):
    return segment_path(folder / "journal", list_segments(folder / "journal")[-1])


class TestVerify:
    def test_a_sound_one(self, folder):
        found = verified(folder)
        assert found["ok"]
        assert found["records"] == found["executed"] > 30
        assert found["segments"] == len(list_segments(folder / "journal")) > 3
        assert found["snapshots"] == 2
        assert verified(folder, "--no-execute")["executed"] == 0
        text = run("verify", folder).stdout
        assert text.endswith("sound\n")

    def test_a_running_venue_is_not_disturbed(self, tmp_path):
        with Exchange(tmp_path) as exchange:
            exchange.add_account("alice", KeyPair.generate().public)
            before = verified(tmp_path)
            assert before["ok"]
            exchange.add_account("bob", KeyPair.generate().public)
            assert verified(tmp_path)["records"] == before["records"] + 1
            copy = tmp_path.with_name("copy")
            shutil.copytree(tmp_path, copy)
        assert verified(copy)["ok"]

    def test_a_venue_that_writes_all_the_while_is_never_called_damaged(self, tmp_path):
        with Floor(tmp_path, "alice", "bob", segment_bytes_max=2000) as floor:
            done = threading.Event()

            def write():
                while not done.is_set():
                    trade(floor, 1)

            writer = threading.Thread(target=write)
            writer.start()
            try:
                for _ in range(30):
                    found = verify(tmp_path, execute=False)
                    assert found.ok, found.damage
            finally:
                done.set()
                writer.join()
        assert verify(tmp_path).ok

    def test_a_torn_tail_is_told_and_is_no_damage(self, folder):
        path = last_segment(folder)
        path.write_bytes(path.read_bytes()[:-5])
        found = verified(folder)
        assert found["trailing_bytes"] > 0
        done = run("verify", folder)
        assert done.exit_code == 0
        assert "torn tail" in done.stdout

    @pytest.mark.parametrize("options", [(), ("--no-execute",)])
    @pytest.mark.parametrize("place", ["first", "last"])
    def test_the_first_damage_is_named_with_its_place(self, folder, place, options):
        path = segment_path(folder / "journal", 1) if place == "first" else last_segment(folder)
        data = bytearray(path.read_bytes())
        data[40] ^= 1
        path.write_bytes(data)
        found = verified(folder, *options, code=1)
        assert (found["path"], found["position"]) == (str(path), 12)
        assert "is damaged" in found["damage"]
        done = run("verify", folder, *options)
        assert done.exit_code == 1
        assert f"DAMAGED: {path}, byte 12" in done.stdout

    def test_a_missing_segment_is_named(self, folder):
        second = list_segments(folder / "journal")[1]
        segment_path(folder / "journal", second).unlink()
        found = verified(folder, code=1)
        assert f"record {second} is damaged: record {second} is missing" in found["damage"]

    def test_another_outcome_is_named(self, folder):
        copy = folder.with_name("other")
        with Floor(copy, "alice") as floor:
            floor.turn(("alice", floor.order()))
        path = last_segment(copy)
        data = path.read_bytes()
        journal = Journal.open(copy / "journal")
        record = journal.read(4)
        start = len(data) - 8 - record.ByteSize()
        journal.close()
        record.outputs[0].message = record.outputs[0].message[:-1] + b"?"
        path.write_bytes(data[:start] + pack_record(record.SerializeToString()))
        assert verified(copy, "--no-execute")["ok"]
        found = verified(copy, code=1)
        assert found["position"] == start
        assert "record 4 was executed again" in found["damage"]

    def test_a_file_of_another_kind_is_named(self, folder):
        path = segment_path(folder / "journal", 1)
        path.write_bytes(b"SQLite format 3\0" * 10)
        found = verified(folder, code=1)
        assert "no journal" in found["damage"]
        assert found["path"] == str(path)

    def test_a_snapshot_that_is_damaged_or_wrong_is_named(self, folder):
        number = list_snapshots(folder)[-1]
        path = snapshot_path(folder, number)
        good = path.read_bytes()
        path.write_bytes(good[:-1] + b"?")
        assert str(path) in verified(folder, code=1)["damage"]
        path.write_bytes(good)
        snapshot = load_snapshot(path)
        snapshot.trade_id += 1
        store_snapshot(folder, snapshot)
        assert "another state" in verified(folder, code=1)["damage"]
        assert verified(folder, "--no-execute")["snapshots"] == 2

    def test_a_pruned_one_is_executed_from_its_oldest_snapshot(self, tmp_path):
        options = {"segment_bytes_max": 3000, "retain": Retention(records=5)}
        with Floor(tmp_path, "alice", "bob", **options) as floor:
            trade(floor)
            follow(tmp_path, snapshot_records=7)
            trade(floor)
            first = floor.venue.journal.first_number
            last = floor.venue.journal.committed
        found = verify(tmp_path)
        assert found.ok
        assert found.records == last - first + 1 > found.executed == last - list_snapshots(tmp_path)[0]
        assert dumped(tmp_path)[0]["number"] == first

    def test_a_folder_without_a_journal_is_an_error(self, tmp_path):
        for command in ("verify", "dump", "stats"):
            done = run(command, tmp_path / "nothing")
            assert done.exit_code == 1
            assert "there is no journal in" in done.stderr


class TestDump:
    def test_each_record_is_a_line(self, folder):
        lines = dumped(folder)
        assert [line["number"] for line in lines] == list(range(1, len(lines) + 1))
        added = lines[0]["input"]["account_add"]
        assert (added["cid"], added["name"]) == (1, "alice")
        assert lines[2]["input"]["contract_add"]["detail"]["label"] == "BTC Future 7"
        assert lines[3]["input"]["run_start"]["limits"]["mids_max"] == 1_000_000
        order = lines[4]
        assert order["input"]["request"]["message"]["limit_order"]["price_in_cents"] == 100
        assert order["outputs"][0]["message"]["status"]["status"] == "STATUS_ACKNOWLEDGED"
        assert order["outputs"][-1]["topic"] == "book_top.7"

    def test_a_range_and_an_account(self, folder):
        assert [line["number"] for line in dumped(folder, "--from", 20, "--to", 23)] == [20, 21, 22, 23]
        assert dumped(folder, "--from", 10**6) == []
        of_bob = dumped(folder, "--account", "bob")
        assert of_bob == dumped(folder, "--account", 2)
        assert {output["cid"] for line in of_bob for output in line["outputs"]} == {2}
        assert of_bob[0]["input"]["account_add"]["name"] == "bob"
        done = run("dump", folder, "--account", "nobody")
        assert done.exit_code == 1
        assert "no account is named 'nobody'" in done.stderr

    def test_it_ends_at_damage_with_an_error(self, folder):
        path = segment_path(folder / "journal", list_segments(folder / "journal")[1])
        data = bytearray(path.read_bytes())
        data[40] ^= 1
        path.write_bytes(data)
        done = run("dump", folder)
        assert done.exit_code == 1
        assert len(done.stdout.splitlines()) == list_segments(folder / "journal")[1] - 1
        assert "byte 12, is damaged" in done.stderr

    def test_a_request_that_is_no_message_is_shown_as_it_is(self, tmp_path):
        assert _message_values(b"\xff\xff") == {"undecodable": "ffff"}


class TestStats:
    def test_what_there_is_is_counted(self, folder):
        done = run("stats", folder, "--json")
        found = json.loads(done.stdout)
        assert found["records"] == found["last_record"] == sum(found["inputs"].values())
        assert (found["runs"], found["accounts"], found["contracts"]) == ([1], 2, 1)
        assert found["requests"] == {"limit_order": 30, "batch": 1, "batch.limit_order": 2, "cancel_all": 1}
        assert found["outputs"]["trade"] >= 10
        assert [s["record"] for s in found["snapshots"]] == list_snapshots(folder)
        assert all(s["usable"] for s in found["snapshots"])
        text = run("stats", folder).stdout
        assert "request limit_order" in text
        assert "2027-01-15T08:00:00+00:00" in text
