"""An engine's state as a Snapshot message and back, without loss: what follows is the same to the byte.

Every list keeps the order that the engine's own containers have. Nothing is derived that the engine holds,
save what it encodes once for speed.
"""

from __future__ import annotations

from typing import Final, cast

from ledgerx.api.client.v0_0_1 import MessageContractDetail
from ledgerx.exchange import journal_pb2, snapshot_pb2
from ledgerx.exchange.lines import Lines
from ledgerx.exchange.mids import Mids, mid_key
from ledgerx.exchange.snapshot_pb2 import Snapshot
from ledgerx.exchange.state import Account, BookFactory, Contract, Entry, Holding, OpenOrder, State

__all__ = ["pack_state", "unpack_state"]

_NONE: Final = b""


def pack_state(state: State, lines: Lines, mids: Mids) -> Snapshot:
    """All that these three hold."""
    snapshot = Snapshot(
        limits=state.limits.SerializeToString(deterministic=True),
        order_id=state.order_id,
        trade_id=state.trade_id,
        run_id=lines.run_id,
        topics=[snapshot_pb2.Topic(name=name, head=head) for name, head in lines.topics.items()],
        contracts=[_pack_contract(contract) for contract in state.contracts.values()],
        accounts=[_pack_account(account) for account in state.accounts.values()],
        tops_due=lines.due_tops(),
    )
    mids.pack(snapshot)
    return snapshot


def unpack_state(
    snapshot: Snapshot, state: State, lines: Lines, mids: Mids, book_factory: BookFactory
) -> None:
    """Fill these three, which are new, with what a snapshot says."""
    state.limits = journal_pb2.Limits.FromString(snapshot.limits)
    state.order_id = snapshot.order_id
    state.trade_id = snapshot.trade_id
    lines.run_id = snapshot.run_id
    lines.topics.clear()
    lines.topics.update({topic.name: topic.head for topic in snapshot.topics})
    for packed in snapshot.contracts:
        contract = _unpack_contract(packed, book_factory)
        state.contracts[contract.contract_id] = contract
    orders: dict[int, OpenOrder] = {}
    for packed_account in snapshot.accounts:
        account = _unpack_account(packed_account, state.contracts, orders)
        state.accounts[account.cid] = account
    for packed in snapshot.contracts:
        contract = state.contracts[MessageContractDetail.FromString(packed.detail).contract_id]
        contract.orders = {order_id: orders[order_id] for order_id in packed.orders}
    lines.restore_due(state.contracts[contract_id] for contract_id in snapshot.tops_due)
    mids.unpack(snapshot)


def _pack_contract(contract: Contract) -> snapshot_pb2.Contract:
    return snapshot_pb2.Contract(
        detail=contract.detail.SerializeToString(deterministic=True),
        state=contract.state,
        top=contract.top,
        book=contract.book.records(),
        orders=contract.orders,
    )


def _unpack_contract(packed: snapshot_pb2.Contract, book_factory: BookFactory) -> Contract:
    contract = Contract(MessageContractDetail.FromString(packed.detail), book_factory())
    contract.state = cast(MessageContractDetail.State, packed.state)  # an enum value is a plain int
    bid, bid_size, ask, ask_size = packed.top
    contract.top = (bid, bid_size, ask, ask_size)
    contract.book.restore(packed.book)
    return contract


def _pack_account(account: Account) -> snapshot_pb2.Account:
    places = {id(entry): place for place, entry in enumerate(account.entries.values())}
    return snapshot_pb2.Account(
        cid=account.cid,
        mpid=account.mpid,
        name=account.name,
        public_key=account.public_key,
        active=account.active,
        head=account.head,
        rate_debt=str(account.rate_debt),
        rate_time=account.rate_time,
        holdings=[_pack_holding(contract_id, holding) for contract_id, holding in account.holdings.items()],
        entries=[
            snapshot_pb2.Entry(
                mid=entry.mid,
                contract_id=entry.contract_id,
                is_quote=entry.is_quote,
                live=entry.live,
                orders=[order.order_id for order in entry.orders],
            )
            for entry in account.entries.values()
        ],
        orders=[_pack_order(order, places[id(order.entry)]) for order in account.orders.values()],
        quotes=[
            snapshot_pb2.Quote(contract_id=contract_id, entry=places[id(entry)])
            for contract_id, entry in account.quotes.items()
        ],
    )


def _pack_holding(contract_id: int, holding: Holding) -> snapshot_pb2.Holding:
    return snapshot_pb2.Holding(
        contract_id=contract_id,
        bought_size=str(holding.bought_size),
        sold_size=str(holding.sold_size),
        cash_in_cents=str(holding.cash_in_cents),
        open_bid_size=holding.open_size[False],
        open_ask_size=holding.open_size[True],
    )


def _pack_order(order: OpenOrder, entry: int) -> snapshot_pb2.Order:
    return snapshot_pb2.Order(
        order_id=order.order_id,
        entry=entry,
        is_ask=order.is_ask,
        price=order.price,
        open_size=order.open_size,
        original_size=order.original_size,
        post_only=order.post_only,
    )


def _unpack_account(
    packed: snapshot_pb2.Account, contracts: dict[int, Contract], orders: dict[int, OpenOrder]
) -> Account:
    account = Account(packed.cid, packed.mpid, packed.name, packed.public_key)
    account.active = packed.active
    account.head = packed.head
    account.rate_debt = int(packed.rate_debt)
    account.rate_time = packed.rate_time
    for packed_holding in packed.holdings:
        account.holdings[packed_holding.contract_id] = _unpack_holding(packed_holding)
    entries = []
    for packed_entry in packed.entries:
        key = mid_key(packed_entry.mid) or _NONE
        entry = Entry(
            packed_entry.mid, packed_entry.contract_id, key, packed_entry.live, packed_entry.is_quote
        )
        account.entries[key] = entry
        entries.append(entry)
    for packed_order in packed.orders:
        order = _unpack_order(packed_order, account, contracts, entries)
        account.orders[order.order_id] = orders[order.order_id] = order
    for entry, packed_entry in zip(entries, packed.entries, strict=True):
        entry.orders = [account.orders[order_id] for order_id in packed_entry.orders]
    account.quotes = {quote.contract_id: entries[quote.entry] for quote in packed.quotes}
    return account


def _unpack_holding(packed: snapshot_pb2.Holding) -> Holding:
    holding = Holding()
    holding.bought_size = int(packed.bought_size)
    holding.sold_size = int(packed.sold_size)
    holding.cash_in_cents = int(packed.cash_in_cents)
    holding.open_size = [packed.open_bid_size, packed.open_ask_size]
    return holding


def _unpack_order(
    packed: snapshot_pb2.Order, account: Account, contracts: dict[int, Contract], entries: list[Entry]
) -> OpenOrder:
    entry = entries[packed.entry]
    order = OpenOrder(
        account,
        contracts[entry.contract_id],
        entry,
        packed.order_id,
        packed.is_ask,
        packed.price,
        packed.open_size,
        packed.post_only,
    )
    order.set_terms(packed.price, packed.original_size)
    return order
