"""Callbacks by the name of a payload's type: `seto.order_accepted`, `eto.heartbeat`. No I/O."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable
from typing import Any, TypeVar

from ledgerx.errors import InvalidCallbackError, InvalidField
from ledgerx.streaming_api import eto_pb2 as eto
from ledgerx.streaming_api import seto_pb2 as seto
from ledgerx.streaming_api.payloads import Frame

__all__ = ["CALLBACKS", "UNKNOWN", "UNKNOWN_ETO", "Callbacks", "checked_callback", "name_of"]

C = TypeVar("C", bound=Callable[..., Any])

_LOGGER = logging.getLogger(__name__)

_ETO_NAMES = {
    number: f"eto.{name.removeprefix('PAYLOAD_').lower()}" for name, number in eto.PayloadType.items()
}
_SETO_NAMES = {
    number: f"seto.{name.removeprefix('PAYLOAD_').lower()}" for name, number in seto.PayloadType.items()
}

CALLBACKS: tuple[str, ...] = (*_ETO_NAMES.values(), *_SETO_NAMES.values())
"""The names of all callbacks."""

UNKNOWN = "seto.unknown"
"""The name under which global handlers see a payload whose type the schema lacks."""

UNKNOWN_ETO = "eto.unknown"
"""The same for a type of the session layer."""


def name_of(payload: seto.Payload) -> str:
    """The callback's name of a payload: its own type's, or the session layer's where it is one of that."""
    if not payload.HasField("type"):
        return UNKNOWN
    if payload.type == seto.PAYLOAD_ETO:
        # A type that the schema lacks reads as the default, NONE, and counts as absent.
        message = payload.eto_payload
        return _ETO_NAMES[message.type] if message.HasField("type") else UNKNOWN_ETO
    return _SETO_NAMES[payload.type]


def checked_callback(callback: C) -> C:
    """The callback. Raises InvalidField (a ValueError) for what is no callable."""
    if not callable(callback):
        message = f"callback must be a callable, not {type(callback).__name__}"
        raise InvalidField(message, field="callback", value=callback)
    return callback


class Callbacks:
    """Handlers by name and for everything, called in the order in which they were added.

    A handler that raises is reported to the log and keeps no other from being called.
    """

    def __init__(self) -> None:
        self._named: dict[str, tuple[Callable[..., Any], ...]] = dict.fromkeys(CALLBACKS, ())
        self._global: tuple[Callable[..., Any], ...] = ()

    def add(self, name: str, callback: Callable[..., Any]) -> None:
        """Call `callback(message=payload)` for payloads of that name.

        Raises InvalidCallbackError for an unknown name, InvalidField (a ValueError) for what is no callable.
        """
        checked_callback(callback)
        self._named[self._known(name)] += (callback,)

    def add_global(self, callback: Callable[..., Any]) -> None:
        """Call `callback(name=name, message=frame)` for every payload."""
        self._global += (checked_callback(callback),)

    def remove(self, name: str, callback: Callable[..., Any]) -> None:
        """Take a handler away, where it was added. Raises InvalidCallbackError."""
        known = self._known(name)
        self._named[known] = _without(self._named[known], callback)

    def remove_global(self, callback: Callable[..., Any]) -> None:
        """Take a global handler away, where it was added."""
        self._global = _without(self._global, callback)

    def dispatch(self, frame: Frame) -> None:
        """Call the handlers of a frame."""
        name = name_of(frame.protobuf)
        for callback in self._named.get(name, ()):
            self._call(name, callback, message=frame.protobuf)
        for callback in self._global:
            self._call(name, callback, name=name, message=frame)

    async def dispatch_async(self, frame: Frame) -> None:
        """The same, where a handler may be a coroutine function: each is awaited before the next one."""
        name = name_of(frame.protobuf)
        for callback in self._named.get(name, ()):
            await self._await(name, callback, message=frame.protobuf)
        for callback in self._global:
            await self._await(name, callback, name=name, message=frame)

    async def _await(self, where: str, callback: Callable[..., Any], **arguments: Any) -> None:
        try:
            result = callback(**arguments)
            if inspect.isawaitable(result):
                await result
        except Exception:
            _LOGGER.exception("a handler of %s failed: %r", where, callback)

    def _call(self, where: str, callback: Callable[..., Any], **arguments: Any) -> None:
        try:
            callback(**arguments)
        except Exception:
            _LOGGER.exception("a handler of %s failed: %r", where, callback)

    def _known(self, name: str) -> str:
        if not isinstance(name, str) or name not in self._named:
            raise InvalidCallbackError(f"there is no callback {name!r}: the names are {', '.join(CALLBACKS)}")
        return name


def _without(
    callbacks: tuple[Callable[..., Any], ...], callback: Callable[..., Any]
) -> tuple[Callable[..., Any], ...]:
    kept = list(callbacks)
    if callback in kept:
        kept.remove(callback)
    return tuple(kept)
