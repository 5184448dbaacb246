"""The streaming example of the documentation, run as it stands."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from ledgerx.exchange import Exchange
from ledgerx.protocol.crypto import KeyPair

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "streaming_session.py"


def test_the_streaming_example_places_and_cancels_an_order() -> None:
    with Exchange(http=False) as exchange:
        exchange.add_account("alice", KeyPair.generate().public)
        arguments = [str(exchange.streaming_port), exchange.set_token("alice"), str(exchange.certificate)]
        done = subprocess.run(
            [sys.executable, EXAMPLE, *arguments], capture_output=True, text=True, check=False, timeout=60
        )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["order 1 accepted: 2 lots at 100", "order 1 cancelled"]
