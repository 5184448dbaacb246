"""What a client that logs in again remembers from one session to the next, without I/O.

Shells (`reconnecting`, `aio_reconnecting`) connect and read. `Backoff` says how long they wait after a
failure, `Resumption` what they say after a login, what was told before, and of which orders nothing was
heard.
"""

from __future__ import annotations

import logging
import threading
from typing import Final, TypeVar

from google.protobuf.message import Message

from ledgerx.errors import ConnectionError as ConnectionLost
from ledgerx.errors import (
    DecodeError,
    Error,
    InvalidField,
    LoginError,
    LoginTimeout,
    ParseError,
    SocketDisconnected,
)
from ledgerx.streaming_api import eto_pb2 as eto
from ledgerx.streaming_api import seto_pb2 as seto
from ledgerx.streaming_api.payloads import FIELD_OF_TYPE, account_sequence_of

__all__ = [
    "BACKOFF_FIRST_S",
    "BACKOFF_MAX_S",
    "LOST",
    "Backoff",
    "Resumption",
    "is_refusal",
    "market_message",
]

_LOGGER = logging.getLogger(__name__)

BACKOFF_FIRST_S: Final = 0.1
BACKOFF_MAX_S: Final = 30.0

LOST: Final = (ConnectionLost, SocketDisconnected, LoginTimeout, DecodeError, ParseError)
"""The errors after which a new session may do."""

M = TypeVar("M", seto.MarketSubscribe, seto.MarketUnsubscribe)

_FINAL_REASONS: Final = (eto.LOGOUT_UNAUTHORISED, eto.LOGOUT_UNVERIFIED)
_ANSWERS: Final = ("order_accepted", "order_rejected", "order_invalid")


def is_refusal(error: Error) -> bool:
    """Whether the venue refused the login for good, so that it must not be tried again."""
    return isinstance(error, LoginError) and error.reason in _FINAL_REASONS


def market_message(kind: type[M], market_id: int) -> M:
    """A message that names a market and no more. Raises InvalidField for what is no id."""
    try:
        message = kind(market_id=market_id)
    except (TypeError, ValueError) as error:
        text = f"market_id {market_id!r}: give a number of 32 bits"
        raise InvalidField(text, field="market_id", value=market_id) from error
    if not message.IsInitialized():  # None
        raise InvalidField("market_id is None: give a number", field="market_id", value=market_id)
    return message


class Backoff:
    """How long to wait after each failure of a row of logins.

    Args:
        first_s: seconds after the first; half to all of it, by chance.
        max_s: seconds up to which it doubles with each failure more.
        attempts_max: failures after which there is no further login; None: no limit.

    Raises InvalidField unless 0 < first_s <= max_s.

    """

    def __init__(self, first_s: float, max_s: float, attempts_max: int | None = None) -> None:
        if not 0 < first_s <= max_s:
            text = f"backoff_first_s {first_s!r} is not above 0 and at most backoff_max_s"
            raise InvalidField(text, field="backoff_first_s", value=first_s)
        self._first_s = self._next_s = first_s
        self._max_s = max_s
        self._attempts_max = attempts_max
        self._failures = 0

    def begin(self, lost: Error | None = None, lived_s: float = 0.0) -> Error | None:
        """A new row of logins, after a session that was lost after so many seconds, or after none.

        One that lived shorter than the first wait is a failure of the row before, and returned: so a venue
        that lets in and throws out is not asked without a pause.
        """
        if lost is not None and lived_s < self._first_s:
            return lost
        self._next_s, self._failures = self._first_s, 0
        return None

    def after(self, failure: Error, chance: float) -> float:
        """The seconds to wait, `chance` being a random number in [0, 1).

        Raises the failure itself where it stays one, or was the last that may be.
        """
        self._failures += 1
        if is_refusal(failure) or (self._attempts_max is not None and self._failures >= self._attempts_max):
            raise failure
        wait, self._next_s = self._next_s, min(2 * self._next_s, self._max_s)
        return wait * (0.5 + chance / 2)


