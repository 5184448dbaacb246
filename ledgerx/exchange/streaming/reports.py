"""An account's line as a streaming session hears it: each message becomes one payload, or none.

Nothing is remembered but the order that was accepted last, so that a session may begin anywhere in the line.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from ledgerx.api.client.v0_0_1 import MessageActionReport, MessageStatus
from ledgerx.exchange.streaming.mids import RequestKind, StreamingMid, read_mid
from ledgerx.exchange.streaming.units import number_in_line, price_of, quantity_of, side_of
from ledgerx.protocol.wire import decode_message
from ledgerx.streaming_api import seto_pb2 as seto
from ledgerx.streaming_api.payloads import wrap

__all__ = ["LineTranslator"]

_Status = MessageStatus
_REFUSED: Final = 400  # from here on a status is a refusal

_CREATE_REASONS: Final[dict[int, Any]] = {
    _Status.STATUS_UNKNOWN_CONTRACT: seto.ORDER_REJECTED_MARKET_NOT_FOUND,
    _Status.STATUS_RATE_EXCEEDED: seto.ORDER_REJECTED_THROTTLE_EXCEEDED,
    _Status.STATUS_HALTED: seto.ORDER_REJECTED_MARKET_HALTED,
    _Status.STATUS_CONTRACT_EXPIRED: seto.ORDER_REJECTED_MARKET_SETTLED,
    _Status.STATUS_PRICE_BAND: seto.ORDER_REJECTED_LIMIT_EXCEEDED,
    _Status.STATUS_POSITION_LIMIT: seto.ORDER_REJECTED_LIMIT_EXCEEDED,
    _Status.STATUS_SELF_TRADE: seto.ORDER_REJECTED_CROSSED_SELF,
    _Status.STATUS_NOT_FILLABLE: seto.ORDER_REJECTED_LIMIT_EXCEEDED,
    _Status.STATUS_ORDER_LIMIT: seto.ORDER_REJECTED_CAPACITY_REACHED,
}
_CANCEL_REASONS: Final[dict[int, Any]] = {
    _Status.STATUS_UNKNOWN_CONTRACT: seto.ORDER_CANCEL_REJECTED_MARKET_NOT_FOUND,
    _Status.STATUS_RATE_EXCEEDED: seto.ORDER_CANCEL_REJECTED_THROTTLE_EXCEEDED,
    _Status.STATUS_NO_SUCH_ORDER: seto.ORDER_CANCEL_REJECTED_NOT_LIVE,
}
_REPLACE_REASONS: Final[dict[int, Any]] = {
    _Status.STATUS_UNKNOWN_CONTRACT: seto.ORDER_CANCEL_REPLACE_REJECTED_MARKET_NOT_FOUND,
    _Status.STATUS_HALTED: seto.ORDER_CANCEL_REPLACE_REJECTED_MARKET_HALTED,
    _Status.STATUS_CONTRACT_EXPIRED: seto.ORDER_CANCEL_REPLACE_REJECTED_MARKET_SETTLED,
    _Status.STATUS_SELF_TRADE: seto.ORDER_CANCEL_REPLACE_REJECTED_CROSSED_SELF,
    _Status.STATUS_NO_SUCH_ORDER: seto.ORDER_CANCEL_REPLACE_REJECTED_TOO_LATE,
}
_REDUCE_REASONS: Final[dict[int, Any]] = {
    _Status.STATUS_RATE_EXCEEDED: seto.ORDER_QUANTITY_REDUCE_REJECTED_THROTTLE_EXCEEDED,
    _Status.STATUS_NO_SUCH_ORDER: seto.ORDER_QUANTITY_REDUCE_REJECTED_NOT_LIVE,
}


class LineTranslator:
    """Translates one account's line, in order.

    `of_order` finds an open order's terms by its order_id: a refused replacement's payload must repeat them.
    `told` says of a contract_id whether sessions hear of it; None: of each.
    """

    def __init__(self, of_order: Any = None, told: Callable[[int], bool] | None = None) -> None:
        self._of_order = of_order or (lambda _order_id: None)
        self._told = told
        self._accepted: tuple[str, int] = ("", 0)  # the mid that was accepted last, and its first order

    def take(self, messages: Sequence[bytes]) -> tuple[list[seto.Payload], int]:
        """The payloads of consecutive messages, and how many of the messages they stand for.

        The last one may be left for the next call, which must begin with it: an order's acceptance is told
        with the order_id of the report behind it.
        """
        payloads: list[seto.Payload] = []
        decoded = [decode_message(data) for data in messages]
        for index, message in enumerate(decoded):
            told: Any = None
            if isinstance(message, MessageStatus):
                if message.status == _Status.STATUS_ORDER_SUCCESS:
                    if index + 1 == len(decoded):
                        return payloads, index
                    told = self._acceptance(message, decoded[index + 1])
                else:
                    told = self._status(message)
            elif isinstance(message, MessageActionReport):
                told = self._report(message)
            if told is not None:
                number_in_line(told, message.account_sequence)
                payloads.append(wrap(told))
        return payloads, len(decoded)

    # ------------------------------------------------------------------ statuses

    def _acceptance(self, status: MessageStatus, report: Any) -> seto.OrderAccepted | None:
        if not isinstance(report, MessageActionReport) or report.mid != status.mid:
            return None
        if self._told is not None and not self._told(report.contract_id):
            return None
        self._accepted = (report.mid, report.order_id)
        return _accepted(report)

    def _status(self, status: MessageStatus) -> Any:
        asked = read_mid(status.mid)
        if asked is None:
            return None
        refused = status.status >= _REFUSED
        told: Any = None
        if asked.kind is RequestKind.CANCEL_ALL:
            if refused:
                told = seto.OrderCancelAllRejected(reason=seto.ORDER_CANCEL_ALL_REJECTED_UNKNOWN_ERROR)
            elif status.status == _Status.STATUS_ORDER_CANCELED:
                told = seto.OrderCancelAllAccepted()
        elif refused and asked.kind is not RequestKind.FAILURE:
            told = self._refusal(asked, status.status)
        if told is not None and asked.reference is not None:
            told.reference = asked.reference
        return told

    def _refusal(self, asked: StreamingMid, status: int) -> Any:
        order_id = asked.number
        if asked.kind is RequestKind.CREATE:
            unavailable: Any = seto.ORDER_REJECTED_SERVICE_TEMPORARILY_UNAVAILABLE
            return seto.OrderRejected(seq=asked.number, reason=_CREATE_REASONS.get(status, unavailable))
        if asked.kind is RequestKind.CANCEL:
            unavailable = seto.ORDER_CANCEL_REJECTED_SERVICE_TEMPORARILY_UNAVAILABLE
            reason = _CANCEL_REASONS.get(status, unavailable)
            return seto.OrderCancelRejected(order_id=order_id, reason=reason)
        order = self._of_order(order_id)
        if asked.kind is RequestKind.REDUCE:
            invalid: Any = seto.ORDER_QUANTITY_REDUCE_REJECTED_INVALID_NEW_QUANTITY
            reason = _REDUCE_REASONS.get(status, invalid)
            left = 0 if order is None else quantity_of(order.original_size)
            return seto.OrderQuantityReduceRejected(order_id=order_id, reason=reason, new_quantity=left)
        unavailable = seto.ORDER_CANCEL_REPLACE_REJECTED_SERVICE_TEMPORARILY_UNAVAILABLE
        reason = _REPLACE_REASONS.get(status, unavailable)
        contract_id = 0 if order is None else order.contract.contract_id
        return seto.OrderCancelReplaceRejected(
            order_id=order_id,
            orig_order_id=order_id,
            reason=reason,
            market_id=contract_id,
            contract_id=contract_id,
            side=side_of(order is not None and order.is_ask),
        )

    # ------------------------------------------------------------------ reports

    def _report(self, report: MessageActionReport) -> Any:
        if self._told is not None and not self._told(report.contract_id):
            return None
        kind = report.status_type
        if kind == MessageActionReport.STATUS_FILLED:
            return _executed(report)
        if kind in (MessageActionReport.STATUS_CANCELED, MessageActionReport.STATUS_NOT_FILLED):
            return _cancelled(report) if report.original_size else None  # a quote's side of size 0
        if kind == MessageActionReport.STATUS_REPLACED:
            return _replaced(report)
        # A quote has no status that accepts it: each of its two orders is, when it rests.
        return None if (report.mid, report.order_id) == self._accepted else _accepted(report)


def _accepted(report: MessageActionReport) -> seto.OrderAccepted:
    asked = read_mid(report.mid)
    told = seto.OrderAccepted(
        seq=asked.number if asked is not None else 0,  # another surface's order has no payload
        price=price_of(report.price_in_cents),
        quantity=quantity_of(report.original_size),
        order_id=report.order_id,
        contract_id=report.contract_id,
        market_id=report.contract_id,
        side=side_of(report.is_ask),
    )
    if asked is not None and asked.reference is not None:
        told.reference = asked.reference
    return told


def _executed(report: MessageActionReport) -> seto.OrderExecuted:
    executed = report.original_size - report.size
    told = seto.OrderExecuted(
        price=price_of(report.filled_price_in_cents),
        quantity=quantity_of(report.filled_size),
        order_id=report.order_id,
        side=side_of(report.is_ask),
        market_id=report.contract_id,
        contract_id=report.contract_id,
        total_executed_quantity=quantity_of(executed),
        available_quantity=quantity_of(report.size),
        orig_price=price_of(report.price_in_cents),
    )
    if executed == report.filled_size:
        told.executed_avg_price = told.price  # the line does not tell the average of several
    return told


def _cancelled(report: MessageActionReport) -> seto.OrderCancelled:
    if report.status_type == MessageActionReport.STATUS_NOT_FILLED:
        reason = seto.ORDER_CANCELLED_INSUFFICIENT_LIQUIDITY
    elif report.request_mid:
        reason = seto.ORDER_CANCELLED_MEMBER_REQUESTED
    else:
        reason = seto.ORDER_CANCELLED_ADMIN_REQUESTED  # an expiry, a new run, an account's end
    told = seto.OrderCancelled(
        reason=reason,
        order_id=report.order_id,
        executed_quantity=quantity_of(report.original_size - report.canceled_size),
        market_id=report.contract_id,
        contract_id=report.contract_id,
        side=side_of(report.is_ask),
        orig_price=price_of(report.price_in_cents),
    )
    _refer(told, report)
    return told


def _replaced(report: MessageActionReport) -> Any:
    asked = read_mid(report.request_mid)
    left = quantity_of(report.size)
    told: Any
    if asked is not None and asked.kind is RequestKind.REDUCE:
        told = seto.OrderQuantityReduced(
            order_id=report.order_id,
            reason=seto.ORDER_QUANTITY_REDUCED_MEMBER_REQUESTED,
            new_quantity=quantity_of(report.original_size),
            market_id=report.contract_id,
            contract_id=report.contract_id,
            side=side_of(report.is_ask),
            orig_price=price_of(report.price_in_cents),
            executed_quantity=quantity_of(report.original_size) - left,
        )
    else:
        told = seto.OrderCancelReplaceAccepted(
            order_id=report.order_id,
            orig_order_id=report.order_id,
            price=price_of(report.price_in_cents),
            quantity=quantity_of(report.original_size),
            quantity_left=left,
            market_id=report.contract_id,
            contract_id=report.contract_id,
            side=side_of(report.is_ask),
        )
    _refer(told, report)
    return told


def _refer(told: Any, report: MessageActionReport) -> None:
    """The reference of the request that caused this, or else the order's own."""
    for mid in (report.request_mid, report.mid):
        asked = read_mid(mid)
        if asked is not None and asked.reference is not None:
            told.reference = asked.reference
            return
