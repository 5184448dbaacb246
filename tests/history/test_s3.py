"""A warehouse whose files are in S3, or whose catalog is another's: an emulator on loopback is both."""

from __future__ import annotations

import json
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
ROOT = HERE.parents[1]
BUCKET = "candles"
MODULES = ("test_warehouse.py", "test_whole_path.py")


def put(url: str, body: bytes = b"", headers: dict[str, str] | None = None) -> bool:
    request = urllib.request.Request(url, body, headers or {}, method="PUT")
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError):
        return False


@pytest.fixture
def endpoint(ministack: None, tmp_path: Path) -> Iterator[str]:
    """The emulator, with a bucket."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = {"BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port), "LOG_LEVEL": "ERROR"}
    command = [sys.executable, "-m", "ministack.app"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, env={**os.environ, **settings}, cwd=tmp_path, **quiet)
    address, pause = f"http://127.0.0.1:{port}", threading.Event()
    try:
        assert any(put(f"{address}/{BUCKET}") or pause.wait(0.2) for _ in range(150))
        yield address
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def s3(endpoint: str) -> dict[str, str]:
    """The environment of a process that is to keep its files there."""
    keys = {"ENDPOINT": endpoint, "ACCESS_KEY_ID": "x", "SECRET_ACCESS_KEY": "x", "REGION": "us-east-1"}
    named = {f"PYICEBERG_CATALOG__LEDGERX__S3__{name}": value for name, value in keys.items()}
    return {**os.environ, **named, "LEDGERX_TEST_S3_PLACE": f"s3://{BUCKET}"}


def rest(endpoint: str, bucket: str) -> dict[str, str]:
    """The environment of a process that is to use the emulator's REST catalog, a table bucket of its own."""
    signed = "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/s3tables/aws4_request"
    headers = {
        "Content-Type": "application/json",
        "Authorization": f"{signed}, SignedHeaders=host, Signature=x",
    }
    assert put(f"{endpoint}/buckets", json.dumps({"name": bucket}).encode(), headers)
    return {
        **os.environ,
        "PYICEBERG_CATALOG__LEDGERX__WAREHOUSE": f"arn:aws:s3tables:us-east-1:000000000000:bucket/{bucket}",
        "LEDGERX_TEST_REST_CATALOG": f"{endpoint}/iceberg",
    }


def run(arguments: list[str], environment: dict[str, str]) -> str:
    """What pytest prints of some of this folder's tests, which must pass."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.mark.full
@pytest.mark.parametrize("module", MODULES)
def test_a_warehouse_in_s3_passes_the_tests_of(s3: dict[str, str], module: str) -> None:
    assert "[100%]" in run([str(HERE / module), "-k", "s3"], s3)


@pytest.mark.full
@pytest.mark.timeout(600)
@pytest.mark.parametrize("module", MODULES)
def test_another_rest_catalog_passes_the_tests_of(endpoint: str, module: str) -> None:
    # A catalog is new for each test, and PyIceberg looks at its settings once a process.
    only = ["-o", "addopts=", str(HERE / module), "-k", "given"]
    collected = run(["--collect-only", *only], rest(endpoint, "collect"))
    tests = [line for line in collected.splitlines() if "::" in line]
    assert len(tests) > 5
    for number, test in enumerate(tests):
        run([test], rest(endpoint, f"candles{number}"))


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
