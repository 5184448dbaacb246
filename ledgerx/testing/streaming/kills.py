"""Rounds of `kill -9` of a venue and of traders with streaming sessions, real processes all.

What must hold in the end, of each trader: it wrote down every message of its account that has a form in the
streaming protocol, once and in order, across all its sessions and lives; and no reference was accepted twice.
The account's line as the venue's journal has it is read by one more session, from its first message.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ledgerx.clock import Random, seeded_random
from ledgerx.errors import VerificationFailed
from ledgerx.exchange.streaming.certificate import certificate_path
from ledgerx.exchange.streaming.credentials import set_token
from ledgerx.streaming_api import seto_pb2 as seto
from ledgerx.streaming_api.client import StreamingAPIClient
from ledgerx.streaming_api.payloads import FIELD_OF_TYPE, account_sequence_of
from ledgerx.streaming_api.session import Frame, Session, SessionSettings
from ledgerx.testing.process import VenueProcess
from ledgerx.testing.streaming.trader import NO_MARKET, journal_lines

__all__ = ["KillsResult", "run_kills"]

_TRADERS: Final = ("ann", "ben")
_ROUND_S_MIN, _ROUND_S_MAX = 0.2, 1.2
_END_TIMEOUT_S: Final = 60.0
_POLL_S: Final = 0.05
_CHECK_REFERENCE: Final = 2**40  # of the mark that ends the check; no order has it


@dataclass(frozen=True)
class KillsResult:
    """What was done, and found to be in order."""

    trader_kills: int
    venue_kills: int
    orders: int
    accepted: int
    executions: int
    messages: int


class _Process:
    """A trader's process; `journal` outlives it."""

    def __init__(self, venue: VenueProcess, name: str, seed: int) -> None:
        self.name = name
        self.journal = venue.data_dir / f"{name}.journal"
        self.token = set_token(venue.data_dir, name)
        self._command = [
            sys.executable, "-m", "ledgerx.testing.streaming.trader",
            str(venue.data_dir), name, self.token, str(self.journal), str(seed),
        ]  # fmt: skip
        self._running = self._start()

    def kill(self) -> None:
        """Kill it and start it again."""
        self._end(kill=True)
        self._running = self._start()

    def tell(self, what: str) -> None:
        """Write a line to its standard input."""
        assert self._running.stdin is not None
        self._running.stdin.write(f"{what}\n".encode())
        self._running.stdin.flush()

    def quieten(self) -> None:
        """Have it ask for nothing more; returns when all is answered. Raises VerificationFailed."""
        self.tell("stop")
        pause = threading.Event()
        for _ in range(int(_END_TIMEOUT_S / _POLL_S)):
            if any(line[0] == "quiet" for line in journal_lines(self.journal)):
                return
            pause.wait(_POLL_S)
        raise VerificationFailed(f"{self.name} was not quiet in {_END_TIMEOUT_S} s")

    def finish(self) -> None:
        """Let it hear the rest and log out. Raises VerificationFailed where it does not end well."""
        self.tell("done")
        try:
            code = self._running.wait(_END_TIMEOUT_S)
        except subprocess.TimeoutExpired as error:
            self._end(kill=True)
            raise VerificationFailed(f"{self.name} did not finish in {_END_TIMEOUT_S} s") from error
        self._end(kill=False)
        if code:
            raise VerificationFailed(f"{self.name} ended with code {code}")

    def close(self) -> None:
        """Kill it, if it runs."""
        self._end(kill=True)

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(self._command, stdin=subprocess.PIPE)

    def _end(self, *, kill: bool) -> None:
        if kill:
            self._running.kill()
        self._running.wait()
        if self._running.stdin is not None:
            self._running.stdin.close()


