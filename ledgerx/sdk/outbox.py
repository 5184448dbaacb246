"""What waits to leave on the present connection, in order: ready, or held back until it is stored.

Sans-I/O. With a durable store no byte of a request leaves before its file has the request, and the line
that its answers will be in; what was submitted behind one that is held back waits with it.
"""

from __future__ import annotations

from collections import deque

from ledgerx.sdk.items import RequestItem

__all__ = ["Outbox"]


class Outbox:
    """The messages of one connection that have not left."""

    def __init__(self) -> None:
        self.blocked = False  # the line's baseline is not stored: no request may leave
        self._ready: deque[bytes] = deque()
        self._held: dict[str, RequestItem] = {}
        self._in_hand: list[bytes] = []

    def __bool__(self) -> bool:
        """Whether anything waits, held back or not."""
        return bool(self._ready or self._held)

    @property
    def ready(self) -> bool:
        """Whether something may leave."""
        return bool(self._ready)

    def held(self) -> list[RequestItem]:
        """The requests that are held back, in order."""
        return list(self._held.values())

    def put_hello(self, encoded: bytes) -> None:
        """A hello, ahead of requests: after a long silence the venue may have forgotten the connection."""
        self._ready.appendleft(encoded)

    def put_request(self, item: RequestItem) -> None:
        """A request, behind all that were put before."""
        assert item.encoded is not None
        if item.mid in self._held:
            return
        if self.blocked or self._held or not item.saved:
            self._held[item.mid] = item
        else:
            self._ready.append(item.encoded)

    def drop(self, item: RequestItem) -> None:
        """Forget a request that is held back."""
        if self._held.pop(item.mid, None) is not None:
            self.release()

    def release(self) -> None:
        """Something was stored: let what waited for it go."""
        while self._held and not self.blocked:
            mid, item = next(iter(self._held.items()))
            if not item.saved or item.encoded is None:
                return
            del self._held[mid]
            self._ready.append(item.encoded)

    def clear(self) -> None:
        """The connection is another one."""
        self._ready.clear()
        self._held.clear()

    def take(self, messages_max: int, bytes_max: int) -> list[bytes]:
        """The messages of the next frame; none if nothing may leave."""
        taken: list[bytes] = []
        size = 0
        while self._ready and len(taken) < messages_max:
            size += len(self._ready[0]) + 8
            if taken and size > bytes_max:
                break
            taken.append(self._ready.popleft())
        self._in_hand = taken
        return taken

    def give_back(self) -> None:
        """The socket did not take the last frame: its messages go back to the front."""
        self._ready.extendleft(reversed(self._in_hand))
        self._in_hand = []
