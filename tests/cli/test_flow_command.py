"""`pyledgerx flow`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from flow_small_day import write_small_day

from ledgerx.cli.flow import counts_table, flow, summary
from ledgerx.exchange import Exchange
from ledgerx.testing.flow.planner import Plan
from ledgerx.testing.flow.tally import Tally


def test_a_day_is_traded_and_its_counts_printed(tmp_path: Path) -> None:
    result = CliRunner().invoke(flow, [str(write_small_day(tmp_path)), "--accounts", "3"])
    assert result.exit_code == 0, result.output
    assert "hidden executions (nothing sent)" in result.output
    last = result.output.splitlines()[-1]
    assert last.startswith(
        "flow: 9 rows, 5 orders, 1 cancels, 3 fills, 3 of 3 executions as recorded, 2 of 2"
    )


def test_a_running_venue_is_used_by_its_folder(tmp_path: Path) -> None:
    day = write_small_day(tmp_path)
    with Exchange(http=False) as exchange:
        arguments = [str(day), "--limit", "4", "--data-dir", str(exchange.data_dir)]
        arguments += ["--exchange", f"127.0.0.1:{exchange.request_port}"]
        result = CliRunner().invoke(flow, arguments)
        assert len(exchange.accounts()) == 5
    assert result.exit_code == 0, result.output
    assert "flow: 4 rows" in result.output


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["absent.zip"], "'absent.zip' does not exist"),
        (["{day}", "--orderbook", "absent.csv"], "'absent.csv' does not exist"),
        (["{day}", "--exchange", "127.0.0.1"], "--exchange needs --data-dir"),
        (["{day}", "--accounts", "1"], "--accounts"),
        (["{day}", "--data-dir", "nothing-here"], "no venue runs on nothing-here"),
    ],
)
def test_what_cannot_work_is_an_error_in_words(tmp_path: Path, arguments: list[str], text: str) -> None:
    day = str(write_small_day(tmp_path))
    result = CliRunner().invoke(flow, [argument.format(day=day) for argument in arguments])
    assert result.exit_code != 0
    assert text in result.output
    assert "Traceback" not in result.output


def test_the_last_line_names_refusals_and_leaves_out_a_share_of_nothing() -> None:
    result = Tally().result(Plan(), 1.0)
    assert "%" not in summary(result)
    refused = replace(result, refused=2, first_refusal="604: too high", shown=4, shown_hit=3)
    assert "3 of 4 (75.0%)" in summary(refused)
    assert "2 refused (604: too high)" in summary(refused)
    assert counts_table(refused).row_count == 13
