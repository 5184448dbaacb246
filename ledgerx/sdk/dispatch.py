"""The dispatch thread: it alone calls the user's code, one event at a time."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Iterable

from ledgerx.errors import Error, StoreError
from ledgerx.protocol.wire import AnyMessage
from ledgerx.sdk.events import Event
from ledgerx.sdk.items import RequestItem
from ledgerx.sdk.processor import MessageProcessor
from ledgerx.sdk.threads import DaemonThread

__all__ = ["Dispatcher"]

logger = logging.getLogger("ledgerx.sdk")

_HEARTBEAT = "handle_heartbeat"


class Dispatcher:
    """Calls handlers, then callbacks, then `done(event)`; at the thread's end `ended`.

    What a handler raises, SystemExit too, reaches `handle_error`, and what that raises the log: the
    thread goes on, since the next message is not to be lost for it. Only where `done` raises StoreError it
    ends, once `handle_error` was told: what it dispatched from then on would not be remembered.
    """

    def __init__(
        self,
        processor: MessageProcessor,
        done: Callable[[Event], None],
        ended: Callable[[StoreError | None], None],
        name: str,
    ) -> None:
        self._processor = processor
        self._done = done
        self._ended = ended
        self._current: Event | None = None
        self._queue: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self._stopping = False
        self._last: Event | None = None
        self._public_lock = threading.Lock()
        self._public_waiting = 0
        self._heartbeat_waits = False
        self._stepping: threading.Thread | None = None
        self.thread = DaemonThread(self._run, name)

    @property
    def public_waiting(self) -> int:
        """How many messages of the public feed wait for their handler."""
        return self._public_waiting

    def put(self, events: Iterable[Event]) -> None:
        """Queue events. Any thread. A heartbeat is left out while another one waits: it says no more."""
        for event in events:
            if event.handler == _HEARTBEAT:
                if self._heartbeat_waits:
                    continue
                self._heartbeat_waits = True
            if event.public:
                with self._public_lock:
                    self._public_waiting += 1
            self._queue.put(event)

    def stop(self, *, after_waiting: bool = False, last: Event | None = None) -> None:
        """End the thread after the call it is in; what waits is dispatched only if asked for, `last` is."""
        self._last = last
        self._stopping = not after_waiting
        self._queue.put(None)

    @property
    def redelivered(self) -> bool:
        """Whether the message in hand may have been dispatched by a process that was killed."""
        event = self._current
        return event is not None and event.redelivered and self.is_current()

    def is_current(self) -> bool:
        """Whether the caller runs on the dispatch thread."""
        return threading.current_thread() in (self.thread, self._stepping)

    def step(self) -> bool:
        """Dispatch one event on the caller's thread, for a driver that starts none; whether one waited."""
        try:
            event = self._queue.get_nowait()
        except queue.Empty:
            return False
        self._stepping = threading.current_thread()
        try:
            if event is not None:
                self._dispatch(event)
        finally:
            self._stepping = None
        return True

    def _run(self) -> None:
        failure: StoreError | None = None
        try:
            while not self._stopping and (event := self._queue.get()) is not None:
                if not self._stopping:
                    self._dispatch(event)
            if self._last is not None:
                self._dispatch(self._last)
        except StoreError as error:
            failure = error
            self._report(error)
        self._ended(failure)

    def _dispatch(self, event: Event) -> None:
        self._current = event
        if event.handler == _HEARTBEAT:
            self._heartbeat_waits = False
        self._call(event)
        if event.public:
            with self._public_lock:
                self._public_waiting -= 1
        self._done(event)

    def _call(self, event: Event) -> None:
        if event.handler:
            if logger.isEnabledFor(logging.DEBUG):
                logger.debug("%s", _line(event.handler, event.arguments))
            self._guarded(getattr(self._processor, event.handler), *event.arguments)
        if event.item is not None:
            if event.arguments:
                event.item.keep(*event.arguments)
            self._deliver(event.item)

    def _deliver(self, item: RequestItem) -> None:
        """Give the callback what it has not had: more than one answer if it was set late."""
        for answer, previous in item.undelivered():
            if logger.isEnabledFor(logging.DEBUG):
                logger.debug("%s", _line("callback", (answer, previous)))
            self._guarded(item.callback, answer, previous)

    def _guarded(self, function: Callable[..., object], *arguments: object) -> None:
        try:
            function(*arguments)
        except Exception as error:
            self._report(error)
        except BaseException as exit_:
            wrapped = Error(f"{function!r} raised {exit_!r}, which ends neither the thread nor the program")
            wrapped.__cause__ = exit_
            self._report(wrapped)

    def _report(self, error: Exception) -> None:
        try:
            self._processor.handle_error(error)
        except BaseException:
            logger.exception("handle_error raised while reporting %r", error)


def _line(called: str, arguments: tuple[object, ...]) -> str:
    """One call as the log shows it at level DEBUG: `handle_status_message(MessageStatus 300, ...)`."""
    return f"{called}({', '.join(_name(argument) for argument in arguments)})"


def _name(argument: object) -> str:
    """A message as its kind and, where it has one, its status; anything else as it prints."""
    if not isinstance(argument, AnyMessage):
        return repr(argument)
    status = getattr(argument, "status", None) or getattr(argument, "status_type", None)
    return type(argument).__name__ + (f" {status}" if status else "")
