"""The Context: an I/O thread and a dispatch thread around the tracker (manual, "Library Context").

This file owns threads, the lock round the tracker and the life of the sockets. What is said to the
exchange and when is the tracker's; what is done with an answer is the processor's.
"""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import threading
import weakref
from collections import deque
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any

import zmq

from ledgerx.api.client import v0_0_1 as api
from ledgerx.clock import SYSTEM_CLOCK, Clock
from ledgerx.errors import (
    ConnectTimeout,
    Error,
    IncompleteProcessor,
    InvalidField,
    InvalidMessage,
    InvalidState,
    Retryable,
)
from ledgerx.protocol.crypto import KeyPair, check_key
from ledgerx.protocol.ports import Address
from ledgerx.protocol.wire import AnyMessage
from ledgerx.sdk.book import LocalBook
from ledgerx.sdk.context_settings import ContextSettings
from ledgerx.sdk.dispatch import Dispatcher
from ledgerx.sdk.events import Event
from ledgerx.sdk.feed import FEED_KINDS, Feed
from ledgerx.sdk.items import RequestItem
from ledgerx.sdk.link import LinkState
from ledgerx.sdk.processor import MessageProcessor
from ledgerx.sdk.states import State
from ledgerx.sdk.store import MessageIDStore
from ledgerx.sdk.tracker import Tracker
from ledgerx.sdk.transport import Transport

__all__ = ["FEED_KINDS", "Context"]

_POLL_MAX_S = 1.0
_END_S = 1.0  # what closing may take beyond sending
_FEED_SILENT_INTERVALS_MAX = 4
_FRAMES_READ_MAX = 200  # in one turn, so that sending is never starved

logging.getLogger("ledgerx").addHandler(logging.NullHandler())


