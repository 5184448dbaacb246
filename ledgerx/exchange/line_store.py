"""Reads the accounts' lines back: which record holds each message of a line, and the latest ones in memory.

A line is what one account was sent, numbered from 1 without holes. The journal holds the messages and the
index that says where (segment_index.py); here stand the bytes of the latest messages of all accounts
together, at most `recent_bytes_max` of them, because nearly every read is of what was just written.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from ledgerx.errors import JournalCorrupt
from ledgerx.exchange.journal import Journal
from ledgerx.exchange.journal_pb2 import Record

__all__ = ["RECENT_BYTES_MAX", "LineStore"]

RECENT_BYTES_MAX: Final = 64 * 1024 * 1024

_ENTRY_BYTES: Final = 150  # what a message in memory costs beyond its own bytes, roughly


class _Line:
    """The latest messages of one account's line, by sequence: those from `first` on."""

    __slots__ = ("first", "recent")

    def __init__(self, first: int) -> None:
        self.first = first
        self.recent: dict[int, bytes] = {}


class LineStore:
    """Every account's line. `recent_bytes_max` bounds what is kept in memory, 0 keeps nothing."""

    def __init__(self, journal: Journal, *, recent_bytes_max: int = RECENT_BYTES_MAX) -> None:
        self._journal = journal
        self._lines: dict[int, _Line] = {}
        self._recent_bytes_max = recent_bytes_max
        self._recent_bytes = 0
        self._recent_order: deque[_Line] = deque()

    def head(self, cid: int) -> int:
        """The sequence of the account's last message; 0 before the first."""
        return self._journal.head(cid)

    def first_available(self, cid: int) -> int:
        """The first sequence of the account's line that is kept; one above the head where none is."""
        return self._journal.first_available(cid)

    def add(self, record: Record) -> None:
        """Keep the outputs of a record that has just been appended."""
        for output in record.outputs:
            if output.cid:
                self._add(output.cid, output.sequence, output.message)

    def read(
        self, cid: int, from_sequence: int, *, count_max: int, bytes_max: int, to_sequence: int | None = None
    ) -> list[bytes]:
        """The account's messages from `from_sequence` on, as first sent.

        At most `count_max`, none above `to_sequence`, and no more bytes than `bytes_max` (but one message
        in any case). Empty beyond the head, and before what is kept.
        """
        if from_sequence < 1:
            return []
        last = min(self.head(cid), from_sequence + count_max - 1)
        if to_sequence is not None:
            last = min(last, to_sequence)
        line = self._lines.get(cid)
        recent = {} if line is None else line.recent
        messages: list[bytes] = []
        size = 0
        for sequence in range(from_sequence, last + 1):
            message = recent.get(sequence)
            if message is None:
                message = self._stored(cid, sequence)
                if message is None:
                    break
            size += len(message)
            if messages and size > bytes_max:
                break
            messages.append(message)
        return messages

    def _add(self, cid: int, sequence: int, message: bytes) -> None:
        line = self._lines.get(cid)
        if line is None:
            line = self._lines[cid] = _Line(sequence)
        line.recent[sequence] = message
        self._recent_order.append(line)
        self._recent_bytes += len(message) + _ENTRY_BYTES
        while self._recent_bytes > self._recent_bytes_max:
            oldest = self._recent_order.popleft()
            dropped = oldest.recent.pop(oldest.first)
            oldest.first += 1
            self._recent_bytes -= len(dropped) + _ENTRY_BYTES

    def _stored(self, cid: int, sequence: int) -> bytes | None:
        number = self._journal.record_of(cid, sequence)
        if number is None:
            return None
        for output in self._journal.read(number).outputs:
            if output.cid == cid and output.sequence == sequence:
                return output.message
        raise JournalCorrupt(f"record {number} has lost message {sequence} of account {cid}", position=0)
