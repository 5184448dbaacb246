"""Recorded files as they come: times of any unit, columns that lack values, what we exported ourselves."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from ledgerx.errors import InvalidData
from ledgerx.history.candles import COLUMNS, UNKNOWN, Candles
from ledgerx.history.export import write_csv, write_parquet
from ledgerx.history.sources.files import FileSource, read_recording
from ledgerx.history.warehouse import IcebergClient
from ledgerx.history.writer import Filled, WarehouseWriter

START = 1_700_006_400_000_000
MINUTE_US = 60_000_000


@pytest.mark.parametrize("name", ["time", "timestamp", "open_time", "ts", "date"])
@pytest.mark.parametrize("unit_ns", [1, 1_000, 1_000_000, 1_000_000_000], ids=["ns", "us", "ms", "s"])
def test_the_unit_of_a_time_is_told_by_its_size(name: str, unit_ns: int, tmp_path: Path) -> None:
    rows = [f"{(START + second * 1_000_000) * 1000 // unit_ns},5,1,buy" for second in (0, 7)]
    (tmp_path / "ABC-trades.csv").write_text("\n".join([f"{name},price,size,side", *rows]) + "\n")
    trades = read_recording(tmp_path / "ABC-trades.csv").content
    assert trades.timestamp.tolist() == [START, START + 7_000_000]


def test_times_of_a_told_unit_keep_it(tmp_path: Path) -> None:
    (tmp_path / "ABC.csv").write_text("ts_ms,price,size,side\n60000,5,1,buy\n")
    assert read_recording(tmp_path / "ABC.csv").content.timestamp.tolist() == [60_000_000]


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_exported_candles_are_a_recording_again(
    ending: str, tmp_path: Path, writer: WarehouseWriter, client: IcebergClient
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    rows = [f"{START + second * 1_000_000},{100 + second % 7},{second % 3 + 1},buy" for second in range(200)]
    (source / "ABC.csv").write_text("\n".join(["timestamp_us,price,size,side", *rows]) + "\n")
    recorded = FileSource(source)
    span = START, START + 5 * MINUTE_US
    (page,) = recorded.pages("ABC", 60, span)
    instrument = recorded.instrument("ABC")
    assert instrument is not None
    writer.write([Filled(instrument, 60, (page.covered,), page.candles, "FILE")])
    path = tmp_path / f"ABC-1m.{ending}"
    write = write_csv if ending == "csv" else write_parquet
    write(client.query_ohlc_arrow("FILE:ABC", 60, *span), path)
    again = read_recording(path).content
    assert isinstance(again, Candles)
    assert again.period_seconds == 60
    assert page.candles.is_partial.any()
    for name in (*COLUMNS, "is_partial"):
        assert getattr(again, name).tolist() == getattr(page.candles, name).tolist(), name


def test_a_count_that_some_candles_lack_is_unknown_there(tmp_path: Path) -> None:
    rows = ["timestamp_us,open,high,low,close,volume,trade_count,buy_vol"]
    rows += ["0,1,1,1,1,2.5,3,0.5", "60000000,1,1,1,1,2,,"]
    (tmp_path / "ABC-1m.csv").write_text("\n".join(rows) + "\n")
    candles = read_recording(tmp_path / "ABC-1m.csv").content
    assert isinstance(candles, Candles)
    assert candles.trade_count.tolist() == [3, UNKNOWN]
    assert candles.buy_vol.tolist() == [5, UNKNOWN]
    assert candles.sell_vol.tolist() == [20, UNKNOWN]


def test_whole_numbers_beyond_a_floats_are_exact(tmp_path: Path) -> None:
    price = 2**53 + 1
    (tmp_path / "ABC.csv").write_text(f"timestamp_us,price,size,side\n0,{price},1,buy\n")
    assert read_recording(tmp_path / "ABC.csv").content.price.tolist() == [price]


@pytest.mark.parametrize(
    ("columns", "text"),
    [
        ({"period_seconds": [60, 300]}, "period_seconds has several"),
        ({"volume": pa.array([2**64 - 1, 1], pa.uint64())}, "volume has something else than numbers"),
        ({"open": [1, None]}, "row 2: column open has no value"),
        ({"timestamp_us": pa.array([2**64 - 1, 1], pa.uint64())}, "timestamp_us has something else"),
        ({"volume": [1.5, float("nan")]}, "row 2: volume nan times .* give a number"),
    ],
)
def test_what_cannot_be_read_is_named(columns: dict[str, object], text: str, tmp_path: Path) -> None:
    whole = {name: [1, 1] for name in ("open", "high", "low", "close", "volume")}
    table = pa.table({"timestamp_us": [0, 60_000_000], **whole, **columns})
    parquet.write_table(table, tmp_path / "ABC-1m.parquet")
    with pytest.raises(InvalidData, match=text):
        read_recording(tmp_path / "ABC-1m.parquet")
