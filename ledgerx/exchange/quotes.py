"""Quotes: a bid and an ask under one mid, which replace the account's quote in that contract.

Everything about the new quote is checked, against a book without the old one, before the old one goes: a
refused quote leaves it standing. A quote may trade like any order without post_only.
"""

from __future__ import annotations

from typing import NamedTuple

from ledgerx.api.client.v0_0_1 import MessageQuote, MessageStatus
from ledgerx.exchange.lines import Lines
from ledgerx.exchange.matching import Matcher
from ledgerx.exchange.refusals import Refused
from ledgerx.exchange.risk import check_open_orders, check_position, check_self_trade
from ledgerx.exchange.state import Account, Contract, Entry, OpenOrder, State
from ledgerx.exchange.validation import check_price, check_size, check_tradable, find_contract, require

__all__ = ["QuoteDesk"]


class _Side(NamedTuple):
    is_ask: bool
    price: int
    size: int
    price_field: str
    size_field: str


class QuoteDesk:
    """The handler of quote."""

    def __init__(self, state: State, lines: Lines, matcher: Matcher) -> None:
        self._state = state
        self._lines = lines
        self._matcher = matcher

    def quote(self, account: Account, request: MessageQuote, key: bytes) -> None:
        """Reports the old quote's sides as canceled, then the new bid and ask; there is no 200."""
        bid, ask = sides = _sides(request)
        contract = find_contract(self._state, request.contract_id)
        old = account.quotes.get(contract.contract_id)
        if bid.size > 0 or ask.size > 0:
            check_tradable(contract)
        for side in sides:
            if side.size:
                check_size(contract, side.size, side.size_field)
                check_price(contract, side.price, side.price_field)
        if bid.size and ask.size and bid.price >= ask.price:
            raise Refused(
                MessageStatus.STATUS_MALFORMED,
                bid.price_field,
                f"bid_price_in_cents {bid.price} is not below ask_price_in_cents {ask.price}: "
                "a quote must not cross itself",
            )
        self._check_risk(account, contract, sides, old)
        if old is not None:
            for order in list(old.orders):
                self._matcher.cancel(order, request.mid)
        self._place(account, contract, Entry(request.mid, contract.contract_id, key, 2, True), sides)

    def _check_risk(
        self, account: Account, contract: Contract, sides: tuple[_Side, _Side], old: Entry | None
    ) -> None:
        limits = self._state.limits
        leaving = old.orders if old else []
        added = sum(1 for side in sides if side.size) - len(leaving)
        if added > 0:
            check_open_orders(account, added, limits)
        holding = account.holdings.get(contract.contract_id)
        for is_ask, price, size, price_field, size_field in sides:
            if not size:
                continue
            released = sum(order.open_size for order in leaving if order.is_ask == is_ask)
            check_position(holding, contract, is_ask, size, limits, released=released, field=size_field)
            check_self_trade(account, contract, is_ask, price, size, leaving=old, field=price_field)

    def _place(self, account: Account, contract: Contract, entry: Entry, sides: tuple[_Side, _Side]) -> None:
        try:
            self._place_sides(account, contract, entry, sides)
        except Exception:
            self._matcher.abandon(entry, entry.mid)
            raise

    def _place_sides(
        self, account: Account, contract: Contract, entry: Entry, sides: tuple[_Side, _Side]
    ) -> None:
        for side in sides:
            if not side.size:
                order = OpenOrder(account, contract, entry, 0, side.is_ask, side.price, 0)
                self._matcher.close_unplaced(order, entry.mid)
                continue
            self._state.order_id += 1
            order = OpenOrder(
                account, contract, entry, self._state.order_id, side.is_ask, side.price, side.size
            )
            fills = contract.book.submit(order.order_id, side.is_ask, side.price, side.size)
            self._matcher.fill(order, fills, entry.mid)
            if order.open_size:
                self._matcher.insert(order, entry.mid)


def _sides(request: MessageQuote) -> tuple[_Side, _Side]:
    """Both sides; a price may be absent only where the size is 0, which says that side is not quoted."""
    needed = ["contract_id"]
    for side in ("bid", "ask"):
        if not request.HasField(f"{side}_size") or getattr(request, f"{side}_size"):
            needed.append(f"{side}_price_in_cents")
        needed.append(f"{side}_size")
    require(request, *needed)
    return (
        _Side(False, request.bid_price_in_cents, request.bid_size, "bid_price_in_cents", "bid_size"),
        _Side(True, request.ask_price_in_cents, request.ask_size, "ask_price_in_cents", "ask_size"),
    )
