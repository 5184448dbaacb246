"""Hello, cursors, windows and heartbeats on a request connection."""

import pytest
from raw_client import new_mid

from ledgerx.api.client import v0_0_1 as api
from ledgerx.protocol.wire import decode_message

Status = api.MessageStatus


def place(client, count=1):
    """Orders, and all three messages that each brings."""
    for _ in range(count):
        client.send(client.order())
    return [client.receive() for _ in range(3 * count)]


class TestHello:
    def test_it_is_answered_with_what_the_venue_is(self, hall):
        client = hall.client("alice")
        answer = client.hello(mid="ab" * 16, connection=7)
        assert answer.mid == "ab" * 16
        assert (answer.client_instance, answer.connection) == (client.instance, 7)
        assert len(answer.venue_id) == 32
        assert (answer.run_id, answer.head, answer.interval_ms) == (1, 0, 50)
        assert (answer.cid, answer.mpid, answer.account_sequence) == (1, 1, 0)
        assert answer.timestamp > 0

    def test_the_line_goes_on_where_the_client_says(self, hall):
        client = hall.client("alice")
        client.hello()
        place(client, 2)
        again = hall.client("alice")
        assert again.hello(next_sequence=5).head == 6
        assert [again.receive().account_sequence for _ in range(2)] == [5, 6]

    @pytest.mark.parametrize(
        ("next_sequence", "venue_id"), [(0, ""), (8, ""), (10**9, ""), (3, "0" * 32)], ids=str
    )
    def test_from_now_or_with_numbers_of_another_venue_it_begins_at_the_head(
        self, hall, next_sequence, venue_id
    ):
        client = hall.client("alice")
        client.hello()
        place(client, 2)
        again = hall.client("alice")
        assert again.hello(next_sequence=next_sequence, venue_id=venue_id).head == 6
        assert [message.account_sequence for message in place(again)] == [7, 8, 9]

    def test_with_the_right_venue_id_it_goes_on(self, hall):
        client = hall.client("alice")
        venue_id = client.hello().venue_id
        place(client)
        again = hall.client("alice")
        again.hello(next_sequence=2, venue_id=venue_id)
        assert again.receive().account_sequence == 2

    def test_its_answer_comes_before_any_line(self, hall):
        client = hall.client("alice")
        client.hello()
        place(client)
        again = hall.client("alice")
        again.send(
            api.MessageHello(mid=new_mid(), client_instance=again.instance, connection=1, next_sequence=1)
        )
        kinds = [type(again.receive()).__name__ for _ in range(4)]
        assert kinds == ["MessageHello", "MessageStatus", "MessageStatus", "MessageActionReport"]

    def test_a_request_before_it_is_refused_and_not_executed(self, hall):
        client = hall.client("alice")
        client.send(client.order())
        status = client.receive()
        assert (status.status, status.mid, status.account_sequence) == (Status.STATUS_MALFORMED, "", 0)
        assert "hello" in status.message
        assert client.hello().head == 0

    @pytest.mark.parametrize(
        ("fields", "at_fault"),
        [
            ({"mid": ""}, "mid"),
            ({"client_instance": "me"}, "client_instance"),
            ({"connection": 0}, "connection"),
            ({"mversion": "7.0.0"}, "mversion"),
        ],
    )
    def test_a_malformed_one_names_the_field(self, hall, fields, at_fault):
        client = hall.client("alice")
        given = {"mid": new_mid(), "client_instance": client.instance, "connection": 1} | fields
        client.send(api.MessageHello(**given))
        assert client.receive().field == at_fault
        client.hello()

    def test_it_may_be_followed_by_requests_in_one_frame(self, hall):
        client = hall.client("alice")
        order = client.order()
        hello = api.MessageHello(
            mid=new_mid(), client_instance=client.instance, connection=1, next_sequence=1
        )
        client.send(hello, order, api.MessageGetPositions(mid=new_mid()))
        kinds = [type(client.receive()).__name__ for _ in range(6)]
        assert kinds[:4] == ["MessageHello", "MessageStatus", "MessageStatus", "MessageActionReport"]


