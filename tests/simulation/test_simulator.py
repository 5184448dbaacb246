"""The simulator's seeds of the plain suite, and what makes a seed worth something: it says all again."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ledgerx.testing.simulator.course import Course, simulate
from ledgerx.testing.simulator.plan import make_plan
from ledgerx.testing.simulator.runner import EXERCISED, Outcome, run_seeds

SEEDS = 200

DIGEST = """
import sys
from test_simulator import journal_of
print(journal_of(int(sys.argv[1])))
"""


def journal_of(seed: int) -> str:
    """A digest of the journal that a seed's course writes."""
    course = Course(make_plan(seed))
    try:
        course.run()
        return hashlib.sha256(course.venue.venue.journal.path.read_bytes()).hexdigest()
    finally:
        course.close()


@pytest.mark.timeout(300)
def test_two_hundred_markets_keep_every_promise_and_exercise_every_fault() -> None:
    outcome = run_seeds(range(SEEDS))
    assert not outcome.failures, "\n".join(outcome.failures.values())
    assert outcome.missing == []


@pytest.mark.parametrize("seed", [3, 17])
def test_a_seed_writes_the_same_journal_under_every_hash_seed(seed: int) -> None:
    found = {journal_of(seed)}
    for hash_seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(Path(__file__).parent)}
        command = [sys.executable, "-c", DIGEST, str(seed)]
        result = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        found.add(result.stdout.strip())
    assert len(found) == 1


def test_a_seed_counts_the_same_again() -> None:
    assert simulate(5) == simulate(5)


def test_a_fault_that_never_came_is_a_failure() -> None:
    outcome = Outcome(seeds=SEEDS)
    outcome.counts.update({name: 1 for name in EXERCISED if name != "cuts"})
    assert outcome.missing == ["cuts"]
    assert not outcome.passed
