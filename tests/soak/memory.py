"""10 million messages through one Context against a venue process: neither may hold more at the end."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

MESSAGES = 10_000_000
WARM = 2_000_000  # what is resident after these is what is compared with
GROWTH_MAX = 0.10
MIDS_MAX = 100_000
REPORT_EVERY = 500_000
ORDERS_OF_A_BATCH = 199  # and a cancel of all
CHILD = Path(__file__).resolve().with_name("_memory_child.py")


def resident_bytes(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096


def child(role: str, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, str(CHILD), role, *arguments]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def line_of(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, f"a process ended with code {process.wait()}"
    found: dict[str, Any] = json.loads(line)
    return found


def run(messages: int, warm: int, report_every: int) -> dict[str, Any]:
    """Counts, and the resident megabytes of both after `warm` messages and at the end."""
    venue = child("venue", str(MIDS_MAX))
    ready = line_of(venue)
    client = child("client", json.dumps(ready), str(messages), str(report_every), str(ORDERS_OF_A_BATCH))
    resident: list[tuple[int, int, int]] = []
    begun = time.monotonic()
    try:
        while True:
            report = line_of(client)
            at = (report["messages"], resident_bytes(client.pid), resident_bytes(venue.pid))
            resident.append(at)
            print(
                f"{at[0]:>12,} messages, client {at[1] / 1e6:6.1f} MB, venue {at[2] / 1e6:6.1f} MB, "
                f"{time.monotonic() - begun:6.0f} s",
                flush=True,
            )
            if at[0] >= messages:
                break
    finally:
        client.kill()
        venue.kill()
        client.wait()
        venue.wait()
    before = next(at for at in resident if at[0] >= warm)
    return {"messages": resident[-1][0], "before": before[1:], "after": resident[-1][1:], **report["counts"]}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="unused: nothing is drawn")
    parser.add_argument("--messages", type=int, default=MESSAGES)
    options = parser.parse_args()
    share = options.messages / MESSAGES
    found = run(options.messages, round(WARM * share), max(1_000, round(REPORT_EVERY * share)))
    grown = [after / before - 1 for before, after in zip(found["before"], found["after"], strict=True)]
    print(", ".join(f"{name} {value:,}" for name, value in found.items() if isinstance(value, int)))
    print(f"grown since {WARM * share:,.0f} messages: client {grown[0]:+.1%}, venue {grown[1]:+.1%}")
    return 0 if max(grown) <= GROWTH_MAX else 1


if __name__ == "__main__":
    raise SystemExit(main())
