"""Batches: every form of columns, equal to as many single calls, and refused whole where one row is wrong."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from ledgerx.orderflow import BookAction, Engine, EngineConfig, OrderflowArgError, Side, StreamKind, Symbol

NAMES = ["price", "size", "aggressor_side", "sequence", "ts_exchange_ns", "ts_recv_ns"]


def some_trades(count: int, seed: int = 3) -> dict[str, Any]:
    numbers = random.Random(seed)
    return {
        "price": np.array([numbers.randrange(-50, 50) for _ in range(count)], dtype="int64"),
        "size": np.array([numbers.randrange(1, 30) for _ in range(count)], dtype="int64"),
        "aggressor_side": np.array([numbers.randrange(2) for _ in range(count)], dtype="uint8"),
        "sequence": np.arange(1, count + 1, dtype="uint64"),
        "ts_exchange_ns": np.arange(count, dtype="uint64") * np.uint64(10**9),
        "ts_recv_ns": np.arange(count, dtype="uint64"),
    }


def structured(columns: dict[str, Any]) -> Any:
    array = np.zeros(len(columns["price"]), dtype=[(name, column.dtype) for name, column in columns.items()])
    for name, column in columns.items():
        array[name] = column
    return array


def state(engine: Engine, symbol: Symbol) -> Any:
    """All that is to be seen of a symbol."""
    series = [
        engine.to_numpy(symbol, name).tolist() for name in ("trades", "candles", "footprint", "profile")
    ]
    figures = {key: value for key, value in engine.flow_snapshot(symbol).items() if value is not None}
    counters = {key: engine.metrics()[key] for key in ("processed_events", "sequence_gaps", "quality_flags")}
    return engine.analytics_snapshot(symbol), engine.signal_snapshot(symbol), series, figures, counters


@pytest.fixture
def expected(symbol: Symbol) -> Any:
    """The state after single calls."""
    columns = some_trades(500)
    with Engine(EngineConfig()) as engine:
        for row in zip(*(columns[name].tolist() for name in NAMES), strict=True):
            engine.ingest_trade(symbol, *row)
        return state(engine, symbol)


FORMS = {
    "mapping": lambda columns: columns,
    "lists": lambda columns: {name: column.tolist() for name, column in columns.items()},
    "structured": structured,
    "strided": lambda columns: {name: np.repeat(column, 2)[::2] for name, column in columns.items()},
    "reversed": lambda columns: {name: column[::-1].copy()[::-1] for name, column in columns.items()},
    "narrow": lambda columns: columns | {"size": columns["size"].astype("int16")},
    "wide sides": lambda columns: columns | {"aggressor_side": columns["aggressor_side"].astype("int64")},
    "big-endian": lambda columns: columns | {"price": columns["price"].astype(">i8")},
    "words": lambda columns: columns | {"aggressor_side": np.where(columns["aggressor_side"], "Ask", "Bid")},
    "table": lambda columns: pa.table(columns),
    "chunks": lambda columns: pa.concat_tables([pa.table(columns).slice(0, 99), pa.table(columns).slice(99)]),
    "record batch": lambda columns: pa.RecordBatch.from_pydict(columns),
    "frame": lambda columns: pd.DataFrame(columns),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_batch_is_as_many_single_calls(native: Engine, symbol: Symbol, expected: Any, form: Any) -> None:
    native.ingest_trades(symbol, form(some_trades(500)))
    assert state(native, symbol) == expected


def test_a_large_batch_is_as_many_single_calls(native: Engine, symbol: Symbol) -> None:
    columns = some_trades(20_000)
    native.ingest_trades(symbol, columns)
    found = native.analytics_snapshot(symbol)
    bought = columns["aggressor_side"] == Side.ASK
    assert found["buy_volume"] == columns["size"][bought].sum()
    assert found["sell_volume"] == columns["size"][~bought].sum()


def test_a_book_batch_is_as_many_single_calls(native: Engine, symbol: Symbol) -> None:
    rows = [
        (number % 2, number % 5, 100 + number, number % 3, number % 4 == 3, number + 1)
        for number in range(90)
    ]
    with Engine(EngineConfig()) as single:
        for side, level, price, size, action, sequence in rows:
            single.ingest_book(symbol, side, level, price, size, BookAction(action), sequence)
        expected = single.book_snapshot(symbol)
    names = ["side", "level", "price", "size", "action", "sequence"]
    native.ingest_books(symbol, dict(zip(names, map(np.array, zip(*rows, strict=True)), strict=True)))
    assert native.book_snapshot(symbol) == expected


def test_columns_that_may_be_left_out_are_zeros(native: Engine, symbol: Symbol) -> None:
    native.ingest_trades(symbol, {"price": [5], "size": [2], "aggressor_side": [1]})
    assert native.to_numpy(symbol)[0].tolist() == (0, 0, 0, 5, 2, 2, 1, 0)
    native.ingest_books(symbol, {"side": [0], "level": [0], "price": [5], "size": [2]})
    assert native.book_snapshot(symbol)["bids"] == [{"level": 0, "price": 5, "size": 2}]


def test_an_empty_batch_is_nothing(native: Engine, symbol: Symbol) -> None:
    native.ingest_trades(symbol, {"price": [], "size": [], "aggressor_side": []})
    assert native.analytics_snapshot(symbol) == {}


def test_what_an_engine_exported_goes_in_again(native: Engine, symbol: Symbol) -> None:
    native.ingest_trades(symbol, some_trades(50))
    other = Symbol("COPY", "X")
    native.ingest_trades(other, native.to_arrow(symbol))
    assert native.analytics_snapshot(other) == native.analytics_snapshot(symbol)


GOOD = {"price": [1, 2, 3], "size": [1, 1, 1], "aggressor_side": [0, 1, 0]}


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"size": [1, 0, 1]}, "row 1: size 0"),
        ({"size": [1, 1, -4]}, "row 2: size -4"),
        ({"aggressor_side": [0, 1, 2]}, "row 2: aggressor_side 2"),
        ({"aggressor_side": [0, 257, 1]}, "row 1: aggressor_side 257"),
        ({"aggressor_side": ["Ask", "Bid", "Buy"]}, "row 2: aggressor_side 'Buy'"),
        ({"price": [1, 2.5, 3]}, r"row 1: price 2\.5 is no integer"),
        ({"price": np.array([1.5, 2.0, 3.0])}, "price must be integers, not float64"),
        ({"price": [1, 2**63, 3]}, "row 1: price 9223372036854775808"),
        ({"price": [1, 2**70, 3]}, "row 1: price 1180591620717411303424"),
        ({"price": [1, None, 3]}, "row 1: price None"),
        ({"sequence": [1, -2, 3]}, "row 1: sequence -2"),
        ({"price": [1, 2]}, "must have one length"),
        ({"price": [[1, 2, 3]]}, "price must be one column"),
        ({"prise": [1, 2, 3]}, "column 'prise' is none of price"),
    ],
)
def test_a_wrong_row_refuses_the_whole_batch(
    native: Engine, symbol: Symbol, change: dict[str, Any], text: str
) -> None:
    with pytest.raises(OrderflowArgError, match=text):
        native.ingest_trades(symbol, GOOD | change)
    assert native.metrics()["processed_events"] == 0


def test_a_column_that_is_needed_is_named(native: Engine, symbol: Symbol) -> None:
    with pytest.raises(OrderflowArgError, match="column 'size' is missing"):
        native.ingest_trades(symbol, {"price": [1], "aggressor_side": [1]})
    with pytest.raises(OrderflowArgError, match="of type int has no columns"):
        native.ingest_trades(symbol, 5)
    with pytest.raises(OrderflowArgError, match="1 values are null"):
        native.ingest_trades(symbol, pa.table({"price": [1, None], "size": [1, 1], "aggressor_side": [1, 1]}))


def test_a_wrong_book_row_refuses_the_whole_batch(native: Engine, symbol: Symbol) -> None:
    columns = {"side": [0, 0], "level": [0, 65536], "price": [1, 1], "size": [1, 1]}
    with pytest.raises(OrderflowArgError, match="row 1: level 65536"):
        native.ingest_books(symbol, columns)
    with pytest.raises(OrderflowArgError, match="row 0: size -1"):
        native.ingest_books(symbol, columns | {"level": [0, 1], "size": [-1, 1]})
    assert native.book_snapshot(symbol) == {}


def test_a_batch_whose_volume_would_wrap_is_refused_whole(native: Engine, symbol: Symbol) -> None:
    with pytest.raises(OrderflowArgError, match="row 1: size"):
        native.ingest_trades(symbol, {"price": [1, 1], "size": [2**63 - 1, 1], "aggressor_side": [0, 0]})
    assert native.analytics_snapshot(symbol) == {}


def test_an_exception_of_a_callback_is_raised_when_the_batch_is_in(native: Engine, symbol: Symbol) -> None:
    def fails(event: dict[str, Any]) -> None:
        raise LookupError(event["price"])

    native.subscribe(symbol, StreamKind.TRADES, fails)
    with pytest.raises(LookupError, match="1"):
        native.ingest_trades(symbol, {"price": [1], "size": [1], "aggressor_side": [0]})
    assert native.metrics()["processed_events"] == 1
