"""OHLCClient: candles, from the warehouse where it has them, brought there first where it lacks them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, TypeVar

from ledgerx.clock import SYSTEM_CLOCK, Clock
from ledgerx.errors import HistoryRequestFailed, HistoryTimeout, InvalidState, RelayUnreachable
from ledgerx.history.patience import PAUSE_FIRST_S, PAUSE_MAX_S, patiently
from ledgerx.history.periods import Range, bucket_start, buckets_between, check_period, check_range, length_us
from ledgerx.history.request import HistoryClient
from ledgerx.history.warehouse import IcebergClient, frame

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from ledgerx.protocol.crypto import KeyPair

__all__ = ["OHLCClient"]

_THREADS: Final = 4
Result = TypeVar("Result")
Progress = Callable[[float], None]


class OHLCClient:
    """Candles with smart caching (manual, "OHLCClient")::

        endpoints = ("tcp://127.0.0.1:5555", "tcp://127.0.0.1:5557")
        async with OHLCClient("sqlite:///catalog.db", *endpoints) as client:
            frame = await client.fetch_ohlc("FILE:XRP_ETH", 60, start_time, end_time)

    Args:
        iceberg_catalog_uri, namespace: as for IcebergClient.
        relay_endpoint, notification_endpoint and the keyword arguments: as for HistoryClient.

    Raises InvalidField (a ValueError) for a URI or an endpoint that is none.

    """

    def __init__(
        self,
        iceberg_catalog_uri: str,
        relay_endpoint: str,
        notification_endpoint: str,
        namespace: str = "trading",
        *,
        client_keypair: KeyPair | None = None,
        server_public_key: bytes | str | None = None,
        connect_timeout: float = 10.0,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self.iceberg = IcebergClient(iceberg_catalog_uri, namespace)
        self.history = HistoryClient(
            relay_endpoint,
            notification_endpoint,
            client_keypair=client_keypair,
            server_public_key=server_public_key,
            connect_timeout=connect_timeout,
            clock=clock,
        )
        self._clock = clock
        self._stopped = threading.Event()
        self._pool: ThreadPoolExecutor | None = None

    async def start(self) -> None:
        """Connect to the relay and listen to its notifications.

        Raises RelayUnreachable (a ConnectionError), InvalidState for a client that was started before.
        """
        if self._pool is not None or self._stopped.is_set():
            raise InvalidState("this client was started before: make another one")
        await self.history.connect()
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="ledgerx-warehouse")

    async def stop(self) -> None:
        """Disconnect. May be called again."""
        self._stopped.set()
        await self.history.close()
        pool, self._pool = self._pool, None
        if pool is not None:
            await asyncio.to_thread(pool.shutdown, cancel_futures=True)
        self.iceberg.close()

    async def fetch_ohlc(
        self,
        ticker: str,
        period_seconds: int,
        start_time: int,
        end_time: int,
        request_timeout: float = 30.0,
        *,
        progress: Progress | None = None,
        fill_empty: bool = False,
    ) -> pd.DataFrame:
        """The candles of [start_time, end_time), in microseconds, as IcebergClient.query_ohlc returns them.

        What the warehouse lacks is requested, and only that; periods that have not ended yet are not asked
        for. No candle for a period means that nothing was traded, and with `fill_empty` such a period has one
        without volume. `progress` is told how far a request is,
        from 0 to 1, where there is one.

        Raises HistoryTimeout (a TimeoutError) when it takes longer than `request_timeout` seconds,
        HistoryRequestFailed (a ValueError) with the source's error, InvalidField (a ValueError),
        RelayUnreachable and WarehouseUnavailable (each a ConnectionError).
        """
        rows = await self.fetch_ohlc_arrow(
            ticker,
            period_seconds,
            start_time,
            end_time,
            request_timeout,
            progress=progress,
            fill_empty=fill_empty,
        )
        return frame(rows)

    async def fetch_ohlc_arrow(
        self,
        ticker: str,
        period_seconds: int,
        start_time: int,
        end_time: int,
        request_timeout: float = 30.0,
        *,
        progress: Progress | None = None,
        fill_empty: bool = False,
    ) -> pa.Table:
        """The same as an Arrow table."""
        start_time, end_time = check_range(start_time, end_time)
        period_seconds = check_period(period_seconds)
        deadline = self._clock.monotonic() + request_timeout
        await self._fill(ticker, period_seconds, (start_time, end_time), deadline, progress)
        return await self._read(
            deadline,
            lambda: self.iceberg.query_ohlc_arrow(
                ticker, period_seconds, start_time, end_time, fill_empty=fill_empty
            ),
        )

    async def stream_ohlc(
        self,
        ticker: str,
        period_seconds: int,
        start_time: int,
        end_time: int,
        request_timeout: float = 30.0,
        *,
        candles_max: int = 100_000,
    ) -> AsyncIterator[pa.Table]:
        """A long range as Arrow tables of at most `candles_max` candles each, in order of time.

        One part is in memory at a time, and `request_timeout` is a part's. Raises what `fetch_ohlc` raises.
        """
        start_time, end_time = check_range(start_time, end_time)
        first, _ = buckets_between(start_time, end_time, check_period(period_seconds))
        step = max(1, candles_max) * length_us(period_seconds)
        for start in range(first, end_time, step):
            part = (start, min(start + step, end_time))
            rows = await self.fetch_ohlc_arrow(ticker, period_seconds, *part, request_timeout)
            if rows.num_rows:
                yield rows

    async def __aenter__(self) -> OHLCClient:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.stop()

    async def _fill(
        self, ticker: str, period_seconds: int, wanted: Range, deadline: float, progress: Progress | None
    ) -> None:
        """Bring into the warehouse what it lacks of the periods that have ended."""
        now = bucket_start(self._clock.wall_ns() // 1000, period_seconds)
        closed = (wanted[0], max(wanted[0], min(wanted[1], now)))
        missing = await self._read(
            deadline, lambda: self.iceberg.find_missing_ranges(ticker, period_seconds, *closed)
        )
        if not missing:
            return
        shares = [0.0] * len(missing)

        def told(place: int) -> Progress:
            def tell(share: float) -> None:
                shares[place] = share
                if progress is not None:
                    spans = [end - start for start, end in missing]
                    progress(sum(map(float.__mul__, shares, map(float, spans))) / sum(spans))

            return tell

        left = max(0.001, deadline - self._clock.monotonic())
        requests = [
            self.history.request_historical_ohlc(ticker, period_seconds, *span, left, progress=told(place))
            for place, span in enumerate(missing)
        ]
        results = await _all_or_none(requests)
        for result in results:
            if result["status"] == "ERROR":
                raise HistoryRequestFailed(f"{ticker}: {result['error_message']}")
        await self._see(max(result["sequence_number"] for result in results), ticker, deadline)

    async def _see(self, sequence_number: int, ticker: str, deadline: float) -> None:
        """Wait until this side of the catalog shows the commit that was told of."""
        pause = PAUSE_FIRST_S
        while not await self._read(deadline, lambda: self.iceberg.has_commit(sequence_number)):
            if self._clock.monotonic() + pause > deadline:
                text = f"{ticker}: commit {sequence_number}, that the relay told of, is not in the catalog"
                raise HistoryTimeout(f"{text}: is it the ingestor's catalog?")
            await asyncio.sleep(pause)
            pause = min(2 * pause, PAUSE_MAX_S)

    async def _read(self, deadline: float, action: Callable[[], Result]) -> Result:
        """In a thread, and again while the catalog does not answer, until the deadline."""
        if self._pool is None:
            raise RelayUnreachable(
                "not started: await start() before, or use the client as a context manager"
            )
        left = deadline - self._clock.monotonic()
        loop = asyncio.get_running_loop()
        work = loop.run_in_executor(self._pool, lambda: patiently(action, left, self._clock, self._stopped))
        try:
            async with asyncio.timeout(max(left, 0.001)):
                return await work
        except TimeoutError as error:
            raise HistoryTimeout(
                "the warehouse did not answer in time: give a longer request_timeout"
            ) from error


async def _all_or_none(requests: list[Any]) -> list[dict[str, Any]]:
    """What all return; where one raises, the others are given up."""
    tasks = [asyncio.ensure_future(request) for request in requests]
    try:
        results: list[dict[str, Any]] = await asyncio.gather(*tasks)
        return results
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
