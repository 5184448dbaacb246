"""The streaming front as a venue starts it: a port, a certificate, the desk and the front's thread."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ledgerx.clock import Clock
from ledgerx.errors import InvalidField, PortTaken
from ledgerx.exchange.listen import any_port, listen_tcp
from ledgerx.exchange.streaming.certificate import server_context
from ledgerx.exchange.streaming.commands import FrontCommand, Mailbox
from ledgerx.exchange.streaming.credentials import Credentials
from ledgerx.exchange.streaming.desk import StreamingDesk
from ledgerx.exchange.streaming.front import StreamingFront
from ledgerx.exchange.venue import Venue
from ledgerx.streaming_api.core import CoreSettings

__all__ = ["StreamingService", "StreamingSettings"]

_SEARCHES_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class StreamingSettings:
    """Where and how sessions are served.

    `port` 0 is the one used before on this folder, or any free one. `certificate` and `key` are PEM files;
    without them the venue makes its own. `tls` False is for this machine alone. `session` holds the
    session's times and caps, None the protocol's.
    """

    port: int = 0
    tls: bool = True
    certificate: Path | None = None
    key: Path | None = None
    session: CoreSettings | None = None


class StreamingService:
    """Listens from the start; serves between `start` and `stop`.

    Raises PortTaken, InvalidAddress, InvalidField (without TLS beyond this machine), CertificateFileError.
    """

    def __init__(
        self, venue: Venue, host: str, settings: StreamingSettings, previous_port: int | None, clock: Clock
    ) -> None:
        folder = venue.folder.path
        tls = None
        if settings.tls:
            tls = server_context(
                folder, host, clock, certificate=settings.certificate, key=settings.key
            )  # fmt: skip
        listening = _listen(host, settings.port, previous_port, clock)
        if tls is None and not ipaddress.ip_address(listening.getsockname()[0]).is_loopback:
            listening.close()
            text = f"host {host}: without TLS passwords would be sent in the clear: use TLS, or 127.0.0.1"
            raise InvalidField(text, field="host", value=host)
        self.port: int = listening.getsockname()[1]
        inbox: Mailbox[FrontCommand] = Mailbox()
        self.desk = StreamingDesk(venue, inbox, clock=clock)
        self._front = StreamingFront(
            listening,
            tls,
            Credentials(folder),
            self.desk.inbox,
            inbox,
            settings=settings.session,
            clock=clock,
        )
        self._stopped = False

    @property
    def connections(self) -> int:
        """How many connections there are."""
        return len(self._front)

    def start(self) -> None:
        """Begin to serve."""
        self._front.start()

    def stop(self, *, abort: bool = False) -> None:
        """Log every session out, or (`abort`) tell none anything more. May be called again."""
        if not self._stopped:
            self._stopped = True
            self._front.stop(abort=abort)
            self.desk.close()


def _listen(host: str, port: int, previous: int | None, clock: Clock) -> socket.socket:
    if port:
        return listen_tcp(host, port)
    if previous:
        with contextlib.suppress(PortTaken):
            return listen_tcp(host, previous)
    for _ in range(_SEARCHES_MAX):
        with contextlib.suppress(PortTaken):
            return listen_tcp(host, any_port(clock))
    return listen_tcp(host, 0)
