"""The plan of a real day, carried out on paper: its book, its executions, its order across accounts."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from flow_paper import PaperVenue

from ledgerx.clob import Fill
from ledgerx.clob.lobster import LobsterFile, Row
from ledgerx.testing.flow.planner import Plan, Planner
from ledgerx.testing.flow.schedule import Scheduler
from ledgerx.testing.flow.steps import Action, Step

ROWS_OF_DAY = 155_935


@pytest.fixture
def day(shared_data: Path) -> LobsterFile:
    return LobsterFile(shared_data / "lobster" / "AMZN_2012-06-21_5.zip")


def shows(venue: PaperVenue, row: Row) -> None:
    """The venue's book is the file's, level for level and no deeper."""
    for is_ask, shown in ((False, row.bids), (True, row.asks)):
        depth = [(level.price * 100, level.size) for level in venue.book.depth(is_ask, row.levels + 5)]
        assert depth == list(shown), f"row {row.number}"


def carried_out(day: LobsterFile, limit: int | None) -> tuple[Plan, list[Step], PaperVenue]:
    """One step after the other, the book compared after every row."""
    planner, venue = Planner(4, file=day.name), PaperVenue()
    executions = []
    for row in day.rows(limit):
        for step in planner.feed(row):
            venue.apply(step)
            if step.action is Action.EXECUTE:
                executions.append(step)
        shows(venue, row)
    return planner.plan, executions, venue


def check_executions(executions: list[Step], trades: dict[int, list[Fill]]) -> tuple[int, int]:
    """Each at its price and size; returns how many the file had shown, and how many hit that order."""
    shown = hit = 0
    for step in executions:
        fills = trades[step.order]
        assert sum(fill.size for fill in fills) == step.size
        assert {fill.price for fill in fills} == {step.price}
        shown += step.shown
        hit += step.shown and {fill.order_id for fill in fills} == {step.expected}
    return shown, hit


def in_waves(day: LobsterFile, limit: int | None, seed: int) -> tuple[PaperVenue, int]:
    """The same in waves, the accounts of each interleaved at random; the number of waves too."""
    chance = random.Random(seed)
    planner, scheduler, venue, waves = Planner(4), Scheduler(), PaperVenue(), 0
    for row in day.rows(limit):
        for step in planner.feed(row):
            wave = scheduler.add(step)
            if wave is not None:
                waves += 1
                venue.run(wave, chance)
    last = scheduler.flush()
    if last is not None:
        venue.run(last, chance)
    return venue, waves + 1


def test_the_first_10000_rows_trade_as_recorded(day: LobsterFile) -> None:
    plan, executions, venue = carried_out(day, 10_000)
    assert (plan.rows, plan.equal, plan.revealed) == (10_000, 6_508, 3_491)
    shown, hit = check_executions(executions, venue.trades)
    assert (len(executions), shown, hit) == (489, 418, 414)
    assert (plan.executions, plan.executions_shown, plan.executions_at_head) == (489, 418, 414)
    assert hit >= 0.99 * shown
    assert plan.requeued == 20  # at the opening alone


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_any_interleaving_of_a_waves_accounts_gives_the_same_book_and_fills(
    day: LobsterFile, seed: int
) -> None:
    _, _, expected = carried_out(day, 3_000)
    venue, waves = in_waves(day, 3_000, seed)
    assert venue.book.checksum() == expected.book.checksum()
    assert venue.trades == expected.trades
    assert waves < 600  # a round trip each: what makes the flow fast


def test_every_account_trades(day: LobsterFile) -> None:
    _, executions, venue = carried_out(day, 3_000)
    assert set(venue.owners.values()) == {0, 1, 2, 3, 4}
    assert {step.account for step in executions} == {1, 2, 3, 4}


@pytest.mark.full
@pytest.mark.no_cover
def test_the_whole_day_trades_as_recorded(day: LobsterFile) -> None:
    plan, executions, venue = carried_out(day, None)
    assert (plan.rows, plan.equal, plan.revealed) == (ROWS_OF_DAY, 122_094, 33_840)
    shown, hit = check_executions(executions, venue.trades)
    assert (plan.executions, shown) == (8_974, 7_307)
    assert hit == plan.executions_at_head == 7_294
    waved, _ = in_waves(day, None, 1)
    assert waved.book.checksum() == venue.book.checksum()
    assert waved.trades == venue.trades
