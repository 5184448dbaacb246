"""`pyledgerx demo`: a verified trading session on a venue of its own, and if asked a recorded day."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from ledgerx.cli.arguments import DAY
from ledgerx.cli.flow import counts_table, summary
from ledgerx.cli.signals import ending_in_order
from ledgerx.clob.lobster import LobsterFile

if TYPE_CHECKING:
    from ledgerx.testing.process import VenueProcess

__all__ = ["demo"]

_FLOW_ROWS = 10_000
_FLOW_HIT_SHARE_MIN = 0.99


@click.command()
@click.option("--flow", type=DAY, metavar="FILE", help="Also trade this recorded LOBSTER day.")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    metavar="N",
    help=f"How many rows of that day, {_FLOW_ROWS} if not given.",
)
def demo(flow: Path | None, limit: int | None) -> None:
    """Trade on a venue of its own, kill and restart it, and verify all of it.

    Ends with one line of counts; the exit code is 0 only if every step was verified.
    """
    if limit is not None and flow is None:
        raise click.UsageError("--limit needs --flow, the recorded day whose rows it counts")
    # Imported late, so that --help needs no socket library.
    from ledgerx.testing.demo import Demo
    from ledgerx.testing.process import VenueProcess

    console = Console()
    day = None if flow is None else LobsterFile(flow)  # a file that cannot be read ends it here
    with ending_in_order(), VenueProcess() as venue:
        console.print(f"venue: process {venue.pid} at {venue.address}", soft_wrap=True)
        session = Demo(venue)
        session.run()
        table = Table("step", "what happened", title="A trading session")
        for row in session.rows:
            table.add_row(*row)
        console.print(table)
        if day is not None:
            _trade(venue, day, limit or _FLOW_ROWS, console)
        console.print(session.last_line(), highlight=False, soft_wrap=True)


def _trade(venue: VenueProcess, day: LobsterFile, limit: int, console: Console) -> None:
    from ledgerx.testing.checks import check
    from ledgerx.testing.flow.venues import trade_day

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(day.name, total=min(limit, day.count()))
        result = trade_day(
            day,
            limit=limit,
            data_dir=venue.data_dir,
            progress=lambda rows: progress.update(task, completed=rows),
        )
    console.print(counts_table(result))
    console.print(summary(result), soft_wrap=True)
    check(result.as_recorded, "every recorded execution comes out at its price and size")
    hit = result.shown_hit >= _FLOW_HIT_SHARE_MIN * result.shown
    check(hit, f"{result.shown_hit} of {result.shown} executions hit the order that the file has shown")
