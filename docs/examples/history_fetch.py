"""Fetch hourly candles: `history_fetch.py CATALOG RELAY NOTIFICATIONS`, or none of them."""

import asyncio
import sys

from ledgerx.history import OHLCClient

catalog, relay, notifications = sys.argv[1:] or (
    "sqlite:///history/catalog.db",
    "tcp://127.0.0.1:5555",
    "tcp://127.0.0.1:5557",
)


async def main():
    async with OHLCClient(
        iceberg_catalog_uri=catalog, relay_endpoint=relay, notification_endpoint=notifications
    ) as client:
        df = await client.fetch_ohlc(
            ticker="BINANCE:BTC/USDT",
            period_seconds=3600,  # 1-hour candles
            start_time=1735689600000000,  # microseconds
            end_time=1736294399000000,
        )
        print(f"Fetched {len(df)} candles")
        print(df[["timestamp", "open", "high", "low", "close", "volume"]].head())


asyncio.run(main())
