"""Every check of the traders' accounts fails where it should: each is shown what it must not accept."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ledgerx.api.client import v0_0_1 as api
from ledgerx.errors import JournalCorrupt, VerificationFailed
from ledgerx.exchange.journal import Journal
from ledgerx.exchange.journal_pb2 import Record
from ledgerx.protocol import wire
from ledgerx.testing.process import VenueProcess
from ledgerx.testing.traders import trade
from ledgerx.testing.traders_check import ClientResult, verify_traders

Results = list[ClientResult]


@pytest.fixture(scope="module")
def traded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Results, Path]:
    """Two clients' own accounts of a venue that was killed in the middle, and its folder."""
    folder = tmp_path_factory.mktemp("venue")
    with VenueProcess(folder) as venue:
        results = trade(venue, clients=2, orders=240, kill=True, seed=3)
        venue.stop()
    return results, folder


def test_what_happened_is_accepted(traded: tuple[Results, Path]) -> None:
    results, folder = traded
    total = verify_traders(results, folder, kills=1)
    assert (total.orders, total.kills, total.run_changes) == (240, 1, 2)
    assert total.trades > 0


def change_position(result: ClientResult) -> None:
    contract = next(iter(result.positions))
    result.positions[contract] += 1


def change_position_and_fills(result: ClientResult) -> None:
    change_position(result)
    result.net_fills = dict(result.positions)


def add_mid(result: ClientResult) -> None:
    result.sent.append("0" * 32)
    result.acknowledged.append("0" * 32)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda result: result.acknowledged.pop(), "everything sent was acknowledged"),
        (lambda result: result.acknowledged.append(result.sent[0]), "each ACK was dispatched once"),
        (add_mid, "every acknowledged message is in the journal"),
        (lambda result: setattr(result, "wrong", 1), r"sent = filled \+ canceled"),
        (lambda result: setattr(result, "lost", 1), "came in order"),
        (lambda result: setattr(result, "run_changes", 0), "1 run changes"),
        (change_position, "are the sums of its fills"),
        (change_position_and_fills, "positions sum to zero"),
        (lambda result: setattr(result, "filled_size", result.filled_size + 2), "lots were traded"),
        (lambda result: result.line.pop(), "was told"),
        (lambda result: result.line.__setitem__(6, 1), r"was told under \[7\]"),
        (lambda result: result.replayed.pop(0), "was replayed"),
        (lambda result: result.replayed.__setitem__(0, 1), r"was replayed under \[1\]"),
    ],
)
def test_a_client_that_was_told_something_else_is_noticed(
    change: Callable[[ClientResult], Any], text: str, traded: tuple[Results, Path]
) -> None:
    results = copy.deepcopy(traded[0])
    change(results[1])
    with pytest.raises(VerificationFailed, match=text):
        verify_traders(results, traded[1], kills=1)


def test_a_kill_too_many_or_too_few_is_noticed(traded: tuple[Results, Path]) -> None:
    for kills in (0, 2):
        with pytest.raises(VerificationFailed, match="kills make"):
            verify_traders(traded[0], traded[1], kills=kills)


def drop_output(records: list[Record]) -> None:
    del next(record for record in records if len(record.outputs) > 1).outputs[0]


def repeat_request(records: list[Record]) -> None:
    last = [record for record in records if record.input.WhichOneof("kind") == "request"][-1]
    again = Record()
    again.input.CopyFrom(last.input)
    records.append(again)


def forget_request(records: list[Record]) -> None:
    record = [record for record in records if record.input.WhichOneof("kind") == "request"][-1]
    message = wire.decode_message(record.input.request.message)
    message.mid = "f" * 32
    record.input.request.message = wire.encode_message(message)


def change_one_side(records: list[Record]) -> None:
    for record in records:
        for output in record.outputs:
            message = wire.decode_message(output.message) if output.cid else None
            if isinstance(message, api.MessageActionReport) and message.filled_size:
                message.filled_price_in_cents += 1
                output.message = wire.encode_message(message)
                return


def rewrite(change: Callable[[list[Record]], None], source: Path, target: Path) -> None:
    """A journal in `target` that says what that in `source` does, changed."""
    journal = Journal.open(source / "journal")
    records = list(journal.records())
    journal.close()
    change(records)
    with contextlib.closing(Journal.open(target / "journal")) as journal:
        for number, record in enumerate(records, 1):
            record.number = number
            journal.append(record)
        journal.commit()


def test_no_journal_takes_a_line_with_a_hole(traded: tuple[Results, Path], tmp_path: Path) -> None:
    with pytest.raises(JournalCorrupt, match=r"gives account \d message"):
        rewrite(drop_output, traded[1], tmp_path)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (repeat_request, "executed at most once"),
        (forget_request, "every acknowledged message is in the journal"),
        (change_one_side, "both sides of trade"),
    ],
)
def test_a_journal_that_says_something_else_is_noticed(
    change: Callable[[list[Record]], None], text: str, traded: tuple[Results, Path], tmp_path: Path
) -> None:
    rewrite(change, traded[1], tmp_path)
    with pytest.raises(VerificationFailed, match=text):
        verify_traders(traded[0], tmp_path, kills=1)
