"""What the sender does with a socket that is full or has lost a peer."""

import pytest
import zmq
from venue_harness import SECOND, START, Floor, detail

from ledgerx.api.client import v0_0_1 as api
from ledgerx.exchange.connections import Connections
from ledgerx.exchange.feed import Feed
from ledgerx.exchange.gateway_settings import GatewaySettings
from ledgerx.exchange.peers import Peers
from ledgerx.exchange.sender import Sender
from ledgerx.exchange.venue import Answer
from ledgerx.protocol.wire import decode_frame, decode_message

PEER = b"\0peer"


class NarrowSocket:
    """Takes `room` frames, then says EAGAIN; knows no peer where `room` is None."""

    def __init__(self, room):
        self.room = room
        self.frames = []

    def send_multipart(self, parts, flags):
        assert flags == zmq.NOBLOCK
        if self.room is None:
            raise zmq.ZMQError(zmq.EHOSTUNREACH)
        if not self.room:
            raise zmq.Again
        self.room -= 1
        self.frames.append((parts[0], decode_frame(parts[1])))

    def sequences(self):
        return [
            decode_message(data).account_sequence for _peer, frame in self.frames for data in frame.messages
        ]


@pytest.fixture
def floor(tmp_path):
    with Floor(tmp_path, "alice") as floor:
        for _ in range(4):
            floor.turn(("alice", floor.order()))
        yield floor


def make(floor, room, **settings):
    settings = GatewaySettings(line_frame_bytes_max=1, **settings)  # a frame a message
    connections = Connections()
    hello = api.MessageHello(client_instance="ab" * 16, connection=1, next_sequence=1)
    connection = connections.hello(PEER, floor.cids["alice"], hello, head=12, venue_id="v", now=0.0)
    socket = NarrowSocket(room)
    return Sender(socket, floor.venue, connections, settings), socket, connections, connection


def test_a_line_stops_where_the_socket_is_full_and_goes_on_there(floor):
    sender, socket, _connections, connection = make(floor, room=2)
    sender.wake([connection])
    sender.send_lines()
    assert socket.sequences() == [1, 2]
    assert (sender.blocked, sender.busy) == (True, False)
    sender.send_lines()
    assert socket.sequences() == [1, 2]
    socket.room = 100
    while sender.blocked or sender.busy:
        sender.send_lines()
    assert socket.sequences() == list(range(1, 13))


def test_a_turn_sends_some_frames_of_a_line_and_says_that_more_is_there(floor):
    sender, socket, _connections, connection = make(floor, room=100)
    sender.wake([connection])
    sender.send_lines()
    assert socket.sequences() == [1, 2, 3, 4]
    assert sender.busy


def test_answers_wait_behind_what_was_not_taken_in_order(floor):
    sender, socket, _connections, connection = make(floor, room=0)
    sender.send_answers([Answer(PEER, [b""], False), Answer(PEER, [b"", b""], True)])
    sender.heartbeat()  # not behind a full outbox
    assert len(connection.outbox) == 2
    socket.room = 100
    sender.send_lines()
    marks = [(frame.replayed, len(frame.messages)) for _peer, frame in socket.frames]
    assert marks[:2] == [(False, 1), (True, 2)]
    assert (connection.outbox_bytes, sender.blocked) == (0, False)


def test_an_outbox_that_grows_too_large_ends_the_connection(floor):
    sender, _socket, connections, _connection = make(floor, room=0, outbox_bytes_max=100)
    sender.send_answers([Answer(PEER, [b"x" * 90], False)])
    assert connections.get(PEER)
    sender.send_answers([Answer(PEER, [b"x" * 90], False)])
    assert connections.is_retired(PEER)
    sender.send_answers([Answer(PEER, [b"x"], False)])


def test_a_peer_that_is_gone_is_sent_nothing_more_but_its_requests_still_count(floor):
    sender, socket, connections, connection = make(floor, room=None)
    sender.wake([connection])
    sender.send_lines()
    assert connections.get(PEER) is connection
    assert not connection.reachable
    socket.room = 100
    sender.wake([connection])
    sender.send_lines()
    sender.greet([(PEER, b"")])
    sender.send_answers([Answer(PEER, [b""], False)])
    sender.heartbeat()
    assert socket.frames == []
    assert not sender.busy


def test_a_cursor_before_what_is_kept_goes_on_with_the_first_that_is(tmp_path):
    with Floor(tmp_path, "alice", segment_bytes_max=700) as floor:
        for _ in range(8):
            floor.turn(("alice", floor.order()))
        journal = floor.venue.journal
        journal.prune(journal.segments[-1].first)
        floor.venue.lines._lines.clear()  # nothing of it is in memory either
        first, head = floor.venue.lines.first_available(1), floor.venue.lines.head(1)
        assert 1 < first <= head
        sender, socket, _connections, connection = make(floor, room=100)
        for _ in range(10):
            sender.wake([connection])
            sender.send_lines()
        assert socket.sequences() == list(range(first, head + 1))
        floor.turn(("alice", floor.order()))
        sender.wake([connection])
        sender.send_lines()
        assert socket.sequences() == list(range(first, head + 4))


def test_another_error_of_the_socket_is_not_hidden(floor):
    sender, socket, _connections, _connection = make(floor, room=1)
    socket.send_multipart = lambda parts, flags: (_ for _ in ()).throw(zmq.ZMQError(zmq.ETERM))
    with pytest.raises(zmq.ZMQError):
        sender.send_answers([Answer(PEER, [b""], False)])


def test_what_falls_due_between_two_turns_is_not_seen_before_its_record(tmp_path):
    with Floor(tmp_path, "alice", contracts=[detail(expiry=START + 30 * SECOND)]) as floor:
        floor.turn(("alice", floor.order()))
        sender, socket, _connections, connection = make(floor, room=100)
        floor.clock.advance(31)
        Feed(socket, floor.venue, Peers(), interval_ms=50).heartbeat()
        sender.wake([connection])
        sender.send_lines()
        sender.heartbeat()
        beats = [decode_message(socket.frames[index][1].messages[0]) for index in (0, -1)]
        assert [beat.timestamp for beat in beats] == [START, START]
        assert beats[1].head == 3
        assert floor.venue.journal.last_number == floor.venue.journal.committed
        assert floor.venue.commit().cids == [floor.cids["alice"]]  # the cancel, with its record
