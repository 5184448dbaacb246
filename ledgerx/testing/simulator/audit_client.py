"""What must hold of one client once a market is at rest: its line, its requests, its callbacks, its books."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ledgerx.api.client import v0_0_1 as api
from ledgerx.errors import Retryable
from ledgerx.sdk.states import TRADE_REQUESTS, State
from ledgerx.testing.checks import check
from ledgerx.testing.simulator.client import Client, Life, Sent
from ledgerx.testing.simulator.ledger import Ledger

__all__ = ["audit_client"]

_WITHOUT_MID = ("run_change", "baseline")
_UNNUMBERED = (
    api.MessageGetContract,
    api.MessageGetBookState,
    api.MessageGetOpenOrders,
    api.MessageGetPositions,
    api.MessageReplay,
)


def audit_client(client: Client, engine: Any, ledger: Ledger) -> None:
    """Check one client through all its lives. Raises VerificationFailed."""
    line = ledger.line(client.cid)
    for number, life in enumerate(client.lives):
        who = f"client {client.number} life {number}"
        last = life is client.life
        _line_is_whole(who, life, line, whole=last)
        _nothing_acknowledged_is_lost(who, life, client.cid, ledger)
        _order_of_requests(who, life, client.cid, ledger)
        _previous_messages(who, life)
        _no_strange_errors(who, life)
    who, life = f"client {client.number}", client.life
    resting = {order.entry.mid for order in engine.accounts[client.cid].orders.values()}
    answers: dict[str, list[tuple[Any, Any]]] = {}
    for handler, message, previous in life.program.told:
        if handler not in _WITHOUT_MID:
            answers.setdefault(message.mid, []).append((message, previous))
    for sent in life.sent:
        if sent.is_unsure:
            continue
        _outcome(who, sent, resting)
        if sent.has_callback and not sent.abandoned:
            _callback(who, sent, answers.get(sent.mid, []), line)
    for book in life.books:
        theirs = engine.contracts[book.contract_id].book
        check(
            book.orders() == theirs.snapshot(),
            f"{who}'s book {book.contract_id} is the venue's, order for order",
        )
        check(
            book.checksum() == theirs.checksum(), f"{who}'s book {book.contract_id} has the venue's checksum"
        )


def _line_is_whole(who: str, life: Life, line: list[Any], *, whole: bool) -> None:
    """Every number from the baseline on, once, in order, as stored; of a life that crashed up to its end."""
    first = life.io.tracker.line.first
    if not first:
        check(not whole, f"{who} came to know its line")
        return
    boundaries = {m.run_id: m.account_sequence for m in line if isinstance(m, api.MessageRunChange)}
    told: list[tuple[int, Any]] = []
    news: list[tuple[int, Any]] = []
    for handler, message, previous in life.program.told:
        if handler == "baseline":  # what was told before was another venue's
            told, news = [], []
        elif handler == "run_change":
            number = boundaries.get(message, -1)
            check(number > 0, f"{who} was told of run {message}, a boundary of its line")
            stored = line[number - 1]
            check((stored.run_id, stored.prev_run_id) == (message, previous), f"{who}: run change {message}")
            (told if number >= first else news).append((number, stored))
        elif message.account_sequence:
            pile = told if message.account_sequence >= first else news
            pile.append((message.account_sequence, message))
    numbers = [number for number, _ in told]
    expected = list(range(first, first + len(numbers)))
    check(
        numbers == expected,
        f"{who} was told its line in order, once each; {_first_difference(numbers, expected)}",
    )
    if whole:
        check(first + len(numbers) == len(line) + 1, f"{who} was told up to {numbers[-1:]} of {len(line)}")
    for number, message in [*told, *news]:
        check(
            number <= len(line) and message == line[number - 1],
            f"{who} was told what the journal has as message {number}",
        )
    older = [number for number, _ in news]
    check(len(older) == len(set(older)), f"{who} was told older messages once each")


def _first_difference(numbers: list[int], expected: list[int]) -> str:
    for number, wanted in zip(numbers, expected, strict=True):
        if number != wanted:
            return f"{number} came where {wanted} belongs"
    return ""


def _nothing_acknowledged_is_lost(who: str, life: Life, cid: int, ledger: Ledger) -> None:
    acks: Mapping[str, int] = ledger.acks.get(cid, {})
    for sent in life.sent:
        if (
            sent.item.acknowledged
            and not (sent.abandoned or sent.is_unsure)
            and not isinstance(sent.item.msg, _UNNUMBERED)
        ):
            check(acks.get(sent.mid) == 1, f"{who}: the acknowledged {sent.item} is in the journal")


def _order_of_requests(who: str, life: Life, cid: int, ledger: Ledger) -> None:
    """Requests are first executed in the order of submission; a batch's members inside it alone."""
    place = {sent.mid: index for index, sent in enumerate(life.sent)}
    executed = [place[mid] for mid in ledger.requests.get(cid, []) if mid in place]
    check(executed == sorted(executed), f"{who}'s requests were executed in the order of submission")
    alone = [life.sent[index].mid for index in executed if life.sent[index].is_member]
    check(not alone, f"{who}'s batch members came inside their batch, not alone: {alone[:3]}")
    for sent in life.sent:
        check(sent.item.mid == sent.mid, f"{who}: a request keeps its mid")


