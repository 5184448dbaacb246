"""What a relay decides, without I/O: requests become jobs, jobs go to ingestors, results to clients.

Requests that overlap in flight share jobs, so that each period is asked of its source once. A client's and an
ingestor's messages may be lost, repeated or late: ids make repeats harmless, an ingestor's hello says which
jobs it really has, and a client that missed its notification asks for the status. What was in the memory of
a relay that died is sent again by the clients, and what is in the warehouse is not fetched again.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from ledgerx.errors import InvalidField
from ledgerx.history.ingestor_pb2 import (
    Accepted,
    Counts,
    FromRelay,
    HistoryNotification,
    HistoryRequest,
    Progress,
    Ready,
    StatusReply,
    StatusRequest,
    ToRelay,
    Work,
    WorkDone,
    WorkerHello,
)
from ledgerx.history.ohlc_pb2 import OHLCRange
from ledgerx.history.periods import (
    Range,
    buckets_between,
    check_period,
    check_range,
    check_ticker,
    clip,
    length_us,
    subtract,
)
from ledgerx.history.presence import are_runs, count_between

__all__ = ["Output", "RelayCore", "RelayLimits", "topic_of"]

TOPIC: Final = "RESPONSE:"


def topic_of(client_id: str) -> str:
    """The topic of a client's notifications (manual, "connect")."""
    return TOPIC + client_id


class Output(NamedTuple):
    """What is to be sent: to a peer's routing id, or, where that is empty, on a topic."""

    peer: bytes
    topic: str
    message: FromRelay


@dataclass(frozen=True, slots=True)
class RelayLimits:
    """What bounds a relay's memory and patience."""

    worker_silence_s: float = 5.0
    """After this long without a hello an ingestor's jobs go to others."""
    worker_wait_s: float = 10.0
    """How long a job waits for an ingestor that serves its source."""
    assignment_s: float = 3.0
    """After this long a job that its ingestor does not name was never received."""
    results_keep_s: float = 300.0
    results_max: int = 100_000
    requests_max: int = 100_000
    request_candles_max: int = 20_000_000
    job_candles_max: int = 100_000
    losses_max: int = 3
    """After so many ingestors that ended on a range it is answered with an error."""


@dataclass(slots=True)
class _Job:
    number: int
    key: tuple[str, int]
    span: Range
    limit: int
    queued_at: float
    requests: set[str] = field(default_factory=set)
    worker: str = ""
    given_at: float = 0.0
    losses: int = 0


@dataclass(slots=True)
class _Request:
    message: HistoryRequest
    span: Range
    waiting: set[int]
    periods_total: int
    periods_done: int = 0
    rows: int = 0
    error: str = ""
    latest: WorkDone = field(default_factory=WorkDone)


@dataclass(slots=True)
class _Worker:
    peer: bytes
    sources: frozenset[str]
    jobs_max: int
    heard_at: float
    jobs: set[int] = field(default_factory=set)


