"""Which message ids were used, by whom and in which record: what makes a resend harmless.

The venue keeps the latest `mids_max` of all accounts. Beyond that the account that holds the most loses
its oldest, so that a busy account cannot push out a quiet one's. What is forgotten leaves a horizon: the
largest timestamp among it. An unknown mid at or below its account's horizon may be a late copy of a
forgotten one and must not be executed.
"""

from __future__ import annotations

import heapq
import struct
from array import array
from collections import deque
from typing import Final

from ledgerx.exchange import snapshot_pb2

__all__ = ["HORIZON_NONE", "MID_CHARACTERS", "Mids", "mid_key"]

MID_CHARACTERS: Final = 32
_KEY = struct.Struct("16s")

HORIZON_NONE: Final = -(2**63)
"""The horizon of an account of which nothing was forgotten: below every timestamp."""

# At the cap, this share of it goes at once, or each request would look for the largest account.
_EVICTED_SHARE: Final = 1000


def mid_key(mid: str) -> bytes | None:
    """The 16 bytes that a mid of 32 hex characters stands for, None if it is not one."""
    if len(mid) != MID_CHARACTERS:
        return None
    try:
        key = bytes.fromhex(mid)
    except ValueError:
        return None
    return key if len(key) == 16 else None  # fromhex passes over blanks


class _Line:
    """One account's mids in order of use; `timestamps` run parallel to `order`, from `start` on."""

    __slots__ = ("horizon", "numbers", "order", "start", "timestamps")

    def __init__(self) -> None:
        self.numbers: dict[bytes, int] = {}
        self.order: deque[bytes] = deque()
        self.timestamps: array[int] = array("q")
        self.start = 0
        self.horizon = HORIZON_NONE

    def forget_oldest(self) -> None:
        del self.numbers[self.order.popleft()]
        self.horizon = max(self.horizon, self.timestamps[self.start])
        self.start += 1
        if self.start > 64 and self.start * 2 > len(self.timestamps):
            del self.timestamps[: self.start]
            self.start = 0


class Mids:
    """The consumed mids of all accounts, at most `mids_max` of them."""

    def __init__(self, mids_max: int = 0) -> None:
        self._lines: dict[int, _Line] = {}
        self._count = 0
        self._mids_max = mids_max

    def __len__(self) -> int:
        return self._count

    def number(self, cid: int, key: bytes) -> int | None:
        """The record that consumed the mid, None if none did or it is forgotten."""
        line = self._lines.get(cid)
        return None if line is None else line.numbers.get(key)

    def horizon(self, cid: int) -> int:
        """The largest timestamp (ns) forgotten of this account, HORIZON_NONE if there is none."""
        line = self._lines.get(cid)
        return HORIZON_NONE if line is None else line.horizon

    def consume(self, cid: int, key: bytes, number: int, timestamp: int) -> None:
        """Marks a mid, which must not be known, as used by record `number`."""
        line = self._lines.get(cid)
        if line is None:
            line = self._lines[cid] = _Line()
        line.numbers[key] = number
        line.order.append(key)
        line.timestamps.append(timestamp)
        self._count += 1
        if self._count > self._mids_max:
            self._evict()

    def resize(self, mids_max: int) -> None:
        """Sets the cap; what is above it is forgotten."""
        self._mids_max = mids_max
        if self._count > mids_max:
            self._evict()

    def drop(self, cid: int) -> None:
        """Forgets an account that will never ask again."""
        line = self._lines.pop(cid, None)
        if line is not None:
            self._count -= len(line.order)

    def pack(self, snapshot: snapshot_pb2.Snapshot) -> None:
        """Write the whole table into a snapshot."""
        snapshot.mids_max = self._mids_max
        for cid, line in self._lines.items():
            snapshot.mids.add(
                cid=cid,
                horizon=line.horizon,
                keys=b"".join(line.order),
                numbers=array("Q", line.numbers.values()).tobytes(),
                timestamps=line.timestamps[line.start :].tobytes(),
            )

    def unpack(self, snapshot: snapshot_pb2.Snapshot) -> None:
        """Fill the table, which is new, from a snapshot."""
        self._mids_max = snapshot.mids_max
        for packed in snapshot.mids:
            line = self._lines[packed.cid] = _Line()
            line.horizon = packed.horizon
            line.order.extend(key for (key,) in _KEY.iter_unpack(packed.keys))
            numbers = array("Q")
            numbers.frombytes(packed.numbers)
            line.numbers.update(zip(line.order, numbers, strict=True))
            line.timestamps.frombytes(packed.timestamps)
            self._count += len(line.order)

    def _evict(self) -> None:
        target = max(self._mids_max - self._mids_max // _EVICTED_SHARE, 0)
        largest = [(-len(line.order), cid) for cid, line in self._lines.items()]
        heapq.heapify(largest)
        while self._count > target:
            held, cid = largest[0]
            self._lines[cid].forget_oldest()
            self._count -= 1
            heapq.heapreplace(largest, (held + 1, cid))
