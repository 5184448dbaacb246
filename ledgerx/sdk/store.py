"""Memory stores: mappings a program can share with forked processes, and the requests in progress.

(Manual, "Memory Store Facilities".)
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
from collections.abc import Callable, Iterator, MutableMapping
from typing import Any, TypeAlias, TypeVar

from ledgerx.errors import InvalidField, InvalidState

__all__ = ["Callback", "IDStoreItem", "MemoryStore", "MessageIDStore"]

K = TypeVar("K")
V = TypeVar("V")
T = TypeVar("T")

Callback: TypeAlias = Callable[[Any, Any], object]


class MemoryStore(MutableMapping[K, V]):
    """A mapping in memory; with `shared`, one that processes forked after it was made see and change.

    A shared store lives in a process of its own, which ends with the process that made the store:
    keys and values are pickled on their way, so a change inside a value is seen only once the value is
    stored again. Without `shared` a forked process has a copy.

    Every single operation is atomic between threads (and processes, if shared); iteration goes over
    the keys as they were when it began. Raises KeyError as a mapping does, InvalidField for a key or
    value that cannot be pickled, InvalidState once the process that made a shared store has ended.
    """

    def __init__(self, shared: bool = False) -> None:
        self._data: MutableMapping[K, V] = {}
        if shared:
            # Fork, since a spawned manager would run the user's program a second time.
            self._manager = multiprocessing.get_context("fork").Manager()
            self._data = self._manager.dict()
        self._shared = shared
        self._process = os.getpid()

    @property
    def shared(self) -> bool:
        """Whether forked processes see the same mapping."""
        return self._shared

    def __getitem__(self, key: K) -> V:
        return self._do(lambda: self._data[key])

    def __setitem__(self, key: K, value: V) -> None:
        self._do(lambda: self._data.__setitem__(key, value))

    def __delitem__(self, key: K) -> None:
        self._do(lambda: self._data.__delitem__(key))

    def __contains__(self, key: object) -> bool:
        return self._do(lambda: key in self._data)

    def __iter__(self) -> Iterator[K]:
        return iter(self._do(lambda: list(self._data.keys())))

    def __len__(self) -> int:
        return self._do(lambda: len(self._data))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {len(self)}{', shared' if self._shared else ''}>"

    def pop(self, key: K, *default: Any) -> Any:
        """Remove a key and return its value, or the default where there is one. Atomic."""
        return self._do(lambda: self._data.pop(key, *default))

    def setdefault(self, key: K, default: Any = None) -> Any:
        """The key's value, `default` being stored first where there is none. Atomic."""
        return self._do(lambda: self._data.setdefault(key, default))

    def clear(self) -> None:
        """Remove everything. Atomic."""
        self._do(lambda: self._data.clear())

    def _do(self, operation: Callable[[], T]) -> T:
        if not self._shared:
            return operation()
        if self._process != os.getpid():
            # Only the children that multiprocessing makes itself leave the parent's connection alone: one of
            # os.fork would talk over it, and each would read the other's answers.
            vars(self._data._tls).clear()  # type: ignore[attr-defined]
            self._process = os.getpid()
        try:
            return operation()
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            text = f"a shared store cannot hold this: its keys and values are pickled: {error}"
            raise InvalidField(text, field="value", value=None) from error
        except (ConnectionError, EOFError, FileNotFoundError) as error:
            raise InvalidState("the process that made this shared store has ended") from error


class IDStoreItem:
    """One request and what to call with its answers.

    `msg` is the request's message. `callback` takes two arguments, the message just received and the
    previous one with the same message ID, and may be set at any time.
    """

    def __init__(self, msg: Any = None, cb: Callback = lambda msg, prev_msg: None) -> None:
        self._msg = msg
        self._callback = _check_callback(cb)

    @property
    def msg(self) -> Any:
        """The message that was sent."""
        return self._msg

    @msg.setter
    def msg(self, msg: Any) -> None:
        self._msg = msg

    @property
    def callback(self) -> Callback:
        """What is called with each answer. Setting raises InvalidField unless it is callable."""
        return self._callback

    @callback.setter
    def callback(self, callback: Callback) -> None:
        self._callback = _check_callback(callback)
        self._callback_changed()

    def _callback_changed(self) -> None:
        """Called after a callback was set, for items whose answers may have come already."""

    def __repr__(self) -> str:
        kind = "empty" if self._msg is None else f"{type(self._msg).__name__} {getattr(self._msg, 'mid', '')}"
        return f"<{type(self).__name__} {kind.strip()}>"


class MessageIDStore(MemoryStore[str, IDStoreItem]):
    """The requests in progress by their message ID, one store a Context; safe from any thread.

    Raises InvalidField for a value that is no IDStoreItem.
    """

    def __init__(self) -> None:
        super().__init__()

    def __setitem__(self, mid: str, item: IDStoreItem) -> None:
        super().__setitem__(mid, _check_item(item))

    def setdefault(self, mid: str, default: Any = None) -> Any:
        """The message ID's item, `default` being stored first where there is none. Atomic."""
        return super().setdefault(mid, _check_item(default))


def _check_callback(callback: Callback) -> Callback:
    if not callable(callback):
        text = f"callback must be callable with (msg, prev_msg), not {callback!r}"
        raise InvalidField(text, field="callback", value=callback)
    return callback


def _check_item(item: object) -> IDStoreItem:
    if not isinstance(item, IDStoreItem):
        raise InvalidField(f"a MessageIDStore holds IDStoreItems, not {item!r}", field="item", value=item)
    return item
