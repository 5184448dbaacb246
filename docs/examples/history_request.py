"""Ask the relay itself and see what it answers: `history_request.py RELAY NOTIFICATIONS`."""

import asyncio
import sys

from ledgerx.history import HistoryClient


async def main():
    client = HistoryClient(*sys.argv[1:])
    await client.connect()  # before any request: when it returns, no notification is missed
    result = await client.request_historical_ohlc(
        ticker="BINANCE:BTC/USDT",
        period_seconds=3600,
        start_time=1735689600000000,
        end_time=1736294399000000,
    )
    print(result["status"], result["row_count"], result["iceberg_table"])
    await client.close()


asyncio.run(main())
