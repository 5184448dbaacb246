"""`pyledgerx journal`: whether a venue's journal is sound, and what is in it."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ledgerx.cli.arguments import DATA_DIR

if TYPE_CHECKING:
    from ledgerx.exchange.journal_report import Statistics, Verification

__all__ = ["journal"]

_FOLDER = click.argument("folder", metavar="DATA", type=DATA_DIR)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print one line of JSON.")


@click.group()
def journal() -> None:
    """Verify and read a venue's journal.

    DATA is a venue's data folder, running or not, or a copy of one. Nothing in it is changed.
    """


@journal.command()
@_FOLDER
@click.option("--no-execute", is_flag=True, help="Check checksums and numbers alone, which is quicker.")
@_JSON
def verify(folder: Path, no_execute: bool, as_json: bool) -> None:
    """Check every record, execute everything again and compare.

    The exit code is 1 if something is damaged; then its place is printed.
    """
    from ledgerx.exchange import journal_report

    found = journal_report.verify(folder, execute=not no_execute)
    click.echo(json.dumps({**asdict(found), "ok": found.ok}) if as_json else _verdict(found))
    if not found.ok:
        raise SystemExit(1)


@journal.command()
@_FOLDER
@click.option("--from", "first", type=click.IntRange(min=1), default=1, metavar="N", help="The first record.")
@click.option("--to", "last", type=click.IntRange(min=1), metavar="N", help="The last record.")
@click.option("--account", metavar="NAME|CID", help="Only what concerns this account.")
def dump(folder: Path, first: int, last: int | None, account: str | None) -> None:
    """Print each record as a line of JSON."""
    from ledgerx.exchange import journal_report

    cid = None if account is None else journal_report.account_cid(folder, account)
    for values in journal_report.dump(folder, first=first, last=last, cid=cid):
        click.echo(json.dumps(values))


@journal.command()
@_FOLDER
@_JSON
def stats(folder: Path, as_json: bool) -> None:
    """Print how much of what the journal holds."""
    from ledgerx.exchange import journal_report

    found = journal_report.statistics(folder)
    click.echo(json.dumps(asdict(found)) if as_json else _table(found))


def _verdict(found: Verification) -> str:
    lines = [
        f"{found.records:,} records in {found.segments} segment(s), {found.bytes:,} bytes;"
        f" {found.executed:,} executed again, {found.snapshots} snapshot(s) compared"
    ]
    if found.trailing_bytes:
        lines.append(
            f"{found.trailing_bytes:,} bytes after the last record: a write under way, or a torn tail"
        )
    if found.ok:
        return "\n".join([*lines, "sound"])
    return "\n".join([*lines, f"DAMAGED: {found.path}, byte {found.position}: {found.damage}"])


def _table(found: Statistics) -> str:
    rows: list[tuple[str, Any]] = [
        ("records", f"{found.records:,} ({found.first_record} to {found.last_record})"),
        ("time", f"{_time(found.first_time)} to {_time(found.last_time)}"),
        ("bytes", f"{found.bytes:,} in {found.segments} segment(s)"),
        ("runs", ", ".join(map(str, found.runs[-10:])) or "none"),
        ("accounts", found.accounts),
        ("contracts", found.contracts),
        *_counts("input", found.inputs),
        *_counts("request", found.requests),
        *_counts("output", found.outputs),
    ]
    if found.trailing_bytes:
        rows.append(("trailing bytes", f"{found.trailing_bytes:,}"))
    for snapshot in found.snapshots:
        state = "" if snapshot["usable"] else ", DAMAGED"
        rows.append(("snapshot", f"after record {snapshot['record']}, {snapshot['bytes']:,} bytes{state}"))
    return "\n".join(f"{name:<28}{value}" for name, value in rows)


def _counts(title: str, counts: dict[str, int]) -> list[tuple[str, str]]:
    return [(f"{title} {name}", f"{count:,}") for name, count in sorted(counts.items())]


def _time(time_ns: int) -> str:
    return datetime.fromtimestamp(time_ns // 10**9, UTC).isoformat() if time_ns else "never"
