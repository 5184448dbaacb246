"""A venue in a process of its own, for tests that kill it."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any

from ledgerx.errors import InvalidState, VenueUnreachable
from ledgerx.exchange.control import add_account
from ledgerx.protocol.crypto import KeyPair

__all__ = ["VenueProcess"]

_STOP_TIMEOUT_S = 20.0


class VenueProcess:
    """`pyledgerx exchange` on free loopback ports.

        with VenueProcess() as venue:
            keys = venue.trader("alice")
            context = Context(venue.address, keys.private, keys.public, venue.public_key, Processor)

    `data_dir` is its folder, a temporary one if none is given; `arguments` go to the command as they are.
    """

    def __init__(self, data_dir: str | Path | None = None, arguments: tuple[str, ...] = ()) -> None:
        self._temporary = tempfile.TemporaryDirectory(prefix="ledgerx-") if data_dir is None else None
        self.data_dir = Path(self._temporary.name if self._temporary is not None else data_dir or "")
        self._arguments = arguments
        self._process: subprocess.Popen[str] | None = None
        self.ready: dict[str, Any] = {}

    @property
    def address(self) -> str:
        """HOST:PORT of the request socket, as a Context takes it."""
        return f"{self.ready['host']}:{self.ready['request_port']}"

    @property
    def public_key(self) -> bytes:
        """The venue's public key: 40 Z85 bytes."""
        return str(self.ready["public_key"]).encode()

    @property
    def pid(self) -> int:
        """The process's id. Raises InvalidState if none runs."""
        if self._process is None:
            raise InvalidState("the venue's process does not run: start() it")
        return self._process.pid

    def start(self) -> None:
        """Start the process; returns when clients can connect.

        Raises VenueUnreachable if it ends before that; what it printed on its error stream went to ours.
        """
        if self._process is not None:
            raise InvalidState("the venue's process runs already")
        command = [sys.executable, "-m", "ledgerx.cli", "exchange", "--json"]
        command += ["--data-dir", str(self.data_dir), "--port", "0", *self._arguments]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            code = process.wait()
            raise VenueUnreachable(f"the venue's process ended with code {code} before it was ready")
        self._process = process
        self.ready = json.loads(line)

    def kill(self) -> None:
        """`kill -9`: nothing in the process has a say."""
        self._end(lambda process: process.kill())

    def stop(self) -> None:
        """SIGTERM: an orderly end. Raises InvalidState unless the process ends with code 0."""
        code = self._end(lambda process: process.terminate())
        if code:
            raise InvalidState(f"the venue's process ended with code {code}")

    def _end(self, how: Any) -> int:
        process, self._process = self._process, None
        if process is None:
            return 0
        how(process)
        code = process.wait(_STOP_TIMEOUT_S)
        if process.stdout is not None:
            process.stdout.close()
        return code

    def trader(self, name: str) -> KeyPair:
        """Make a key pair and register it under `name`."""
        keys = KeyPair.generate()
        add_account(self.data_dir, name, keys.public)
        return keys

    def __enter__(self) -> VenueProcess:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.kill()
        if self._temporary is not None:
            self._temporary.cleanup()
