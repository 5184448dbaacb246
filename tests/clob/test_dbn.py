"""Reading DBN files: what a record becomes, and every way a file can be wrong."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import databento_dbn as dbn
import pytest
from replay_books import LAST, SNAPSHOT, header, message, write_dbn

from ledgerx.clob import PRICE_MAX
from ledgerx.clob.dbn import Action, DbnFile, Instrument, MboRecord, is_dbn
from ledgerx.errors import InvalidData

GOOD = message("A", "B", 4_800_250_000_000, 3, 42)


def test_a_record_is_read_whole(tmp_path: Path) -> None:
    day = DbnFile(write_dbn(tmp_path, GOOD, message("T", "N", PRICE_MAX, 0, 0, SNAPSHOT)))
    first, second = day.records()
    price = 4_800_250_000_000
    assert first == MboRecord(1, 1_000, Instrument(1, 7), Action.ADD, False, price, 3, 42, True, False)
    assert (second.action, second.is_ask, second.is_last, second.is_snapshot) == (
        Action.TRADE,
        None,
        False,
        True,
    )
    assert (day.count(), len(list(day.records(1)))) == (2, 1)


@pytest.mark.parametrize("action", list(Action))
def test_every_action_is_known(tmp_path: Path, action: Action) -> None:
    (record,) = DbnFile(write_dbn(tmp_path, message(action.value, "A", 1, 1, 1))).records()
    assert record.action is action


def test_files_are_known_by_their_first_bytes() -> None:
    assert is_dbn(header()[:4])
    assert is_dbn(b"\x28\xb5\x2f\xfd")
    assert not is_dbn(b"PK\x03\x04")


@pytest.mark.parametrize(
    ("record", "field"),
    [
        (message("A", "B", 1, 0, 1), "size"),
        (message("C", "B", 1, 0, 1), "size"),
        (message("M", "B", PRICE_MAX, 1, 1), "price"),
        (message("A", "N", 1, 1, 1), "side"),
        (message("A", "B", 1, 1, 0), "order id"),
        (message("M", "B", 1, 1, 0), "order id"),
        (message("A", "B", 1, 1, 1, LAST | 64), "flags"),
        (message("A", "B", 1, 1, 1, LAST | 16), "flags"),
        (GOOD[:38] + b"Z" + GOOD[39:], "action"),
        (GOOD[:39] + b"Z" + GOOD[40:], "side"),
    ],
)
def test_a_bad_record_names_file_record_and_field(tmp_path: Path, record: bytes, field: str) -> None:
    with pytest.raises(InvalidData, match=rf"day\.mbo\.dbn record 2, {field}:") as caught:
        list(DbnFile(write_dbn(tmp_path, GOOD, record)).records())
    assert (caught.value.file, caught.value.row, caught.value.field) == ("day.mbo.dbn", 2, field)


def test_another_schema_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidData, match="schema: trades, not mbo"):
        DbnFile(write_dbn(tmp_path, GOOD, head=header(dbn.Schema.TRADES))).count()
    trade = dbn.TradeMsg(
        publisher_id=1,
        instrument_id=7,
        ts_event=1,
        price=1,
        size=1,
        action=dbn.Action.TRADE,
        side=dbn.Side.ASK,
        depth=0,
        ts_recv=1,
    )
    with pytest.raises(InvalidData, match="record 2: a TradeMsg, not market by order"):
        DbnFile(write_dbn(tmp_path, GOOD, bytes(trade))).count()


@pytest.mark.parametrize("cut", [3, 20, len(header()) + 56 + 10])
def test_a_file_that_is_cut_off_is_refused(tmp_path: Path, cut: int) -> None:
    path = write_dbn(tmp_path, GOOD, GOOD)
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(InvalidData, match="the file ends"):
        DbnFile(path).count()


@pytest.mark.parametrize("content", [b"", b"nothing of the kind"])
def test_what_is_no_dbn_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "day.dbn.zst"
    path.write_bytes(content)
    with pytest.raises(InvalidData, match=r"day\.dbn\.zst: no DBN file"):
        DbnFile(path)


def test_bytes_that_do_not_decompress_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "day.dbn.zst"
    path.write_bytes(b"\x28\xb5\x2f\xfd" + b"\xff" * 100)
    with pytest.raises(InvalidData, match="record 1: cannot be decoded"):
        DbnFile(path).count()


def test_a_file_that_is_absent_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidData, match=r"absent\.dbn: cannot be read"):
        DbnFile(tmp_path / "absent.dbn")
    path = write_dbn(tmp_path, GOOD)
    day = DbnFile(path)
    path.unlink()
    with pytest.raises(InvalidData, match="cannot be read"):
        day.count()


WITHOUT = """
import sys
sys.modules["databento_dbn"] = None
from ledgerx.clob.replay import open_day
from ledgerx.errors import MissingExtra
try:
    open_day(sys.argv[1])
except MissingExtra as error:
    print(error.extra, "|", error)
"""


def test_a_missing_extra_is_named(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WITHOUT, str(write_dbn(tmp_path, GOOD))]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert result.stdout.startswith("dbn | reading DBN files needs the extra 'dbn'")


def test_a_recorded_file_is_read_whole(shared_data: Path) -> None:
    assert DbnFile(shared_data / "futures" / "esh4-glbx-mdp3-20231224.mbo.dbn.zst").count() == 8_725


def test_a_recorded_file_that_is_cut_off_is_refused(tmp_path: Path, shared_data: Path) -> None:
    whole = (shared_data / "futures" / "esh4-glbx-mdp3-20231224.mbo.dbn.zst").read_bytes()
    path = tmp_path / "cut.dbn.zst"
    for length in (150, 1_000, *range(5_000, len(whole), 5_000), len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(InvalidData, match="the file ends"):
            DbnFile(path).count()
