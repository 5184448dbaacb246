"""A venue with its streaming front, two accounts that may log in, and sessions of theirs."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from trader import Trader

from ledgerx.exchange import Exchange
from ledgerx.protocol.crypto import KeyPair


@pytest.fixture(scope="module")
def exchange() -> Iterator[Exchange]:
    with Exchange(http=False) as venue:
        for name in ("alice", "bob"):
            venue.add_account(name, KeyPair.generate().public)
            venue.set_password(name, f"{name}'s password")
        yield venue


@pytest.fixture(scope="module")
def contract_id(exchange: Exchange) -> int:
    """A contract that takes orders."""
    return 1


@pytest.fixture
def connect(exchange: Exchange) -> Iterator[Callable[..., Trader]]:
    """Logs a trader in by name; the settings may be changed by keyword."""
    traders: list[Trader] = []

    def logged_in(name: str, account_sequence: int | None = None, **settings: object) -> Trader:
        trader = Trader(exchange, name, account_sequence, **settings)
        traders.append(trader)
        return trader

    yield logged_in
    for trader in traders:
        trader.close()
