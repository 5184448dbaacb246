"""`pyledgerx replay`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from flow_small_day import LEVELS, write_small_day

from ledgerx.cli.main import main

FUTURES = "esh4-glbx-mdp3-20231225.mbo.dbn.zst"


def replayed(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["replay", *(str(argument) for argument in arguments)])


def test_a_day_is_replayed_and_its_counts_printed(tmp_path: Path) -> None:
    result = replayed(write_small_day(tmp_path))
    assert result.exit_code == 0, result.output
    assert "executions at head" in result.stdout
    assert result.stdout.splitlines()[-1] == "replay: SMALL_message_1.csv as recorded"
    assert result.stderr == "", "a progress bar is for terminals"


def test_json_is_one_line(tmp_path: Path) -> None:
    result = replayed(write_small_day(tmp_path), "--json", "--limit", "5")
    assert result.exit_code == 0, result.output
    (line,) = result.stdout.splitlines()
    counts = json.loads(line)
    assert (counts["file"], counts["rows"], counts["ok"]) == ("SMALL_message_1.csv", 5, True)
    assert (counts["first_wrong"], len(counts["checksum"])) == ([], 16)


def test_a_wrong_row_is_shown_and_ends_in_1(tmp_path: Path) -> None:
    day = write_small_day(tmp_path)
    levels = tmp_path / "SMALL_orderbook_1.csv"
    assert LEVELS.splitlines()[3] == "10005 12 10000 15"
    rows = levels.read_text().splitlines()
    rows[3] = rows[3].replace(",12,", ",11,")
    levels.write_text("\n".join(rows) + "\n")
    result = replayed(day)
    assert result.exit_code == 1
    assert "wrong: row 4, side ask, level 1, expected (1000500, 11), got (1000500, 12)" in result.stdout
    assert result.stdout.splitlines()[-1] == "replay: SMALL_message_1.csv NOT as recorded"
    counts = json.loads(replayed(day, "--json").stdout)
    assert counts["first_wrong"][0]["row"] == 4
    assert (counts["wrong"], counts["ok"]) == (2, False)


def test_the_file_of_levels_may_be_named(tmp_path: Path) -> None:
    day = write_small_day(tmp_path)
    other = (tmp_path / "SMALL_orderbook_1.csv").rename(tmp_path / "levels.csv")
    assert replayed(day).exit_code == 1
    assert replayed(day, "--orderbook", other).exit_code == 0


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        ("absent.zip", None, "absent.zip"),
        ("day.txt", "something", "day.txt: neither LOBSTER"),
        ("day.zip", "something", "not a readable zip"),
        ("day.dbn", "something", "day.dbn: no DBN file"),
        ("SMALL_message_1.csv", "34200.1,9,11,10,1000000,1\n", "SMALL_message_1.csv row 1, type: '9'"),
    ],
)
def test_a_bad_file_is_an_error_in_words(tmp_path: Path, name: str, content: str | None, text: str) -> None:
    write_small_day(tmp_path)
    if content is not None:
        (tmp_path / name).write_text(content)
    result = replayed(tmp_path / name)
    assert result.exit_code == 1
    assert text in result.stderr
    assert "Traceback" not in result.output


def test_the_recorded_futures_day(shared_data: Path) -> None:
    result = replayed(shared_data / "futures" / FUTURES, "--json")
    counts = json.loads(result.stdout)
    assert (result.exit_code, counts["unresolved"], counts["auction_fills_unknown"]) == (0, 0, 7)
    assert len(counts["checksums"]) == 1


def test_a_futures_day_may_be_cut_anywhere(shared_data: Path) -> None:
    result = replayed(shared_data / "futures" / FUTURES, "--limit", "9000")
    assert result.exit_code == 0, result.output
    assert "held at end" in result.stdout
