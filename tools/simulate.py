"""Run seeds of the simulator: `bin/simulate --seeds N [--start S] [--jobs J]`."""

from __future__ import annotations

import argparse
import logging
import os
import sys

from run_script import commit

from ledgerx.clock import SYSTEM_CLOCK
from ledgerx.testing.simulator.runner import run_seeds, same_under_hash_seeds

__all__ = ["main"]


def main() -> int:
    """Run the seeds asked for."""
    parser = argparse.ArgumentParser(prog="bin/simulate", description=__doc__)
    parser.add_argument("--seeds", type=int, default=200, help="how many seeds")
    parser.add_argument("--start", type=int, default=0, help="the first seed")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="how many processes")
    parser.add_argument("--failures", type=int, default=5, help="give up after so many")
    options = parser.parse_args()
    logging.disable(logging.ERROR)  # what simulated programs and venues complain of is expected
    last = options.start + options.seeds - 1
    print(f"simulate: seeds {options.start} to {last}, commit {commit()}", flush=True)
    begun = SYSTEM_CLOCK.monotonic()
    seeds = range(options.start, last + 1)
    outcome = run_seeds(seeds, jobs=min(options.jobs, options.seeds), failures_max=options.failures)
    different = [
        seed
        for seed in seeds[:: max(1, len(seeds) // 2)]
        if not outcome.failures and not same_under_hash_seeds(seed)
    ]
    print(", ".join(f"{name} {count:,}" for name, count in sorted(outcome.counts.items())))
    for failure in outcome.failures.values():
        print(failure)
    for name in outcome.missing:
        print(f"never exercised: {name}")
    for seed in different:
        print(f"seed {seed} writes another journal under another PYTHONHASHSEED")
    passed = outcome.passed and not different
    elapsed_s = SYSTEM_CLOCK.monotonic() - begun
    print(f"simulate: {outcome.seeds} seeds, {elapsed_s:.0f} s, {'PASS' if passed else 'FAIL'}")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
