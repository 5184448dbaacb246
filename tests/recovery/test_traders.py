"""Several trading programs at once, each a process: nothing is lost, nothing happens twice."""

from __future__ import annotations

from ledgerx.testing.traders import run_traders


def test_orders_of_four_processes_add_up_and_positions_sum_to_zero() -> None:
    result = run_traders(clients=4, orders=800, kill=False, seed=1)
    assert (result.orders, result.acknowledged) == (800, 800 + result.cancels)
    assert result.lost == 0
    parts = (result.filled_size, result.canceled_size, result.refused_size, result.resting_size)
    assert result.sent_size == sum(parts)


def test_a_venue_killed_in_the_middle_loses_no_acknowledged_order_and_no_number_of_a_line() -> None:
    result = run_traders(clients=4, orders=1200, kill=True, seed=2)
    assert (result.orders, result.acknowledged) == (1200, 1200 + result.cancels)
    assert result.lost == 0
    assert result.run_changes == 4
