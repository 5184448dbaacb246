"""`pyledgerx flow`: a recorded market day, traded live."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from ledgerx.cli.arguments import DATA_DIR, DAY
from ledgerx.cli.signals import ending_in_order
from ledgerx.clob.lobster import LobsterFile
from ledgerx.errors import Error
from ledgerx.testing.flow.tally import FlowResult

__all__ = ["counts_table", "flow", "summary"]


@click.command()
@click.argument("file", type=DAY)
@click.option("--orderbook", type=DAY, help="The file of levels, if FILE is not a zip.")
@click.option("--limit", type=click.IntRange(min=1), help="Trade the first N rows only.", metavar="N")
@click.option(
    "--accounts", type=click.IntRange(2, 100), default=4, show_default=True, help="How many traders."
)
@click.option("--data-dir", type=DATA_DIR, help="Trade on the venue that runs on this folder.")
@click.option("--exchange", metavar="HOST[:PORT]", help="Where that venue is, if not as its folder says.")
def flow(
    file: Path,
    orderbook: Path | None,
    limit: int | None,
    accounts: int,
    data_dir: Path | None,
    exchange: str | None,
) -> None:
    """Trade a recorded market day on a venue.

    FILE is a day of the LOBSTER form: a zip, or its file of messages. Without --data-dir a venue is
    started for it in a temporary folder.
    """
    if exchange and data_dir is None:
        raise click.UsageError("--exchange needs --data-dir, the venue's folder, to register accounts in")
    # Imported late, so that --help needs no socket library.
    from ledgerx.testing.flow.venues import trade_day

    console = Console()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    try:
        day = LobsterFile(file, orderbook)
        rows = day.count() if limit is None else min(limit, day.count())
        with ending_in_order(), Progress(*columns, console=console) as progress:
            task = progress.add_task(day.name, total=rows)
            result = trade_day(
                day,
                accounts,
                limit=limit,
                data_dir=data_dir,
                host=exchange,
                progress=lambda done: progress.update(task, completed=done),
            )
    except Error as error:
        raise click.ClickException(str(error)) from error
    console.print(counts_table(result))
    console.print(summary(result), soft_wrap=True)
    if not result.as_recorded:
        raise SystemExit(1)


def counts_table(result: FlowResult) -> Table:
    """What was sent and what came of it."""
    table = Table("", "count", title="A recorded day, traded live")
    table.columns[1].justify = "right"
    for name, count in (
        ("rows of the file", result.rows),
        ("orders of the traders", result.orders),
        ("orders of the house", result.house_orders),
        ("cancels", result.cancels),
        ("partial cancels", result.reductions),
        ("orders queued again where the file disproved their place", result.requeued),
        ("fills", result.fills),
        ("recorded executions", result.executions),
        ("  at the recorded price and size", result.executions_same),
        ("  of orders that the file has shown", result.shown),
        ("    that hit that very order", result.shown_hit),
        ("hidden executions (nothing sent)", result.hidden_executions),
        ("requests refused", result.refused),
    ):
        table.add_row(name, f"{count:,}")
    return table


def summary(result: FlowResult) -> str:
    """The last line."""
    share = f" ({result.shown_hit / result.shown:.1%})" if result.shown else ""
    refused = f", {result.refused} refused ({result.first_refusal})" if result.refused else ""
    return (
        f"flow: {result.rows} rows, {result.orders + result.house_orders} orders, {result.cancels} cancels, "
        f"{result.fills} fills, {result.executions_same} of {result.executions} executions as recorded, "
        f"{result.shown_hit} of {result.shown}{share} hit the recorded order{refused}, {result.seconds:.1f} s"
    )
