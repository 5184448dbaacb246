"""How long an import of the client takes, beside an interpreter that imports what the client needs alone.

What `python -X importtime` says, the best of five runs each; expected is less than half a second.
"""

from __future__ import annotations

import subprocess
import sys

MODULES = ("ledgerx.sdk", "ledgerx.sdk.context")
NEEDED = ("zmq", "google.protobuf.message", "nacl.public")
RUNS = 5
EXPECTED_S = 0.5


def import_s(module: str) -> float:
    """The best time of one module, all that it brings included."""
    command = [sys.executable, "-X", "importtime", "-c", f"import {module}"]
    runs = [subprocess.run(command, capture_output=True, text=True, check=True).stderr for _ in range(RUNS)]
    lines = [next(line for line in run.splitlines() if line.endswith(f" {module}")) for run in runs]
    return min(int(line.split("|")[1]) for line in lines) / 1e6


def main() -> int:
    limit = sum(map(import_s, NEEDED))
    print(f"{'what it needs':22} {limit:.3f} s")
    for module in MODULES:
        taken = import_s(module)
        verdict = "met" if taken < EXPECTED_S else "missed"
        print(f"{module:22} {taken:.3f} s, {taken / limit:.1f} times that; under {EXPECTED_S} s: {verdict}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
