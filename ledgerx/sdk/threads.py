"""The kind of thread that a Context runs on."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

__all__ = ["DaemonThread"]


class DaemonThread(threading.Thread):
    """A daemon whose `join` may be interrupted.

    Up to Python 3.12 a KeyboardInterrupt in Thread.join marks the thread as ended, though it runs on:
    whoever waits for it after that, as the close at the interpreter's exit does, would not wait at all.
    """

    def __init__(self, target: Callable[[], object], name: str) -> None:
        super().__init__(target=target, name=name, daemon=True)
        self._process = os.getpid()
        self._finished = threading.Event()

    def run(self) -> None:
        """Call the target, and tell who waits when it returned."""
        try:
            super().run()
        finally:
            self._finished.set()

    def is_alive(self) -> bool:
        """Whether it was started and has not ended. False in a forked child, where it does not run."""
        started = self.ident is not None and self._process == os.getpid()
        return started and not self._finished.is_set()

    def join(self, timeout: float | None = None) -> None:
        """Wait until it has ended, `timeout` seconds at most."""
        if not self.is_alive() or self._finished.wait(timeout):
            super().join(timeout)
