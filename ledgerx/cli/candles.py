"""`pyledgerx candles`: candles of a range, fetched where the warehouse lacks them."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from ledgerx.cli.arguments import DATA_DIR, FiniteRange, OutputFile
from ledgerx.cli.history_options import (
    CERTIFICATE,
    NAMESPACE,
    RELAY_KEY,
    catalog_word,
    key_pair,
    relay_key,
    word,
)
from ledgerx.history.words import parse_period, parse_time

if TYPE_CHECKING:
    import pyarrow as pa

    from ledgerx.history.client import OHLCClient
    from ledgerx.history.sources.source import Instrument

__all__ = ["candles"]

_ROWS_SHOWN = 20


@click.command()
@click.argument("ticker")
@click.option(
    "--period", default="1m", show_default=True, callback=word(parse_period), help="1m, 4h, 1d, 1w."
)
@click.option(
    "--from", "start", required=True, callback=word(parse_time), help="2024-01-31 or 2024-01-31T12:00, UTC."
)
@click.option(
    "--to", "end", required=True, callback=word(parse_time), help="The same; not part of the range."
)
@click.option("--data-dir", type=DATA_DIR, help="The folder of pyledgerx history up: it says the rest.")
@click.option("--catalog", metavar="URI", callback=catalog_word, help="Of the warehouse, without --data-dir.")
@click.option("--relay", default="tcp://127.0.0.1:5555", show_default=True, help="Without --data-dir.")
@click.option("--notifications", default="tcp://127.0.0.1:5557", show_default=True, help="The same.")
@NAMESPACE
@CERTIFICATE
@RELAY_KEY
@click.option("--timeout", type=FiniteRange(min=0.1), default=600.0, show_default=True, help="Seconds.")
@click.option("--fill-empty", is_flag=True, help="Also a candle, without volume, where nothing was traded.")
@click.option("--csv", type=OutputFile(), help="Write the candles here, in whole numbers.")
@click.option("--parquet", type=OutputFile(), help="The same as Parquet.")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON a candle.")
@click.option("--plot", type=OutputFile(), metavar="FILE.png", help="Draw them.")
def candles(ticker: str, period: int, start: int, end: int, timeout: float, **options: Any) -> None:
    """Fetch the candles of TICKER (SOURCE:SYMBOL); what the warehouse lacks is brought there first."""
    from ledgerx.history.export import json_lines, write_csv, write_parquet
    from ledgerx.history.plot import candlesticks, check_picture

    if options["plot"]:
        check_picture(options["plot"])  # before what may take long
    wanted = (ticker, period, start, end)
    rows, instrument = asyncio.run(
        _fetch(_client(options), wanted, timeout, fill_empty=options["fill_empty"])
    )
    if options["csv"]:
        write_csv(rows, options["csv"])
    if options["parquet"]:
        write_parquet(rows, options["parquet"])
    if options["plot"]:
        candlesticks(rows, instrument).savefig(options["plot"])
    if options["as_json"]:
        for line in json_lines(rows):
            click.echo(line)
    else:
        Console().print(_table(ticker, rows, instrument))
    written = [str(options[name]) for name in ("csv", "parquet", "plot") if options[name]]
    click.echo(f"candles: {rows.num_rows:,}" + "".join(f", {path}" for path in written), err=True)


def _client(options: dict[str, Any]) -> OHLCClient:
    from dataclasses import asdict

    from ledgerx.history.client import OHLCClient
    from ledgerx.history.embedded import read_note

    if (options["data_dir"] is None) == (options["catalog"] is None):
        raise click.UsageError("give --data-dir, or --catalog and the relay's endpoints")
    if options["data_dir"] is not None:
        return OHLCClient(**asdict(read_note(options["data_dir"])))
    return OHLCClient(
        options["catalog"],
        options["relay"],
        options["notifications"],
        options["namespace"],
        client_keypair=key_pair(options["certificate"]),
        server_public_key=relay_key(options["relay_key_text"]),
    )


async def _fetch(
    client: OHLCClient, wanted: tuple[str, int, int, int], timeout_s: float, *, fill_empty: bool
) -> tuple[pa.Table, Instrument | None]:
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    async with client:
        with Progress(*columns, console=console, disable=not sys.stderr.isatty(), transient=True) as bar:
            task = bar.add_task(f"fetching {wanted[0]}", total=1.0)
            rows = await client.fetch_ohlc_arrow(
                *wanted,
                timeout_s,
                progress=lambda share: bar.update(task, completed=share),
                fill_empty=fill_empty,
            )
        instrument = await asyncio.to_thread(client.iceberg.instrument, wanted[0])
    return rows, instrument


def _table(ticker: str, rows: pa.Table, instrument: Instrument | None) -> Table:
    from ledgerx.history.export import readable_rows

    table = Table("time (UTC)", "open", "high", "low", "close", "volume", title=Text(ticker, "table.title"))
    for column in table.columns[1:]:
        column.justify = "right"
    for row in readable_rows(rows.slice(0, _ROWS_SHOWN), instrument):
        table.add_row(*row)
    if rows.num_rows > _ROWS_SHOWN:
        table.add_row(f"... {rows.num_rows - _ROWS_SHOWN:,} more")
    return table
