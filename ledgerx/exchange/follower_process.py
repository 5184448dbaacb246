"""The follower's process as the venue sees it: started, listened to, started again, ended.

What it reports is logged where a person must act, and counted for /metrics. The venue never waits for it.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, Final

import ledgerx

__all__ = ["FollowerProcess"]

_LOGGER = logging.getLogger(__name__)

_STOP_TIMEOUT_S: Final = 5.0
_RESTART_S: Final = 1.0
_RESTARTS_MAX: Final = 3


class FollowerProcess:
    """`follower.py` on a data folder, from `start` to `stop`; it takes a snapshot every `snapshot_records`.

    One that ends by itself is started again, up to three times in a row without progress; one that found
    the journal diverged or damaged is not. `counts` has "snapshots", "divergences" and "failures", `number`
    is the last record that it compared, `snapshot_number` that of the newest snapshot.
    """

    def __init__(self, data_folder: Path, snapshot_records: int) -> None:
        self.counts = {"snapshots": 0, "divergences": 0, "failures": 0}
        self.number = 0
        self.snapshot_number = 0
        self._command = [sys.executable, "-m", "ledgerx.exchange.follower", str(data_folder)]
        self._command.append(str(snapshot_records))
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ledgerx-follower", daemon=True)

    def start(self) -> None:
        """Start it. It goes on behind the venue in its own time."""
        self._thread.start()

    def stop(self) -> None:
        """End it and wait for that. May be called again."""
        self._stopped.set()
        with self._lock:
            if self._process is not None and self._process.stdin is not None:
                self._process.stdin.close()
        if self._thread.ident is not None:
            self._thread.join(_STOP_TIMEOUT_S)
        with self._lock:
            if self._process is not None and self._process.poll() is None:
                self._process.kill()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        idle = 0
        while not self._stopped.is_set() and idle <= _RESTARTS_MAX:
            before = self.number
            if self._listen() or self._stopped.is_set():
                return
            self.counts["failures"] += 1
            idle = idle + 1 if self.number == before else 0
            self._stopped.wait(_RESTART_S)
        if not self._stopped.is_set():
            _LOGGER.error("the follower ends at record %d again and again: no snapshot is taken", self.number)

    def _listen(self) -> bool:
        """One process from its start to its end; whether it told of an error that lasts."""
        with self._lock:
            if self._stopped.is_set():
                return True
            self._process = process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env={**os.environ, "PYTHONPATH": _python_path()},
            )
        assert process.stdout is not None
        final = False
        with process.stdout:
            for line in process.stdout:
                try:
                    final |= self._hear(json.loads(line))
                except ValueError:
                    break
        code = process.wait()
        with self._lock:
            if process.stdin is not None:
                process.stdin.close()
        if not final and not self._stopped.is_set():
            _LOGGER.error("the follower ended by itself, with code %d", code)
        return final

    def _hear(self, told: dict[str, Any]) -> bool:
        """Take over what it told; whether it is an error."""
        if "at" in told:
            self.number = told["at"]
        elif "snapshot" in told:
            self.snapshot_number = told["snapshot"]
            self.counts["snapshots"] += 1
        elif told.get("diverged"):
            self.counts["divergences"] += 1
            _LOGGER.critical(
                "THE JOURNAL DIVERGES: executed again, record %d gave other outputs than were sent;"
                " no snapshot is taken any more: %s",
                told["diverged"],
                told["error"],
            )
            return True
        else:
            self.counts["failures"] += 1
            _LOGGER.error("the follower cannot go on, no snapshot is taken any more: %s", told.get("error"))
            return True
        return False


def _python_path() -> str:
    """The search path on which a new interpreter finds this very package."""
    root = str(Path(ledgerx.__path__[0]).parent)
    return os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])
