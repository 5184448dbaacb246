"""The relay's rules, in virtual time: jobs are shared, given again, and every request gets its answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import pytest
from candle_makers import span
from hypothesis import given, settings
from hypothesis import strategies as st

from ledgerx.clock import Random, seeded_random
from ledgerx.history.ingestor_pb2 import (
    FromRelay,
    HistoryNotification,
    HistoryRequest,
    StatusRequest,
    ToRelay,
    Work,
    WorkDone,
    WorkerGoodbye,
    WorkerHello,
)
from ledgerx.history.ohlc_pb2 import OHLCPresence, OHLCRange
from ledgerx.history.presence import count_between, runs_of
from ledgerx.history.relay_core import Output, RelayCore, RelayLimits
from ledgerx.history.request_core import RequestCore

CLIENT, WORKER = b"client", b"worker"


def request(number: int | str, first: int, last: int, *, ticker: str = "TEST:ABC", limit: int = 0) -> ToRelay:
    start, end = span(first, last)
    wanted = OHLCRange(ticker=ticker, period_seconds=60, start_time=start, end_time=end)
    return ToRelay(request=HistoryRequest(request_id=f"r{number}", client_id="c", range=wanted, limit=limit))


def hello(name: str = "w", running: Iterable[int] = (), jobs_max: int = 100) -> ToRelay:
    return ToRelay(worker=WorkerHello(worker_id=name, sources=["TEST"], jobs_max=jobs_max, running=running))


def done(work: Work, *, error: str = "", every: int = 1) -> ToRelay:
    """The answer to a job: `every` so many minutes have a candle."""
    start, end = work.range.start_time, work.range.end_time
    times = [time for time in range(start, end, 60_000_000) if (time // 60_000_000) % every == 0]
    runs = runs_of(times, (start, end), 60)
    return ToRelay(
        done=WorkDone(
            job_id=work.job_id,
            relay_id=work.relay_id,
            worker_id="w",
            error_message=error,
            iceberg_namespace="trading",
            iceberg_table="ohlc",
            presence=OHLCPresence(runs=runs),
            snapshot_id=9,
            sequence_number=work.job_id,
        )
    )


def works(outputs: Iterable[Output]) -> list[Work]:
    return [one.message.work for one in outputs if one.message.WhichOneof("kind") == "work"]


def answers(outputs: Iterable[Output]) -> list[HistoryNotification]:
    return [one.message.notification for one in outputs if one.message.WhichOneof("kind") == "notification"]


@pytest.fixture
def core() -> RelayCore:
    relay = RelayCore("relay-1")
    relay.receive(WORKER, hello(), 0.0)
    return relay


def test_a_request_becomes_a_job_and_its_answer_is_published(core: RelayCore) -> None:
    outputs = core.receive(CLIENT, request(1, 0, 10), 0.0)
    assert outputs[0].peer == CLIENT
    assert outputs[0].message.accepted.notification_topic == "RESPONSE:c"
    (work,) = works(outputs)
    assert (work.range.start_time, work.range.end_time) == span(0, 10)
    (published,) = core.receive(WORKER, done(work), 1.0)
    assert (published.peer, published.topic) == (b"", "RESPONSE:c")
    answer = published.message.notification
    assert (answer.status, answer.row_count, answer.snapshot_id) == (HistoryNotification.OK, 10, 9)
    assert (answer.iceberg_namespace, answer.iceberg_table) == ("trading", "ohlc")


def test_overlapping_requests_in_flight_ask_for_each_minute_once(core: RelayCore) -> None:
    given_out = []
    for number, (first, last) in enumerate([(0, 10), (0, 10), (5, 15), (2, 8), (12, 20), (0, 20)]):
        given_out += works(core.receive(CLIENT, request(number, first, last), 0.0))
    minutes = Counter(
        minute
        for work in given_out
        for minute in range(work.range.start_time // 60_000_000, work.range.end_time // 60_000_000)
    )
    assert minutes == dict.fromkeys(range(20), 1)
    found = {}
    for work in given_out:
        found |= {
            answer.request_id: answer.row_count
            for answer in answers(core.receive(WORKER, done(work, every=2), 1.0))
        }
    assert found == {"r0": 5, "r1": 5, "r2": 5, "r3": 3, "r4": 4, "r5": 10}


def test_a_range_without_candles_is_answered_not_found(core: RelayCore) -> None:
    (work,) = works(core.receive(CLIENT, request(1, 1, 5), 0.0))
    (answer,) = answers(core.receive(WORKER, done(work, every=1000), 0.0))
    assert (answer.status, answer.row_count) == (HistoryNotification.NOT_FOUND, 0)


def test_a_limit_caps_the_rows_and_is_shared_by_no_other(core: RelayCore) -> None:
    (limited,) = works(core.receive(CLIENT, request(1, 0, 10, limit=3), 0.0))
    (whole,) = works(core.receive(CLIENT, request(2, 0, 10), 0.0))
    assert (limited.limit, whole.limit) == (3, 0)
    (answer,) = answers(core.receive(WORKER, done(limited), 0.0))
    assert answer.row_count == 3


def test_the_same_request_again_is_the_same_request(core: RelayCore) -> None:
    (work,) = works(core.receive(CLIENT, request(1, 0, 10), 0.0))
    (again,) = core.receive(CLIENT, request(1, 0, 10), 1.0)
    assert again.message.WhichOneof("kind") == "accepted"
    core.receive(WORKER, done(work), 2.0)
    (kept,) = core.receive(CLIENT, request(1, 0, 10), 3.0)
    assert kept.message.notification.row_count == 10
    assert core.numbers().jobs == 1


def test_a_long_range_is_cut_into_jobs_and_its_progress_told() -> None:
    core = RelayCore("relay-1", RelayLimits(job_candles_max=10))
    core.receive(WORKER, hello(), 0.0)
    first, *others = works(core.receive(CLIENT, request(1, 0, 25), 0.0))
    assert len(others) == 2
    core.receive(WORKER, done(first), 0.0)
    status = ToRelay(status=StatusRequest(client_id="c", request_ids=["r1", "r9"]))
    (reply,) = core.receive(CLIENT, status, 0.0)
    (progress,) = reply.message.status.pending
    assert (progress.periods_done, progress.periods_total) == (10, 25)
    assert reply.message.status.unknown == ["r9"]


def test_a_silent_ingestors_jobs_go_to_another(core: RelayCore) -> None:
    (work,) = works(core.receive(CLIENT, request(1, 0, 10), 0.0))
    core.receive(b"other", hello("w2"), 4.0)
    assert core.tick(5.0) == []
    (given,) = core.tick(5.5)
    assert (given.peer, given.message.work.job_id) == (b"other", work.job_id)
    assert len(answers(core.receive(b"other", done(given.message.work), 6.0))) == 1
    assert core.receive(WORKER, done(work), 7.0) == []  # the first one was only slow


def test_an_ingestor_that_leaves_gives_its_jobs_back_at_once(core: RelayCore) -> None:
    (work,) = works(core.receive(CLIENT, request(1, 0, 10), 0.0))
    assert core.receive(WORKER, ToRelay(goodbye=WorkerGoodbye(worker_id="w")), 1.0) == []
    (given,) = works(core.receive(b"other", hello("w2"), 2.0))
    assert given.job_id == work.job_id


def test_a_job_that_its_ingestor_never_received_is_given_again(core: RelayCore) -> None:
    (work,) = works(core.receive(CLIENT, request(1, 0, 10), 0.0))
    assert core.receive(WORKER, hello(), 1.0) == []
    assert works(core.receive(WORKER, hello(running=[work.job_id]), 4.0)) == []
    (again,) = works(core.receive(WORKER, hello(), 5.0))
    assert again.job_id == work.job_id


def test_a_range_on_which_ingestors_die_ends_with_an_error(core: RelayCore) -> None:
    core.receive(CLIENT, request(1, 0, 10), 0.0)
    outputs: list[Output] = []
    for number in range(5):
        core.receive(WORKER, hello(f"w{number}"), float(number))
        outputs = core.receive(
            WORKER,
            ToRelay(goodbye=WorkerGoodbye(worker_id="w" if not number else f"w{number - 1}")),
            float(number),
        )
        if answers(outputs):
            break
    (answer,) = answers(outputs)
    assert "3 ingestors ended" in answer.error_message


def test_of_a_job_that_failed_the_requests_for_a_part_are_given_their_part(core: RelayCore) -> None:
    (work,) = works(core.receive(CLIENT, request(1, 0, 100), 0.0))
    assert works(core.receive(CLIENT, request(2, 0, 10), 0.0)) == []
    outputs = core.receive(WORKER, done(work, error="the venue is away"), 1.0)
    (answer,) = answers(outputs)
    assert (answer.request_id, answer.error_message) == ("r1", "the venue is away")
    (part,) = works(outputs)
    assert (part.range.start_time, part.range.end_time) == span(0, 10)
    (answer,) = answers(core.receive(WORKER, done(part), 2.0))
    assert (answer.request_id, answer.row_count) == ("r2", 10)
    assert core.numbers().pending == 0


def test_parts_of_a_job_that_failed_are_asked_for_once(core: RelayCore) -> None:
    (work,) = works(core.receive(CLIENT, request(1, 0, 100), 0.0))
    for number, (first, last) in enumerate(((20, 80), (20, 80), (30, 60), (70, 90)), 2):
        assert works(core.receive(CLIENT, request(number, first, last), 0.0)) == []
    parts = works(core.receive(WORKER, done(work, error="away"), 1.0))
    asked = [(part.range.start_time, part.range.end_time) for part in parts]
    assert asked == [span(20, 80), span(80, 90)]
    told = [answer for part in parts for answer in answers(core.receive(WORKER, done(part), 2.0))]
    assert {answer.request_id: answer.row_count for answer in told} == {
        "r2": 60,
        "r3": 60,
        "r4": 30,
        "r5": 20,
    }


def test_a_part_that_fails_too_ends_with_its_error(core: RelayCore) -> None:
    (work,) = works(core.receive(CLIENT, request(1, 0, 100), 0.0))
    core.receive(CLIENT, request(2, 90, 100), 0.0)
    (part,) = works(core.receive(WORKER, done(work, error="away"), 1.0))
    (answer,) = answers(core.receive(WORKER, done(part, error="still away"), 2.0))
    assert (answer.request_id, answer.error_message) == ("r2", "still away")
    assert core.numbers().pending == 0


@pytest.mark.parametrize("runs", [[1, 2, 3], [0, 11], [2**32 - 1, 2**32 - 1]])
def test_an_answer_of_an_ingestor_that_makes_no_sense_is_an_error(core: RelayCore, runs: list[int]) -> None:
    (work,) = works(core.receive(CLIENT, request(1, 0, 10), 0.0))
    answer = done(work)
    answer.done.presence.runs[:] = runs
    (told,) = answers(core.receive(WORKER, answer, 1.0))
    assert "no presence" in told.error_message
    assert core.numbers().pending == 0


def test_a_source_that_nobody_serves_is_an_error_after_a_while(core: RelayCore) -> None:
    core.receive(CLIENT, request(1, 0, 10, ticker="OTHER:X"), 0.0)
    assert core.tick(9.0) == []
    core.receive(WORKER, hello(), 10.0)
    (answer,) = answers(core.tick(10.5))
    assert "no ingestor serves the source 'OTHER'" in answer.error_message


@pytest.mark.parametrize(
    ("message", "names"),
    [
        (request(1, 0, 10, ticker="NOCOLON"), "ticker"),
        (request(1, 10, 0), "end_time"),
        (request(1, 0, 10**9), "end_time"),
        (ToRelay(request=HistoryRequest(range=OHLCRange(ticker="A:B"))), "period_seconds"),
        (ToRelay(request=HistoryRequest(range=OHLCRange(ticker="A:B", period_seconds=1))), "request_id"),
    ],
)
def test_a_request_that_is_none_is_answered_with_an_error_that_names_the_field(
    message: ToRelay, names: str, core: RelayCore
) -> None:
    (output,) = core.receive(CLIENT, message, 0.0)
    assert output.peer == CLIENT
    answer = output.message.notification
    assert answer.status == HistoryNotification.ERROR
    assert names in answer.error_message


def test_results_are_forgotten_after_a_while(core: RelayCore) -> None:
    (work,) = works(core.receive(CLIENT, request(1, 0, 10), 0.0))
    core.receive(WORKER, done(work), 1.0)
    core.tick(500.0)
    (reply,) = core.receive(CLIENT, ToRelay(status=StatusRequest(request_ids=["r1"])), 500.0)
    assert reply.message.status.unknown == ["r1"]


@given(numbers=st.sets(st.integers(0, 60)), cut=st.tuples(st.integers(0, 60), st.integers(0, 60)).map(sorted))
def test_runs_tell_how_many_candles_any_part_has(numbers: set[int], cut: list[int]) -> None:
    times = [number * 60_000_000 for number in sorted(numbers)]
    runs = runs_of(times, span(0, 61), 60)
    assert count_between(runs, span(0, 61), 60, span(*cut)) == sum(cut[0] <= one < cut[1] for one in numbers)


class LossyWorld:
    """A client, relays that may be replaced, and ingestors that may die, over links that lose and repeat."""

    def __init__(self, random: Random, loss: float) -> None:
        self.random = random
        self.loss = loss
        self.now = 0.0
        self.relays = 1
        self.relay = self.new_relay()
        self.client = RequestCore("c", poll_s=1.0)
        self.answers: Counter[str] = Counter()
        self.rows: dict[str, int] = {}
        self.workers: dict[str, dict[int, Work]] = {"w0": {}, "w1": {}}
        self.born = 2

    def new_relay(self) -> RelayCore:
        return RelayCore(f"relay-{self.relays}", RelayLimits(losses_max=1000))

    def arrives(self) -> int:
        """How often a message comes: not at all, once, twice."""
        roll = self.random.random()
        return 0 if roll < self.loss else 2 if roll < 1.5 * self.loss else 1

    def to_relay(self, peer: bytes, message: ToRelay) -> None:
        for _ in range(self.arrives()):
            self.deliver(self.relay.receive(peer, message, self.now))

    def deliver(self, outputs: Iterable[Output]) -> None:
        for output in outputs:
            for _ in range(self.arrives()):
                if output.message.WhichOneof("kind") == "work":
                    jobs = self.workers.get(output.peer.decode())
                    if jobs is not None:
                        jobs[output.message.work.job_id] = output.message.work
                else:
                    self.to_client(output.message)

    def to_client(self, message: FromRelay) -> None:
        news = self.client.receive(message, self.now)
        for answer in news.answers:
            self.answers[answer.request_id] += 1
            self.rows[answer.request_id] = answer.row_count
        for reply in news.messages:
            self.to_relay(CLIENT, reply)

    def turn(self, faulty: bool) -> None:
        self.now += 0.25
        for name, jobs in list(self.workers.items()):
            roll = self.random.random()
            if faulty and roll < 0.02:
                del self.workers[name]
                self.workers[f"w{self.born}"] = {}
                self.born += 1
            elif roll < 0.5 and jobs:
                work = jobs.pop(self.random.choice(sorted(jobs)))
                self.to_relay(name.encode(), done(work))
            if self.now % 1 == 0:
                self.to_relay(name.encode(), hello(name, list(jobs), jobs_max=3))
        if faulty and self.random.random() < 0.02:
            self.relays += 1
            self.relay = self.new_relay()
        self.deliver(self.relay.tick(self.now))
        for message in self.client.due(self.now):
            self.to_relay(CLIENT, message)


@settings(max_examples=60)
@given(seed=st.integers(0, 2**32), loss=st.sampled_from([0.0, 0.1, 0.4]))
def test_every_request_is_answered_once_whatever_is_lost(seed: int, loss: float) -> None:
    random = seeded_random(seed)
    world = LossyWorld(random, loss)
    expected = {}
    for number in range(20):
        first = random.randrange(100)
        last = first + random.randrange(1, 40)
        message = request(number, first, last)
        expected[f"r{number}"] = last - first
        world.to_relay(CLIENT, world.client.submit(message.request, world.now))
        world.turn(faulty=True)
    for _ in range(200):
        world.turn(faulty=True)
    world.loss = 0.0
    for _ in range(400):
        world.turn(faulty=False)
        if len(world.answers) == 20:
            break
    assert world.answers == dict.fromkeys(expected, 1)
    assert world.rows == expected
