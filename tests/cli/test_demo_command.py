"""`pyledgerx demo`: a whole session, verified, with and without a recorded day."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner

from ledgerx.cli.main import main


def test_the_demo_ends_with_its_counts_and_nothing_lost_on_one_line_however_narrow() -> None:
    result = CliRunner().invoke(main, ["demo"], env={"COLUMNS": "30"})
    assert result.exit_code == 0, result.output
    last = result.output.splitlines()[-1]
    assert re.fullmatch(r"demo: 300 orders, \d+ fills, 1 batches, 1 run change, 0 lost", last)


def test_the_demo_trades_a_recorded_day_on_the_same_venue(shared_data: Path) -> None:
    file = shared_data / "lobster" / "AMZN_2012-06-21_5.zip"
    result = CliRunner().invoke(main, ["demo", "--flow", str(file), "--limit", "500"])
    assert result.exit_code == 0, result.output
    flow, last = result.output.splitlines()[-2:]
    executions = re.search(r"(\d+) of (\d+) executions as recorded", result.output)
    assert executions is not None, flow
    assert executions[1] == executions[2] != "0"
    assert last.endswith("0 lost")


def test_a_file_that_is_no_recorded_day_is_named_before_anything_starts(tmp_path: Path) -> None:
    file = tmp_path / "day.zip"
    for code in (2, 1):  # absent, then a text
        result = CliRunner().invoke(main, ["demo", "--flow", str(file)])
        assert result.exit_code == code
        assert str(file) in result.output
        assert "venue:" not in result.output
        file.write_text("no zip\n")


def test_a_number_of_rows_needs_the_day_that_has_them() -> None:
    result = CliRunner().invoke(main, ["demo", "--limit", "5"])
    assert result.exit_code == 2
    assert "--limit needs --flow" in result.output


def test_sigterm_ends_the_demo_and_its_venue() -> None:
    command = [sys.executable, "-m", "ledgerx.cli", "demo"]
    demo = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert demo.stdout is not None
    assert demo.stdout.readline().startswith("venue: process ")
    demo.terminate()
    # The venue has inherited the error stream: this returns once it is gone too.
    assert demo.communicate(timeout=60)[1] == ""
    assert demo.returncode == 128 + signal.SIGTERM
