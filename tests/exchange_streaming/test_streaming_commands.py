"""The command line's part: credentials, the streaming port's options, and watching a session."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from trader import LOT, Trader

from ledgerx.cli.main import main
from ledgerx.errors import LoginError
from ledgerx.exchange import Exchange
from ledgerx.protocol.crypto import KeyPair
from ledgerx.streaming_api import seto_pb2 as seto

PYLEDGERX = [sys.executable, "-m", "ledgerx.cli.main"]


def run(*arguments: object, piped: str = "") -> Any:
    return CliRunner().invoke(main, [str(argument) for argument in arguments], input=piped)


def test_a_password_and_a_token_are_given_while_the_venue_runs(exchange: Exchange) -> None:
    exchange.add_account("dora", KeyPair.generate().public)
    folder = exchange.data_dir
    done = run("account", "password", "dora", "--data-dir", folder, piped="first\n")
    assert done.exit_code == 0, done.stderr
    Trader(exchange, "dora", password="first").close()
    run("account", "password", "dora", "--data-dir", folder, piped="second\n")
    with pytest.raises(LoginError):
        Trader(exchange, "dora", password="first")
    token = run("account", "token", "dora", "--data-dir", folder).stdout.strip()
    Trader(exchange, "dora", username=None, password=None, token=token).close()
    assert token not in (folder / "credentials.sqlite").read_bytes().decode("latin-1")


def test_credentials_of_nobody_and_an_empty_password_are_refused(exchange: Exchange) -> None:
    done = run("account", "token", "nobody", "--data-dir", exchange.data_dir)
    assert done.exit_code == 1
    assert "no active account is named 'nobody'" in done.stderr
    done = run("account", "password", "alice", "--data-dir", exchange.data_dir, piped="\n")
    assert done.exit_code == 1
    assert "password" in done.stderr


def test_a_session_is_printed_frame_by_frame(exchange: Exchange, contract_id: int) -> None:
    token = exchange.set_token("alice")
    watching = subprocess.Popen(
        [
            *PYLEDGERX, "stream", "--user", "alice", "--token", token, "--data-dir", exchange.data_dir,
            "--market", str(contract_id), "--count", "6",
        ],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert watching.stdout is not None
    lines = [watching.stdout.readline() for _ in range(4)]
    assert "eto.login_response" in lines[0]
    assert "seto.market_quotes" in "".join(lines)
    bob = Trader(exchange, "bob")
    bob.order(contract_id, seto.SIDE_SELL, 8800, 1)
    bob.next("order_accepted")
    bob.send(seto.OrderCancelAll())
    bob.next("order_cancel_all_accepted")
    bob.close()
    rest, _ = watching.communicate(timeout=30)
    assert f"8800x{LOT}" in rest
    assert watching.returncode == 0


def test_without_tls_it_serves_this_machine_alone(tmp_path: Path) -> None:
    done = run("exchange", "--data-dir", tmp_path, "--port", 0, "--no-tls", "--host", "0.0.0.0")
    assert done.exit_code == 1
    assert "without TLS" in done.stderr
    venue = subprocess.Popen(
        [*PYLEDGERX, "exchange", "--data-dir", tmp_path, "--port", "0", "--no-tls", "--json"],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert venue.stdout is not None
        note = json.loads(venue.stdout.readline())
        added = run("account", "add", "eve", "--public-key", _key(), "--data-dir", tmp_path)
        assert added.exit_code == 0, added.stderr
        run("account", "password", "eve", "--data-dir", tmp_path, piped="eve's\n")
        port = note["streaming_port"]
        watched = run("stream", "--user", "eve", "--port", port, "--no-tls", "--count", 2, piped="eve's\n")
        assert watched.exit_code == 0, watched.stderr
        assert "seto.throttle_limits_changed" in watched.stdout
    finally:
        venue.terminate()
        venue.communicate(timeout=30)


def test_a_certificate_of_ones_own_is_used_and_a_wrong_one_is_named(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.pem"
    wrong.write_text("no certificate")
    done = run("exchange", "--data-dir", tmp_path / "venue", "--port", 0, "--tls-cert", wrong)
    assert done.exit_code == 1
    assert str(wrong) in done.stderr
    done = run("exchange", "--data-dir", tmp_path / "venue", "--tls-key", wrong)
    assert done.exit_code == 2


def _key() -> str:
    return KeyPair.generate().public.decode("ascii")


@pytest.mark.parametrize(
    "options", [["--market", "-1"], ["--market", "99999999999"], ["--after", "18446744073709551616"]]
)
def test_a_number_that_the_protocol_cannot_say_is_named(options: list[str]) -> None:
    done = run("stream", "--user", "alice", *options, piped="secret\n")
    assert done.exit_code == 2
    assert options[1] in done.output
