"""`pyledgerx replay`: a recorded order-by-order day through the order book, checked."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

if TYPE_CHECKING:
    from ledgerx.clob.lobster_replay import LobsterCounts
    from ledgerx.clob.mbo_replay import MboCounts

__all__ = ["replay"]


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--orderbook", type=click.Path(path_type=Path), help="The LOBSTER file of levels, if FILE is not a zip."
)
@click.option("--limit", type=click.IntRange(min=1), help="Replay the first N rows only.", metavar="N")
@click.option("--json", "as_json", is_flag=True, help="Print the counts as one line of JSON.")
def replay(file: Path, orderbook: Path | None, limit: int | None, as_json: bool) -> None:
    """Replay a recorded day through the order book and check it.

    FILE is a day of the LOBSTER form (a zip, or its file of messages), whose own levels the book must
    show after every row, or market by order in the DBN form, where every order named must stand. The
    exit code is 1 if a row is wrong or an order is not found.
    """
    from ledgerx.clob.replay import open_day, replay_day

    day = open_day(file, orderbook)
    stderr = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=stderr, disable=not stderr.is_terminal, transient=True) as bar:
        rows = day.count() if stderr.is_terminal else 0
        task = bar.add_task(day.name, total=rows if limit is None else min(limit, rows))
        counts = replay_day(day, limit=limit, progress=lambda done: bar.update(task, completed=done))
    if as_json:
        click.echo(json.dumps({"file": day.name, **_values(counts)}))
    else:
        Console().print(_table(day.name, counts))
        for wrong in counts.first_wrong:
            click.echo("wrong: " + ", ".join(f"{name} {value}" for name, value in wrong._asdict().items()))
        click.echo(f"replay: {day.name} {'as recorded' if counts.ok else 'NOT as recorded'}")
    if not counts.ok:
        raise SystemExit(1)


def _values(counts: LobsterCounts | MboCounts) -> dict[str, Any]:
    """The counts by name; checksums as 16 hexadecimal digits, wrong rows as objects."""
    values = asdict(counts)
    values["first_wrong"] = [wrong._asdict() for wrong in counts.first_wrong]
    if "checksum" in values:
        values["checksum"] = f"{values['checksum']:016x}"
    else:
        values["checksums"] = [f"{checksum:016x}" for checksum in values["checksums"]]
    return {**values, "ok": counts.ok}


def _table(name: str, counts: LobsterCounts | MboCounts) -> Table:
    table = Table("", "count", title=name)
    table.columns[1].justify = "right"
    for key, value in _values(counts).items():
        if key not in ("first_wrong", "ok"):
            shown = (
                f"{value:,}"
                if isinstance(value, int)
                else value
                if isinstance(value, str)
                else " ".join(value)
            )
            table.add_row(key.replace("_", " "), shown)
    return table
