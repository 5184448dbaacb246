"""What a streaming session asks, as a request of the trading protocol, or the payload that refuses it.

A refusal here is told to the asker alone and is not in the account's line: nothing was asked of the engine.
It judges what the engine would judge, by the same state, so that what the schema calls invalid (a price, a
quantity) is answered as invalid. Orders are known by their order_id here and by their mid there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from ledgerx.api.client.v0_0_1 import (
    VERSION,
    MessageCancelAll,
    MessageCancelOrder,
    MessageCancelReplace,
    MessageLimitOrder,
)
from ledgerx.exchange.refusals import Refused
from ledgerx.exchange.state import INT64_MAX, Account, Contract, OpenOrder
from ledgerx.exchange.streaming.mids import RequestKind
from ledgerx.exchange.streaming.units import QUANTITY_A_LOT, sayable
from ledgerx.exchange.validation import check_price, check_size
from ledgerx.streaming_api import seto_pb2 as seto

__all__ = ["Asked", "RequestTranslator", "throttled"]

_GTC: Final = (seto.GOOD_TIL_CANCELLED, seto.KEEP_IN_PLAY)  # a contract trades the same way all along


class Asked(NamedTuple):
    """A request to execute, or a message that refuses it (the other one is None)."""

    request: Any
    refusal: Any


class RequestTranslator:
    """Translates the payloads of one session. `make_mid` gives an unused mid for what is asked."""

    def __init__(
        self,
        account: Account,
        contracts: Mapping[int, Contract],
        make_mid: Callable[[RequestKind, int | None, int], str],
        time: int,
    ) -> None:
        self._account = account
        self._contracts = contracts
        self._make_mid = make_mid
        self._time = time

    def translate(self, payload: seto.Payload) -> Asked | None:
        """What the payload asks; None where it is none of an account's requests."""
        kind = payload.type
        if kind == seto.PAYLOAD_ORDER_CREATE:
            return self._create(payload.order_create, payload.eto_payload.seq)
        if kind == seto.PAYLOAD_ORDER_CANCEL:
            return self._cancel(payload.order_cancel)
        if kind == seto.PAYLOAD_ORDER_CANCEL_REPLACE:
            return self._replace(payload.order_cancel_replace)
        if kind == seto.PAYLOAD_ORDER_QUANTITY_REDUCE:
            return self._reduce(payload.order_quantity_reduce)
        if kind == seto.PAYLOAD_ORDER_CANCEL_ALL:
            return self._cancel_all(payload.order_cancel_all)
        return None

    def failure(self) -> MessageCancelAll:
        """Cancel everything: the session is lost, and was set to take its orders with it."""
        return MessageCancelAll(**self._envelope(RequestKind.FAILURE, None, 0))

    def _create(self, order: seto.OrderCreate, seq: int) -> Asked:
        reference = order.reference if order.HasField("reference") else None
        contract = self._contracts.get(order.contract_id)
        if order.market_id != order.contract_id or (contract is not None and not sayable(contract)):
            refusal: Any = seto.OrderRejected(seq=seq, reason=seto.ORDER_REJECTED_CONTRACT_NOT_FOUND)
            return _refused(refusal, reference)
        time_in_force = _time_in_force(order)
        reasons = self._invalid(order)
        if time_in_force is None or reasons:
            return _refused(seto.OrderInvalid(seq=seq, reasons=reasons), reference)
        return Asked(
            MessageLimitOrder(
                contract_id=order.contract_id,
                size=order.quantity // QUANTITY_A_LOT,
                price_in_cents=order.price,
                is_ask=order.side == seto.SIDE_SELL,
                time_in_force=time_in_force,
                **self._envelope(RequestKind.CREATE, reference, seq),
            ),
            None,
        )

    def _invalid(self, order: seto.OrderCreate) -> list[seto.OrderInvalidReason]:
        contract = self._contracts.get(order.contract_id)
        reasons: list[seto.OrderInvalidReason] = []
        if not order.HasField("price") or (contract is not None and not _price_fits(contract, order.price)):
            reasons.append(seto.ORDER_INVALID_INVALID_PRICE)
        if _lots(order.quantity, contract) is None:
            reasons.append(seto.ORDER_INVALID_INVALID_QUANTITY)
        return reasons

    def _cancel(self, cancel: seto.OrderCancel) -> Asked:
        reference = cancel.reference if cancel.HasField("reference") else None
        order = self._account.orders.get(cancel.order_id)
        if order is None:
            reason = seto.ORDER_CANCEL_REJECTED_NOT_FOUND
            return _refused(seto.OrderCancelRejected(order_id=cancel.order_id, reason=reason), reference)
        return Asked(
            MessageCancelOrder(
                contract_id=order.contract.contract_id,
                entry_id=order.entry.mid,
                **self._envelope(RequestKind.CANCEL, reference, order.order_id),
            ),
            None,
        )

    def _replace(self, asked: seto.OrderCancelReplace) -> Asked:
        reference = asked.reference if asked.HasField("reference") else None
        order_id = asked.orig_order_id
        order = self._account.orders.get(order_id)
        if order is None:
            return _refused(
                seto.OrderCancelReplaceRejected(
                    order_id=order_id,
                    orig_order_id=order_id,
                    reason=seto.ORDER_CANCEL_REPLACE_REJECTED_TOO_LATE,
                    market_id=asked.market_id,
                    contract_id=asked.market_id,
                    side=seto.SIDE_BUY,
                ),
                reference,
            )
        # A quantity that no order can have is the engine's to refuse, in the line: an odd one asks for 0 lots
        # less than any.
        lots = _lots(asked.quantity, order.contract)
        return self._resize(order, RequestKind.REPLACE, reference, -1 if lots is None else lots, asked.price)

    def _reduce(self, asked: seto.OrderQuantityReduce) -> Asked:
        reference = asked.reference if asked.HasField("reference") else None
        order = self._account.orders.get(asked.order_id)
        lots, odd = divmod(asked.new_quantity, QUANTITY_A_LOT)
        if order is None or odd or lots >= order.original_size:
            reason = seto.ORDER_QUANTITY_REDUCE_REJECTED_INVALID_NEW_QUANTITY
            if order is None:
                reason = seto.ORDER_QUANTITY_REDUCE_REJECTED_NOT_FOUND
            refusal = seto.OrderQuantityReduceRejected(
                order_id=asked.order_id, reason=reason, new_quantity=asked.new_quantity
            )
            return _refused(refusal, reference)
        return self._resize(order, RequestKind.REDUCE, reference, lots, order.price)

    def _resize(
        self, order: OpenOrder, kind: RequestKind, reference: int | None, lots: int, price: int
    ) -> Asked:
        return Asked(
            MessageCancelReplace(
                contract_id=order.contract.contract_id,
                entry_id=order.entry.mid,
                size=lots,
                price_in_cents=price,
                **self._envelope(kind, reference, order.order_id),
            ),
            None,
        )

    def _cancel_all(self, asked: seto.OrderCancelAll) -> Asked:
        reference = asked.reference if asked.HasField("reference") else None
        request = MessageCancelAll(**self._envelope(RequestKind.CANCEL_ALL, reference, 0))
        if asked.HasField("market_id"):
            request.contract_id = asked.market_id
        return Asked(request, None)

    def _envelope(self, kind: RequestKind, reference: int | None, number: int) -> dict[str, Any]:
        return {
            "mid": self._make_mid(kind, reference, number),
            "mversion": VERSION,
            "timestamp": self._time,
        }


