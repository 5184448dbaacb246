"""What an account or a contract may hold that the streaming protocol cannot say: it ends nobody's session."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from test_desk import Bench, payloads
from trader import LOT

from ledgerx.api.client.v0_0_1 import VERSION, MessageBatch, MessageCancelAll, MessageLimitOrder
from ledgerx.exchange.contracts import default_contracts
from ledgerx.exchange.encoding import encode
from ledgerx.exchange.risk import default_limits
from ledgerx.exchange.streaming.commands import Admitted, Asks, FrontCommand, Login, Refused, Throttled
from ledgerx.exchange.streaming.desk import StreamingDesk
from ledgerx.exchange.streaming.mids import RequestKind, make_mid, read_mid
from ledgerx.streaming_api import eto_pb2 as eto
from ledgerx.streaming_api import seto_pb2 as seto
from ledgerx.streaming_api.payloads import wrap

LARGE, NEGATIVE = 5_000_000_000, 77


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    contracts = default_contracts(date(2026, 11, 29))
    for contract_id, low in ((LARGE, 100), (NEGATIVE, -10_000)):
        contract = type(contracts[0])()
        contract.CopyFrom(contracts[0])
        contract.contract_id, contract.label, contract.min_price_in_cents = contract_id, f"{contract_id}", low
        contract.tick_in_cents = 1
        contracts.append(contract)
    limits = default_limits()
    limits.requests_per_second_max = limits.requests_burst_max = 10
    made = Bench(tmp_path, contracts=contracts, limits=limits)
    yield made
    made.close()


def asks(message: Any, seq: int = 2, key: int = 1) -> Asks:
    payload = wrap(message)
    payload.eto_payload.seq = seq
    return Asks(key, payload)


def types(answers: list[FrontCommand]) -> list[str]:
    return [seto.PayloadType.Name(payload.type)[8:].lower() for payload in payloads(answers)]


@given(st.text(min_size=32, max_size=32) | st.text("0123456789abcdef-_+ \n", min_size=32, max_size=32))
@example("zzzzzzzzzzzz8zzz8zzzzzzzzzzzzzzz")
@example("-0000000000080008000000000000000")
@example("0000_0000_008_0008_00000_0000000")
def test_any_text_is_a_mid_of_a_session_or_none(text: str) -> None:
    asked = read_mid(text)
    assert asked is None or read_mid(text.lower()) == asked


def test_a_mid_says_what_was_put_into_it() -> None:
    mid = make_mid(RequestKind.CANCEL, 2**64 - 1, 2**32 - 1, 2**21 - 1)
    assert read_mid(mid) == (RequestKind.CANCEL, 2**64 - 1, 2**32 - 1)


def test_a_refused_batch_member_of_any_mid_ends_nothing(bench: Bench) -> None:
    bench.turn(Login(1, bench.cid, None))
    batch = MessageBatch(mid=f"{1:032x}", mversion=VERSION, timestamp=bench.venue.time)
    batch.requests.add().cancel_all.CopyFrom(MessageCancelAll(mid="zzzzzzzzzzzz8zzz8zzzzzzzzzzzzzzz"))
    bench.venue.request(bench.cid, encode(batch), asker=b"x")
    bench.turn(asks(seto.OrderCancelAll(reference=5)))
    answers = bench.turn(Login(2, bench.cid, 0))
    assert any(isinstance(answer, Admitted) for answer in answers)
    assert len(bench.desk) == 2


class TornLines:
    """The lines of a venue of which one account's cannot be read."""

    def __init__(self, lines: Any) -> None:
        self._lines = lines

    def read(self, *arguments: Any, **options: Any) -> list[bytes]:
        raise ValueError("torn")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._lines, name)


class TornVenue:
    def __init__(self, venue: Any) -> None:
        self._venue = venue
        self.lines: Any = venue.lines

    def __getattr__(self, name: str) -> Any:
        return getattr(self._venue, name)


