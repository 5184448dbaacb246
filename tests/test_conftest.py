"""What the conftest does for every test, seen on small suites of its own."""

from __future__ import annotations

import shlex
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

INTERRUPTED = """
import signal, subprocess, sys
def test_ctrl_c_reaches_what_a_test_starts():
    program = "import os, signal; os.kill(os.getpid(), signal.SIGINT)"
    done = subprocess.run([sys.executable, "-c", program], stderr=subprocess.DEVNULL)
    assert done.returncode == -signal.SIGINT
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


def run(text: str, folder: Path, first: str = "") -> subprocess.CompletedProcess[str]:
    conftest = CONFTEST.replace("GRACE_S = 5.0", "GRACE_S = 0.2")
    (folder / "conftest.py").write_text(conftest)
    (folder / "test_leak.py").write_text(text)
    (folder / "pytest.ini").write_text("[pytest]\n")
    suite = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(folder)]
    command = ["/bin/sh", "-c", f"{first} exec {shlex.join(suite)}"]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=60)


def test_a_suite_started_with_ctrl_c_ignored_has_it_nevertheless(tmp_path: Path) -> None:
    result = run(INTERRUPTED, tmp_path, "trap '' INT;")
    assert result.returncode == 0, result.stdout
