"""Limits an account trades under: requests a second, open orders, position. Sizes are lots, times ns."""

from __future__ import annotations

from typing import Final

from ledgerx.api.client.v0_0_1 import MessageStatus
from ledgerx.clob import SIZE_MAX
from ledgerx.exchange import journal_pb2
from ledgerx.exchange.refusals import Refused
from ledgerx.exchange.state import Account, Contract, Entry, Holding

__all__ = ["check_open_orders", "check_position", "check_self_trade", "default_limits", "take_rate"]

_BILLION: Final = 1_000_000_000


def default_limits() -> journal_pb2.Limits:
    """The limits of a venue whose operator says nothing."""
    return journal_pb2.Limits(
        mids_max=1_000_000,
        requests_per_second_max=50_000,
        requests_burst_max=100_000,
        position_size_max=1_000_000_000,
        open_orders_max=100_000,
    )


def take_rate(account: Account, requests: int, time: int, limits: journal_pb2.Limits) -> None:
    """Takes `requests` from the account's token bucket as of engine time, or raises Refused, taking none."""
    rate, burst = limits.requests_per_second_max, limits.requests_burst_max
    debt = max(account.rate_debt - (time - account.rate_time) * rate, 0)
    wanted = debt + requests * _BILLION
    account.rate_time = time
    if wanted > burst * _BILLION:
        account.rate_debt = debt
        raise Refused(
            MessageStatus.STATUS_RATE_EXCEEDED,
            "",
            f"{requests} more request(s) would exceed {rate} a second with bursts of {burst}: "
            "wait, then send it again under a new mid",
        )
    account.rate_debt = wanted


def check_open_orders(account: Account, added: int, limits: journal_pb2.Limits) -> None:
    """Refuses what would leave the account with too many open orders."""
    if len(account.orders) + added > limits.open_orders_max:
        raise Refused(
            MessageStatus.STATUS_ORDER_LIMIT,
            "",
            f"{len(account.orders)} orders are open and {limits.open_orders_max} are allowed: "
            "cancel some before placing more",
        )


def check_position(
    holding: Holding | None,
    contract: Contract,
    is_ask: bool,
    size: int,
    limits: journal_pb2.Limits,
    *,
    released: int = 0,
    field: str = "size",
) -> None:
    """Refuses `size` lots more on a side if all open orders of that side filled would exceed the limit.

    `released` lots of that side's open orders go away if this is accepted. Only the direction in which
    the order trades is judged, so a position above a lowered limit can always be reduced.
    """
    limit = limits.position_size_max
    if holding is None:
        position, opened = 0, 0
    else:
        position = holding.sold_size - holding.bought_size if is_ask else holding.position
        opened = holding.open_size[is_ask] - released
    if position + opened + size > limit:
        side = "short" if is_ask else "long"
        raise Refused(
            MessageStatus.STATUS_POSITION_LIMIT,
            field,
            f"{field} {size} with {opened} lots open on that side and {position} lots {side} would exceed "
            f"the position limit of {limit} lots: send at most {max(limit - position - opened, 0)}",
        )
    if contract.book.total(is_ask) - released + size > SIZE_MAX:
        raise Refused(
            MessageStatus.STATUS_POSITION_LIMIT,
            field,
            f"{field} {size} is more than the book of {contract.label} can hold: send less",
        )


def check_self_trade(
    account: Account,
    contract: Contract,
    is_ask: bool,
    price: int | None,
    size: int,
    *,
    leaving: Entry | None = None,
    field: str = "price_in_cents",
) -> None:
    """Refuses an order that would meet a resting order of its own account before it is filled.

    `leaving` is a quote that goes away first; its orders are passed over.
    """
    holding = account.holdings.get(contract.contract_id)
    if holding is None:
        return
    left = sum(order.open_size for order in leaving.orders if order.is_ask != is_ask) if leaving else 0
    if holding.open_size[not is_ask] <= left:
        return
    for fill in contract.book.preview(is_ask, price, min(size + left, SIZE_MAX)):
        resting = contract.orders[fill.order_id]
        if resting.entry is leaving:
            continue
        if resting.account is account:
            raise Refused(
                MessageStatus.STATUS_SELF_TRADE,
                field,
                f"the order would trade with your own order {resting.entry.mid} at {resting.price} cents: "
                "cancel that one first or use another price",
            )
        size -= fill.size
        if size <= 0:
            return
