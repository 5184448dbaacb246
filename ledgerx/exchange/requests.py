"""A request's way through the engine: ACK, envelope, rate, its handler, and batches of requests.

Whatever a client sends ends in a status of its own. A bug in a handler does too: it becomes a 500, so
that the journal's record can be executed again with the same outcome.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Final

from google.protobuf.message import DecodeError

from ledgerx.api.client.v0_0_1 import Message, MessageBatch, MessageStatus
from ledgerx.exchange.answers import READ_KINDS, Answers
from ledgerx.exchange.encoding import encode
from ledgerx.exchange.lines import Lines
from ledgerx.exchange.matching import Matcher
from ledgerx.exchange.mids import HORIZON_NONE, Mids, mid_key
from ledgerx.exchange.orders import OrderDesk
from ledgerx.exchange.quotes import QuoteDesk
from ledgerx.exchange.refusals import QUOTED_CHARACTERS_MAX, Refused, quoted
from ledgerx.exchange.replace import ReplaceDesk
from ledgerx.exchange.risk import take_rate
from ledgerx.exchange.state import Account, State
from ledgerx.exchange.validation import TIMESTAMP_AHEAD_MAX_NS, check_envelope
from ledgerx.protocol.wire import BATCH_REQUESTS_MAX, FRAME_BYTES_MAX

__all__ = ["BATCH_ANSWERS_BYTES_MAX", "TIMESTAMP_KEPT_MAX_NS", "Requests"]

_LOGGER = logging.getLogger(__name__)

Handler = Callable[[Account, Any, bytes], None]

TIMESTAMP_KEPT_MAX_NS: Final = 2 * TIMESTAMP_AHEAD_MAX_NS
"""How far ahead a timestamp may be and still count once its mid is forgotten.

