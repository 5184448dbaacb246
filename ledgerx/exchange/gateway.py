"""The venue's ZeroMQ front: one thread, which owns the sockets and the venue.

A turn of its loop: wait for a socket or the next heartbeat, take what came in (bounded by time, count and
bytes), end the venue's turn (one journal write), then send: the feed, each account's line from each
connection's cursor, the answers. What a socket does not take waits: lines in the journal behind their
cursor, answers in the connection's outbox.

What a client may do wrong ends in a 400 to that client, in a dropped frame, or in its being cut; never in
the loop.
"""

from __future__ import annotations

import logging
import math
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import zmq

from ledgerx.api.client.v0_0_1 import MessageHello, MessageStatus
from ledgerx.clock import SYSTEM_CLOCK, Clock
from ledgerx.errors import DecodeError
from ledgerx.exchange.connections import WINDOW_MESSAGES, Connection, Connections
from ledgerx.exchange.control import ControlServer
from ledgerx.exchange.feed import Feed
from ledgerx.exchange.keys import AccountKeys
from ledgerx.exchange.mids import mid_key
from ledgerx.exchange.peers import Peers, user_key
from ledgerx.exchange.refusals import Refused
from ledgerx.exchange.validation import check_version
from ledgerx.exchange.venue import Answer, Turn, Venue
from ledgerx.protocol.sockets import AnySocket
from ledgerx.protocol.wire import FRAME_BYTES_MAX, decode_frame, decode_message, encode_frame, frame_groups

__all__ = ["Gateway", "GatewaySettings"]

_LOGGER = logging.getLogger(__name__)

_HELLO_TAG = b"\x0a"  # every Message that holds a hello and nothing else begins with it
_ROUTING_ID_BYTES = 5
_LINE_FRAMES_A_TURN_MAX = 4
_BLOCKED_RETRY_S = 0.02
_WAIT_MIN_S = 0.001


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """The gateway's numbers. Tests use small ones.

    `idle_frames_max` bounds the frames without a request (undecodable, before a hello, empty, repeated
    hellos) that one connection may send in a heartbeat interval; a connection above it is cut.
    """

    interval_ms: int = 1000
    heartbeats_missed_max: int = 3
    window_messages: int = WINDOW_MESSAGES
    turn_frames_max: int = 1000
    turn_s: float = 0.005
    turn_bytes_max: int = 16 * 1024 * 1024
    outbox_bytes_max: int = 32 * 1024 * 1024
    idle_frames_max: int = 1000
    account_connections_max: int = 64


