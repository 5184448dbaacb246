"""Recorded files as they come: times of any unit, columns that lack values, what we exported ourselves."""

from __future__ import annotations

from collections.abc import Sequence
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


def candles_file(path: Path, times: Sequence[object], column: str = "timestamp_us") -> Path:
    """A CSV of candles at these times."""
    rows = [f"{time},1,2,1,2,5" for time in times]
    path.write_text("\n".join([f"{column},open,high,low,close,volume", *rows]) + "\n")
    return path


def recorded_candles(path: Path) -> Candles:
    content = read_recording(path).content
    assert isinstance(content, Candles)
    return content


@pytest.mark.parametrize("distances", [[], [5], [5, 3], [1, 1]])
def test_a_names_period_holds_where_quiet_candles_are_absent(distances: list[int], tmp_path: Path) -> None:
    times = [START]
    for minutes in distances:
        times.append(times[-1] + minutes * MINUTE_US)
    assert recorded_candles(candles_file(tmp_path / "ABC-1m.csv", times)).period_seconds == 60


def test_a_names_period_that_the_times_contradict_does_not_hold(tmp_path: Path) -> None:
    times = [START, START + MINUTE_US // 2, START + 2 * MINUTE_US]
    assert recorded_candles(candles_file(tmp_path / "ABC-1m.csv", times)).period_seconds == 30
    assert recorded_candles(candles_file(tmp_path / "ABC.csv", times)).period_seconds == 30


def test_days_are_times(tmp_path: Path) -> None:
    path = candles_file(tmp_path / "ABC-1d.csv", ["2024-01-01", "2024-01-02"], "date")
    assert recorded_candles(path).timestamp.tolist() == [1_704_067_200_000_000, 1_704_153_600_000_000]
    assert recorded_candles(path).period_seconds == 86_400


def test_times_finer_than_microseconds_are_cut(tmp_path: Path) -> None:
    times = pa.array([1001, 2999], pa.timestamp("ns", "UTC"))
    table = pa.table({"time": times, "price": [1, 1], "size": [1, 1], "side": ["buy", "sell"]})
    parquet.write_table(table, tmp_path / "ABC.parquet")
    assert read_recording(tmp_path / "ABC.parquet").content.timestamp.tolist() == [1, 2]


@pytest.mark.parametrize(
    ("name", "times", "text"),
    [
        ("ABC-1s.csv", [0, 500_000], "ABC-1s.csv: candles are not whole seconds apart"),
        ("ABC.csv", [0, 1_500_000], "not whole seconds apart"),
        ("ABC.csv", [0], "less than two candles do not say their period: name the file by it, as ABC-1m"),
        ("ABC.csv", [0, 10**15], "candles are 1000000000 s apart: name the file by their period"),
    ],
)
def test_candles_that_do_not_say_their_period_are_refused(
    name: str, times: list[int], text: str, tmp_path: Path
) -> None:
    with pytest.raises(InvalidData, match=text):
        read_recording(candles_file(tmp_path / name, times))


@pytest.mark.parametrize(
    ("times", "row", "unit"),
    [([0, 1_700_000_000_000_000_000], 2, "s"), ([10**13, 2 * 10**13, 2**62], 3, "ms")],
)
def test_times_that_do_not_fit_are_refused_and_do_not_wrap(
    times: list[int], row: int, unit: str, tmp_path: Path
) -> None:
    with pytest.raises(InvalidData, match=f"row {row}: timestamp .* is no time, in the {unit} of the first"):
        read_recording(candles_file(tmp_path / "ABC-1m.csv", times, "timestamp"))


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"low": 10.5}, "row 2: high 10.3 is below its low"),
        ({"open": 9.9}, "row 2: open 9.9 is not between low and high"),
        ({"close": 10.4}, "row 2: close 10.4 is not between low and high"),
        ({"volume": -5}, "row 2: volume -5 is negative"),
    ],
)
def test_a_candle_that_no_trades_can_have_made_is_refused_by_its_row(
    values: dict[str, float], text: str, tmp_path: Path
) -> None:
    good = {"timestamp_us": 0, "open": 10.1, "high": 10.3, "low": 10, "close": 10.2, "volume": 5}
    rows = [good, {**good, "timestamp_us": MINUTE_US, **values}]
    lines = [",".join(good), *(",".join(str(value) for value in row.values()) for row in rows)]
    (tmp_path / "ABC-1m.csv").write_text("\n".join(lines) + "\n")
    with pytest.raises(InvalidData, match=f"ABC-1m.csv, {text}"):
        read_recording(tmp_path / "ABC-1m.csv")


@pytest.mark.parametrize(
    ("columns", "text"),
    [
        ({"period_seconds": [60, 300]}, "period_seconds has several"),
        ({"period_seconds": [0, 0]}, "row 1: period_seconds 0 is no period"),
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