What is farther ahead was refused, and so is a copy of it until that time has come: no copy is under way so
long. Counted, one wild clock would have the account refused until then.
"""

BATCH_ANSWERS_BYTES_MAX: Final = 4 * FRAME_BYTES_MAX
"""Once the reads of a batch brought so much, the others are refused: a batch is executed in one go."""

_BATCH: Final = "batch"


class Requests:
    """Executes requests on `state`; what they cause goes to `lines`."""

    def __init__(self, state: State, lines: Lines, mids: Mids) -> None:
        matcher = Matcher(state, lines)
        orders = OrderDesk(state, lines, matcher)
        self.matcher = matcher
        self.answers = Answers(state, lines)
        self._state = state
        self._lines = lines
        self._mids = mids
        self._handlers: dict[str, Handler] = {
            "limit_order": orders.limit_order,
            "market_order": orders.market_order,
            "quote": QuoteDesk(state, lines, matcher).quote,
            "cancel_order": orders.cancel_order,
            "cancel_replace": ReplaceDesk(state, lines, matcher).cancel_replace,
            "cancel_all": orders.cancel_all,
        }

    def query(self, account: Account, kind: str, request: Any, time: int) -> list[bytes]:
        """The ACK of a read and its answers, encoded."""
        messages = self.answers.answer(account, kind, request, time, request.mversion, request.expires)
        ack = self.answers.acknowledgement(account, request.mid, time, len(messages))
        return [encode(ack), *map(encode, messages)]

    def run(self, account: Account, data: bytes, number: int) -> list[bytes]:
        """Executes the request of record `number`; returns the answers that have no sequence number."""
        kind, request = _decode(data)
        if kind in READ_KINDS:
            return self.query(account, kind, request, self._lines.time)
        mid = request.mid
        self._lines.acknowledge(account, mid[:QUOTED_CHARACTERS_MAX])
        answers: list[bytes] = []
        try:
            key, horizon = self._consume(account, mid, number, request.timestamp, "mid")
            if kind == _BATCH:
                self._batch(account, request, number, answers)
            else:
                take_rate(account, 1, self._lines.time, self._state.limits)
                self._carry_out(account, kind, request, key, horizon, request)
        except Exception as error:
            self._fail(account, mid, error)
        return answers

    def _consume(
        self, account: Account, mid: str, number: int, timestamp: int, field: str
    ) -> tuple[bytes, int]:
        """The mid's key, from now on used, and the horizon it must be judged by.

        That is the horizon before this mid took another's room. Raises Refused for a mid that cannot be
        or was used.
        """
        key = mid_key(mid)
        if key is None:
            raise Refused(
                MessageStatus.STATUS_MALFORMED,
                field,
                f"{field} {quoted(mid)} is not 32 hex characters: make a new UUID4 for each request",
            )
        if self._mids.number(account.cid, key) is not None:
            raise Refused(
                MessageStatus.STATUS_MID_REUSED,
                field,
                f"{field} {mid} was used before: make a new UUID4 for each request",
            )
        horizon = self._mids.horizon(account.cid)
        if timestamp > self._lines.time + TIMESTAMP_KEPT_MAX_NS:
            timestamp = HORIZON_NONE
        self._mids.consume(account.cid, key, number, timestamp)
        return key, horizon

    def _carry_out(
        self, account: Account, kind: str, request: Any, key: bytes, horizon: int, outer: Any
    ) -> None:
        """Runs a request's handler; what its envelope leaves open is taken from `outer`."""
        handler = self._handlers.get(kind)
        if handler is None:
            raise Refused(MessageStatus.STATUS_MALFORMED, "", f"{kind or 'nothing'} is no request")
        check_envelope(
            request.mversion or outer.mversion,
            request.timestamp or outer.timestamp,
            request.expires or outer.expires,
            horizon=horizon,
            time=self._lines.time,
        )
        if key in account.entries:
            # The mid was forgotten, what it placed rests still: two orders must not answer to one mid.
            raise Refused(
                MessageStatus.STATUS_MID_REUSED,
                "mid",
                f"mid {request.mid} has an open order or quote: make a new UUID4 for each request",
            )
        handler(account, request, key)

    def _fail(self, account: Account, mid: str, error: Exception) -> None:
        """The status that ends a mid whose execution raised."""
        mid = mid[:QUOTED_CHARACTERS_MAX]
        if isinstance(error, Refused):
            self._lines.status(account, mid, error.status, error.message, field=error.field)
            return
        _LOGGER.error("a request of account %s failed: mid %s", account.cid, mid, exc_info=error)
        self._lines.status(
            account,
            mid,
            MessageStatus.STATUS_VENUE_ERROR,
            f"the venue failed to execute this ({type(error).__name__}): get_open_orders shows what stands",
        )

    # ------------------------------------------------------------------ batches

    def _batch(self, account: Account, batch: MessageBatch, number: int, answers: list[bytes]) -> None:
        """The members' ACKs as one message, then each member's own answers, in the order given."""
        members, lines = batch.requests, self._lines
        fits = 0 < len(members) <= BATCH_REQUESTS_MAX
        take_rate(account, len(members) if fits else 1, lines.time, self._state.limits)
        if not fits:
            raise Refused(
                MessageStatus.STATUS_BATCH_SIZE,
                "requests",
                f"requests has {len(members)} members: a batch takes 1 to {BATCH_REQUESTS_MAX}",
            )
        place = lines.reserve(account)
        acks: list[MessageStatus] = []
        try:
            for index, member in enumerate(members):
                acks.append(self._member(account, batch, index, member, number, answers))
        finally:
            lines.batch(account, place, batch.mid, acks)

    def _member(
        self,
        account: Account,
        batch: MessageBatch,
        index: int,
        wrapped: Message,
        number: int,
        answers: list[bytes],
    ) -> MessageStatus:
        """Executes one member and returns its ACK, whose place in the line is before all of this."""
        kind, member = _opened(wrapped)
        field = f"requests[{index}]"
        timestamp = member.timestamp or batch.timestamp
        following = 1
        try:
            if kind not in self._handlers and kind not in READ_KINDS:
                if mid_key(member.mid):
                    self._consume(account, member.mid, number, timestamp, f"{field}.mid")
                raise Refused(
                    MessageStatus.STATUS_MALFORMED,
                    field,
                    f"{field} is {kind or 'empty'}, which cannot be in a batch: take it out",
                )
            key, horizon = self._consume(account, member.mid, number, timestamp, f"{field}.mid")
            if kind in READ_KINDS:
                following = self._read_member(account, batch, kind, member, answers)
            else:
                self._carry_out(account, kind, member, key, horizon, batch)
        except Exception as error:
            self._fail(account, member.mid, error)
        mid = member.mid[:QUOTED_CHARACTERS_MAX]
        return self.answers.acknowledgement(account, mid, self._lines.time, following)

    def _read_member(
        self, account: Account, batch: MessageBatch, kind: str, member: Any, answers: list[bytes]
    ) -> int:
        """Answers a read in a batch; how many messages that took."""
        time = self._lines.time
        if sum(map(len, answers)) > BATCH_ANSWERS_BYTES_MAX:
            refused = Refused(
                MessageStatus.STATUS_RATE_EXCEEDED,
                "",
                f"the reads before in this batch brought more than {BATCH_ANSWERS_BYTES_MAX} bytes: "
                "send this one alone",
            )
            found = self.answers.refusal(account, member.mid, time, refused)
        else:
            version, expires = member.mversion or batch.mversion, member.expires or batch.expires
            found = self.answers.answer(account, kind, member, time, version, expires)
        answers.extend(map(encode, found))
        return len(found)


def _decode(data: bytes) -> tuple[str, Any]:
    try:
        return _opened(Message.FromString(data))
    except DecodeError:
        return _opened(Message())


def _opened(wrapped: Message) -> tuple[str, Any]:
    """The kind and the message inside; for an envelope that holds none that is known, "" and an empty one."""
    kind = wrapped.WhichOneof("kind")
    return (kind, getattr(wrapped, kind)) if kind else ("", MessageStatus())
