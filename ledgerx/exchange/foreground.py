"""A venue as a process of its own: until a signal stops it, or a failed write ends it."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from ledgerx.exchange.folder import VenueNote
from ledgerx.exchange.gateway_settings import GatewaySettings
from ledgerx.exchange.journal import Sync
from ledgerx.exchange.retention import Retention
from ledgerx.exchange.server import Server
from ledgerx.exchange.streaming import StreamingSettings
from ledgerx.exchange.venue import Contracts

__all__ = ["run_in_foreground"]


def run_in_foreground(
    folder: str | Path,
    *,
    host: str,
    port: int,
    contracts: Contracts,
    sync: Sync,
    retain: Retention,
    snapshot_every: int,
    interval_ms: int,
    streaming: StreamingSettings | None,
    ready: Callable[[VenueNote], None],
) -> None:
    """Run a venue, calling `ready` once clients can connect; returns after SIGTERM or SIGINT.

    Belongs to the main thread. Raises as `Server.start`. When the venue cannot go on, the process exits
    with code 1 at once: what it says after a failed write might not be true any more.
    """
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    # A pipe, for an Event that its own waiter sets from a handler may wait for a lock that the waiter holds.
    end_read, end_write = os.pipe()
    previous = {
        number: signal.signal(number, lambda _number, _frame: os.write(end_write, b"x"))
        for number in (signal.SIGTERM, signal.SIGINT)
    }
    server = Server(
        folder,
        host=host,
        port=port,
        contracts=contracts,
        sync=sync,
        retain=retain,
        snapshot_every=snapshot_every,
        streaming=streaming,
        settings=GatewaySettings(interval_ms=interval_ms),
        on_failure=_die,
    )
    try:
        server.start()
        ready(server.note)
        os.read(end_read, 1)
    finally:
        server.stop()
        for number, handler in previous.items():
            signal.signal(number, handler)
        os.close(end_read)
        os.close(end_write)


def _die(error: BaseException) -> None:
    try:
        sys.stderr.write(f"pyledgerx: the venue stops at once: {error}\n")
        sys.stderr.flush()
    finally:
        os._exit(1)  # whether that could be said or not: the log may be on the disk that is full
