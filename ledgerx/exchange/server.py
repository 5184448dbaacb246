"""One running venue: the data folder, the sockets, the gateway's thread and the HTTP front, wired together.

The command line and `ledgerx.exchange.Exchange` both start this and nothing else.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from ledgerx.clock import SYSTEM_CLOCK, Clock
from ledgerx.errors import InvalidState
from ledgerx.exchange.control import ControlServer
from ledgerx.exchange.folder import VenueNote, read_note
from ledgerx.exchange.follower_process import FollowerProcess
from ledgerx.exchange.gateway import Gateway
from ledgerx.exchange.gateway_settings import GatewaySettings
from ledgerx.exchange.journal import Sync
from ledgerx.exchange.journal_pb2 import Limits
from ledgerx.exchange.listen import Listeners, candidate_ports, open_listeners
from ledgerx.exchange.retention import RETAIN_ALL, Retention
from ledgerx.exchange.streaming import StreamingService, StreamingSettings
from ledgerx.exchange.venue import Contracts, Venue
from ledgerx.exchange.web import WebFacts, WebFront

__all__ = ["Server"]

_LOGGER = logging.getLogger(__name__)


class Server:
    """A venue on a data folder, from `start` to `stop`. Not restartable: make another one.

    `port` is the request port, 0 for the one used before on this folder or any three free ones. With
    `snapshot_every` a process of its own executes the journal behind the venue and takes a snapshot after
    so many records; 0 has none. `on_failure` is called on the gateway's thread when the venue cannot go on (a
    journal write failed); nothing is sent any more then. `error` keeps why.
    """

    def __init__(
        self,
        folder: str | Path,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        contracts: Contracts = None,
        limits: Limits | None = None,
        sync: Sync = "process",
        retain: Retention = RETAIN_ALL,
        snapshot_every: int = 0,
        http: bool = True,
        streaming: StreamingSettings | None = None,
        settings: GatewaySettings | None = None,
        clock: Clock = SYSTEM_CLOCK,
        on_failure: Callable[[BaseException], None] | None = None,
    ) -> None:
        self.folder = Path(folder)
        self.error: BaseException | None = None
        self._host = host
        self._port = port
        self._contracts = contracts
        self._limits = limits
        self._sync = sync
        self._retain = retain
        self._snapshot_every = snapshot_every
        self._follower: FollowerProcess | None = None
        self._http = http
        self._streaming_settings = streaming
        self._streaming: StreamingService | None = None
        self._settings = settings or GatewaySettings()
        self._clock = clock
        self._on_failure = on_failure
        self._note: VenueNote | None = None
        self._undo = contextlib.ExitStack()
        self._gateway: Gateway | None = None
        self._listeners: Listeners | None = None
        self._thread: threading.Thread | None = None

    @property
    def note(self) -> VenueNote:
        """Where the venue listens. Raises InvalidState before `start`."""
        if self._note is None:
            raise InvalidState("the venue has not been started")
        return self._note

    @property
    def running(self) -> bool:
        """Whether the venue turns."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Open everything and begin a run; returns when clients can connect.

        Raises what `Venue.open` and `open_listeners` raise, and MissingExtra without the HTTP packages.
        """
        if self._thread is not None:
            raise InvalidState("this venue was started before: make another Server")
        with contextlib.ExitStack() as undo:
            venue = Venue.open(
                self.folder,
                clock=self._clock,
                contracts=self._contracts,
                limits=self._limits,
                sync=self._sync,
                retain=self._retain,
            )
            undo.callback(venue.close)
            previous = read_note(self.folder)
            previous_port = None if previous is None else previous.request_port
            ports = candidate_ports(self._port, previous_port, self._clock)
            listeners = open_listeners(self._host, ports, venue.key_pair, self._settings, http=self._http)
            self._listeners = listeners
            undo.callback(self._close_listeners)
            venue.start_run()
            if self._streaming_settings is not None:
                previous_port = None if previous is None else previous.streaming_port
                self._streaming = StreamingService(
                    venue, self._host, self._streaming_settings, previous_port, self._clock
                )
                undo.callback(self._stop_streaming)
            gateway = Gateway(
                venue,
                listeners.requests,
                listeners.publications,
                listeners.keys,
                ControlServer(listeners.control),
                None if self._streaming is None else self._streaming.desk,
                settings=self._settings,
                clock=self._clock,
            )
            undo.callback(gateway.close)
            self._note = VenueNote(
                host=self._host,
                request_port=listeners.request_port,
                publish_port=listeners.publish_port,
                http_port=listeners.http_port,
                public_key=venue.key_pair.public.decode("ascii"),
                pid=os.getpid(),
                control_port=listeners.control_port,
                streaming_port=None if self._streaming is None else self._streaming.port,
            )
            if self._snapshot_every:
                self._follower = FollowerProcess(self.folder, self._snapshot_every)
                undo.callback(self._follower.stop)
                self._follower.start()
            if listeners.http is not None:
                web = WebFront(listeners.http, self._facts(venue, gateway))
                undo.callback(web.stop)
                web.start()
            undo.callback(venue.folder.write_note, replace(self._note, pid=None, control_port=None))
            venue.folder.write_note(self._note)
            if self._streaming is not None:
                self._streaming.start()
            self._gateway = gateway
            self._thread = threading.Thread(target=self._run, name="ledgerx-exchange", daemon=True)
            self._undo = undo.pop_all()
            self._thread.start()

    def stop(self) -> None:
        """End the present turn, close everything, free the ports. May be called again."""
        if self._gateway is not None and self.running:
            self._gateway.stop()
        if self._thread is not None:
            self._thread.join()
        self._undo.close()

    def _run(self) -> None:
        assert self._gateway is not None
        try:
            self._gateway.run()
        except BaseException as error:
            self.error = error
            self._stop_streaming()
            _LOGGER.critical("the venue on %s cannot go on", self.folder, exc_info=True)
            if self._on_failure is not None:
                self._on_failure(error)

    def _stop_streaming(self) -> None:
        if self._streaming is not None:
            self._streaming.stop(abort=self.error is not None)

    def _close_listeners(self) -> None:
        assert self._listeners is not None
        if self.error is None:
            self._listeners.close()
        else:
            self._listeners.close(linger_ms=0)

    def _facts(self, venue: Venue, gateway: Gateway) -> WebFacts:
        assert self._note is not None
        ports: dict[str, Any] = {
            "name": "ledgerx reference exchange",
            "run_id": venue.engine.run_id,
            "request_port": self._note.request_port,
            "publish_port": self._note.publish_port,
            "http_port": self._note.http_port,
            "streaming_port": self._note.streaming_port,
        }
        engine = venue.engine
        key = {
            "public_key": self._note.public_key,
            "venue_id": engine.venue_id,
            "run_id": engine.run_id,
        }
        return WebFacts(
            index=ports,
            key=key,
            counters=lambda: {**venue.counts, **self._follower_counts()},
            gauges=lambda: {
                "connections": len(gateway.connections),
                "streaming_connections": 0 if self._streaming is None else self._streaming.connections,
                "journal_records": venue.journal.committed,
                "journal_first_record": venue.journal.first_number,
                "journal_bytes": venue.journal.end,
                "run_id": engine.run_id,
                **self._follower_gauges(),
            },
            healthy=lambda: self.running and self.error is None,
        )

    def _follower_counts(self) -> dict[str, int]:
        follower = self._follower
        return {} if follower is None else {f"follower_{name}": n for name, n in follower.counts.items()}

    def _follower_gauges(self) -> dict[str, int]:
        follower = self._follower
        if follower is None:
            return {}
        return {"follower_record": follower.number, "snapshot_record": follower.snapshot_number}
