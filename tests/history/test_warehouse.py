"""The warehouse: what is written is read, a repeat changes nothing, and holes are told from quiet minutes."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from candle_makers import MINUTE_US, fill, span
from pyiceberg.catalog import load_catalog

from ledgerx.errors import InvalidField, WarehouseError, WarehouseUnavailable
from ledgerx.history.sources import Instrument
from ledgerx.history.tables import ensure_tables
from ledgerx.history.warehouse import IcebergClient
from ledgerx.history.writer import Filled, WarehouseWriter

ABC = "TEST:ABC"
DAY = 1440


def test_what_was_written_is_read_in_the_manuals_form(writer: WarehouseWriter, client: IcebergClient) -> None:
    writer.write([fill(0, 10)])
    frame = client.query_ohlc(ABC, 60, *span(2, 5))
    assert list(frame.columns) == [
        "ticker", "period_seconds", "timestamp", "open", "high", "low", "close", "volume", "quote_volume",
        "trade_count", "buy_vol", "sell_vol", "open_interest", "is_partial",
    ]  # fmt: skip
    assert frame["timestamp"].tolist() == [2 * MINUTE_US, 3 * MINUTE_US, 4 * MINUTE_US]
    assert frame["open"].tolist() == [102, 103, 104]
    assert frame["buy_vol"].tolist() == [1, 0, 1]
    assert frame["quote_volume"].tolist() == [102, 103, 104]
    assert frame["open_interest"].isna().all()
    assert {str(frame[name].dtype) for name in ("timestamp", "open", "volume", "trade_count")} == {"int64"}
    assert set(frame["ticker"]) == {ABC}


def test_a_range_has_its_start_and_not_its_end(writer: WarehouseWriter, client: IcebergClient) -> None:
    writer.write([fill(0, 10)])
    times = client.query_ohlc(ABC, 60, 2 * MINUTE_US + 1, 5 * MINUTE_US + 1)["timestamp"].tolist()
    assert times == [3 * MINUTE_US, 4 * MINUTE_US, 5 * MINUTE_US]


def test_a_limit_caps_the_rows_earliest_first(writer: WarehouseWriter, client: IcebergClient) -> None:
    writer.write([fill(5, 10)])
    writer.write([fill(0, 5)])
    assert client.query_ohlc(ABC, 60, *span(0, 10), limit=3)["open"].tolist() == [100, 101, 102]


def test_a_repeat_changes_nothing(writer: WarehouseWriter, client: IcebergClient) -> None:
    writer.write([fill(0, DAY), fill(0, DAY, ticker="TEST:XYZ")])
    before = client.query_ohlc(ABC, 60, *span(0, DAY))
    writer.write([fill(0, DAY)])
    writer.write([fill(100, 200)])
    pd.testing.assert_frame_equal(client.query_ohlc(ABC, 60, *span(0, DAY)), before)
    assert len(client.timestamps("TEST:XYZ", 60, *span(0, DAY))) == DAY


def test_a_range_is_replaced_whole(writer: WarehouseWriter, client: IcebergClient) -> None:
    writer.write([fill(0, 10)])
    writer.write([fill(2, 6, every=2, price=500)])
    assert client.query_ohlc(ABC, 60, *span(0, 10))["open"].tolist() == [
        100, 101, 502, 504, 106, 107, 108, 109
    ]  # fmt: skip


def test_missing_is_what_was_never_fetched_not_what_has_no_candle(
    writer: WarehouseWriter, client: IcebergClient
) -> None:
    writer.write([fill(10, 20, every=5), fill(30, 40)])
    assert client.find_missing_ranges(ABC, 60, *span(0, 50)) == [span(0, 10), span(20, 30), span(40, 50)]
    assert client.find_missing_ranges(ABC, 60, *span(11, 14)) == []
    assert not client.has_data(ABC, 60, *span(11, 14))
    assert client.has_data(ABC, 60, *span(10, 14))
    assert client.find_missing_ranges(ABC, 300, *span(10, 20)) == [span(10, 20)]
    assert client.find_missing_ranges("TEST:XYZ", 60, *span(10, 20)) == [span(10, 20)]


def test_a_range_that_cuts_periods_lacks_whole_ones(client: IcebergClient, writer: WarehouseWriter) -> None:
    assert client.find_missing_ranges(ABC, 60, 1, 60_000_001) == [span(1, 2)]
    assert client.find_missing_ranges(ABC, 60, 0, 59_999_999) == [span(0, 1)]
    assert client.find_missing_ranges(ABC, 60, 5, 5) == []


def test_neighbouring_fetches_become_one_covered_range(
    writer: WarehouseWriter, client: IcebergClient
) -> None:
    for first in range(0, 60, 10):
        writer.write([fill(first, first + 10)])
    assert client.covered(ABC, 60) == [span(0, 60)]
    assert list(client.coverage()) == [(ABC, 60, [span(0, 60)])]


def test_a_catalog_without_tables_is_an_empty_warehouse(client: IcebergClient) -> None:
    assert client.query_ohlc(ABC, 60, *span(0, 10)).empty
    assert client.find_missing_ranges(ABC, 60, *span(0, 10)) == [span(0, 10)]
    assert not client.has_data(ABC, 60, *span(0, 10))
    assert client.instrument(ABC) is None


def test_the_instruments_scales_are_kept_and_may_not_change(
    writer: WarehouseWriter, client: IcebergClient
) -> None:
    writer.write([fill(0, 10)])
    assert client.instrument(ABC) == Instrument(ABC, 100, 1)
    other = fill(10, 20)
    changed = Filled(Instrument(ABC, 1000, 1), 60, other.covered, other.candles, "TEST")
    with pytest.raises(WarehouseError, match="price_scale=100"):
        writer.write([changed])
    assert len(client.timestamps(ABC, 60, *span(0, 20))) == 10


def test_a_commit_is_seen_by_its_number(writer: WarehouseWriter, client: IcebergClient) -> None:
    commit = writer.write([fill(0, 10)])
    assert client.has_commit(commit.sequence_number)
    assert not client.has_commit(commit.sequence_number + 1)


def test_two_writers_on_one_range_leave_each_row_once(
    catalog_uri: str, client: IcebergClient, place: str | None
) -> None:
    meet = threading.Barrier(2)

    def write(ranges: list[Filled]) -> None:
        writer = WarehouseWriter(catalog_uri, warehouse=place)
        writer.open()
        meet.wait(30)
        for one in ranges:
            writer.write([one])
        writer.close()

    ours = [fill(first, first + 60) for first in range(0, 240, 30)]
    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(write, ranges) for ranges in (ours, ours[::-1])]:
            done.result(120)
    assert client.query_ohlc(ABC, 60, *span(0, 300))["open"].tolist() == list(range(100, 370))
    assert client.covered(ABC, 60) == [span(0, 270)]


def test_writers_that_open_a_new_warehouse_at_once_all_open_it(tmp_path: Path) -> None:
    meet = threading.Barrier(4)

    def open_new(number: int) -> None:
        writer = WarehouseWriter(f"sqlite:///{tmp_path}/{number}.db", patience_s=0)
        meet.wait(30)
        writer.open()
        writer.close()

    with ThreadPoolExecutor(4) as pool:
        for number in range(5):
            for done in [pool.submit(open_new, number) for _ in range(4)]:
                done.result(60)


@pytest.mark.parametrize(
    "uri",
    [
        *(
            "",
            "catalog.db",
            "mysql://x",
            None,
            "http://x?place=y",
            "sqlite:///",
            "sqlite:///?mode=ro",
            "http://",
        ),
        *(
            "http://x:99999/",
            "http://x:0",
            "http://[::1/",
            "postgresql://u:p@x:port/d",
            "postgresql://x:99999/d",
        ),
    ],
)
def test_a_catalog_of_another_form_is_refused_by_name(uri: Any) -> None:
    with pytest.raises(InvalidField, match=r"iceberg_catalog_uri.*sqlite"):
        IcebergClient(uri)


def test_a_catalog_that_cannot_be_opened_is_a_connection_error_that_hides_the_password() -> None:
    with (
        IcebergClient("sqlite:////nowhere/at/all/catalog.db") as client,
        pytest.raises(WarehouseUnavailable, match="no folder"),
    ):
        client.has_data(ABC, 60, 0, 1)
    with (
        IcebergClient("http://user:secret@127.0.0.1:1") as client,
        pytest.raises(ConnectionError) as caught,
    ):
        client.has_data(ABC, 60, 0, 1)
    assert "secret" not in str(caught.value)


def test_a_new_catalog_without_a_place_for_files_asks_for_one(tmp_path: Path) -> None:
    catalog = load_catalog("bare", type="sql", uri=f"sqlite:///{tmp_path}/bare.db")
    with pytest.raises(InvalidField, match="warehouse is missing"):
        ensure_tables(catalog, "trading")
    catalog.close()
