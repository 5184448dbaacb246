"""The account's line as one client sees it: which sequence numbers came, are held, were dispatched.

Sans-I/O. It releases sequenced messages strictly in order, once each, and says which hole to ask a
replay for. It knows numbers, not what the messages mean.
"""

from __future__ import annotations

from typing import Any

__all__ = ["AccountLine"]


class AccountLine:
    """Sequence numbers of one account at one venue."""

    def __init__(self, held_max: int) -> None:
        self.first = 0  # the first number of the line that this client takes part in
        self.dispatched_next = 0  # the next number to be dispatched; 0: no contact yet
        self.released_next = 0  # the next number to be given to dispatch
        self.head = 0  # the largest number the venue spoke of
        self._held: dict[int, Any] = {}
        self._held_max = held_max
        self._gap_since: float | None = None
        self._below: list[tuple[int, int]] = []  # what replays delivered below the baseline

    @property
    def known(self) -> bool:
        """Whether a baseline was taken."""
        return self.dispatched_next > 0

    def baseline(self, head: int) -> None:
        """Start after `head`: nothing up to it will be released."""
        self.first = self.dispatched_next = self.released_next = head + 1
        self.head = head
        self._held.clear()
        self._gap_since = None
        self._below.clear()

    def resume(self, first: int, following: int) -> None:
        """Go on where another client ended: `following` is the number to be dispatched next."""
        self.first = first
        self.dispatched_next = self.released_next = following
        self.head = following - 1

    def contradicts(self, head: int) -> bool:
        """Whether a venue whose head is this cannot be the one these numbers came from."""
        return self.known and head < self.released_next - 1

    def heard_head(self, head: int, now: float) -> None:
        """The venue says how long the line is."""
        self.head = max(self.head, head)
        if self.known and self.head >= self.released_next and self._gap_since is None:
            self._gap_since = now

    def accept(self, sequence: int, message: Any, now: float) -> list[tuple[int, Any]]:
        """Take one numbered message; returns what may be dispatched now, in order.

        A number seen before gives nothing. One above a hole is held if it lies within `held_max` of what
        was dispatched, which is the window that the venue sends. An ACK told again comes from beyond: it must
        not take the place of what the venue sends next, and comes once more in its turn.
        """
        self.head = max(self.head, sequence)
        if not self.known or sequence < self.released_next:
            return []
        if sequence > self.released_next:
            if sequence < self.dispatched_next + self._held_max:
                self._held[sequence] = message
            if self._gap_since is None:
                self._gap_since = now
            return []
        released = [(sequence, message)]
        self.released_next += 1
        while self.released_next in self._held:
            released.append((self.released_next, self._held.pop(self.released_next)))
            self.released_next += 1
        self._gap_since = now if self.head >= self.released_next else None
        return released

    def skip_to(self, sequence: int, now: float) -> list[tuple[int, Any]]:
        """The venue has nothing before `sequence` any more; returns what may be dispatched now, in order."""
        if not self.known or sequence <= self.released_next:
            return []
        if self.dispatched_next == self.released_next:
            self.dispatched_next = sequence
        self.released_next = sequence
        self._held = {number: held for number, held in self._held.items() if number >= sequence}
        self._gap_since = now if self.head >= sequence else None
        held = self._held.pop(sequence, None)
        return [] if held is None else self.accept(sequence, held, now)

    def hole(self, now: float, patience_s: float) -> tuple[int, int] | None:
        """From the first missing number to the last below what is held, if none came for `patience_s`.

        One request closes all the holes: one for each would take the longer the more there are. Asking
        restarts the patience, so that nothing is asked for twice in that time.
        """
        deadline = self.gap_deadline(patience_s)
        if deadline is None or now < deadline:
            return None
        self._gap_since = now
        last = max(self._held, default=self.head)
        while last in self._held:
            last -= 1
        return self.released_next, min(last, self.released_next + self._held_max - 1)

    def gap_deadline(self, patience_s: float) -> float | None:
        """When `hole` is worth asking next; None while nothing is missing.

        A head ahead of us is no hole while the handlers are behind: the venue is waiting for them.
        """
        behind = self.released_next > self.dispatched_next
        if self._gap_since is None or (not self._held and behind):
            return None
        return self._gap_since + patience_s

    def next_after(self, sequence: int) -> int | None:
        """The next number to be dispatched after this one; None if this one is of another line."""
        if sequence >= self.released_next:
            return None  # released before a new baseline
        return max(self.dispatched_next, sequence + 1)

    def dispatched(self, sequence: int, now: float) -> None:
        """The handler of this number returned."""
        if sequence >= self.released_next:
            return  # released before a new baseline: a number of another line
        self.dispatched_next = max(self.dispatched_next, sequence + 1)
        if self._gap_since is not None:
            self._gap_since = now

    def first_below(self, sequence: int) -> bool:
        """Whether a replayed number lies below the baseline and was not delivered before; notes it."""
        if sequence >= self.first:
            return False
        for low, high in self._below:
            if low <= sequence <= high:
                return False
        merged = (sequence, sequence)
        rest = []
        for low, high in self._below:
            if high + 1 == merged[0] or low == merged[1] + 1:
                merged = (min(low, merged[0]), max(high, merged[1]))
            else:
                rest.append((low, high))
        self._below = [*rest, merged]
        return True
