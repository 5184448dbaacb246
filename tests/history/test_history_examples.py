"""The manual's two programs for candles, in docs/examples, against a history of recorded trades."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledgerx.history.embedded import EmbeddedHistory, HistoryNote
from ledgerx.history.sources.files import FileSource

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
START_MS = 1_735_689_600_000
HOUR_MS = 3_600_000


def printed(name: str, *arguments: str) -> list[str]:
    command = [sys.executable, EXAMPLES / name, *arguments]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return result.stdout.splitlines()


@pytest.fixture
def note(tmp_path: Path) -> Iterator[HistoryNote]:
    """A history in which BINANCE has one trade every hour of the manual's week."""
    lines = [f"{90_000 + hour}.5,2,buy,{START_MS + hour * HOUR_MS}" for hour in range(24 * 7 + 1)]
    (tmp_path / "BTC_USDT-trades.csv").write_text("\n".join(["price,size,side,ts_ms", *lines]) + "\n")
    endpoints = {"relay_endpoint": "tcp://127.0.0.1:0", "notification_endpoint": "tcp://127.0.0.1:0"}
    source = FileSource(tmp_path, name="BINANCE")
    with EmbeddedHistory(tmp_path / "history", [source], **endpoints) as history:
        yield history.note


def test_the_manuals_first_program_fetches_a_week_of_hours(note: HistoryNote) -> None:
    endpoints = note.relay_endpoint, note.notification_endpoint
    for _ in range(2):  # fetched, and then from the warehouse
        first, _, row, *_ = printed("history_fetch.py", note.iceberg_catalog_uri, *endpoints)
        assert first == "Fetched 168 candles"
        assert row.split() == ["0", "1735689600000000", "900005", "900005", "900005", "900005", "2"]


def test_the_manuals_second_program_is_answered_by_the_relay(note: HistoryNote) -> None:
    assert printed("history_request.py", note.relay_endpoint, note.notification_endpoint) == ["OK 168 ohlc"]


NOTEBOOK = """
import ast, asyncio, inspect, json, sys
names = {}
for cell in json.load(open(sys.argv[1]))["cells"]:
    if cell["cell_type"] == "code":
        code = compile("".join(cell["source"]), "cell", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        result = eval(code, names)
        if inspect.iscoroutine(result):
            asyncio.run(result)
print(len(names["candles"]), names["candles"]["volume"].sum(), names["instrument"].price_scale)
"""


def test_the_notebook_runs_from_trades_to_a_picture() -> None:
    command = [sys.executable, "-c", NOTEBOOK, EXAMPLES / "candles.ipynb"]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)
    assert result.returncode == 0, result.stderr
    assert result.stdout.split() == ["72", str(sum(1 + second % 7 for second in range(0, 21_600, 5))), "10"]
