"""`--sync power`: what is on the disk before anything of it leaves, told by the one function that says so."""

import os
from collections import Counter
from pathlib import Path

import pytest
from venue_harness import Floor

from ledgerx.errors import JournalWriteFailed
from ledgerx.exchange.follower import Follower
from ledgerx.exchange.snapshot_files import list_snapshots


class Disk:
    """Counts fsyncs by the file's name, and keeps each file's length at its last; may refuse one."""

    def __init__(self):
        self.calls = []
        self.lengths = {}
        self.refuses = ""

    def fsync(self, fd):
        path = Path(f"/proc/self/fd/{fd}").readlink()
        if self.refuses and path.match(self.refuses):
            raise OSError(5, "Input/output error")
        os.fsync(fd)
        self.calls.append(path)
        self.lengths[path] = path.stat().st_size

    def counts(self, folder):
        """How often each file was synced since this was last asked."""
        calls, self.calls = self.calls, []
        return Counter(str(path.relative_to(folder)) for path in calls)


SEGMENT = "journal/00000000000000000001.journal"


def test_each_group_is_on_the_disk_before_it_is_handed_out(tmp_path):
    disk = Disk()
    with Floor(tmp_path, "alice", sync="power", fsync=disk.fsync) as floor:
        path = tmp_path / SEGMENT
        for _ in range(3):
            disk.counts(tmp_path)
            turn = floor.turn(("alice", floor.order()), ("alice", floor.order()))
            assert turn.cids
            assert disk.counts(tmp_path) == {SEGMENT: 1}
            assert disk.lengths[path] == path.stat().st_size
        floor.venue.commit()  # a turn that wrote nothing
        assert disk.counts(tmp_path) == {}


def test_without_it_a_group_costs_no_fsync(tmp_path):
    disk = Disk()
    with Floor(tmp_path, "alice", fsync=disk.fsync) as floor:
        disk.counts(tmp_path)
        floor.turn(("alice", floor.order()))
        assert disk.counts(tmp_path) == {}


@pytest.mark.parametrize("sync", ["process", "power"])
def test_the_open_the_close_and_the_marker_are_durable_either_way(tmp_path, sync):
    disk = Disk()
    floor = Floor(tmp_path, "alice", sync=sync, fsync=disk.fsync, run=False)
    opened = disk.counts(tmp_path)
    assert opened["journal/released"] == 1
    assert (opened["."], opened["journal"]) == (1, 1)  # the folders: the files' names
    assert opened[SEGMENT] >= 1
    floor.turn(("alice", b""))
    disk.counts(tmp_path)
    floor.close()
    assert disk.counts(tmp_path) == {SEGMENT: 1, "journal/released": 1}


@pytest.mark.parametrize("sync", ["process", "power"])
def test_a_segment_is_on_the_disk_before_the_next_one_has_a_record(tmp_path, sync):
    disk = Disk()
    with Floor(tmp_path, "alice", sync=sync, fsync=disk.fsync, segment_bytes_max=900) as floor:
        first = floor.venue.journal.path
        while floor.venue.journal.path == first:
            disk.counts(tmp_path)
            floor.turn(("alice", floor.order()))
        counts = disk.counts(tmp_path)
        assert disk.lengths[first] == first.stat().st_size
        assert counts[str(floor.venue.journal.path.relative_to(tmp_path))] == 1
        assert counts["journal"] == 1


def test_a_snapshot_and_its_records_are_on_the_disk_before_it_has_its_name(tmp_path):
    disk = Disk()
    with Floor(tmp_path, "alice") as floor:
        floor.turn(("alice", floor.order()))
        follower = Follower(tmp_path, snapshot_records=1, fsync=disk.fsync)
        follower.step(1)
        follower.close()
        names = [str(path.relative_to(tmp_path)) for path in disk.calls]
        assert names[0] == SEGMENT
        assert names[1].startswith(f"snapshots/{1:020d}.snapshot.")
        assert names[2:] == ["snapshots", "."]
        assert list_snapshots(tmp_path) == [1]


def test_deleted_segments_are_gone_from_the_disk_too(tmp_path):
    disk = Disk()
    with Floor(tmp_path, "alice", fsync=disk.fsync, segment_bytes_max=900) as floor:
        for _ in range(20):
            floor.turn(("alice", floor.order()))
        disk.counts(tmp_path)
        count = floor.venue.journal.prune(floor.venue.journal.segments[2].first)
        assert count == 2
        assert disk.counts(tmp_path) == {"journal": 2}


def test_a_group_whose_fsync_fails_is_not_handed_out_and_nothing_is_written_after_it(tmp_path):
    disk = Disk()
    with Floor(tmp_path, "alice", sync="power", fsync=disk.fsync) as floor:
        disk.refuses = "*.journal"
        with pytest.raises(JournalWriteFailed, match="Input/output error"):
            floor.turn(("alice", floor.order()))
        disk.refuses = ""
        with pytest.raises(JournalWriteFailed):
            floor.turn(("alice", floor.order()))


def test_a_snapshot_that_cannot_be_synced_is_none(tmp_path):
    disk = Disk()
    with Floor(tmp_path, "alice") as floor:
        floor.turn(("alice", floor.order()))
    disk.refuses = "*.new"
    follower = Follower(tmp_path, snapshot_records=1, fsync=disk.fsync)
    with pytest.raises(OSError, match="Input/output"):
        follower.step()
    follower.close()
    assert list_snapshots(tmp_path) == []
    Follower(tmp_path).close()
    assert list((tmp_path / "snapshots").iterdir()) == []
