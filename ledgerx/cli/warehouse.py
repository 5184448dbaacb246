"""`pyledgerx warehouse`: the upkeep of a warehouse of candles."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from ledgerx.cli.arguments import DATA_DIR
from ledgerx.cli.history_options import NAMESPACE

__all__ = ["warehouse"]


def _place(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say which warehouse."""
    command = NAMESPACE(command)
    command = click.option("--catalog", metavar="URI", help="Of the warehouse, without --data-dir.")(command)
    return click.option("--data-dir", type=DATA_DIR, help="The folder of pyledgerx history up.")(command)


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
    click.echo(f"warehouse: {found.candles:,} candles of {found.tickers} tickers, {len(found.wrong)} faults")
    if not found.ok:
        raise SystemExit(1)
