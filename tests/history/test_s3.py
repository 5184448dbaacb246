"""A warehouse whose files are in S3, of an emulator on loopback: the warehouse's tests, and its upkeep."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
BUCKET = "candles"


def made_bucket(endpoint: str) -> bool:
    request = urllib.request.Request(f"{endpoint}/{BUCKET}", method="PUT")
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError):
        return False


@pytest.fixture
def s3(ministack: None, tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a process that is to use it."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = {"BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port), "SERVICES": "s3", "LOG_LEVEL": "ERROR"}
    command = [sys.executable, "-m", "ministack.app"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, env={**os.environ, **settings}, cwd=tmp_path, **quiet)
    endpoint, pause = f"http://127.0.0.1:{port}", threading.Event()
    try:
        assert any(made_bucket(endpoint) or pause.wait(0.2) for _ in range(150))
        keys = {"ENDPOINT": endpoint, "ACCESS_KEY_ID": "x", "SECRET_ACCESS_KEY": "x", "REGION": "us-east-1"}
        named = {f"PYICEBERG_CATALOG__LEDGERX__S3__{name}": value for name, value in keys.items()}
        yield {**os.environ, **named, "LEDGERX_TEST_S3_PLACE": f"s3://{BUCKET}"}
    finally:
        process.kill()
        process.wait()


@pytest.mark.full
@pytest.mark.parametrize("module", ["test_warehouse.py", "test_whole_path.py"])
def test_a_warehouse_in_s3_passes_the_tests_of(s3: dict[str, str], module: str) -> None:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        str(HERE / module),
    ]
    done = subprocess.run([*command, "-k", "s3"], env=s3, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout or "[100%]" in done.stdout


@pytest.mark.full
def test_the_upkeep_of_a_warehouse_in_s3(s3: dict[str, str], tmp_path: Path) -> None:
    command = [
        sys.executable,
        str(HERE / "s3_upkeep.py"),
        f"sqlite:///{tmp_path}/catalog.db",
        f"s3://{BUCKET}/upkeep",
    ]
    done = subprocess.run(command, env=s3, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
