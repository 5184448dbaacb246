"""100 rounds of kill -9 at random instants of a venue and of traders with streaming sessions."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict

from ledgerx.errors import Error
from ledgerx.testing.streaming.kills import run_kills


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=100)
    options = parser.parse_args()
    try:
        result = run_kills(options.rounds, options.seed)
    except Error as error:
        print(f"{type(error).__name__}: {error}")
        return 1
    print(
        f"rounds {options.rounds}, " + ", ".join(f"{k} {v:,}" for k, v in asdict(result).items()), flush=True
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
