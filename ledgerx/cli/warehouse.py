"""`pyledgerx warehouse`: the upkeep of a warehouse of candles."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from ledgerx.cli.arguments import DATA_DIR, FiniteRange
from ledgerx.cli.history_options import NAMESPACE, catalog_word, word

__all__ = ["warehouse"]

_HOURS_MAX = 1_000_000
"""More than a century: what is reckoned of it is a time that there was."""


def _place(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say which warehouse."""
    command = NAMESPACE(command)
    command = click.option(
        "--catalog", metavar="URI", callback=catalog_word, help="Of the warehouse, without --data-dir."
    )(command)
    return click.option("--data-dir", type=DATA_DIR, help="The folder of pyledgerx history up.")(command)


def _time(text: str) -> int:
    from ledgerx.history.words import parse_time

    return parse_time(text)


def _periods(ctx: click.Context, parameter: click.Parameter, texts: tuple[str, ...]) -> tuple[int, ...]:
    from ledgerx.history.words import parse_period

    return tuple(word(parse_period)(ctx, parameter, text) for text in texts or ("1m",))


def _uri(data_dir: Path | None, catalog: str | None) -> str:
    from ledgerx.history.embedded import read_note

    if (data_dir is None) == (catalog is None):
        raise click.UsageError("give --data-dir or --catalog")
    return catalog or read_note(data_dir or "").iceberg_catalog_uri


def _kept(data_dir: Path | None, catalog: str | None, namespace: str) -> str:
    """The URI of a warehouse that is there: to open a catalog would make its file, and upkeep no table."""
    from ledgerx.history.tables import OHLC, load_table, open_catalog, sqlite_file
    from ledgerx.history.warehouse import close_catalog

    uri = _uri(data_dir, catalog)
    if uri.startswith("sqlite:///") and not (file := sqlite_file(uri)).is_file():
        raise click.ClickException(f"there is no warehouse: no file {file}: name the catalog's")
    opened = open_catalog(uri)
    try:
        found = bool(namespace) and load_table(opened, namespace, OHLC) is not None
    finally:
        close_catalog(opened)
    if not found:
        text = f"there is no warehouse: the catalog has no candles in namespace {namespace!r}"
        raise click.ClickException(f"{text}: name another with --namespace")
    return uri


def _join_ray(address: str) -> None:
    """Join the cluster on which shards will run."""
    from ledgerx.history.extras import needed

    ray = needed("ray", "running shards on Ray", "ray")
    try:
        ray.init(address=address, log_to_driver=False, include_dashboard=False)
    except (OSError, RuntimeError, ValueError) as error:
        where = "on this machine" if address == "auto" else f"at {address}"
        hint = "start one (ray start --head), or give --ray local"
        raise click.ClickException(f"there is no Ray cluster {where}: {hint}") from error


@click.group()
def warehouse() -> None:
    """Keep a warehouse of candles quick, and check it. All of it may be done while it is used."""


@warehouse.command()
@_place
def compact(data_dir: Path | None, catalog: str | None, namespace: str) -> None:
    """Make few files of many small ones."""
    from ledgerx.history.maintenance import Maintenance

    click.echo(f"compacted {Maintenance(_kept(data_dir, catalog, namespace), namespace).compact()} files")


@warehouse.command()
@_place
@click.option("--keep-hours", type=FiniteRange(0, _HOURS_MAX), default=1.0, show_default=True)
def expire(data_dir: Path | None, catalog: str | None, namespace: str, keep_hours: float) -> None:
    """Drop the states that are older than that; their files go with a sweep."""
    from ledgerx.history.maintenance import Maintenance

    count = Maintenance(_kept(data_dir, catalog, namespace), namespace).expire(keep_hours * 3600)
    click.echo(f"expired {count} states")


@warehouse.command()
@_place
@click.option("--age-hours", type=FiniteRange(0, _HOURS_MAX), default=24.0, show_default=True)
def sweep(data_dir: Path | None, catalog: str | None, namespace: str, age_hours: float) -> None:
    """Delete the files that no state has and that are older than that."""
    from ledgerx.history.maintenance import Maintenance

    count = Maintenance(_kept(data_dir, catalog, namespace), namespace).sweep(age_hours * 3600)
    click.echo(f"swept {count} files")


@warehouse.command()
@_place
def verify(data_dir: Path | None, catalog: str | None, namespace: str) -> None:
    """Read all of it: no row is there twice, every candle is possible and covered. Exit code 1 if not."""
    from ledgerx.history.verification import verify as verified
    from ledgerx.history.warehouse import IcebergClient

    with IcebergClient(_kept(data_dir, catalog, namespace), namespace) as client:
        found = verified(client)
    for text in found.wrong:
        click.echo(f"wrong: {text}")
    if found.uncovered:
        click.echo(f"{found.uncovered:,} candles are in no covered range: they are fetched again")
    click.echo(f"warehouse: {found.candles:,} candles of {found.tickers} tickers, {len(found.wrong)} faults")
    if not found.ok:
        raise SystemExit(1)


@warehouse.command()
@click.argument("ticker")
@_place
@click.option("--source", required=True, metavar="[NAME=]KIND:WHAT", help="Where its candles come from.")
@click.option("--period", "periods", multiple=True, callback=_periods, help="Such as 1m; several times.")
@click.option("--from", "start", required=True, callback=word(_time), help="The first day.")
@click.option("--to", "end", required=True, callback=word(_time), help="The end, widened to whole days.")
@click.option("--ray", metavar="ADDRESS", help="Run on a Ray cluster: auto, local, or its address.")
def fill(
    ticker: str,
    data_dir: Path | None,
    catalog: str | None,
    namespace: str,
    source: str,
    periods: tuple[int, ...],
    start: int,
    end: int,
    ray: str | None,
) -> None:
    """Fill long ranges of TICKER (SOURCE:SYMBOL) day by day, without a relay; weeks of their days."""
    from ledgerx.history.periods import DAY_SECONDS, WEEK_SECONDS
    from ledgerx.history.shards import fill as run
    from ledgerx.history.shards import runner_of, shards_of
    from ledgerx.history.weeks import fill_weeks
    from ledgerx.history.writer import WarehouseWriter

    of_days = [DAY_SECONDS if period == WEEK_SECONDS else period for period in periods]
    shards = shards_of(source, ticker, (start, end), of_days)
    writer = WarehouseWriter(_uri(data_dir, catalog), namespace)
    if ray is not None:
        _join_ray(ray)
    writer.open()
    try:
        count = sum(run(writer, shards, runner_of(ray)))
        if WEEK_SECONDS in periods:
            count += fill_weeks(writer, ticker, (start, end))
    finally:
        writer.close()
    click.echo(f"filled {count:,} candles of {len(shards)} shards")
