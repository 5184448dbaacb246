"""The relay: sockets and a thread around `relay_core`. Clients and ingestors connect to it; it keeps no file.

Requests come on a ROUTER, from DEALER and REQ sockets alike; notifications leave on an XPUB, which answers
each subscription of a client's topic on that topic, so that a client knows when it misses nothing more.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Collection, Iterable
from types import TracebackType
from typing import Final

import zmq
from google.protobuf.message import DecodeError as ProtobufDecodeError
from zmq.auth.thread import ThreadAuthenticator

from ledgerx.clock import SYSTEM_CLOCK, Clock
from ledgerx.errors import InvalidState
from ledgerx.history.endpoints import (
    NOTIFICATION_ENDPOINT,
    RELAY_ENDPOINT,
    allow_keys,
    bind,
    check_endpoint,
    secure_server,
)
from ledgerx.history.ingestor_pb2 import Counts, ToRelay
from ledgerx.history.relay_core import Output, RelayCore, RelayLimits
from ledgerx.protocol.crypto import KeyPair
from ledgerx.protocol.sockets import AnyContext, AnySocket, pair, router, xpub

__all__ = ["Relay"]

_log = logging.getLogger(__name__)
_TICK_MS: Final = 200
_TURN_FRAMES_MAX: Final = 500
_LINGER_MS: Final = 500
_REQ: Final = b"\x00"
_DEALER: Final = b"\x01"


class Relay:
    """A relay in a thread of its own.

    Args:
        relay_endpoint: for requests; port 0: any free one.
        notification_endpoint: for notifications.
        keypair: of the relay, for CURVE; None: only on this machine's loopback addresses.
        allowed_keys: public keys of clients and ingestors; None: whoever has the relay's.
        limits: what bounds its memory and patience.

    Raises InvalidField (a ValueError) for an endpoint that is none or that needs keys.

    """

    def __init__(
        self,
        relay_endpoint: str = RELAY_ENDPOINT,
        notification_endpoint: str = NOTIFICATION_ENDPOINT,
        *,
        keypair: KeyPair | None = None,
        allowed_keys: Collection[bytes] | None = None,
        limits: RelayLimits | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        for field, value in (
            ("relay_endpoint", relay_endpoint),
            ("notification_endpoint", notification_endpoint),
        ):
            check_endpoint(value, field, keyed=keypair is not None, keys_needed="a keypair", binds=True)
        self.relay_endpoint = relay_endpoint
        self.notification_endpoint = notification_endpoint
        self._keypair = keypair
        self._allowed = allowed_keys
        self._clock = clock
        self._core = RelayCore(clock.unique_hex(), limits)
        self._context: AnyContext = zmq.Context()
        self._authenticator: ThreadAuthenticator | None = None
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._counts = Counts()
        self._command: AnySocket | None = None

    def start(self) -> None:
        """Bind and begin to serve; both endpoints then have their ports. Raises PortTaken, InvalidAddress."""
        if self._thread is not None or self._context.closed:
            raise InvalidState("this relay was started before: make another one")
        requests = secure_server(router(self._context, linger=_LINGER_MS), self._keypair)
        notifications = secure_server(xpub(self._context, linger=_LINGER_MS), self._keypair)
        try:
            if self._keypair is not None:
                self._authenticator = allow_keys(self._context, self._allowed)
            # Each subscription is to be answered, also one of a client that was lost and is back.
            notifications.set(zmq.XPUB_VERBOSE, 1)
            self.relay_endpoint = bind(requests, self.relay_endpoint)
            self.notification_endpoint = bind(notifications, self.notification_endpoint)
        except BaseException:
            requests.close(0)
            notifications.close(0)
            self._end_context()
            raise
        name = f"inproc://relay-{id(self)}"
        self._command, heard = pair(self._context), pair(self._context)
        self._command.bind(name)
        heard.connect(name)
        sockets = (requests, notifications, heard)
        self._thread = threading.Thread(target=self._run, args=sockets, name="ledgerx-relay")
        self._thread.start()

    def stop(self) -> None:
        """End; may be called again, from any thread but the relay's."""
        thread, command = self._thread, self._command
        if command is not None and thread is not None:
            self._command = None
            with contextlib.suppress(zmq.ZMQError):
                command.send(b"", zmq.NOBLOCK)
            thread.join()
            command.close(0)
        self._end_context()

    @property
    def alive(self) -> bool:
        """Whether it serves."""
        return self._thread is not None and self._thread.is_alive()

    @property
    def counts(self) -> Counts:
        """What it has done, as of its last turn."""
        with self._lock:
            return self._counts

    def __enter__(self) -> Relay:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def _end_context(self) -> None:
        if self._authenticator is not None:
            self._authenticator.stop()
            self._authenticator = None
        self._context.term()

    def _run(self, requests: AnySocket, notifications: AnySocket, heard: AnySocket) -> None:
        poller = zmq.Poller()
        for socket in (requests, notifications, heard):
            poller.register(socket, zmq.POLLIN)
        next_tick = self._clock.monotonic()
        try:
            while True:
                ready = dict(poller.poll(_TICK_MS))
                if heard in ready:
                    return
                now = self._clock.monotonic()
                outputs = self._subscriptions(notifications) if notifications in ready else []
                outputs += self._requests(requests, now) if requests in ready else []
                if now >= next_tick:
                    next_tick = now + _TICK_MS / 1000
                    outputs += self._core.tick(now)
                self._send(outputs, requests, notifications)
                with self._lock:
                    self._counts = self._core.numbers()
        except Exception:
            _log.exception("the relay ends")
            raise
        finally:
            requests.close(_LINGER_MS)
            notifications.close(_LINGER_MS)
            heard.close(0)

    def _requests(self, socket: AnySocket, now: float) -> list[Output]:
        outputs: list[Output] = []
        for _ in range(_TURN_FRAMES_MAX):
            try:
                identity, *frames = socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                break
            framing = _REQ if len(frames) == 2 and not frames[0] else _DEALER
            try:
                message = ToRelay.FromString(frames[-1] if frames else b"")
                outputs += self._core.receive(framing + identity, message, now)
            except (ProtobufDecodeError, ValueError) as error:
                _log.warning("a frame of %d bytes is no request: %s", len(frames[-1]) if frames else 0, error)
        return outputs

    def _subscriptions(self, socket: AnySocket) -> list[Output]:
        outputs: list[Output] = []
        for _ in range(_TURN_FRAMES_MAX):
            try:
                frame = socket.recv(zmq.NOBLOCK)
            except zmq.Again:
                break
            if frame[:1] == b"\x01":
                outputs += self._core.subscribed(frame[1:].decode("utf-8", "replace"))
        return outputs

    @staticmethod
    def _send(outputs: Iterable[Output], requests: AnySocket, notifications: AnySocket) -> None:
        for peer, topic, message in outputs:
            payload = message.SerializeToString()
            with contextlib.suppress(zmq.Again):  # a peer that takes nothing asks again
                if not peer:
                    notifications.send_multipart([topic.encode(), payload], zmq.NOBLOCK)
                elif peer[:1] == _REQ:
                    requests.send_multipart([peer[1:], b"", payload], zmq.NOBLOCK)
                else:
                    requests.send_multipart([peer[1:], payload], zmq.NOBLOCK)
