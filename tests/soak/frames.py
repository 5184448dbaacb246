"""2,000,000 hostile frames through streaming sessions of both roles, 200,000 payloads through the desk."""

from __future__ import annotations

import argparse
import sys

from ledgerx.errors import Error
from ledgerx.testing.streaming.fuzz import fuzz_desk, fuzz_sessions


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--frames", type=int, default=2_000_000)
    parser.add_argument("--payloads", type=int, default=200_000)
    options = parser.parse_args()
    try:
        sessions = fuzz_sessions(options.frames, options.seed)
        desk = fuzz_desk(options.payloads, options.seed)
    except Error as error:
        print(f"{type(error).__name__}: {error}")
        return 1
    print(", ".join(f"{name} {count:,}" for name, count in (*sessions.items(), *desk.items())), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
