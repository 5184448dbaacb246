"""A session under asyncio: the same core as `session.Session`, on the callbacks of an event loop.

All that comes is taken in as it comes, up to `queue_frames_max` frames that nobody took; what is due is done
by a timer. So nothing needs a task, and whoever waits here waits for one of them to change something.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import socket
from collections.abc import AsyncIterator
from types import TracebackType

from ledgerx.clock import SYSTEM_CLOCK, Clock
from ledgerx.errors import ConnectionError as ConnectionLost
from ledgerx.errors import Error, SocketDisconnected
from ledgerx.streaming_api import seto_pb2 as seto
from ledgerx.streaming_api.aio_link import AsyncLink, open_link
from ledgerx.streaming_api.connection import SessionSettings
from ledgerx.streaming_api.core import CoreSettings, Phase, Role, SessionCore
from ledgerx.streaming_api.payloads import Frame
from ledgerx.streaming_api.session import login_of

__all__ = ["AsyncSession"]

_WRITE_BYTES = 65_536


class AsyncSession:
    """As `session.Session`: one sequenced session, which a new connection resumes.

    It belongs to one event loop, whose tasks may all use it at once. No call waits longer than the settings'
    `socket_timeout` (seconds) for the venue to say or to take something: it raises the streaming
    ConnectionError then, and the connection is closed. `number` counts the sessions: it grows where
    what was sent and not answered is lost.
    """

    def __init__(
        self,
        settings: SessionSettings,
        account_sequence: int | None = None,
        *,
        core_settings: CoreSettings | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self.settings = settings
        self.number = 0
        self._core_settings = core_settings
        self._clock = clock
        self._core = self._new_core(account_sequence)
        self._link: AsyncLink | None = None
        self._connecting = asyncio.Lock()
        self._opening: asyncio.Task[AsyncLink] | None = None
        self._ends = 0
        self._changed = asyncio.Event()  # replaced after each change
        self._heard_at = 0.0  # when something came last
        self._heard = 0  # how often something came
        self._written = 0  # how many bytes the kernel took
        self._stalled_since: float | None = None  # since when it takes none of what there is
        self._reading_on = False  # what TLS holds will be read without the socket's being ready
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0  # when it goes off

    async def __aenter__(self) -> AsyncSession:
        await self.connect()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.disconnect()

    async def __aiter__(self) -> AsyncIterator[Frame]:
        while True:
            core = self._core
            try:
                frame = await self.next_frame()
            except SocketDisconnected:
                if core.over and core.closed_by is None:
                    return  # logged out
                raise
            yield frame

    def __repr__(self) -> str:
        return f"<AsyncSession {self.settings.host}:{self.settings.port} {self._core.phase.name}>"

    # ------------------------------------------------------------------ what it is

    @property
    def connected(self) -> bool:
        """Whether there is a connection, as far as is known."""
        return self._link is not None

    @property
    def logged_in(self) -> bool:
        """Whether the login was accepted and the session has not ended."""
        return self._link is not None and self._core.phase is Phase.OPEN

    @property
    def raw_socket(self) -> socket.socket | None:
        """The socket, which does not block and which nothing else must read; None without a connection."""
        return None if self._link is None else self._link.raw_socket

    @property
    def session(self) -> str:
        """The session's name, from the answer to the login; empty before."""
        return self._core.session

    @property
    def inseq(self) -> int:
        """The sequence expected next."""
        return self._core.inseq

    @property
    def outseq(self) -> int:
        """The sequence of the next payload sent."""
        return self._core.outseq

    @property
    def account_sequence(self) -> int | None:
        """The largest sequence of the account among the frames delivered."""
        return self._core.account_sequence

    @property
    def output_buffer_size(self) -> int:
        """How many bytes the kernel has not taken yet."""
        return self._core.output_bytes

    # ------------------------------------------------------------------ connection

    async def connect(self) -> None:
        """Connect and send the login, if not connected already; of several tasks one connects.

        Raises the streaming ConnectionError, without credentials before any byte is sent, and
        SocketDisconnected where `disconnect` is called meanwhile.
        """
        login = login_of(self.settings)
        async with self._connecting:
            if self.connected:
                return
            self._forget()
            link = await self._open()
            self._link, self._stalled_since, self._heard_at = link, None, self._clock.monotonic()
            self._core.login(login, self._heard_at)
            self._tick()
            try:
                await self.flush()
            except BaseException:
                if self._link is link:
                    self._forget()
                raise

    async def disconnect(self) -> None:
        """Close the connection at once and forget what came and was not read.

        Tasks that wait for something of the session get SocketDisconnected.
        """
        self._ends += 1
        if self._opening is not None:
            self._opening.cancel()
        self._forget()

    async def logout(self) -> None:
        """Say that the session ends, wait for the confirmation, and close. What came before can be read.

        Raises the streaming errors where the connection fails first.
        """
        core = self._core
        if not self.connected:
            raise SocketDisconnected("there is no session to log out of: connect() first")
        since = self._clock.monotonic()
        while core.phase is Phase.LOGIN:
            await self._hear(core, since)  # what waits for the login's answer must leave before the logout
        if not core.over:
            core.logout(self._clock.monotonic())
            self._write()
            self._tick()
        while not core.over:
            await self._hear(core, since)
        if core.closed_by is not None:
            raise core.closed_by

    async def send_logout(self) -> None:
        """Say that the session ends, and do not wait for the confirmation. Raises the streaming errors."""
        if not self.connected:
            raise SocketDisconnected("there is no session to log out of: connect() first")
        self._core.logout(self._clock.monotonic())
        self._tick()
        await self.flush()

    # ------------------------------------------------------------------ out

    def send(self, payload: seto.Payload) -> None:
        """Number a payload and put it into the buffer; before the login's answer it waits.

        Raises SocketDisconnected when the session is over, QueueFull where too much waits.
        """
        self._core.send(payload, self._clock.monotonic())

    async def flush(self) -> None:
        """Send all that is in the buffer; returns when the kernel took it.

        Raises SocketDisconnected without a connection, the streaming ConnectionError where it fails or the
        venue takes nothing in `socket_timeout` seconds.
        """
        core = self._core
        if self._link is None:
            raise SocketDisconnected("flushing a session that is not connected: connect() first")
        end = self._written + len(core.output)
        self._write()
        while self._written < end and not core.over:
            await self._changed.wait()  # the timer ends the session where nothing is taken in time
        if self._written < end:
            raise _end_of(core)

    # ------------------------------------------------------------------ in

    async def read(self) -> None:
        """Wait until a frame is there or anything comes, up to `socket_timeout` seconds.

        Raises the streaming errors where nothing more will come.
        """
        core = self._core
        if core.ready:
            await asyncio.sleep(0)  # a loop of reads lets others run
            return
        heard, since = self._heard, self._clock.monotonic()
        while heard == self._heard and not core.ready:
            await self._hear(core, since)

    async def next_frame(self) -> Frame:
        """The next payload in order. Waits as long as something comes at least every `socket_timeout` s.

        Raises the streaming errors where nothing more will come.
        """
        core, since = self._core, self._clock.monotonic()
        while (frame := self._take(core)) is None:
            await self._hear(core, since)
        return frame

    def take_frame(self) -> Frame | None:
        """The next payload, None where none is there now."""
        return self._take(self._core)

    # ------------------------------------------------------------------ within

    def _new_core(self, account_sequence: int | None) -> SessionCore:
        self.number += 1
        return SessionCore(
            Role.CLIENT,
            self._clock.monotonic(),
            settings=self._core_settings,
            account_sequence=account_sequence,
        )

    async def _open(self) -> AsyncLink:
        """A new connection, unless `disconnect` is called meanwhile."""
        self._opening = opening = asyncio.get_running_loop().create_task(open_link(self.settings))
        ends = self._ends
        try:
            link = await opening
            if self._ends != ends:
                link.close()
                raise SocketDisconnected("disconnected while connecting")
            return link
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if opening.cancelled() and not (task is not None and task.cancelling()):
                raise SocketDisconnected("disconnected while connecting") from error
            if opening.done() and not opening.cancelled() and opening.exception() is None:
                opening.result().close()
            raise
        finally:
            self._opening = None

    def _take(self, core: SessionCore) -> Frame | None:
        full = not core.wants_data
        frame = core.next_frame()
        if full and core is self._core and self._link is not None and core.wants_data:
            self._watch(self._link)  # there is room again
        return frame

    async def _hear(self, core: SessionCore, since: float) -> None:
        """Wait for a change; raises where the session is over, or nothing came in time since `since`."""
        if core.over:
            raise _end_of(core)
        if self._link is None or core is not self._core:
            raise SocketDisconnected("reading a session that is not connected: connect() first")
        changed, limit = self._changed, self.settings.socket_timeout
        if limit is None or not core.wants_data:  # what comes is not read: the core's own times are left
            await changed.wait()
            return
        end = max(since, self._heard_at) + limit
        try:
            async with asyncio.timeout(max(0.0, end - self._clock.monotonic())):
                await changed.wait()
        except TimeoutError:
            if not changed.is_set():
                text = f"nothing came from {self.settings.host} in socket_timeout, {limit} s"
                self._lose(ConnectionLost(text))

    def _forget(self) -> None:
        """Close, end the waits, and begin a new session unless this one was never begun."""
        self._close()
        core = self._core
        if core.phase is not Phase.CONNECTED:
            core.lost(SocketDisconnected("disconnected meanwhile"))
            core.clear_received()
            self._core = self._new_core(core.account_sequence)
        self._wake()

    def _lose(self, error: Error) -> None:
        self._core.lost(error)
        self._close()
        self._wake()

    def _close(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            link.close()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    def _on_readable(self) -> None:
        link, core = self._link, self._core
        if link is None or not core.wants_data:
            return
        try:
            data = link.receive()
        except ConnectionLost as error:
            self._lose(error)
            return
        if data:
            self._heard_at = self._clock.monotonic()
            self._heard += 1
            core.receive(data, self._heard_at)
            self._wake()
        elif data is not None:
            core.receive_eof()
        if link.write_wants_read:
            self._write()
        self._tick()

    def _read_on(self) -> None:
        self._reading_on = False
        self._on_readable()

    def _on_writable(self) -> None:
        link = self._link
        self._write()
        if link is not None and link.read_wants_write:
            self._on_readable()

    def _write(self) -> None:
        """Give the kernel what it takes now; the rest is given to it when it takes more."""
        link, core, written = self._link, self._core, self._written
        if link is None:
            return
        try:
            while core.output and (count := link.send(bytes(core.output[:_WRITE_BYTES]))):
                core.sent(count)
                self._written += count
        except ConnectionLost as error:
            self._take_rest(link)
            self._lose(error)
            return
        progress = self._written > written
        if not core.output:
            self._stalled_since = None
        elif self._stalled_since is None or progress:
            self._stalled_since = self._clock.monotonic()
            self._arm(self._stalled_until())
        if progress:
            self._wake()
        self._watch(link)

    def _take_rest(self, link: AsyncLink) -> None:
        """Take in what came before a connection failed: it may say why, and what became of requests."""
        core = self._core
        with contextlib.suppress(ConnectionLost):
            while core.wants_data and (data := link.receive()):
                core.receive(data, self._clock.monotonic())

    def _tick(self) -> None:
        """Do what is due; called when something is, and after everything that came."""
        link, core = self._link, self._core
        if link is None:
            return
        now = self._clock.monotonic()
        if not core.wants_data:
            core.receive(b"", now)  # it is not the venue that is silent: nobody takes the frames
        due = core.tick(now)
        if core.urgent:
            self._write()
        if self._link is not link:
            return
        if now >= self._stalled_until():
            seconds = self.settings.socket_timeout
            self._lose(ConnectionLost(f"{self.settings.host} took nothing in socket_timeout, {seconds} s"))
            return
        self._watch(link)
        self._arm(due)

    def _stalled_until(self) -> float:
        """Until when the venue must take something."""
        limit = self.settings.socket_timeout
        return math.inf if limit is None or self._stalled_since is None else self._stalled_since + limit

    def _watch(self, link: AsyncLink) -> None:
        """Be called for what can be done now; close where the session is over."""
        core = self._core
        if core.over:
            self._close()
            self._wake()
            return
        writing = self._stalled_since is not None and not link.write_wants_read
        link.watch(
            self._on_readable if core.wants_data else None,
            self._on_writable if writing or link.read_wants_write else None,
        )
        if core.wants_data and link.pending and not self._reading_on:
            self._reading_on = True
            asyncio.get_running_loop().call_soon(self._read_on)

    def _arm(self, due: float) -> None:
        """Have `_tick` called at a time of the clock, or before it."""
        if self._link is None or (self._timer is not None and self._due <= due):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._due = due
        delay = max(0.0, due - self._clock.monotonic())
        self._timer = asyncio.get_running_loop().call_later(delay, self._go_off)

    def _go_off(self) -> None:
        self._timer = None
        self._tick()


def _end_of(core: SessionCore) -> Error:
    return core.closed_by or SocketDisconnected("the session is over")
