"""Warehouses for the tests of history: fresh catalogs, their writers and readers."""

from __future__ import annotations

import contextlib
import gc
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ministack_server import PYTHON as MINISTACK_PYTHON
from ministack_server import Ministack
from postgresql_server import Postgresql
from pyarrow.fs import S3FileSystem
from pyiceberg.utils.concurrent import ExecutorFactory

from ledgerx.history.catalog import CatalogServer
from ledgerx.history.warehouse import IcebergClient
from ledgerx.history.writer import WarehouseWriter

S3_PLACE = "LEDGERX_TEST_S3_PLACE"
CATALOGS = ("sqlite", "rest", "postgresql", "s3tables")
# The modules whose tests run on every catalog, with those that a short run has.
QUICK_CATALOGS = {
    "test_warehouse": ("sqlite", "rest"),
    "test_maintenance": ("sqlite", "rest"),
    "test_whole_path": ("sqlite",),
}
NOT_FOR = {("s3tables", "test_maintenance")}  # it counts files on this machine's disk


@pytest.fixture(scope="session", autouse=True)
def _pyicebergs_threads() -> Iterator[None]:
    """Start all of PyIceberg's threads, which live as long as the process, before a test could be blamed.

    So does a descriptor that the AWS library has while any S3 is open.
    """
    pool = ExecutorFactory.get_or_create()
    count = getattr(pool, "_max_workers", 1)
    meet = threading.Barrier(count)
    for waiting in [pool.submit(meet.wait, 30) for _ in range(count)]:
        waiting.result()
    kept = S3FileSystem(region="us-east-1", anonymous=True) if MINISTACK_PYTHON.exists() else None
    yield
    del kept


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """What is said of warehouses is said of every catalog."""
    module = metafunc.module.__name__
    if "catalog_uri" not in metafunc.fixturenames or module not in QUICK_CATALOGS:
        return
    quick = QUICK_CATALOGS[module]
    others = [kind for kind in CATALOGS if kind not in quick and (kind, module) not in NOT_FOR]
    kinds: list[Any] = [*quick, *(pytest.param(kind, marks=pytest.mark.full) for kind in others)]
    if S3_PLACE in os.environ:
        kinds.append("in_s3")
    metafunc.parametrize("catalog_uri", kinds, indirect=True)


@pytest.fixture(scope="session")
def ministack() -> Iterator[Ministack]:
    """An emulator of S3 and of S3 Tables, started for these tests."""
    if not MINISTACK_PYTHON.exists():
        pytest.skip("no S3: ministack could not be installed: bin/_setup test, with a network")
    with Ministack() as server:
        yield server


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Postgresql]:
    """Debian's PostgreSQL, started for these tests."""
    pytest.importorskip("psycopg2", reason="the extra postgres is not installed")
    if Postgresql.programs() is None:
        pytest.skip("no PostgreSQL: apt-get install postgresql")
    with Postgresql() as server:
        yield server


@pytest.fixture
def catalog_uri(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A catalog that nothing is in, but the tables where a test of the whole path needs a place for files."""
    kind = getattr(request, "param", "sqlite")
    uri = f"sqlite:///{tmp_path}/catalog.db"
    with contextlib.ExitStack() as stack:
        if kind == "rest":
            uri = stack.enter_context(CatalogServer(uri, port=0)).uri
        elif kind == "postgresql":
            uri = request.getfixturevalue("postgresql").database()
        elif kind == "s3tables":
            uri = request.getfixturevalue("ministack").catalog()
            stack.callback(gc.collect)  # PyIceberg leaves files of S3, with their descriptors, in cycles
        if request.module.__name__ == "test_whole_path" and kind in ("postgresql", "in_s3"):
            made = WarehouseWriter(uri, warehouse=_place(uri, tmp_path))
            made.open()
            made.close()
        yield uri


def _place(uri: str, folder: Path) -> str | None:
    """Where a new warehouse's files go; None where its catalog says so."""
    if "?warehouse=" in uri:
        return None
    # Of S3 the test that started it told: each warehouse has a folder of its own there.
    return f"{os.environ[S3_PLACE]}{folder}" if S3_PLACE in os.environ else str(folder / "warehouse")


@pytest.fixture
def place(catalog_uri: str, tmp_path: Path) -> str | None:
    """Where the files of a new warehouse of `catalog_uri` go; None where its catalog says so."""
    return _place(catalog_uri, tmp_path)


@pytest.fixture
def writer(catalog_uri: str, place: str | None) -> Iterator[WarehouseWriter]:
    """A writer on it, the tables made."""
    opened = WarehouseWriter(catalog_uri, warehouse=place)
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


@pytest.fixture
def ray() -> Any:
    """The library Ray."""
    return pytest.importorskip("ray", reason="the extra ray is not installed")
