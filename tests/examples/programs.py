"""Programs of docs/examples as running processes, and their transcripts: the calls the SDK made."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

from ledgerx.testing.process import VenueProcess

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "docs" / "examples"
LOGGED = Path(__file__).with_name("logged.py")

# Heartbeats, book tops and connection events are told by the clock or by another socket, so that their
# place among the rest is not fixed; so is the place of a callback that was set late.
_HANDLERS = ("status_message", "action_report", "contract_detail", "batch_message", "run_change")
_CALL = re.compile(rf"(handle_({'|'.join(_HANDLERS)})|callback)\(")


class Program:
    """One example, started against a venue with an account of its own."""

    def __init__(self, name: str, venue: VenueProcess, folder: Path) -> None:
        keys = venue.trader(name)
        certificate = folder / f"{name}.cert"
        keys.save_certificate(certificate)
        command = [sys.executable, str(LOGGED), str(EXAMPLES / f"{name}.py"), str(certificate)]
        self._process = subprocess.Popen(
            [*command, venue.public_key.decode()],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "EXCHANGE_CTE_FQDN": venue.address},
        )

    def read_until(self, text: str) -> str:
        """Wait for a line of standard output that holds `text`; returns all up to it."""
        assert self._process.stdout is not None
        lines = []
        for line in self._process.stdout:
            lines.append(line)
            if text in line:
                return "".join(lines)
        raise AssertionError(f"the program ended without printing {text!r}: {''.join(lines)}")

    def interrupt(self) -> None:
        """Ctrl-C."""
        self._process.send_signal(signal.SIGINT)

    def finish(self) -> tuple[str, list[str]]:
        """Wait for the end; returns what was printed and the dispatch log's lines. Must exit with 0."""
        printed, logged = self._process.communicate(timeout=60)
        assert self._process.returncode == 0, logged
        return printed, logged.splitlines()


def transcript(logged: list[str]) -> list[str]:
    """The handlers' calls in order, then the callbacks' in order, repetitions counted."""
    calls = [line for line in logged if _CALL.match(line)]
    handlers = [call for call in calls if not call.startswith("callback")]
    callbacks = [call for call in calls if call.startswith("callback")]
    return [*_folded(handlers), *_folded(callbacks)]


def _folded(calls: list[str]) -> list[str]:
    """One call, or two that alternate, as one line with how often it comes."""
    lines = []
    while calls:
        for period in (1, 2):
            group = calls[:period]
            count = 1
            while calls[count * period : (count + 1) * period] == group:
                count += 1
            if count > 1 or period == 2:
                break
        if count == 1:
            group = calls[:1]
        lines.append(" then ".join(group) + (f" x {count}" if count > 1 else ""))
        calls = calls[count * len(group) :]
    return lines


def documented(name: str) -> list[str]:
    """The transcript of a program as docs/protocol.rst has it."""
    text = (ROOT / "docs" / "protocol.rst").read_text(encoding="utf-8")
    match = re.search(rf"\n   :name: transcript-{name}\n\n((?:   .*\n)+)", text)
    assert match, f"docs/protocol.rst has no transcript of {name}"
    return [line.strip() for line in match[1].splitlines()]
