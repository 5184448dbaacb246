"""Feeds: sources of trades and book events that `Engine.poll_once` drains."""

from __future__ import annotations

from ledgerx.orderflow.feeds.feed import Feed

__all__ = ["Feed"]
