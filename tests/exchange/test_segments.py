"""A journal of several files: turned, indexed, opened, read across, pruned, and damaged."""

import logging
from itertools import pairwise

import pytest
from venue_harness import Floor

from ledgerx.api.client import v0_0_1 as api
from ledgerx.errors import JournalCorrupt
from ledgerx.exchange.follower import Follower
from ledgerx.exchange.journal import Journal
from ledgerx.exchange.journal_tail import JournalTail
from ledgerx.exchange.retention import Retention
from ledgerx.exchange.segment_index import SegmentIndex
from ledgerx.exchange.segments import index_path, list_segments, segment_path
from ledgerx.exchange.snapshot_files import list_snapshots
from ledgerx.exchange.venue import Venue
from ledgerx.protocol.wire import decode_message

Status = api.MessageStatus
SEGMENT = 3000


def trade(floor, turns=5):
    for _ in range(turns):
        floor.turn(("alice", floor.order(price=100, size=3)), ("bob", floor.order(price=101, is_ask=True)))
        floor.turn(("bob", floor.order(price=100, size=2, is_ask=True)))


def lines(floor):
    return {name: floor.line(name) for name in floor.cids}


@pytest.fixture
def folder(tmp_path):
    """A venue of many segments, stopped, with a third account that is quiet after its first order."""
    with Floor(tmp_path / "D", "alice", "bob", "carol", segment_bytes_max=SEGMENT) as floor:
        floor.turn(("carol", floor.order(price=50)))
        trade(floor, 20)
        floor.turn(("carol", floor.order(price=50)))
    return floor.folder


class TestTurning:
    def test_segments_are_named_after_their_first_records_and_follow_one_another(self, folder):
        journal = Journal.open(folder / "journal")
        segments = journal.segments
        assert len(segments) > 5
        assert segments[0].first == 1
        for one, following in pairwise(segments):
            assert one.last + 1 == following.first
            assert SEGMENT <= one.end == segment_path(folder / "journal", one.first).stat().st_size
            assert one.first_time <= one.last_time <= following.first_time or not following.records
        assert [facts.first for facts in segments] == list_segments(folder / "journal")
        assert journal.end == sum(facts.end for facts in segments)
        assert [record.number for record in journal.records()] == list(range(1, journal.committed + 1))
        assert [record.number for record in journal.records(7)][:2] == [7, 8]
        journal.close()

    def test_a_line_reads_the_same_across_segments_before_and_after_a_restart(self, tmp_path):
        with Floor(tmp_path / "one", "alice", "bob") as one:
            trade(one, 20)
            wanted = lines(one)
        with Floor(tmp_path / "D", "alice", "bob", segment_bytes_max=SEGMENT) as floor:
            trade(floor, 20)
            before = lines(floor)
        assert before.keys() == wanted.keys()
        with Floor(tmp_path / "D", clock=floor.clock, run=False) as again:
            again.venue.lines._recent_order.clear()
            for line in again.venue.lines._lines.values():
                line.recent.clear()
            assert lines(again) == before
            for sequence in (1, 57, 20, 3):
                (message,) = again.venue.lines.read(1, sequence, count_max=1, bytes_max=10**6)
                assert decode_message(message) == before["alice"][sequence - 1]

    @pytest.mark.parametrize("damage", ["missing", "flipped", "empty", "stale"])
    def test_an_index_is_made_again_from_its_segment(self, folder, damage, caplog):
        places = list_segments(folder / "journal")[:-1]
        files = {first: index_path(folder / "journal", first).read_bytes() for first in places}
        for first, data in files.items():
            path = index_path(folder / "journal", first)
            if damage == "missing":
                path.unlink()
            elif damage == "empty":
                path.write_bytes(b"")
            elif damage == "stale":
                path.write_bytes(files[1])
            else:
                path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        with Floor(folder, run=False) as floor:
            assert len(floor.line("carol")) == floor.venue.engine.head(floor.cids["carol"])
            floor.venue.lines._lines.clear()
            assert [m.account_sequence for m in floor.line("alice")] == list(
                range(1, floor.venue.engine.head(1) + 1)
            )
        assert {first: index_path(folder / "journal", first).read_bytes() for first in places} == files

    def test_an_index_is_the_same_after_its_file(self, folder):
        data = index_path(folder / "journal", 1).read_bytes()
        index = SegmentIndex.unpack(data)
        assert index.pack() == data
        assert SegmentIndex.unpack(data[:-1]) is None
        assert SegmentIndex.unpack(b"ledgerxJ" + data[8:]) is None

    def test_memory_holds_the_indexes_of_a_few_segments(self, folder):
        journal = Journal.open(folder / "journal")
        for sequence in range(1, journal.head(1) + 1):
            number = journal.record_of(1, sequence)
            assert any(o.cid == 1 and o.sequence == sequence for o in journal.read(number).outputs)
        assert len(journal._open._open) <= 8
        assert journal.record_of(1, journal.head(1) + 1) is None
        journal.close()


