"""The TCP/TLS front's thread: accepts connections, checks logins, carries frames to and from the desk.

Passwords are checked on threads beside it, because argon2id takes a tenth of a second by intent.
"""

from __future__ import annotations

import logging
import selectors
import socket
import ssl
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from ledgerx.clock import SYSTEM_CLOCK, Clock
from ledgerx.errors import Error, QueueFull
from ledgerx.exchange.streaming.commands import (
    Admitted,
    Asks,
    DeskCommand,
    Ended,
    Frames,
    FrontCommand,
    Login,
    Mailbox,
    Refused,
    Throttled,
    Verified,
    Written,
)
from ledgerx.exchange.streaming.credentials import Credentials
from ledgerx.exchange.streaming.link import Link
from ledgerx.streaming_api import eto_pb2 as eto
from ledgerx.streaming_api import seto_pb2 as seto
from ledgerx.streaming_api.core import CoreSettings, Phase, Role, SessionCore

__all__ = ["StreamingFront"]

_LOGGER = logging.getLogger(__name__)

_STRANGERS_MAX: Final = 1_000  # connections that have not logged in
_STRANGER_BYTES_MAX: Final = 64 * 1024  # of what one may send before it did
_CHECKS_MAX: Final = 500  # logins that wait to be checked
_CHECKERS: Final = 2
_WRITTEN_STEP: Final = 250  # frames after which the desk is told that they are on their way
_TICKS_AN_INTERVAL: Final = 20  # of heartbeats
_COMMANDS_A_TURN: Final = 5_000
_FAREWELL_S: Final = 0.5


class _Peer:
    """A connection with what the front knows of it."""

    __slots__ = ("core", "key", "link", "logged_in", "mask", "over_at", "unreported", "verifying")

    def __init__(self, key: int, link: Link) -> None:
        self.key = key
        self.link = link
        self.core = link.core
        self.mask = selectors.EVENT_READ
        self.verifying = False
        self.logged_in = False
        self.unreported = 0
        self.over_at: float | None = None  # since when it is over, but for bytes that nobody takes


