"""10,000 orders from 4 client processes at once, then again with the venue killed in the middle."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict

from ledgerx.clock import SYSTEM_CLOCK
from ledgerx.errors import Error
from ledgerx.testing.traders import run_traders


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--orders", type=int, default=10_000)
    parser.add_argument("--clients", type=int, default=4)
    options = parser.parse_args()
    for kill in (False, True):
        begun = SYSTEM_CLOCK.monotonic()
        try:
            result = run_traders(clients=options.clients, orders=options.orders, kill=kill, seed=options.seed)
        except Error as error:
            print(f"kill {kill}: {type(error).__name__}: {error}")
            return 1
        counts = ", ".join(f"{name} {count:,}" for name, count in asdict(result).items())
        print(f"{counts}, {SYSTEM_CLOCK.monotonic() - begun:.1f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
