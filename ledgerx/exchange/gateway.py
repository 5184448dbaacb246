"""The venue's ZeroMQ front: one thread, which owns the sockets and the venue.

A turn of its loop: wait for a socket or the next heartbeat, take what came in (bounded by time, count and
bytes), end the venue's turn (one journal write), then send: the feed, each account's line from each
connection's cursor, the answers.

What a client may do wrong ends in a 400 to that client, in a dropped frame, or in its being cut; never in
the loop.
"""

from __future__ import annotations

import logging
import math
import os
from collections import Counter

import zmq

from ledgerx.api.client.v0_0_1 import MessageHello, MessageStatus
from ledgerx.clock import SYSTEM_CLOCK, Clock
from ledgerx.errors import DecodeError
from ledgerx.exchange.connections import Connections
from ledgerx.exchange.control import ControlServer
from ledgerx.exchange.feed import Feed
from ledgerx.exchange.gateway_settings import GatewaySettings
from ledgerx.exchange.inbox import Inbox, Incoming
from ledgerx.exchange.keys import AccountKeys
from ledgerx.exchange.mids import mid_key
from ledgerx.exchange.peers import Peers, user_key
from ledgerx.exchange.refusals import Refused
from ledgerx.exchange.sender import Sender
from ledgerx.exchange.streaming.desk import ASKER, StreamingDesk
from ledgerx.exchange.validation import check_version
from ledgerx.exchange.venue import Turn, Venue
from ledgerx.protocol.sockets import AnySocket
from ledgerx.protocol.wire import decode_frame, decode_message

__all__ = ["Gateway"]

_LOGGER = logging.getLogger(__name__)

