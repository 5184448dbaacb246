"""A request's fields against the rules: each check returns what the engine needs or raises Refused.

Checks read; none changes anything. The order in which a handler calls them decides which of several
faults a client is told of. Prices are cents, sizes lots, times ns.
"""

from __future__ import annotations

from typing import Any, Final

from ledgerx.api.client.v0_0_1 import MessageContractDetail, MessageStatus
from ledgerx.exchange.mids import HORIZON_NONE, mid_key
from ledgerx.exchange.refusals import Refused, quoted
from ledgerx.exchange.state import Account, Contract, Entry, State
from ledgerx.protocol.wire import VERSIONS

__all__ = [
    "TIMESTAMP_AHEAD_MAX_NS",
    "check_envelope",
    "check_expires",
    "check_post_only",
    "check_price",
    "check_size",
    "check_tradable",
    "check_version",
    "find_contract",
    "find_entry",
    "require",
]

TIMESTAMP_AHEAD_MAX_NS: Final = 300 * 1_000_000_000
"""How far ahead of the venue a request's timestamp may be."""


def check_version(version: str) -> None:
    """The request's protocol version, or none at all, must be one the venue speaks."""
    if version and version not in VERSIONS:
        raise Refused(
            MessageStatus.STATUS_UNSUPPORTED_VERSION,
            "mversion",
            f"mversion {quoted(version)} is not spoken here: use {' or '.join(VERSIONS)}",
        )


def check_expires(expires: int, time: int) -> None:
    """A request that arrives after its `expires` (0: it has none) is too late."""
    if expires and expires < time:
        raise Refused(
            MessageStatus.STATUS_REQUEST_EXPIRED,
            "expires",
            f"expires {expires} was {(time - expires) // 1_000_000} ms before the request arrived: if it is "
            "still wanted, send it under a new mid with a later expires",
        )


def check_envelope(version: str, timestamp: int, expires: int, *, horizon: int, time: int) -> None:
    """What every state-changing request must satisfy at engine time `time`.

    `horizon` is the largest timestamp the venue has forgotten of this account.
    """
    check_version(version)
    check_expires(expires, time)
    if timestamp > time + TIMESTAMP_AHEAD_MAX_NS:
        raise Refused(
            MessageStatus.STATUS_TIMESTAMP_AHEAD,
            "timestamp",
            f"timestamp {timestamp} is more than 5 minutes ahead of the venue's {time}: "
            "set the clock by the venue's hello",
        )
    if timestamp <= horizon != HORIZON_NONE:
        raise Refused(
            MessageStatus.STATUS_TIMESTAMP_STALE,
            "timestamp",
            f"timestamp {timestamp} is not above {horizon}, up to which the venue has forgotten what it "
            "executed: send it under a new mid with the present time",
        )


def require(request: Any, *fields: str) -> None:
    """All of `fields` must be there, an empty entry_id not counting; names every one that is not."""
    has = request.HasField
    missing = [name for name in fields if not has(name) or (name == "entry_id" and not request.entry_id)]
    if missing:
        names = ", ".join(missing)
        verb = "is" if len(missing) == 1 else "are"
        raise Refused(MessageStatus.STATUS_MALFORMED, names, f"{names} {verb} missing: set every one of them")


def find_contract(state: State, contract_id: int) -> Contract:
    """The contract of that id."""
    contract = state.contracts.get(contract_id)
    if contract is None:
        raise Refused(
            MessageStatus.STATUS_UNKNOWN_CONTRACT,
            "contract_id",
            f"contract_id {contract_id} is no contract of this venue: get_contract lists them",
        )
    return contract


def check_tradable(contract: Contract) -> None:
    """The contract must take orders now."""
    if contract.state == MessageContractDetail.EXPIRED:
        raise Refused(
            MessageStatus.STATUS_CONTRACT_EXPIRED,
            "contract_id",
            f"contract_id {contract.contract_id} ({contract.label}) has expired: trade another contract",
        )
    if contract.state == MessageContractDetail.HALTED:
        raise Refused(
            MessageStatus.STATUS_HALTED,
            "contract_id",
            f"contract_id {contract.contract_id} ({contract.label}) is halted: orders can only be canceled "
            "or made smaller until trading goes on",
        )


def check_size(contract: Contract, size: int, field: str = "size") -> None:
    """The size must be within the contract's limits."""
    if not contract.min_size <= size <= contract.max_size:
        raise Refused(
            MessageStatus.STATUS_MALFORMED,
            field,
            f"{field} {size} is not from {contract.min_size} to {contract.max_size} lots, "
            f"as {contract.label} takes it",
        )


def check_price(contract: Contract, price: int, field: str = "price_in_cents") -> None:
    """The price must be a multiple of the contract's tick and inside its band."""
    if price % contract.tick:
        lower = price - price % contract.tick
        raise Refused(
            MessageStatus.STATUS_MALFORMED,
            field,
            f"{field} {price} is no multiple of the tick of {contract.tick} cents: "
            f"use {lower} or {lower + contract.tick}",
        )
    if not contract.min_price <= price <= contract.max_price:
        raise Refused(
            MessageStatus.STATUS_PRICE_BAND,
            field,
            f"{field} {price} is outside the band of {contract.label}: "
            f"use {contract.min_price} to {contract.max_price} cents",
        )


def find_entry(account: Account, contract: Contract, entry_id: str) -> Entry:
    """What the account's mid `entry_id` has open in the contract."""
    key = mid_key(entry_id)
    entry = None if key is None else account.entries.get(key)
    if entry is None or entry.contract_id != contract.contract_id:
        why = (
            "is not a mid of 32 hex characters"
            if key is None
            else f"names no open order of yours in {contract.label}: it was filled, canceled or never placed"
        )
        raise Refused(MessageStatus.STATUS_NO_SUCH_ORDER, "entry_id", f"entry_id {quoted(entry_id)} {why}")
    return entry


def check_post_only(contract: Contract, is_ask: bool, price: int) -> None:
    """A post-only order must not trade at once."""
    best = contract.book.best(not is_ask)
    if best is not None and (best.price >= price if is_ask else best.price <= price):
        raise Refused(
            MessageStatus.STATUS_WOULD_CROSS,
            "price_in_cents",
            f"price_in_cents {price} of a post-only order would trade with the best "
            f"{'bid' if is_ask else 'ask'} at {best.price}: use a price {'above' if is_ask else 'below'} it",
        )