class TestConnections:
    def test_a_newer_one_of_a_client_ends_the_older(self, hall):
        old = hall.client("alice")
        old.hello()
        new = hall.client("alice", instance=old.instance, connection=2)
        new.hello(next_sequence=0)
        old.send(old.order())
        old.send(api.MessageHello(mid=new_mid(), client_instance=old.instance, connection=1, next_sequence=1))
        assert [message.account_sequence for message in place(new)] == [1, 2, 3]  # nothing of the older's
        while old.socket.poll(0):
            old.frame()  # heartbeats from before
        assert old.silent()

    def test_a_late_hello_of_an_older_one_is_dropped(self, hall):
        new = hall.client("alice", connection=2)
        new.hello()
        old = hall.client("alice", instance=new.instance, connection=1)
        old.send(api.MessageHello(mid=new_mid(), client_instance=old.instance, connection=1, next_sequence=1))
        assert old.silent()
        place(new)

    def test_every_connection_of_an_account_gets_the_whole_line(self, hall):
        one, two, bob = hall.client("alice"), hall.client("alice"), hall.client("bob")
        for client in (one, two, bob):
            client.hello()
        sent = place(one)
        assert [two.receive() for _ in range(3)] == sent
        assert bob.heartbeat().head == 0

    def test_answers_go_to_the_asker_alone(self, hall):
        one, two = hall.client("alice"), hall.client("alice")
        one.hello()
        two.hello()
        one.send(api.MessageGetPositions(mid=new_mid()))
        assert one.receive().status == Status.STATUS_ACKNOWLEDGED
        assert place(two)[0].account_sequence == 1

    def test_only_so_many_of_an_account_are_kept(self, open_hall):
        hall = open_hall(account_connections_max=2, interval_ms=50, heartbeats_missed_max=1000)
        clients = [hall.client("alice") for _ in range(3)]
        for client in clients:
            client.hello()
        while clients[0].socket.poll(200):
            clients[0].frame()
        clients[2].heartbeat()
        clients[1].heartbeat()
        assert clients[0].silent()

    def test_a_client_that_sets_its_own_routing_id_is_cut(self, hall):
        hall.register("alice")
        client = hall.client("alice", routing_id=b"mine")
        client.send(
            api.MessageHello(mid=new_mid(), client_instance=client.instance, connection=1, next_sequence=1)
        )
        assert client.silent()


class TestHeartbeats:
    def test_they_carry_the_account_head_and_the_interval(self, hall):
        client = hall.client("alice")
        client.hello()
        assert client.heartbeat().head == 0
        place(client)
        beat = client.heartbeat()
        while beat.head == 0:
            beat = client.heartbeat()
        assert (beat.head, beat.interval_ms, beat.run_id, beat.cid) == (3, 50, 1, 1)

    def test_a_client_not_heard_of_for_three_is_forgotten_and_may_say_hello_again(self, open_hall):
        hall = open_hall(interval_ms=20)
        client = hall.client("alice")
        client.hello()
        while client.socket.poll(500):
            client.frame()
        client.hello()
        client.heartbeat()

    def test_a_repeated_hello_keeps_it_and_is_not_answered(self, open_hall):
        hall = open_hall(interval_ms=20, heartbeats_missed_max=50)
        client = hall.client("alice")
        client.hello()
        for _ in range(60):
            client.heartbeat()
            client.send(
                api.MessageHello(
                    mid=new_mid(), client_instance=client.instance, connection=1, next_sequence=1
                )
            )
        kinds = [type(message).__name__ for message in place(client)]
        assert kinds == ["MessageStatus", "MessageStatus", "MessageActionReport"]


class TestWindow:
    def test_the_line_stops_at_the_window_and_goes_on_when_messages_are_dispatched(self, open_hall):
        hall = open_hall(window_messages=5, interval_ms=50, heartbeats_missed_max=1000)
        client = hall.client("alice")
        client.hello()
        for _ in range(4):
            client.send(client.order())
        assert [client.receive().account_sequence for _ in range(5)] == [1, 2, 3, 4, 5]
        while client.heartbeat().head != 12:
            pass
        assert not client._waiting  # the head is known, the rest waits
        client.send(next_sequence=4)
        assert [client.receive().account_sequence for _ in range(3)] == [6, 7, 8]
        hello = {"client_instance": client.instance, "connection": 1, "next_sequence": 9}
        client.send(api.MessageHello(mid=new_mid(), **hello))
        assert [client.receive().account_sequence for _ in range(4)] == [9, 10, 11, 12]

    def test_a_claim_to_have_dispatched_what_was_not_sent_opens_no_wider_window(self, open_hall):
        hall = open_hall(window_messages=5, interval_ms=50, heartbeats_missed_max=1000)
        client = hall.client("alice")
        client.hello()
        client.send(next_sequence=10**9)
        for _ in range(4):
            client.send(client.order())
        assert [client.receive().account_sequence for _ in range(5)] == [1, 2, 3, 4, 5]
        while client.heartbeat().head != 12:
            pass
        client.heartbeat()
        assert not client._waiting

    def test_answers_do_not_wait_for_it(self, open_hall):
        hall = open_hall(window_messages=1, interval_ms=50, heartbeats_missed_max=1000)
        client = hall.client("alice")
        client.hello()
        client.send(client.order(), api.MessageGetPositions(mid=new_mid()))
        statuses = [client.receive() for _ in range(3)]
        assert [status.account_sequence for status in statuses] == [1, 0, 0]
        assert statuses[2].as_of == 3


