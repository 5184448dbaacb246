"""What is mistyped on the command lines of history is told in words: no traceback, and no file made."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from candle_makers import fill
from click.testing import CliRunner, Result

from ledgerx.cli.main import main
from ledgerx.errors import InvalidField
from ledgerx.history.embedded import EmbeddedHistory
from ledgerx.history.plot import check_picture
from ledgerx.history.sources.files import FileSource
from ledgerx.history.words import parse_catalog, parse_time
from ledgerx.history.writer import WarehouseWriter

RANGE = ("--from", "1970-01-01T00:01", "--to", "1970-01-01T00:03")
UPKEEP = ("verify", "compact", "expire", "sweep")
CATALOGS = (
    "postgresql+psycopg2://a:secret@127.0.0.1:xyz/db",
    "postgresql+psycopg2://a:sec/ret@127.0.0.1:xyz/db",
    "http://[::1",
    "http://127.0.0.1:xyz",
    "http://127.0.0.1:65536",
)


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [*map(str, arguments)])


def assert_told(result: Result, text: str) -> None:
    assert isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code in (1, 2)
    assert text in " ".join(result.output.split())


@pytest.fixture
def warehouse(writer: WarehouseWriter, catalog_uri: str) -> str:
    """The catalog of a warehouse with some candles."""
    writer.write([fill(0, 10)])
    return catalog_uri


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    """The folder of a history that runs, of a symbol that looks like markup."""
    folder = tmp_path / "history"
    folder.mkdir()
    (folder / "[_b]-trades.csv").write_text("price,size,side,ts_ms\n10.25,5,buy,60000\n")
    endpoints = {"relay_endpoint": "tcp://127.0.0.1:0", "notification_endpoint": "tcp://127.0.0.1:0"}
    with EmbeddedHistory(folder / "data", [FileSource(folder)], **endpoints):
        yield folder / "data"


def test_a_ticker_that_looks_like_markup_is_shown_as_it_is(data_dir: Path) -> None:
    shown = run("candles", "FILE:[/b]", "--data-dir", data_dir, *RANGE)
    assert shown.exit_code == 0, shown.exception
    assert "FILE:[/b]" in shown.stdout


@pytest.mark.parametrize("name", ["out.xyz", "out", "out.", ".png"])
def test_a_picture_of_no_form_is_refused_before_anything_is_fetched(name: str, tmp_path: Path) -> None:
    # No relay is there: to fetch would tell so.
    arguments = ["--catalog", f"sqlite:///{tmp_path}/none.db", *RANGE, "--plot", tmp_path / name]
    assert_told(run("candles", "FILE:ABC", *arguments), "give a name that ends in .")
    assert list(tmp_path.iterdir()) == []
    check_picture(tmp_path / "out.PNG")


def test_a_time_of_thousands_of_digits_is_none(tmp_path: Path) -> None:
    arguments = ["--catalog", f"sqlite:///{tmp_path}/none.db", "--to", "2024-01-01", "--from", "9" * 5000]
    result = run("candles", "FILE:ABC", *arguments)
    assert_told(result, "give a date")
    assert len(result.output) < 1000
    with pytest.raises(InvalidField, match=r"start_time 9{40}: give whole microseconds"):
        parse_time("9" * 40)


@pytest.mark.parametrize("hours", ["nan", "inf", "1e12", "-1"])
@pytest.mark.parametrize("words", [("expire", "--keep-hours"), ("sweep", "--age-hours")])
def test_hours_that_cannot_be_reckoned_with_are_refused(
    words: tuple[str, str], hours: str, warehouse: str
) -> None:
    assert_told(run("warehouse", *words, hours, "--catalog", warehouse), f"Invalid value for '{words[1]}'")


def test_hours_of_a_century_are_reckoned_with(warehouse: str) -> None:
    for words in (("expire", "--keep-hours"), ("sweep", "--age-hours")):
        result = run("warehouse", *words, "1000000", "--catalog", warehouse)
        assert result.exit_code == 0, result.exception


@pytest.mark.parametrize("uri", CATALOGS)
def test_a_catalog_whose_address_cannot_be_read_is_refused_without_its_password(
    uri: str, tmp_path: Path
) -> None:
    source = ["--source", f"files:{tmp_path}"]
    for command in (
        ["candles", "FILE:ABC", *RANGE],
        *(["warehouse", name] for name in UPKEEP),
        ["ingestor", *source],
        ["catalog"],
        ["warehouse", "fill", "FILE:ABC", *source, *RANGE],
    ):
        result = run(*command, "--catalog", uri)
        assert_told(result, "its host or port is none")
        assert "sec" not in result.output


def test_a_catalog_whose_address_can_be_read_is_left_as_it_is() -> None:
    for uri in (
        "postgresql+psycopg2://a:s/e:c@db:5432/x",
        "http://[::1]:8181?warehouse=a:b",
        "sqlite:///x.db",
    ):
        assert parse_catalog(uri) == uri


@pytest.mark.parametrize("command", UPKEEP)
def test_the_upkeep_of_a_warehouse_that_is_not_there_says_so_and_makes_none(
    command: str, tmp_path: Path, warehouse: str
) -> None:
    before = sorted(tmp_path.rglob("*"))
    mistyped = run("warehouse", command, "--catalog", f"sqlite:///{tmp_path}/catalgo.db")
    assert_told(mistyped, f"there is no warehouse: no file {tmp_path}/catalgo.db")
    for namespace in ("tradnig", ""):
        other = run("warehouse", command, "--catalog", warehouse, "--namespace", namespace)
        assert_told(other, f"there is no warehouse: the catalog has no candles in namespace '{namespace}'")
        assert other.exit_code == 1
    assert sorted(tmp_path.rglob("*")) == before
    assert mistyped.exit_code == 1
    assert run("warehouse", command, "--catalog", warehouse).exit_code == 0


@pytest.mark.parametrize("address", ["auto", "nonsense"])
def test_a_ray_cluster_that_is_not_there_is_said_to_be_missing(
    address: str, tmp_path: Path, ray: object
) -> None:
    assert ray is not None
    (tmp_path / "ABC-trades.csv").write_text("price,size,side,ts_ms\n10.25,5,buy,60000\n")
    uri = f"sqlite:///{tmp_path}/catalog.db"
    source = ["--source", f"files:{tmp_path}"]
    # In a process of its own, as in test_shards.
    command = [sys.executable, "-m", "ledgerx.cli", "warehouse", "fill", "FILE:ABC", "--catalog", uri]
    result = subprocess.run(
        [*command, *source, *RANGE, "--ray", address],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert result.returncode == 1
    assert "there is no Ray cluster" in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "catalog.db").exists()


@pytest.mark.parametrize("host", ["nosuch.invalid", "a" * 64])
def test_a_host_that_nobody_knows_is_not_taken_for_a_port_in_use(host: str, tmp_path: Path) -> None:
    result = run("catalog", "--catalog", f"sqlite:///{tmp_path}/catalog.db", "--host", host)
    assert_told(result, f"no host '{host}' is known")
