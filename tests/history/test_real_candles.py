"""Recorded trades through the whole path, each part a process of its own, against the venues' own candles."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pandas as pd
from history_processes import running

from ledgerx.history import OHLCClient
from ledgerx.history.candles import Candles
from ledgerx.history.sources.files import read_recording

PRICES = ["open", "high", "low", "close"]
FULL_MINUTES = 1_723_161_300_000_000, 1_723_161_600_000_000


def published(path: Path, trades: Path) -> Candles:
    """A venue's own candles, in the scales that its trades need."""
    scales = read_recording(trades)
    content = read_recording(path, price_scale=scales.price_scale, size_scale=scales.size_scale).content
    assert isinstance(content, Candles)
    return content


def assert_same(frame: pd.DataFrame, candles: Candles, columns: list[str]) -> None:
    for column in ["timestamp", *columns]:
        assert frame[column].tolist() == getattr(candles, column).tolist(), column


def test_recorded_trades_become_their_venues_candles_through_processes(
    shared_data: Path, tmp_path: Path
) -> None:
    folder = shared_data / "candles"
    spot, perpetual = folder / "XRP_ETH-trades.feather", folder / "BTCUSDT-perp-trades-2024-08-08T2354.csv.gz"
    minutes, fives = (published(folder / f"XRP_ETH-{name}.feather", spot) for name in ("1m", "5m"))
    span = int(minutes.timestamp[0]), int(minutes.timestamp[-1]) + 60_000_000
    catalog = f"sqlite:///{tmp_path}/catalog.db"

    async def program(relay_endpoint: str, notification_endpoint: str) -> list[pd.DataFrame]:
        async with OHLCClient(catalog, relay_endpoint, notification_endpoint) as client:
            return [
                await client.fetch_ohlc("FILE:XRP_ETH", 60, *span),
                await client.fetch_ohlc("FILE:XRP_ETH", 300, span[0] - 300_000_000, span[1]),
                await client.fetch_ohlc("PERP:BTCUSDT-perp", 60, *FULL_MINUTES),
            ]

    with running("relay", "--endpoint", "tcp://127.0.0.1:0", "--notifications", "tcp://127.0.0.1:0") as relay:
        sources = ["--source", f"files:{folder}", "--source", f"PERP=files:{perpetual}"]
        endpoint = relay.ready["relay_endpoint"]
        with running("ingestor", "--catalog", catalog, "--relay", endpoint, *sources):
            ones, five, full = asyncio.run(program(**relay.ready))
    assert (len(ones), len(five), len(full)) == (2469, 706, 5)
    assert_same(ones, minutes, [*PRICES, "volume"])
    assert_same(five, fives, [*PRICES, "volume"])
    wanted = published(folder / "BTCUSDT-perp-1m.csv", perpetual).between(*FULL_MINUTES)
    assert_same(full, wanted, [*PRICES, "volume", "quote_volume", "trade_count", "buy_vol"])
