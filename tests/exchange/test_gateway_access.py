"""Who gets in, who is cut, and that bad input stays with the one who sent it."""

import contextlib
import socket
import struct

import pytest
import zmq
from raw_client import feed_messages, new_mid, subscriber
from zmq.utils.monitor import recv_monitor_message

from ledgerx.api.client import v0_0_1 as api
from ledgerx.protocol.crypto import KeyPair
from ledgerx.protocol.sockets import secure_socket, xsub
from ledgerx.protocol.wire import FRAME_BYTES_MAX, encode_frame

Status = api.MessageStatus


def hello_of(client):
    return api.MessageHello(mid=new_mid(), client_instance=client.instance, connection=1, next_sequence=1)


def events(monitor, *wanted):
    """Waits for one of the monitor's events."""
    while True:
        assert monitor.poll(20_000), f"none of {wanted} came"
        event = recv_monitor_message(monitor)["event"]
        if event in wanted:
            return event


class TestStrangers:
    def test_an_unregistered_key_gets_no_byte_of_protocol(self, hall):
        stranger = hall.stranger()
        monitor = stranger.socket.get_monitor_socket()
        with contextlib.suppress(zmq.Again):  # refused before it could send: ZeroMQ took its pipe away
            stranger.send(hello_of(stranger), flags=zmq.DONTWAIT)
        events(monitor, zmq.EVENT_HANDSHAKE_FAILED_AUTH)
        assert stranger.silent()
        assert len(hall.connections) == 0
        stranger.socket.disable_monitor()

    def test_a_wrong_server_key_gets_nothing(self, hall):
        hall.register("alice")
        client = hall.client("alice", serverkey=KeyPair.generate().public)
        client.send(hello_of(client))
        assert client.silent()

    def test_without_curve_there_is_nothing_on_either_socket(self, hall, zmq_context):
        exchange = hall.exchange
        dealer = zmq_context.socket(zmq.DEALER)
        dealer.connect(f"tcp://127.0.0.1:{exchange.request_port}")
        dealer.send(encode_frame([]))
        sub = zmq_context.socket(zmq.SUB)
        sub.subscribe(b"")
        sub.connect(f"tcp://127.0.0.1:{exchange.publish_port}")
        assert not dealer.poll(300)
        assert not sub.poll(100)

    def test_the_feed_is_for_accounts_only(self, hall, zmq_context):
        stranger = subscriber(hall.exchange, KeyPair.generate(), b"", context=zmq_context)
        assert not stranger.poll(300)

    def test_half_a_handshake_holds_nobody_up(self, hall):
        with socket.create_connection(("127.0.0.1", hall.exchange.request_port)) as rude:
            rude.sendall(b"\xff\0\0\0\0\0\0\0\x01\x7f\x03")
            client = hall.client("alice")
            client.hello()

    def test_an_account_added_to_a_running_venue_is_let_in_at_once(self, hall):
        hall.client("alice").hello()
        hall.client("bob").hello()
        assert [row.name for row in hall.exchange.accounts()] == ["alice", "bob"]


class TestRemoval:
    def test_a_removed_account_is_cut_on_both_sockets(self, hall, zmq_context):
        alice, bob = hall.client("alice"), hall.client("bob")
        alice.hello()
        bob.hello()
        alice.send(alice.order())
        alice.receive_kind(api.MessageActionReport)
        feed = subscriber(hall.exchange, hall.keys["alice"], b"book_top.1", context=zmq_context)
        feed_messages(feed)
        monitors = [alice.socket.get_monitor_socket(), feed.get_monitor_socket()]
        hall.exchange.remove_account("alice")
        for monitor in monitors:
            events(monitor, zmq.EVENT_DISCONNECTED)
            events(monitor, zmq.EVENT_HANDSHAKE_FAILED_AUTH)  # and it does not come back
        while alice.socket.poll(0):
            alice.frame()
        assert alice.silent()
        bob.send(bob.order())
        assert bob.receive().status == Status.STATUS_ACKNOWLEDGED
        assert [row.active for row in hall.exchange.accounts()] == [False, True]
        alice.socket.disable_monitor()
        feed.disable_monitor()

    def test_its_orders_are_canceled_for_everyone_to_see(self, hall, zmq_context):
        alice, bob = hall.client("alice"), hall.client("bob")
        alice.hello()
        bob.hello()
        feed = subscriber(hall.exchange, hall.keys["bob"], b"book_top.1", context=zmq_context)
        feed_messages(feed)
        alice.send(alice.order(price=100))
        assert feed_messages(feed)[1][0].bid_size == 1
        hall.exchange.remove_account("alice")
        assert feed_messages(feed)[1][0].bid_size == 0


