"""The commands of history as processes of their own, which tests stop and kill."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class Command:
    """`pyledgerx` with some arguments, once it has printed where it is."""

    def __init__(self, *arguments: str | Path) -> None:
        command = [sys.executable, "-m", "ledgerx.cli", *map(str, arguments), "--json"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, f"{arguments} ended with code {self.process.wait()}"
        self.ready: dict[str, Any] = json.loads(line)

    def stop(self) -> int:
        """SIGTERM; returns the exit code."""
        self.process.terminate()
        return self._ended()

    def kill(self) -> None:
        """`kill -9`."""
        self.process.kill()
        self._ended()

    def _ended(self) -> int:
        code = self.process.wait(30)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code


@contextmanager
def running(*arguments: str | Path) -> Iterator[Command]:
    """The command while the block runs, which it must end well after."""
    command = Command(*arguments)
    try:
        yield command
    except BaseException:
        command.kill()
        raise
    assert command.stop() == 0
