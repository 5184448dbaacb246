"""100 rounds of kill -9 at random instants of a venue and of trading programs with durable stores."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict

from ledgerx.clock import SYSTEM_CLOCK
from ledgerx.errors import Error
from ledgerx.testing.recovery import run_recovery


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--clients", type=int, default=2)
    options = parser.parse_args()
    begun = SYSTEM_CLOCK.monotonic()
    try:
        result = run_recovery(
            rounds=options.rounds, kill_venue=True, seed=options.seed, clients=options.clients
        )
    except Error as error:
        print(f"{type(error).__name__}: {error}")
        return 1
    counts = ", ".join(f"{name} {count:,}" for name, count in asdict(result).items())
    print(f"rounds {options.rounds}, {counts}, {SYSTEM_CLOCK.monotonic() - begun:.1f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
