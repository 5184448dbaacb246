"""2,000 simulated worlds of streaming sessions with cuts, gaps and deaths: all is heard once, in order."""

from __future__ import annotations

import argparse
import sys
from collections import Counter

from ledgerx.errors import Error
from ledgerx.testing.streaming.simulator import run_seed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="the first one")
    parser.add_argument("--seeds", type=int, default=2000)
    options = parser.parse_args()
    counts: Counter[str] = Counter()
    failures = 0
    for seed in range(options.seed, options.seed + options.seeds):
        try:
            counts += run_seed(seed)
        except Error as error:
            failures += 1
            print(f"{type(error).__name__}: {error}", flush=True)
    shown = ", ".join(f"{name} {count:,}" for name, count in sorted(counts.items()))
    print(f"seeds {options.seeds:,}, failures {failures}, {shown}", flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
