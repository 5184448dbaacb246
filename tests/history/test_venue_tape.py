"""The trades of a venue of ours become candles: those that were released, and only whole periods."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from history_processes import running
from venue_harness import Floor, HandClock

from ledgerx.cli.main import main
from ledgerx.errors import DataFolderUnusable
from ledgerx.exchange.journal_pb2 import Record
from ledgerx.exchange.journal_tail import JournalTail
from ledgerx.exchange.segments import journal_folder
from ledgerx.history.candles import Candles, concatenated
from ledgerx.history.periods import bucket_start
from ledgerx.history.sources.tape import VenueTape
from ledgerx.protocol.wire import decode_message
from ledgerx.testing.demo import Demo
from ledgerx.testing.process import VenueProcess

MINUTE_US = 60_000_000


def candles_between(tape: VenueTape, wanted: tuple[int, int], period: int = 60) -> tuple[int, Candles]:
    """Where the pages end, and their candles."""
    pages = list(tape.pages("7", period, wanted))
    assert [page.covered[0] for page in pages[1:]] == [page.covered[1] for page in pages[:-1]]
    return pages[-1].covered[1], concatenated(page.candles for page in pages)


def trade(floor: Floor, price: int, size: int, *, sold: bool) -> None:
    floor.turn(("alice", floor.order(price=price, size=size, is_ask=not sold)))
    floor.turn(("bob", floor.order(price=price, size=size, is_ask=sold)))


def test_a_venues_trades_are_its_candles_while_it_trades(tmp_path: Path) -> None:
    clock = HandClock()
    with Floor(tmp_path, "alice", "bob", clock=clock, segment_bytes_max=3000) as floor:
        tape = VenueTape(tmp_path)
        start = bucket_start(clock.wall // 1000, 60)
        for minute in range(6):
            trade(floor, 100 + minute, 2, sold=False)
            trade(floor, 90 + minute, 3, sold=True)
            clock.advance(60)
            if not minute:
                assert not list(tape.pages("7", 60, (start, start + MINUTE_US)))
                continue
            end, candles = candles_between(tape, (start, start + 10 * MINUTE_US))
            assert end == start + minute * MINUTE_US  # the last record's minute is open
            assert candles.open.tolist() == list(range(100, 100 + minute))
        assert (candles.close - candles.open).tolist() == [-10] * 5
        assert (candles.volume == 5).all()
        assert (candles.buy_vol == 2).all()
        assert not candles.is_partial.any()
        tape.close()


def test_what_was_not_released_is_no_candle(tmp_path: Path) -> None:
    clock = HandClock()
    with Floor(tmp_path, "alice", "bob", clock=clock) as floor:
        trade(floor, 100, 1, sold=False)
        released = (journal_folder(tmp_path) / "released").read_bytes()
        clock.advance(120)
        trade(floor, 101, 1, sold=False)
    (journal_folder(tmp_path) / "released").write_bytes(released)
    tape = VenueTape(tmp_path)
    start = bucket_start(HandClock().wall // 1000, 60)
    assert sum(len(page.candles) for page in tape.pages("7", 60, (start, start + 5 * MINUTE_US))) == 0
    tape.close()


def test_a_symbol_is_a_contracts_number_and_a_folder_a_venues(tmp_path: Path) -> None:
    with pytest.raises(DataFolderUnusable, match="has no journal"):
        VenueTape(tmp_path)
    with Floor(tmp_path, "alice"):
        tape = VenueTape(tmp_path)
        assert tape.instrument("BTC") is None
        assert tape.instrument("07") is None
        found = tape.instrument("7")
        assert found is not None
        assert (found.ticker, found.price_scale, found.size_scale) == ("LEDGERX:7", 100, 1)
        tape.close()


def records_of(venue: VenueProcess) -> list[Record]:
    """All that a venue's journal has."""
    tail = JournalTail(journal_folder(venue.data_dir))
    try:
        return [tailed.record for tailed in tail.read(10**9)]
    finally:
        tail.close()


def test_a_demo_session_becomes_candles_by_the_same_path(tmp_path: Path) -> None:
    with VenueProcess() as venue:
        Demo(venue).run()
        records = records_of(venue)
        outputs = [out for record in records for out in record.outputs if out.topic.startswith("trade.")]
        trades = [decode_message(output.message) for output in outputs]
        while records[-1].input.time // 1_000_000_000 <= trades[-1].timestamp // 1_000_000_000:
            venue.trader(f"later {len(records)}")  # a record that says that the second of the trades is over
            records = records_of(venue)
        contract = trades[0].contract_id
        up = ("history", "up", "--data-dir", tmp_path, "--source", f"venue:{venue.data_dir}")
        ports = ("--port", "0", "--notification-port", "0")
        first = trades[0].timestamp // 1000
        span = ("--from", str(first - 5_000_000), "--to", str(first + 60_000_000))
        with running(*up, *ports):
            shown = CliRunner().invoke(
                main,
                [
                    "candles",
                    f"LEDGERX:{contract}",
                    "--data-dir",
                    str(tmp_path),
                    *span,
                    "--period",
                    "1s",
                    "--json",
                ],
            )
    assert shown.exit_code == 0, shown.output
    candles = [json.loads(line) for line in shown.stdout.splitlines()]
    horizon = records[-1].input.time // 1_000_000_000 * 1_000_000_000
    closed = [one for one in trades if one.contract_id == contract and one.timestamp < horizon]
    assert sum(row["volume"] for row in candles) == sum(one.size for one in closed)
    assert sum(row["trade_count"] for row in candles) == len(closed) > 0
