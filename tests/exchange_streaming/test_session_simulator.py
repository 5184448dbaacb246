"""Simulated sessions over a network that fails; `bin/soak sessions` runs many more worlds."""

from __future__ import annotations

import pytest

from ledgerx.testing.streaming.simulator import run_seed


@pytest.mark.parametrize("first", range(0, 50, 10))
def test_every_account_hears_its_line_once_and_in_order(first: int) -> None:
    counts = [run_seed(seed) for seed in range(first, first + 10)]
    total = {name: sum(count[name] for count in counts) for name in ("cuts", "venue crashes", "messages")}
    assert all(total.values())


def test_the_same_seed_gives_the_same_run() -> None:
    assert run_seed(3) == run_seed(3)