def run_kills(rounds: int, seed: int) -> KillsResult:
    """Run the rounds in a temporary folder. Raises VerificationFailed, which says what does not hold."""
    numbers = seeded_random(seed)
    with tempfile.TemporaryDirectory(prefix="ledgerx-kills-") as folder:
        venue = VenueProcess(folder)
        venue.start()
        traders: list[_Process] = []
        try:
            for name in _TRADERS:
                venue.trader(name)
                traders.append(_Process(venue, name, seed))
            kills = _kill(venue, traders, rounds, numbers)
            for trader in traders:
                trader.quieten()
            for trader in traders:
                trader.finish()
            counts: Counter[str] = Counter()
            for trader in traders:
                counts += _check(venue, trader)
        finally:
            for trader in traders:
                trader.close()
            venue.kill()
    return KillsResult(
        kills["trader"],
        kills["venue"],
        counts["sent"],
        counts["order_accepted"],
        counts["order_executed"],
        counts["heard"],
    )


def _kill(venue: VenueProcess, traders: list[_Process], rounds: int, numbers: Random) -> Counter[str]:
    kills: Counter[str] = Counter()
    pause = threading.Event()
    for _ in range(rounds):
        pause.wait(_ROUND_S_MIN + numbers.random() * (_ROUND_S_MAX - _ROUND_S_MIN))
        victim = numbers.randrange(len(traders) + 1)
        if victim < len(traders):
            traders[victim].kill()
            kills["trader"] += 1
        else:
            venue.kill()
            venue.start()
            kills["venue"] += 1
    pause.wait(_ROUND_S_MAX)
    return kills


def _check(venue: VenueProcess, trader: _Process) -> Counter[str]:
    """Compare a trader's journal with the account's line; what was counted."""
    lines = list(journal_lines(trader.journal))
    heard = [(int(line[1]), line[2], int(line[4])) for line in lines if line[0] == "heard"]
    wanted = _line(venue, trader)
    if heard != wanted:
        at = next((i for i, pair in enumerate(zip(heard, wanted, strict=False)) if pair[0] != pair[1]), -1)
        raise VerificationFailed(
            f"{trader.name} heard {len(heard)} messages, its line has {len(wanted)};"
            f" they differ from the one at {at} on: {heard[at : at + 1]} and {wanted[at : at + 1]}"
        )
    accepted = Counter(line[3] for line in lines if line[0] == "heard" and line[2] == "order_accepted")
    twice = [reference for reference, count in accepted.items() if count > 1]
    if twice:
        raise VerificationFailed(f"{trader.name}'s orders {twice} were accepted more than once")
    counts = Counter(line[2] for line in lines if line[0] == "heard")
    counts["sent"] = sum(line[0] == "sent" for line in lines)
    counts["heard"] = len(heard)
    return counts


def _line(venue: VenueProcess, trader: _Process) -> list[tuple[int, str, int]]:
    """What a session hears that begins with the account's first message, up to a refusal that it asks for."""
    heard: list[tuple[int, str, int]] = []
    over = threading.Event()

    def hear(name: str, message: Frame) -> None:
        payload = message.protobuf
        sequence = account_sequence_of(payload)
        if payload.order_cancel_all_rejected.reference == _CHECK_REFERENCE:
            over.set()  # everything before it was told
        elif sequence and not over.is_set():
            field = FIELD_OF_TYPE[payload.type]
            heard.append((sequence, field, getattr(getattr(payload, field), "order_id", 0)))
        _ = name

    settings = SessionSettings(
        token=trader.token,
        host="127.0.0.1",
        port=venue.ready["streaming_port"],
        ssl_kwargs={"ca_certs": str(certificate_path(Path(venue.data_dir)))},
    )
    client = StreamingAPIClient(Session(settings, account_sequence=0))
    client.add_global_handler(hear)
    try:
        client.login()
        client.send(seto.OrderCancelAll(market_id=NO_MARKET, reference=_CHECK_REFERENCE))
        client.flush()
        while not over.is_set():
            client.read()
        client.logout()
    finally:
        client.session.disconnect()
    return heard
