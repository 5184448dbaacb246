"""The venue's end of the streaming sessions, on the venue's thread: what they ask, and what they hear.

`receive` belongs before a turn's commit and `deliver` after it, so that nothing is told before its record is
written. A session that reads slowly holds up nobody: at most `WINDOW` frames of it are on their way, its
line waits in the journal, and of a market it hears the latest state once there is room.
"""

from __future__ import annotations

import logging
from typing import Any, Final

from google.protobuf.message import Message

from ledgerx.clock import SYSTEM_CLOCK, Clock
from ledgerx.exchange.encoding import encode
from ledgerx.exchange.streaming.commands import (
    Admitted,
    Asks,
    DeskCommand,
    Frames,
    FrontCommand,
    Login,
    Mailbox,
    Refused,
    Throttled,
    Written,
)
from ledgerx.exchange.streaming.mids import RANDOM_BITS, RequestKind, make_mid
from ledgerx.exchange.streaming.quotes import Markets
from ledgerx.exchange.streaming.rate import AskRate
from ledgerx.exchange.streaming.reports import LineTranslator
from ledgerx.exchange.streaming.requests import Asked, RequestTranslator, throttled
from ledgerx.exchange.venue import Turn, Venue
from ledgerx.streaming_api import eto_pb2 as eto
from ledgerx.streaming_api import seto_pb2 as seto
from ledgerx.streaming_api.payloads import wrap

__all__ = ["ASKER", "WINDOW", "StreamingDesk"]

_LOGGER = logging.getLogger(__name__)

ASKER: Final = b"streaming"
"""Marks the answers that are the desk's: a session hears of its requests through the account's line."""

WINDOW: Final = 2_000
_PAGE_MESSAGES: Final = 500
_PAGE_BYTES: Final = 256 * 1024
_PRIMING_MESSAGES: Final = 200  # before where a session begins: whose acceptance was told
_COMMANDS_A_TURN: Final = 1_000
_SUBSCRIPTIONS_MAX: Final = 1_000
_ANSWERS_WAITING_MAX: Final = 10_000


class _Session:
    """One open session. `cursor` is the next message of its account's line.

    `frames` leave now. `after_line` are answers that are in no line: they leave once all of the line was
    told, so that whoever has such an answer has heard everything from before it.
    """

    __slots__ = (
        "after_line",
        "cancel_on_failure",
        "changed",
        "cid",
        "cursor",
        "frames",
        "in_flight",
        "key",
        "line",
        "markets",
    )

    def __init__(self, key: int, cid: int, cursor: int, line: LineTranslator) -> None:
        self.key = key
        self.cid = cid
        self.cursor = cursor
        self.line = line
        self.cancel_on_failure = False
        self.in_flight = 0
        self.markets: dict[int, None] = {}
        self.changed: dict[int, None] = {}  # markets whose latest quotes it has not heard
        self.frames: list[seto.Payload] = []
        self.after_line: list[seto.Payload] = []

    @property
    def room(self) -> int:
        """How many more frames may be on their way."""
        return WINDOW - self.in_flight - len(self.frames)


