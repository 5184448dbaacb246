"""Starts from snapshots: what is used, what is passed over, and that the venue is the same either way."""

import logging
import shutil
from itertools import pairwise

import pytest
from venue_harness import Floor

from ledgerx.errors import JournalCorrupt, JournalDiverged, SnapshotUnusable
from ledgerx.exchange.follower import Follower
from ledgerx.exchange.snapshot_files import list_snapshots, load_snapshot, snapshot_path, store_snapshot
from ledgerx.exchange.venue import Venue


def trade(floor, turns=5):
    for _ in range(turns):
        floor.turn(("alice", floor.order(price=100, size=3)), ("bob", floor.order(price=101, is_ask=True)))
        floor.turn(("bob", floor.order(price=100, size=2, is_ask=True)))


def follow(folder, **options):
    """What a follower does until nothing is left; its snapshots."""
    follower = Follower(folder, **options)
    while follower.step():
        pass
    follower.close()
    return list_snapshots(folder)


def state(venue):
    return venue.engine.snapshot().SerializeToString(deterministic=True)


@pytest.fixture
def traded(tmp_path):
    """A folder whose venue stopped after trades, with two snapshots, and the venue's state."""
    with Floor(tmp_path / "D", "alice", "bob") as floor:
        trade(floor)
        follow(floor.folder, snapshot_records=5)
        trade(floor, 1)
        wanted = state(floor.venue), floor.line("alice"), floor.venue.journal.committed
    return floor.folder, wanted


def found(folder):
    venue = Venue.open(folder)
    alice = venue.engine.account_named("alice").cid
    assert alice == 1
    try:
        floor = Floor.__new__(Floor)
        floor.venue, floor.cids = venue, {"alice": alice}
        return (state(venue), floor.line("alice"), venue.journal.committed), venue.recovered_from
    finally:
        venue.close()


class TestStart:
    def test_the_newest_two_are_kept_and_the_newest_is_used(self, traded):
        folder, wanted = traded
        numbers = list_snapshots(folder)
        assert len(numbers) == 2
        assert numbers[0] + 5 == numbers[1] < wanted[2]
        assert found(folder) == (wanted, numbers[1])
        assert snapshot_path(folder, numbers[0]).stat().st_mode & 0o777 == 0o600

    def test_the_tail_after_it_is_executed_and_compared(self, traded):
        folder, wanted = traded
        newest = list_snapshots(folder)[-1]
        snapshot = load_snapshot(snapshot_path(folder, newest))
        snapshot.trade_id += 1  # a state that the journal's tail does not follow from
        store_snapshot(folder, snapshot)
        with pytest.raises(JournalDiverged) as caught:
            Venue.open(folder)
        assert newest < caught.value.number <= wanted[2]

    @pytest.mark.parametrize(
        "damage", ["short", "flipped", "empty", "another", "format", "payload", "folder"]
    )
    def test_one_that_is_damaged_is_passed_over_with_a_line_in_the_log(self, traded, damage, caplog):
        folder, wanted = traded
        older, newest = list_snapshots(folder)
        path = snapshot_path(folder, newest)
        data = path.read_bytes()
        changed = {
            "short": data[:-1],
            "flipped": data[:100] + bytes([data[100] ^ 1]) + data[101:],
            "empty": b"",
            "another": b"SQLite format 3\0" + data,
            "format": data[:8] + b"\x09\0\0\0" + data[12:],
            "payload": data + b"?",
        }
        path.unlink()
        if damage == "folder":
            path.mkdir()
        else:
            path.write_bytes(changed[damage])
        with pytest.raises(SnapshotUnusable, match="snapshot"):
            load_snapshot(path)
        with caplog.at_level(logging.WARNING):
            assert found(folder) == (wanted, older)
        assert f"passed over: {path}" in caplog.text
        shutil.rmtree(folder / "snapshots")
        assert found(folder) == (wanted, 0)

    def test_one_of_another_journal_is_passed_over(self, traded, tmp_path, caplog):
        folder, wanted = traded
        with Floor(tmp_path / "other", "alice") as floor:
            floor.turn(*[("alice", floor.order()) for _ in range(40)])
        shutil.copytree(folder / "snapshots", tmp_path / "other" / "snapshots")
        venue = Venue.open(tmp_path / "other")
        assert venue.recovered_from == 0
        venue.close()
        assert caplog.text.count("is of another journal") == 2
        assert found(folder)[0] == wanted

    def test_one_ahead_of_a_journal_that_lost_its_tail_is_passed_over(self, traded):
        folder, _wanted = traded
        older, newest = list_snapshots(folder)
        position = load_snapshot(snapshot_path(folder, newest)).position
        path = folder / "journal" / f"{1:020d}.journal"
        path.write_bytes(path.read_bytes()[: position.end - 1])
        venue = Venue.open(folder)
        assert (venue.recovered_from, venue.journal.committed) == (older, newest - 1)
        assert venue.journal.renewal_due
        venue.close()

    def test_a_run_goes_on_from_a_snapshot_as_from_the_whole_journal(self, traded, tmp_path):
        folder, _wanted = traded
        whole = tmp_path / "whole"
        shutil.copytree(folder, whole)
        shutil.rmtree(whole / "snapshots")
        with Floor(folder) as one, Floor(whole) as two:
            assert (one.venue.recovered_from > 0, two.venue.recovered_from) == (True, 0)
            trade(one)
            trade(two)
            assert state(one.venue) == state(two.venue)
            assert one.line("bob") == two.line("bob")
            assert one.replay("alice", from_sequence=1)[1] == two.replay("alice", from_sequence=1)[1]
        journals = [(path / "journal" / f"{1:020d}.journal").read_bytes() for path in (folder, whole)]
        assert journals[0] == journals[1]


