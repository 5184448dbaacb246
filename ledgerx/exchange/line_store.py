"""Reads the accounts' lines back: which record holds each message of a line, and the latest ones in memory.

A line is what one account was sent, numbered from 1 without holes. The journal holds the messages; here
stand 8 bytes a message that say where, and the bytes of the latest messages of all accounts together, at
most `recent_bytes_max` of them, because nearly every read is of what was just written.
"""

from __future__ import annotations

from array import array
from collections import deque
from typing import Final

from ledgerx.errors import JournalCorrupt
from ledgerx.exchange.journal import Journal
from ledgerx.exchange.journal_pb2 import Record

__all__ = ["RECENT_BYTES_MAX", "LineStore"]

RECENT_BYTES_MAX: Final = 64 * 1024 * 1024

_ENTRY_BYTES: Final = 150  # what a message in memory costs beyond its own bytes, roughly


class _Line:
    """One account's line. `records[i]` is the number of the record that holds message i + 1."""

    __slots__ = ("first_recent", "recent", "records")

    def __init__(self) -> None:
        self.records: array[int] = array("Q")
        self.recent: dict[int, bytes] = {}  # by sequence, those from first_recent on
        self.first_recent = 1


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
        line = self._lines.get(cid)
        return 0 if line is None else len(line.records)

    def add(self, record: Record) -> None:
        """Index the outputs of a record that has just been appended.

        Raises JournalCorrupt where a line's sequence has a hole.
        """
        for output in record.outputs:
            if output.cid:
                self._add(record.number, output.cid, output.sequence, output.message)

    def read(
        self, cid: int, from_sequence: int, *, count_max: int, bytes_max: int, to_sequence: int | None = None
    ) -> list[bytes]:
        """The account's messages from `from_sequence` on, as first sent.

        At most `count_max`, none above `to_sequence`, and no more bytes than `bytes_max` (but one message
        in any case). Empty beyond the head.
        """
        line = self._lines.get(cid)
        if line is None or from_sequence < 1:
            return []
        last = min(len(line.records), from_sequence + count_max - 1)
        if to_sequence is not None:
            last = min(last, to_sequence)
        messages: list[bytes] = []
        size = 0
        for sequence in range(from_sequence, last + 1):
            message = line.recent.get(sequence)
            if message is None:
                message = self._stored(line.records[sequence - 1], cid, sequence)
            size += len(message)
            if messages and size > bytes_max:
                break
            messages.append(message)
        return messages

    def _add(self, number: int, cid: int, sequence: int, message: bytes) -> None:
        line = self._lines.get(cid)
        if line is None:
            line = self._lines[cid] = _Line()
        line.records.append(number)
        if len(line.records) != sequence:
            raise JournalCorrupt(
                f"record {number} gives account {cid} message {sequence} after {len(line.records) - 1}",
                position=0,
            )
        line.recent[sequence] = message
        self._recent_order.append(line)
        self._recent_bytes += len(message) + _ENTRY_BYTES
        while self._recent_bytes > self._recent_bytes_max:
            oldest = self._recent_order.popleft()
            dropped = oldest.recent.pop(oldest.first_recent)
            oldest.first_recent += 1
            self._recent_bytes -= len(dropped) + _ENTRY_BYTES

    def _stored(self, number: int, cid: int, sequence: int) -> bytes:
        for output in self._journal.read(number).outputs:
            if output.cid == cid and output.sequence == sequence:
                return output.message
        raise JournalCorrupt(f"record {number} has lost message {sequence} of account {cid}", position=0)
