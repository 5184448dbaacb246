"""To do again what a warehouse that does not answer refused, for a while."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Final, TypeVar

from ledgerx.clock import Clock
from ledgerx.errors import WarehouseUnavailable

__all__ = ["PAUSE_FIRST_S", "PAUSE_MAX_S", "patiently"]

PAUSE_FIRST_S: Final = 0.05
PAUSE_MAX_S: Final = 1.0

_log = logging.getLogger(__name__)
Result = TypeVar("Result")


def patiently(
    action: Callable[[], Result], patience_s: float, clock: Clock, stopped: threading.Event
) -> Result:
    """What the action returns; it is done again while it raises WarehouseUnavailable, up to `patience_s`.

    Waits a little longer each time. Raises the last WarehouseUnavailable, at once when `stopped` is set.
    """
    began, pause = clock.monotonic(), PAUSE_FIRST_S
    while True:
        try:
            return action()
        except WarehouseUnavailable as error:
            if stopped.is_set() or clock.monotonic() - began + pause > patience_s:
                raise
            _log.warning("%s; trying again", error)
        stopped.wait(pause * (0.5 + clock.random() / 2))
        pause = min(2 * pause, PAUSE_MAX_S)
