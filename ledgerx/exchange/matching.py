"""What happens to orders once they are allowed: matched, rested, canceled, with every report of it.

No rule is checked here. Each step leaves book, holdings and listings consistent, and reports in the order
the protocol promises: of one fill the aggressor's report, the resting order's, the book update, the trade.
"""

from __future__ import annotations

from collections.abc import Sequence

from ledgerx.api.client.v0_0_1 import MessageActionReport, MessageBookUpdate
from ledgerx.clob import Fill
from ledgerx.exchange.encoding import report_canceled, report_fill, report_inserted, report_trade
from ledgerx.exchange.lines import Lines
from ledgerx.exchange.state import Entry, OpenOrder, State

__all__ = ["Matcher"]

_ADD = int(MessageBookUpdate.ADD)
_CHANGE = int(MessageBookUpdate.CHANGE)
_REMOVE = int(MessageBookUpdate.REMOVE)
_INSERTED = int(MessageActionReport.STATUS_INSERTED)
_FILLED = int(MessageActionReport.STATUS_FILLED)
_NOT_FILLED = int(MessageActionReport.STATUS_NOT_FILLED)
_CANCELED = int(MessageActionReport.STATUS_CANCELED)


class Matcher:
    """Carries orders through the books of `state` and tells `lines` of it."""

    def __init__(self, state: State, lines: Lines) -> None:
        self._state = state
        self._lines = lines

    def fill(self, order: OpenOrder, fills: Sequence[Fill], request_mid: str) -> None:
        """Books and reports the fills of an aggressor that is not counted among the resting orders."""
        state, lines = self._state, self._lines
        contract, entry = order.contract, order.entry
        for order_id, price, size, left in fills:
            resting = contract.orders[order_id]
            state.trade_id = trade_id = state.trade_id + 1
            order.open_size -= size
            order.holding.trade(order.is_ask, size, price)
            if not order.open_size:
                entry.live -= 1
            resting.open_size = left
            resting.holding.trade(resting.is_ask, size, price)
            resting.holding.open_size[resting.is_ask] -= size
            if not left:
                self._close(resting)
            fill = report_fill(size, price)
            lines.report(order, _FILLED, request_mid, fill + report_trade(trade_id, True))
            lines.report(resting, _FILLED, "", fill + report_trade(trade_id, False))
            lines.book_update(resting, _CHANGE if left else _REMOVE, left)
            lines.trade(resting, price, size, trade_id)

    def insert(self, order: OpenOrder, request_mid: str) -> None:
        """Lists and reports a new order that the book holds since it was submitted."""
        self.list_order(order)
        order.entry.orders.append(order)
        self._lines.report(order, _INSERTED, request_mid, report_inserted(order.open_size))
        self._lines.book_update(order, _ADD, order.open_size)

    def list_order(self, order: OpenOrder) -> None:
        """Counts an order among the resting ones; one listed before keeps its place."""
        account, entry = order.account, order.entry
        order.contract.orders[order.order_id] = order
        account.orders[order.order_id] = order
        account.entries[entry.key] = entry
        if entry.is_quote:
            account.quotes[order.contract.contract_id] = entry
        order.holding.open_size[order.is_ask] += order.open_size

    def drop(self, order: OpenOrder, request_mid: str) -> None:
        """Ends an order that may not rest: what is left found no counterparty."""
        canceled, order.open_size = order.open_size, 0
        order.entry.live -= 1
        self._lines.report(order, _NOT_FILLED, request_mid, report_canceled(canceled))

    def close_unplaced(self, order: OpenOrder, request_mid: str) -> None:
        """Reports the side of a quote that is not quoted."""
        order.entry.live -= 1
        self._lines.report(order, _CANCELED, request_mid)

    def cancel(self, order: OpenOrder, request_mid: str = "") -> None:
        """Takes a resting order out of the book."""
        order.contract.book.cancel(order.order_id)
        self.end(order, request_mid)
        self._lines.book_update(order, _REMOVE, 0)

    def end(self, order: OpenOrder, request_mid: str = "") -> None:
        """Ends a resting order towards its owner alone: for a book that is thrown away."""
        canceled, order.open_size = order.open_size, 0
        order.holding.open_size[order.is_ask] -= canceled
        self._close(order)
        self._lines.report(order, _CANCELED, request_mid, report_canceled(canceled))

    def abandon(self, entry: Entry, request_mid: str) -> None:
        """Takes away what a request has placed that failed half way: its mid ends with a 500."""
        for order in list(entry.orders):
            self.cancel(order, request_mid)

    def unlist(self, order: OpenOrder) -> None:
        """Removes an order that is closed from every listing."""
        account, entry = order.account, order.entry
        del order.contract.orders[order.order_id]
        del account.orders[order.order_id]
        entry.orders.remove(order)
        if not entry.orders:
            del account.entries[entry.key]
            if entry.is_quote:
                del account.quotes[order.contract.contract_id]

    def _close(self, order: OpenOrder) -> None:
        order.entry.live -= 1
        self.unlist(order)
