"""The C book beside its plain-Python twin for 1,000,000 steps, by the Hypothesis machine of tests/clob."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from hypothesis import Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "clob"))
from book_twins import RULES, STEPS, Twins, exercised


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", type=int, default=1_000_000)
    options = parser.parse_args()
    sequences = -(-options.steps // (RULES * STEPS))
    chosen = settings(
        max_examples=sequences,
        stateful_step_count=RULES + 1,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
    )
    round_number = 0
    while exercised["steps"] < options.steps:
        machine = seed(options.seed + round_number)(type("Twins", (Twins,), {}))
        run_state_machine_as_test(machine, settings=chosen)
        round_number += 1
    print(", ".join(f"{name} {count:,}" for name, count in sorted(exercised.items())), flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
