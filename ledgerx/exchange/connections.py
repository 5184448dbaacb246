"""The request connections of a gateway: who said hello where, and how far each line was sent.

Sans-I/O: routing ids, hellos and times (monotonic seconds) go in, state comes out. A connection is known
from its hello until it lapses (silent: it may say hello again) or is retired (replaced by a newer one of the
same client, cut: whatever it still sends is dropped without an answer). Of a lapsed one the hello must be the
next to come: had a request been dropped before it, those after it would be executed out of order.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterator
from typing import Final

from ledgerx.api.client.v0_0_1 import MessageHello

__all__ = ["RETIRED_MAX", "Connection", "Connections"]

RETIRED_MAX: Final = 10_000


class Connection:
    """One client socket after its hello.

    `cursor` is the next sequence of the account's line to send, `dispatched` the last one that the client
    said it dispatched, `heard_at` when its last frame came. `outbox` holds encoded frames that the socket
    has not taken yet, in order. `reachable` ends when the peer is gone: nothing can be sent any more, but
    requests that it sent before may still be waiting to be read, and they count.
    """

    __slots__ = (
        "cid",
        "client_instance",
        "cursor",
        "dispatched",
        "heard_at",
        "number",
        "outbox",
        "outbox_bytes",
        "reachable",
        "routing_id",
    )

    def __init__(self, routing_id: bytes, cid: int, client_instance: str, number: int) -> None:
        self.routing_id = routing_id
        self.cid = cid
        self.client_instance = client_instance
        self.number = number
        self.cursor = 1
        self.dispatched = 0
        self.heard_at = 0.0
        self.outbox: deque[bytes] = deque()
        self.outbox_bytes = 0
        self.reachable = True

    def is_of(self, hello: MessageHello) -> bool:
        """Whether a hello is this connection's own, repeated."""
        return (hello.client_instance, hello.connection) == (self.client_instance, self.number)

    def lost(self) -> None:
        """The peer is gone: what waits for it will not be sent."""
        self.reachable = False
        self.outbox.clear()
        self.outbox_bytes = 0

    def push(self, frame: bytes) -> None:
        """Put an encoded frame in the outbox."""
        self.outbox.append(frame)
        self.outbox_bytes += len(frame)

    def pop(self) -> None:
        """The first frame of the outbox was taken."""
        self.outbox_bytes -= len(self.outbox.popleft())

    def heard(self, next_sequence: int, now: float) -> None:
        """A frame came. `next_sequence` is the next one to dispatch, 0 where the client says nothing.

        What was not sent cannot have been dispatched, so a greater number is cut down to that.
        """
        self.heard_at = now
        self.dispatched = max(self.dispatched, min(next_sequence, self.cursor) - 1)

    def skip_to(self, sequence: int) -> bool:
        """Move the cursor on over what the journal no longer has; whether it moved."""
        if self.cursor >= sequence:
            return False
        self.cursor = sequence
        self.dispatched = max(self.dispatched, sequence - 1)
        return True

    def room(self, window: int) -> int:
        """How many more messages may be sent before the client says that it dispatched some."""
        return self.dispatched + window - self.cursor + 1


class Connections:
    """The table. `account_max` bounds an account's connections: the longest silent one gives way."""

    def __init__(self, *, account_max: int = 64, retired_max: int = RETIRED_MAX) -> None:
        self._by_id: dict[bytes, Connection] = {}
        self._by_client: dict[tuple[int, str], Connection] = {}
        self._by_account: dict[int, dict[bytes, Connection]] = {}
        self._retired: OrderedDict[bytes, None] = OrderedDict()
        self._lapsed: OrderedDict[bytes, None] = OrderedDict()
        self._account_max = account_max
        self._retired_max = retired_max

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[Connection]:
        return iter(list(self._by_id.values()))

    def get(self, routing_id: bytes) -> Connection | None:
        """The connection, if it said hello."""
        return self._by_id.get(routing_id)

    def is_retired(self, routing_id: bytes) -> bool:
        """Whether what this routing id sends is dropped."""
        return routing_id in self._retired

    def has_lapsed(self, routing_id: bytes) -> bool:
        """Whether the connection was silent for so long that it must say hello again."""
        return routing_id in self._lapsed

    def of_account(self, cid: int) -> list[Connection]:
        """An account's connections."""
        return list(self._by_account.get(cid, {}).values())

    def hello(
        self, routing_id: bytes, cid: int, hello: MessageHello, *, head: int, venue_id: str, now: float
    ) -> Connection | None:
        """A first hello: the new connection, or None where a newer one of this client is known.

        The line goes on where the client says; from the head where it wants nothing older, or where its
        numbers are another venue's or above the head, which makes it take a new baseline.
        """
        older = self._by_client.get((cid, hello.client_instance))
        if older is not None and older.routing_id != routing_id:
            if older.number > hello.connection:
                self.retire(routing_id)
                return None
            self.retire(older.routing_id)
        self.forget(routing_id)
        self._lapsed.pop(routing_id, None)
        self._make_room(cid)
        connection = Connection(routing_id, cid, hello.client_instance, hello.connection)
        known = hello.venue_id in ("", venue_id) and 0 < hello.next_sequence <= head + 1
        connection.cursor = hello.next_sequence if known else head + 1
        connection.dispatched = connection.cursor - 1
        connection.heard_at = now
        self._by_id[routing_id] = connection
        self._by_client[cid, hello.client_instance] = connection
        self._by_account.setdefault(cid, {})[routing_id] = connection
        return connection

    def forget(self, routing_id: bytes) -> None:
        """Drop a connection's state."""
        connection = self._by_id.pop(routing_id, None)
        if connection is None:
            return
        key = (connection.cid, connection.client_instance)
        if self._by_client.get(key) is connection:
            del self._by_client[key]
        siblings = self._by_account[connection.cid]
        del siblings[routing_id]
        if not siblings:
            del self._by_account[connection.cid]

    def lapse(self, routing_id: bytes) -> None:
        """Drop a silent connection's state; it may go on with a hello."""
        self.forget(routing_id)
        self._note(self._lapsed, routing_id)

    def retire(self, routing_id: bytes) -> None:
        """Drop a connection's state and, from now on, whatever it sends."""
        self.forget(routing_id)
        self._lapsed.pop(routing_id, None)
        self._note(self._retired, routing_id)

    def _note(self, table: OrderedDict[bytes, None], routing_id: bytes) -> None:
        table[routing_id] = None
        if len(table) > self._retired_max:
            table.popitem(last=False)

    def silent(self, since: float) -> list[Connection]:
        """The connections of which nothing was heard after `since`."""
        return [connection for connection in self._by_id.values() if connection.heard_at < since]

    def _make_room(self, cid: int) -> None:
        siblings = self._by_account.get(cid, {})
        if len(siblings) >= self._account_max:
            self.retire(min(siblings.values(), key=lambda connection: connection.heard_at).routing_id)
