"""The protocol's published client, unmodified, logs in to our gateway, trades, resumes and logs out."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from ledgerx.exchange import Exchange
from ledgerx.exchange.streaming import StreamingSettings
from ledgerx.protocol.crypto import KeyPair
from ledgerx.streaming_api import eto_pb2 as eto
from ledgerx.streaming_api import seto_pb2 as seto
from ledgerx.streaming_api.core import CoreSettings

PROGRAM = Path(__file__).with_name("published_trader.py")
HEARTBEAT_S = 1.0


def test_the_published_client_trades_resumes_and_logs_out(published_python: Path) -> None:
    streaming = StreamingSettings(session=CoreSettings(heartbeat_s=HEARTBEAT_S))
    with Exchange(http=False, streaming=streaming) as exchange:
        for name in ("alice", "bob"):
            exchange.add_account(name, KeyPair.generate().public)
        exchange.set_password("alice", "a secret")
        command = [published_python, "-W", "ignore", PROGRAM, str(exchange.streaming_port), "a secret"]
        done = subprocess.run(
            [*command, exchange.set_token("bob"), "1"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    said = [json.loads(line) for line in done.stdout.splitlines()]
    heard = {line.pop("what"): line for line in said}
    assert heard["refused"] == {"reason": eto.LOGOUT_UNAUTHORISED}
    assert heard["login"]["session"]
    assert 2 * HEARTBEAT_S < heard["heartbeats"]["seconds"] < 30
    assert heard["quotes"] == {"market_id": 1}
    assert heard["accepted"] == {"seq": 2, "reference": 1, "quantity": 30_000}
    assert heard["changed"] == {"offers": [[5000, 30_000]]}
    assert heard["executed"] == {"price": 5000, "quantity": 10_000}
    assert heard["resumed"] == {"quantity": 10_000, "total": 20_000}
    assert heard["cancelled"] == {"executed": 20_000, "reason": seto.ORDER_CANCELLED_MEMBER_REQUESTED}
    assert heard["logout"] == {"confirmed": True, "reason": eto.LOGOUT_CONFIRMATION}