class TestOpening:
    def test_a_segment_that_is_missing_is_named(self, folder):
        second = list_segments(folder / "journal")[1]
        segment_path(folder / "journal", second).unlink()
        with pytest.raises(
            JournalCorrupt, match=f"next file begins with {list_segments(folder / 'journal')[1]}"
        ):
            Venue.open(folder)

    def test_a_torn_end_of_a_complete_segment_is_damage(self, folder):
        path = segment_path(folder / "journal", 1)
        path.write_bytes(path.read_bytes()[:-3])
        with pytest.raises(JournalCorrupt, match="this is no torn tail"):
            Venue.open(folder)

    def test_damage_behind_a_snapshot_does_not_hinder_a_start_and_is_never_served(self, folder):
        follower = Follower(folder)
        while follower.step():
            pass
        follower.take_snapshot()
        follower.close()
        path = segment_path(folder / "journal", 1)
        data = path.read_bytes()
        path.write_bytes(data[:-3] + b"???")
        with Floor(folder, run=False) as floor:
            with pytest.raises(JournalCorrupt, match="changed on the disk"):
                floor.venue.journal.read(floor.venue.journal.segments[0].last)
            assert floor.venue.journal.read(2).number == 2

    @pytest.mark.parametrize("left", [b"", b"ledge", bytes(12)])
    def test_a_turn_that_a_crash_interrupted_goes_on(self, folder, left):
        last = list_segments(folder / "journal")[-1]
        journal = Journal.open(folder / "journal")
        following = journal.committed + 1
        journal.close()
        segment_path(folder / "journal", following).write_bytes(left)
        with Floor(folder, run=False) as floor:
            assert floor.venue.journal.segments[-1][:2] == (following, 0)
            assert not floor.venue.journal.renewal_due
        assert index_path(folder / "journal", last).exists()

    def test_a_file_with_another_name_is_refused(self, folder):
        (folder / "journal" / "copy.journal").write_bytes(b"")
        with pytest.raises(JournalCorrupt, match="not named after a record"):
            Venue.open(folder)

    def test_a_lost_segment_at_the_end_renews_the_venue_id(self, folder):
        with Floor(folder, run=False) as floor:
            floor.venue.journal.abandon()
        segment_path(folder / "journal", list_segments(folder / "journal")[-1]).unlink()
        with Floor(folder, run=False) as floor:
            assert floor.venue.journal.renewal_due


class TestTail:
    def test_it_reads_across_segments(self, folder):
        tail = JournalTail(folder / "journal")
        numbers = [tailed.record.number for tailed in tail.read(10**6)]
        journal = Journal.open(folder / "journal")
        assert numbers == list(range(1, journal.committed + 1))
        assert tail.remainder().size == 0
        assert tail.remainder().damage == ""
        tail.close()
        journal.close()

    def test_damage_at_the_end_of_a_segment_is_told_from_a_write_under_way(self, folder):
        first, second, *_ = list_segments(folder / "journal")
        path = segment_path(folder / "journal", first)
        path.write_bytes(path.read_bytes()[:-3])
        tail = JournalTail(folder / "journal")
        numbers = [tailed.record.number for tailed in tail.read(10**6)]
        assert numbers[-1] == second - 2
        assert "another segment follows" in tail.remainder().damage
        tail.close()


def followed(floor, **options):
    follower = Follower(floor.folder, **options)
    while follower.step():
        pass
    follower.close()