class StreamingDesk:
    """Serves the sessions of one venue. `front` is where the answers go."""

    def __init__(self, venue: Venue, front: Mailbox[FrontCommand], *, clock: Clock = SYSTEM_CLOCK) -> None:
        self.inbox: Mailbox[DeskCommand] = Mailbox()
        self._venue = venue
        self._front = front
        self._clock = clock
        self._markets = Markets(venue.engine.contracts)
        self._asked = AskRate()
        self._sessions: dict[int, _Session] = {}
        self._of_account: dict[int, dict[int, _Session]] = {}
        self._of_market: dict[int, dict[int, _Session]] = {}
        self._due: dict[int, _Session] = {}  # those with something to hear
        self._out: list[FrontCommand] = []

    def __len__(self) -> int:
        return len(self._sessions)

    def receive(self) -> None:
        """Do what the sessions asked since the last turn, up to a bound."""
        for command in self.inbox.take(_COMMANDS_A_TURN):
            if isinstance(command, Login):
                try:
                    self._login(command)
                except Exception:
                    # As in `deliver`: what one account's line holds must not end the venue.
                    _LOGGER.exception("account %s could not log in", command.cid)
                    self._out.append(Refused(command.key, eto.LOGOUT_SERVICE_TEMPORARILY_UNAVAILABLE))
                continue
            session = self._sessions.get(command.key)
            if session is None:
                continue
            if isinstance(command, Asks):
                self._asks(session, command.payload)
                if len(session.after_line) > _ANSWERS_WAITING_MAX:
                    _LOGGER.warning("a session of account %s asks and does not read: it is cut", session.cid)
                    self._out.append(Refused(session.key, eto.LOGOUT_SERVICE_TEMPORARILY_UNAVAILABLE))
                    self._ended(session, lost=True)
            elif isinstance(command, Written):
                session.in_flight -= command.count
                self._due[session.key] = session
            else:
                self._ended(session, lost=command.lost)

    def deliver(self, turn: Turn) -> None:
        """Tell every session what a committed turn brought it."""
        for row in turn.removed:
            for session in list(self._of_account.get(row.cid, {}).values()):
                self._out.append(Refused(session.key, eto.LOGOUT_UNAUTHORISED))
                self._forget(session)
        for cid in turn.cids:
            self._due.update(self._of_account.get(cid, {}))
        reopened = self._markets.reopened()
        for market_id in self._markets.follow(turn.feed) | reopened:
            listeners = self._of_market.get(market_id)
            if not listeners:
                continue
            state = self._markets.state(market_id) if market_id in reopened else None
            quotes = self._markets.changes(market_id)
            for session in listeners.values():
                self._due[session.key] = session
                if state is not None:
                    session.frames.append(state)
                # Where it has not had all of the market yet, that will tell it this as well.
                if session.room > 0 and market_id not in session.changed:
                    session.frames.append(quotes)
                else:
                    session.changed[market_id] = None
        due, self._due = self._due, {}
        for session in due.values():
            try:
                self._tell(session)
            except Exception:
                _LOGGER.exception("a session of account %s could not be told its line", session.cid)
                self._out.append(Refused(session.key, eto.LOGOUT_SERVICE_TEMPORARILY_UNAVAILABLE))
                self._forget(session)
        out, self._out = self._out, []
        self._front.put_all(out)

    def close(self) -> None:
        """Give back what the desk made."""
        self.inbox.close()

    # ------------------------------------------------------------------ in

    def _login(self, login: Login) -> None:
        engine = self._venue.engine
        account = engine.accounts.get(login.cid)
        if account is None or not account.active:
            self._out.append(Refused(login.key, eto.LOGOUT_UNAUTHORISED))
            return
        cursor = account.head + 1
        if login.account_sequence is not None:
            # What the journal no longer has cannot be told; a number above the head is another venue's.
            first = self._venue.lines.first_available(login.cid)
            cursor = max(first, min(login.account_sequence + 1, cursor))
        line = LineTranslator(account.orders.get, self._markets.__contains__)
        session = _Session(login.key, login.cid, cursor, line)
        # With the first one to come: the last one before it may be the status that accepts its order.
        before = max(1, cursor - _PRIMING_MESSAGES)
        session.line.take(self._lines(login.cid, before, cursor - before + 1))
        self._sessions[session.key] = session
        self._of_account.setdefault(session.cid, {})[session.key] = session
        self._out.append(Admitted(session.key, self._clock.unique_hex(), cursor - 1))
        limits = engine.limits
        session.after_line.append(
            wrap(
                seto.ThrottleLimitsChanged(
                    average_rate_ps=limits.requests_per_second_max,
                    burst_size=limits.requests_burst_max,
                    tick_ms=1000,
                )
            )
        )
        self._due[session.key] = session

    def _ended(self, session: _Session, *, lost: bool) -> None:
        self._forget(session)
        if lost and session.cancel_on_failure:
            self._request(session.cid, self._requests(session.cid).failure())

    def _asks(self, session: _Session, payload: seto.Payload) -> None:
        self._due[session.key] = session
        try:
            asked = self._requests(session.cid).translate(payload)
        except Exception:
            # What a client sent must not end the venue; nothing was asked of the engine yet.
            _LOGGER.exception("a payload of type %s could not be translated", payload.type)
            asked = Asked(None, seto.OrderInvalid(seq=payload.eto_payload.seq))
        if asked is not None:
            if asked.request is not None:
                self._request(session.cid, asked.request)
            elif self._may_ask(session):
                session.after_line.append(wrap(asked.refusal))
            else:
                self._throttle(session, payload)
            return
        if not self._may_ask(session):
            self._throttle(session, payload)
            return
        if payload.type == seto.PAYLOAD_MARKET_SUBSCRIBE:
            served = self._subscribe(session, payload.market_subscribe.market_id)
        elif payload.type == seto.PAYLOAD_MARKET_UNSUBSCRIBE:
            served = self._unsubscribe(session, payload.market_unsubscribe.market_id)
        elif payload.type == seto.PAYLOAD_SETTINGS:
            session.cancel_on_failure = payload.settings.cancel_all_on_failure
            answer = seto.SettingsAccepted(cancel_all_on_failure=session.cancel_on_failure)
            session.after_line.append(wrap(answer))
            return
        else:
            served = False
        if not served:
            session.after_line.append(wrap(seto.OrderInvalid(seq=payload.eto_payload.seq)))

    def _may_ask(self, session: _Session) -> bool:
        return self._asked.take(session.cid, self._venue.time, self._venue.engine.limits)

    def _throttle(self, session: _Session, payload: seto.Payload) -> None:
        """Refuse what was asked above the account's rate."""
        refusal = throttled(payload)
        if refusal is None:
            self._out.append(Throttled(session.key))
        else:
            session.after_line.append(wrap(refusal))

    def _subscribe(self, session: _Session, market_id: int) -> bool:
        if market_id not in self._markets or len(session.markets) >= _SUBSCRIPTIONS_MAX:
            return False
        session.markets[market_id] = None
        self._of_market.setdefault(market_id, {})[session.key] = session
        session.after_line.append(self._markets.state(market_id))
        # Told after the commit, as everything that looks at the book.
        session.changed[market_id] = None
        return True

    def _unsubscribe(self, session: _Session, market_id: int) -> bool:
        session.changed.pop(market_id, None)
        if market_id in session.markets:
            del session.markets[market_id]
            del self._of_market[market_id][session.key]
        return market_id in self._markets

    def _requests(self, cid: int) -> RequestTranslator:
        engine = self._venue.engine

        def unused(kind: RequestKind, reference: int | None, number: int) -> str:
            while True:
                random = int(self._clock.random() * (1 << RANDOM_BITS))
                mid = make_mid(kind, reference, number, random)
                if engine.consumed(cid, mid) is None:
                    return mid

        return RequestTranslator(engine.accounts[cid], engine.contracts, unused, self._venue.time)

    def _request(self, cid: int, request: Message) -> None:
        self._venue.request(cid, encode(request), asker=ASKER)

    # ------------------------------------------------------------------ out

    def _tell(self, session: _Session) -> None:
        """Put what a session has room for on its way."""
        if session.key not in self._sessions:
            return
        if self._read_line(session):
            session.frames += session.after_line
            session.after_line = []
        while session.changed and not session.after_line and session.room > 0:
            market_id = next(iter(session.changed))
            del session.changed[market_id]
            session.frames.append(self._markets.quotes(market_id))
        if session.frames:
            frames, session.frames = session.frames, []
            session.in_flight += len(frames)
            self._out.append(Frames(session.key, frames))

    def _read_line(self, session: _Session) -> bool:
        """Take what there is room for of the account's line; whether that was all of it."""
        head = self._venue.engine.head(session.cid)
        while session.cursor <= head and session.room > 0:
            messages = self._lines(session.cid, session.cursor, _PAGE_MESSAGES)
            if not messages:
                first = self._venue.lines.first_available(session.cid)
                if first <= session.cursor:
                    break
                _LOGGER.warning(
                    "account %s reads message %s, the journal begins at %s",
                    session.cid, session.cursor, first,
                )  # fmt: skip
                session.cursor = first
                continue
            payloads, count = session.line.take(messages)
            session.frames.extend(payloads)
            session.cursor += count
            if not count:
                break
        return session.cursor > head

    def _lines(self, cid: int, sequence: int, count: int) -> list[bytes]:
        return self._venue.lines.read(cid, sequence, count_max=count, bytes_max=_PAGE_BYTES)

    def _forget(self, session: _Session) -> None:
        del self._sessions[session.key]
        self._due.pop(session.key, None)
        for table, keys in ((self._of_account, [session.cid]), (self._of_market, session.markets)):
            for key in keys:
                _drop(table, key, session.key)


def _drop(table: dict[int, dict[int, Any]], key: int, session_key: int) -> None:
    members = table[key]
    del members[session_key]
    if not members:
        del table[key]
