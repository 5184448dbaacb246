"""The session without I/O: sequences both ways, login, replay, heartbeats, logout; client and gateway alike.

Bytes and a time go in (`receive`, `tick`), frames come out (`next_frame`), bytes to send wait in `output`.
Nothing raises out of `receive`: what is wrong becomes `closed_by`, after which nothing more is taken in.
Frames that came before it can still be read.

    CONNECTED --login, sent or taken--> LOGIN --response--> OPEN --logout--> CLOSING --flushed--> CLOSED
"""

from __future__ import annotations

import enum
from collections import deque
from dataclasses import dataclass

from ledgerx.errors import ConnectionError as ConnectionLost
from ledgerx.errors import (
    Error,
    LoginError,
    LoginTimeout,
    ParseError,
    QueueFull,
    SocketDisconnected,
)
from ledgerx.streaming_api import eto_pb2 as eto
from ledgerx.streaming_api import seto_pb2 as seto
from ledgerx.streaming_api.framing import FRAME_BYTES_MAX, Deframer, frame_encode
from ledgerx.streaming_api.payloads import (
    Frame,
    account_sequence_of,
    admin,
    admin_bytes,
    gapfill_bytes,
    parse,
    replayed_bytes,
    serialise,
)
from ledgerx.streaming_api.sequences import Received, Sent

__all__ = ["CoreSettings", "Phase", "Role", "SessionCore"]

# An enumeration's value costs a lookup in the schema each time.
_ETO, _LOGIN, _REPLAY = int(seto.PAYLOAD_ETO), int(seto.PAYLOAD_LOGIN), int(eto.PAYLOAD_REPLAY)
_RESET_MAX = 2**63  # far from where sequences end
_REPLAY_ROOM_BYTES = 64 * 1024  # no replay while more than this waits to be sent
_SILENT_INTERVALS = 2  # without a byte, after which the other end is asked whether it is there
_LATER_REASONS = {  # logouts after which the same login may succeed later
    eto.LOGOUT_HEARTBEAT_TIMEOUT,
    eto.LOGOUT_LOGIN_TIMEOUT,
    eto.LOGOUT_SERVICE_TEMPORARILY_UNAVAILABLE,
    eto.LOGOUT_DOWNTIME,
}


class Role(enum.Enum):
    """Which end of the session this is."""

    CLIENT = "client"
    GATEWAY = "gateway"


class Phase(enum.Enum):
    """How far the session is. Only a phase further down follows."""

    CONNECTED = 1  # nothing was said yet
    LOGIN = 2  # the login was sent, or taken and not answered yet
    OPEN = 3
    CLOSING = 4  # a logout is on its way
    CLOSED = 5


@dataclass(frozen=True, slots=True)
class CoreSettings:
    """The session's times and caps."""

    heartbeat_s: float = 10.0
    login_timeout_s: float = 30.0
    gap_timeout_s: float = 10.0
    logout_timeout_s: float = 10.0
    frame_bytes_max: int = FRAME_BYTES_MAX
    held_frames_max: int = 10_000  # payloads ahead of a gap
    held_bytes_max: int = 16 * 1024 * 1024
    queue_frames_max: int = 100_000  # in order and not read; above it `wants_data` is False
    output_bytes_max: int = 16 * 1024 * 1024
    sent_payloads_max: int = 10_000  # kept for a replay
    sent_bytes_max: int = 4 * 1024 * 1024


