"""Memory stores: mappings a program can share with forked processes, and the requests in progress.

(Manual, "Memory Store Facilities".)
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import threading
from collections.abc import Callable, ItemsView, Iterator, MutableMapping, ValuesView
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar

from ledgerx.errors import InvalidField, InvalidState

if TYPE_CHECKING:
    from ledgerx.sdk.records import Saved
    from ledgerx.sdk.request_file import RequestFile
    from ledgerx.sdk.transaction import Transaction

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

    def values(self) -> ValuesView[V]:
        """The values; iteration goes over those that there were when it began."""
        return _Values(self)

    def items(self) -> ItemsView[K, V]:
        """The pairs of key and value, as `values`."""
        return _Items(self)

    def _copy(self) -> dict[K, V]:
        return self._do(lambda: dict(self._data.items()))

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


class _Values(ValuesView[V]):
    """A mapping's own would look each key up, which another thread may have removed."""

    def __init__(self, store: MemoryStore[Any, V]) -> None:
        super().__init__(store)
        self._store = store

    def __iter__(self) -> Iterator[V]:
        return iter(self._store._copy().values())


class _Items(ItemsView[K, V]):
    def __init__(self, store: MemoryStore[K, V]) -> None:
        super().__init__(store)
        self._store = store

    def __iter__(self) -> Iterator[tuple[K, V]]:
        return iter(self._store._copy().items())


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

    With `path` it is durable: the file, made if it is new, has every request before its first byte leaves,
    and what was dispatched after each handler returned, so that a Context with a store of the same path
    goes on where a killed one ended (docs: durable). What the file holds is in the mapping at once. The
    file is this object's until `close`, which the end of its Context calls too. `sync` "process" survives
    the end of the process, "power" that of the machine too, with an fsync a commit. Above nine tenths of
    `file_bytes_max` the file refuses requests as a full disk does; the rest is for what becomes of them.

    Raises InvalidField for a value that is no IDStoreItem; with `path` StoreLocked, StoreMismatch,
    StoreCorrupt, StoreUnusable.
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        sync: Literal["process", "power"] = "process",
        file_bytes_max: int | None = None,
    ) -> None:
        super().__init__()
        if sync not in ("process", "power"):
            raise InvalidField(f"sync is 'process' or 'power', not {sync!r}", field="sync", value=sync)
        self._path = None if path is None else Path(path).absolute()
        self._sync = sync
        self._file_bytes_max = file_bytes_max
        self._claim_lock = threading.Lock()
        self._claimed = False
        self._file: RequestFile | None = None
        if self._path is not None:
            self._open(self._path)

    def __setitem__(self, mid: str, item: IDStoreItem) -> None:
        super().__setitem__(mid, _check_item(item))

    def setdefault(self, mid: str, default: Any = None) -> Any:
        """The message ID's item, `default` being stored first where there is none. Atomic."""
        return super().setdefault(mid, _check_item(default))

    @property
    def path(self) -> Path | None:
        """The file of a durable store; None for one in memory."""
        return self._path

    def transaction(self) -> AbstractContextManager[Transaction]:
        """Write into the store's file, in a handler or callback, in one transaction with its message.

            with self.context.store.transaction() as db:
                db.execute("INSERT INTO fills VALUES (?, ?)", (msg.trade_id, msg.filled_size))

        It is committed after the handler and the callback returned, together with the fact that the message
        was dispatched; a request submitted since it began is stored with both, and leaves after that. What
        is written in a `with` block that raises is undone. Until the commit requests of other threads wait.

        Raises InvalidState outside handlers and callbacks, or for a store in memory; StoreWriteFailed.
        """
        if self._file is None:
            what = "in memory" if self._path is None else "closed"
            raise InvalidState(f"this store is {what}: transactions need an open MessageIDStore(path)")
        return self._file.transaction()

    def close(self) -> None:
        """Give the file up, if there is one. Raises InvalidState while a Context uses it."""
        with self._claim_lock:
            if self._claimed:
                raise InvalidState("the store's Context runs: stop it")
            self._close(clean=self._file is not None and self._file.loaded.clean)

    # ------------------------------------------------------------------ for the Context

    @property
    def file(self) -> RequestFile | None:
        """The open file of a durable store. Not for programs."""
        return self._file

    def claim(self, **owner: str) -> Saved | None:
        """A Context begins to use this; returns what the file holds. Not for programs.

        Raises InvalidState where another one does, StoreMismatch where the file is another account's.
        """
        with self._claim_lock:
            if self._claimed:
                raise InvalidState("this store is another Context's: each needs one of its own")
            if self._path is not None:
                if self._file is None:
                    self._open(self._path)
                assert self._file is not None
                self._file.bind(**owner)
            self._claimed = True
            return None if self._file is None else self._file.loaded

    def release(self, *, clean: bool) -> None:
        """The Context has ended; `clean`: no handler of it is at work. Not for programs."""
        with self._claim_lock:
            self._claimed = False
            self._close(clean=clean)

    def _open(self, path: Path) -> None:
        from ledgerx.sdk.request_file import RequestFile  # which loads SQLite and knows our items

        self._file = RequestFile(path, sync=self._sync, file_bytes_max=self._file_bytes_max)
        self.clear()
        self.update({item.mid: item for item in self._file.loaded.items})

    def _close(self, *, clean: bool) -> None:
        file, self._file = self._file, None
        if file is not None:
            file.close(clean=clean)


def _check_callback(callback: Callback) -> Callback:
    if not callable(callback):
        text = f"callback must be callable with (msg, prev_msg), not {callback!r}"
        raise InvalidField(text, field="callback", value=callback)
    return callback


def _check_item(item: object) -> IDStoreItem:
    if not isinstance(item, IDStoreItem):
        raise InvalidField(f"a MessageIDStore holds IDStoreItems, not {item!r}", field="item", value=item)
    return item
