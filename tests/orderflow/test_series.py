"""Figures and series beside NumPy: each formula of the documentation, computed another way."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ledgerx.orderflow import Engine, EngineConfig, OrderflowArgError, Side, Symbol

COUNT = 4_000
SECOND_NS = 1_000_000_000
SETTINGS = EngineConfig(
    trades_kept_max=1_000,
    candle_ns=60 * SECOND_NS,
    candles_kept_max=50,
    vpin_bucket_lots=700,
    vpin_buckets=12,
    absorption_trades=300,
    momentum_fast_trades=5,
    momentum_slow_trades=40,
)


@pytest.fixture(scope="module")
def trades() -> dict[str, Any]:
    numbers = np.random.default_rng(11)
    size = numbers.integers(1, 40, COUNT)
    size[::97] = numbers.integers(1_000, 5_000, len(size[::97]))  # larger than a bucket
    return {
        "price": 60_000 + np.cumsum(numbers.integers(-3, 4, COUNT)),
        "size": size,
        "aggressor_side": numbers.integers(0, 2, COUNT).astype("uint8"),
        "ts_exchange_ns": np.cumsum(numbers.integers(0, 2 * SECOND_NS, COUNT)).astype("uint64"),
    }


@pytest.fixture(scope="module")
def engine(trades: dict[str, Any]) -> Any:
    """An engine that took them."""
    with Engine(SETTINGS) as engine:
        engine.ingest_trades(SYMBOL, trades)
        yield engine


SYMBOL = Symbol("CME", "ESM6")


def signed(trades: dict[str, Any]) -> Any:
    return np.where(trades["aggressor_side"] == Side.ASK, trades["size"], -trades["size"])


def test_vwap_is_the_mean_price_of_a_lot_and_its_deviation_the_standard_one(
    engine: Engine, trades: dict[str, Any]
) -> None:
    price, size = trades["price"].astype(float), trades["size"].astype(float)
    mean = np.average(price, weights=size)
    deviation = np.sqrt(np.average((price - mean) ** 2, weights=size))
    figures = engine.flow_snapshot(SYMBOL)
    assert figures["vwap"] == pytest.approx(mean, rel=1e-12)
    assert figures["vwap_deviation"] == pytest.approx(deviation, rel=1e-9)
    assert engine.vwap_bands(SYMBOL, 2.0) == pytest.approx((mean - 2 * deviation, mean + 2 * deviation))


def test_the_cumulative_delta_series_is_the_running_sum_of_the_latest_trades(
    engine: Engine, trades: dict[str, Any]
) -> None:
    rows = engine.to_numpy(SYMBOL)
    assert rows["cumulative_delta"].tolist() == np.cumsum(signed(trades))[-1_000:].tolist()
    assert rows["price"].tolist() == trades["price"][-1_000:].tolist()
    assert rows["aggressor"].tolist() == trades["aggressor_side"][-1_000:].tolist()


def test_the_profile_is_volume_by_price_and_side(engine: Engine, trades: dict[str, Any]) -> None:
    rows = engine.to_numpy(SYMBOL, "profile")
    for side, name in ((Side.ASK, "buy_volume"), (Side.BID, "sell_volume")):
        mine = trades["aggressor_side"] == side
        prices, where = np.unique(trades["price"][mine], return_inverse=True)
        volumes = dict(zip(prices.tolist(), np.bincount(where, trades["size"][mine]).tolist(), strict=True))
        assert {
            p: v for p, v in zip(rows["price"].tolist(), rows[name].tolist(), strict=True) if v
        } == volumes


def test_candles_and_footprint_are_those_of_each_minute(engine: Engine, trades: dict[str, Any]) -> None:
    start = trades["ts_exchange_ns"] // np.uint64(60 * SECOND_NS) * np.uint64(60 * SECOND_NS)
    delta = np.cumsum(signed(trades))
    candles, cells = engine.to_numpy(SYMBOL, "candles"), engine.to_numpy(SYMBOL, "footprint")
    assert candles["start_ns"].tolist() == np.unique(start)[-50:].tolist()
    for row in candles:
        inside = start == row["start_ns"]
        price, size, bought = trades["price"][inside], trades["size"][inside], signed(trades)[inside] > 0
        assert [row["open"], row["high"], row["low"], row["close"]] == [
            price[0],
            price.max(),
            price.min(),
            price[-1],
        ]
        assert (row["buy_volume"], row["sell_volume"]) == (size[bought].sum(), size[~bought].sum())
        assert (row["trades"], row["cumulative_delta"]) == (inside.sum(), delta[inside][-1])
        prints = cells[cells["start_ns"] == row["start_ns"]]
        assert prints["price"].tolist() == np.unique(price).tolist()
        assert prints["buy_volume"].sum() == row["buy_volume"]
        at = prints[prints["price"] == price[0]][0]
        assert at["sell_volume"] == size[~bought & (price == price[0])].sum()


def test_vpin_splits_trades_over_buckets_of_equal_volume(engine: Engine, trades: dict[str, Any]) -> None:
    lots = np.repeat(np.sign(signed(trades)), trades["size"])  # every lot by itself
    full = len(lots) // 700
    buckets = lots[: full * 700].reshape(full, 700)
    imbalance = np.abs(buckets.sum(axis=1))
    rows = engine.to_numpy(SYMBOL, "vpin")
    assert len(rows) == full
    assert (rows["buy_volume"] - rows["sell_volume"]).tolist() == buckets.sum(axis=1).tolist()
    assert set((rows["buy_volume"] + rows["sell_volume"]).tolist()) == {700}
    expected = [imbalance[max(0, at - 11) : at + 1].mean() / 700 for at in range(full)]
    assert rows["vpin"].tolist() == pytest.approx(expected)
    assert engine.flow_snapshot(SYMBOL)["vpin"] == pytest.approx(expected[-1])
    assert engine.flow_snapshot(SYMBOL)["vpin_buckets_filled"] == full


def test_absorption_is_lots_into_a_side_over_the_ticks_it_gave_way(
    engine: Engine, trades: dict[str, Any]
) -> None:
    price, flow = trades["price"][-300:], signed(trades)[-300:]
    figures = engine.flow_snapshot(SYMBOL)
    assert figures["absorption_bid"] == pytest.approx(-flow[flow < 0].sum() / (1 + price[0] - price.min()))
    assert figures["absorption_ask"] == pytest.approx(flow[flow > 0].sum() / (1 + price.max() - price[0]))


def test_momentum_is_two_exponential_averages_and_the_deviation_from_the_slow_one(
    engine: Engine, trades: dict[str, Any]
) -> None:
    def average(values: Any, span: int, first: float) -> Any:
        weights = 2 / (span + 1)
        out = [first]
        for value in values:
            out.append(out[-1] * (1 - weights) + value * weights)
        return out

    price = trades["price"].astype(float)
    fast, slow = average(price[1:], 5, price[0]), average(price[1:], 40, price[0])
    variance = average((price[1:] - np.array(slow[:-1])) ** 2, 40, 0.0)
    figures = engine.flow_snapshot(SYMBOL)
    assert figures["momentum_fast"] == pytest.approx(fast[-1])
    assert figures["momentum_slow"] == pytest.approx(slow[-1])
    assert figures["momentum_deviation"] == pytest.approx(np.sqrt(variance[-1]))


def test_one_trade_of_many_buckets_is_counted_and_keeps_the_latest(native: Engine, symbol: Symbol) -> None:
    with Engine(EngineConfig(vpin_bucket_lots=1, vpin_buckets=3)) as engine:
        engine.ingest_trade(symbol, 1, 2**40, Side.ASK)
        engine.ingest_trade(symbol, 1, 1, Side.BID)
        figures = engine.flow_snapshot(symbol)
        assert figures["vpin_buckets_filled"] == 2**40 + 1
        assert figures["vpin"] == 1.0
        assert len(engine.to_numpy(symbol, "vpin")) == 10_000


def test_a_late_trade_goes_into_its_candle_while_that_is_kept(symbol: Symbol) -> None:
    with Engine(EngineConfig(candle_ns=10, candles_kept_max=2)) as engine:
        for ts in (25, 31, 22, 15):
            engine.ingest_trade(symbol, ts, 1, Side.ASK, ts_exchange_ns=ts)
        rows = engine.to_numpy(symbol, "candles")
        assert [(row["start_ns"], row["close"], row["trades"]) for row in rows] == [(20, 22, 2), (30, 31, 1)]
        assert engine.metrics()["late_candle_trades"] == 1


def test_series_are_arrays_tables_and_frames_of_the_same_rows(engine: Engine) -> None:
    array, table = engine.to_numpy(SYMBOL, "candles"), engine.to_arrow(SYMBOL, "candles")
    frame = engine.to_pandas(SYMBOL, "candles")
    assert table.column_names == list(frame.columns) == list(array.dtype.names)
    assert table["close"].to_pylist() == frame["close"].tolist() == array["close"].tolist()


def test_a_series_that_there_is_not_is_refused_by_name(engine: Engine) -> None:
    with pytest.raises(OrderflowArgError, match="series 'bars' is unknown: use trades, candles"):
        engine.to_numpy(SYMBOL, "bars")


def test_a_reset_clears_the_series(native: Engine, symbol: Symbol) -> None:
    native.ingest_trade(symbol, 1, 1, Side.ASK)
    native.reset_symbol_session(symbol)
    assert [len(native.to_numpy(symbol, name)) for name in ("trades", "candles", "footprint", "profile")] == [
        0
    ] * 4


def test_a_notebook_shows_the_symbols_that_are_subscribed(native: Engine) -> None:
    odd = Symbol("<b>", "X")
    native.subscribe(odd)
    native.ingest_trade(odd, 77, 5, Side.ASK)
    shown = native._repr_html_()
    assert "&lt;b&gt;" in shown
    assert "<td>77</td>" in shown
    native.close()
    assert "closed" in native._repr_html_()
