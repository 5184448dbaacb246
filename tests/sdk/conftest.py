"""A venue for each module of this folder that asks for one, and traders for each test."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator

import pytest
from trading_floor import CONTRACTS, RESERVED, Floor, contract_details

from ledgerx.exchange import Exchange
from ledgerx.exchange.gateway_settings import GatewaySettings

_CONTRACTS = itertools.count(1)


@pytest.fixture(scope="module")
def exchange() -> Iterator[Exchange]:
    """A venue whose heart beats five times a second and that forgets who is silent for six beats."""
    settings = GatewaySettings(interval_ms=200, heartbeats_missed_max=6)
    with Exchange(http=False, settings=settings, contracts=contract_details()) as running:
        yield running


@pytest.fixture
def floor(exchange: Exchange) -> Iterator[Floor]:
    """Traders on the module's venue, in a contract that no other test uses."""
    contract = RESERVED + 1 + next(_CONTRACTS) % (CONTRACTS - RESERVED)
    with contextlib.ExitStack() as stack:
        yield Floor(exchange, stack, contract)
