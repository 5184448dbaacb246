"""What a warehouse may go through: another catalog beside it, torn files, odd names, writers that die."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from candle_makers import fill, span
from click.testing import CliRunner

from ledgerx.cli.main import main
from ledgerx.errors import WarehouseError
from ledgerx.history.embedded import catalog_uri_of
from ledgerx.history.maintenance import EVERY_COMMITS, Maintenance
from ledgerx.history.tables import COVERAGE, OHLC, arrow_schema, load_table, open_catalog, sqlite_file
from ledgerx.history.verification import verify
from ledgerx.history.warehouse import IcebergClient, close_catalog
from ledgerx.history.writer import WarehouseWriter, arrow_candles

ABC = "TEST:ABC"
DAY_S = 86_400


def append(uri: str, ticker: str, first: int, last: int) -> None:
    """Candles of which no coverage tells, as a writer leaves them that dies before it says so."""
    catalog = open_catalog(uri)
    table = load_table(catalog, "trading", OHLC)
    assert table is not None
    table.append(arrow_candles(ticker, fill(first, last).candles))
    close_catalog(catalog)


def age(folder: Path) -> None:
    """Make all files three days old."""
    for path in folder.rglob("*"):
        if path.is_file():
            stamp = path.stat().st_mtime - 3 * DAY_S
            os.utime(path, (stamp, stamp))


def written(uri: str, commits: int = 3) -> None:
    writer = WarehouseWriter(uri)
    writer.open()
    for number in range(commits):
        writer.write([fill(number * 10, number * 10 + 10)])
    writer.close()


def sweep(uri: str) -> int:
    upkeep = Maintenance(uri)
    try:
        return upkeep.sweep()
    finally:
        upkeep.close()


def test_a_sweep_leaves_the_files_of_another_catalog_in_the_folder(tmp_path: Path) -> None:
    first, second = f"sqlite:///{tmp_path}/a.db", f"sqlite:///{tmp_path}/b.db"
    written(first)
    written(second)
    age(tmp_path / "warehouse")
    sweep(second)
    with IcebergClient(first) as client:
        assert verify(client).candles == 30
        assert verify(client).ok


def test_a_sweep_of_a_folder_that_two_tables_share_deletes_nothing(tmp_path: Path) -> None:
    first, second = f"sqlite:///{tmp_path}/a.db", f"sqlite:///{tmp_path}/b.db"
    written(first)
    catalog = open_catalog(first)
    table = load_table(catalog, "trading", COVERAGE)
    assert table is not None
    shared = open_catalog(second)
    shared.create_namespace("trading")
    other = shared.create_table(
        ("trading", COVERAGE), schema=arrow_schema(COVERAGE), location=table.location()
    )
    other.append(arrow_schema(COVERAGE).empty_table())
    age(tmp_path / "warehouse")
    with pytest.raises(WarehouseError, match="files of another table"):
        sweep(second)
    for opened in (catalog, shared):
        close_catalog(opened)
    with IcebergClient(first) as client:
        assert verify(client).ok


def test_an_ingestors_upkeep_sweeps_as_well(tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path}/a.db"
    written(uri, 12)
    upkeep = Maintenance(uri)
    upkeep.expire(0)
    age(tmp_path / "warehouse")
    files = len(list(tmp_path.rglob("*.avro")))
    upkeep.after_commits(EVERY_COMMITS)
    assert len(list(tmp_path.rglob("*.avro"))) < files
    with IcebergClient(uri) as client:
        assert verify(client).ok


@pytest.mark.parametrize("name", ["my data", "données", "h#x", "pct%41", "what?x", "a:b", "a+b&c=d"])
def test_a_data_folder_of_any_name_has_all_its_files_within(name: str, tmp_path: Path) -> None:
    folder = tmp_path / name
    folder.mkdir()
    uri = catalog_uri_of(folder)
    assert sqlite_file(uri) == folder / "catalog.db"
    written(uri)
    with IcebergClient(uri) as client:
        assert len(client.query_ohlc(ABC, 60, *span(0, 30))) == 30
    assert sorted(path.name for path in folder.iterdir()) == ["catalog.db", "warehouse"]
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_torn_file_is_a_fault_and_an_error_of_ours(
    writer: WarehouseWriter, client: IcebergClient, tmp_path: Path
) -> None:
    writer.write([fill(0, 10)])
    for path in tmp_path.rglob("ohlc-*/data/**/*.parquet"):
        path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(WarehouseError, match="a file cannot be read"):
        client.query_ohlc(ABC, 60, *span(0, 10))
    found = verify(client)
    assert [text.partition(" cannot be read")[0] for text in found.wrong] == ["the candles", f"{ABC}, 60 s:"]


def test_a_catalog_file_that_is_no_database_is_an_error_of_ours(tmp_path: Path) -> None:
    (tmp_path / "a.db").write_text("no database, and longer than a header of one would be" * 10)
    with (
        pytest.raises(WarehouseError, match="not a database"),
        IcebergClient(f"sqlite:///{tmp_path}/a.db") as client,
    ):
        client.has_data(ABC, 60, 0, 1)


def test_candles_that_a_dead_writer_left_uncovered_are_counted_and_no_fault(
    writer: WarehouseWriter, client: IcebergClient, catalog_uri: str
) -> None:
    writer.write([fill(0, 10)])
    append(catalog_uri, ABC, 20, 25)
    append(catalog_uri, "TEST:NEW", 0, 3)
    found = verify(client)
    assert (found.ok, found.candles, found.uncovered) == (False, 18, 8)
    assert found.wrong == ["TEST:NEW, 60 s: the instrument's scales are missing"]
    result = CliRunner().invoke(main, ["warehouse", "verify", "--catalog", catalog_uri])
    assert "8 candles are in no covered range: they are fetched again" in result.stdout.splitlines()
    writer.write([fill(15, 30), fill(0, 3, ticker="TEST:NEW")])
    assert verify(client).uncovered == 0
    assert verify(client).ok


def test_rows_that_are_there_twice_are_found_where_nothing_is_covered(
    writer: WarehouseWriter, client: IcebergClient, catalog_uri: str
) -> None:
    for _ in range(2):
        append(catalog_uri, "TEST:NEW", 0, 3)
    assert "TEST:NEW, 60 s: 3 candles are there twice" in verify(client).wrong


def test_what_was_fetched_earlier_keeps_its_time(writer: WarehouseWriter, catalog_uri: str) -> None:
    def fetched() -> dict[tuple[int, int], int]:
        catalog = open_catalog(catalog_uri)
        table = load_table(catalog, "trading", COVERAGE)
        assert table is not None
        rows = table.scan().to_arrow()
        close_catalog(catalog)
        columns = [rows.column(name).cast("int64").to_pylist() for name in ("from_ts", "to_ts", "fetched_at")]
        return {(start, end): at for start, end, at in zip(*columns, strict=True)}

    writer.write([fill(0, 10)])
    first = fetched()[span(0, 10)]
    writer.write([fill(20, 30)])
    assert fetched()[span(0, 10)] == first
    assert fetched()[span(20, 30)] > first
    writer.write([fill(10, 20)])
    assert list(fetched()) == [span(0, 30)]
    assert fetched()[span(0, 30)] > first