class TestFollower:
    def test_it_tails_a_venue_that_writes(self, tmp_path):
        with Floor(tmp_path, "alice", "bob") as floor:
            follower = Follower(tmp_path, snapshot_records=10**6)
            for _ in range(5):
                trade(floor, 1)
                while follower.step(2):
                    pass
                assert follower.number == floor.venue.journal.committed
                assert follower.engine.topic_heads() == floor.venue.engine.topic_heads()
            assert list_snapshots(tmp_path) == []
            follower.take_snapshot()
            assert list_snapshots(tmp_path) == [follower.number]
            follower.close()

    def test_bytes_make_a_snapshot_due_too(self, tmp_path):
        with Floor(tmp_path, "alice", "bob") as floor:
            trade(floor)
        assert len(follow(tmp_path, snapshot_records=10**6, snapshot_bytes=2000)) == 2

    def test_one_that_is_far_behind_takes_every_eighth_only(self, tmp_path):
        with Floor(tmp_path, "alice", "bob", segment_bytes_max=4000) as floor:
            trade(floor, 40)
        size = sum(path.stat().st_size for path in (tmp_path / "journal").glob("*.journal"))
        follower, taken = Follower(tmp_path, snapshot_bytes=size // 40), []
        while follower.step():
            taken.append(follower.snapshot_number)
        follower.close()
        gaps = [b - a for a, b in pairwise(dict.fromkeys(taken))]
        assert gaps[0] > 4 * gaps[-1]  # and near the end each

    def test_it_goes_on_from_the_newest_snapshot(self, traded):
        folder, wanted = traded
        newest = list_snapshots(folder)[-1]
        follower = Follower(folder)
        assert follower.number == newest
        assert follower.step() == wanted[2] - newest
        follower.close()

    def test_half_a_record_is_waited_for(self, traded, tmp_path):
        folder, wanted = traded
        path = folder / "journal" / f"{1:020d}.journal"
        data = path.read_bytes()
        path.write_bytes(data[:-7])
        follower = Follower(folder)
        follower.step()
        assert follower.number == wanted[2] - 1
        assert follower.step() == 0
        follower.check_end()
        path.write_bytes(data)
        follower.check_end()  # written since it was looked for
        assert follower.step() == 1
        follower.check_end()
        path.write_bytes(data + b"half a record" + data[-100:])
        follower.check_end()  # what follows is no record of a later number
        follower.close()

    def test_a_divergence_makes_no_snapshot(self, traded):
        folder, _wanted = traded
        older, newest = list_snapshots(folder)
        snapshot = load_snapshot(snapshot_path(folder, newest))
        snapshot.order_id += 1
        store_snapshot(folder, snapshot)
        follower = Follower(folder, snapshot_records=1)
        with pytest.raises(JournalDiverged):
            follower.step()
        follower.close()
        assert list_snapshots(folder) == [older, newest]

    def test_a_scratch_file_that_a_crash_left_is_removed(self, traded):
        folder, _wanted = traded
        left = folder / "snapshots" / f"{99:020d}.snapshot.123.new"
        left.write_bytes(b"half")
        Follower(folder).close()
        assert not left.exists()

    def test_a_journal_without_its_beginning_needs_a_snapshot(self, tmp_path):
        with Floor(tmp_path, "alice", "bob", segment_bytes_max=1000) as floor:
            trade(floor)
        (tmp_path / "journal" / f"{1:020d}.journal").unlink()
        with pytest.raises(JournalCorrupt, match="no snapshot"):
            Venue.open(tmp_path)
        with pytest.raises(JournalCorrupt, match="no snapshot"):
            Follower(tmp_path).step()
