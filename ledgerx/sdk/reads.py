"""Requests whose answers have no number: reads and replays, from their sending to their last answer.

Sans-I/O. What a connection took along with it is asked for again, so one question may be answered more than
once; what comes after the last answer is a copy, also of a refusal.
"""

from __future__ import annotations

from collections import OrderedDict

from ledgerx.sdk.items import RequestItem

__all__ = ["Reads"]

# How many are remembered once they ended: the answers to their copies come soon after.
_ENDED_MAX = 1000


class Reads:
    """Reads in progress by mid, and those that ended lately."""

    def __init__(self) -> None:
        self._items: dict[str, RequestItem] = {}
        self._ended: OrderedDict[str, None] = OrderedDict()

    def __bool__(self) -> bool:
        return bool(self._items)

    def __contains__(self, mid: str) -> bool:
        return mid in self._items

    def get(self, mid: str) -> RequestItem | None:
        """The read of that mid, if it is in progress."""
        return self._items.get(mid)

    def add(self, item: RequestItem) -> None:
        """It was sent."""
        self._items[item.mid] = item

    def end(self, item: RequestItem) -> None:
        """Its last answer came, or nothing is waited for any more. May be called again, and for any item."""
        if self._items.pop(item.mid, None) is not None:
            self._ended[item.mid] = None
            if len(self._ended) > _ENDED_MAX:
                self._ended.popitem(last=False)

    def ended(self, mid: str) -> bool:
        """Whether what answers this mid is the copy of an answer that came, or is no longer wanted."""
        return mid in self._ended

    def lost(self) -> list[RequestItem]:
        """Those acknowledged on an older connection whose answers did not all come."""
        return [item for item in self._items.values() if item.acknowledged]
