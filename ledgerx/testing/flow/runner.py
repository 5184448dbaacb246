"""Sends a recorded day through a venue by the public SDK: one Context an account, one batch a wave."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import chain

from ledgerx.api.client import v0_0_1 as api
from ledgerx.clob.lobster import LobsterFile, Row
from ledgerx.clock import SYSTEM_CLOCK, Clock
from ledgerx.errors import Error, InvalidField, InvalidState
from ledgerx.protocol.crypto import KeyPair
from ledgerx.testing.flow.commands import message_of
from ledgerx.testing.flow.desk import Desk
from ledgerx.testing.flow.planner import PRICE_UNITS_PER_CENT, Planner
from ledgerx.testing.flow.schedule import Scheduler, Wave
from ledgerx.testing.flow.steps import Action, Step
from ledgerx.testing.flow.tally import FlowResult, Tally

__all__ = ["SIZE_MAX_WANTED", "admits", "run_flow"]

SIZE_MAX_WANTED = 1_000_000
"""The order size that a contract must allow to be traded with a recorded day."""

_LEAVE_TIMEOUT_S = 2.0

Progress = Callable[[int], object]


def run_flow(
    file: LobsterFile,
    host: str,
    server_public_key: bytes | str,
    keys: Sequence[KeyPair],
    *,
    limit: int | None = None,
    progress: Progress = lambda rows: None,
    clock: Clock = SYSTEM_CLOCK,
) -> FlowResult:
    """Trades the first `limit` rows (None: all) of a recorded day on the venue at `host` (HOST[:PORT]).

    `keys` are registered accounts that have nothing open: the house's first, then two traders' or more.
    `progress` is called with the number of rows sent, many times a
    second. The day is traded in the first contract that is a future with a tick of one cent, admits the
    file's prices and sizes, and has an empty book; what is left of the flow's orders at the end is
    canceled.

    Raises InvalidData for a bad file, InvalidState if no contract will do or the venue restarts,
    OutcomeUnknown if it stops answering, and what `Context.wait_connected` raises.
    """
    if len(keys) < 3:
        raise InvalidField("wants a house's key pair and two traders'", field="keys", value=len(keys))
    started = clock.monotonic()
    tally = Tally()
    planner = Planner(len(keys) - 1, file=file.name)
    rows = file.rows(limit)
    first = next(rows, None)
    if first is None:
        return tally.result(planner.plan, 0.0)
    with _connected([Desk(host, server_public_key, pair, tally) for pair in keys]) as desks:
        day = _Day(desks, _contract(desks[0], first), tally, clock)
        try:
            for row in chain([first], rows):
                for step in planner.feed(row):
                    day.take(step)
                progress(row.number)
            day.finish()
        except BaseException:
            day.leave()
            raise
    return tally.result(planner.plan, clock.monotonic() - started)


@contextmanager
def _connected(desks: list[Desk]) -> Iterator[list[Desk]]:
    started = []
    try:
        for desk in desks:
            desk.start()
            started.append(desk)
        for desk in desks:
            desk.wait_connected()
        yield desks
    finally:
        for desk in started:
            desk.stop()
        for desk in started:
            desk.join()


def admits(contract: api.MessageContractDetail, row: Row) -> bool:
    """Whether a contract can carry a day that opens like `row`: prices may halve and double."""
    cents = [price // PRICE_UNITS_PER_CENT for price, _ in (*row.bids, *row.asks)]
    return (
        not contract.HasField("is_call")
        and contract.state == contract.OPEN
        and contract.tick_in_cents == 1
        and contract.min_size <= 1
        and contract.max_size >= SIZE_MAX_WANTED
        and contract.min_price_in_cents * 2 <= min(cents, default=0)
        and contract.max_price_in_cents >= 2 * max(cents, default=0)
    )


def _contract(desk: Desk, row: Row) -> int:
    fitting = [contract for contract in desk.contracts() if admits(contract, row)]
    for contract in fitting:
        if desk.book_orders(contract.contract_id) == 0:
            return contract.contract_id
    if fitting:
        labels = ", ".join(contract.label for contract in fitting)
        raise InvalidState(f"the day needs an empty book and other orders rest in {labels}")
    raise InvalidState(
        f"no contract of this venue is a future with a tick of 1 cent, sizes to {SIZE_MAX_WANTED} "
        f"and a price band for {row.bids[:1] or row.asks[:1]}"
    )


class _Day:
    """Steps in, batches out: wave after wave, each acknowledged before the next leaves."""

    def __init__(self, desks: Sequence[Desk], contract_id: int, tally: Tally, clock: Clock) -> None:
        self._desks = desks
        self._contract_id = contract_id
        self._tally = tally
        self._clock = clock
        self._scheduler = Scheduler()

    def take(self, step: Step) -> None:
        wave = self._scheduler.add(step)
        if wave is not None:
            self._send(wave)

    def finish(self) -> None:
        wave = self._scheduler.flush()
        if wave is not None:
            self._send(wave)
        for desk in self._desks:
            desk.cancel_all(self._contract_id)
            desk.check_run()

    def leave(self) -> None:
        """After a failure: no order stays behind if the venue still listens."""
        with suppress(Error):
            for desk in self._desks:
                desk.cancel_all(self._contract_id, _LEAVE_TIMEOUT_S)

    def _send(self, wave: Wave) -> None:
        sent = []
        for account, steps in wave.items():
            messages = [message_of(step, self._contract_id, self._mid(step)) for step in steps]
            sent.append((self._desks[account], self._desks[account].send(messages)))
        self._tally.batches += len(sent)
        self._tally.waves += 1
        for desk, item in sent:
            desk.acknowledged(item)
            desk.check_run()

    def _mid(self, step: Step) -> str:
        if step.action in (Action.PLACE, Action.EXECUTE):
            self._tally.sent(step, self._clock.unique_hex())
        return self._tally.mid(step.order)
