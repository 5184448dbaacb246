"""The venue's end of sessions, without threads: what is bounded, and in which order answers come."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from trader import LOT

from ledgerx.exchange.streaming.commands import (
    Admitted,
    Asks,
    Frames,
    FrontCommand,
    Login,
    Mailbox,
    Refused,
    Written,
)
from ledgerx.exchange.streaming.desk import WINDOW, StreamingDesk
from ledgerx.exchange.venue import Venue
from ledgerx.protocol.crypto import KeyPair
from ledgerx.streaming_api import eto_pb2 as eto
from ledgerx.streaming_api import seto_pb2 as seto
from ledgerx.streaming_api.payloads import account_sequence_of, wrap


class Bench:
    """A venue with one account and a desk."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.venue = Venue.open(folder, **options)
        self.venue.start_run()
        self.cid = self.venue.add_account("alice", KeyPair.generate().public).cid
        self.front: Mailbox[FrontCommand] = Mailbox()
        self.desk = StreamingDesk(self.venue, self.front)
        self.turn()

    def turn(self, *commands: Login | Asks | Written) -> list[FrontCommand]:
        self.desk.inbox.put_all(list(commands))
        answers: list[FrontCommand] = []
        while True:
            self.desk.receive()
            self.desk.deliver(self.venue.commit())
            answers += self.front.take(1_000_000)
            if not len(self.desk.inbox):
                return answers

    def close(self) -> None:
        self.desk.close()
        self.front.close()
        self.venue.close()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.close()


def order(number: int, tif: int = seto.IMMEDIATE_OR_CANCEL) -> Asks:
    payload = wrap(
        seto.OrderCreate(
            side=seto.SIDE_BUY, quantity=LOT, price=100, reference=number, market_id=1, contract_id=1,
            tif=tif,  # type: ignore[arg-type]
        )
    )  # fmt: skip
    payload.eto_payload.seq = number + 2
    return Asks(1, payload)


def payloads(answers: list[FrontCommand]) -> list[seto.Payload]:
    return [payload for answer in answers if isinstance(answer, Frames) for payload in answer.payloads]


def test_a_session_hears_no_more_than_its_window_until_it_has_written_some(bench: Bench) -> None:
    bench.turn(Login(1, bench.cid, None))
    for first in range(0, 4000, 200):
        bench.turn(*(order(number) for number in range(first, first + 200)))
    bench.turn(Login(2, bench.cid, 0))
    told = payloads(bench.turn())
    assert told == []  # the second one's window is full
    before = bench.turn(Written(2, WINDOW))
    assert 0 < len(payloads(before)) <= WINDOW + 500
    assert {answer.key for answer in before} == {2}
    sequences = [account_sequence_of(payload) for payload in payloads(before)]
    assert sequences == sorted(sequences)


def test_a_session_that_asks_and_does_not_read_is_cut(bench: Bench) -> None:
    bench.turn(Login(1, bench.cid, None))
    for first in range(0, 3000, 200):
        bench.turn(*(order(number) for number in range(first, first + 200)))
    unknown = wrap(seto.EventSubscribe(event_id=1))
    unknown.eto_payload.seq = 9
    answers = bench.turn(*(Asks(1, unknown) for _ in range(10_001)))
    assert Refused(1, eto.LOGOUT_SERVICE_TEMPORARILY_UNAVAILABLE) in answers
    assert len(bench.desk) == 0


def test_an_answer_that_is_in_no_line_comes_behind_the_line(bench: Bench) -> None:
    settings = wrap(seto.Settings(cancel_all_on_failure=False))
    settings.eto_payload.seq = 3
    answers = bench.turn(Login(1, bench.cid, None), order(0), Asks(1, settings))
    assert isinstance(answers[0], Admitted)
    kinds = [payload.type for payload in payloads(answers)]
    assert kinds == [
        seto.PAYLOAD_ORDER_ACCEPTED, seto.PAYLOAD_ORDER_CANCELLED,
        seto.PAYLOAD_THROTTLE_LIMITS_CHANGED, seto.PAYLOAD_SETTINGS_ACCEPTED,
    ]  # fmt: skip


def test_a_subscriber_hears_of_a_market_first_its_state_and_then_the_whole_of_it(bench: Bench) -> None:
    bench.turn(Login(1, bench.cid, None))
    bench.turn(Login(2, bench.cid, None))
    subscribe = wrap(seto.MarketSubscribe(market_id=1))
    subscribe.eto_payload.seq = 2
    told: list[seto.Payload] = []
    for number in range(0, 6000, 500):  # and its line is long: what is in none waits behind it
        asked = [Asks(2, subscribe)] if number == 4500 else []
        answers = bench.turn(
            *(order(at, seto.GOOD_TIL_CANCELLED) for at in range(number, number + 500)), *asked
        )
        told += [one for answer in answers if isinstance(answer, Frames) and answer.key == 2
                 for one in answer.payloads]  # fmt: skip
    for turn in range(60):
        answers = bench.turn(Written(2, 100), order(9000 + turn, seto.GOOD_TIL_CANCELLED))
        told += [one for answer in answers if isinstance(answer, Frames) and answer.key == 2
                 for one in answer.payloads]  # fmt: skip
    kinds = (seto.PAYLOAD_MARKET_STATE, seto.PAYLOAD_MARKET_QUOTES, seto.PAYLOAD_CONTRACT_QUOTES)
    market = [one.type for one in told if one.type in kinds]
    assert market[:2] == [seto.PAYLOAD_MARKET_STATE, seto.PAYLOAD_MARKET_QUOTES]


def test_a_login_of_an_account_that_is_gone_is_refused(bench: Bench) -> None:
    bench.venue.remove_account("alice")
    assert bench.turn(Login(1, bench.cid, None)) == [Refused(1, eto.LOGOUT_UNAUTHORISED)]
    assert bench.turn(Login(2, 999, None)) == [Refused(2, eto.LOGOUT_UNAUTHORISED)]
