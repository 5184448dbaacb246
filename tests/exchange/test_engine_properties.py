"""Any stream of requests keeps the promises: numbers without holes, sizes that add up, one end a mid."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from engine_harness import NOW, SECOND, Bench, contract_detail
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import any_message

from ledgerx.api.client import v0_0_1 as api
from ledgerx.clob import Book
from ledgerx.exchange.engine import Engine, Output
from ledgerx.protocol.wire import decode_message, envelope

CIDS = (1, 2, 3)
CONTRACTS = (7, 8)
EXPIRY = NOW + 10 * SECOND

Update = api.MessageBookUpdate


def mostly(usual: st.SearchStrategy[Any], rare: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.integers(0, 19).flatmap(lambda n: usual if n else rare)


cids = st.sampled_from(CIDS)
contract_ids = mostly(st.sampled_from([7, 7, 7, 8]), st.just(99))
prices = mostly(st.sampled_from([490, 495, 500, 505, 510]), st.just(513))
sizes = mostly(st.integers(1, 6), st.integers(-1, 30))
entries = st.sampled_from([f"{n}" for n in range(12)])  # an index into what the account has open

orders = st.builds(
    api.MessageLimitOrder,
    contract_id=contract_ids,
    size=sizes,
    price_in_cents=prices,
    is_ask=st.booleans(),
    post_only=mostly(st.just(False), st.just(True)),
    time_in_force=st.sampled_from([0, 0, 0, 0, 1, 2]),
)
markets = st.builds(api.MessageMarketOrder, contract_id=contract_ids, size=sizes, is_ask=st.booleans())
quotes = st.builds(
    api.MessageQuote,
    contract_id=contract_ids,
    bid_price_in_cents=st.sampled_from([490, 495, 500]),
    bid_size=st.integers(0, 6),
    ask_price_in_cents=st.sampled_from([500, 505, 510]),
    ask_size=st.integers(0, 6),
)
cancels = st.builds(api.MessageCancelOrder, contract_id=contract_ids, entry_id=entries)
replaces = st.builds(
    api.MessageCancelReplace,
    contract_id=contract_ids,
    entry_id=entries,
    size=st.integers(0, 12),
    price_in_cents=prices,
)
cancel_alls = st.one_of(
    st.builds(api.MessageCancelAll), st.builds(api.MessageCancelAll, contract_id=contract_ids)
)
requests = st.one_of(orders, orders, orders, orders, markets, quotes, quotes, cancels, replaces, replaces)
reads = st.one_of(st.builds(api.MessageGetOpenOrders), st.builds(api.MessageGetPositions))
batches = st.lists(mostly(requests, reads), max_size=6).map(
    lambda members: api.MessageBatch(requests=[envelope(member) for member in members])
)
actions = st.tuples(
    st.sampled_from(["send"] * 36 + ["pass"] * 3 + ["run"]),
    cids,
    mostly(requests, st.one_of(batches, batches, cancel_alls)),
)
streams = st.lists(actions, min_size=30, max_size=100)


def new_bench() -> Bench:
    return Bench(
        contract_detail(7),
        contract_detail(8, expiry=EXPIRY),
        position_size_max=25,
        open_orders_max=6,
        requests_per_second_max=20,
        requests_burst_max=40,
    )


def stamp(bench: Bench, cid: int, message: Any) -> Any:
    """Every request and member gets a mid of its own, and an entry_id becomes that of an open order."""
    members = [getattr(m, m.WhichOneof("kind")) for m in getattr(message, "requests", ())]
    for one in (message, *members):
        bench.stamped(one)
        if "entry_id" in one.DESCRIPTOR.fields_by_name:
            open_entries = list(bench.engine.accounts[cid].entries.values())
            index = int(one.entry_id)
            if open_entries and index:
                entry = open_entries[index % len(open_entries)]
                one.contract_id, one.entry_id = entry.contract_id, entry.mid
    return message


class Auditor:
    """Follows the outputs as the accounts and the public would, and checks each against the last."""

    def __init__(self) -> None:
        self.heads: Counter[int] = Counter()
        self.topics: Counter[str] = Counter()
        self.ended: dict[tuple[int, str], int] = Counter()
        self.sent: set[tuple[int, str]] = set()
        self.orders: dict[int, dict[str, int]] = defaultdict(lambda: {"filled": 0, "canceled": 0})
        self.sides: dict[int, set[int]] = defaultdict(set)
        self.mirrors = {contract_id: Book() for contract_id in CONTRACTS}
        self.tops = dict.fromkeys(CONTRACTS, (0, 0, 0, 0))
        self.run_id = 1

    def check(self, outputs: list[Output]) -> None:
        for output in outputs:
            message = decode_message(output.message)
            if output.cid:
                self._private(output, message)
            else:
                self._public(output, message)

    def _private(self, output: Output, message: Any) -> None:
        self.heads[output.cid] += 1
        assert output.sequence == message.account_sequence == self.heads[output.cid]
        if message.mid:
            key = (output.cid, message.mid)
            assert self.ended[key] == 0, "a message came after the last one of its mid"
            self.ended[key] += message.remaining == 0
            self.sent.add(key)
        if isinstance(message, api.MessageActionReport) and message.order_id:
            self._report(output.cid, message)

    def _report(self, cid: int, report: api.MessageActionReport) -> None:
        order = self.orders[report.order_id]
        order["filled"] += report.filled_size
        order["canceled"] += report.canceled_size
        assert report.size >= 0
        assert report.original_size == order["filled"] + order["canceled"] + report.size
        if report.trade_id:
            assert cid not in self.sides[report.trade_id], "an account traded with itself"
            self.sides[report.trade_id].add(cid)

    def _public(self, output: Output, message: Any) -> None:
        if isinstance(message, api.MessageRunChange):
            assert message.prev_run_id == self.run_id
            self.run_id = message.run_id
            self.topics.clear()
            for contract_id in CONTRACTS:
                self.mirrors[contract_id].clear()
                self.tops[contract_id] = (0, 0, 0, 0)
        self.topics[output.topic] += 1
        assert output.sequence == message.sequence == self.topics[output.topic]
        if isinstance(message, api.MessageBookUpdate):
            self._update(message)
        elif isinstance(message, api.MessageBookTop):
            self.tops[message.contract_id] = (message.bid, message.bid_size, message.ask, message.ask_size)
        elif isinstance(message, api.MessageTrade):
            assert message.book_update_sequence == self.topics[f"book_update.{message.contract_id}"]

    def _update(self, update: api.MessageBookUpdate) -> None:
        mirror, order_id = self.mirrors[update.contract_id], update.order_id
        if update.action == Update.ADD:
            mirror.add(order_id, update.is_ask, update.price_in_cents, update.size)
        elif update.action == Update.CHANGE:
            mirror.reduce(order_id, mirror.order(order_id).size - update.size)
        else:
            mirror.cancel(order_id)

    def check_state(self, engine: Engine) -> None:
        for contract_id in CONTRACTS:
            contract = engine.contracts[contract_id]
            assert self.mirrors[contract_id].snapshot() == contract.book.snapshot()
            assert self.mirrors[contract_id].checksum() == contract.book.checksum()
            bid, ask = contract.book.best(False), contract.book.best(True)
            assert self.tops[contract_id] == (*(bid[:2] if bid else (0, 0)), *(ask[:2] if ask else (0, 0)))
            assert sum(a.holding(contract_id).position for a in engine.accounts.values()) == 0
            assert sum(a.holding(contract_id).cash_in_cents for a in engine.accounts.values()) == 0
            resting = {order.order_id: order.size for order in contract.book.snapshot()}
            assert {o.order_id: o.open_size for o in contract.orders.values()} == resting
        for account in engine.accounts.values():
            self._check_account(account)
        assert dict(engine.topic_heads()) == {topic: self.topics[topic] for topic in engine.topic_heads()}

    def _check_account(self, account: Any) -> None:
        assert account.head == self.heads[account.cid]
        assert list(account.orders) == sorted(account.orders)
        assert len(account.orders) <= 6
        for contract_id in CONTRACTS:
            holding = account.holding(contract_id)
            for is_ask in (False, True):
                mine = [o for o in account.orders.values() if o.contract.contract_id == contract_id]
                assert holding.open_size[is_ask] == sum(o.open_size for o in mine if o.is_ask == is_ask)
                signed = -holding.position if is_ask else holding.position
                assert signed + holding.open_size[is_ask] <= 25
        listed = [order for entry in account.entries.values() for order in entry.orders]
        assert sorted(o.order_id for o in listed) == list(account.orders)


@settings(max_examples=100, deadline=None)
@given(streams)
def test_any_stream_of_requests_keeps_every_promise(stream: list[tuple[str, Any, Any]]):
    bench = new_bench()
    auditor = Auditor()
    for execution in bench.executions:
        auditor.topics.update(output.topic for output in execution.outputs)
    for action, cid, message in stream:
        if action == "send":
            copy = type(message).FromString(message.SerializeToString())
            result = bench.send(cid, stamp(bench, cid, copy))
        elif action == "run":
            result = bench.start_run(bench.engine.run_id + 1)
        else:
            result = bench.tick(bench.time + cid * SECOND)
        auditor.check(result.outputs)
        auditor.check_state(bench.engine)
    auditor.check(bench.start_run(bench.engine.run_id + 1).outputs)
    assert {key for key, count in auditor.ended.items() if count == 1} == auditor.sent
    again = Engine()
    assert [again.execute(entry) for entry in bench.inputs] == bench.executions


def admitted(bench: Bench, message: Any) -> Any:
    """Clears what would stop a message before its handler; everything else stays as wild as it is."""
    members = [getattr(m, m.WhichOneof("kind") or "status") for m in getattr(message, "requests", ())]
    for one in (message, *members):
        one.mid, one.mversion, one.expires, one.timestamp = "", "", 0, 0
        bench.stamped(one)
        if "contract_id" in one.DESCRIPTOR.fields_by_name and bench.mids % 4:
            one.contract_id = 7
    return message


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(cids, any_message, st.booleans()), max_size=12))
def test_whatever_message_arrives_it_is_answered_alike_by_every_engine(stream: list[tuple[int, Any, bool]]):
    bench = new_bench()
    for cid, drawn, is_admitted in stream:
        message = type(drawn).FromString(drawn.SerializeToString())
        result = bench.send(cid, admitted(bench, message) if is_admitted else message)
        told = result.line(cid) or result.answers
        assert told[0].status == api.MessageStatus.STATUS_ACKNOWLEDGED
        failed = [m for m in told if getattr(m, "status", 0) == api.MessageStatus.STATUS_VENUE_ERROR]
        assert failed == []
    again = Engine()
    assert [again.execute(entry) for entry in bench.inputs] == bench.executions


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(cids, requests, st.integers(0, 3)), min_size=10, max_size=60))
def test_mids_used_again_after_they_were_forgotten_harm_nothing(stream: list[tuple[int, Any, int]]):
    bench = new_bench()
    bench.limits.mids_max = 2
    bench.start_run(2)
    for number, (cid, drawn, used) in enumerate(stream):
        message = type(drawn).FromString(drawn.SerializeToString())
        message.mid, message.timestamp = f"{used:032x}", bench.time + number
        result = bench.send(cid, stamp(bench, cid, message))
        assert api.MessageStatus.STATUS_VENUE_ERROR not in [getattr(m, "status", 0) for m in result.line(cid)]
    bench.start_run(3)
    assert not any(account.orders or account.entries for account in bench.engine.accounts.values())
