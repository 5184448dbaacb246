"""Cancel-replace: another size or price for an open order, which keeps its mid and its order_id.

`size` is the new total, what is filled included (PROTOCOL). The place in the queue is kept only when the
size shrinks at the same price. That is allowed at any time, even in a halt, for it only takes risk away;
every other change is checked as a new order is. A refused request leaves the order as it stands.
"""

from __future__ import annotations

from ledgerx.api.client.v0_0_1 import (
    MessageActionReport,
    MessageBookUpdate,
    MessageCancelReplace,
    MessageStatus,
)
from ledgerx.exchange.lines import Lines
from ledgerx.exchange.matching import Matcher
from ledgerx.exchange.refusals import Refused
from ledgerx.exchange.risk import check_position, check_self_trade
from ledgerx.exchange.state import Account, Contract, OpenOrder, State
from ledgerx.exchange.validation import (
    check_post_only,
    check_price,
    check_size,
    check_tradable,
    find_contract,
    find_entry,
    require,
)

__all__ = ["ReplaceDesk"]

_REPLACED = int(MessageActionReport.STATUS_REPLACED)


class ReplaceDesk:
    """The handler of cancel_replace."""

    def __init__(self, state: State, lines: Lines, matcher: Matcher) -> None:
        self._state = state
        self._lines = lines
        self._matcher = matcher

    def cancel_replace(self, account: Account, request: MessageCancelReplace, key: bytes) -> None:
        """Cancels the order if the new total is filled already, and changes it otherwise."""
        require(request, "contract_id", "entry_id", "size", "price_in_cents")
        contract = find_contract(self._state, request.contract_id)
        order = self._find(account, contract, request)
        filled = order.original_size - order.open_size
        size, price = request.size, request.price_in_cents
        if size <= filled:
            self._matcher.cancel(order, request.mid)
            text = f"order canceled: the new size {size} is not above what is filled, {filled}"
        elif price == order.price and size < order.original_size:
            self._shrink(order, size, request.mid)
            text = "order made smaller, its place in the queue kept"
        else:
            self._check(order, price, size, size - filled)
            self._move(order, price, size, request.mid)
            text = "order replaced"
        self._lines.status(account, request.mid, MessageStatus.STATUS_ORDER_REPLACED, text)

    def _find(self, account: Account, contract: Contract, request: MessageCancelReplace) -> OpenOrder:
        if request.size < 0:
            raise Refused(
                MessageStatus.STATUS_MALFORMED,
                "size",
                f"size {request.size} is below 0: give the new total in lots, or 0 to cancel",
            )
        entry = find_entry(account, contract, request.entry_id)
        if entry.is_quote:
            raise Refused(
                MessageStatus.STATUS_MALFORMED,
                "entry_id",
                f"entry_id {request.entry_id} is a quote, which has two sides: "
                "send another quote to replace it",
            )
        return entry.orders[0]

    def _check(self, order: OpenOrder, price: int, size: int, open_size: int) -> None:
        account, contract, is_ask = order.account, order.contract, order.is_ask
        check_tradable(contract)
        check_size(contract, size)
        check_price(contract, price)
        limits = self._state.limits
        check_position(order.holding, contract, is_ask, open_size, limits, released=order.open_size)
        if order.post_only:
            check_post_only(contract, is_ask, price)
        check_self_trade(account, contract, is_ask, price, open_size)

    def _shrink(self, order: OpenOrder, size: int, request_mid: str) -> None:
        by = order.original_size - size
        order.contract.book.reduce(order.order_id, by)
        order.set_terms(order.price, size)
        order.open_size -= by
        order.holding.open_size[order.is_ask] -= by
        self._lines.report(order, _REPLACED, request_mid)
        self._lines.book_update(order, MessageBookUpdate.CHANGE, order.open_size)

    def _move(self, order: OpenOrder, price: int, size: int, request_mid: str) -> None:
        book = order.contract.book
        book.cancel(order.order_id)
        order.holding.open_size[order.is_ask] -= order.open_size
        self._lines.book_update(order, MessageBookUpdate.REMOVE, 0)
        order.open_size += size - order.original_size
        order.set_terms(price, size)
        self._lines.report(order, _REPLACED, request_mid)
        try:
            fills = book.submit(order.order_id, order.is_ask, price, order.open_size)
        except Exception:
            # It is in no book any more: what is left of it ends before the 500 does.
            order.holding.open_size[order.is_ask] += order.open_size
            self._matcher.end(order, request_mid)
            raise
        self._matcher.fill(order, fills, request_mid)
        if order.open_size:
            self._matcher.list_order(order)
            self._lines.book_update(order, MessageBookUpdate.ADD, order.open_size)
        else:
            self._matcher.unlist(order)
