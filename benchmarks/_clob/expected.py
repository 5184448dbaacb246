"""The figures' names, and what is expected of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from rich.table import Table


class Name(StrEnum):
    """Every figure, in the order it is printed."""

    PLAIN_C = "plain C, the floor"
    NOTHING = "a C call that does nothing"
    BARE = "bare C extension, a call an event"
    APPLY = "ledgerx apply, one call for all"
    ONE_CALL = "ledgerx, a call an event"
    METHODS = "ledgerx, a method a kind"
    REFERENCE = "ledgerx reference (Python)"
    ORDER_BOOK = "order-book"
    SORTED = "sortedcontainers"
    NAUTILUS = "nautilus_trader L3"
    WIDE = "wide: ledgerx, a call an event"
    WIDE_APPLY = "wide: ledgerx apply"
    MANY = "million live: ledgerx, a call an event"
    MANY_APPLY = "million live: ledgerx apply"
    MANY_PLAIN_C = "million live: plain C"
    MATCH_PLAIN_C = "matching: plain C, the floor"
    MATCH_BARE = "matching: bare C extension"
    MATCH = "matching: ledgerx, a call a message"
    MATCH_READ = "matching: the same, each fill read"
    MATCH_BATCH = "matching: ledgerx match, one call for all"
    MATCH_FLAT = "matching: flat Python loop"
    MATCH_SORTED = "matching: sortedcontainers"
    ENGINE = "matching: ledgerx.exchange engine"


def floor_of(name: Name) -> Name:
    """The plain C that does the same work."""
    if name.startswith("matching"):
        return Name.MATCH_PLAIN_C
    return Name.MANY_PLAIN_C if name.startswith("million") else Name.PLAIN_C


class Verdict(NamedTuple):
    """An expectation, what was measured, the limit, and whether it was met."""

    what: str
    value: float
    limit: float
    met: bool


RATIOS = (
    ("a call an event, times order-book", Name.ONE_CALL, Name.ORDER_BOOK, 5.0),
    ("a call an event, times sortedcontainers", Name.ONE_CALL, Name.SORTED, 4.0),
    ("a call an event, of the bare extension", Name.ONE_CALL, Name.BARE, 0.8),
    ("apply, of plain C", Name.APPLY, Name.PLAIN_C, 0.7),
)
COSTS = (
    ("wide prices, times the cost", Name.WIDE, 4.0),
    ("million live orders, times the cost", Name.MANY, 4.0),
)
MATCHES = ((Name.MATCH, "a call each"), (Name.MATCH_BATCH, "one call for all"))
MATCHES_MILLION = 10.0
"""A second, of orders; whether a cancel is one is a matter of words, so that both are told."""
MEMORY_BYTES_MAX = 128.0


def verdicts(rates: Mapping[str, float], bytes_an_order: float, share: float) -> list[Verdict]:
    """Each expectation whose figures were measured; `share` of the messages matched are new orders."""
    found = []
    for what, ours, other, limit in RATIOS:
        if ours in rates and other in rates:
            value = rates[ours] / rates[other]
            found.append(Verdict(f"{what}: at least", value, limit, value >= limit))
    for what, name, limit in COSTS:
        if name in rates:
            value = rates[Name.ONE_CALL] / rates[name]
            found.append(Verdict(f"{what}: at most", value, limit, value <= limit))
    for name, how in MATCHES:
        for unit, part in (("orders and cancels", 1.0), ("orders, cancels in their time", share)):
            if name in rates:
                value = rates[name] * part
                what = f"matching, {how}, million {unit}: at least"
                found.append(Verdict(what, value, MATCHES_MILLION, value >= MATCHES_MILLION))
    met = bytes_an_order <= MEMORY_BYTES_MAX
    found.append(Verdict("bytes a live order: at most", bytes_an_order, MEMORY_BYTES_MAX, met))
    return found


def table_of(found: Sequence[Verdict]) -> Table:
    table = Table("expected", "limit", "measured", "verdict")
    for what, value, limit, met in found:
        table.add_row(what, f"{limit:.3g}", f"{value:,.2f}", "met" if met else "missed")
    return table