class Resumption:
    """What goes over from one session to the next. Any thread may use it.

    Args:
        first_reference: of the first order that has none; what follows counts on.
        account_sequence: the account's last message that was told before.

    Sessions are told apart by a number that grows.

    """

    def __init__(self, first_reference: int, account_sequence: int | None) -> None:
        self._lock = threading.Lock()
        self._next_reference = first_reference
        self._told = account_sequence or 0
        self._markets: dict[int, None] = {}
        self._unanswered: dict[int, tuple[seto.OrderCreate, int]] = {}  # with the number of its session
        self._settings: seto.Settings | None = None
        self._awaited = False  # an answer behind which nothing is missing is on its way

    def subscribe(self, market_id: int) -> None:
        """Have a market in `after_login`."""
        with self._lock:
            self._markets[market_id] = None

    def unsubscribe(self, market_id: int) -> None:
        """Have it there no longer."""
        with self._lock:
            self._markets.pop(market_id, None)

    def keep_settings(self, settings: seto.Settings) -> None:
        """Have these settings in `after_login`."""
        with self._lock:
            self._settings = seto.Settings()
            self._settings.CopyFrom(settings)

    def order(self, order: seto.OrderCreate, session: int) -> seto.OrderCreate:
        """The order to send in a session: the one given, with an unused reference where it has none.

        Raises InvalidField for a reference that an unanswered order has.
        """
        asked = seto.OrderCreate()
        asked.CopyFrom(order)
        with self._lock:
            if not asked.HasField("reference"):
                while self._next_reference in self._unanswered:
                    self._next_reference += 1
                asked.reference = self._next_reference
                self._next_reference += 1
            elif asked.reference in self._unanswered:
                text = f"reference {asked.reference} is an unanswered order's: give each order its own"
                raise InvalidField(text, field="reference", value=asked.reference)
            self._unanswered[asked.reference] = asked, session
        return asked

    def forget(self, reference: int) -> None:
        """That order was not sent."""
        with self._lock:
            self._unanswered.pop(reference, None)

    @property
    def unanswered(self) -> list[seto.OrderCreate]:
        """The orders that nothing has been heard of yet, in the order they were sent."""
        with self._lock:
            return [order for order, _ in self._unanswered.values()]

    def after_login(self, session: int, account_sequence: int | None, *, first: bool) -> list[Message]:
        """What to send in a new session once its login is accepted.

        `account_sequence` is the session's, below what was told where the venue counts anew.
        The settings come last: as their answer comes behind all that was missed, it tells where `settled` is.
        """
        with self._lock:
            if account_sequence is not None and account_sequence < self._told:
                _LOGGER.warning(
                    "the account's messages are at %s and were at %s: another venue, or an emptied one",
                    account_sequence, self._told,
                )  # fmt: skip
                self._told = account_sequence
            messages: list[Message] = [seto.MarketSubscribe(market_id=market) for market in self._markets]
            missed = not first or any(number < session for _, number in self._unanswered.values())
            if missed or self._settings is not None:
                # Without settings of the user's the session's own are said again.
                messages.append(self._settings or seto.Settings(cancel_all_on_failure=False))
            self._awaited = missed
            return messages

    def take(self, payload: seto.Payload) -> bool:
        """Note what a payload says; False for a message of the account that was told before."""
        with self._lock:
            if payload.type == seto.PAYLOAD_ETO and payload.eto_payload.type == eto.PAYLOAD_LOGIN_RESPONSE:
                response = payload.eto_payload.login_response
                if response.HasField("account_sequence_64"):
                    self._told = min(self._told, response.account_sequence_64)
            sequence = account_sequence_of(payload)
            if sequence:
                if sequence <= self._told:
                    return False
                self._told = sequence
            field = FIELD_OF_TYPE.get(payload.type)
            if field in _ANSWERS:
                self._unanswered.pop(getattr(payload, field).reference, None)
            return True

    def settled(self, payload: seto.Payload, session: int) -> list[seto.OrderCreate] | None:
        """Where all that was missed has been told with this payload: the orders in doubt. None elsewhere.

        They are those of sessions before this one that nothing was heard of.
        """
        with self._lock:
            if not self._awaited or payload.type != seto.PAYLOAD_SETTINGS_ACCEPTED:
                return None
            self._awaited = False
            return [order for order, number in self._unanswered.values() if number < session]
