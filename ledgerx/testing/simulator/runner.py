"""Many seeds: their courses, on as many processes as wanted, and what was exercised by all of them.

A kind of fault that never came is a failure too: a simulator that exercises nothing finds nothing.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from ledgerx.testing.simulator.course import SimulationFailed, journal_digest, simulate

__all__ = ["EXERCISED", "EXERCISED_SEEDS_MIN", "Outcome", "run_seeds", "same_under_hash_seeds"]

_DIGEST = """
import sys
from ledgerx.testing.simulator.course import journal_digest
print(journal_digest(int(sys.argv[1])))
"""

EXERCISED_SEEDS_MIN = 200
"""Over fewer seeds chance may leave a kind of fault out."""

# What must have happened at least once.
EXERCISED = (
    "baselines taken anew",
    "venues that lost data",
    "frames refused by full sockets",
    "frames that came after the next connection",
    "holes asked for",
    "journals executed with the reference book",
    "requests from handlers",
    "abandoned",
    "batches",
    "books resynchronised",
    "callbacks set late",
    "client crashes",
    "client crashes with a file",
    "client stops",
    "messages told again after a crash",
    "clock jumps",
    "cuts",
    "cuts that lost frames",
    "duplicates",
    "feed messages lost",
    "feed ranges lost",
    "feed tails lost",
    "half-open connections",
    "handlers that raised",
    "middle ranges lost",
    "pauses",
    "power cuts",
    "refusals",
    "replays asked for",
    "requests expired",
    "resends",
    "run changes",
    "slow handlers",
    "snapshots",
    "snapshots damaged",
    "starts beside snapshots",
    "stalls",
    "strays",
    "torn tails cut",
    "torn writes",
    "trades",
    "venue crashes after the turn",
    "venue crashes after the write",
    "venue crashes before the write",
    "venue crashes torn write",
    "venue crashes while sending",
    "venue stops",
)


@dataclass(slots=True)
class Outcome:
    """What became of a range of seeds: `failures` by seed, `counts` of all that passed."""

    seeds: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    failures: dict[int, str] = field(default_factory=dict)

    @property
    def missing(self) -> list[str]:
        """Kinds of fault that never came, where there were seeds enough to expect each."""
        if self.seeds < EXERCISED_SEEDS_MIN:
            return []
        return [name for name in EXERCISED if not self.counts[name]]

    @property
    def passed(self) -> bool:
        """Whether every promise was kept, and tried."""
        return not self.failures and not self.missing


def run_seeds(seeds: Iterable[int], *, jobs: int = 1, failures_max: int = 5) -> Outcome:
    """Run each seed's course on `jobs` processes; gives up after `failures_max` failures."""
    outcome = Outcome()
    for seed, counts, failure in _results(seeds, jobs):
        outcome.seeds += 1
        outcome.counts.update(counts)
        if failure:
            outcome.failures[seed] = failure
            if len(outcome.failures) >= failures_max:
                break
    return outcome


def same_under_hash_seeds(seed: int) -> bool:
    """Whether a seed's course writes the same journal in processes of other hash seeds."""
    found = {journal_digest(seed)}
    for hash_seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
        command = [sys.executable, "-c", _DIGEST, str(seed)]
        result = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        found.add(result.stdout.strip())
    return len(found) == 1


def _results(seeds: Iterable[int], jobs: int) -> Iterator[tuple[int, Counter[str], str]]:
    if jobs <= 1:
        yield from map(_one, seeds)
        return
    with multiprocessing.get_context("spawn").Pool(jobs, _be_quiet) as pool:
        yield from pool.imap_unordered(_one, seeds, chunksize=20)


def _be_quiet() -> None:
    """What simulated programs and venues complain of is expected."""
    logging.disable(logging.CRITICAL)


def _one(seed: int) -> tuple[int, Counter[str], str]:
    try:
        return seed, simulate(seed), ""
    except SimulationFailed as failed:
        return seed, Counter(), str(failed)
