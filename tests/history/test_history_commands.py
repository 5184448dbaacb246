"""`pyledgerx history up` and `pyledgerx candles`, and the words of their options."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from ledgerx.cli.main import main
from ledgerx.errors import DataFolderUnusable, InvalidField
from ledgerx.history.embedded import EmbeddedHistory, read_note
from ledgerx.history.export import decimal_text
from ledgerx.history.sources.files import FileSource
from ledgerx.history.sources.named import open_source
from ledgerx.history.words import parse_period, parse_time, time_text

TRADES = "price,size,side,ts_ms\n10.25,5,buy,60000\n11,2,sell,60001\n12,1,buy,120000\n10,1,sell,180001\n"
RANGE = ("--from", "1970-01-01T00:01", "--to", "1970-01-01T00:03")


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [*map(str, arguments)])


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    """The folder of a history that runs, with one file of trades."""
    folder = tmp_path / "history"
    folder.mkdir()
    (folder / "ABC-trades.csv").write_text(TRADES)
    endpoints = {"relay_endpoint": "tcp://127.0.0.1:0", "notification_endpoint": "tcp://127.0.0.1:0"}
    with EmbeddedHistory(folder / "data", [FileSource(folder)], **endpoints):
        yield folder / "data"


def test_candles_are_shown_and_written_in_every_form(data_dir: Path, tmp_path: Path) -> None:
    out = {name: tmp_path / f"out.{name}" for name in ("csv", "parquet", "png")}
    files = ["--csv", out["csv"], "--parquet", out["parquet"], "--plot", out["png"]]
    shown = run("candles", "FILE:ABC", "--data-dir", data_dir, *RANGE, *files)
    assert shown.exit_code == 0, shown.output
    assert "10.25" in shown.stdout
    assert "candles: 2, " in shown.stderr
    assert out["png"].read_bytes().startswith(b"\x89PNG")
    lines = run("candles", "FILE:ABC", "--data-dir", data_dir, *RANGE, "--json").stdout.splitlines()
    rows = [json.loads(line) for line in lines]
    assert [(row["timestamp"], row["open"], row["close"], row["volume"]) for row in rows] == [
        (60_000_000, 1025, 1100, 7),
        (120_000_000, 1200, 1200, 1),
    ]
    assert pq.read_table(out["parquet"]).to_pylist() == rows
    with out["csv"].open() as file:
        assert [int(row["close"]) for row in csv.DictReader(file)] == [1100, 1200]


def test_a_range_without_trades_is_an_empty_table(data_dir: Path) -> None:
    empty = ("--from", "1970-01-02", "--to", "1970-01-03")
    shown = run("candles", "FILE:ABC", "--data-dir", data_dir, "--period", "1h", *empty)
    assert (shown.exit_code, shown.stderr.strip()) == (0, "candles: 0")


def test_minutes_without_trades_are_filled_on_request(data_dir: Path) -> None:
    asked = ("--period", "1s", *RANGE, "--json", "--fill-empty")
    shown = run("candles", "FILE:ABC", "--data-dir", data_dir, *asked).stdout
    rows = [json.loads(line) for line in shown.splitlines()]
    assert (len(rows), sum(row["volume"] for row in rows)) == (120, 8)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["FILE:ABC", "--data-dir", "{data}", "--period", "1x", *RANGE], "period '1x': give a number"),
        (["FILE:ABC", "--data-dir", "{data}", "--from", "now", "--to", "2024-01-01"], "time 'now': give"),
        (["FILE:ABC", *RANGE], "give --data-dir, or --catalog"),
        (["FILE:NONE", "--data-dir", "{data}", *RANGE], "FILE has no symbol 'NONE'"),
        (["ABC", "--data-dir", "{data}", *RANGE], "give SOURCE:SYMBOL"),
        (["FILE:ABC", "--data-dir", "absent", *RANGE], "has pyledgerx history up used that folder?"),
    ],
)
def test_what_cannot_work_is_told_in_words(data_dir: Path, arguments: list[str], told: str) -> None:
    result = run("candles", *(argument.format(data=data_dir) for argument in arguments))
    assert result.exit_code != 0
    assert told in " ".join(result.output.split())


def test_the_note_of_a_folder_outlives_what_wrote_it(data_dir: Path, tmp_path: Path) -> None:
    assert read_note(data_dir).iceberg_catalog_uri == f"sqlite:///{data_dir}/catalog.db"
    with pytest.raises(DataFolderUnusable):
        read_note(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(DataFolderUnusable, match="name one that can be written"):
        EmbeddedHistory(tmp_path / "file", [FileSource(data_dir)], relay_endpoint="tcp://127.0.0.1:0").start()


def test_periods_and_times_are_read_as_people_write_them() -> None:
    assert [parse_period(text) for text in ("1m", "4h", "1d", "1w", "90")] == [60, 14400, 86400, 604800, 90]
    assert parse_time("2024-01-01") == parse_time("2024-01-01T01:00+01:00") == 1_704_067_200_000_000
    assert parse_time("1704067200000001") == 1_704_067_200_000_001
    assert time_text(1_704_067_200_000_001) == "2024-01-01 00:00:00.000001"
    for text in ("0m", "m", "1.5h"):
        with pytest.raises(InvalidField):
            parse_period(text)


def test_whole_numbers_are_shown_as_the_decimals_they_are() -> None:
    assert [decimal_text(1025, 100), decimal_text(-5, 100), decimal_text(7, 1)] == ["10.25", "-0.05", "7"]
    assert decimal_text(7, 3) == "7/3"


def test_a_source_is_named_by_its_kind_and_may_have_a_name_of_its_own(data_dir: Path) -> None:
    assert open_source(f"files:{data_dir}").name == "FILE"
    assert open_source(f"MINE=files:{data_dir}").name == "MINE"
    for text in ("files:", "ftp:host", "", "A:B=files:x", str(data_dir)):
        with pytest.raises(InvalidField, match="give "):
            open_source(text)