class Gateway:
    """The loop. `run` is the thread's body; `stop` may be called from anywhere.

    `keys` is what the authenticator looks in; the gateway keeps it equal to the active accounts.
    """

    def __init__(
        self,
        venue: Venue,
        requests: AnySocket,
        publications: AnySocket,
        keys: AccountKeys,
        control: ControlServer | None = None,
        *,
        settings: GatewaySettings | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        settings = settings or GatewaySettings()
        self._venue = venue
        self._socket = requests
        self._peers = Peers()
        self._feed = Feed(publications, venue, self._peers, interval_ms=settings.interval_ms)
        self._keys = keys
        self._control = control
        self._settings = settings
        self.connections = Connections(account_max=settings.account_connections_max)
        self._clock = clock
        self._greetings: list[tuple[bytes, bytes]] = []
        self._ready: dict[bytes, None] = {}  # connections with something to send
        self._blocked: dict[bytes, None] = {}  # of those, the ones whose socket took no more
        self._idle_frames: Counter[bytes] = Counter()
        self._next_beat = clock.monotonic()
        self._stopping = False
        self._wake_read, self._wake_write = os.pipe()
        self._refresh_keys()

    def run(self) -> None:
        """Turn until stopped. Raises JournalWriteFailed, after which nothing may be sent any more."""
        poller = zmq.Poller()
        for readable in (self._wake_read, self._socket, self._feed.socket):
            poller.register(readable, zmq.POLLIN)
        if self._control is not None:
            poller.register(self._control.socket, zmq.POLLIN)
        while not self._stopping:
            poller.poll(math.ceil(self._wait_s() * 1000))
            self.turn()

    def stop(self) -> None:
        """End the loop after its present turn."""
        self._stopping = True
        os.write(self._wake_write, b"x")

    def close(self) -> None:
        """Give back what the gateway made itself; the sockets belong to whoever made them."""
        os.close(self._wake_read)
        os.close(self._wake_write)

    def turn(self) -> None:
        """One turn."""
        drained = self._receive_frames()
        if self._control is not None:
            self._control.receive(self._venue)
        turn = self._venue.commit()
        # From here on everything that is sent is in the journal.
        if turn.accounts_changed:
            self._refresh_keys()
            self._cut_removed(turn)
        if self._control is not None:
            self._control.reply()
        self._feed.publish(turn.feed)
        self._feed.subscriptions()
        self._greet()
        for cid in turn.cids:
            self._ready.update(dict.fromkeys(c.routing_id for c in self.connections.of_account(cid)))
        self._blocked.clear()
        self._send_lines()
        self._send_answers(turn.answers)
        self._beat(drained)

    # ------------------------------------------------------------------ in

    def _receive_frames(self) -> bool:
        """Take what came in, within the turn's bounds; whether that was all."""
        settings = self._settings
        deadline = self._clock.monotonic() + settings.turn_s
        for _ in range(settings.turn_frames_max):
            try:
                parts = self._socket.recv_multipart(zmq.NOBLOCK, copy=False)
            except zmq.Again:
                return True
            self._receive(parts)
            if self._venue.turn_bytes > settings.turn_bytes_max or self._clock.monotonic() > deadline:
                break
        return False

    def _receive(self, parts: list[zmq.Frame]) -> None:
        """One frame. The account is looked up for each, so that a removed one is cut at once."""
        routing_id = parts[0].bytes
        key = user_key(parts[-1])
        account = self._venue.engine.account_of_key(key)
        if account is None or not _is_generated(routing_id):
            self.connections.retire(routing_id)
            self._peers.cut_frame(parts[-1])
            return
        if self.connections.is_retired(routing_id):
            return
        connection = self.connections.get(routing_id)
        try:
            frame = decode_frame(b"".join(part.bytes for part in parts[1:]))
        except DecodeError as error:
            self._idle(routing_id, parts[-1])
            self._venue.refuse(account.cid, str(error), asker=routing_id)
            return
        if connection is not None:
            connection.heard(frame.next_sequence, self._clock.monotonic())
            self._ready[routing_id] = None
        for data in frame.messages:
            hello = _hello_in(data)
            if hello is not None:
                connection = self._hello(routing_id, account.cid, hello, parts[-1], key)
            elif connection is not None:
                self._venue.request(account.cid, data, asker=routing_id)
            else:
                self._idle(routing_id, parts[-1])
                text = "say hello first: the first message of a connection is MessageHello"
                self._venue.refuse(account.cid, text, asker=routing_id)
                return
            if self.connections.is_retired(routing_id):
                return
        if not frame.messages:
            self._idle(routing_id, parts[-1])

    def _hello(
        self, routing_id: bytes, cid: int, hello: MessageHello, frame: zmq.Frame, key: str
    ) -> Connection | None:
        """A connection's first message, or its heartbeat; the connection, unless it is refused."""
        connection = self.connections.get(routing_id)
        if connection is not None and connection.is_of(hello):
            self._idle(routing_id, frame)
            connection.heard(hello.next_sequence, self._clock.monotonic())
            return connection
        try:
            _check_hello(hello)
        except Refused as refused:
            self._idle(routing_id, frame)
            self._venue.refuse(
                cid,
                refused.message,
                mid=hello.mid,
                status=refused.status,
                field=refused.field,
                asker=routing_id,
            )
            return None
        engine = self._venue.engine
        connection = self.connections.hello(
            routing_id,
            cid,
            hello,
            head=engine.head(cid),
            venue_id=engine.venue_id,
            now=self._clock.monotonic(),
        )
        if connection is not None:
            self._peers.note(frame, key)
            self._ready[routing_id] = None
            answer = self._venue.hello(cid, hello, interval_ms=self._settings.interval_ms)
            self._greetings.append((routing_id, answer))
        return connection

    def _idle(self, routing_id: bytes, frame: zmq.Frame) -> None:
        """A frame that asked for nothing: too many of them are a flood, which is cut, not answered."""
        self._idle_frames[routing_id] += 1
        if self._idle_frames[routing_id] > self._settings.idle_frames_max:
            _LOGGER.warning("a connection of %s flooded the venue and is cut", user_key(frame))
            self.connections.retire(routing_id)
            self._peers.cut_frame(frame)

    # ------------------------------------------------------------------ out

    def _refresh_keys(self) -> None:
        self._keys.replace(row.public_key for row in self._venue.accounts() if row.active)

    def _cut_removed(self, turn: Turn) -> None:
        for row in turn.removed:
            for connection in self.connections.of_account(row.cid):
                self.connections.retire(connection.routing_id)
            self._peers.cut_key(row.public_key)

    def _greet(self) -> None:
        """The answers to hellos, before anything else on their connections."""
        greetings, self._greetings = self._greetings, []
        for routing_id, answer in greetings:
            connection = self.connections.get(routing_id)
            if connection is not None:
                connection.push(encode_frame([answer]))
                self._flush(connection)

    def _send_lines(self) -> None:
        ready, self._ready = self._ready, {}
        for routing_id in ready:
            connection = self.connections.get(routing_id)
            if connection is not None and self._send_line(connection):
                self._ready[routing_id] = None

    def _send_line(self, connection: Connection) -> bool:
        """Send an account's line from the connection's cursor, in frames; whether some is left to send."""
        for _ in range(_LINE_FRAMES_A_TURN_MAX):
            if not self._flush(connection):
                return connection.routing_id in self._blocked
            room = connection.room(self._settings.window_messages)
            if room <= 0:
                return False
            messages = self._venue.lines.read(
                connection.cid, connection.cursor, count_max=room, bytes_max=FRAME_BYTES_MAX // 4
            )
            if not messages:
                return False
            connection.push(encode_frame(messages))
            connection.cursor += len(messages)
        return True

    def _send_answers(self, answers: Iterable[Answer]) -> None:
        """Put each asker's answers into frames, as many together as fit, and send them."""
        for asker, replayed, messages in _joined(answers):
            connection = self.connections.get(asker)
            for group in frame_groups(messages):
                frame = encode_frame(group, replayed=replayed)
                if connection is not None:
                    connection.push(frame)
                elif not self.connections.is_retired(asker):
                    self._send(asker, frame)
            if connection is None:
                continue
            if not self._flush(connection) and connection.outbox_bytes > self._settings.outbox_bytes_max:
                _LOGGER.warning(
                    "a connection of account %s reads too slowly and is forgotten", connection.cid
                )
                self.connections.retire(connection.routing_id)

    def _beat(self, drained: bool) -> None:
        """Heartbeats, when they are due; connections from which nothing came for too long are forgotten.

        Silence is judged only when everything that came has been looked at.
        """
        now = self._clock.monotonic()
        if now < self._next_beat:
            return
        interval_s = self._settings.interval_ms / 1000
        self._next_beat = max(self._next_beat + interval_s, now + interval_s / 2)
        self._idle_frames.clear()
        self._feed.heartbeat()
        if drained:
            for connection in self.connections.silent(
                now - self._settings.heartbeats_missed_max * interval_s
            ):
                self.connections.forget(connection.routing_id)
        frames: dict[int, bytes] = {}
        for connection in self.connections:
            if connection.outbox:
                continue  # it will have a sign of life when it takes that
            cid = connection.cid
            if cid not in frames:
                beat = self._venue.notices(cid).heartbeat(interval_ms=self._settings.interval_ms)
                frames[cid] = encode_frame([beat])
            connection.push(frames[cid])
            self._flush(connection)

    def _flush(self, connection: Connection) -> bool:
        """Send what waits in the outbox; whether all of it was taken."""
        while connection.outbox:
            if connection.routing_id in self._blocked or not self._send(
                connection.routing_id, connection.outbox[0]
            ):
                return False
            connection.pop()
        return True

    def _send(self, routing_id: bytes, frame: bytes) -> bool:
        """Hand one frame to the socket; whether it took it. An unreachable peer is forgotten."""
        try:
            self._socket.send_multipart([routing_id, frame], zmq.NOBLOCK)
        except zmq.Again:
            self._blocked[routing_id] = None
            self._ready[routing_id] = None
            return False
        except zmq.ZMQError as error:
            if error.errno != zmq.EHOSTUNREACH:
                raise
            self.connections.forget(routing_id)
            return False
        return True

    def _wait_s(self) -> float:
        """How long the next turn may be waited for."""
        if len(self._ready) > len(self._blocked):
            return 0.0
        wait = self._next_beat - self._clock.monotonic()
        due = self._venue.engine.next_due()
        if due is not None:
            wait = min(wait, (due - self._clock.wall_ns()) / 1e9)
        if self._blocked:
            wait = min(wait, _BLOCKED_RETRY_S)
        return max(wait, _WAIT_MIN_S)


def _is_generated(routing_id: bytes) -> bool:
    """Whether the socket made the routing id. A client's own could be taken over by another account."""
    return len(routing_id) == _ROUTING_ID_BYTES and not routing_id[0]


def _hello_in(data: bytes) -> MessageHello | None:
    """The hello that an encoded message holds, if it does."""
    if not data.startswith(_HELLO_TAG):
        return None
    try:
        message = decode_message(data)
    except DecodeError:
        return None
    return message if isinstance(message, MessageHello) else None


def _check_hello(hello: MessageHello) -> None:
    """Raises Refused for a hello that no connection can begin with."""
    check_version(hello.mversion)
    for field, text in (("mid", hello.mid), ("client_instance", hello.client_instance)):
        if mid_key(text) is None:
            raise Refused(MessageStatus.STATUS_MALFORMED, field, f"{field} is not 32 hex characters")
    if not hello.connection:
        raise Refused(MessageStatus.STATUS_MALFORMED, "connection", "connection counts from 1")


def _joined(answers: Iterable[Answer]) -> Iterator[tuple[bytes, bool, list[bytes]]]:
    """The turn's answers by asker; what one got in a row, with the same mark, is one list."""
    by_asker: dict[bytes, list[tuple[bool, list[bytes]]]] = {}
    for answer in answers:
        runs = by_asker.setdefault(answer.asker, [])
        if runs and runs[-1][0] == answer.replayed:
            runs[-1][1].extend(answer.messages)
        else:
            runs.append((answer.replayed, list(answer.messages)))
    for asker, runs in by_asker.items():
        for replayed, messages in runs:
            yield asker, replayed, messages