class TestBadInput:
    @pytest.mark.parametrize(
        "data", [b"\xff\xff\xff", b"\x0a\x7f", b"GET / HTTP/1.1\r\n\r\n"], ids=["tags", "short", "http"]
    )
    def test_bytes_that_are_no_frame_get_one_400_and_nobody_else_notices(self, hall, data):
        alice, bob = hall.client("alice"), hall.client("bob")
        alice.hello()
        bob.hello()
        alice.socket.send(data)
        status = alice.receive()
        assert (status.status, status.mid, status.account_sequence) == (Status.STATUS_MALFORMED, "", 0)
        alice.send(alice.order())
        assert alice.receive().status == Status.STATUS_ACKNOWLEDGED
        bob.send(bob.order(price=90))
        assert [type(bob.receive()).__name__ for _ in range(3)] == [
            "MessageStatus",
            "MessageStatus",
            "MessageActionReport",
        ]

    def test_before_a_hello_it_is_answered_too(self, hall):
        alice = hall.client("alice")
        alice.socket.send(b"\xff\xff")
        assert alice.receive().status == Status.STATUS_MALFORMED

    def test_a_message_that_does_not_decode_leaves_its_neighbours_alone(self, hall):
        alice = hall.client("alice")
        alice.hello()
        order = alice.order()
        alice.send(b"\xff", order, b"\x0a\xff", b"")
        answers = [alice.receive() for _ in range(6)]
        assert [m.status for m in answers if isinstance(m, api.MessageStatus) and not m.mid] == [400] * 3
        assert [m.mid for m in answers if m.mid] == [order.mid] * 3

    def test_a_frame_of_several_parts_is_one_frame(self, hall):
        alice = hall.client("alice")
        alice.hello()
        data = api.Frame(messages=[b""]).SerializeToString()
        alice.socket.send_multipart([data[:1], data[1:]])
        assert alice.receive().field == "mid"

    def test_a_frame_of_the_cap_is_looked_at(self, hall):
        alice = hall.client("alice")
        alice.hello()
        alice.socket.send(b"\xff" * FRAME_BYTES_MAX)
        assert alice.receive().status == Status.STATUS_MALFORMED

    def test_a_frame_above_the_cap_ends_the_connection(self, hall):
        alice, bob = hall.client("alice"), hall.client("bob")
        alice.hello()
        bob.hello()
        monitor = alice.socket.get_monitor_socket()
        alice.socket.send(bytes(FRAME_BYTES_MAX + 1))
        events(monitor, zmq.EVENT_DISCONNECTED)
        bob.heartbeat()
        alice.socket.disable_monitor()

    def test_a_flood_of_nothing_is_cut_and_not_answered(self, open_hall):
        hall = open_hall(idle_messages_max=20, interval_ms=60_000)
        alice, bob = hall.client("alice"), hall.client("bob")
        alice.hello()
        bob.hello()
        monitor = alice.socket.get_monitor_socket()
        alice.send(*[b"\xff"] * 10_000)
        events(monitor, zmq.EVENT_DISCONNECTED)
        statuses = 0
        while alice.socket.poll(200):
            statuses += len(alice.frame().messages)
        assert statuses <= 21
        bob.send(bob.order())
        assert bob.receive().status == Status.STATUS_ACKNOWLEDGED
        alice.socket.disable_monitor()

    @pytest.mark.parametrize("kind", ["empty", "hello", "garbage", "unannounced"])
    def test_every_kind_of_it_counts(self, open_hall, kind):
        hall = open_hall(idle_messages_max=20, interval_ms=60_000)
        alice = hall.client("alice")
        if kind != "unannounced":
            alice.hello()
        monitor = alice.socket.get_monitor_socket()
        data = {
            "empty": encode_frame([]),
            "hello": None,
            "garbage": b"\xff\xff",
            "unannounced": encode_frame([b"x"]),
        }[kind]
        for _ in range(40):
            if data is None:
                alice.send(hello_of(alice))
            else:
                alice.socket.send(data)
        events(monitor, zmq.EVENT_DISCONNECTED)
        alice.socket.disable_monitor()

    def test_a_great_frame_of_requests_is_taken_in_turns(self, open_hall):
        hall = open_hall(turn_messages_max=10, interval_ms=20, heartbeats_missed_max=1000)
        alice, bob = hall.client("alice"), hall.client("bob")
        alice.hello()
        bob.hello()
        alice.send(*[alice.order() for _ in range(500)])
        bob.send(bob.order(price=90))
        assert bob.receive().status == Status.STATUS_ACKNOWLEDGED
        assert [alice.receive().account_sequence for _ in range(1500)] == list(range(1, 1501))