class StreamingFront:
    """Serves a listening socket until stopped. `tls` None: without TLS.

    `desk` is where what sessions ask goes, `inbox` where its answers come.
    """

    def __init__(
        self,
        listening: socket.socket,
        tls: ssl.SSLContext | None,
        credentials: Credentials,
        desk: Mailbox[DeskCommand],
        inbox: Mailbox[FrontCommand],
        *,
        settings: CoreSettings | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._listening = listening
        self._tls = tls
        self._credentials = credentials
        self._desk = desk
        self._inbox = inbox
        self._settings = settings or CoreSettings(queue_frames_max=1_000, held_frames_max=1_000)
        self._clock = clock
        self._peers: dict[int, _Peer] = {}
        self._strangers = 0
        self._next_key = 1
        self._checks = 0
        self._stopping = False
        self._aborting = False
        self._selector = selectors.DefaultSelector()
        self._checkers = ThreadPoolExecutor(_CHECKERS, "ledgerx-streaming-login")
        self._thread = threading.Thread(target=self._run, name="ledgerx-streaming", daemon=True)

    def __len__(self) -> int:
        return len(self._peers)

    def start(self) -> None:
        """Begin to serve."""
        self._listening.setblocking(False)
        self._selector.register(self._listening, selectors.EVENT_READ)
        self._selector.register(self._inbox.descriptor, selectors.EVENT_READ)
        self._thread.start()

    def stop(self, *, abort: bool = False) -> None:
        """Say goodbye to every session, or nothing at all to any (`abort`), and end the thread."""
        self._aborting |= abort
        self._stopping = True
        self._inbox.wake()
        if self._thread.is_alive():
            self._thread.join()
        self._checkers.shutdown(cancel_futures=True)
        self._selector.close()
        self._listening.close()
        self._inbox.close()

    # ------------------------------------------------------------------ the thread

    def _run(self) -> None:
        interval = self._settings.heartbeat_s / _TICKS_AN_INTERVAL
        next_tick = self._clock.monotonic() + interval
        try:
            while not self._stopping:
                self._turn(max(0.0, next_tick - self._clock.monotonic()))
                now = self._clock.monotonic()
                if now >= next_tick:
                    next_tick = now + interval
                    self._tick(now)
        except Exception:
            _LOGGER.critical("the streaming front cannot go on", exc_info=True)
            self._aborting = True
        self._farewell()

    def _turn(self, timeout_s: float) -> None:
        if len(self._desk) > self._desk.ROOM:
            self._desk.wait_for_room(timeout_s)
            timeout_s = 0.0
        events = self._selector.select(timeout_s)
        now = self._clock.monotonic()
        served: dict[int, _Peer] = {}
        for selected, mask in events:
            peer: _Peer | None = selected.data
            if peer is not None:
                served[peer.key] = peer
                if mask & selectors.EVENT_READ:
                    peer.link.read(now)
            elif selected.fileobj is self._listening:
                self._accept(now)
        for command in self._inbox.take(_COMMANDS_A_TURN):
            peer = self._peers.get(command.key)
            if isinstance(command, Verified):
                self._checks -= 1
            if peer is not None:
                served[peer.key] = peer
                self._obey(peer, command, now)
        for peer in served.values():
            self._serve(peer, now)

    def _accept(self, now: float) -> None:
        try:
            sock, _ = self._listening.accept()
        except BlockingIOError:
            return
        except OSError as error:
            _LOGGER.warning("no more connections for a while: %s", error)
            self._selector.unregister(self._listening)  # until the next tick
            return
        if self._strangers >= _STRANGERS_MAX:
            sock.close()
            return
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        core = SessionCore(Role.GATEWAY, now, settings=self._settings)
        peer = _Peer(self._next_key, Link(sock, core, self._tls))
        self._next_key += 1
        self._strangers += 1
        self._peers[peer.key] = peer
        self._selector.register(sock, peer.mask, peer)

    def _obey(self, peer: _Peer, command: FrontCommand, now: float) -> None:
        core = peer.core
        if isinstance(command, Frames):
            try:
                for payload in command.payloads:
                    core.send(payload, now)
            except QueueFull:
                _LOGGER.warning("a session does not read what it asked for and is cut")
                core.logout(now, eto.LOGOUT_SERVICE_TEMPORARILY_UNAVAILABLE)
            except Error:
                return  # the session is over; its end is told the desk by `_serve`
            peer.unreported += len(command.payloads)
        elif isinstance(command, Refused):
            core.logout(now, command.reason)
        elif isinstance(command, Throttled):
            core.throttle(now)
        elif isinstance(command, Admitted):
            if core.phase is Phase.LOGIN:
                core.accept(command.session, now, command.account_sequence)
            peer.verifying = False
        elif command.cid is None:
            core.logout(now, eto.LOGOUT_UNAUTHORISED)
        else:
            peer.logged_in = True
            self._strangers -= 1
            self._desk.put(Login(peer.key, command.cid, command.account_sequence))

    def _serve(self, peer: _Peer, now: float) -> None:
        """Look at what came of a connection, send what is to be sent, and end it where it is over."""
        try:
            if not peer.verifying:
                self._take_frames(peer, now)
            if not peer.logged_in and peer.link.received > _STRANGER_BYTES_MAX:
                peer.core.logout(now, eto.LOGOUT_LOGIN_NOT_FIRST_SEQ)
            peer.link.write()
        except Exception:
            _LOGGER.exception("a streaming session failed and is cut")
            self._drop(peer)
            return
        if peer.link.over:
            self._drop(peer)
            return
        if peer.unreported >= _WRITTEN_STEP and not peer.link.unsent:
            self._desk.put(Written(peer.key, peer.unreported))
            peer.unreported = 0
        mask = selectors.EVENT_WRITE if peer.link.unsent else 0
        if peer.core.wants_data and not peer.core.over:
            mask |= selectors.EVENT_READ
        self._watch(peer, mask)

    def _watch(self, peer: _Peer, mask: int) -> None:
        """Have a connection served for these events; for none, where its login is being checked."""
        if mask == peer.mask:
            return
        if not mask:
            self._selector.unregister(peer.link.sock)
        elif not peer.mask:
            self._selector.register(peer.link.sock, mask, peer)
        else:
            self._selector.modify(peer.link.sock, mask, peer)
        peer.mask = mask

    def _take_frames(self, peer: _Peer, now: float) -> None:
        asked: list[DeskCommand] = []
        core = peer.core
        while (frame := core.next_frame()) is not None:
            payload = frame.protobuf
            if payload.type == seto.PAYLOAD_LOGIN and not peer.logged_in:
                self._check(peer, payload.login, now)
                break
            if payload.type != seto.PAYLOAD_ETO or not payload.HasField("type"):
                asked.append(Asks(peer.key, payload))
        self._desk.put_all(asked)

    def _check(self, peer: _Peer, login: seto.Login, now: float) -> None:
        peer.verifying = True
        if self._checks >= _CHECKS_MAX:
            peer.core.logout(now, eto.LOGOUT_SERVICE_TEMPORARILY_UNAVAILABLE)
            return
        self._checks += 1
        sequence = None
        if login.HasField("account_sequence_64"):
            sequence = login.account_sequence_64
        elif login.HasField("account_sequence"):
            sequence = login.account_sequence
        self._checkers.submit(self._verify, peer.key, login, sequence)

    def _verify(self, key: int, login: seto.Login, sequence: int | None) -> None:
        """On a checker's thread."""
        cid = None
        try:
            if login.cookie:
                cid = self._credentials.by_token(login.cookie)
            elif login.username:
                cid = self._credentials.by_password(login.username, login.password)
        except Exception:
            _LOGGER.exception("a login could not be checked")
        self._inbox.put(Verified(key, cid, sequence))

    def _tick(self, now: float) -> None:
        if self._listening.fileno() not in self._selector.get_map():
            self._selector.register(self._listening, selectors.EVENT_READ)
        for peer in list(self._peers.values()):
            peer.core.tick(now)
            if peer.core.over:
                peer.over_at = now if peer.over_at is None else peer.over_at
                if now - peer.over_at > self._settings.logout_timeout_s:
                    self._drop(peer)
                    continue
            if peer.core.urgent or peer.core.over:
                self._serve(peer, now)

    def _drop(self, peer: _Peer) -> None:
        del self._peers[peer.key]
        if peer.logged_in:
            self._desk.put(Ended(peer.key, lost=not peer.core.logged_out))
        else:
            self._strangers -= 1
        self._watch(peer, 0)
        peer.link.close()

    def _farewell(self) -> None:
        now = self._clock.monotonic()
        deadline = now + _FAREWELL_S
        if not self._aborting:
            for peer in list(self._peers.values()):
                peer.core.logout(now, eto.LOGOUT_DOWNTIME)
                self._serve(peer, now)
            while self._peers and self._clock.monotonic() < deadline:
                for selected, _ in self._selector.select(_FAREWELL_S / 10):
                    if selected.data is not None:
                        selected.data.link.read(now)
                        self._serve(selected.data, now)
        for peer in self._peers.values():
            peer.link.close()
        self._peers.clear()
