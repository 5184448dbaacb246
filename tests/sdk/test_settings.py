"""The settings hold the protocol's numbers, and the environment names the venues."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib import metadata

import pytest

from ledgerx.sdk import settings, version

NUMBERS = {
    "ACK_TIMEOUT_S": 5,
    "CONNECT_TIMEOUT_S": 5,
    "RESEND_MAX_AGE_S": 60,
    "RESEND_MAX_AGE": 60,
    "RESEND_MIN_S": 0.1,
    "RESEND_MAX_S": 5,
    "RESEND_JITTER": 0.2,
    "HEARTBEAT_INTERVAL_MS": 1000,
    "HEARTBEAT_GRACE_MS": 500,
    "WINDOW_MESSAGES": 10_000,
    "BATCH_REQUESTS_MAX": 200,
    "FRAME_BYTES_MAX": 4 * 1024 * 1024,
    "REQUEST_PORT": 7811,
    "PUBLISH_PORT": 7812,
    "HTTP_PORT": 7810,
    "STREAMING_PORT": 3801,
}


@pytest.mark.parametrize("name", NUMBERS)
def test_the_numbers_are_the_protocols(name: str) -> None:
    assert getattr(settings, name) == NUMBERS[name]


def test_everything_set_is_offered_and_nothing_else() -> None:
    constants = {name for name in vars(settings) if name.isupper()}
    assert constants == set(settings.__all__) == set(NUMBERS) | {"EXCHANGE_CTE_FQDN", "EXCHANGE_TRADE_FQDN"}


@pytest.mark.parametrize("name", ["RESEND_MAX_AGE", "RESEND_MAX_AGE_S"])
def test_the_age_of_an_order_may_be_assigned_under_both_its_names(name: str) -> None:
    """In a process of its own: settings are for the whole program."""
    code = f"""
from ledgerx.sdk import settings
settings.{name} = 7
from ledgerx.sdk.context_settings import ContextSettings
print(ContextSettings().resend_max_age_s)
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "7"


def names_in(**environment: str) -> list[str]:
    """What a new process takes the venues' names to be."""
    code = "from ledgerx.sdk.settings import *; print(EXCHANGE_CTE_FQDN, EXCHANGE_TRADE_FQDN)"
    clean = {name: value for name, value in os.environ.items() if not name.startswith("EXCHANGE_")}
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, capture_output=True, text=True, env=clean | environment, check=True)
    return result.stdout.split()


def test_the_venues_are_the_manuals_unless_the_environment_names_others() -> None:
    assert names_in() == ["test.ledgerx.com", "trade.ledgerx.com"]
    assert names_in(EXCHANGE_CTE_FQDN="127.0.0.1:17811") == ["127.0.0.1:17811", "trade.ledgerx.com"]
    assert names_in(EXCHANGE_TRADE_FQDN="::1", EXCHANGE_CTE_FQDN="") == ["test.ledgerx.com", "::1"]


def test_the_version_is_said_in_one_place() -> None:
    assert version.__version__ == f"{version.MAJOR}.{version.MINOR}.{version.BUILD}"
    assert re.fullmatch(r"\d+\.\d+\.\d+", version.__version__)
    assert metadata.version("ledgerx-python") == version.__version__
