"""A day of a few rows, so that the flow is tested where there is no recorded one."""

from __future__ import annotations

from pathlib import Path

MESSAGES = """\
34200.1,1,11,10,1000000,1
34200.2,1,12,5,1000000,1
34200.3,1,13,7,1000500,-1
34200.4,4,13,3,1000500,-1
34200.5,2,12,2,1000000,1
34200.6,5,0,1,1000200,-1
34200.7,4,99,10,1000000,1
34200.8,4,12,3,1000000,1
34200.9,3,13,4,1000500,-1
"""

# One level a side; "" is none.
LEVELS = """\
10005 8 10000 10
10005 8 10000 15
10005 15 10000 15
10005 12 10000 15
10005 12 10000 13
10005 12 10000 13
10005 12 10000 3
10005 12 9990 50
10005 8 9990 50
"""


def write_small_day(folder: Path) -> Path:
    """Writes the two files; returns that of the messages."""
    rows = []
    for line in LEVELS.splitlines():
        ask, ask_size, bid, bid_size = (int(value) for value in line.split())
        rows.append(f"{ask * 100},{ask_size},{bid * 100},{bid_size}\n")
    path = folder / "SMALL_message_1.csv"
    path.write_text(MESSAGES)
    (folder / "SMALL_orderbook_1.csv").write_text("".join(rows))
    return path
