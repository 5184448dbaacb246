"""Sends to the request connections: greetings, lines from each cursor, answers, heartbeats.

The socket never makes the venue wait and nothing is dropped by a high-water mark: what it does not take
stays in the connection's outbox, a line waits in the journal behind its cursor until the outbox is empty,
and both are tried again on later turns. Everything given to these methods is in the journal already.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator

import zmq

from ledgerx.exchange.connections import Connection, Connections
from ledgerx.exchange.gateway_settings import GatewaySettings
from ledgerx.exchange.venue import Answer, Venue
from ledgerx.protocol.sockets import AnySocket
from ledgerx.protocol.wire import encode_frame, frame_groups

__all__ = ["Sender"]

_LOGGER = logging.getLogger(__name__)

_LINE_FRAMES_A_TURN_MAX = 4


class Sender:
    """The ROUTER's sending half. Every method belongs to the thread that owns the socket."""

    def __init__(
        self, socket: AnySocket, venue: Venue, connections: Connections, settings: GatewaySettings
    ) -> None:
        self._socket = socket
        self._venue = venue
        self._connections = connections
        self._settings = settings
        self._ready: dict[bytes, None] = {}  # connections that may have something to send
        self._blocked: dict[bytes, None] = {}  # of those, the ones whose socket took no more

    @property
    def busy(self) -> bool:
        """Whether there is more to send at once."""
        return len(self._ready) > len(self._blocked)

    @property
    def blocked(self) -> bool:
        """Whether something waits for a client to read."""
        return bool(self._blocked)

    def wake(self, connections: Iterable[Connection]) -> None:
        """These may have something to send: a line grew, or a client dispatched some of it."""
        for connection in connections:
            self._ready[connection.routing_id] = None

    def greet(self, greetings: Iterable[tuple[bytes, bytes]]) -> None:
        """Answers to hellos by routing id, before anything else on their connections."""
        for routing_id, answer in greetings:
            connection = self._connections.get(routing_id)
            if connection is not None and connection.reachable:
                connection.push(encode_frame([answer]))
                self._flush(connection)

    def send_lines(self) -> None:
        """What each ready connection's line has behind its cursor, within the client's window."""
        self._blocked.clear()
        ready, self._ready = self._ready, {}
        for routing_id in ready:
            connection = self._connections.get(routing_id)
            if connection is not None and connection.reachable and self._send_line(connection):
                self._ready[routing_id] = None

    def send_answers(self, answers: Iterable[Answer]) -> None:
        """Each asker's answers in frames, as many together as fit."""
        for asker, replayed, messages in _joined(answers):
            connection = self._connections.get(asker)
            if connection is not None and not connection.reachable:
                continue
            for group in frame_groups(messages):
                frame = encode_frame(group, replayed=replayed)
                if connection is not None:
                    connection.push(frame)
                elif not self._connections.is_retired(asker):
                    self._send(asker, frame)
            if connection is None or self._flush(connection):
                continue
            if connection.outbox_bytes > self._settings.outbox_bytes_max:
                _LOGGER.warning("a connection of account %s does not read and is forgotten", connection.cid)
                self._connections.retire(connection.routing_id)

    def heartbeat(self) -> None:
        """The venue's sign of life to every connection whose outbox is empty, with its account's head."""
        frames: dict[int, bytes] = {}
        for connection in self._connections:
            if connection.outbox or not connection.reachable:
                continue  # it has a sign of life to read, or cannot read any
            cid = connection.cid
            if cid not in frames:
                beat = self._venue.heartbeat(cid, interval_ms=self._settings.interval_ms)
                frames[cid] = encode_frame([beat])
            connection.push(frames[cid])
            self._flush(connection)

    def _send_line(self, connection: Connection) -> bool:
        """Send from the connection's cursor on; whether some may be left that can be sent."""
        if not self._flush(connection):
            return connection.routing_id in self._blocked
        for _ in range(_LINE_FRAMES_A_TURN_MAX):
            room = connection.room(self._settings.window_messages)
            if room <= 0:
                return False
            messages = self._venue.lines.read(
                connection.cid,
                connection.cursor,
                count_max=room,
                bytes_max=self._settings.line_frame_bytes_max,
            )
            if not messages:
                lines = self._venue.lines
                if connection.cursor > lines.head(connection.cid):
                    return False
                # The cursor stands before what the journal keeps: the client sees the hole and asks.
                if not connection.skip_to(lines.first_available(connection.cid)):
                    return False
                continue
            connection.push(encode_frame(messages))
            connection.cursor += len(messages)
            if not self._flush(connection):
                return connection.routing_id in self._blocked
        return True

    def _flush(self, connection: Connection) -> bool:
        """Send what waits in the outbox; whether all of it was taken."""
        routing_id = connection.routing_id
        while connection.outbox:
            if routing_id in self._blocked or not self._send(routing_id, connection.outbox[0]):
                return False
            connection.pop()
        return connection.reachable

    def _send(self, routing_id: bytes, frame: bytes) -> bool:
        """Hand one frame to the socket; whether it took it. To a peer that is gone nothing more is sent."""
        try:
            self._socket.send_multipart([routing_id, frame], zmq.NOBLOCK)
        except zmq.Again:
            self._blocked[routing_id] = self._ready[routing_id] = None
            return False
        except zmq.ZMQError as error:
            if error.errno != zmq.EHOSTUNREACH:
                raise
            connection = self._connections.get(routing_id)
            if connection is not None:
                connection.lost()
            return False
        return True


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