class TestFrames:
    def test_a_turns_answers_travel_together(self, hall):
        client = hall.client("alice")
        client.hello()
        client.send(*[client.order() for _ in range(20)])
        frames = []
        while sum(map(len, frames)) < 60:
            messages = [decode_message(data) for data in client.frame().messages]
            frames.append([m for m in messages if not isinstance(m, api.MessageHeartbeat)])
        assert len([frame for frame in frames if frame]) < 30

    def test_a_replay_is_marked_and_equal_to_the_first_bytes(self, hall):
        client = hall.client("alice")
        client.hello()
        client.send(client.order())
        first = [client.receive_marked() for _ in range(3)]
        assert not any(replayed for _message, replayed, _data in first)
        client.send(api.MessageReplay(mid=new_mid(), from_sequence=1))
        answers = [client.receive_marked() for _ in range(5)]
        assert [replayed for _message, replayed, _data in answers] == [False, True, True, True, False]
        assert [data for _message, _replayed, data in answers[1:4]] == [data for _m, _r, data in first]

    def test_a_repeat_gets_the_first_ack_and_another_body_is_refused(self, hall):
        client = hall.client("alice")
        client.hello()
        order = client.order()
        client.send(order)
        first = client.receive_marked()
        client.send(order)
        client.receive()
        client.receive()
        assert client.receive_marked() == first
        order.size = 9
        client.send(order)
        assert client.receive().status == Status.STATUS_MID_REUSED

    def test_a_client_that_does_not_read_gets_everything_when_it_does(self, open_hall):
        hall = open_hall(
            send_frames_max=1,
            line_frame_bytes_max=1000,
            window_messages=10**6,
            interval_ms=50,
            heartbeats_missed_max=10**6,
        )
        slow = hall.client("alice", recv_hwm=1, recv_buffer_bytes=2**16)
        slow.hello()
        busy = hall.client("alice")
        busy.hello(next_sequence=0)
        orders = [busy.order() for _ in range(200)]
        rounds = 4
        for _ in range(rounds):
            batch = api.MessageBatch(mid=new_mid(), timestamp=orders[0].timestamp)
            for order in orders:
                order.mid = new_mid()
                batch.requests.add().limit_order.CopyFrom(order)
            busy.send(batch)
        head = rounds * (2 + 2 * 200)
        last = 0
        while last < head:
            last = max(last, busy.receive().account_sequence)
        sequences = [slow.receive().account_sequence for _ in range(head)]
        assert sequences == list(range(1, head + 1))

    def test_a_client_that_asks_and_does_not_read_is_forgotten(self, open_hall):
        hall = open_hall(
            send_frames_max=1, outbox_bytes_max=10**6, interval_ms=50, heartbeats_missed_max=10**6
        )
        busy = hall.client("bob")
        busy.hello()
        for _ in range(5):
            batch = api.MessageBatch(mid=new_mid(), timestamp=busy.order().timestamp)
            for _ in range(200):
                batch.requests.add().limit_order.CopyFrom(busy.order())
            busy.send(batch)
        while busy.receive().account_sequence < 5 * 402:
            pass
        slow = hall.client("alice", recv_hwm=1, recv_buffer_bytes=2**16)
        slow.hello()
        reads = 600
        for _ in range(reads):
            slow.send(api.MessageGetBookState(mid=new_mid(), contract_id=1))
        while len(hall.connections) > 1:
            busy.heartbeat()
        seen = 0
        while slow.socket.poll(500):
            seen += len(slow.frame().messages)
        assert seen < 2 * reads
        busy.send(api.MessageGetPositions(mid=new_mid()))
        assert busy.receive().status == Status.STATUS_ACKNOWLEDGED

    def test_what_a_client_sent_before_it_left_is_executed(self, hall):
        client = hall.client("alice")
        client.hello()
        for _ in range(200):
            client.send(client.order())
        client.socket.close(linger=5000)
        client.context.term()  # all of it has left
        watching = hall.client("alice")
        watching.hello(next_sequence=1)
        line = [watching.receive().account_sequence for _ in range(600)]
        assert line == list(range(1, 601))