def throttled(payload: seto.Payload) -> Any:
    """The message that refuses what was asked too often; None where the schema has none for it."""
    if payload.type == seto.PAYLOAD_ORDER_CREATE:
        order = payload.order_create
        rejected: Any = seto.OrderRejected(
            seq=payload.eto_payload.seq, reason=seto.ORDER_REJECTED_THROTTLE_EXCEEDED
        )
        return _refused(rejected, order.reference if order.HasField("reference") else None).refusal
    if payload.type == seto.PAYLOAD_ORDER_CANCEL:
        cancel = payload.order_cancel
        rejected = seto.OrderCancelRejected(
            order_id=cancel.order_id, reason=seto.ORDER_CANCEL_REJECTED_THROTTLE_EXCEEDED
        )
        return _refused(rejected, cancel.reference if cancel.HasField("reference") else None).refusal
    return None


def _refused(refusal: Any, reference: int | None) -> Asked:
    if reference is not None:
        refusal.reference = reference
    return Asked(None, refusal)


def _time_in_force(order: seto.OrderCreate) -> MessageLimitOrder.TimeInForce | None:
    """None where the venue has none like it: an end with a halt, a least quantity that is not the whole."""
    if order.tif == seto.IMMEDIATE_OR_CANCEL:
        if not order.maq:
            return MessageLimitOrder.IOC
        return MessageLimitOrder.FOK if order.maq == order.quantity else None
    return MessageLimitOrder.GTC if order.tif in _GTC and not order.maq else None


def _lots(quantity: int, contract: Contract | None) -> int | None:
    """The quantity in lots, None where no order can have it."""
    lots, odd = divmod(quantity, QUANTITY_A_LOT)
    if odd or not 0 < lots <= INT64_MAX:
        return None
    try:
        if contract is not None:
            check_size(contract, lots)
    except Refused:
        return None
    return lots


def _price_fits(contract: Contract, price: int) -> bool:
    try:
        check_price(contract, price)
    except Refused:
        return False
    return True
