"""The venue's engine alone: requests in, numbered and encoded outputs out, no network and no journal.

Its flow is the matching file's, so that it stands beside the floor: two accounts send the orders, each
as an encoded request; cancels are left out, as clients name orders by their own ids.
"""

from __future__ import annotations

from typing import Any

from _clob.files import Incoming
from _clob.incoming import CANCEL, MARKET
from _clob.mirror import timed
from _clob.model import START_PRICE
from ledgerx.api.client import v0_0_1 as api
from ledgerx.exchange import journal_pb2 as journal
from ledgerx.exchange.engine import Engine, default_limits
from ledgerx.protocol.wire import encode_message

START_NS = 1_790_000_000 * 10**9
STEP_NS = 1_000_000
LONG = 10**12
LASTS = (api.MessageLimitOrder.GTC, api.MessageLimitOrder.IOC)
CONTRACT = 1


def new_engine() -> Engine:
    """One contract, a run, two accounts, and limits that no order meets."""
    detail = api.MessageContractDetail(
        contract_id=CONTRACT,
        label="BTC Future",
        underlying="BTC",
        tick_in_cents=1,
        multiplier=1,
        min_size=1,
        max_size=LONG,
        min_price_in_cents=1,
        max_price_in_cents=2 * START_PRICE,
    )
    limits = default_limits()
    limits.requests_per_second_max = limits.requests_burst_max = limits.position_size_max = LONG
    limits.open_orders_max = 10**7
    engine = Engine()
    for kind in (
        {"contract_add": journal.ContractAdd(detail=detail.SerializeToString())},
        {"run_start": journal.RunStart(run_id=1, venue_id="bench", limits=limits)},
        {"account_add": journal.AccountAdd(cid=1, mpid=1, name="bids", public_key="1" * 40)},
        {"account_add": journal.AccountAdd(cid=2, mpid=2, name="asks", public_key="2" * 40)},
    ):
        engine.execute(journal.Input(time=START_NS, **kind))
    return engine


def requests(orders: Incoming, count: int) -> list[journal.Input]:
    """The prefill and the first `count` orders after it as the engine's inputs; each side is an account."""
    inputs: list[journal.Input] = []
    for order_id, price, size, kind, is_ask in orders.unpacked():
        if len(inputs) == orders.prefill + count:
            break
        if kind == CANCEL:
            continue
        time = START_NS + len(inputs) * STEP_NS
        fields: dict[str, Any] = {
            "contract_id": CONTRACT,
            "size": size,
            "is_ask": bool(is_ask),
            "mid": f"{order_id:032x}",
            "timestamp": time,
        }
        message = (
            api.MessageMarketOrder(**fields)
            if kind == MARKET
            else api.MessageLimitOrder(price_in_cents=price, time_in_force=LASTS[kind], **fields)
        )
        request = journal.Request(cid=1 + is_ask, message=encode_message(message))
        inputs.append(journal.Input(time=time, request=request))
    return inputs


def seconds(inputs: list[journal.Input], prefill: int) -> float:
    """How long the inputs after the prefill take."""
    engine = new_engine()
    for entry in inputs[:prefill]:
        engine.execute(entry)
    execute, timed_ones = engine.execute, inputs[prefill:]
    outputs = 0
    with timed() as clock:
        for entry in timed_ones:
            outputs += len(execute(entry).outputs)
        taken = clock()
    assert outputs > len(timed_ones), "an order without an answer"
    return taken
