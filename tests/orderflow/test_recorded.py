"""Recorded files: read exactly, refused by row and field, and totals equal to NumPy's."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest

from ledgerx.clob.dbn import Action, DbnFile
from ledgerx.errors import InvalidData
from ledgerx.orderflow import Engine, EngineConfig, Side, Symbol, plot
from ledgerx.orderflow.feeds import FileFeed
from ledgerx.orderflow.feeds.levels import LevelChanges
from ledgerx.orderflow.recorded import read_trades

CSV = "id,ts_ms,price,qty,buyer_maker\n1,1000,10.25,0.5,False\n2,1001,10.5,1.25,True\n"
COLUMNS = {"price": [1025, 1050], "size": [50, 125], "aggressor_side": [1, 0]}


def drained(engine: Engine, path: Path, **more: Any) -> FileFeed:
    feed = FileFeed(path, **more)
    engine.attach(feed)
    while not feed.done:
        engine.poll_once()
    return feed


def lists(columns: dict[str, Any]) -> dict[str, list[int]]:
    return {name: column.tolist() for name, column in columns.items()}


def test_decimals_become_integers_exactly(tmp_path: Path) -> None:
    path = tmp_path / "trades.csv"
    path.write_text(CSV)
    assert lists(read_trades(path)) == COLUMNS | {"ts_exchange_ns": [1_000_000_000, 1_001_000_000]}
    scaled = read_trades(path, price_scale=1_000, size_scale=100)
    assert scaled["price"].tolist() == [10_250, 10_500]


WRITERS: dict[str, Callable[[Any, Path], Any]] = {
    "trades.parquet": lambda table, path: pyarrow.parquet.write_table(table, path),
    "trades.feather": lambda table, path: pyarrow.feather.write_feather(table, str(path)),
    "trades.csv.gz": lambda table, path: path.write_bytes(gzip.compress(CSV.encode())),
}


@pytest.mark.parametrize("name", WRITERS)
def test_each_form_has_the_same_trades(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    table = pa.table(
        {"price": [10.25, 10.5], "amount": [0.5, 1.25], "side": ["buy", "sell"], "ts_ms": [1000, 1001]}
    )
    WRITERS[name](table, path)
    assert lists(read_trades(path)) == COLUMNS | {"ts_exchange_ns": [1_000_000_000, 1_001_000_000]}


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("a.csv", "price,qty\n1,1\n", "has none of the columns aggressor_side, aggressor, side"),
        ("a.csv", "price,qty,side\n1,x,buy\n", "row 1: qty 'x' is no number"),
        ("a.csv", "price,qty,side\n1,1,up\n", "row 1: side 'up' is unknown"),
        ("a.csv", "price,qty,side\n1,,buy\n", "row 1: qty"),
        ("a.csv", "price,qty,side\n1.0000000000001,1,buy\n", "price has 13 decimals: give its scale"),
        ("a.txt", "", "a file of trades ends in .csv"),
        ("a.parquet", "no parquet", "cannot be read"),
    ],
)
def test_a_broken_file_is_refused_by_row_and_field(tmp_path: Path, name: str, text: str, told: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(InvalidData, match=told):
        read_trades(path)


def test_a_scale_that_leaves_a_fraction_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(CSV)
    with pytest.raises(InvalidData, match=r"row 1: price 10\.25 times 10 is no integer"):
        read_trades(path, price_scale=10)


def test_a_file_that_is_not_there_is_named(native: Engine, tmp_path: Path) -> None:
    with pytest.raises(InvalidData, match=r"absent\.csv: is no file"):
        native.attach(FileFeed(tmp_path / "absent.csv"))


def test_a_feed_is_drained_in_turns(native: Engine, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("price,qty,side\n" + "1,1,buy\n" * 25)
    feed = FileFeed(path, Symbol("V", "S"), rows_max=10)
    native.attach(feed)
    seen = []
    while not feed.done:
        native.poll_once()
        seen.append(native.metrics()["processed_events"])
    assert seen == [10, 20, 25, 25]
    assert feed.symbols == [Symbol("V", "S")]


def test_levels_are_told_as_changes() -> None:
    changes = LevelChanges()
    assert len(list(changes.of(Side.BID, [(10, 1), (9, 2)]))) == 2
    assert list(changes.of(Side.BID, [(10, 1), (9, 2)])) == []
    assert [change[1:] for change in changes.of(Side.BID, [(10, 3)])] == [(0, 10, 3, 0), (1, 9, 0, 1)]


# --------------------------------------------------------------------------------------- real data


def test_the_perpetuals_totals_are_numpys(shared_data: Path) -> None:
    path = shared_data / "candles" / "BTCUSDT-perp-trades-2024-08-08T2354.csv.gz"
    with gzip.open(path, "rt") as file:
        rows = [line.split(",") for line in file.read().splitlines()[1:]]
    size = np.array([round(float(row[3]) * 1_000) for row in rows])
    bought = np.array([row[4] == "False" for row in rows])
    with Engine(EngineConfig(trades_kept_max=100_000)) as engine:
        feed = drained(engine, path, price_scale=100, size_scale=1_000)
        found = engine.analytics_snapshot(feed.symbol)
        assert (found["buy_volume"], found["sell_volume"]) == (size[bought].sum(), size[~bought].sum())
        assert engine.to_numpy(feed.symbol)["size"].tolist() == size.tolist()
        assert engine.to_numpy(feed.symbol, "candles")["trades"].sum() == len(rows)
        figure = plot.footprint(engine, feed.symbol, price_step=2_000, price_scale=100)
        assert len(figure.axes[0].texts) > 20


def test_the_exchanges_candles_are_the_engines(shared_data: Path) -> None:
    trades = pyarrow.feather.read_table(shared_data / "candles" / "XRP_ETH-trades.feather")
    candles = pyarrow.feather.read_table(shared_data / "candles" / "XRP_ETH-1m.feather").to_pandas()
    with Engine(EngineConfig(candles_kept_max=10_000)) as engine:
        feed = drained(engine, shared_data / "candles" / "XRP_ETH-trades.feather", price_scale=10**8)
        rows = engine.to_numpy(feed.symbol, "candles")
    assert rows["trades"].sum() == trades.num_rows
    assert len(rows) == len(candles)
    for name in ("open", "high", "low", "close"):
        assert rows[name].tolist() == [round(value * 10**8) for value in candles[name]]


@pytest.mark.no_cover
def test_a_futures_day_trades_what_its_records_say(shared_data: Path) -> None:
    path = shared_data / "futures" / "esh4-glbx-mdp3-20231225.mbo.dbn.zst"
    lots = {True: 0, False: 0}
    for record in DbnFile(path).records():
        if record.action is Action.TRADE and record.is_ask is not None:
            lots[record.is_ask] += record.size
    with Engine(EngineConfig()) as engine:
        feed = drained(engine, path)
        (symbol,) = feed.symbols
        found = engine.analytics_snapshot(symbol)
        assert (found["buy_volume"], found["sell_volume"]) == (lots[False], lots[True])
        assert engine.flow_snapshot(symbol)["crossed"] is False
        assert len(engine.book_snapshot(symbol)["bids"]) == 10


@pytest.mark.full
@pytest.mark.no_cover
def test_a_stocks_day_trades_its_executions_and_ends_with_its_book(shared_data: Path) -> None:
    from ledgerx.clob.lobster import LobsterFile, MessageType

    path = shared_data / "lobster" / "AMZN_2012-06-21_5.zip"
    rows = list(LobsterFile(path).rows())
    kinds = (MessageType.EXECUTION, MessageType.HIDDEN_EXECUTION)
    lots = sum(row.size for row in rows[1:] if row.type in kinds)
    with Engine(EngineConfig()) as engine:
        feed = drained(engine, path)
        found, book = engine.analytics_snapshot(feed.symbol), engine.book_snapshot(feed.symbol)
    assert found["buy_volume"] + found["sell_volume"] == lots
    assert [(row["price"], row["size"]) for row in book["bids"]] == list(rows[-1].bids)


# ------------------------------------------------------------------------------------------- plots


def test_pictures_are_drawn_of_what_is_there_alone(native: Engine, symbol: Symbol, tmp_path: Path) -> None:
    for draw in (plot.footprint, plot.profile, plot.cumulative_delta):
        with pytest.raises(InvalidData, match="to draw: ingest trades before"):
            draw(native, symbol)
    for number in range(40):
        native.ingest_trade(symbol, 100 + number % 5, 3, number % 2, ts_exchange_ns=number * 10**10)
    for draw in (plot.footprint, plot.profile, plot.cumulative_delta):
        draw(native, symbol).savefig(tmp_path / "picture.png")
        assert (tmp_path / "picture.png").stat().st_size > 5_000
