"""The I/O thread of a Context: it alone touches the sockets, and drives the tracker and the feed.

The tracker and the feed are shared with the threads that submit and dispatch; `lock` guards them, and is
never held while user code runs. What is said to the exchange and when is the tracker's; this file reads,
writes, and makes a new connection when the old one is gone.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

import zmq

from ledgerx.api.client import v0_0_1 as api
from ledgerx.clock import Clock
from ledgerx.errors import Error, InvalidState, OutcomeUnknown, Retryable, StoreError
from ledgerx.protocol.crypto import KeyPair
from ledgerx.protocol.ports import Address
from ledgerx.protocol.sockets import AnyContext, AnySocket
from ledgerx.sdk.book import LocalBook
from ledgerx.sdk.context_settings import ContextSettings
from ledgerx.sdk.dispatch import Dispatcher
from ledgerx.sdk.events import Event
from ledgerx.sdk.feed import Feed
from ledgerx.sdk.items import RequestItem
from ledgerx.sdk.link import LinkState
from ledgerx.sdk.processor import MessageProcessor
from ledgerx.sdk.records import Row
from ledgerx.sdk.store import MessageIDStore
from ledgerx.sdk.threads import DaemonThread
from ledgerx.sdk.tracker import Tracker
from ledgerx.sdk.transport import Transport

__all__ = ["IOThread"]

_POLL_MAX_S = 1.0
_FEED_SILENT_INTERVALS_MAX = 4
_FRAMES_READ_MAX = 200  # in one turn, so that sending is never starved


class IOThread:
    """The thread, what it drives, and what it shares.

    `lock` guards `tracker` and `feed`; `changed` is notified when a request's state, the connection or the
    thread's own life may have changed. `ended` calls back when the thread's last act is done.

    `connect` and `poller` are the seam for a network that is no network: a driver that gives its own
    calls `prepare` in place of `start`, then `turn`, and `step` of the dispatcher (ledgerx.testing does).
    """

    def __init__(
        self,
        address: Address,
        keys: KeyPair,
        server_key: bytes,
        *,
        store: MessageIDStore,
        settings: ContextSettings,
        clock: Clock,
        on_end: Callable[[], object],
        connect: Callable[[AnyContext], Transport] | None = None,
        poller: Callable[[], zmq.Poller] = zmq.Poller,
    ) -> None:
        self.address = address
        self.settings = settings
        # Reentrant, since a signal's handler that calls stop() may interrupt a call that holds it.
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self.tracker = Tracker(
            instance=clock.unique_hex(),
            make_mid=clock.unique_hex,
            random=clock.random,
            store=store,
            settings=settings.tracker,
            owner=self,
            durable=store.path is not None,
        )
        self._store = store
        self._store_owner = {"account": keys.public.decode(), "exchange": server_key.decode()}
        self._store_failure: StoreError | None = None
        self._threads = 0  # how many of the two have not ended
        self.feed = Feed(self)
        self.dispatcher: Dispatcher | None = None
        self.thread: DaemonThread | None = None
        self.stopping = False
        self.ended = False  # the thread will do nothing more
        self._forked = False  # the thread is another process's
        self._on_end = on_end
        self._connect = connect or (lambda ctx: Transport(ctx, address, keys, server_key))
        self._poller = poller
        self._clock = clock
        self._feed_heard_at = 0.0
        self._feed_read = False  # not while its handlers are far behind
        self._books_to_ask: deque[LocalBook] = deque()
        self._wake_read, self._wake_write = -1, -1
        self._transport: Transport | None = None

    # ------------------------------------------------------------------ its life

    def check_startable(self) -> None:
        """Raise InvalidState where the thread was started or stopped before."""
        if self.thread is not None or self.stopping:
            raise InvalidState("a Context can be started once, and not after stop(): make another one")

    def check_running(self) -> None:
        """Raise InvalidState where nothing can be asked of the thread."""
        if self._forked:
            raise InvalidState("the Context's threads stayed with the process that forked: make one here")
        if self.thread is None or self.stopping:
            if self._store.file is not None and self.is_dispatching():
                return  # a handler's last requests are stored, and sent by the next Context of the store
            state = "stopped" if self.stopping else "not started yet"
            if self._store_failure is not None:
                state = f"stopped, for its store failed ({self._store_failure})"
            raise InvalidState(f"the Context is {state}: call start() first, once")

    def start(self, processor: MessageProcessor) -> None:
        """Start this thread and the dispatch thread, which calls `processor`.

        Raises InvalidState, and StoreMismatch for a store of another account or exchange.
        """
        with self.lock:
            self.check_startable()
            dispatcher = self.prepare(processor)
            self._threads = 2
            self._wake_read, self._wake_write = os.pipe()
            os.set_blocking(self._wake_write, False)
            self.thread = DaemonThread(self._run, "ledgerx-io")
        dispatcher.thread.start()
        self.thread.start()

    def prepare(self, processor: MessageProcessor) -> Dispatcher:
        """Take the store, make the dispatcher that calls `processor`, and start nothing."""
        self._claim_store()
        self.dispatcher = Dispatcher(processor, self._dispatched, self._dispatch_ended, "ledgerx-dispatch")
        return self.dispatcher

    def _claim_store(self) -> None:
        saved = self._store.claim(**self._store_owner)
        if saved is not None and self._store.file is not None:
            self._store.file.in_handler = self.is_dispatching
            self._store.file.busy_timeout_s = self.settings.ack_timeout_s
            self.tracker.resume(saved, self._clock.monotonic(), self._clock.wall_ns())

    def stop(self) -> None:
        """Have both threads end; what was submitted is sent first. Returns at once."""
        with self.lock:
            self.stopping = True
            self.changed.notify_all()
            self.wake()

    def forked(self) -> None:
        """The process is a fork of the one that the threads are of: nothing will be done any more.

        Whatever thread held the lock stayed with the parent, so it would never be released here.
        """
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self.stopping = self.ended = self._forked = True
        self._wake_write = -1  # the pipe leads to the parent's thread

    def is_alive(self) -> bool:
        """Whether the thread runs."""
        return self.thread is not None and self.thread.is_alive()

    def wake(self) -> None:
        """Have the thread look at the tracker. Called with the lock held."""
        if self._wake_write >= 0:
            with contextlib.suppress(BlockingIOError):  # it is being woken already
                os.write(self._wake_write, b"\0")

    @property
    def connected(self) -> bool:
        """Whether the exchange has answered on the present connection."""
        return self.tracker.link.state is LinkState.UP and not self.ended

    def failure(self) -> Error | None:
        """Why there is no connection, as far as is known."""
        with self.lock:
            failure = self.tracker.failure
            if failure is None and self._transport is not None:
                failure = self._transport.unanswered()
            return failure

    # ------------------------------------------------------------------ what items ask (Owner)

    def wait_until(self, condition: Callable[[], bool], timeout: float | None) -> bool:
        """Wait until `condition()` holds, the Context ends, or `timeout` seconds pass."""
        if self.is_dispatching():
            if not condition():
                raise InvalidState("a handler cannot wait for an answer: it would wait for itself")
            return True
        with self.changed:
            self.changed.wait_for(lambda: condition() or self.ended, timeout)
            return condition()

    def callback_set(self, item: RequestItem) -> None:
        """A callback was set: answers that were dispatched before are due to it."""
        if self.dispatcher is not None:
            self.dispatcher.put([Event("", (), item)])

    def abandon(self, item: RequestItem) -> None:
        """Give a request up. Raises StoreBusy, StoreWriteFailed where a durable store cannot be told."""
        if self._store.file is not None and item.place:
            self._store.file.forget([each.place for each in (*item.members, item)])
        with self.lock:
            self.tracker.abandon(item, self._clock.monotonic())
            self.changed.notify_all()

    # ------------------------------------------------------------------ a durable store

    def keep(self, item: RequestItem) -> None:
        """Store a request that was just submitted, before it leaves; without a durable store do nothing.

        Raises StoreBusy, StoreWriteFailed or InvalidState; the request is withdrawn then.
        """
        if not item.place:
            return
        try:
            with self.lock:
                rows = self.tracker.durability.rows(item)
            if self._store.file is None:
                raise InvalidState("the Context has ended: the request was not sent")
            stored = self._store.file.insert(rows, self._clock.wall_ns())
        except Error:
            with self.lock:
                self.tracker.withdraw(item, self._clock.monotonic())
                self.changed.notify_all()
            raise
        if stored:
            with self.lock:
                self.tracker.durability.saved(rows)
                self.wake()

    def _save(self) -> None:
        """What has to be stored before requests leave and no submitting thread has. I/O thread, lock held.

        While a handler's transaction lasts they go on waiting, and the thread does not.
        """
        unsaved = self.tracker.durability.to_save()
        file = self._store.file
        if unsaved and file is not None and file.save(unsaved, self._clock.wall_ns()):
            self.tracker.durability.saved(unsaved.rows, unsaved.position)

    def _commit(self, event: Event) -> list[Row]:
        """Store that an event was dispatched; returns the requests that its handler's transaction brought."""
        file = self._store.file
        if file is None:
            return []
        with self.lock:
            progress = self.tracker.progress(event)
        return file.commit(progress)  # a slow disk delays the next handler, not the I/O thread

    def _dispatch_ended(self, failure: StoreError | None) -> None:
        """The dispatch thread's last act. If it ended for the store's failure, all of the Context ends."""
        with self.lock:
            self._store_failure = failure
        if failure is not None:
            self.stop()
        self._thread_ended()

    def _thread_ended(self) -> None:
        with self.lock:
            self._threads -= 1
            last = self._threads == 0
        if last:
            self._store.release(clean=self._store_failure is None)

    # ------------------------------------------------------------------ what books ask (BookOwner)

    def ask_snapshot(self, book: LocalBook) -> None:
        """Ask for a book's state on its behalf. Either thread of the Context; it may hold the lock."""
        self._books_to_ask.append(book)

    def is_dispatching(self) -> bool:
        """Whether the caller runs on the dispatch thread, so is a handler or a callback."""
        return self.dispatcher is not None and self.dispatcher.is_current()

    # ------------------------------------------------------------------ the loop

    def _dispatched(self, event: Event) -> None:
        """An event's handler and callback returned. Dispatch thread. Raises StoreError."""
        rows = self._commit(event)
        if event.sequence == 0 and event.item is None and not rows:
            return
        with self.lock:
            self.tracker.durability.saved(rows)
            self.tracker.dispatched(event, self._clock.monotonic())
            if self.tracker.has_output or self._books_to_ask or self.tracker.durability.holds:
                self.wake()
            self.changed.notify_all()

    def _run(self) -> None:
        """The I/O thread."""
        assert self.dispatcher is not None
        ctx: AnyContext = zmq.Context()
        linger_s = 0.0
        try:
            while not self.stopping:
                self.turn(ctx)
            end = self._clock.monotonic() + self.settings.close_timeout_s
            self._flush(ctx, end)
            if self.connected:  # what waits for a connection would linger in vain
                linger_s = max(0.0, end - self._clock.monotonic())
            self.dispatcher.stop(last=self._left_behind())
        except Exception as error:
            self.dispatcher.put([Event("handle_error", (error,))])
            self.dispatcher.stop(after_waiting=True)
        finally:
            self._end(ctx, linger_s)

    def _end(self, ctx: AnyContext, linger_s: float) -> None:
        """Close all there is and tell who waits. I/O thread, its last act."""
        self._close_transport(int(linger_s * 1000))
        with self.lock:
            self.stopping = self.ended = True
            os.close(self._wake_read)
            os.close(self._wake_write)
            self._wake_write = -1
            self.feed.ended()
            self.changed.notify_all()
        ctx.term()
        self._thread_ended()
        self._on_end()

    def turn(self, ctx: AnyContext, wait_max_s: float = _POLL_MAX_S) -> None:
        """One turn of the loop: wait, read, let the tracker act, write, pass events on."""
        now = self._clock.monotonic()
        with self.lock:
            if self.tracker.link.state is LinkState.DOWN:
                self._close_transport(0)
            if self.tracker.link.should_open(now):
                self._open_transport(ctx, now)
            wait_s = min(max(0.0, self.tracker.next_deadline() - now), wait_max_s)
        ready = self._poll(wait_s)
        now = self._clock.monotonic()  # of the poll: what comes while the lock is waited for was not read
        with self.lock:
            self._read(ready)
            if self._feed_silent(now):
                self.tracker.connection_lost(now, Retryable("the public feed has been silent for too long"))
            if self._transport is not None and self.tracker.link.greeting_expired(now):
                self.tracker.connection_lost(now, self._transport.unanswered())
            self._ask_snapshots(now)
            self.tracker.tick(now)
            self._save()
            self._write()
            events = self.tracker.take_events()
            self.changed.notify_all()  # an ACK is no event while an earlier message is missing
            for event in events:
                self.feed.mark(event)
        assert self.dispatcher is not None
        self.dispatcher.put(events)

    def _poll(self, wait_s: float) -> set[Any]:
        assert self.dispatcher is not None
        poller = self._poller()
        poller.register(self._wake_read, zmq.POLLIN)
        transport = self._transport
        if transport is not None:
            flags = zmq.POLLIN | (zmq.POLLOUT if self.tracker.has_output else 0)
            poller.register(transport.request, flags)
            self._feed_read = self.dispatcher.public_waiting < self.settings.feed_backlog_max
            if self._feed_read:
                poller.register(transport.feed, zmq.POLLIN)
            for monitor in transport.monitors:
                poller.register(monitor, zmq.POLLIN)
        return {source for source, _ in poller.poll(int(wait_s * 1000) + 1)}

    def _read(self, ready: set[Any]) -> None:
        """Take what the sockets have. Signs of life are read before silence is judged."""
        if self._wake_read in ready:
            os.read(self._wake_read, 4096)
        transport, dispatcher = self._transport, self.dispatcher
        if transport is None or dispatcher is None:
            return
        for add, topic in self.feed.take_changes():
            if add:
                transport.feed.subscribe(topic)
            else:
                transport.feed.unsubscribe(topic)
        if transport.request in ready:
            for frame in _drain(transport.request):
                self.tracker.receive(frame[-1], self._clock.monotonic())
        if transport.feed in ready:
            self._feed_heard_at = self._clock.monotonic()
            for topic, data in _drain(transport.feed):
                dispatcher.put(self.feed.receive(topic, data))
        for monitor in list(transport.monitors):
            reason = transport.lost(monitor) if monitor in ready else None
            if reason is not None:
                self.tracker.connection_lost(self._clock.monotonic(), reason)

    def _ask_snapshots(self, now: float) -> None:
        while self._books_to_ask:
            book = self._books_to_ask.popleft()
            request = api.MessageGetBookState(contract_id=book.contract_id)
            item = self.tracker.submit(request, now, internal=True)
            item.callback = book.answer()

    def _feed_silent(self, now: float) -> bool:
        """Whether the feed says nothing while the requests' connection lives: it must be made anew."""
        link, grace_s = self.tracker.link, self.settings.heartbeat_grace_ms / 1000
        return (
            link.state is LinkState.UP
            and self._feed_read
            and now > self._feed_heard_at + _FEED_SILENT_INTERVALS_MAX * link.interval_s + grace_s
        )

    def _write(self) -> None:
        transport = self._transport
        while transport is not None and self.tracker.link.state is not LinkState.DOWN:
            frame = self.tracker.output()
            if frame is None:
                return
            if not transport.send(frame):
                self.tracker.unsend()
                return

    def _open_transport(self, ctx: AnyContext, now: float) -> None:
        self._close_transport(0)
        self.feed.disconnected()
        self._feed_heard_at = now
        self.tracker.connection_opened(now)
        try:
            self._transport = self._connect(ctx)
        except Error as error:
            self.tracker.connection_lost(now, error)
            return
        self._transport.subscribe(self.feed.topics())

    def _close_transport(self, linger_ms: int) -> None:
        if self._transport is not None:
            self._transport.close(linger_ms)
            self._transport = None

    def _left_behind(self) -> Event | None:
        """What the user is told last where the exchange did not take all that was submitted."""
        if not self.tracker.has_unsent_requests:
            return None
        count, limit = len(self.tracker.outstanding), self.settings.close_timeout_s
        requests = "request" if count == 1 else "requests"
        text = f"{count} unacknowledged {requests} could not be sent in {limit:g} s before the end"
        return Event("handle_error", (OutcomeUnknown(f"{text}: each may or may not have been carried out"),))

    def _flush(self, ctx: AnyContext, end: float) -> None:
        """Before the end: what was submitted leaves, if the exchange takes it by then."""
        while self.tracker.has_unsent_requests and (left_s := end - self._clock.monotonic()) > 0:
            self.turn(ctx, min(left_s, _POLL_MAX_S))


def _drain(socket: AnySocket) -> list[list[bytes]]:
    frames: list[list[bytes]] = []
    with contextlib.suppress(zmq.Again):
        while len(frames) < _FRAMES_READ_MAX:
            frames.append(socket.recv_multipart(zmq.NOBLOCK))
    return frames
