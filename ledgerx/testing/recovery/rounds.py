"""Rounds of killing: a venue and its clients, each a process, killed at random instants and started again."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
from contextlib import ExitStack
from pathlib import Path

from ledgerx.clock import seeded_random
from ledgerx.testing.checks import check
from ledgerx.testing.process import VenueProcess
from ledgerx.testing.recovery.check import RecoveryResult, verify_recovery

__all__ = ["run_recovery"]

_TIMEOUT_S = 120.0
_LIFE_MAX_S = 0.5  # of a client that trades


class _Client:
    """One trading program's folder, and the process that is in it at the moment."""

    def __init__(self, venue: VenueProcess, number: int, seed: int, folder: Path) -> None:
        self.number = number
        self.folder = folder / f"client-{number}"
        self.folder.mkdir()
        self.kills = 0
        self._lives = 0
        self._venue = venue
        self._seed = seed
        self._process: subprocess.Popen[str] | None = None
        venue.trader(self.name).save_certificate(self.folder / "keys.cert")

    @property
    def name(self) -> str:
        """Its account."""
        return f"client-{self.number}"

    def start(self, mode: str = "trade") -> None:
        self._lives += 1
        venue = (self._venue.address, self._venue.public_key.decode())
        seed = f"{self._seed} {self.number} {self._lives}"
        arguments = [*venue, self.folder / "keys.cert", self.folder, self.number, seed, mode]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "ledgerx.testing.recovery.client", *map(str, arguments)],
            stdout=subprocess.PIPE,
            text=True,
        )

    def wait_trading(self) -> None:
        """Wait until it is connected."""
        assert self._process is not None
        assert self._process.stdout is not None
        check(self._process.stdout.readline().strip() == "trading", f"{self.name} trades")

    def kill(self) -> None:
        """`kill -9`."""
        process, self._process = self._process, None
        if process is None:
            return
        self.kills += 1
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()

    def settle(self) -> None:
        """Begin a last life, in which everything ends."""
        self.start("settle")

    def join(self) -> None:
        """Wait for the end of the last life."""
        assert self._process is not None
        self._process.communicate(timeout=_TIMEOUT_S)
        check(self._process.returncode == 0, f"{self.name} settled")


def run_recovery(*, rounds: int, kill_venue: bool, seed: int, clients: int = 2) -> RecoveryResult:
    """Kill `rounds` times a client or some, and with `kill_venue` the venue too, all under load; verify.

    Raises VerificationFailed at the first thing that does not hold.
    """
    numbers = seeded_random(seed)
    pause = threading.Event()
    with tempfile.TemporaryDirectory(prefix="ledgerx-recovery-") as scratch, ExitStack() as undo:
        venue = undo.enter_context(VenueProcess())
        programs = [_Client(venue, number, seed, Path(scratch)) for number in range(clients)]
        venue_kills = 0
        for program in programs:
            undo.callback(program.kill)
            program.start()
        for program in programs:
            program.wait_trading()
        for _ in range(rounds):
            victims = numbers.sample(programs, numbers.randint(1, clients))
            killed_venue = kill_venue and numbers.random() < 0.5
            if killed_venue and numbers.random() < 0.5:
                pause.wait(numbers.uniform(0, _LIFE_MAX_S))
                venue.kill()
            for victim in victims:
                pause.wait(numbers.uniform(0, _LIFE_MAX_S))
                victim.kill()
            if killed_venue:
                pause.wait(numbers.uniform(0, _LIFE_MAX_S))
                venue.kill()
                venue_kills += 1
                venue.start()
            for victim in victims:
                victim.start()
            if numbers.random() < 0.8:  # else a client dies while it starts
                for victim in victims:
                    victim.wait_trading()
        for program in programs:
            program.kill()
        for program in programs:
            program.settle()
        for program in programs:
            program.join()
        venue.stop()
        return verify_recovery(
            venue.data_dir,
            [(program.name, program.folder, program.kills) for program in programs],
            venue_kills=venue_kills,
        )
