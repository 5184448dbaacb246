"""Trading programs killed with SIGKILL under load and started again on their durable stores."""

from __future__ import annotations

from ledgerx.testing.recovery import run_recovery


def test_ten_kills_of_clients_lose_nothing_and_tell_nothing_twice_without_the_flag() -> None:
    result = run_recovery(rounds=10, kill_venue=False, seed=1)
    assert result.client_kills >= 10
    assert (result.lost, result.doubled) == (0, 0)
    assert result.acknowledged == result.requests > 0
    assert result.flagged <= result.client_kills
    assert result.fills > 0
    assert result.reactions > 0


def test_ten_rounds_that_kill_the_venue_too() -> None:
    result = run_recovery(rounds=10, kill_venue=True, seed=2)
    assert result.venue_kills > 0
    assert result.acknowledged == result.requests > 0