class TestRetention:
    @pytest.mark.parametrize(
        ("text", "wanted"),
        [
            ("forever", Retention()),
            ("1000000", Retention(records=1_000_000)),
            ("30d", Retention(age_ns=30 * 86_400 * 10**9)),
            ("12h", Retention(age_ns=12 * 3600 * 10**9)),
        ],
    )
    def test_it_is_said_in_words(self, text, wanted):
        assert Retention.parse(text) == wanted

    @pytest.mark.parametrize("text", ["", "0", "-1", "30 d", "1w", "d", "1.5d"])
    def test_what_is_none_is_refused(self, text):
        with pytest.raises(ValueError, match="no retention"):
            Retention.parse(text)

    def run(self, tmp_path, retain):
        """A venue whose follower keeps up; an hour passes every 20 turns."""
        floor = Floor(
            tmp_path, "alice", "bob", "carol", segment_bytes_max=SEGMENT, retain=Retention.parse(retain)
        )
        floor.turn(("carol", floor.order(price=50)))
        for _ in range(4):
            trade(floor, 10)
            followed(floor, snapshot_records=7)
            floor.clock.advance(3600)
            floor.turn(("bob", floor.order(price=99)))
            floor.turn(("bob", floor.order(price=99)))
        trade(floor, 5)
        return floor

    def test_for_ever_is_the_default(self, tmp_path):
        with self.run(tmp_path, "forever") as floor:
            assert floor.venue.journal.first_number == 1

    def test_records_are_kept_by_number(self, tmp_path):
        with self.run(tmp_path, "10") as floor:
            first, last = floor.venue.journal.first_number, floor.venue.journal.committed
            assert 1 < first <= last - 10
            assert list_segments(tmp_path / "journal")[0] == first
            assert not index_path(tmp_path / "journal", 1).exists()

    def test_nothing_goes_that_the_older_snapshot_needs(self, tmp_path):
        with self.run(tmp_path, "1") as floor:
            older = list_snapshots(tmp_path)[0]
            assert floor.venue.journal.first_number <= older

    def test_records_are_kept_by_age(self, tmp_path):
        with self.run(tmp_path, "2h") as floor:
            segments = floor.venue.journal.segments
            assert segments[0].first > 1
            assert segments[0].last_time > floor.venue.engine.time - 2 * 3600 * 10**9

    def test_without_two_snapshots_nothing_goes(self, tmp_path):
        options = {"segment_bytes_max": SEGMENT, "retain": Retention(records=1)}
        with Floor(tmp_path, "alice", "bob", **options) as floor:
            trade(floor, 20)
            assert floor.venue.journal.first_number == 1

    @pytest.mark.parametrize("restart", [False, True])
    def test_a_replay_below_what_is_kept_is_told_what_is(self, tmp_path, restart):
        floor = self.run(tmp_path, "10")
        if restart:
            floor.close()
            floor = Floor(tmp_path, clock=floor.clock, segment_bytes_max=SEGMENT)
        with floor:
            head = floor.venue.engine.head(1)
            _ack, page, end = floor.replay("alice", from_sequence=1)
            assert page == []
            assert end.status == Status.STATUS_REPLAY_RANGE
            available = end.first_available
            assert 1 < available <= head
            _ack, page, end = floor.replay("alice", from_sequence=available)
            assert len(page) == head - available + 1
            assert end.status == Status.STATUS_COMPLETE
            # an account of which nothing is kept
            carol = floor.venue.engine.head(floor.cids["carol"])
            _ack, page, end = floor.replay("carol", from_sequence=1)
            assert end.first_available == carol + 1 - 2 * restart  # its order's cancel and the run change

    def test_a_mid_whose_record_is_gone_is_not_executed_again(self, tmp_path):
        with Floor(tmp_path, "alice", "bob", segment_bytes_max=SEGMENT, retain=Retention(records=5)) as floor:
            order = floor.order(price=100)
            floor.turn(("alice", order))
            trade(floor, 10)
            followed(floor, snapshot_records=7)
            trade(floor, 10)
            assert floor.venue.journal.first_number > 10
            before = floor.venue.journal.committed
            (status,) = floor.ask("alice", order)
            assert status.status == Status.STATUS_MID_REUSED
            assert "no longer kept" in status.message
            assert floor.venue.journal.committed == before

    def test_an_index_of_the_oldest_segment_is_made_again_without_its_past(self, tmp_path, caplog):
        with self.run(tmp_path, "10") as floor:
            wanted = floor.venue.lines.first_available(1)
            first = floor.venue.journal.first_number
            carol = floor.cids["carol"]
            kept = floor.venue.lines.first_available(carol)
        index_path(tmp_path / "journal", first).unlink()
        with caplog.at_level(logging.WARNING), Floor(tmp_path, clock=floor.clock, run=False) as again:
            assert again.venue.lines.first_available(1) == wanted
            assert again.venue.lines.first_available(carol) == kept
            assert again.venue.lines.head(carol) == again.venue.engine.head(carol)