class RelayCore:
    """A relay's state. Every method takes the time in seconds and returns what is to be sent.

    `relay_id` is another one for each start, so that answers to jobs of an earlier relay are told apart.
    """

    def __init__(self, relay_id: str, limits: RelayLimits | None = None) -> None:
        self.relay_id = relay_id
        self.limits = limits or RelayLimits()
        self._requests: dict[str, _Request] = {}
        self._results: OrderedDict[str, tuple[float, HistoryNotification]] = OrderedDict()
        self._jobs: dict[int, _Job] = {}
        self._waiting: dict[int, _Job] = {}  # those that no ingestor has, oldest first
        self._by_key: dict[tuple[str, int], set[int]] = {}
        self._workers: dict[str, _Worker] = {}
        self._job_number = 0
        self.counts = Counts(relay_id=relay_id)

    def receive(self, peer: bytes, message: ToRelay, now: float) -> list[Output]:
        """A message of a peer."""
        kind = message.WhichOneof("kind")
        if kind == "request":
            return self._request(peer, message.request, now)
        if kind == "status":
            return [Output(peer, "", FromRelay(status=self._status(message.status)))]
        if kind == "worker":
            return self._hello(peer, message.worker, now)
        if kind == "done":
            return self._done(message.done, now)
        if kind == "goodbye":
            return self._lose(message.goodbye.worker_id, now)
        if kind == "counts":
            return [Output(peer, "", FromRelay(counts=self.numbers()))]
        return []

    def subscribed(self, topic: str) -> list[Output]:
        """A subscription came: the topic is told that it is heard."""
        if not topic.startswith(TOPIC):
            return []
        return [Output(b"", topic, FromRelay(ready=Ready(relay_id=self.relay_id)))]

    def tick(self, now: float) -> list[Output]:
        """Time passed: to be called several times a second."""
        outputs = []
        for worker_id, worker in list(self._workers.items()):
            if now - worker.heard_at > self.limits.worker_silence_s:
                outputs += self._lose(worker_id, now)
        for job in list(self._waiting.values()):
            source = job.key[0].partition(":")[0]
            waited = now - job.queued_at > self.limits.worker_wait_s
            if waited and not any(source in worker.sources for worker in self._workers.values()):
                text = f"no ingestor serves the source {source!r}: start one, pyledgerx ingestor --source ..."
                outputs += self._finish(job, WorkDone(error_message=text), now)
        while self._results:
            kept_at, _ = next(iter(self._results.values()))
            if now - kept_at <= self.limits.results_keep_s and len(self._results) <= self.limits.results_max:
                break
            self._results.popitem(last=False)
        return outputs + self._assign(now)

    def numbers(self) -> Counts:
        """What it has done, in counts."""
        counts = Counts()
        counts.CopyFrom(self.counts)
        counts.workers, counts.pending = len(self._workers), len(self._requests)
        return counts

    # ------------------------------------------------------------------------------------ clients

    def _request(self, peer: bytes, message: HistoryRequest, now: float) -> list[Output]:
        known = self._results.get(message.request_id)
        accepted = Accepted(request_id=message.request_id, notification_topic=topic_of(message.client_id))
        if known is not None:
            self.counts.requests_repeated += 1
            return [Output(peer, "", FromRelay(notification=known[1]))]
        if message.request_id in self._requests:
            self.counts.requests_repeated += 1
            return [Output(peer, "", FromRelay(accepted=accepted))]
        self.counts.requests += 1
        try:
            span = self._span(message)
        except InvalidField as error:
            return [Output(peer, "", FromRelay(notification=self._refusal(message, str(error))))]
        outputs = [Output(peer, "", FromRelay(accepted=accepted))]
        length = length_us(message.range.period_seconds)
        request = _Request(message, span, set(), (span[1] - span[0]) // length)
        self._requests[message.request_id] = request
        self._cover(request, span, now)
        if not request.waiting:
            return [*outputs, *self._answer(request, now)]
        return outputs + self._assign(now)

    def _span(self, message: HistoryRequest) -> Range:
        """The whole periods that are asked for. Raises InvalidField."""
        asked = message.range
        check_ticker(asked.ticker)
        check_range(asked.start_time, asked.end_time)
        span = buckets_between(asked.start_time, asked.end_time, check_period(asked.period_seconds))
        for name, value in (("request_id", message.request_id), ("client_id", message.client_id)):
            if not value:
                raise InvalidField(f"{name} is empty: give one of your own", field=name, value=value)
        count = (span[1] - span[0]) // length_us(asked.period_seconds)
        if count > self.limits.request_candles_max:
            raise InvalidField(
                f"end_time {asked.end_time}: a range of {count} candles, more than"
                f" {self.limits.request_candles_max}: ask for less at once",
                field="end_time",
                value=asked.end_time,
            )
        if len(self._requests) >= self.limits.requests_max:
            text = f"the relay has {len(self._requests)} requests pending: ask again later"
            raise InvalidField(text, field="request_id", value=message.request_id)
        return span

    def _cover(self, request: _Request, wanted: Range, now: float, apart_from: _Job | None = None) -> None:
        """Join the jobs in flight that overlap a range, and make jobs for the rest."""
        message = request.message
        key = (message.range.ticker, message.range.period_seconds)
        # A job with a limit may end before its range does: only its own request waits for it.
        shared = [
            job
            for number in sorted(self._by_key.get(key, ()))
            if not (job := self._jobs[number]).limit
            and job is not apart_from
            and job.span[0] < wanted[1]
            and wanted[0] < job.span[1]
        ]
        self.counts.requests_merged += bool(shared)
        for job in shared:
            self._join(request, job)
        for missing in subtract(wanted, (job.span for job in shared)):
            for span in self._pieces(missing, key[1]):
                self._join(request, self._new_job(key, span, message.limit, now))

    def _new_job(self, key: tuple[str, int], span: Range, limit: int, now: float) -> _Job:
        self._job_number += 1
        job = _Job(self._job_number, key, span, limit, now)
        self.counts.jobs += 1
        self._jobs[job.number] = self._waiting[job.number] = job
        self._by_key.setdefault(key, set()).add(job.number)
        return job

    def _pieces(self, span: Range, period_seconds: int) -> Iterator[Range]:
        step = self.limits.job_candles_max * length_us(period_seconds)
        for start in range(span[0], span[1], step):
            yield start, min(start + step, span[1])

    @staticmethod
    def _join(request: _Request, job: _Job) -> None:
        request.waiting.add(job.number)
        job.requests.add(request.message.request_id)

    def _status(self, message: StatusRequest) -> StatusReply:
        reply = StatusReply()
        for request_id in message.request_ids:
            if request_id in self._results:
                reply.done.append(self._results[request_id][1])
            elif (request := self._requests.get(request_id)) is not None:
                reply.pending.append(
                    Progress(
                        request_id=request_id,
                        periods_done=request.periods_done,
                        periods_total=request.periods_total,
                    )
                )
            else:
                reply.unknown.append(request_id)
        return reply

    def _answer(self, request: _Request, now: float) -> list[Output]:
        message, latest = request.message, request.latest
        del self._requests[message.request_id]
        rows = min(request.rows, message.limit) if message.limit else request.rows
        status = HistoryNotification.OK if rows else HistoryNotification.NOT_FOUND
        notification = HistoryNotification(
            request_id=message.request_id,
            client_id=message.client_id,
            status=HistoryNotification.ERROR if request.error else status,
            error_message=request.error,
            iceberg_namespace=latest.iceberg_namespace,
            iceberg_table=latest.iceberg_table,
            row_count=rows,
            snapshot_id=latest.snapshot_id,
            sequence_number=latest.sequence_number,
        )
        return [self._keep(notification, now)]

    def _keep(self, notification: HistoryNotification, now: float) -> Output:
        self._results[notification.request_id] = (now, notification)
        self.counts.notifications += 1
        return Output(b"", topic_of(notification.client_id), FromRelay(notification=notification))

    @staticmethod
    def _refusal(message: HistoryRequest, text: str) -> HistoryNotification:
        return HistoryNotification(
            request_id=message.request_id,
            client_id=message.client_id,
            status=HistoryNotification.ERROR,
            error_message=text,
        )

    # ---------------------------------------------------------------------------------- ingestors

    def _hello(self, peer: bytes, hello: WorkerHello, now: float) -> list[Output]:
        worker = self._workers.get(hello.worker_id)
        if worker is None:
            worker = self._workers[hello.worker_id] = _Worker(peer, frozenset(), 1, now)
        worker.peer, worker.heard_at = peer, now
        worker.sources, worker.jobs_max = frozenset(hello.sources), max(1, hello.jobs_max)
        running = set(hello.running)
        for number in sorted(worker.jobs - running):
            job = self._jobs[number]
            if now - job.given_at > self.limits.assignment_s:
                self._queue_again(job, now)
        return self._assign(now)

    def _assign(self, now: float) -> list[Output]:
        """Give waiting jobs, oldest first, to the ingestors that have the fewest."""
        outputs = []
        for job in list(self._waiting.values()):
            if not any(len(worker.jobs) < worker.jobs_max for worker in self._workers.values()):
                break
            source = job.key[0].partition(":")[0]
            free = [
                (len(worker.jobs), worker_id)
                for worker_id, worker in self._workers.items()
                if source in worker.sources and len(worker.jobs) < worker.jobs_max
            ]
            if not free:
                continue
            del self._waiting[job.number]
            job.worker = min(free)[1]
            job.given_at = now
            worker = self._workers[job.worker]
            worker.jobs.add(job.number)
            wanted = OHLCRange(
                ticker=job.key[0], period_seconds=job.key[1], start_time=job.span[0], end_time=job.span[1]
            )
            work = Work(job_id=job.number, relay_id=self.relay_id, range=wanted, limit=job.limit)
            outputs.append(Output(worker.peer, "", FromRelay(work=work)))
        return outputs

    def _lose(self, worker_id: str, now: float) -> list[Output]:
        worker = self._workers.pop(worker_id, None)
        outputs = []
        for number in sorted(worker.jobs) if worker is not None else ():
            job = self._jobs[number]
            job.losses += 1
            if job.losses >= self.limits.losses_max:
                text = f"{job.losses} ingestors ended while they fetched {job.key[0]}: see their logs"
                outputs += self._finish(job, WorkDone(error_message=text), now)
            else:
                self._queue_again(job, now)
        return outputs + self._assign(now)

    def _queue_again(self, job: _Job, now: float) -> None:
        worker = self._workers.get(job.worker)
        if worker is not None:
            worker.jobs.discard(job.number)
        job.worker, job.queued_at = "", now
        self._waiting[job.number] = job
        self.counts.jobs_given_again += 1

    def _done(self, done: WorkDone, now: float) -> list[Output]:
        job = self._jobs.get(done.job_id) if done.relay_id == self.relay_id else None
        if job is None:
            return []  # another one was faster, or it is a job of an earlier relay; the warehouse has it
        if not are_runs(done.presence.runs, job.span, job.key[1]):
            text = f"the ingestor {done.worker_id!r} answered with no presence of candles"
            done = WorkDone(error_message=done.error_message or text)
        if done.error_message:
            self._part(job, now)
        return self._finish(job, done, now) + self._assign(now)

    def _part(self, job: _Job, now: float) -> None:
        """A job failed: requests for a part of it get jobs of their own, for their part may be there."""
        for request_id in sorted(job.requests):
            request = self._requests.get(request_id)
            if request is None:
                continue
            (common,) = clip([job.span], request.span)
            if common == job.span:
                continue
            job.requests.discard(request_id)
            request.waiting.discard(job.number)
            self._cover(request, common, now, apart_from=job)

    def _finish(self, job: _Job, done: WorkDone, now: float) -> list[Output]:
        worker = self._workers.get(job.worker)
        if worker is not None:
            worker.jobs.discard(job.number)
        del self._jobs[job.number]
        self._waiting.pop(job.number, None)
        self._by_key[job.key].discard(job.number)
        if not self._by_key[job.key]:
            del self._by_key[job.key]
        self.counts.periods_fetched += done.periods_fetched
        return [
            output for request_id in sorted(job.requests) for output in self._tell(request_id, job, done, now)
        ]

    def _tell(self, request_id: str, job: _Job, done: WorkDone, now: float) -> Iterable[Output]:
        request = self._requests.get(request_id)
        if request is None:
            return ()
        request.waiting.discard(job.number)
        (common,) = clip([job.span], request.span)
        request.rows += count_between(done.presence.runs, job.span, job.key[1], common)
        request.periods_done += (common[1] - common[0]) // length_us(job.key[1])
        request.error = request.error or done.error_message
        if done.sequence_number >= request.latest.sequence_number:
            request.latest = done
        return self._answer(request, now) if not request.waiting else ()
