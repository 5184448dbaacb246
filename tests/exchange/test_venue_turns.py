"""The venue's turns: what is executed, what is only answered, and that nothing leaves before its record."""

import os

import pytest
from venue_harness import SECOND, START, Floor, HandClock, Status, detail

from ledgerx.api.client import v0_0_1 as api
from ledgerx.errors import JournalWriteFailed
from ledgerx.exchange.journal import Journal
from ledgerx.exchange.line_store import LineStore
from ledgerx.protocol.wire import decode_message, encode_message


@pytest.fixture
def floor(tmp_path):
    with Floor(tmp_path, "alice", "bob") as floor:
        yield floor


class TestTurns:
    def test_nothing_is_handed_out_before_the_record_is_in_the_file(self, floor):
        journal = floor.venue.journal
        size = journal.path.stat().st_size
        order = floor.order()
        floor.venue.request(floor.cids["alice"], encode_message(order), asker=b"a")
        floor.venue.request(
            floor.cids["alice"], encode_message(api.MessageGetOpenOrders(mid=floor.mid())), asker=b"a"
        )
        assert journal.path.stat().st_size == size
        turn = floor.venue.commit()
        assert journal.path.stat().st_size > size
        assert turn.cids == [floor.cids["alice"]]
        assert [output.topic for output in turn.feed] == ["book_update.7", "book_top.7"]
        report = decode_message(turn.answers[0].messages[1])
        assert report.request_mid == order.mid  # the read saw the order, and waited for its record

    def test_a_turn_is_one_write_and_the_next_turn_starts_empty(self, floor):
        before = floor.venue.journal.committed
        turn = floor.turn(("alice", floor.order()), ("bob", floor.order()), ("alice", floor.order()))
        assert floor.venue.journal.committed == before + 3
        assert sorted(turn.cids) == sorted(floor.cids.values())
        empty = floor.venue.commit()
        assert empty == ([], [], [], [], False)

    def test_a_failed_write_hands_nothing_out(self, floor):
        floor.venue.request(floor.cids["alice"], encode_message(floor.order()))
        read_only = os.open(floor.venue.journal.path, os.O_RDONLY)
        os.dup2(read_only, floor.venue.journal._fd)
        os.close(read_only)
        with pytest.raises(JournalWriteFailed):
            floor.venue.commit()
        with pytest.raises(JournalWriteFailed):
            floor.venue.commit()

    def test_a_fill_reaches_both_lines(self, floor):
        floor.turn(("alice", floor.order(price=100, size=5)))
        turn = floor.turn(("bob", floor.order(price=100, size=2, is_ask=True)))
        assert sorted(turn.cids) == sorted(floor.cids.values())
        assert floor.line("alice")[-1].filled_size == floor.line("bob")[-1].filled_size == 2
        assert floor.venue.counts["trades"] == 1

    def test_the_turn_knows_how_much_it_gathered(self, floor):
        assert floor.venue.turn_bytes == 0
        floor.venue.request(floor.cids["alice"], encode_message(floor.order()))
        assert floor.venue.turn_bytes > 100
        floor.venue.commit()
        assert floor.venue.turn_bytes == 0


