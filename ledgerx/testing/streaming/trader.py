"""A trading program with one streaming session, made to be killed at any moment and started again.

    python -m ledgerx.testing.streaming.trader DATA_DIR NAME TOKEN JOURNAL SEED

Everything it does and hears it first appends to JOURNAL, a line each. Started again it resumes after the last
message that it wrote down, and never sends an order under a reference that it used: what became of one that
was on its way, the session tells. "stop" on its standard input ends its asking; it writes "quiet" down once
all that it asked is answered. "done" makes it log out once it heard all there is.
"""

from __future__ import annotations

import os
import select
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ledgerx.clock import SYSTEM_CLOCK, Random, seeded_random
from ledgerx.errors import Error
from ledgerx.exchange.folder import read_note
from ledgerx.exchange.streaming.certificate import certificate_path
from ledgerx.streaming_api import seto_pb2 as seto
from ledgerx.streaming_api.client import READ_MODE_DISPATCH_FROM_BUFFER, StreamingAPIClient
from ledgerx.streaming_api.payloads import FIELD_OF_TYPE, account_sequence_of
from ledgerx.streaming_api.session import Frame, Session, SessionSettings

__all__ = ["journal_lines", "main"]

CONTRACT: Final = 1
NO_MARKET: Final = 0  # to cancel there is refused, in the line: a mark
LOT: Final = 10_000
_RETRY_S: Final = 0.05
_PAUSE_S: Final = 0.002
_SOCKET_TIMEOUT_S: Final = 20.0


def journal_lines(path: Path) -> Iterator[list[str]]:
    """The whole lines of a journal, each split at its blanks; one cut short by a kill is left out."""
    text = path.read_text(encoding="ascii") if path.exists() else ""
    for line in text.splitlines(keepends=True):
        if line.endswith("\n"):
            yield line.split()


class _Trader:
    def __init__(self, journal: Path, numbers: Random) -> None:
        self._numbers = numbers
        self.sequence = 0
        self.reference = 0
        self.marked = False  # the latest mark was told
        self.open: list[int] = []
        for kind, first, *rest in journal_lines(journal):
            if kind == "sent":
                self.reference = int(first)
            elif kind == "heard":
                self._heard(int(first), rest[0], int(rest[1]), int(rest[2]))
        cut = journal.read_bytes() if journal.exists() else b""
        self._file = os.open(journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.ftruncate(self._file, cut.rfind(b"\n") + 1)

    def hear(self, name: str, message: Frame) -> None:
        """Write a message of the account down, and take it in."""
        payload = message.protobuf
        sequence = account_sequence_of(payload)
        if not sequence:
            return
        field = FIELD_OF_TYPE[payload.type]
        told = getattr(payload, field)
        line = (sequence, field, getattr(told, "reference", 0), getattr(told, "order_id", 0))
        os.write(self._file, ("heard {} {} {} {}\n".format(*line)).encode())
        self._heard(*line)
        _ = name

    def ask(self, client: StreamingAPIClient) -> None:
        """Send an order, or cancel one."""
        if self.open and self._numbers.random() < 0.3:
            client.send(seto.OrderCancel(order_id=self.open[0]))
            del self.open[0]
            return
        self.reference += 1
        os.write(self._file, f"sent {self.reference}\n".encode())
        client.send(
            seto.OrderCreate(
                side=seto.SIDE_BUY if self._numbers.random() < 0.5 else seto.SIDE_SELL,
                quantity=LOT * self._numbers.randrange(1, 4),
                price=1000 + 100 * self._numbers.randrange(6),
                reference=self.reference,
                market_id=CONTRACT,
                contract_id=CONTRACT,
            )
        )

    def mark(self, client: StreamingAPIClient) -> None:
        """Ask for a mark in the line."""
        self.marked = False
        client.send(seto.OrderCancelAll(market_id=NO_MARKET))
        client.flush()

    def quiet(self) -> None:
        """Write down that all is answered."""
        os.write(self._file, b"quiet 0\n")

    def _heard(self, sequence: int, field: str, reference: int, order_id: int) -> None:
        self.sequence = sequence
        if field == "order_accepted":
            self.open.append(order_id)
        elif field == "order_cancel_all_rejected":
            self.marked = True
        _ = reference


def _session(folder: Path, token: str, after: int) -> StreamingAPIClient:
    note = read_note(folder)
    settings = SessionSettings(
        token=token,
        host="127.0.0.1",
        port=(note.streaming_port if note is not None else 0) or 1,
        socket_timeout=_SOCKET_TIMEOUT_S,
        ssl_kwargs={"ca_certs": str(certificate_path(folder))},
    )
    return StreamingAPIClient(Session(settings, account_sequence=after))


def _trade(trader: _Trader, client: StreamingAPIClient) -> bool:
    """Trade on one session until it ends; whether it was told to stop and is done."""
    client.add_global_handler(trader.hear)
    client.login()
    told = ""
    while client.session.connected:
        if not told:
            trader.ask(client)
            client.flush()
        elif trader.marked:
            trader.marked = False
            if told == "done":
                client.logout()
                return True
            trader.quiet()
        sock = client.raw_socket
        ready = select.select([sock, sys.stdin] if sock is not None else [], [], [], _PAUSE_S)[0]
        if sys.stdin in ready:
            told = sys.stdin.readline().strip()
            trader.mark(client)
        if sock in ready:
            client.read()
        else:
            client.read(READ_MODE_DISPATCH_FROM_BUFFER)
    return False


def main(data_dir: str, name: str, token: str, journal: str, seed: str) -> None:
    """Trade, reconnecting for ever, until told to stop."""
    folder, path = Path(data_dir), Path(journal)
    numbers = seeded_random(f"{seed} {name} {SYSTEM_CLOCK.wall_ns()}")
    pause = threading.Event()
    trader = _Trader(path, numbers)
    while True:
        client = _session(folder, token, trader.sequence)
        try:
            if _trade(trader, client):
                return
        except Error:
            pause.wait(_RETRY_S)
        finally:
            client.session.disconnect()


if __name__ == "__main__":
    main(*sys.argv[1:])
