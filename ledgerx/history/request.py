"""HistoryClient: asks the relay for ranges of candles and waits until they are in the warehouse."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Final

import zmq
import zmq.asyncio
from google.protobuf.message import DecodeError as ProtobufDecodeError

from ledgerx.clock import SYSTEM_CLOCK, Clock
from ledgerx.errors import HistoryTimeout, InvalidState, RelayUnreachable
from ledgerx.history.endpoints import check_endpoint, check_keys, secure_client
from ledgerx.history.ingestor_pb2 import (
    CountsRequest,
    FromRelay,
    HistoryNotification,
    HistoryRequest,
    ToRelay,
)
from ledgerx.history.ohlc_pb2 import OHLCRange
from ledgerx.history.periods import check_period, check_range, check_ticker
from ledgerx.history.relay_core import topic_of
from ledgerx.history.request_core import RequestCore
from ledgerx.history.warehouse import check_limit
from ledgerx.protocol.crypto import KeyPair
from ledgerx.protocol.sockets import dealer, sub

__all__ = ["HistoryClient"]

_log = logging.getLogger(__name__)
_KEYS: Final = "client_keypair and server_public_key"
_TURN_S: Final = 0.1
_LINGER_MS: Final = 200

Progress = Callable[[float], None]


class HistoryClient:
    """Submits requests for candles and waits for their notifications (manual, "HistoryClient")::

        client = HistoryClient("tcp://127.0.0.1:5555", "tcp://127.0.0.1:5557")
        await client.connect()
        result = await client.request_historical_ohlc("FILE:XRP_ETH", 60, start_time, end_time)
        await client.close()

    Args:
        relay_endpoint: where the relay takes requests.
        notification_endpoint: where it publishes notifications.
        client_keypair, server_public_key: for CURVE; needed for an endpoint that is not of this machine.
        connect_timeout: how long `connect` waits for the relay, in seconds.
        poll_interval: how often the status of pending requests is asked for, in seconds.

    Raises InvalidField (a ValueError) for an endpoint that is none or needs keys.

    """

    def __init__(
        self,
        relay_endpoint: str,
        notification_endpoint: str,
        *,
        client_keypair: KeyPair | None = None,
        server_public_key: bytes | str | None = None,
        connect_timeout: float = 10.0,
        poll_interval: float = 1.0,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._server_key = check_keys(client_keypair, server_public_key)
        self._keypair = client_keypair
        keyed = self._server_key is not None
        self.relay_endpoint = check_endpoint(relay_endpoint, "relay_endpoint", keyed=keyed, keys_needed=_KEYS)
        self.notification_endpoint = check_endpoint(
            notification_endpoint, "notification_endpoint", keyed=keyed, keys_needed=_KEYS
        )
        self.client_id = clock.unique_hex()
        self._connect_timeout = connect_timeout
        self._clock = clock
        self._core = RequestCore(self.client_id, poll_s=poll_interval)
        self._futures: dict[str, asyncio.Future[HistoryNotification]] = {}
        self._progress: dict[str, Progress] = {}
        self._context: Any = None
        self._dealer: Any = None
        self._sub: Any = None
        self._tasks: list[asyncio.Task[None]] = []
        self._ready = asyncio.Event()
        self._answered = asyncio.Event()
        self._connected = False

    @property
    def connected(self) -> bool:
        """Whether requests may be made."""
        return self._connected

    async def connect(self) -> None:
        """Subscribe `RESPONSE:{client_id}` and reach the relay; when it returns, no notification is missed.

        Raises RelayUnreachable (a ConnectionError) where the relay does not answer within the connect
        timeout, InvalidState for a client that is connected or was closed.
        """
        if self._context is not None:
            raise InvalidState("this client was connected before: make another one")
        self._context = zmq.asyncio.Context()
        self._dealer = secure_client(
            dealer(self._context, rtimeo=-1, linger=_LINGER_MS), self._keypair, self._server_key
        )
        self._sub = secure_client(sub(self._context, rtimeo=-1, linger=0), self._keypair, self._server_key)
        try:
            self._sub.setsockopt(zmq.SUBSCRIBE, topic_of(self.client_id).encode())
            self._sub.connect(self.notification_endpoint)
            self._dealer.connect(self.relay_endpoint)
            self._tasks = [
                asyncio.create_task(self._watched(self._listen, self._sub)),
                asyncio.create_task(self._watched(self._listen, self._dealer)),
                asyncio.create_task(self._watched(self._poll)),
            ]
            await self._send(ToRelay(counts=CountsRequest()))
            async with asyncio.timeout(self._connect_timeout):
                await self._ready.wait()
                await self._answered.wait()
        except zmq.ZMQError as error:
            await self.close()
            raise RelayUnreachable(f"{self.relay_endpoint} cannot be connected to: {error}") from error
        except TimeoutError as error:
            silent = f"{self.relay_endpoint} does not answer requests"
            if not self._ready.is_set():
                silent = f"{self.notification_endpoint} does not answer a subscription"
            await self.close()
            raise RelayUnreachable(
                f"{silent} within {self._connect_timeout:g} s: is the relay started (pyledgerx relay), and"
                " are both endpoints and the keys its own?"
            ) from error
        except BaseException:
            await self.close()
            raise
        self._connected = True

    async def close(self) -> None:
        """Disconnect. Requests that are pending end with RelayUnreachable. May be called again."""
        self._connected = False
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        for task in tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self._give_up("the client was closed while it waited for an answer")
        for socket in (self._dealer, self._sub):
            if socket is not None and not socket.closed:
                socket.close()
        if self._context is not None and not self._context.closed:
            self._context.term()

    async def request_historical_ohlc(
        self,
        ticker: str,
        period_seconds: int,
        start_time: int,
        end_time: int,
        timeout: float = 30.0,
        limit: int | None = None,
        *,
        progress: Progress | None = None,
    ) -> dict[str, Any]:
        """Have the candles of [start_time, end_time), in microseconds, brought into the warehouse.

        Returns a dict: `request_id`; `status`, which is OK, NOT_FOUND (fetched, and there is no candle) or
        ERROR; `error_message` (None unless ERROR); `iceberg_namespace`, `iceberg_table` and `row_count`, the
        candles of the range that are there now; `snapshot_id` and `sequence_number`, the table's state that
        has them. `limit` caps the rows, earliest first; `progress` is told how far it is, from 0 to 1.

        Raises HistoryTimeout (a TimeoutError) without an answer within `timeout` seconds, RelayUnreachable (a
        ConnectionError) before `connect` has finished or after `close`, InvalidField (a ValueError).
        """
        if not self._connected:
            raise RelayUnreachable(
                "not connected: await connect() before requests, so that no answer is missed"
            )
        check_ticker(ticker)
        start, end = check_range(start_time, end_time)
        period = check_period(period_seconds)
        limit = None if limit is None else check_limit(limit)
        wanted = OHLCRange(ticker=ticker, period_seconds=period, start_time=start, end_time=end)
        request = HistoryRequest(
            request_id=self._clock.unique_hex(), client_id=self.client_id, range=wanted, limit=limit or 0
        )
        return _result(await self._answer(request, timeout, progress))

    async def _answer(
        self, request: HistoryRequest, timeout_s: float, progress: Progress | None
    ) -> HistoryNotification:
        request_id = request.request_id
        future: asyncio.Future[HistoryNotification] = asyncio.get_running_loop().create_future()
        self._futures[request_id] = future
        if progress is not None:
            self._progress[request_id] = progress
        try:
            await self._send(self._core.submit(request, self._clock.monotonic()))
            async with asyncio.timeout(timeout_s):
                return await future
        except TimeoutError as error:
            asked = request.range
            raise HistoryTimeout(
                f"{asked.ticker}, {asked.period_seconds} s, {asked.start_time} to {asked.end_time}: no answer"
                f" within {timeout_s:g} s; what is fetched meanwhile stays: ask again, or wait longer"
            ) from error
        finally:
            self._core.forget(request_id)
            self._futures.pop(request_id, None)
            self._progress.pop(request_id, None)

    async def __aenter__(self) -> HistoryClient:
        await self.connect()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def _watched(self, work: Callable[..., Coroutine[Any, Any, None]], *arguments: Any) -> None:
        """Should the work ever fail, no request is left waiting for it."""
        try:
            await work(*arguments)
        except Exception as error:
            _log.exception("the client of %s fails", self.relay_endpoint)
            self._connected = False
            self._give_up(f"the connection to {self.relay_endpoint} failed: {error}")

    def _give_up(self, text: str) -> None:
        for future in self._futures.values():
            if not future.done():
                future.set_exception(RelayUnreachable(text))

    async def _send(self, message: ToRelay) -> None:
        try:
            await self._dealer.send(message.SerializeToString(), zmq.NOBLOCK)
        except zmq.Again as error:
            # ZeroMQ keeps what is for a relay that is away. It has nowhere to keep it once it was refused,
            # and would wait for ever.
            raise RelayUnreachable(
                f"{self.relay_endpoint} refused the connection: are the keys its own, and does it allow this"
                " client's?"
            ) from error

    async def _listen(self, socket: Any) -> None:
        while True:
            frames = await socket.recv_multipart()
            try:
                message = FromRelay.FromString(frames[-1])
            except ProtobufDecodeError:
                continue  # no relay of this protocol: connect() or a timeout will say so
            kind = message.WhichOneof("kind")
            if kind == "ready":
                self._ready.set()
            elif kind == "counts":
                self._answered.set()
            await self._hear(message)

    async def _hear(self, message: FromRelay) -> None:
        news = self._core.receive(message, self._clock.monotonic())
        for answer in news.answers:
            future = self._futures.get(answer.request_id)
            if future is not None and not future.done():
                future.set_result(answer)
        for request_id, share in news.progress.items():
            if request_id in self._progress:
                self._progress[request_id](share)
        for reply in news.messages:
            await self._send(reply)

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(_TURN_S)
            for message in self._core.due(self._clock.monotonic()):
                await self._send(message)


def _result(answer: HistoryNotification) -> dict[str, Any]:
    return {
        "request_id": answer.request_id,
        "status": HistoryNotification.Status.Name(answer.status),
        "error_message": answer.error_message or None,
        "iceberg_namespace": answer.iceberg_namespace,
        "iceberg_table": answer.iceberg_table,
        "row_count": answer.row_count,
        "snapshot_id": answer.snapshot_id,
        "sequence_number": answer.sequence_number,
    }
