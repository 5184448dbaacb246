"""`pyledgerx warehouse`: the upkeep of a warehouse of candles."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from ledgerx.cli.arguments import DATA_DIR
from ledgerx.cli.history_options import NAMESPACE, word

__all__ = ["warehouse"]


def _place(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say which warehouse."""
    command = NAMESPACE(command)
    command = click.option("--catalog", metavar="URI", help="Of the warehouse, without --data-dir.")(command)
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


@click.group()
def warehouse() -> None:
    """Keep a warehouse of candles quick, and check it. All of it may be done while it is used."""


@warehouse.command()
@_place
def compact(data_dir: Path | None, catalog: str | None, namespace: str) -> None:
    """Make few files of many small ones."""
    from ledgerx.history.maintenance import Maintenance

    click.echo(f"compacted {Maintenance(_uri(data_dir, catalog), namespace).compact()} files")


@warehouse.command()
@_place
@click.option("--keep-hours", type=click.FloatRange(min=0), default=1.0, show_default=True)
def expire(data_dir: Path | None, catalog: str | None, namespace: str, keep_hours: float) -> None:
    """Drop the states that are older than that; their files go with a sweep."""
    from ledgerx.history.maintenance import Maintenance

    count = Maintenance(_uri(data_dir, catalog), namespace).expire(keep_hours * 3600)
    click.echo(f"expired {count} states")


@warehouse.command()
@_place
@click.option("--age-hours", type=click.FloatRange(min=0), default=24.0, show_default=True)
def sweep(data_dir: Path | None, catalog: str | None, namespace: str, age_hours: float) -> None:
    """Delete the files that no state has and that are older than that."""
    from ledgerx.history.maintenance import Maintenance

    count = Maintenance(_uri(data_dir, catalog), namespace).sweep(age_hours * 3600)
    click.echo(f"swept {count} files")


@warehouse.command()
@_place
def verify(data_dir: Path | None, catalog: str | None, namespace: str) -> None:
    """Read all of it: no row is there twice, every candle is possible and covered. Exit code 1 if not."""
    from ledgerx.history.verification import verify as verified
    from ledgerx.history.warehouse import IcebergClient

    with IcebergClient(_uri(data_dir, catalog), namespace) as client:
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
    writer.open()
    try:
        count = sum(run(writer, shards, runner_of(ray)))
        if WEEK_SECONDS in periods:
            count += fill_weeks(writer, ticker, (start, end))
    finally:
        writer.close()
    click.echo(f"filled {count:,} candles of {len(shards)} shards")
