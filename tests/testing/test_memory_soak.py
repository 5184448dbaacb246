"""The memory soak's own parts, over few messages: that it counts, and that its processes end."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SOAK = Path(__file__).parents[1] / "soak" / "memory.py"


def test_a_short_run_counts_its_messages_and_refuses_none() -> None:
    # What is resident after so few messages is no measure: the exit code is not looked at.
    command = [sys.executable, str(SOAK), "--messages", "10000"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.stderr == ""
    assert "refusals 0, " in result.stdout
    assert "grown since 2,000 messages: client " in result.stdout
