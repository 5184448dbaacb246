"""From steps to the messages of the trading protocol."""

from __future__ import annotations

from ledgerx.api.client import v0_0_1 as api
from ledgerx.testing.flow.steps import Action, Step

__all__ = ["message_of"]

TradeMessage = api.MessageLimitOrder | api.MessageCancelReplace | api.MessageCancelOrder


def message_of(step: Step, contract_id: int, mid: str) -> TradeMessage:
    """The request that a step is. `mid` is the order's message ID: its own, or that of the order changed."""
    if step.action is Action.CANCEL:
        return api.MessageCancelOrder(contract_id=contract_id, entry_id=mid)
    if step.action is Action.REDUCE:
        return api.MessageCancelReplace(
            contract_id=contract_id, entry_id=mid, size=step.size, price_in_cents=step.price
        )
    order = api.MessageLimitOrder
    return api.MessageLimitOrder(
        mid=mid,
        contract_id=contract_id,
        size=step.size,
        price_in_cents=step.price,
        is_ask=step.is_ask,
        time_in_force=order.IOC if step.action is Action.EXECUTE else order.GTC,
    )
