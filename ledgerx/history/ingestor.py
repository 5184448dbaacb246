"""The ingestor: takes ranges from the relay, fetches them from its sources, writes them to the warehouse.

It asks the warehouse first, and its sources only for what is missing, so that a range given twice is fetched
once. What a source gave before it failed is kept. The relay hears of a range when it is committed.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Final, TypeVar

import zmq
from google.protobuf.message import DecodeError as ProtobufDecodeError

from ledgerx.clock import SYSTEM_CLOCK, Clock
from ledgerx.errors import Error, InvalidField, InvalidState, SourceFailed
from ledgerx.history.commit_queue import CommitQueue
from ledgerx.history.endpoints import check_endpoint, check_keys, secure_client
from ledgerx.history.ingestor_pb2 import FromRelay, ToRelay, Work, WorkDone, WorkerGoodbye, WorkerHello
from ledgerx.history.ohlc_pb2 import OHLCPresence
from ledgerx.history.patience import patiently
from ledgerx.history.periods import Range, bucket_start, length_us
from ledgerx.history.presence import runs_of
from ledgerx.history.sources.source import Instrument, Page, Source
from ledgerx.history.tables import OHLC
from ledgerx.history.warehouse import IcebergClient
from ledgerx.history.writer import Commit, Filled, WarehouseWriter
from ledgerx.protocol.crypto import KeyPair
from ledgerx.protocol.sockets import AnyContext, AnySocket, dealer, pair

__all__ = ["Ingestor"]

_log = logging.getLogger(__name__)
_HELLO_S: Final = 1.0
_TURN_MS: Final = 200
_LINGER_MS: Final = 500
_KEYS: Final = "client_keypair and server_public_key"
Result = TypeVar("Result")


class Ingestor:
    """An ingestor in threads of its own.

    Args:
        relay_endpoint: where the relay takes requests.
        writer: of the warehouse; the ingestor closes it.
        sources: what it serves; it closes them.
        jobs_max: ranges fetched at once.
        client_keypair, server_public_key: for CURVE; needed for an endpoint that is not of this machine.
        after_commits: called after each commit with their number, in the writer's thread.

    Raises InvalidField (a ValueError) for an endpoint that is none or needs keys, and for no or like sources.

    """

    def __init__(
        self,
        relay_endpoint: str,
        writer: WarehouseWriter,
        sources: Iterable[Source],
        *,
        jobs_max: int = 4,
        client_keypair: KeyPair | None = None,
        server_public_key: bytes | str | None = None,
        after_commits: Callable[[int], None] | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._server_key = check_keys(client_keypair, server_public_key)
        self._keypair = client_keypair
        keyed = self._server_key is not None
        self.relay_endpoint = check_endpoint(relay_endpoint, "relay_endpoint", keyed=keyed, keys_needed=_KEYS)
        self.worker_id = clock.unique_hex()
        self._sources = _by_name(sources)
        self._jobs_max = jobs_max
        self._clock = clock
        self._writer = writer
        self._reader = IcebergClient(writer.uri, writer.namespace)
        self._commits = CommitQueue(writer, after_commits)
        self._stopped = threading.Event()
        self._running: dict[int, str] = {}
        self._done: queue.SimpleQueue[WorkDone] = queue.SimpleQueue()
        self._context: AnyContext = zmq.Context()
        self._wake: AnySocket | None = None
        self._wake_lock = threading.Lock()
        self._pool = ThreadPoolExecutor(jobs_max, thread_name_prefix="ledgerx-fetch")
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Make the tables where they are not there, and begin to serve. Raises WarehouseUnavailable."""
        if self._thread is not None or self._context.closed:
            raise InvalidState("this ingestor was started before: make another one")
        socket = secure_client(dealer(self._context, linger=_LINGER_MS), self._keypair, self._server_key)
        try:
            socket.connect(self.relay_endpoint)
            self._commits.start()
        except BaseException as error:
            socket.close(0)
            self.stop()
            if isinstance(error, zmq.ZMQError):
                text = f"relay_endpoint {self.relay_endpoint!r} cannot be connected to: {error}"
                raise InvalidField(text, field="relay_endpoint", value=self.relay_endpoint) from error
            raise
        name = f"inproc://ingestor-{id(self)}"
        self._wake, heard = pair(self._context), pair(self._context)
        self._wake.bind(name)
        heard.connect(name)
        self._thread = threading.Thread(target=self._run, args=(socket, heard), name="ledgerx-ingestor")
        self._thread.start()

    def stop(self) -> None:
        """End: ranges being fetched are left to others. May be called again."""
        self._stopped.set()
        self._writer.hurry()  # who fetches may wait for a catalog that is away
        self._notify()
        if self._thread is not None:
            self._thread.join()
        self._pool.shutdown(cancel_futures=True)
        self._commits.stop()
        self._reader.close()
        for source in self._sources.values():
            source.close()
        with self._wake_lock:
            if self._wake is not None:
                self._wake.close(0)
                self._wake = None
        self._context.term()

    @property
    def alive(self) -> bool:
        """Whether it serves."""
        return self._thread is not None and self._thread.is_alive()

    def __enter__(self) -> Ingestor:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    # ------------------------------------------------------------------------- the socket's thread

    def _run(self, socket: AnySocket, heard: AnySocket) -> None:
        poller = zmq.Poller()
        poller.register(socket, zmq.POLLIN)
        poller.register(heard, zmq.POLLIN)
        next_hello = self._clock.monotonic()
        try:
            while not self._stopped.is_set():
                ready = dict(poller.poll(_TURN_MS))
                if heard in ready:
                    heard.recv()
                if socket in ready:
                    self._hear(FromRelay.FromString(socket.recv_multipart()[-1]))
                self._report(socket)
                now = self._clock.monotonic()
                if now >= next_hello:
                    next_hello = now + _HELLO_S
                    self._say(socket, ToRelay(worker=self._hello()))
            self._say(socket, ToRelay(goodbye=WorkerGoodbye(worker_id=self.worker_id)))
        except ProtobufDecodeError:
            _log.exception("%s is no relay of this protocol", self.relay_endpoint)
        finally:
            socket.close(_LINGER_MS)
            heard.close(0)

    def _hello(self) -> WorkerHello:
        return WorkerHello(
            worker_id=self.worker_id,
            sources=sorted(self._sources),
            jobs_max=self._jobs_max,
            running=list(self._running),
        )

    def _say(self, socket: AnySocket, message: ToRelay) -> None:
        try:
            socket.send(message.SerializeToString(), zmq.NOBLOCK)
        except zmq.Again:
            # ZeroMQ keeps what is for a relay that is away; a connection that was refused is gone, and it
            # makes no other by itself.
            text = "%s refuses this ingestor: are the keys its own, and does it allow the ingestor's?"
            _log.warning(text + " Trying again", self.relay_endpoint)
            with contextlib.suppress(zmq.ZMQError):
                socket.disconnect(self.relay_endpoint)
            socket.connect(self.relay_endpoint)

    def _hear(self, message: FromRelay) -> None:
        work = message.work
        if message.WhichOneof("kind") != "work" or self._running.get(work.job_id) == work.relay_id:
            return
        self._running[work.job_id] = work.relay_id
        self._pool.submit(self._do, work)

    def _report(self, socket: AnySocket) -> None:
        with contextlib.suppress(queue.Empty):
            while True:
                done = self._done.get_nowait()
                if self._running.get(done.job_id) == done.relay_id:
                    del self._running[done.job_id]
                self._say(socket, ToRelay(done=done))

    # ----------------------------------------------------------------------------- fetching threads

    def _notify(self) -> None:
        """Have the socket's thread look up."""
        with self._wake_lock, contextlib.suppress(zmq.ZMQError):
            if self._wake is not None:
                self._wake.send(b"", zmq.NOBLOCK)

    def _do(self, work: Work) -> None:
        done = WorkDone(job_id=work.job_id, relay_id=work.relay_id, worker_id=self.worker_id)
        try:
            self._fetch(work, done)
        except Error as error:
            done.error_message = str(error)
        except Exception as error:
            _log.exception("fetching %s failed", work.range.ticker)
            done.error_message = f"{type(error).__name__}: {error}"
        self._done.put(done)
        self._notify()

    def _fetch(self, work: Work, done: WorkDone) -> None:
        asked = work.range
        span: Range = (asked.start_time, asked.end_time)
        key = (asked.ticker, asked.period_seconds)
        # Of a period that has not ended more may come: it is not fetched, and stays missing.
        ended = bucket_start(self._clock.wall_ns() // 1000, key[1])
        closed = span[0], max(span[0], min(span[1], ended))
        missing = self._patiently(lambda: self._reader.find_missing_ranges(*key, *closed))
        commits: list[Future[Commit]] = []
        try:
            for filled in self._filled(work, missing):
                (covered,) = filled.covered
                done.periods_fetched += (covered[1] - covered[0]) // length_us(key[1])
                commits.append(self._commits.put(filled))
        finally:
            # Also where the source failed half way: what it gave is committed, and the relay hears so.
            for commit in commits:
                latest = commit.result()
                done.snapshot_id, done.sequence_number = latest.snapshot_id, latest.sequence_number
        if not commits:
            done.snapshot_id, done.sequence_number = self._patiently(self._reader.state)
        times = self._patiently(lambda: self._reader.timestamps(*key, *span))
        done.presence.CopyFrom(OHLCPresence(runs=runs_of(times, span, key[1])))
        done.iceberg_namespace, done.iceberg_table = self._writer.namespace, OHLC

    def _filled(self, work: Work, missing: Iterable[Range]) -> Iterator[Filled]:
        """What the source gives of the missing ranges, page by page."""
        name, _, symbol = work.range.ticker.partition(":")
        period, rows = work.range.period_seconds, 0
        source = self._sources.get(name)
        instrument: Instrument | None = None
        for wanted in missing:
            if source is None:
                raise SourceFailed(f"this ingestor has no source {name!r}")
            instrument = instrument or source.instrument(symbol)
            if instrument is None:
                raise SourceFailed(f"{name} has no symbol {symbol!r}")
            place = wanted[0]
            for page in source.pages(symbol, period, wanted):
                place = _check_page(page, (place, wanted[1]), period, work.range.ticker)
                if page.covered[0] < page.covered[1]:
                    yield Filled(instrument, period, (page.covered,), page.candles, name)
                rows += len(page.candles)
                if self._stopped.is_set() or (work.limit and rows >= work.limit):
                    return

    def _patiently(self, action: Callable[[], Result]) -> Result:
        return patiently(action, self._writer.patience_s, self._clock, self._stopped)


def _by_name(sources: Iterable[Source]) -> dict[str, Source]:
    named: dict[str, Source] = {}
    for source in sources:
        if source.name in named:
            text = f"source {source.name!r} is there twice: give each a name of its own"
            raise InvalidField(text, field="sources", value=source.name)
        named[source.name] = source
    if not named:
        raise InvalidField("sources is empty: name at least one", field="sources", value=())
    return named


def _check_page(page: Page, within: Range, period_seconds: int, ticker: str) -> int:
    """Where the next page must start. Raises SourceFailed for a page that is not what it says."""
    start, end = page.covered
    times, length = page.candles.timestamp, length_us(period_seconds)
    whole = (start - within[0]) % length == 0 and (end - start) % length == 0
    if (
        not whole
        or not within[0] <= start <= end <= within[1]
        or page.candles.period_seconds != period_seconds
    ):
        raise SourceFailed(
            f"{ticker}: a page of {start} to {end} does not fit into {within[0]} to {within[1]}"
        )
    ordered = bool((times[1:] > times[:-1]).all()) and not ((times - start) % length).any()
    if len(times) and not (ordered and start <= times[0] and times[-1] < end):
        raise SourceFailed(f"{ticker}: a page of {start} to {end} has candles out of place")
    return end
