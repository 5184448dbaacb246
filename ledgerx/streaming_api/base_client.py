"""What both kinds of client do without a wait: handlers, the answer to a login, messages into the buffer."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from google.protobuf.message import Message

from ledgerx.errors import LoginError, LoginTimeout
from ledgerx.streaming_api import eto_pb2 as eto
from ledgerx.streaming_api import seto_pb2 as seto
from ledgerx.streaming_api.callbacks import CALLBACKS, Callbacks
from ledgerx.streaming_api.payloads import admin, wrap

__all__ = ["BaseClient"]

_ANSWERS = (eto.PAYLOAD_LOGIN_RESPONSE, eto.PAYLOAD_LOGOUT)


class _Buffering(Protocol):
    """What a session of either kind has."""

    @property
    def raw_socket(self) -> socket.socket | None: ...

    @property
    def output_buffer_size(self) -> int: ...

    def send(self, payload: seto.Payload) -> None: ...


AnySession = TypeVar("AnySession", bound=_Buffering)


class BaseClient(Generic[AnySession]):
    """`last_login` is the payload that answered the login: its response, or the logout that refused it."""

    CALLBACKS: ClassVar[list[str]] = list(CALLBACKS)

    def __init__(self, session: AnySession) -> None:
        self.session = session
        self.last_login: seto.Payload | None = None
        self._callbacks = Callbacks()

    @property
    def raw_socket(self) -> socket.socket | None:
        """The session's socket: for select and the like; under asyncio nothing else must read it."""
        return self.session.raw_socket

    @property
    def output_buffer_size(self) -> int:
        """How many bytes wait to be sent."""
        return self.session.output_buffer_size

    def check_login(self) -> bool:
        """True where the login was accepted. Raises LoginTimeout before its answer was read, LoginError."""
        if self.last_login is None:
            raise LoginTimeout("no answer to the login was read: read() first")
        if self.last_login.eto_payload.type == eto.PAYLOAD_LOGOUT:
            reason = self.last_login.eto_payload.logout.reason
            raise LoginError(reason, eto.LogoutReason.Name(reason))
        return True

    def send(self, message: Message) -> None:
        """Put a message such as seto.OrderCreate into the buffer, as the payload of its class.

        Raises InvalidMessage for what no payload carries, and as the session's `send`.
        """
        self.session.send(wrap(message))

    def ping(self) -> None:
        """Put a PING into the buffer; the answer is an eto.pong."""
        self.session.send(admin(eto.PAYLOAD_PING))

    def add_handler(self, name: str, callback: Callable[..., Any]) -> None:
        """Have `callback(message=payload)` called for payloads named `name`, one of CALLBACKS.

        Raises InvalidCallbackError, and ValueError for what is no callable.
        """
        self._callbacks.add(name, callback)

    def add_global_handler(self, callback: Callable[..., Any]) -> None:
        """Have `callback(name=name, message=frame)` called for every payload."""
        self._callbacks.add_global(callback)

    def del_handler(self, name: str, callback: Callable[..., Any]) -> None:
        """Take a handler away. Raises InvalidCallbackError."""
        self._callbacks.remove(name, callback)

    def del_global_handler(self, callback: Callable[..., Any]) -> None:
        """Take a global handler away."""
        self._callbacks.remove_global(callback)

    def _note(self, payload: seto.Payload) -> None:
        """Remember a payload that answers the login."""
        if payload.type == seto.PAYLOAD_ETO and payload.eto_payload.type in _ANSWERS:
            self.last_login = payload