class Context:
    """A connection to one exchange, behaving like a Thread.

    `fqdn` is the exchange's host, with the request port if it is not the default one (`HOST:PORT`;
    the publish port is the next one, the HTTP port the one before, unless given). `private` and
    `public` are the client's keys and `server_public_key` the exchange's: 40 Z85 bytes or 32 raw ones.
    `processor` is a MessageProcessor subclass or an instance of one. `store` keeps the requests in
    progress; one is made if none is given. `settings` are this Context's own numbers in place of those of
    `ledgerx.sdk.settings`.

    The threads are daemons, so that a program may end while they run; what was sent before is flushed
    at the interpreter's exit. Every method may be called from any thread, handlers included.

    Raises InvalidKey, InvalidAddress, InvalidField.
    """

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
        settings: ContextSettings | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self.address = Address.of(fqdn, request_port, publish_port, http_port)
        self._keys = KeyPair(check_key(public, "public key"), check_key(private, "private key"))
        self._server_key = check_key(server_public_key, "server public key")
        self._processor = _check_processor(processor)
        self.store = MessageIDStore() if store is None else store
        self.settings = ContextSettings() if settings is None else settings
        self._clock = clock
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._tracker = Tracker(
            instance=clock.unique_hex(),
            make_mid=clock.unique_hex,
            random=clock.random,
            store=self.store,
            settings=self.settings.tracker,
            owner=self,
        )
        self._feed = Feed(self)
        self._feed_heard_at = 0.0
        self._feed_read = False  # not while its handlers are far behind
        self._books_to_ask: deque[LocalBook] = deque()
        self._dispatcher: Dispatcher | None = None
        self._thread: threading.Thread | None = None
        self._stopping = False
        self._ended = False  # the I/O thread will do nothing more
        self._wake_read, self._wake_write = -1, -1
        self._transport: Transport | None = None

    # ------------------------------------------------------------------ like a Thread

    def start(self) -> None:
        """Start the threads. Returns at once; `wait_connected` waits for the exchange's greeting.

        Raises IncompleteProcessor (a TypeError) naming the handlers that the processor lacks, and
        InvalidState (a RuntimeError) if it was started or stopped before.
        """
        self._check_startable()
        processor = _complete(self._processor)
        with self._lock:
            self._check_startable()
            self._dispatcher = Dispatcher(processor, self._dispatched, "ledgerx-dispatch")
            self._wake_read, self._wake_write = os.pipe()
            os.set_blocking(self._wake_write, False)
            self._thread = threading.Thread(target=self._run, name="ledgerx-io", daemon=True)
        processor.context = self
        _RUNNING.add(self)
        self._dispatcher.thread.start()
        self._thread.start()

    def stop(self) -> None:
        """End the threads. Returns at once; stopping twice is fine.

        What was submitted is sent first, if the exchange takes it within `settings.close_timeout_s`.
        """
        with self._lock:
            self._stopping = True
            self._changed.notify_all()
            self._wake()

    def join(self, timeout: float | None = None) -> None:
        """Wait until the threads end, `timeout` seconds at most. Does not stop them.

        Raises InvalidState if not started, or on the Context's own threads.
        """
        thread, dispatcher = self._thread, self._dispatcher
        if thread is None or dispatcher is None:
            raise InvalidState("cannot join a Context before it is started")
        if threading.current_thread() in (thread, dispatcher.thread):
            raise InvalidState("cannot join a Context from one of its handlers: call stop() there")
        end = None if timeout is None else self._clock.monotonic() + timeout
        thread.join(timeout)
        dispatcher.thread.join(None if end is None else max(0.0, end - self._clock.monotonic()))

    def is_alive(self) -> bool:
        """Whether the I/O thread runs."""
        return self._thread is not None and self._thread.is_alive()

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
        state = "running" if self.is_alive() else "stopped" if self._stopping else "not started"
        return f"<{type(self).__name__} {self.address.host}:{self.address.request_port} {state}>"

    # ------------------------------------------------------------------ what a program asks

    @property
    def connected(self) -> bool:
        """Whether the exchange has answered on the present connection."""
        return self._tracker.link.state is LinkState.UP and not self._ended

    @property
    def run_id(self) -> int:
        """The exchange's latest run that this Context has heard of; 0 before the first contact.

        `handle_run_change` is called later, when everything of the run before was dispatched.
        """
        return self._tracker.run_id

    def wait_connected(self, timeout: float | None = None) -> None:
        """Wait until the exchange has answered, `timeout` seconds (default: CONNECT_TIMEOUT_S).

        Raises what kept it from answering (ClientKeyRefused, ServerKeyMismatch, VenueUnreachable),
        ConnectTimeout if nothing did, InvalidState if the Context is not running.
        """
        limit = self.settings.connect_timeout_s if timeout is None else timeout
        self._check_running()
        if self.wait_until(lambda: self.connected, limit):
            return
        self._check_running()
        with self._lock:
            failure = self._tracker.failure
            if failure is None and self._transport is not None:
                failure = self._transport.unanswered()
        raise failure or ConnectTimeout(f"{self!r} had no answer in {limit} s")

    def submit(self, message: AnyMessage, *, wait: bool = True) -> RequestItem:
        """Send one request; returns its item. For extension: programs use `Commands`.

        Waits until the ACK has arrived, ACK_TIMEOUT_S at most; after that the item is returned as SENT
        and goes on being resent. Does not wait with `wait=False` or on the dispatch thread. Raises
        InvalidMessage, InvalidField, QueueFull, and InvalidState when the Context is not running.
        """
        with self._lock:
            self._check_running()
            item = self._tracker.submit(message, self._clock.monotonic())
            self._wake()
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
        with self._lock:
            self._check_running()
            batch, members = self._tracker.submit_batch(requests, self._clock.monotonic())
            self._wake()
        self._wait_acknowledged(batch, wait)
        return batch, members

    def subscribe(self, kind: str, contract_id: int | None = None) -> None:
        """Have a kind of public message dispatched, of one contract or of all (None).

        `kind` is one of FEED_KINDS. All book tops are subscribed to from the start.
        """
        with self._lock:
            self._feed.subscribe(kind, contract_id)
            self._wake()

    def unsubscribe(self, kind: str, contract_id: int | None = None) -> None:
        """End a subscription made with the same arguments; `("book_top")` ends the default one."""
        with self._lock:
            self._feed.unsubscribe(kind, contract_id)
            self._wake()

    def book(self, contract_id: int) -> LocalBook:
        """The local book of a contract, kept from the public feed from now on.

        It is there at once and true after `wait_synchronised`. Raises InvalidState once the Context ended.
        """
        with self._lock:
            if self._ended:
                raise InvalidState("the Context has ended: make another one")
            book = self._feed.book(contract_id)
            self._wake()
        return book

    # ------------------------------------------------------------------ what items ask (Owner)

    def wait_until(self, condition: Callable[[], bool], timeout: float | None) -> bool:
        """Wait until `condition()` holds, the Context ends, or `timeout` seconds pass."""
        if self.is_dispatching():
            if not condition():
                raise InvalidState("a handler cannot wait for an answer: it would wait for itself")
            return True
        with self._changed:
            self._changed.wait_for(lambda: condition() or self._ended, timeout)
            return condition()

    def callback_set(self, item: RequestItem) -> None:
        """A callback was set: answers that were dispatched before are due to it."""
        if self._dispatcher is not None:
            self._dispatcher.put([Event("", (), item)])

    def abandon(self, item: RequestItem) -> None:
        """Give a request up."""
        with self._lock:
            self._tracker.abandon(item, self._clock.monotonic())
            self._changed.notify_all()

    # ------------------------------------------------------------------ what books ask (BookOwner)

    def ask_snapshot(self, book: LocalBook) -> None:
        """Ask for a book's state on its behalf. Either thread of the Context; it may hold the lock."""
        self._books_to_ask.append(book)

    def is_dispatching(self) -> bool:
        """Whether the caller runs on the dispatch thread, so is a handler or a callback."""
        return self._dispatcher is not None and self._dispatcher.is_current()

    # ------------------------------------------------------------------ inside

    def _check_startable(self) -> None:
        if self._thread is not None or self._stopping:
            raise InvalidState("a Context can be started once, and not after stop(): make another one")

    def _check_running(self) -> None:
        if self._thread is None or self._stopping:
            state = "stopped" if self._stopping else "not started yet"
            raise InvalidState(f"the Context is {state}: call start() first, once")

    def _wait_acknowledged(self, item: RequestItem, wait: bool) -> None:
        if wait and not self.is_dispatching():
            self.wait_until(lambda: item.state is not State.SENT, self.settings.ack_timeout_s)

    def _wake(self) -> None:
        """Have the I/O thread look at the tracker. Called with the lock held."""
        if self._wake_write >= 0:
            with contextlib.suppress(BlockingIOError):  # it is being woken already
                os.write(self._wake_write, b"\0")

    def _dispatched(self, event: Event) -> None:
        """An event's handler and callback returned. Dispatch thread."""
        if event.sequence == 0 and event.item is None:
            return
        with self._lock:
            self._tracker.dispatched(event, self._clock.monotonic())
            if self._tracker.has_output or self._books_to_ask:
                self._wake()
            self._changed.notify_all()

    def _run(self) -> None:
        """The I/O thread."""
        assert self._dispatcher is not None
        ctx: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        linger_s = 0.0
        try:
            while not self._stopping:
                self._turn(ctx)
            end = self._clock.monotonic() + self.settings.close_timeout_s
            self._flush(ctx, end)
            if self.connected:  # what waits for a connection would linger in vain
                linger_s = max(0.0, end - self._clock.monotonic())
            self._dispatcher.stop()
        except Exception as error:
            self._dispatcher.put([Event("handle_error", (error,))])
            self._dispatcher.stop(after_waiting=True)
        finally:
            self._end(ctx, linger_s)

    def _end(self, ctx: zmq.Context[zmq.Socket[bytes]], linger_s: float) -> None:
        """Close all there is and tell who waits. I/O thread, its last act."""
        self._close_transport(int(linger_s * 1000))
        with self._lock:
            self._stopping = self._ended = True
            os.close(self._wake_read)
            os.close(self._wake_write)
            self._wake_write = -1
            self._feed.ended()
            self._changed.notify_all()
        ctx.term()
        _RUNNING.discard(self)

    def _turn(self, ctx: zmq.Context[zmq.Socket[bytes]], wait_max_s: float = _POLL_MAX_S) -> None:
        now = self._clock.monotonic()
        with self._lock:
            if self._tracker.link.state is LinkState.DOWN:
                self._close_transport(0)
            if self._tracker.link.should_open(now):
                self._open_transport(ctx, now)
            wait_s = min(max(0.0, self._tracker.next_deadline() - now), wait_max_s)
        ready = self._poll(wait_s)
        with self._lock:
            self._read(ready)
            now = self._clock.monotonic()
            if self._feed_silent(now):
                self._tracker.connection_lost(now, Retryable("the public feed has been silent for too long"))
            if self._transport is not None and self._tracker.link.greeting_expired(now):
                self._tracker.connection_lost(now, self._transport.unanswered())
            self._ask_snapshots(now)
            self._tracker.tick(now)
            self._write()
            events = self._tracker.take_events()
            self._changed.notify_all()  # an ACK is no event while an earlier message is missing
            for event in events:
                self._feed.mark(event)
        assert self._dispatcher is not None
        self._dispatcher.put(events)

    def _poll(self, wait_s: float) -> set[Any]:
        assert self._dispatcher is not None
        poller = zmq.Poller()
        poller.register(self._wake_read, zmq.POLLIN)
        transport = self._transport
        if transport is not None:
            flags = zmq.POLLIN | (zmq.POLLOUT if self._tracker.has_output else 0)
            poller.register(transport.request, flags)
            self._feed_read = self._dispatcher.public_waiting < self.settings.feed_backlog_max
            if self._feed_read:
                poller.register(transport.feed, zmq.POLLIN)
            for monitor in transport.monitors:
                poller.register(monitor, zmq.POLLIN)
        return {source for source, _ in poller.poll(int(wait_s * 1000) + 1)}

    def _read(self, ready: set[Any]) -> None:
        """Take what the sockets have. Signs of life are read before silence is judged."""
        if self._wake_read in ready:
            os.read(self._wake_read, 4096)
        transport, dispatcher = self._transport, self._dispatcher
        if transport is None or dispatcher is None:
            return
        for add, topic in self._feed.take_changes():
            if add:
                transport.feed.subscribe(topic)
            else:
                transport.feed.unsubscribe(topic)
        if transport.request in ready:
            for frame in _drain(transport.request):
                self._tracker.receive(frame[-1], self._clock.monotonic())
        if transport.feed in ready:
            self._feed_heard_at = self._clock.monotonic()
            for topic, data in _drain(transport.feed):
                dispatcher.put(self._feed.receive(topic, data))
        for monitor in list(transport.monitors):
            reason = transport.lost(monitor) if monitor in ready else None
            if reason is not None:
                self._tracker.connection_lost(self._clock.monotonic(), reason)

    def _ask_snapshots(self, now: float) -> None:
        while self._books_to_ask:
            book = self._books_to_ask.popleft()
            request = api.MessageGetBookState(contract_id=book.contract_id)
            item = self._tracker.submit(request, now, internal=True)
            item.callback = book.snapshot

    def _feed_silent(self, now: float) -> bool:
        """Whether the feed says nothing while the requests' connection lives: it must be made anew."""
        link, grace_s = self._tracker.link, self.settings.heartbeat_grace_ms / 1000
        return (
            link.state is LinkState.UP
            and self._feed_read
            and now > self._feed_heard_at + _FEED_SILENT_INTERVALS_MAX * link.interval_s + grace_s
        )

    def _write(self) -> None:
        transport = self._transport
        while transport is not None and self._tracker.link.state is not LinkState.DOWN:
            frame = self._tracker.output()
            if frame is None:
                return
            if not transport.send(frame):
                self._tracker.unsend()
                return

    def _open_transport(self, ctx: zmq.Context[zmq.Socket[bytes]], now: float) -> None:
        self._close_transport(0)
        self._feed.disconnected()
        self._feed_heard_at = now
        self._tracker.connection_opened(now)
        try:
            self._transport = Transport(ctx, self.address, self._keys, self._server_key)
        except Error as error:
            self._tracker.connection_lost(now, error)
            return
        self._transport.subscribe(self._feed.topics())

    def _close_transport(self, linger_ms: int) -> None:
        if self._transport is not None:
            self._transport.close(linger_ms)
            self._transport = None

    def _flush(self, ctx: zmq.Context[zmq.Socket[bytes]], end: float) -> None:
        """Before the end: what was submitted leaves, if the exchange takes it by then."""
        while self._tracker.has_unsent_requests and (left_s := end - self._clock.monotonic()) > 0:
            self._turn(ctx, min(left_s, _POLL_MAX_S))


def _drain(socket: zmq.Socket[bytes]) -> list[list[bytes]]:
    frames: list[list[bytes]] = []
    with contextlib.suppress(zmq.Again):
        while len(frames) < _FRAMES_READ_MAX:
            frames.append(socket.recv_multipart(zmq.NOBLOCK))
    return frames


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
os.register_at_fork(after_in_child=_RUNNING.clear)  # the threads stayed with the parent


@atexit.register
def _close_all() -> None:
    running = list(_RUNNING)
    for context in running:
        context.stop()
    for context in running:
        with contextlib.suppress(Error):
            context.join(context.settings.close_timeout_s + _END_S)