class TestRequests:
    @pytest.mark.parametrize(
        ("data", "field"),
        [
            (b"\xff\xff\xff", ""),
            (b"", "mid"),
            (encode_message(api.MessageLimitOrder(contract_id=7)), "mid"),
            (encode_message(api.MessageLimitOrder(mid="short")), "mid"),
            (encode_message(api.MessageGetContract(mid="z" * 32)), "mid"),
        ],
    )
    def test_without_a_readable_mid_there_is_one_400_and_no_record(self, floor, data, field):
        before = floor.venue.journal.committed
        assert not floor.venue.request(floor.cids["alice"], data, asker=b"a")
        turn = floor.venue.commit()
        assert [len(answer.messages) for answer in turn.answers] == [1]
        status = decode_message(turn.answers[0].messages[0])
        assert (status.status, status.field, status.mid) == (Status.STATUS_MALFORMED, field, "")
        assert status.account_sequence == 0
        assert floor.venue.journal.committed == before

    def test_reads_leave_no_record_and_say_what_they_are_true_at(self, floor):
        floor.turn(("alice", floor.order()))
        before = floor.venue.journal.committed
        ack, report, end = floor.ask("alice", api.MessageGetOpenOrders(mid=floor.mid()))
        assert (ack.status, end.status) == (Status.STATUS_ACKNOWLEDGED, Status.STATUS_COMPLETE)
        assert {message.as_of for message in (ack, report, end)} == {3}
        assert {message.account_sequence for message in (ack, report, end)} == {0}
        assert floor.venue.journal.committed == before

    def test_reads_inside_a_batch_go_to_the_asker_alone(self, floor):
        batch = api.MessageBatch(mid=floor.mid(), timestamp=START)
        batch.requests.add().get_positions.mid = floor.mid()
        answers = floor.ask("alice", batch)
        assert [message.status for message in answers] == [Status.STATUS_COMPLETE]
        assert [type(message).__name__ for message in floor.line("alice")] == [
            "MessageStatus",
            "MessageBatch",
        ]

    def test_a_repeat_gets_the_first_ack_byte_for_byte_and_executes_nothing(self, floor):
        order = floor.order()
        floor.turn(("alice", order))
        first = floor.venue.lines.read(floor.cids["alice"], 1, count_max=1, bytes_max=10**6)
        before = floor.venue.journal.committed
        floor.clock.advance(7)
        turn = floor.turn(("alice", order), ("alice", order))
        assert [answer.messages for answer in turn.answers] == [first, first]
        assert not turn.answers[0].replayed
        assert floor.venue.journal.committed == before

    def test_a_repeat_in_the_same_turn_is_answered_from_the_buffer(self, floor):
        order = floor.order()
        turn = floor.turn(("alice", order), ("alice", order))
        ack = decode_message(turn.answers[0].messages[0])
        assert (ack.status, ack.mid, ack.account_sequence) == (Status.STATUS_ACKNOWLEDGED, order.mid, 1)

    def test_another_body_under_a_used_mid_is_refused(self, floor):
        order = floor.order()
        floor.turn(("alice", order))
        order.size = 2
        before = floor.venue.journal.committed
        (status,) = floor.ask("alice", order)
        assert (status.status, status.field) == (Status.STATUS_MID_REUSED, "mid")
        assert (status.account_sequence, status.as_of) == (0, 3)
        assert floor.venue.journal.committed == before

    def test_a_member_of_a_batch_sent_alone_is_refused(self, floor):
        batch = api.MessageBatch(mid=floor.mid(), timestamp=START)
        order = floor.order()
        batch.requests.add().limit_order.CopyFrom(order)
        floor.turn(("alice", batch))
        (status,) = floor.ask("alice", order)
        assert status.status == Status.STATUS_MID_REUSED

    def test_a_mid_belongs_to_its_account(self, floor):
        order = floor.order()
        floor.turn(("alice", order))
        turn = floor.turn(("bob", order))
        assert turn.cids == [floor.cids["bob"]]

    def test_what_is_no_request_is_refused_and_uses_its_mid_up(self, floor):
        message = api.MessageHeartbeat(mid=floor.mid())
        floor.turn(("alice", message))
        assert [m.status for m in floor.line("alice")] == [
            Status.STATUS_ACKNOWLEDGED,
            Status.STATUS_MALFORMED,
        ]


