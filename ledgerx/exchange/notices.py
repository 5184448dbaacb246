"""What the shell says by itself: statuses of requests that are not executed, hello, heartbeats.

None of it is sequenced or journaled: it goes to the asker only and states the head it is true at.
"""

from __future__ import annotations

from collections.abc import Mapping

from ledgerx.api.client import v0_0_1 as api
from ledgerx.api.client.v0_0_1 import MessageHeartbeat, MessageHello, MessageStatus, TopicHead
from ledgerx.exchange.encoding import encode

__all__ = ["Notices", "feed_heartbeat"]


class Notices:
    """Encoded messages to one account, as of one moment.

    `time` is engine time (ns), `head` the last sequence of the account's line.
    """

    def __init__(self, *, cid: int, mpid: int, run_id: int, time: int, head: int) -> None:
        self._cid = cid
        self._mpid = mpid
        self._run_id = run_id
        self._time = time
        self._head = head

    def status(
        self,
        mid: str,
        status: MessageStatus.Status,
        text: str,
        *,
        field: str = "",
        remaining: int = 0,
        next_sequence: int = 0,
        first_available: int = 0,
    ) -> bytes:
        """A status; `next_sequence` and `first_available` as a replay's end has them."""
        return encode(
            MessageStatus(
                mid=mid,
                mversion=api.VERSION,
                run_id=self._run_id,
                timestamp=self._time,
                cid=self._cid,
                mpid=self._mpid,
                as_of=self._head,
                remaining=remaining,
                status=status,
                message=text,
                field=field,
                next=next_sequence,
                first_available=first_available,
            )
        )

    def hello(self, request: MessageHello, *, venue_id: str, interval_ms: int) -> bytes:
        """The answer to a connection's first hello."""
        return encode(
            MessageHello(
                mid=request.mid,
                mversion=api.VERSION,
                run_id=self._run_id,
                timestamp=self._time,
                cid=self._cid,
                mpid=self._mpid,
                as_of=self._head,
                client_instance=request.client_instance,
                connection=request.connection,
                venue_id=venue_id,
                head=self._head,
                interval_ms=interval_ms,
            )
        )

    def heartbeat(self, *, interval_ms: int) -> bytes:
        """The venue's sign of life on a request connection."""
        return encode(
            MessageHeartbeat(
                mversion=api.VERSION,
                run_id=self._run_id,
                timestamp=self._time,
                cid=self._cid,
                mpid=self._mpid,
                as_of=self._head,
                interval_ms=interval_ms,
                head=self._head,
            )
        )


def feed_heartbeat(heads: Mapping[str, int], *, run_id: int, time: int, interval_ms: int) -> bytes:
    """The feed's sign of life, and the echo of a subscription: the last number of each topic named."""
    return encode(
        MessageHeartbeat(
            mversion=api.VERSION,
            run_id=run_id,
            timestamp=time,
            interval_ms=interval_ms,
            heads=[TopicHead(topic=topic, sequence=sequence) for topic, sequence in heads.items()],
        )
    )
