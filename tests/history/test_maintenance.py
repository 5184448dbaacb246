"""A warehouse's upkeep changes no row, and what is wrong in one is found."""

from __future__ import annotations

import contextlib
import math
import threading
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from candle_makers import fill, span
from click.testing import CliRunner, Result

from ledgerx.cli.main import main
from ledgerx.errors import InvalidField
from ledgerx.history.maintenance import EVERY_COMMITS, Maintenance
from ledgerx.history.tables import OHLC, load_table, open_catalog
from ledgerx.history.verification import verify
from ledgerx.history.warehouse import IcebergClient, close_catalog
from ledgerx.history.writer import WarehouseWriter, arrow_candles

ABC = "TEST:ABC"


def counts(uri: str) -> tuple[int, int]:
    """Data files and states of the table of candles."""
    catalog = open_catalog(uri)
    table = load_table(catalog, "trading", OHLC)
    assert table is not None
    found = len(list(table.scan().plan_files())), len(table.metadata.snapshots)
    close_catalog(catalog)
    return found


def parquet_files(tmp_path: Path) -> int:
    return len(list(tmp_path.rglob("*.parquet")))


@pytest.mark.parametrize("seconds", [math.nan, math.inf, -math.inf, "3600", None])
def test_an_age_that_is_no_number_of_seconds_removes_nothing(
    catalog_uri: str, writer: WarehouseWriter, seconds: Any
) -> None:
    writer.write([fill(0, 10)])
    with contextlib.closing(Maintenance(catalog_uri)) as upkeep:
        with pytest.raises(InvalidField, match=r"keep_s .*: give a number of seconds"):
            upkeep.expire(seconds)
        with pytest.raises(InvalidField, match=r"age_s .*: give a number of seconds"):
            upkeep.sweep(seconds)
        assert upkeep.expire(1e300) == upkeep.sweep(1e300) == 0


def test_many_small_files_become_one_and_no_row_changes(
    writer: WarehouseWriter, client: IcebergClient, catalog_uri: str, tmp_path: Path
) -> None:
    for number in range(10):
        writer.write([fill(number * 10, number * 10 + 10)])
    before = client.query_ohlc_arrow(ABC, 60, *span(0, 100))
    upkeep = Maintenance(catalog_uri, files_min=4)
    assert counts(catalog_uri) == (10, 10)
    assert upkeep.compact() == 10
    assert counts(catalog_uri) == (1, 11)
    assert upkeep.compact() == 0
    assert upkeep.expire(keep_s=0) > 10
    assert counts(catalog_uri) == (1, 1)
    files = parquet_files(tmp_path)
    assert upkeep.sweep(age_s=3600) == 0  # nothing is old yet
    assert upkeep.sweep(age_s=0) > 10
    assert parquet_files(tmp_path) < files
    upkeep.close()
    assert client.query_ohlc_arrow(ABC, 60, *span(0, 100)).equals(before)
    assert verify(client).ok
    writer.write([fill(95, 105, price=7)])
    assert client.query_ohlc(ABC, 60, *span(94, 96))["open"].tolist() == [194, 102]


def test_compacting_beside_writers_loses_and_doubles_nothing(
    writer: WarehouseWriter, client: IcebergClient, catalog_uri: str
) -> None:
    ended = threading.Event()

    def write() -> None:
        own = WarehouseWriter(catalog_uri)
        own.open()
        for number in range(12):
            own.write([fill(number % 4 * 10, number % 4 * 10 + 10, price=number)])
        own.close()
        ended.set()

    thread = threading.Thread(target=write)
    thread.start()
    upkeep = Maintenance(catalog_uri, files_min=2)
    rounds = 0
    while not ended.is_set():
        upkeep.compact()
        upkeep.expire(keep_s=3600)
        rounds += 1
    thread.join()
    upkeep.close()
    assert rounds > 1
    opens = client.query_ohlc(ABC, 60, *span(0, 40))["open"].tolist()
    assert opens == [minute + 8 + minute // 10 for minute in range(40)]
    assert verify(client).wrong == []


def test_an_ingestors_upkeep_comes_every_so_many_commits(writer: WarehouseWriter, catalog_uri: str) -> None:
    for number in range(3):
        writer.write([fill(number * 10, number * 10 + 10)])
    upkeep = Maintenance(catalog_uri, files_min=2)
    upkeep.after_commits(EVERY_COMMITS - 1)
    assert counts(catalog_uri)[0] == 3
    upkeep.after_commits(EVERY_COMMITS)
    assert counts(catalog_uri)[0] == 1


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["warehouse", *arguments])


def test_the_commands_do_the_same(writer: WarehouseWriter, catalog_uri: str) -> None:
    for number in range(8):
        writer.write([fill(number * 10, number * 10 + 10)])
    assert run("compact", "--catalog", catalog_uri).stdout == "compacted 8 files\n"
    assert run("expire", "--catalog", catalog_uri, "--keep-hours", "0").stdout.startswith("expired ")
    assert run("sweep", "--catalog", catalog_uri, "--age-hours", "1").stdout == "swept 0 files\n"
    assert run("verify", "--catalog", catalog_uri).stdout == "warehouse: 80 candles of 1 tickers, 0 faults\n"
    assert "give --data-dir or --catalog" in run("verify").output


@pytest.mark.parametrize(
    ("column", "value", "told"),
    [
        (None, 0, "10 candles are there twice"),
        ("ts", 601_000_000, "1 candles do not start with a period"),
        ("high", 1, "1 candles have an open or close beyond low or high"),
        ("volume", -1, "1 candles have a negative volume"),
        ("buy_vol", 5, "1 candles have a volume that is not what was bought and sold"),
    ],
)
def test_what_is_wrong_in_a_warehouse_is_found(
    column: str | None, value: int, told: str, writer: WarehouseWriter, catalog_uri: str
) -> None:
    writer.write([fill(0, 20)])
    rows = arrow_candles(ABC, fill(0, 10).candles)
    if column is not None:
        rows = arrow_candles(ABC, fill(15, 16).candles)
        place = rows.schema.get_field_index(column)
        rows = rows.set_column(
            place, rows.schema.field(column), pa.array([value]).cast(rows.schema.types[place])
        )
    catalog = open_catalog(catalog_uri)
    table = load_table(catalog, "trading", OHLC)
    assert table is not None
    table.append(rows)
    close_catalog(catalog)
    result = run("verify", "--catalog", catalog_uri)
    assert result.exit_code == 1
    assert f"wrong: {ABC}, 60 s: {told}" in result.stdout.splitlines()
