"""The order-flow examples of the documentation, run as they stand."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"


def printed(name: str, *arguments: str | Path) -> list[str]:
    command = [sys.executable, EXAMPLES / name, *arguments]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout.splitlines()


def test_the_quickstart_reads_an_engine_without_a_feed() -> None:
    lines = printed("orderflow_quickstart.py")
    assert lines[0] == "api_version 65536"
    assert lines[2:] == ["analytics {}", "signal {}", "started True"]


def test_the_ingest_example_is_told_of_its_gap() -> None:
    assert printed("orderflow_ingest.py") == [
        "health healthy []",
        "delta None control None",
        "delta 200 control 62510000",
        "health degraded ['SEQUENCE_GAP']",
        "delta 150 control 62510000",
        "health healthy []",
        "delta 150 control 62510000",
        "signal blocked",
    ]


def test_the_footprint_example_draws_a_recorded_file(shared_data: Path, tmp_path: Path) -> None:
    path = shared_data / "candles" / "BTCUSDT-perp-trades-2024-08-08T2354.csv.gz"
    lines = printed("orderflow_footprint.py", path, tmp_path / "footprint.png")
    assert lines[0] == "bought 1251576 sold 1177790"
    assert (tmp_path / "footprint.png").stat().st_size > 10_000
