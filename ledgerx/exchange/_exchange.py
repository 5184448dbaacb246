"""`Exchange`: a venue in this process, as a context manager, for tests and notebooks."""

from __future__ import annotations

import tempfile
from pathlib import Path
from types import TracebackType

from ledgerx.clock import SYSTEM_CLOCK, Clock
from ledgerx.errors import InvalidState
from ledgerx.exchange import control
from ledgerx.exchange.accounts import AccountRow, list_accounts
from ledgerx.exchange.folder import VenueNote, accounts_path
from ledgerx.exchange.gateway_settings import GatewaySettings
from ledgerx.exchange.journal import Sync
from ledgerx.exchange.journal_pb2 import Limits
from ledgerx.exchange.retention import Retention
from ledgerx.exchange.server import Server
from ledgerx.exchange.streaming import StreamingSettings
from ledgerx.exchange.streaming.certificate import certificate_path
from ledgerx.exchange.streaming.credentials import set_password, set_token
from ledgerx.exchange.venue import Contracts

__all__ = ["Exchange"]


class Exchange:
    """A whole venue on loopback ports, its threads in this process.

        with Exchange() as exchange:
            exchange.add_account("alice", key_pair.public)

    Without `data_dir` it lives in a temporary folder that goes with it. `port` is the request port, 0 for
    three free ones side by side (the same again after `restart`). `contracts` is a contracts file, None for
    the built-in ones; `interval_ms` the heartbeats' interval; `sync` "process" or "power" (an fsync for
    each group of records). `retain` is what is kept of the journal, as the command line has it;
    `snapshot_every` records a process of its own takes a snapshot, 0 has none. `streaming` says how sessions
    of the streaming API are served, None not at all. It installs no signal
    handlers.
    """

    def __init__(
        self,
        data_dir: str | Path | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        contracts: Contracts = None,
        limits: Limits | None = None,
        interval_ms: int = 1000,
        sync: Sync = "process",
        http: bool = True,
        *,
        streaming: StreamingSettings | None = StreamingSettings(),  # noqa: B008 - it is frozen
        retain: str = "forever",
        snapshot_every: int = 0,
        settings: GatewaySettings | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._retain = Retention.parse(retain)
        self._snapshot_every = snapshot_every
        self._temporary: tempfile.TemporaryDirectory[str] | None = None
        if data_dir is None:
            self._temporary = tempfile.TemporaryDirectory(prefix="ledgerx-exchange-")
            data_dir = self._temporary.name
        self.data_dir = Path(data_dir)
        self.host = host
        self._port = port
        self._contracts = contracts
        self._limits = limits
        self._settings = settings or GatewaySettings(interval_ms=interval_ms)
        self._sync: Sync = sync
        self._http = http
        self._streaming = streaming
        self._clock = clock
        self._server: Server | None = None

    def start(self) -> Exchange:
        """Begin a run; returns when clients can connect.

        Raises as `Server.start`, and InvalidState if it runs already.
        """
        if self._server is not None:
            raise InvalidState("the exchange runs already: stop it first")
        server = Server(
            self.data_dir,
            host=self.host,
            port=self._port,
            contracts=self._contracts,
            limits=self._limits,
            sync=self._sync,
            retain=self._retain,
            snapshot_every=self._snapshot_every,
            http=self._http,
            streaming=self._streaming,
            settings=self._settings,
            clock=self._clock,
        )
        server.start()
        self._server = server
        return self

    def stop(self) -> None:
        """End the venue; its folder stays (a temporary one until `close`). May be called again."""
        server, self._server = self._server, None
        if server is not None:
            server.stop()

    def restart(self) -> None:
        """Stop, then begin a new run on the same folder and ports, as a venue does that was restarted."""
        self.stop()
        self.start()

    def close(self) -> None:
        """Stop, and remove a temporary folder. May be called again."""
        self.stop()
        if self._temporary is not None:
            self._temporary.cleanup()

    def __enter__(self) -> Exchange:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def running(self) -> bool:
        """Whether the venue turns."""
        return self._server is not None and self._server.running

    @property
    def request_port(self) -> int:
        """CRN: where clients send requests. Like all that follow, raises InvalidState while stopped."""
        return self._note.request_port

    @property
    def publish_port(self) -> int:
        """CPN: where the public feed is."""
        return self._note.publish_port

    @property
    def http_port(self) -> int | None:
        """The HTTP front, None where it is switched off."""
        return self._note.http_port

    @property
    def streaming_port(self) -> int | None:
        """Where sessions of the streaming API are served, None where they are not."""
        return self._note.streaming_port

    @property
    def certificate(self) -> Path:
        """The venue's own TLS certificate, for clients to trust: `ssl_kwargs={"ca_certs": ...}`."""
        return certificate_path(self.data_dir)

    @property
    def public_key(self) -> bytes:
        """The venue's public key: 40 Z85 bytes."""
        return self._note.public_key.encode("ascii")

    def add_account(self, name: str, public_key: bytes | str) -> AccountRow:
        """Register a trader; a running venue lets it in at once. Raises AccountError, InvalidKey."""
        return control.add_account(self.data_dir, name, public_key)

    def set_password(self, name: str, password: str) -> None:
        """Let an account's streaming sessions log in with this. Raises AccountError, InvalidField."""
        set_password(self.data_dir, name, password)

    def set_token(self, name: str) -> str:
        """A new token with which an account's streaming sessions may log in. Raises AccountError."""
        return set_token(self.data_dir, name)

    def remove_account(self, name: str) -> AccountRow:
        """Cancel a trader's orders and cut it off. Raises AccountError."""
        return control.remove_account(self.data_dir, name)

    def accounts(self) -> list[AccountRow]:
        """Every account, removed ones included."""
        return list_accounts(accounts_path(self.data_dir))

    @property
    def _note(self) -> VenueNote:
        if self._server is None:
            raise InvalidState("the exchange is not running")
        if self._server.error is not None:
            raise InvalidState(f"the exchange failed: {self._server.error}") from self._server.error
        return self._server.note
