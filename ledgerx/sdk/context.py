"""The Context: an I/O thread and a dispatch thread around the tracker (manual, "Library Context").

This file is what a program holds: it behaves like a Thread, takes requests and subscriptions, and closes in
order. The sockets are io_thread.py's, the protocol is the tracker's, the answers are the processor's.
"""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import threading
import weakref
from collections.abc import Iterable
from types import TracebackType
from typing import Self

from ledgerx.clock import SYSTEM_CLOCK, Clock
from ledgerx.errors import (
    ConnectTimeout,
    Error,
    IncompleteProcessor,
    InvalidField,
    InvalidMessage,
    InvalidState,
)
from ledgerx.protocol.crypto import KeyPair, check_key
from ledgerx.protocol.ports import Address
from ledgerx.protocol.wire import AnyMessage
from ledgerx.sdk.book import LocalBook
from ledgerx.sdk.context_settings import ContextSettings
from ledgerx.sdk.feed import FEED_KINDS, Listener
from ledgerx.sdk.io_thread import IOThread
from ledgerx.sdk.items import RequestItem
from ledgerx.sdk.processor import MessageProcessor
from ledgerx.sdk.states import State
from ledgerx.sdk.store import MessageIDStore

__all__ = ["FEED_KINDS", "Context"]

_END_S = 1.0  # what closing may take beyond sending

logging.getLogger("ledgerx").addHandler(logging.NullHandler())