class SessionCore:
    """One end of one connection.

    `closed_by` says why it is over, None for a logout that was confirmed. `logout_reason` is that of the
    logout that came or went, where there was one; `logged_out` says that the other end asked for it.
    """

    def __init__(
        self,
        role: Role,
        now: float,
        *,
        settings: CoreSettings | None = None,
        inseq: int = 1,
        account_sequence: int | None = None,
    ) -> None:
        self.settings = settings or CoreSettings()
        self.role = role
        self.phase = Phase.CONNECTED
        self.closed_by: Error | None = None
        self.logout_reason: int | None = None
        self.logged_out = False
        self.session = ""
        self.account_sequence = account_sequence
        self.outseq = 1
        self.output = bytearray()
        self.urgent = False  # there is output that must not wait for the user's flush
        self._deframer = Deframer(self.settings.frame_bytes_max)
        self._received = Received(inseq, self.settings.held_frames_max, self.settings.held_bytes_max)
        self._ready: deque[Frame] = deque()
        self._sent = Sent(self.settings.sent_payloads_max, self.settings.sent_bytes_max)
        self._waiting: deque[seto.Payload] = deque()  # sent before the login was answered
        self._waiting_bytes = 0
        self._begun = self._last_sent = self._last_received = now
        self._gap_since: float | None = None
        self._closing_since = now
        self._pinged = False
        self._replay_from: int | None = None  # the other end asked for what was sent from here on

    # ------------------------------------------------------------------ what it is

    @property
    def inseq(self) -> int:
        """The sequence expected next."""
        return self._received.next

    @property
    def last_received(self) -> float:
        """When something came last, or the session's begin."""
        return self._last_received

    @property
    def output_bytes(self) -> int:
        """What waits to be sent, with what waits for the login's answer."""
        return len(self.output) + self._waiting_bytes

    @property
    def ready(self) -> int:
        """How many frames `next_frame` has."""
        return len(self._ready)

    @property
    def wants_data(self) -> bool:
        """Whether there is room for more to be received.

        A gateway has none either while its client does not read: most of what a client sends is answered. A
        client that logs out takes all in, for the confirmation is behind it.
        """
        settings = self.settings
        if self.role is Role.CLIENT and self.phase is Phase.CLOSING:
            return True
        if self.role is Role.GATEWAY and len(self.output) > settings.output_bytes_max:
            return False
        return self.phase is not Phase.CLOSED and len(self._ready) < settings.queue_frames_max

    @property
    def over(self) -> bool:
        """Whether nothing more will be received."""
        return self.phase is Phase.CLOSED

    # ------------------------------------------------------------------ out

    def send(self, payload: seto.Payload, now: float) -> None:
        """Number a payload and put its frame into `output`; before the login's answer it waits, in order.

        Raises SocketDisconnected when the session is over, QueueFull above `output_bytes_max`, InvalidMessage
        where the payload lacks a field.
        """
        if self.phase in (Phase.CLOSING, Phase.CLOSED):
            raise SocketDisconnected("the session is over: connect() before sending")
        if self.output_bytes > self.settings.output_bytes_max:
            waiting, cap = self.output_bytes, self.settings.output_bytes_max
            raise QueueFull(f"{waiting} bytes wait to be sent, above output_bytes_max, {cap}: flush() first")
        if self.phase is Phase.OPEN:
            self._stamp(payload, now)
            return
        data = serialise(payload, self.outseq)
        self._waiting.append(seto.Payload.FromString(data))
        self._waiting_bytes += len(data)

    def login(self, login: seto.Login, now: float) -> None:
        """Client: the first payload, always number 1."""
        payload = admin(eto.PAYLOAD_LOGIN)
        payload.type = seto.PAYLOAD_LOGIN
        payload.login.CopyFrom(login)
        if self.account_sequence is not None:
            payload.login.account_sequence = 0
            payload.login.account_sequence_64 = self.account_sequence
        self._begun = now
        self._stamp(payload, now)
        self.phase = Phase.LOGIN

    def accept(self, session: str, now: float, account_sequence: int | None = None) -> None:
        """Gateway: answer the login; what was sent before is numbered after it.

        `account_sequence` is the account's last message from before those that the session will tell.
        """
        payload = admin(eto.PAYLOAD_LOGIN_RESPONSE)
        if account_sequence is not None:
            payload.eto_payload.login_response.account_sequence_64 = account_sequence
        payload.eto_payload.login_response.session = session
        payload.eto_payload.login_response.reset = self._received.next
        self.session = session
        self._stamp(payload, now)
        self._open(now)

    def logout(self, now: float, reason: int = eto.LOGOUT_NONE) -> None:
        """Say that the session ends. A client waits for a confirmation; a gateway is done when it is sent."""
        if self.phase in (Phase.CLOSING, Phase.CLOSED):
            return
        payload = admin(eto.PAYLOAD_LOGOUT)
        payload.eto_payload.logout.reason = reason  # type: ignore[assignment]
        self._stamp(payload, now)
        self.logout_reason = reason
        self.phase = Phase.CLOSING
        self._closing_since = now
        self.urgent = True

    def sent(self, count: int) -> None:
        """So many bytes of `output` are on their way."""
        del self.output[:count]
        if self._replay_from is not None:
            self._replay()
        if self.output:
            return
        self.urgent = False
        if self.phase is Phase.CLOSING and self.role is Role.GATEWAY:
            self.phase = Phase.CLOSED

    # ------------------------------------------------------------------ in

    def receive(self, data: bytes, now: float) -> None:
        """Take in what came. Never raises: `closed_by` says what was wrong with it."""
        if self.over:
            return
        self._last_received = now
        self._pinged = False
        for raw in self._deframer.feed(data):
            try:
                payload = parse(raw)
            except ParseError as error:
                self._close(error)
                return
            self._take(Frame(raw, payload), now)
            if self.phase is Phase.CLOSED:
                return
        if self._replay_from is not None:
            self._replay()
        if self._deframer.error is not None:
            self._close(self._deframer.error)

    def throttle(self, now: float) -> None:
        """Gateway: tell the client that what it asked was not done, for it asks too much."""
        if self.phase is Phase.OPEN:
            self._say(eto.PAYLOAD_THROTTLE_EXCEEDED, now)

    def receive_eof(self) -> None:
        """The other end closed the connection."""
        if not self.over:
            self._close(SocketDisconnected("the other end closed the connection"))

    def lost(self, error: Error) -> None:
        """The connection failed."""
        if not self.over:
            self._close(error)

    def next_frame(self) -> Frame | None:
        """The next payload in order, or None where none is there now."""
        if not self._ready:
            return None
        frame = self._ready.popleft()
        sequence = account_sequence_of(frame.protobuf)
        if sequence > (self.account_sequence or 0):
            self.account_sequence = sequence
        return frame

    def clear_received(self) -> None:
        """Drop what came and was not read."""
        self._ready.clear()

    # ------------------------------------------------------------------ time

    def tick(self, now: float) -> float:
        """Do what is due; the time at which something will be, unless something comes before."""
        settings = self.settings
        if self.over:
            return now + settings.heartbeat_s
        if self.phase in (Phase.CONNECTED, Phase.LOGIN):
            return self._tick_login(now)
        if self.phase is Phase.CLOSING:
            deadline = self._closing_since + settings.logout_timeout_s
            if now >= deadline:
                self._close(ConnectionLost("the logout was not confirmed in time"))
            return deadline
        if self._gap_since is not None and now >= self._gap_since + settings.gap_timeout_s:
            self._close(
                ConnectionLost(f"payload {self.inseq} did not come again in {settings.gap_timeout_s} s")
            )
            return now
        return self._tick_open(now)

    def _tick_login(self, now: float) -> float:
        deadline = self._begun + self.settings.login_timeout_s
        if now >= deadline:
            error = LoginTimeout(f"the login was not answered in {self.settings.login_timeout_s} s")
            if self.role is Role.GATEWAY:
                self.logout(now, eto.LOGOUT_LOGIN_TIMEOUT)
            else:
                self._close(error)
        return deadline

    def _tick_open(self, now: float) -> float:
        interval = self.settings.heartbeat_s
        silent = self._last_received + interval * _SILENT_INTERVALS
        if now >= silent + interval:
            if self.role is Role.GATEWAY:
                self.logout(now, eto.LOGOUT_HEARTBEAT_TIMEOUT)
            else:
                self._close(ConnectionLost(f"nothing came for {now - self._last_received:.0f} s"))
            return now
        if now >= silent and not self._pinged:
            self._pinged = True
            self._say(eto.PAYLOAD_PING, now)
        elif now >= self._last_sent + interval:
            self._say(eto.PAYLOAD_HEARTBEAT, now)
        due = min(self._last_sent + interval, silent + interval if self._pinged else silent)
        if self._gap_since is not None:
            due = min(due, self._gap_since + self.settings.gap_timeout_s)
        return due

    # ------------------------------------------------------------------ within

    def _stamp(self, payload: seto.Payload, now: float) -> None:
        data = serialise(payload, self.outseq)
        frame_encode(self.output, data)
        self._sent.add(self.outseq, None if payload.type <= _LOGIN else data)
        self.outseq += 1
        self._last_sent = now

    def _say(self, kind: int, now: float) -> None:
        """Send an admin payload without fields, which must not wait for the user's flush."""
        frame_encode(self.output, admin_bytes(kind, self.outseq))
        self._sent.add(self.outseq, None)
        self.outseq += 1
        self._last_sent = now
        self.urgent = True

    def _open(self, now: float) -> None:
        self.phase = Phase.OPEN
        while self._waiting:
            self._stamp(self._waiting.popleft(), now)
        self._waiting_bytes = 0
        self.urgent = True

    def _close(self, error: Error | None) -> None:
        self.phase = Phase.CLOSED
        self.closed_by = error

    def _take(self, frame: Frame, now: float) -> None:
        message = frame.protobuf.eto_payload
        seq, received = message.seq, self._received
        expected = received.next
        if message.type == _REPLAY and seq >= expected and self.phase is Phase.OPEN:
            # Also ahead of a gap: the other end waits for it. Of several the one that asks for most is done.
            asked = message.replay.seq
            self._replay_from = asked if self._replay_from is None else min(asked, self._replay_from)
        if seq == expected:
            received.next = seq + 1
            self._deliver(frame, now)
            if received.held:
                self._release(now)
        elif seq > expected:
            self._ahead(seq, frame, now)
        # What is behind was delivered before.

    def _ahead(self, seq: int, frame: Frame, now: float) -> None:
        if self.role is Role.GATEWAY and self.phase is Phase.CONNECTED:
            self.logout(now, eto.LOGOUT_LOGIN_NOT_FIRST_SEQ)
            return
        if not self._received.hold(seq, frame):
            text = f"{len(self._received)} payloads wait for payload {self.inseq}, and no more are held"
            self._close(ConnectionLost(text))
        elif self._gap_since is None:
            self._ask_again(now)

    def _ask_again(self, now: float) -> None:
        self._gap_since = now
        if self.phase in (Phase.OPEN, Phase.LOGIN):
            request = admin(eto.PAYLOAD_REPLAY)
            request.eto_payload.replay.seq = self._received.next
            self._stamp(request, now)
            self.urgent = True

    def _release(self, now: float) -> None:
        """Deliver what waited for the gap, which is closed as far as it goes."""
        while (frame := self._received.take_next()) is not None:
            self._deliver(frame, now)
            if self.over:
                return
        self._gap_since = None
        if len(self._received):
            self._ask_again(now)

    def _deliver(self, frame: Frame, now: float) -> None:
        payload = frame.protobuf
        # Of what follows a logout nothing could be told.
        if self.role is Role.CLIENT or self.phase is not Phase.CLOSING:
            self._ready.append(frame)
        kind = payload.type
        if self.phase is Phase.CONNECTED and self.role is Role.GATEWAY:
            if kind == _LOGIN:
                self.phase = Phase.LOGIN
            else:
                self.logout(now, eto.LOGOUT_LOGIN_NOT_FIRST_SEQ)
        elif kind == _ETO and payload.HasField("type"):
            self._administer(payload.eto_payload, now)

    def _administer(self, message: eto.Payload, now: float) -> None:
        kind = message.type
        if kind == eto.PAYLOAD_HEARTBEAT:
            # Only the client answers, or the two would never stop.
            if self.role is Role.CLIENT and self.phase is Phase.OPEN:
                self._say(eto.PAYLOAD_HEARTBEAT, now)
        elif kind == eto.PAYLOAD_PING:
            if self.phase is Phase.OPEN:
                self._say(eto.PAYLOAD_PONG, now)
        elif kind == eto.PAYLOAD_LOGIN_RESPONSE:
            if self.role is Role.CLIENT and self.phase is Phase.LOGIN:
                self._logged_in(message.login_response, now)
        elif kind == eto.PAYLOAD_LOGOUT:
            self._logged_out(message.logout.reason, now)

    def _logged_in(self, response: eto.LoginResponse, now: float) -> None:
        if response.reset > _RESET_MAX:
            self._close(ParseError(f"the login response resets the sequence to {response.reset}"))
            return
        if not isinstance(response.session, str):  # protobuf gives what is not UTF-8 as bytes
            self._close(ParseError(f"the session's name is not UTF-8: {response.session!r}"))
            return
        self.session = response.session
        self.outseq = response.reset or self.outseq
        if response.HasField("account_sequence_64"):
            # A new connection then misses nothing, though no message of the account was delivered yet. A
            # number below the one asked with is of a venue that never reached that: its own count.
            told = response.account_sequence_64
            if self.account_sequence is None or told < self.account_sequence:
                self.account_sequence = told
        self._sent.clear()
        self._open(now)

    def _logged_out(self, reason: int, now: float) -> None:
        if self.role is Role.GATEWAY:
            if reason == eto.LOGOUT_CONFIRMATION:
                self._close(None)
            else:
                self.logged_out = True
                self.logout(now, eto.LOGOUT_CONFIRMATION)
            return
        was = self.phase
        self.logout_reason = reason
        name = eto.LogoutReason.Name(reason)
        if was is Phase.LOGIN and reason not in _LATER_REASONS:
            self._close(LoginError(reason, name))
        elif reason in (eto.LOGOUT_CONFIRMATION, eto.LOGOUT_NONE) and was is Phase.CLOSING:
            self._close(None)
        else:
            self._close(SocketDisconnected(f"the venue ended the session: {name}"))

    def _replay(self) -> None:
        """Send again what was asked for: copies marked as such, and GAPFILL in place of admin payloads.

        Only once what was sent before has left, so that a client that asks and does not read costs nothing.
        """
        seq = self._replay_from
        if seq is None or len(self.output) > _REPLAY_ROOM_BYTES:
            return
        self._replay_from = None
        if self.phase is not Phase.OPEN:
            return
        if not self._sent.covers(seq, self.outseq):
            self.logout(self._last_received, eto.LOGOUT_UNKNOWN_SESSION)
            return
        for number, data in self._sent.since(seq):
            frame_encode(self.output, gapfill_bytes(number) if data is None else replayed_bytes(data))
        self.urgent = True
