"""One program, on the protocol's published client and on ours: log in, trade, resume, log out."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from ledgerx.exchange import Exchange
from ledgerx.exchange.streaming import StreamingSettings
from ledgerx.protocol.crypto import KeyPair
from ledgerx.streaming_api import eto_pb2 as eto
from ledgerx.streaming_api import seto_pb2 as seto
from ledgerx.streaming_api.core import CoreSettings

PROGRAM = Path(__file__).with_name("whole_session.py")
HEARTBEAT_S = 1.0


def run(python: Path | str, program: Path) -> dict[str, Any]:
    """Run the program against a venue; what it said."""
    streaming = StreamingSettings(session=CoreSettings(heartbeat_s=HEARTBEAT_S))
    with Exchange(http=False, streaming=streaming) as exchange:
        for name in ("alice", "bob"):
            exchange.add_account(name, KeyPair.generate().public)
        exchange.set_password("alice", "a secret")
        port, token = str(exchange.streaming_port), exchange.set_token("bob")
        done = subprocess.run(
            [python, "-W", "ignore", program, port, exchange.certificate, "a secret", token, "1"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    said = [json.loads(line) for line in done.stdout.splitlines()]
    return {line.pop("what"): line for line in said}


def check(heard: dict[str, Any]) -> None:
    """What any client hears in that session."""
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


def test_the_published_client_trades_resumes_and_logs_out(published_python: Path) -> None:
    check(run(published_python, PROGRAM))


def test_the_same_program_runs_on_ours_with_its_imports_renamed(tmp_path: Path) -> None:
    program = tmp_path / PROGRAM.name
    source = PROGRAM.read_text(encoding="utf-8")
    program.write_text(source.replace("smarkets.streaming_api", "ledgerx.streaming_api"), encoding="utf-8")
    check(run(sys.executable, program))
