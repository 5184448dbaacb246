"""Shards: a range made day by day equals the range made at once, whoever runs them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ledgerx.cli.main import main
from ledgerx.errors import InvalidField, SourceFailed
from ledgerx.history.candles import COLUMNS
from ledgerx.history.shards import InProcess, fill, shard_candles, shards_of
from ledgerx.history.sources.files import FileSource
from ledgerx.history.warehouse import IcebergClient
from ledgerx.history.weeks import fill_weeks
from ledgerx.history.writer import WarehouseWriter

DAY_US = 86_400_000_000
PERIODS = (60, 300, 3600, 86_400)
START = 1_700_006_400_000_000  # a day's first moment


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """Three days of trades, one every 40 seconds, with an empty second day."""
    rows = ["timestamp_us,price,qty,side"]
    for day in (0, 2):
        for number in range(2160):
            time = START + day * DAY_US + number * 40_000_000
            rows.append(f"{time},{100 + number % 7},{1 + number % 3},{'buy' if number % 2 else 'sell'}")
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "ABC.csv").write_text("\n".join(rows) + "\n")
    return tmp_path / "source"


def test_day_by_day_is_what_the_whole_range_is(
    recorded: Path, writer: WarehouseWriter, client: IcebergClient
) -> None:
    shards = shards_of(f"files:{recorded}", "FILE:ABC", (START, START + 3 * DAY_US), PERIODS, days=1)
    assert len(shards) == 3
    assert sum(fill(writer, shards, InProcess())) > 0
    source = FileSource(recorded)
    for period in PERIODS:
        ((page),) = source.pages("ABC", period, (START, START + 3 * DAY_US))
        frame = client.query_ohlc("FILE:ABC", period, START, START + 3 * DAY_US)
        assert frame["timestamp"].tolist() == page.candles.timestamp.tolist()
        assert page.candles.is_partial.any()  # the recording ends in the last one
        for column in (*COLUMNS[1:-1], "is_partial"):
            assert frame[column].tolist() == getattr(page.candles, column).tolist(), (period, column)
        assert client.find_missing_ranges("FILE:ABC", period, START, START + 3 * DAY_US) == []
    # Once more changes nothing.
    before = client.query_ohlc_arrow("FILE:ABC", 60, START, START + 3 * DAY_US)
    list(fill(writer, shards, InProcess()))
    assert client.query_ohlc_arrow("FILE:ABC", 60, START, START + 3 * DAY_US).equals(before)


def test_a_range_is_widened_to_whole_days() -> None:
    (shard,) = shards_of("files:x", "FILE:ABC", (START + 5, START + DAY_US + 1), (60,))
    assert shard.span == (START, START + 2 * DAY_US)


def test_periods_that_do_not_divide_each_other_derive_from_one_that_divides_both(
    recorded: Path, writer: WarehouseWriter, client: IcebergClient
) -> None:
    span = START, START + DAY_US
    list(fill(writer, shards_of(f"files:{recorded}", "FILE:ABC", span, (3600, 5400)), InProcess()))
    for period in (3600, 5400):
        ((page),) = FileSource(recorded).pages("ABC", period, span)
        frame = client.query_ohlc("FILE:ABC", period, *span)
        assert frame["volume"].tolist() == page.candles.volume.tolist()
        assert len(frame) == 86_400 // period
    assert not client.has_data("FILE:ABC", 1800, *span)


def test_a_ticker_of_another_source_is_refused_with_the_name_it_has(recorded: Path) -> None:
    (shard,) = shards_of(f"files:{recorded}", "BINANCE:ABC", (START, START + DAY_US), (60,))
    with pytest.raises(SourceFailed, match=r"called FILE: give FILE:ABC, or call it BINANCE: BINANCE=files:"):
        shard_candles(shard)
    (named,) = shards_of(f"BINANCE=files:{recorded}", "BINANCE:ABC", (START, START + DAY_US), (60,))
    assert shard_candles(named)[0].instrument.ticker == "BINANCE:ABC"


@pytest.mark.parametrize("periods", [(604_800,), (60, 7), (300, 420)])
def test_a_period_that_days_do_not_hold_is_named(periods: tuple[int, ...]) -> None:
    with pytest.raises(InvalidField, match="divide a day"):
        shards_of("files:x", "FILE:ABC", (START, START + DAY_US), periods)


def test_a_symbol_that_is_not_there_is_named(recorded: Path) -> None:
    (shard,) = shards_of(f"files:{recorded}", "FILE:XYZ", (START, START + DAY_US), (60,))
    with pytest.raises(SourceFailed, match="XYZ"):
        shard_candles(shard)


def test_the_command_fills_a_warehouse(recorded: Path, tmp_path: Path, catalog_uri: str) -> None:
    arguments = ["FILE:ABC", "--catalog", catalog_uri, "--source", f"files:{recorded}", "--period", "1h"]
    days = ["--from", str(START), "--to", str(START + 3 * DAY_US)]
    done = CliRunner().invoke(main, ["warehouse", "fill", *arguments, *days])
    assert done.exit_code == 0, done.output
    assert done.stdout == "filled 48 candles of 1 shards\n"


def test_a_week_is_made_of_its_days_once_all_are_there(
    recorded: Path, writer: WarehouseWriter, client: IcebergClient
) -> None:
    monday = START - 2 * DAY_US  # the trades are on Wednesday and Friday
    first_days, other_days = (
        shards_of(f"files:{recorded}", "FILE:ABC", span, (3600, 86_400), days=1)
        for span in ((monday - DAY_US, monday + 6 * DAY_US), (monday + 6 * DAY_US, monday + 8 * DAY_US))
    )
    week = ("FILE:ABC", 604_800, monday, monday + 7 * DAY_US)
    list(fill(writer, first_days, InProcess()))
    assert fill_weeks(writer, "FILE:ABC", (START, START + DAY_US)) == 0
    assert client.find_missing_ranges(*week) == [week[2:]]
    list(fill(writer, other_days, InProcess()))
    assert fill_weeks(writer, "FILE:ABC", (START, START + DAY_US)) == 1
    assert client.find_missing_ranges(*week) == []
    assert client.covered("FILE:ABC", 604_800) == [week[2:]]
    ((page),) = FileSource(recorded).pages("ABC", 604_800, week[2:])
    frame = client.query_ohlc(*week)
    for column in (*COLUMNS[:-1], "is_partial"):
        assert frame[column].tolist() == getattr(page.candles, column).tolist(), column
    assert frame["open_interest"].isna().all()
    assert fill_weeks(writer, "FILE:OTHER", week[2:]) == 0


def test_the_command_makes_weeks_too(recorded: Path, catalog_uri: str) -> None:
    arguments = ["FILE:ABC", "--catalog", catalog_uri, "--source", f"files:{recorded}", "--period", "1w"]
    days = ["--from", str(START - 2 * DAY_US), "--to", str(START + 5 * DAY_US)]
    done = CliRunner().invoke(main, ["warehouse", "fill", *arguments, *days])
    assert done.exit_code == 0, done.output
    assert done.stdout == "filled 3 candles of 1 shards\n"  # two days with trades and their week


def test_ray_fills_what_this_process_fills(
    recorded: Path, catalog_uri: str, tmp_path: Path, client: IcebergClient, ray: Any
) -> None:
    # In a process of its own: Ray leaves threads and descriptors behind in each that used it.
    command = [
        sys.executable,
        "-m",
        "ledgerx.cli",
        "warehouse",
        "fill",
        "FILE:ABC",
        "--source",
        f"files:{recorded}",
    ]
    command += ["--from", str(START), "--to", str(START + 3 * DAY_US), "--period", "1m", "--period", "1h"]
    (tmp_path / "here").mkdir()
    here = f"sqlite:///{tmp_path}/here/catalog.db"
    for uri, more in ((catalog_uri, ["--ray", "local"]), (here, [])):
        subprocess.run([*command, "--catalog", uri, *more], check=True, capture_output=True, timeout=100)
    with IcebergClient(here) as other:
        for period in (60, 3600):
            span = ("FILE:ABC", period, START, START + 3 * DAY_US)
            assert client.query_ohlc_arrow(*span).equals(other.query_ohlc_arrow(*span))
            assert len(client.query_ohlc(*span)) > 0
    assert ray.__version__
