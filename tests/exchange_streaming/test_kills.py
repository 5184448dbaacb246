"""Processes that are killed: every message of an account is heard once, no order is sent twice."""

from __future__ import annotations

from ledgerx.testing.streaming.kills import run_kills


def test_what_killed_traders_and_venues_leave_is_heard_once_and_whole() -> None:
    result = run_kills(rounds=5, seed=6)
    assert result.trader_kills + result.venue_kills == 5
    assert result.accepted > 0 < result.executions