class Context:
    """A connection to one exchange, behaving like a Thread.

    `fqdn` is the exchange's host, with the request port if it is not the default one (`HOST:PORT`;
    the publish port is the next one, the HTTP port the one before, unless given). `private` and
    `public` are the client's keys and `server_public_key` the exchange's: 40 Z85 bytes or 32 raw ones.
    `processor` is a MessageProcessor subclass or an instance of one. `store` keeps the requests in
    progress; one is made if none is given. The numbers it obeys are those of `ledgerx.sdk.settings` when it
    is made; `with_settings` gives others.

    The threads are daemons, so that a program may end while they run; what was sent before is flushed
    at the interpreter's exit. Every method may be called from any thread, handlers included, and `stop`
    from a signal's handler too. A forked process makes a Context of its own.

    Raises InvalidKey, InvalidAddress, InvalidField.
    """

    #: This class's own numbers, None for those of `ledgerx.sdk.settings`.
    given_settings: ContextSettings | None = None

    #: Where it gets its time and its randomness.
    clock: Clock = SYSTEM_CLOCK

    def __init__(
        self,
        fqdn: str,
        private: bytes | str,
        public: bytes | str,
        server_public_key: bytes | str,
        processor: type[MessageProcessor] | MessageProcessor,
        *,
        store: MessageIDStore | None = None,
        request_port: int | None = None,
        publish_port: int | None = None,
        http_port: int | None = None,
    ) -> None:
        self.address = Address.of(fqdn, request_port, publish_port, http_port)
        keys = KeyPair(check_key(public, "public key"), check_key(private, "private key"))
        self._processor = _check_processor(processor)
        self.store = MessageIDStore() if store is None else store
        self.settings = self.given_settings or ContextSettings()
        self._io = IOThread(
            self.address,
            keys,
            check_key(server_public_key, "server public key"),
            store=self.store,
            settings=self.settings,
            clock=self.clock,
            on_end=lambda: _RUNNING.discard(self),
        )

    @classmethod
    def with_settings(cls, settings: ContextSettings | None, clock: Clock = SYSTEM_CLOCK) -> type[Self]:
        """The same class with numbers, or a clock, of its own: `Context.with_settings(mine)(fqdn, ...)`.

        None stands for the numbers of `ledgerx.sdk.settings`.
        """
        return type(cls.__name__, (cls,), {"given_settings": settings, "clock": clock})

    # ------------------------------------------------------------------ like a Thread

    def start(self) -> None:
        """Start the threads. Returns at once; `wait_connected` waits for the exchange's greeting.

        Raises IncompleteProcessor (a TypeError) naming the handlers that the processor lacks, and
        InvalidState (a RuntimeError) if it was started or stopped before, or its store is another Context's;
        StoreMismatch where the store's file is of another account or exchange.
        """
        self._io.check_startable()
        processor = _complete(self._processor)
        processor.context = self
        self._io.start(processor)
        _RUNNING.add(self)

    def stop(self) -> None:
        """End the threads. Returns at once; stopping twice is fine.

        What was submitted is sent first, if the exchange takes it within `settings.close_timeout_s`;
        `handle_error` is told of what could not be sent, with OutcomeUnknown.
        """
        self._io.stop()

    def join(self, timeout: float | None = None) -> None:
        """Wait until the threads end, `timeout` seconds at most. Does not stop them.

        Raises InvalidState if not started, or on the Context's own threads.
        """
        thread, dispatcher = self._io.thread, self._io.dispatcher
        if thread is None or dispatcher is None:
            raise InvalidState("cannot join a Context before it is started")
        if threading.current_thread() in (thread, dispatcher.thread):
            raise InvalidState("cannot join a Context from one of its handlers: call stop() there")
        end = None if timeout is None else self.clock.monotonic() + timeout
        thread.join(timeout)
        dispatcher.thread.join(None if end is None else max(0.0, end - self.clock.monotonic()))

    def is_alive(self) -> bool:
        """Whether the I/O thread runs."""
        return self._io.is_alive()

    def __enter__(self) -> Context:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()
        with contextlib.suppress(InvalidState):  # left on the dispatch thread
            self.join(self.settings.close_timeout_s + _END_S)

    def __repr__(self) -> str:
        state = "running" if self.is_alive() else "stopped" if self._io.stopping else "not started"
        return f"<{type(self).__name__} {self.address.host}:{self.address.request_port} {state}>"

    # ------------------------------------------------------------------ what a program asks

    @property
    def connected(self) -> bool:
        """Whether the exchange has answered on the present connection."""
        return self._io.connected

    @property
    def run_id(self) -> int:
        """The exchange's latest run that this Context has heard of; 0 before the first contact.

        `handle_run_change` is called later, when everything of the run before was dispatched.
        """
        return self._io.tracker.run_id

    @property
    def redelivered(self) -> bool:
        """Whether the handler or callback that asks may have been called for this message before.

        At most one message after the start of a process that took over the durable store of a killed one:
        what its handler wrote with `store.transaction()` is not in the file, other effects may stand.
        """
        dispatcher = self._io.dispatcher
        return dispatcher is not None and dispatcher.redelivered

    def wait_connected(self, timeout: float | None = None) -> None:
        """Wait until the exchange has answered, `timeout` seconds (default: CONNECT_TIMEOUT_S).

        Raises what kept it from answering (ClientKeyRefused, ServerKeyMismatch, VenueUnreachable),
        ConnectTimeout if nothing did, InvalidState if the Context is not running.
        """
        limit = self.settings.connect_timeout_s if timeout is None else timeout
        self._io.check_running()
        if self._io.wait_until(lambda: self.connected, limit):
            return
        self._io.check_running()
        raise self._io.failure() or ConnectTimeout(f"{self!r} had no answer in {limit} s")

    def submit(self, message: AnyMessage, *, wait: bool = True) -> RequestItem:
        """Send one request; returns its item. For extension: programs use `Commands`.

        Waits until the ACK has arrived, ACK_TIMEOUT_S at most; after that the item is returned as SENT
        and goes on being resent. Does not wait with `wait=False` or on the dispatch thread. Raises
        InvalidMessage, InvalidField, QueueFull, InvalidState when the Context is not running, and with a
        durable store StoreBusy and StoreWriteFailed: the request did not leave then.
        """
        with self._io.lock:
            self._io.check_running()
            item = self._io.tracker.submit(message, self.clock.monotonic())
            self._io.wake()
        self._io.keep(item)
        self._wait_acknowledged(item, wait)
        return item

    def submit_batch(
        self, messages: Iterable[AnyMessage], *, wait: bool = True
    ) -> tuple[RequestItem, list[RequestItem]]:
        """Send requests to be run in the order given; returns the batch's item and the members'.

        Waits and raises as `submit` does.
        """
        if not isinstance(messages, Iterable):
            raise InvalidMessage(f"messages must be an iterable of requests, not {messages!r}")
        requests = list(messages)
        with self._io.lock:
            self._io.check_running()
            batch, members = self._io.tracker.submit_batch(requests, self.clock.monotonic())
            self._io.wake()
        self._io.keep(batch)
        self._wait_acknowledged(batch, wait)
        return batch, members

    def subscribe(self, kind: str, contract_id: int | None = None) -> None:
        """Have a kind of public message dispatched, of one contract or of all (None).

        `kind` is one of FEED_KINDS. All book tops are subscribed to from the start.
        """
        with self._io.lock:
            self._io.feed.subscribe(kind, contract_id)
            self._io.wake()

    def unsubscribe(self, kind: str, contract_id: int | None = None) -> None:
        """End a subscription made with the same arguments; `("book_top")` ends the default one."""
        with self._io.lock:
            self._io.feed.unsubscribe(kind, contract_id)
            self._io.wake()

    def listen(self, kind: str, contract_id: int | None, listener: Listener) -> None:
        """Have `listener` called with each public message of a kind, of one contract or of all (None).

        It is called on the I/O thread as the message arrives, so it must return at once and must not raise:
        put the message into a queue. The processor is not called for it.
        """
        with self._io.lock:
            self._io.feed.listen(kind, contract_id, listener)
            self._io.wake()

    def unlisten(self, listener: Listener) -> None:
        """Call `listener` no more, for whatever it was made to listen to."""
        with self._io.lock:
            self._io.feed.unlisten(listener)
            self._io.wake()

    def book(self, contract_id: int) -> LocalBook:
        """The local book of a contract, kept from the public feed from now on.

        It is there at once and true after `wait_synchronised`. Raises InvalidState once the Context ended.
        """
        with self._io.lock:
            if self._io.ended:
                raise InvalidState("the Context has ended: make another one")
            book = self._io.feed.book(contract_id)
            self._io.wake()
        return book

    # ------------------------------------------------------------------ inside

    def _wait_acknowledged(self, item: RequestItem, wait: bool) -> None:
        if wait and not self._io.is_dispatching():
            self._io.wait_until(lambda: item.state is not State.SENT, self.settings.ack_timeout_s)


