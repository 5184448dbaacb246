"""Limit and market orders, and cancels: the checks in their order, then what the matcher does.

A handler gets a request whose ACK is written. It raises Refused before it changed anything, or changes
the state and writes the rest of the answers, the one with `remaining` 0 for the request's mid last.
"""

from __future__ import annotations

from ledgerx.api.client.v0_0_1 import (
    MessageCancelAll,
    MessageCancelOrder,
    MessageLimitOrder,
    MessageMarketOrder,
    MessageStatus,
)
from ledgerx.errors import NotFillable
from ledgerx.exchange.lines import Lines
from ledgerx.exchange.matching import Matcher
from ledgerx.exchange.refusals import Refused
from ledgerx.exchange.risk import check_open_orders, check_position, check_self_trade
from ledgerx.exchange.state import Account, Contract, Entry, OpenOrder, State
from ledgerx.exchange.validation import (
    check_post_only,
    check_price,
    check_size,
    check_tradable,
    find_contract,
    find_entry,
    require,
)

__all__ = ["OrderDesk"]

_GTC = int(MessageLimitOrder.GTC)
_IOC = int(MessageLimitOrder.IOC)
_FOK = int(MessageLimitOrder.FOK)
_NAMES = dict(MessageLimitOrder.TimeInForce.items())


class OrderDesk:
    """The handlers of limit_order, market_order, cancel_order and cancel_all."""

    def __init__(self, state: State, lines: Lines, matcher: Matcher) -> None:
        self._state = state
        self._lines = lines
        self._matcher = matcher

    # ------------------------------------------------------------------ new orders

    def limit_order(self, account: Account, request: MessageLimitOrder, key: bytes) -> None:
        """A limit order (PROTOCOL: accepted with 200, then reports until `size` is 0)."""
        require(request, "contract_id", "size", "price_in_cents")
        contract = find_contract(self._state, request.contract_id)
        size, price, is_ask = request.size, request.price_in_cents, request.is_ask
        time_in_force, post_only = request.time_in_force, request.post_only
        _check_time_in_force(time_in_force, post_only)
        check_tradable(contract)
        check_size(contract, size)
        check_price(contract, price)
        limits = self._state.limits
        if time_in_force == _GTC:
            check_open_orders(account, 1, limits)
        check_position(account.holdings.get(contract.contract_id), contract, is_ask, size, limits)
        if post_only:
            check_post_only(contract, is_ask, price)
        check_self_trade(account, contract, is_ask, price, size)
        order = self._new_order(account, contract, request.mid, key, is_ask, price, size, post_only)
        self._place(order, price, time_in_force)

    def market_order(self, account: Account, request: MessageMarketOrder, key: bytes) -> None:
        """A market order: meets every price, and what does not fill at once is reported as not filled."""
        require(request, "contract_id", "size")
        contract = find_contract(self._state, request.contract_id)
        size, is_ask = request.size, request.is_ask
        check_tradable(contract)
        check_size(contract, size)
        check_position(account.holdings.get(contract.contract_id), contract, is_ask, size, self._state.limits)
        check_self_trade(account, contract, is_ask, None, size, field="size")
        order = self._new_order(account, contract, request.mid, key, is_ask, 0, size, False)
        self._place(order, None, _IOC)

    def _new_order(
        self,
        account: Account,
        contract: Contract,
        mid: str,
        key: bytes,
        is_ask: bool,
        price: int,
        size: int,
        post_only: bool,
    ) -> OpenOrder:
        entry = Entry(mid, contract.contract_id, key, live=1, is_quote=False)
        order_id = self._state.order_id + 1
        return OpenOrder(account, contract, entry, order_id, is_ask, price, size, post_only)

    def _place(self, order: OpenOrder, price: int | None, time_in_force: int) -> None:
        """Submits an order that passed every check but fill-or-kill's, which the book makes."""
        try:
            fills = order.contract.book.submit(
                order.order_id, order.is_ask, price, order.open_size, time_in_force
            )
        except NotFillable:
            raise Refused(
                MessageStatus.STATUS_NOT_FILLABLE,
                "size",
                f"size {order.open_size} cannot fill whole at {order.price} cents or better now: "
                "send less or take what there is with IOC",
            ) from None
        self._state.order_id = order.order_id
        mid = order.entry.mid
        self._lines.accept(order.account, mid)
        if fills:
            self._matcher.fill(order, fills, mid)
        if order.open_size:
            if time_in_force == _GTC:
                self._matcher.insert(order, mid)
            else:
                self._matcher.drop(order, mid)

    # ------------------------------------------------------------------ cancels

    def cancel_order(self, account: Account, request: MessageCancelOrder, key: bytes) -> None:
        """Cancels what a mid has open: an order, or both sides of a quote."""
        require(request, "contract_id", "entry_id")
        contract = find_contract(self._state, request.contract_id)
        entry = find_entry(account, contract, request.entry_id)
        for order in list(entry.orders):
            self._matcher.cancel(order, request.mid)
        self._lines.status(account, request.mid, MessageStatus.STATUS_ORDER_CANCELED, "order canceled")

    def cancel_all(self, account: Account, request: MessageCancelAll, key: bytes) -> None:
        """Cancels every open order of the account, or those in one contract, in order_id order."""
        orders = list(account.orders.values())
        if request.HasField("contract_id"):
            contract = find_contract(self._state, request.contract_id)
            orders = [order for order in orders if order.contract is contract]
        for order in orders:
            self._matcher.cancel(order, request.mid)
        text = f"{len(orders)} order(s) canceled"
        self._lines.status(account, request.mid, MessageStatus.STATUS_ORDER_CANCELED, text)


def _check_time_in_force(time_in_force: int, post_only: bool) -> None:
    if time_in_force not in (_GTC, _IOC, _FOK):
        known = ", ".join(f"{name} ({number})" for name, number in _NAMES.items())
        raise Refused(
            MessageStatus.STATUS_MALFORMED,
            "time_in_force",
            f"time_in_force {time_in_force} is unknown here: use one of {known}",
        )
    if post_only and time_in_force != _GTC:
        raise Refused(
            MessageStatus.STATUS_MALFORMED,
            "post_only",
            "post_only true asks never to trade at once and IOC and FOK ask for nothing else: use GTC",
        )
