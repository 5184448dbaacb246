"""Eight threads, one order-flow engine: singles, batches, callbacks and snapshots at once, for a minute."""

from __future__ import annotations

import argparse
import collections
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "orderflow"))
from engine_threads import hammer


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="unused: the schedule is the machine's")
    parser.add_argument("--seconds", type=float, default=60.0)
    options = parser.parse_args()
    totals: collections.Counter[str] = collections.Counter()
    begun = time.monotonic()
    while time.monotonic() - begun < options.seconds:
        counts = hammer(rounds=2, trades=2_000)
        assert counts["lots"] == counts["lots expected"], counts
        assert counts["events"] == counts["events expected"], counts
        totals.update(counts)
    print(", ".join(f"{name} {count:,}" for name, count in sorted(totals.items())), flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