def _check_processor(processor: object) -> type[MessageProcessor] | MessageProcessor:
    known = isinstance(processor, type) and issubclass(processor, MessageProcessor)
    if not known and not isinstance(processor, MessageProcessor):
        text = f"processor must be a MessageProcessor subclass or an instance of one, not {processor!r}"
        raise InvalidField(text, field="processor", value=processor)
    return processor  # type: ignore[return-value]


def _complete(processor: type[MessageProcessor] | MessageProcessor) -> MessageProcessor:
    if isinstance(processor, MessageProcessor):
        return processor
    missing = sorted(getattr(processor, "__abstractmethods__", ()))
    if missing:
        raise IncompleteProcessor(f"{processor.__name__} lacks {', '.join(missing)}: define each of them")
    return processor()


# Contexts whose threads run, for an orderly close at the interpreter's exit.
_RUNNING: weakref.WeakSet[Context] = weakref.WeakSet()


def _forked() -> None:
    """In a forked child: the threads stayed with the parent."""
    for context in list(_RUNNING):
        context._io.forked()
    _RUNNING.clear()


os.register_at_fork(after_in_child=_forked)


@atexit.register
def _close_all() -> None:
    running = list(_RUNNING)
    for context in running:
        context.stop()
    for context in running:
        with contextlib.suppress(Error):
            context.join(context.settings.close_timeout_s + _END_S)
