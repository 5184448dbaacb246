"""Warehouses for the tests of history: fresh catalogs, their writers and readers."""

from __future__ import annotations

import gc
import importlib.util
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from postgresql_server import Postgresql
from pyarrow.fs import S3FileSystem
from pyiceberg.utils.concurrent import ExecutorFactory

from ledgerx.history.catalog import CatalogServer
from ledgerx.history.warehouse import IcebergClient
from ledgerx.history.writer import WarehouseWriter

S3_PLACE = "LEDGERX_TEST_S3_PLACE"
REST_CATALOG = "LEDGERX_TEST_REST_CATALOG"  # one that somebody else serves, and that says where files go
EVERY_CATALOG = ("test_warehouse", "test_maintenance")
EVERY_CATALOG_IN_FULL = ("test_whole_path",)


@pytest.fixture(scope="session", autouse=True)
def _pyicebergs_threads() -> Iterator[None]:
    """Start all of PyIceberg's threads, which live as long as the process, before a test could be blamed.

    Where files are in S3, so do a descriptor of the AWS library's.
    """
    pool = ExecutorFactory.get_or_create()
    count = getattr(pool, "_max_workers", 1)
    meet = threading.Barrier(count)
    for waiting in [pool.submit(meet.wait, 30) for _ in range(count)]:
        waiting.result()
    kept = S3FileSystem(region="us-east-1", anonymous=True) if REST_CATALOG in os.environ else None
    yield
    del kept


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """What is said of warehouses is said of every catalog."""
    if "catalog_uri" in metafunc.fixturenames and metafunc.module.__name__ in EVERY_CATALOG:
        kinds = ["sqlite", "rest", pytest.param("postgresql", marks=pytest.mark.full)]
        kinds += ["s3"] if S3_PLACE in os.environ else []
        kinds += ["given"] if REST_CATALOG in os.environ else []
        metafunc.parametrize("catalog_uri", kinds, indirect=True)
    elif "catalog_uri" in metafunc.fixturenames and metafunc.module.__name__ in EVERY_CATALOG_IN_FULL:
        others: list[Any] = [
            pytest.param(kind, marks=pytest.mark.full) for kind in ("rest", "postgresql made")
        ]
        others += ["s3 made"] if S3_PLACE in os.environ else []
        others += ["given"] if REST_CATALOG in os.environ else []
        metafunc.parametrize("catalog_uri", ["sqlite", *others], indirect=True)


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
    """A catalog that nothing is in."""
    uri = f"sqlite:///{tmp_path}/catalog.db"
    kind = getattr(request, "param", "sqlite")
    kind, _, made = kind.partition(" ")
    if kind == "rest":
        with CatalogServer(uri, port=0) as server:
            yield server.uri
        return
    if kind == "given":
        uri = os.environ[REST_CATALOG]
    if kind == "postgresql":
        uri = request.getfixturevalue("postgresql").database()
    if made:  # so that nothing need be told where its files go
        making = WarehouseWriter(uri, warehouse=_place(tmp_path))
        making.open()
        making.close()
    yield uri
    if kind == "given":
        gc.collect()  # PyIceberg leaves files of S3, with their descriptors, in cycles


def _place(folder: Path) -> str | None:
    """Where a warehouse's files go: in S3, of which the test that started it told, each has its folder."""
    if REST_CATALOG in os.environ:
        return None
    return f"{os.environ[S3_PLACE]}{folder}" if S3_PLACE in os.environ else str(folder / "warehouse")


@pytest.fixture
def place(tmp_path: Path) -> str | None:
    """Where a new warehouse's files go; None where its catalog says so."""
    return _place(tmp_path)


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


@pytest.fixture
def without_ray() -> None:
    """A Python that has no Ray."""
    if importlib.util.find_spec("ray") is not None:
        pytest.skip("Ray is installed here")


@pytest.fixture
def ministack() -> None:
    """A process may be an S3 of its own."""
    if importlib.util.find_spec("ministack") is None:
        pytest.skip("no S3: pip install ministack")
