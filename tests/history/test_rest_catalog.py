"""The REST catalog: PyIceberg's own client on it, its errors, its process, and its absence for a while."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from candle_makers import fill, span
from counting_source import CountingSource
from history_processes import Command, running
from pyiceberg.catalog import load_catalog
from pyiceberg.catalog.rest import RestCatalog
from pyiceberg.exceptions import (
    NamespaceAlreadyExistsError,
    NamespaceNotEmptyError,
    NoSuchNamespaceError,
    NoSuchTableError,
)

from ledgerx.errors import InvalidAddress, InvalidField, PortTaken
from ledgerx.history import IcebergClient, OHLCClient
from ledgerx.history.catalog import CatalogServer
from ledgerx.history.ingestor import Ingestor
from ledgerx.history.relay import Relay
from ledgerx.history.tables import OHLC, TABLES, ensure_tables
from ledgerx.history.writer import WarehouseWriter

ABC = "TEST:ABC"
ANY = "tcp://127.0.0.1:0"
AWAY_S = 5.0


@pytest.fixture
def server(tmp_path: Path) -> Iterator[CatalogServer]:
    with CatalogServer(f"sqlite:///{tmp_path}/behind.db", port=0) as opened:
        yield opened


@pytest.fixture
def catalog(server: CatalogServer) -> Iterator[RestCatalog]:
    opened = load_catalog("test", type="rest", uri=server.uri)
    assert isinstance(opened, RestCatalog)
    yield opened
    opened.close()


def test_the_clients_of_pyiceberg_make_list_and_drop(catalog: RestCatalog) -> None:
    assert catalog.list_namespaces() == []
    ensure_tables(catalog, "trading")
    assert catalog.list_namespaces() == [("trading",)]
    assert {names[-1] for names in catalog.list_tables("trading")} == set(TABLES)
    assert catalog.table_exists(("trading", OHLC))
    assert not catalog.table_exists(("trading", "other"))
    with pytest.raises(NamespaceAlreadyExistsError):
        catalog.create_namespace("trading")
    with pytest.raises(NamespaceNotEmptyError):
        catalog.drop_namespace("trading")
    for name in TABLES:
        catalog.drop_table(("trading", name))
    with pytest.raises(NoSuchTableError):
        catalog.load_table(("trading", OHLC))
    catalog.drop_namespace("trading")
    with pytest.raises(NoSuchNamespaceError):
        catalog.load_namespace_properties("trading")


def test_a_warehouse_is_the_same_through_it(server: CatalogServer, tmp_path: Path) -> None:
    writer = WarehouseWriter(server.uri)
    writer.open()
    writer.write([fill(0, 10)])
    writer.write([fill(5, 15, price=7)])
    writer.close()
    with IcebergClient(server.uri) as client, IcebergClient(f"sqlite:///{tmp_path}/behind.db") as direct:
        rows = client.query_ohlc(ABC, 60, *span(0, 20))
        assert rows["open"].tolist() == [*range(100, 105), *range(12, 22)]
        assert client.find_missing_ranges(ABC, 60, *span(0, 20)) == [span(15, 20)]
        assert direct.query_ohlc(ABC, 60, *span(0, 20)).equals(rows)


def test_writers_through_it_leave_each_row_once(server: CatalogServer) -> None:
    def write() -> None:
        writer = WarehouseWriter(server.uri)
        writer.open()
        for _ in range(3):
            writer.write([fill(0, 10)])
        writer.close()

    threads = [threading.Thread(target=write) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with IcebergClient(server.uri) as client:
        assert client.query_ohlc(ABC, 60, *span(0, 10))["open"].tolist() == list(range(100, 110))


def test_a_catalog_that_is_away_for_5_s_costs_no_row_and_no_request(tmp_path: Path) -> None:
    behind = f"sqlite:///{tmp_path}/behind.db"
    first = CatalogServer(behind, port=0)
    first.start()
    source = CountingSource(page_minutes=20)

    async def program(relay: Relay) -> list[int]:
        async with OHLCClient(first.uri, relay.relay_endpoint, relay.notification_endpoint) as client:
            assert len(await client.fetch_ohlc(ABC, 60, *span(0, 5))) == 5
            first.stop()
            pending = asyncio.gather(*(client.fetch_ohlc(ABC, 60, *span(0, last)) for last in (50, 100)))
            timer = threading.Timer(AWAY_S, again.start)
            timer.start()
            frames = await pending
            timer.join()
            assert len(frames[0]) == 50
            opens: list[int] = frames[1]["open"].tolist()
            return opens

    with Relay(ANY, ANY) as relay, Ingestor(relay.relay_endpoint, WarehouseWriter(first.uri), [source]):
        again = _later(behind, first.port)
        try:
            assert asyncio.run(program(relay)) == list(range(100, 200))
        finally:
            again.stop()
    assert source.asked == dict.fromkeys(range(100), 1)


class _later:  # noqa: N801 - a server that is made when it is started, since making it binds
    def __init__(self, uri: str, port: int) -> None:
        self._uri, self._port = uri, port
        self._server: CatalogServer | None = None

    def start(self) -> None:
        self._server = CatalogServer(self._uri, port=self._port)
        self._server.start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.stop()


def test_it_is_a_command(tmp_path: Path) -> None:
    behind = f"sqlite:///{tmp_path}/behind.db"
    with running("catalog", "--catalog", behind, "--port", "0") as command:
        assert isinstance(command, Command)
        with IcebergClient(command.ready["uri"]) as client:
            assert client.find_missing_ranges(ABC, 60, *span(0, 5)) == [span(0, 5)]
        port = int(command.ready["uri"].rpartition(":")[2])
        with pytest.raises(PortTaken):
            CatalogServer(behind, port=port)
    for host in ("256.1.1.1", "192.0.2.1"):  # no address, and none of this machine
        with pytest.raises(InvalidAddress, match=f"{host}, port 0: cannot be bound"):
            CatalogServer(behind, host=host, port=0)
    with pytest.raises(InvalidField, match="over an SQL one"):
        CatalogServer("http://127.0.0.1:1")
