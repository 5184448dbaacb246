"""Warehouses for the tests of history: fresh catalogs, their writers and readers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pyiceberg.utils.concurrent import ExecutorFactory

from ledgerx.history.warehouse import IcebergClient
from ledgerx.history.writer import WarehouseWriter


@pytest.fixture(scope="session", autouse=True)
def _pyicebergs_threads() -> None:
    """Start all of PyIceberg's threads, which live as long as the process, before a test could be blamed."""
    pool = ExecutorFactory.get_or_create()
    count = getattr(pool, "_max_workers", 1)
    meet = threading.Barrier(count)
    for waiting in [pool.submit(meet.wait, 30) for _ in range(count)]:
        waiting.result()


@pytest.fixture
def catalog_uri(tmp_path: Path) -> str:
    """A catalog that nothing is in."""
    return f"sqlite:///{tmp_path}/catalog.db"


@pytest.fixture
def writer(catalog_uri: str) -> Iterator[WarehouseWriter]:
    """A writer on it, the tables made."""
    opened = WarehouseWriter(catalog_uri)
    opened.open()
    yield opened
    opened.close()


@pytest.fixture
def client(catalog_uri: str) -> Iterator[IcebergClient]:
    """A reader on it."""
    with IcebergClient(catalog_uri) as opened:
        yield opened


@pytest.fixture
def ccxt() -> Any:
    """The library ccxt."""
    return pytest.importorskip("ccxt", reason="the extra ccxt is not installed")