def test_a_line_that_cannot_be_told_ends_its_session_and_not_the_venue(bench: Bench) -> None:
    venue = TornVenue(bench.venue)
    bench.desk.close()
    bench.desk = StreamingDesk(venue, bench.front)  # type: ignore[arg-type]
    bench.turn(Login(1, bench.cid, None))
    venue.lines = TornLines(bench.venue.lines)
    end = eto.LOGOUT_SERVICE_TEMPORARILY_UNAVAILABLE
    assert Refused(1, end) in bench.turn(asks(seto.OrderCancelAll()))
    assert Refused(2, end) in bench.turn(Login(2, bench.cid, None))
    assert len(bench.desk) == 0


@pytest.mark.parametrize("contract_id", [LARGE, NEGATIVE])
def test_sessions_hear_nothing_of_a_contract_whose_numbers_they_cannot_say(
    bench: Bench, contract_id: int
) -> None:
    bench.turn(Login(1, bench.cid, None))
    order = MessageLimitOrder(
        mid=f"{1:032x}",
        mversion=VERSION,
        timestamp=bench.venue.time,
        contract_id=contract_id,
        size=1,
        price_in_cents=-50 if contract_id == NEGATIVE else 100,
        is_ask=True,
    )
    bench.venue.request(bench.cid, encode(order), asker=b"x")
    assert payloads(bench.turn()) == []
    assert len(bench.venue.engine.accounts[bench.cid].orders) == 1
    told = bench.turn(Login(2, bench.cid, 0))
    assert types(told) == ["throttle_limits_changed"]


def test_a_contract_that_sessions_cannot_say_is_none_of_their_markets(bench: Bench) -> None:
    bench.turn(Login(1, bench.cid, None))
    terms = {"side": seto.SIDE_SELL, "quantity": LOT, "price": 100}
    order = seto.OrderCreate(market_id=NEGATIVE, contract_id=NEGATIVE, **terms)  # type: ignore[arg-type]
    told = payloads(bench.turn(asks(seto.MarketSubscribe(market_id=NEGATIVE)), asks(order, 3)))
    assert told[0].type == seto.PAYLOAD_ORDER_INVALID
    assert told[1].order_rejected.reason == seto.ORDER_REJECTED_CONTRACT_NOT_FOUND


def test_what_is_refused_before_the_engine_counts_against_a_rate_like_the_engines(bench: Bench) -> None:
    bench.turn(Login(1, bench.cid, None))
    order = seto.OrderCreate(side=seto.SIDE_SELL, quantity=LOT, market_id=1, contract_id=1, reference=9)
    answers = bench.turn(*(asks(order, seq) for seq in range(2, 102)))
    assert types(answers).count("order_invalid") == 10
    rejected = [one.order_rejected for one in payloads(answers) if one.type == seto.PAYLOAD_ORDER_REJECTED]
    assert {one.reason for one in rejected} == {seto.ORDER_REJECTED_THROTTLE_EXCEEDED}
    assert [(one.seq, one.reference) for one in rejected] == [(seq, 9) for seq in range(12, 102)]
    cancel = payloads(bench.turn(asks(seto.OrderCancel(order_id=3, reference=4))))[0].order_cancel_rejected
    assert cancel.reason == seto.ORDER_CANCEL_REJECTED_THROTTLE_EXCEEDED
    assert (cancel.order_id, cancel.reference) == (3, 4)
    assert bench.turn(asks(seto.MarketSubscribe(market_id=1))) == [Throttled(1)]


def test_what_reaches_the_engine_is_counted_there_alone(bench: Bench) -> None:
    bench.turn(Login(1, bench.cid, None))
    answers = bench.turn(*(asks(seto.OrderCancelAll(reference=n)) for n in range(12)))
    assert types(answers).count("order_cancel_all_accepted") == 10
    assert types(answers).count("order_cancel_all_rejected") == 2
    invalid = asks(seto.OrderCreate(side=seto.SIDE_SELL, quantity=LOT, market_id=1, contract_id=1))
    assert types(bench.turn(invalid)) == ["order_invalid"]
