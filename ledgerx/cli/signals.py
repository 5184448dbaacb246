"""SIGTERM ends a command as Ctrl-C does: what it started is stopped, what it made is removed."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["ending_in_order"]


@contextmanager
def ending_in_order() -> Iterator[None]:
    """Until the end of the block SIGTERM raises SystemExit with the code of a process that it ended.

    Does nothing on another than the main thread, where Python knows no signals.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = signal.signal(signal.SIGTERM, _end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)


def _end(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)
