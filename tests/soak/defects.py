"""Deliberate defects, each planted in a copy of the package: how many seeds the simulator needs."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "simulation"))
from planted import DEFECTS, plant, seeds_needed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="the first seed of the simulator")
    parser.add_argument("--seeds", type=int, default=2000, help="how many to try for each defect")
    parser.add_argument("--only", default="", help="a defect's name, or a part of it")
    options = parser.parse_args()
    missed = []
    for defect in DEFECTS:
        if options.only not in defect.name:
            continue
        with tempfile.TemporaryDirectory() as folder:
            plant(defect, Path(folder))
            needed, found = seeds_needed(Path(folder), start=options.seed, seeds_max=options.seeds)
        print(
            f"{defect.name}: {f'caught with seed number {needed}: {found}' if needed else 'NOT CAUGHT'}",
            flush=True,
        )
        if not needed:
            missed.append(defect.name)
    print(f"not caught: {', '.join(missed) or 'none'}")
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main())
