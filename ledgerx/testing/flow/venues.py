"""Where a flow trades: a venue of its own in a temporary folder, or one that runs on a data folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

from ledgerx.clob.lobster import LobsterFile
from ledgerx.clock import SYSTEM_CLOCK
from ledgerx.errors import Error, InvalidState
from ledgerx.exchange import Exchange, control
from ledgerx.exchange.folder import VenueNote, read_note
from ledgerx.protocol.crypto import KeyPair
from ledgerx.testing.flow.runner import run_flow
from ledgerx.testing.flow.tally import FlowResult

__all__ = ["registered", "trade_day"]

_EVERY_INTERFACE = ("0.0.0.0", "::", "*")  # noqa: S104


def trade_day(
    file: LobsterFile,
    traders: int = 4,
    *,
    limit: int | None = None,
    data_dir: str | Path | None = None,
    host: str | None = None,
    progress: Callable[[int], object] = lambda rows: None,
) -> FlowResult:
    """Trades a recorded day with `traders` accounts and a house on the venue that runs on `data_dir`.

    The accounts are registered in that folder and removed at the end. Without a folder a venue is started
    in a temporary one. `host` (HOST[:PORT]) replaces the address that the folder names. Raises as
    `run_flow`, InvalidState where no venue runs on the folder, and what registering accounts raises.
    """
    with Exchange(http=False) if data_dir is None else nullcontext() as own:
        folder = Path(own.data_dir if own is not None else data_dir or "")
        note = read_note(folder)
        if note is None or note.pid is None:
            raise InvalidState(f"no venue runs on {folder}: start one with pyledgerx exchange --data-dir")
        with registered(folder, traders + 1) as keys:
            return run_flow(
                file, host or _address(note), note.public_key, keys, limit=limit, progress=progress
            )


@contextmanager
def registered(folder: Path, count: int) -> Iterator[list[KeyPair]]:
    """Key pairs of `count` accounts of a venue, the house's first; they are removed in the end."""
    prefix = f"flow-{SYSTEM_CLOCK.unique_hex()[:8]}"
    names = [f"{prefix}-house", *(f"{prefix}-trader-{number}" for number in range(1, count))]
    keys = [KeyPair.generate() for _ in names]
    added = []
    try:
        for name, pair in zip(names, keys, strict=True):
            control.add_account(folder, name, pair.public)
            added.append(name)
        yield keys
    finally:
        with suppress(Error):  # the venue may be gone, and its folder with it
            for name in added:
                control.remove_account(folder, name)


def _address(note: VenueNote) -> str:
    host = "127.0.0.1" if note.host in _EVERY_INTERFACE else note.host
    return f"[{host}]:{note.request_port}" if ":" in host else f"{host}:{note.request_port}"