class TestReplay:
    @pytest.fixture
    def floor(self, tmp_path):
        with Floor(tmp_path, "alice", "bob") as floor:
            for _ in range(4):
                floor.turn(("alice", floor.order()))
            yield floor

    def stored(self, floor):
        return floor.venue.lines.read(floor.cids["alice"], 1, count_max=10**6, bytes_max=10**9)

    def test_a_replay_brings_the_stored_bytes_between_an_ack_and_an_end(self, floor):
        ack, page, end = floor.replay("alice", from_sequence=3, to_sequence=8)
        assert page == self.stored(floor)[2:8]
        assert (ack.status, ack.account_sequence, ack.as_of) == (Status.STATUS_ACKNOWLEDGED, 0, 12)
        assert (end.status, end.next, end.remaining) == (Status.STATUS_COMPLETE, 0, 0)

    def test_without_an_end_it_goes_to_the_head(self, floor):
        for end_sequence in ({}, {"to_sequence": 10**12}):
            _ack, page, end = floor.replay("alice", from_sequence=1, **end_sequence)
            assert page == self.stored(floor)
            assert end.next == 0

    def test_what_this_turn_executed_is_replayed_too(self, floor):
        turn = floor.turn(
            ("alice", floor.order()), ("alice", api.MessageReplay(mid=floor.mid(), from_sequence=13))
        )
        assert [len(answer.messages) for answer in turn.answers] == [1, 3, 1]

    def test_at_the_head_there_is_nothing_to_bring(self, floor):
        _ack, page, end = floor.replay("alice", from_sequence=13)
        assert (page, end.status, end.next) == ([], Status.STATUS_COMPLETE, 0)
        assert end.first_available == 1

    def test_an_end_beyond_the_head_means_the_head_and_says_what_there_is(self, floor):
        _ack, page, end = floor.replay("alice", from_sequence=11, to_sequence=10**15)
        assert (len(page), end.status, end.next) == (2, Status.STATUS_COMPLETE, 0)
        assert end.first_available == 1

    @pytest.mark.parametrize("first", [0, 14, 10**15])
    def test_outside_the_line_it_says_what_there_is(self, floor, first):
        ack, page, end = floor.replay("alice", from_sequence=first)
        assert (ack.status, page) == (Status.STATUS_ACKNOWLEDGED, [])
        assert (end.status, end.first_available, end.field) == (
            Status.STATUS_REPLAY_RANGE,
            1,
            "from_sequence",
        )

    @pytest.mark.parametrize(
        ("fields", "at_fault"),
        [({}, "from_sequence"), ({"from_sequence": 5, "to_sequence": 4}, "to_sequence")],
    )
    def test_a_malformed_one_names_the_field(self, floor, fields, at_fault):
        _ack, _page, end = floor.replay("alice", **fields)
        assert (end.status, end.field) == (Status.STATUS_MALFORMED, at_fault)

    def test_a_version_that_is_not_spoken_is_refused(self, floor):
        _ack, _page, end = floor.replay("alice", from_sequence=1, mversion="9.9.9")
        assert end.status == Status.STATUS_UNSUPPORTED_VERSION

    def test_pages_follow_each_other_by_next(self, floor):
        batch = api.MessageBatch(mid=floor.mid(), timestamp=START)
        for _ in range(200):
            batch.requests.add().limit_order.CopyFrom(floor.order())
        for number in range(26):
            batch.mid = f"{number:032x}"
            for member in batch.requests:
                member.limit_order.mid = floor.mid()
            floor.turn(("bob", batch))
        head = floor.venue.engine.head(floor.cids["bob"])
        assert head > 10_000
        _ack, first, end = floor.replay("bob", from_sequence=1)
        assert (len(first), end.next) == (10_000, 10_001)
        _ack, second, end = floor.replay("bob", from_sequence=end.next)
        assert (len(first) + len(second), end.next) == (head, 0)

    def test_a_record_that_cannot_be_read_ends_the_replay_with_a_500(self, floor):
        lines = floor.venue.lines = LineStore(floor.venue.journal, recent_bytes_max=0)
        for record in floor.venue.journal.records():
            lines.add(record)
        floor.venue.journal._cache.clear()
        path = floor.venue.journal.path
        path.write_bytes(path.read_bytes()[:-1] + b"?")
        ack, page, end = floor.replay("alice", from_sequence=12)
        assert (ack.status, page) == (Status.STATUS_ACKNOWLEDGED, [])
        assert (end.status, end.account_sequence) == (Status.STATUS_VENUE_ERROR, 0)
        floor.turn(("alice", floor.order()))


class TestTime:
    def test_engine_time_follows_the_clock_and_never_runs_back(self, floor):
        floor.clock.advance(5)
        floor.turn(("alice", floor.order()))
        floor.clock.advance(-3)
        floor.turn(("alice", floor.order()))
        stamps = [message.timestamp for message in floor.line("alice")]
        assert stamps == [START + 5 * SECOND] * 6

    def test_one_wild_reading_does_not_move_it(self, floor):
        floor.clock.advance(10_000)
        floor.turn(("alice", floor.order(timestamp=START)))
        assert floor.line("alice")[0].timestamp == START
        floor.turn(("alice", floor.order(timestamp=START)))
        assert floor.line("alice")[-1].timestamp == START + 10_000 * SECOND

    def test_a_contract_that_is_due_expires_without_a_request(self, tmp_path):
        expiring = detail(expiry=START + 30 * SECOND)
        with Floor(tmp_path, "alice", contracts=[expiring]) as floor:
            floor.turn(("alice", floor.order()))
            floor.clock.advance(31)
            turn = floor.venue.commit()
            assert turn.cids == [floor.cids["alice"]]
            assert floor.line("alice")[-1].status_type == api.MessageActionReport.STATUS_CANCELED
            assert floor.venue.journal.read(floor.venue.journal.committed).input.HasField("tick")
            before = floor.venue.journal.committed
            floor.venue.commit()
            assert floor.venue.journal.committed == before

    def test_a_venue_that_stood_still_for_days_starts_at_the_present(self, tmp_path):
        clock = HandClock()
        Floor(tmp_path, "alice", clock=clock).close()
        clock.advance(9 * 86_400)
        with Floor(tmp_path, clock=clock) as floor:
            assert floor.venue.engine.time == clock.wall


def test_the_journal_can_be_read_by_itself(tmp_path):
    with Floor(tmp_path, "alice") as floor:
        order = floor.order()
        floor.turn(("alice", order))
    journal = Journal.open(tmp_path / "journal")
    kinds = [record.input.WhichOneof("kind") for record in journal.records()]
    assert kinds == ["account_add", "contract_add", "run_start", "request"]
    assert journal.read(4).input.request.message == encode_message(order)
    journal.close()
