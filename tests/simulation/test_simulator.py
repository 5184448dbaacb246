"""The simulator's seeds of the plain suite, and what makes a seed worth something: it says all again."""

from __future__ import annotations

import pytest

from ledgerx.testing.simulator.course import simulate
from ledgerx.testing.simulator.runner import EXERCISED, Outcome, run_seeds, same_under_hash_seeds

SEEDS = 200


@pytest.mark.timeout(300)
@pytest.mark.no_cover
def test_two_hundred_markets_keep_every_promise_and_exercise_every_fault() -> None:
    outcome = run_seeds(range(SEEDS), jobs=2)
    assert not outcome.failures, "\n".join(outcome.failures.values())
    assert outcome.missing == []


@pytest.mark.parametrize("seed", [3, 17])
def test_a_seed_writes_the_same_journal_under_every_hash_seed(seed: int) -> None:
    assert same_under_hash_seeds(seed)


def test_a_seed_counts_the_same_again() -> None:
    assert simulate(5) == simulate(5)


def test_a_fault_that_never_came_is_a_failure() -> None:
    outcome = Outcome(seeds=SEEDS)
    outcome.counts.update({name: 1 for name in EXERCISED if name != "cuts"})
    assert outcome.missing == ["cuts"]
    assert not outcome.passed
