"""`pyledgerx orderflow`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ledgerx.cli.main import main
from ledgerx.testing.process import VenueProcess

TRADES = "price,size,side,ts_ms\n10,5,buy,60000\n11,2,sell,60001\n12,1,buy,120000\n"


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["orderflow", *map(str, arguments)])


@pytest.fixture
def trades(tmp_path: Path) -> Path:
    path = tmp_path / "trades.csv"
    path.write_text(TRADES)
    return path


def test_a_files_figures_are_a_table_and_a_line_of_json(trades: Path) -> None:
    assert "point_of_control" in run(trades).stdout
    (found,) = json.loads(run(trades, "--json", "--symbol", "CME/ES").stdout)
    assert (found["venue"], found["symbol"]) == ("CME", "ES")
    assert (found["analytics"]["buy_volume"], found["flow"]["trades"]) == (6, 3)


def test_a_series_and_a_picture_are_written(trades: Path, tmp_path: Path) -> None:
    out, png = tmp_path / "candles.csv", tmp_path / "p.png"
    result = run(trades, "--series", "candles", "--out", out, "--plot", "profile", "--png", png)
    assert result.exit_code == 0, result.output
    assert len(out.read_text().splitlines()) == 3
    assert png.stat().st_size > 5_000


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "give a FILE, or --live HOST"),
        (["{file}", "--series", "trades"], "--series and --out go together"),
        (["{file}", "--series", "trades", "--out", "x.txt"], "ends neither in .csv nor in .parquet"),
        (["{file}", "--symbol", "ES"], "'ES' is not VENUE/SYMBOL"),
        (["absent.csv"], "absent.csv: is no file"),
        (["--live", "127.0.0.1"], "--live needs --certificate and --exchange-key"),
    ],
)
def test_what_cannot_work_is_told_in_words(trades: Path, arguments: list[str], told: str) -> None:
    result = run(*(argument.format(file=trades) for argument in arguments))
    assert result.exit_code != 0
    assert told in result.output


def test_a_venue_is_watched_live(tmp_path: Path) -> None:
    with VenueProcess() as venue:
        venue.trader("watcher").save_certificate(tmp_path / "watcher.cert")
        (tmp_path / "venue.key").write_bytes(venue.public_key)
        keys = ["--certificate", tmp_path / "watcher.cert", "--exchange-key", tmp_path / "venue.key"]
        result = run("--live", venue.address, *keys, "--seconds", "0.3", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.output) == []  # nothing is traded there
