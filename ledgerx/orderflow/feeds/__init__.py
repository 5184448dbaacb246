"""Feeds: sources of trades and book events that `Engine.poll_once` drains. VenueFeed loads the SDK when
named.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ledgerx.orderflow.feeds.feed import Feed

if TYPE_CHECKING:
    from ledgerx.orderflow.feeds.file_feed import FileFeed
    from ledgerx.orderflow.feeds.venue_feed import VenueFeed

__all__ = ["Feed", "FileFeed", "VenueFeed"]


def __getattr__(name: str) -> Any:
    """Load a feed when it is first named."""
    if name == "FileFeed":
        from ledgerx.orderflow.feeds.file_feed import FileFeed

        return FileFeed
    if name == "VenueFeed":
        from ledgerx.orderflow.feeds.venue_feed import VenueFeed

        return VenueFeed
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