_HELLO_TAG = b"\x0a"  # every Message that holds a hello and nothing else begins with it
_ROUTING_ID_BYTES = 5
_BLOCKED_RETRY_S = 0.02
_WAIT_MIN_S = 0.001


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
        streaming: StreamingDesk | None = None,
        *,
        settings: GatewaySettings | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._settings = settings = settings or GatewaySettings()
        self.connections = Connections(account_max=settings.account_connections_max)
        self._venue = venue
        self._socket = requests
        self._peers = Peers()
        self._feed = Feed(publications, venue, self._peers, interval_ms=settings.interval_ms)
        self._sender = Sender(requests, venue, self.connections, settings)
        self._keys = keys
        self._control = control
        self._streaming = streaming
        self._clock = clock
        self._inbox = Inbox(bytes_max=settings.inbox_bytes_max)
        self._greetings: list[tuple[bytes, bytes]] = []
        self._idle: Counter[bytes] = Counter()
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
        if self._streaming is not None:
            poller.register(self._streaming.inbox.descriptor, zmq.POLLIN)
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
        drained = self._receive()
        if self._control is not None:
            self._control.receive(self._venue)
        if self._streaming is not None:
            self._streaming.receive()
        turn = self._venue.commit()
        # From here on everything that is sent is in the journal.
        if turn.accounts_changed:
            self._refresh_keys()
            self._cut_removed(turn)
        if self._control is not None:
            self._control.reply()
        self._feed.publish(turn.feed)
        self._feed.subscriptions()
        greetings, self._greetings = self._greetings, []
        self._sender.greet(greetings)
        for cid in turn.cids:
            self._sender.wake(self.connections.of_account(cid))
        self._sender.send_lines()
        answers = turn.answers
        if self._streaming is not None:
            self._streaming.deliver(turn)
            answers = [answer for answer in answers if answer.asker != ASKER]
        self._sender.send_answers(answers)
        self._beat(drained)

    # ------------------------------------------------------------------ in

    def _receive(self) -> bool:
        """Take what came in, message by message, within the turn's bounds; whether that was all."""
        settings = self._settings
        deadline = self._clock.monotonic() + settings.turn_s
        for _ in range(settings.turn_messages_max):
            if self._inbox.wants_more:
                try:
                    self._open_frame(self._socket.recv_multipart(zmq.NOBLOCK, copy=False))
                except zmq.Again:
                    if not self._inbox:
                        return True
            if self._inbox:
                self._handle(*self._inbox.take())
            if self._venue.turn_bytes > settings.turn_bytes_max or self._clock.monotonic() > deadline:
                break
        return False

    def _open_frame(self, parts: list[zmq.Frame]) -> None:
        """Look at a frame that came. The account is looked up for each, so that a removed one is cut."""
        routing_id, part = parts[0].bytes, parts[-1]
        key = user_key(part)
        account = self._venue.engine.account_of_key(key)
        if account is None or not _is_generated(routing_id):
            self.connections.retire(routing_id)
            self._peers.cut_frame(part)
            return
        if self.connections.is_retired(routing_id):
            return
        try:
            frame = decode_frame(b"".join(body.bytes for body in parts[1:]))
        except DecodeError as error:
            if self._may_idle(routing_id, part):
                self._venue.refuse(account.cid, str(error), asker=routing_id)
            return
        connection = self.connections.get(routing_id)
        if connection is not None:
            connection.heard(frame.next_sequence, self._clock.monotonic())
            self._sender.wake([connection])
        if frame.messages:
            self._inbox.add(Incoming(routing_id, account.cid, key, part, frame.messages))
        else:
            self._may_idle(routing_id, part)

    def _handle(self, incoming: Incoming, data: bytes) -> None:
        """Handle one message of a frame."""
        routing_id = incoming.routing_id
        if self.connections.is_retired(routing_id):
            self._inbox.drop(incoming)
            return
        hello = _hello_in(data)
        if hello is not None:
            self._hello(incoming, hello)
        elif self.connections.get(routing_id) is not None:
            if not self._venue.request(incoming.cid, data, asker=routing_id):
                self._may_idle(routing_id, incoming.part)
        elif self.connections.has_lapsed(routing_id):
            self.connections.retire(routing_id)  # its client hears nothing and makes another
            self._inbox.drop(incoming)
        else:
            self._inbox.drop(incoming)
            if self._may_idle(routing_id, incoming.part):
                text = "say hello first: the first message of a connection is MessageHello"
                self._venue.refuse(incoming.cid, text, asker=routing_id)

    def _hello(self, incoming: Incoming, hello: MessageHello) -> None:
        """A connection's first message, or its heartbeat."""
        routing_id, cid, now = incoming.routing_id, incoming.cid, self._clock.monotonic()
        if not self._may_idle(routing_id, incoming.part):
            return
        connection = self.connections.get(routing_id)
        if connection is not None and connection.is_of(hello):
            connection.heard(hello.next_sequence, now)
            return
        try:
            _check_hello(hello)
        except Refused as refused:
            self._venue.refuse(
                cid,
                refused.message,
                mid=hello.mid,
                status=refused.status,
                field=refused.field,
                asker=routing_id,
            )
            return
        engine = self._venue.engine
        connection = self.connections.hello(
            routing_id, cid, hello, head=engine.head(cid), venue_id=engine.venue_id, now=now
        )
        if connection is not None:
            self._peers.note(incoming.part, incoming.key)
            self._sender.wake([connection])
            answer = self._venue.hello(cid, hello, interval_ms=self._settings.interval_ms)
            self._greetings.append((routing_id, answer))

    def _may_idle(self, routing_id: bytes, part: zmq.Frame) -> bool:
        """Count a message that asks for nothing. Too many are a flood, which is cut and not answered."""
        self._idle[routing_id] += 1
        if self._idle[routing_id] <= self._settings.idle_messages_max:
            return True
        _LOGGER.warning("a connection of key %s floods the venue and is cut", user_key(part))
        self.connections.retire(routing_id)
        self._peers.cut_frame(part)
        return False

    # ------------------------------------------------------------------ beside the messages

    def _refresh_keys(self) -> None:
        self._keys.replace(row.public_key for row in self._venue.accounts() if row.active)

    def _cut_removed(self, turn: Turn) -> None:
        for row in turn.removed:
            for connection in self.connections.of_account(row.cid):
                self.connections.retire(connection.routing_id)
            self._peers.cut_key(row.public_key)

    def _beat(self, drained: bool) -> None:
        """Heartbeats, when they are due; connections from which nothing came for too long are forgotten.

        Silence is judged only when everything that came has been looked at.
        """
        settings = self._settings
        now = self._clock.monotonic()
        if now < self._next_beat:
            return
        self._next_beat = max(self._next_beat + settings.interval_s, now + settings.interval_s / 2)
        self._idle.clear()
        self._feed.heartbeat()
        if drained:
            for connection in self.connections.silent(
                now - settings.heartbeats_missed_max * settings.interval_s
            ):
                self.connections.lapse(connection.routing_id)
        self._sender.heartbeat()

    def _wait_s(self) -> float:
        """How long the next turn may be waited for."""
        if self._inbox or self._sender.busy:
            return 0.0
        wait = self._next_beat - self._clock.monotonic()
        due = self._venue.engine.next_due()
        if due is not None:
            wait = min(wait, (due - self._clock.wall_ns()) / 1e9)
        if self._sender.blocked:
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
