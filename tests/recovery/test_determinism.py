"""The same requests make the same journal, to the byte, whatever the process that wrote it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from venue_harness import HandClock

from ledgerx.exchange.venue import Venue

HARNESS = Path(__file__).resolve().parent.parent / "exchange"
STREAM = Path(__file__).with_name("request_stream.py")


def written(folder: Path, hash_seed: str) -> bytes:
    environment = os.environ | {"PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(HARNESS)}
    subprocess.run([sys.executable, str(STREAM), str(folder), "5", "3000"], env=environment, check=True)
    (journal,) = (folder / "journal").glob("*.journal")
    return journal.read_bytes()


def test_two_hash_seeds_write_the_same_journal_which_any_process_executes_again(tmp_path: Path) -> None:
    first = written(tmp_path / "a", "1")
    assert first == written(tmp_path / "b", "4711")
    venue = Venue.open(tmp_path / "a", clock=HandClock())  # a process of a third seed compares every output
    assert venue.engine.run_id == 2
    assert any(account.holdings for account in venue.engine.accounts.values())
    assert venue.journal.committed > 1000
    venue.close()