def _previous_messages(who: str, life: Life) -> None:
    """`prev_msg`: the request, or for later reports the report before; None for what others sent."""
    own = {sent.mid: sent for sent in life.sent}
    reports: dict[str, Any] = {}
    for handler, message, previous in life.program.told:
        if handler in _WITHOUT_MID or message.mid not in own:
            continue
        sent = own[message.mid]
        if sent.abandoned or sent.is_unsure or previous is None:
            check(
                sent.abandoned or sent.is_unsure, f"{who}: the answer {message} comes with what was before it"
            )
            continue
        expected = sent.item.msg
        if handler == "action_report":
            expected = reports.get(message.mid, expected)
            reports[message.mid] = message
        check(previous == expected, f"{who}: {handler} of {message.mid} comes with what was before it")


def _no_strange_errors(who: str, life: Life) -> None:
    for error in life.program.errors:
        check(isinstance(error, Retryable), f"{who} heard of no error but of the connection: {error!r}")


def _outcome(who: str, sent: Sent, resting: set[str]) -> None:
    item = sent.item
    if sent.abandoned:
        check(item.finished, f"{who}: {item} was abandoned")
        return
    check(item.state in (State.DONE, State.FAILED, State.OPEN), f"{who}: {item} has an outcome")
    is_open = item.state is State.OPEN
    check(is_open == (item.mid in resting), f"{who}: {item} is open if and only if it rests at the venue")
    check(not is_open or isinstance(item.msg, TRADE_REQUESTS), f"{who}: {item} may be open")
    if item.state is State.FAILED:
        reason = item.answers[-1] if item.answers else None
        refused = isinstance(reason, api.MessageStatus) and reason.status >= 400 and reason.message
        batch_failed = item.batch is not None and item.batch.state is State.FAILED
        check(bool(refused) or batch_failed, f"{who}: {item} failed for a reason, not {reason}")


def _callback(who: str, sent: Sent, answers: list[tuple[Any, Any]], line: list[Any]) -> None:
    """The callback had every answer of its mid that the handlers had, once each and in order."""
    item = sent.item
    if isinstance(item.msg, api.MessageReplay):
        replayed = [m for m, _ in sent.told if m.account_sequence]
        told = [(m, p) for m, p in sent.told if not m.account_sequence]
        _replayed(who, item, replayed, line)
    else:
        told = sent.told
    check(
        told == answers, f"{who}: the callback of {item} had {len(told)} answers, the handlers {len(answers)}"
    )


def _replayed(who: str, item: Any, replayed: list[Any], line: list[Any]) -> None:
    first = item.msg.from_sequence
    numbers = [message.account_sequence for message in replayed]
    check(
        numbers == list(range(first, first + len(numbers))),
        f"{who}: {item} brought {numbers} from {first} on",
    )
    for message in replayed:
        check(message == line[message.account_sequence - 1], f"{who}: {item} brought messages as first sent")
    if item.state is State.DONE:
        end = item.answers[-1].as_of
        if item.msg.HasField("to_sequence"):
            end = min(end, item.msg.to_sequence)
        check(len(numbers) == max(0, end - first + 1), f"{who}: {item} brought {numbers[-1:]} of {end}")
