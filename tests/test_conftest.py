"""The leak guard itself, run on small suites of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).with_name("conftest.py").read_text()

LEAKS_SOCKET = """
import zmq
kept = []
def test_leak():
    kept.append(zmq.Context.instance().socket(zmq.PAIR))
"""

LEAKS_THREAD = """
import threading
stop = threading.Event()
def test_leak():
    threading.Thread(target=stop.wait, args=(20,), name="stray").start()
def test_end():
    stop.set()
"""

CLEAN = """
import threading, zmq
def test_clean():
    with zmq.Context() as context, context.socket(zmq.PAIR):
        thread = threading.Thread(target=print)
        thread.start()
        thread.join()
"""


@pytest.mark.parametrize(
    ("text", "message"), [(LEAKS_SOCKET, "sockets or contexts left open"), (LEAKS_THREAD, "stray")]
)
def test_a_test_that_leaks_fails(text: str, message: str, tmp_path: Path) -> None:
    result = run(text, tmp_path)
    assert result.returncode == 1
    assert message in result.stdout


def test_a_test_that_closes_what_it_opens_passes(tmp_path: Path) -> None:
    result = run(CLEAN, tmp_path)
    assert result.returncode == 0, result.stdout


def run(text: str, folder: Path) -> subprocess.CompletedProcess[str]:
    conftest = CONFTEST.replace("GRACE_S = 5.0", "GRACE_S = 0.2")
    (folder / "conftest.py").write_text(conftest)
    (folder / "test_leak.py").write_text(text)
    (folder / "pytest.ini").write_text("[pytest]\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(folder)]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=60)
