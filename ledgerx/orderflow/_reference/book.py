"""The two sides of a book, by level."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ledgerx.orderflow.types import BookAction, Side

__all__ = ["Levels"]


@dataclass
class Levels:
    """A symbol's book: price and size at each level's index."""

    sides: dict[int, dict[int, tuple[int, int]]] = field(default_factory=lambda: {Side.BID: {}, Side.ASK: {}})
    latest: tuple[int, int, int] | None = None  # sequence and both times of the latest event

    def apply(self, event: dict[str, int], stored: bool) -> None:
        """Take an event; one beyond the depth may be only noted."""
        self.latest = (event["sequence"], event["ts_exchange_ns"], event["ts_recv_ns"])
        levels = self.sides[event["side"]]
        if not stored:
            return
        if event["action"] == BookAction.DELETE:
            levels.pop(event["level"], None)
        else:
            levels[event["level"]] = (event["price"], event["size"])

    def snapshot(self, venue: str, symbol: str) -> dict[str, Any]:
        """The book as a dict; {} before its first event."""
        if self.latest is None:
            return {}
        rows = {
            name: [{"level": at, "price": p, "size": s} for at, (p, s) in sorted(self.sides[side].items())]
            for name, side in (("bids", Side.BID), ("asks", Side.ASK))
        }
        times = dict(zip(("last_sequence", "ts_exchange_ns", "ts_recv_ns"), self.latest, strict=True))
        return {"venue": venue, "symbol": symbol, **rows, **times}

    def figures(self) -> dict[str, Any]:
        """Imbalance and microprice of level 0, and whether any bid is at or above any ask."""
        bids = [price for price, size in self.sides[Side.BID].values() if size > 0]
        asks = [price for price, size in self.sides[Side.ASK].values() if size > 0]
        figures: dict[str, Any] = {"top_imbalance": None, "microprice": None}
        figures["crossed"] = bool(bids and asks and max(bids) >= min(asks))
        if 0 in self.sides[Side.BID] and 0 in self.sides[Side.ASK]:
            (bid, bid_size), (ask, ask_size) = self.sides[Side.BID][0], self.sides[Side.ASK][0]
            both = float(bid_size) + float(ask_size)
            if both > 0:
                figures["top_imbalance"] = (float(bid_size) - float(ask_size)) / both
                figures["microprice"] = (float(ask) * bid_size + float(bid) * ask_size) / both
        return figures
