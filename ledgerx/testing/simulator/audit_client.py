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
from ledgerx.testing.simulator.told import Told

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
    for number, session in enumerate(client.sessions):
        who = f"client {client.number} session {number}"
        _line_is_whole(who, session, line, whole=session[-1] is client.life)
        _nothing_is_lost(who, client, session, ledger)
        _order_of_requests(who, session, client.cid, ledger)
        _previous_messages(who, session)
        for life in session:
            _no_strange_errors(who, life)
    who, life = f"client {client.number}", client.life
    resting = {order.entry.mid for order in engine.accounts[client.cid].orders.values()}
    answers: dict[str, list[tuple[Any, Any]]] = {}
    for handler, message, previous in life.program.told:
        if handler not in _WITHOUT_MID:
            answers.setdefault(message.mid, []).append((message, previous))
    for sent in life.sent:
        if sent.is_unsure or not sent.is_kept:
            continue
        _outcome(who, sent, resting)
        if sent.has_callback and not sent.abandoned:
            _callback(who, sent, answers.get(sent.mid, []), line)
    _outcome_of_stored(who, client, resting)
    for book in life.books:
        theirs = engine.contracts[book.contract_id].book
        check(
            book.orders() == theirs.snapshot(),
            f"{who}'s book {book.contract_id} is the venue's, order for order",
        )
        check(
            book.checksum() == theirs.checksum(), f"{who}'s book {book.contract_id} has the venue's checksum"
        )


def _line_is_whole(who: str, session: list[Life], line: list[Any], *, whole: bool) -> None:
    """Every number from the baseline on, once, in order, as stored; up to where a crash left no memory of it.

    With a file the next life goes on there; it may be told the last message again, flagged.
    """
    first = session[-1].io.tracker.line.first
    if not first:
        check(not whole, f"{who} came to know its line")
        return
    if session[-1].venue_lost_data() and not (whole and len(session) == 1):
        return  # it crashed before it heard that the line began anew, or its memory of that is in doubt
    told = Told(who, line, first, session)
    expected = list(range(first, first + len(told.numbers)))
    where = _first_difference(told.numbers, expected)
    check(told.numbers == expected, f"{who} was told its line in order, once each; {where}")
    if whole:
        check(first + len(told.numbers) == len(line) + 1, f"{who} was told up to {told.numbers[-1:]}")


def _first_difference(numbers: list[int], expected: list[int]) -> str:
    for number, wanted in zip(numbers, expected, strict=True):
        if number != wanted:
            return f"{number} came where {wanted} belongs"
    return ""


def _nothing_is_lost(who: str, client: Client, session: list[Life], ledger: Ledger) -> None:
    """What was acknowledged is in the journal, and with a file whatever `submit` took."""
    acks: Mapping[str, int] = ledger.acks.get(client.cid, {})
    members = set(ledger.members.get(client.cid, []))
    for sent in (sent for life in session for sent in life.sent):
        if sent.abandoned or sent.is_unsure or isinstance(sent.item.msg, _UNNUMBERED):
            continue
        if sent.item.acknowledged:
            check(acks.get(sent.mid) == 1, f"{who}: the acknowledged {sent.item} is in the journal")
        elif client.path is not None and sent.is_kept:  # in a later life, or in a batch refused whole
            there = acks.get(sent.mid) == 1 or (sent.is_member and sent.mid in members)
            check(there, f"{who}: {sent.item}, which submit took, is in the journal")


def _order_of_requests(who: str, session: list[Life], cid: int, ledger: Ledger) -> None:
    """Requests are first executed in the order of submission; a batch's members inside it alone."""
    all_sent = [sent for life in session for sent in life.sent]
    place = {sent.mid: index for index, sent in enumerate(all_sent)}
    known = [place[mid] for mid in ledger.requests.get(cid, []) if mid in place]
    # What was given up is not sent again: a copy of it that is on its way may come at any time.
    executed = [index for index in known if not (all_sent[index].is_unsure or all_sent[index].abandoned)]
    check(executed == sorted(executed), f"{who}'s requests were executed in the order of submission")
    alone = [all_sent[index].mid for index in executed if all_sent[index].is_member]
    check(not alone, f"{who}'s batch members came inside their batch, not alone: {alone[:3]}")
    for sent in all_sent:
        check(sent.item.mid == sent.mid, f"{who}: a request keeps its mid")


def _previous_messages(who: str, session: list[Life]) -> None:
    """`prev_msg`: the request, or for later reports the report before; None for what others sent."""
    own = {sent.mid: sent for life in session for sent in life.sent}
    reports: dict[str, Any] = {}
    for life in session:
        # A question that a crash cut short is answered anew, from the first report on.
        reports = {mid: m for mid, m in reports.items() if not isinstance(own[mid].item.msg, _UNNUMBERED)}
        for index, (handler, message, previous) in enumerate(life.program.told):
            if handler in _WITHOUT_MID or message.mid not in own:
                continue
            if index in life.program.flagged:  # a second time, or not
                if handler == "action_report":
                    reports[message.mid] = message
                continue
            sent = own[message.mid]
            excused = sent.abandoned or sent.is_unsure
            if excused or previous is None:
                check(excused, f"{who}: the answer {message} comes with what was before it")
                continue
            expected = reports.get(message.mid) if handler == "action_report" else None
            if handler == "action_report":
                reports[message.mid] = message
            # A request that never left before a crash gets its time in the next life.
            same = previous == expected if expected is not None else previous.mid == sent.mid
            check(same, f"{who}: {handler} of {message.mid} comes with what was before it")


def _no_strange_errors(who: str, life: Life) -> None:
    for error in life.program.errors:
        check(isinstance(error, Retryable), f"{who} heard of no error but of the connection: {error!r}")


def _outcome_of_stored(who: str, client: Client, resting: set[str]) -> None:
    """What earlier processes asked for, and the file still has, is open and rests at the venue."""
    unsure = {sent.mid for life in client.lives for sent in life.sent if sent.is_unsure}
    for mid, item in client.life.store.items():
        if mid not in unsure and mid not in client.life.own_mids:
            check(item.state is State.OPEN and mid in resting, f"{who}: the stored {item} is open and rests")  # type: ignore[attr-defined]


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
