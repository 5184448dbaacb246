"""A warehouse whose files are in S3, of an emulator on loopback: the tests of warehouses, and its upkeep."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from ministack_server import BUCKET, Ministack

HERE = Path(__file__).parent


@pytest.fixture
def s3(ministack: Ministack) -> dict[str, str]:
    """The environment of a process that is to keep its files there: PyIceberg reads it once a process."""
    keys = {
        "ENDPOINT": ministack.endpoint,
        "ACCESS_KEY_ID": "x",
        "SECRET_ACCESS_KEY": "x",
        "REGION": "us-east-1",
    }
    named = {f"PYICEBERG_CATALOG__LEDGERX__S3__{name}": value for name, value in keys.items()}
    return {**os.environ, **named, "LEDGERX_TEST_S3_PLACE": f"s3://{BUCKET}"}


@pytest.mark.full
@pytest.mark.parametrize("module", ["test_warehouse.py", "test_whole_path.py"])
def test_a_warehouse_in_s3_passes_the_tests_of(s3: dict[str, str], module: str) -> None:
    # The names of its kinds: no other kind's tests run there.
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        str(HERE / module),
        "-k",
        "in_s3",
    ]
    done = subprocess.run(command, env=s3, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "[100%]" in done.stdout


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
