"""The dispatch thread: it alone calls the user's code, one event at a time."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Iterable

from ledgerx.errors import Error
from ledgerx.protocol.wire import AnyMessage
from ledgerx.sdk.events import Event
from ledgerx.sdk.items import RequestItem
from ledgerx.sdk.processor import MessageProcessor
from ledgerx.sdk.threads import DaemonThread

__all__ = ["Dispatcher"]

logger = logging.getLogger("ledgerx.sdk")


class Dispatcher:
    """Calls handlers, then callbacks, then `done(event)`.

    What a handler raises, SystemExit too, reaches `handle_error`, and what that raises the log: the
    thread goes on, since the next message is not to be lost for it.
    """

    def __init__(self, processor: MessageProcessor, done: Callable[[Event], None], name: str) -> None:
        self._processor = processor
        self._done = done
        self._queue: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self._stopping = False
        self._last: Event | None = None
        self._public_lock = threading.Lock()
        self._public_waiting = 0
        self.thread = DaemonThread(self._run, name)

    @property
    def public_waiting(self) -> int:
        """How many messages of the public feed wait for their handler."""
        return self._public_waiting

    def put(self, events: Iterable[Event]) -> None:
        """Queue events. Any thread."""
        for event in events:
            if event.public:
                with self._public_lock:
                    self._public_waiting += 1
            self._queue.put(event)

    def stop(self, *, after_waiting: bool = False, last: Event | None = None) -> None:
        """End the thread after the call it is in; what waits is dispatched only if asked for, `last` is."""
        self._last = last
        self._stopping = not after_waiting
        self._queue.put(None)

    def is_current(self) -> bool:
        """Whether the caller runs on the dispatch thread."""
        return threading.current_thread() is self.thread

    def step(self) -> bool:
        """Dispatch one event on the caller's thread, for a driver that starts none; whether one waited."""
        try:
            event = self._queue.get_nowait()
        except queue.Empty:
            return False
        if event is not None:
            self._dispatch(event)
        return True

    def _run(self) -> None:
        while True:
            event = self._queue.get()
            if event is None or self._stopping:
                break
            self._dispatch(event)
        if self._last is not None:
            self._call(self._last)

    def _dispatch(self, event: Event) -> None:
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