class TestFeed:
    def test_a_subscription_is_answered_on_its_own_topic_with_the_heads_it_covers(self, hall, zmq_context):
        alice = hall.client("alice")
        alice.hello()
        alice.send(alice.order())
        alice.receive_kind(api.MessageActionReport)
        feed = subscriber(
            hall.exchange,
            hall.keys["alice"],
            b"book_top.",
            b"trade.1",
            b"book_update.999",
            b"\xff",
            context=zmq_context,
        )
        echoes = dict(feed_messages(feed) for _ in range(4))
        heads = {topic: {h.topic: h.sequence for h in beats[0].heads} for topic, beats in echoes.items()}
        assert heads[b"book_top."]["book_top.1"] == 1
        assert heads[b"book_top."]["book_top.2"] == 0
        assert heads[b"trade.1"]["trade.1"] == 0
        assert heads[b"book_update.999"] == {"book_update.999": 0}
        assert heads[b"\xff"] == {}

    def test_its_heartbeats_name_every_topic(self, hall, zmq_context):
        hall.register("alice")
        feed = subscriber(hall.exchange, hall.keys["alice"], b"heartbeat.0", context=zmq_context)
        feed_messages(feed)
        topic, (beat,) = feed_messages(feed)
        assert (topic, beat.interval_ms, beat.run_id) == (b"heartbeat.0", 50, 1)
        assert {"run_change.0", "book_top.1", "book_update.1", "trade.1"} <= {h.topic for h in beat.heads}

    def test_what_follows_the_echo_is_complete_and_in_order(self, hall, zmq_context):
        alice, bob = hall.client("alice"), hall.client("bob")
        alice.hello()
        bob.hello()
        feed = subscriber(hall.exchange, hall.keys["bob"], b"book_update.1", context=zmq_context)
        feed_messages(feed)
        alice.send(*[alice.order(price=100 + step) for step in range(50)])
        while alice.receive().account_sequence < 150:
            pass
        bob.send(bob.order(price=100, size=50, is_ask=True))
        sequences = []
        while len(sequences) < 100:
            topic, messages = feed_messages(feed)
            assert topic == b"book_update.1"
            sequences += [message.sequence for message in messages]
        assert sequences == list(range(1, 101))

    def test_other_messages_to_it_are_passed_over(self, hall, zmq_context):
        hall.register("alice")
        keys, exchange = hall.keys["alice"], hall.exchange
        rude = secure_socket(xsub, keys.private, keys.public, exchange.public_key, zmq_context)
        rude.connect(f"tcp://127.0.0.1:{exchange.publish_port}")
        rude.send(b"hello?")
        rude.send(struct.pack("<B", 1) + b"heartbeat.0")
        assert feed_messages(rude)[0] == b"heartbeat.0"
