"""`pyledgerx history`: relay, ingestor and warehouse in one process."""

from __future__ import annotations

import json
import logging
from dataclasses import asdict
from pathlib import Path

import click

from ledgerx.cli.arguments import DATA_DIR
from ledgerx.cli.history_options import NAMESPACE, SOURCES, serving

__all__ = ["history"]

_PORT = click.IntRange(0, 65535)


@click.group()
def history() -> None:
    """Keep candles on this machine."""


@history.command()
@click.option("--data-dir", required=True, type=DATA_DIR, help="The data folder, made if it is new.")
@SOURCES
@NAMESPACE
@click.option("--port", type=_PORT, default=5555, show_default=True, help="For requests. 0: any.")
@click.option("--notification-port", type=_PORT, default=5557, show_default=True, help="0: any.")
@click.option("--json", "as_json", is_flag=True, help="Print where it is as one line of JSON.")
def up(
    data_dir: Path,
    sources: tuple[str, ...],
    namespace: str,
    port: int,
    notification_port: int,
    as_json: bool,
) -> None:
    """Run all that candles need, on this machine alone, until SIGTERM or Ctrl-C."""
    from ledgerx.history.embedded import EmbeddedHistory, catalog_uri_of
    from ledgerx.history.maintenance import Maintenance
    from ledgerx.history.sources.named import open_source

    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    opened = EmbeddedHistory(
        data_dir,
        [open_source(text) for text in sources],
        namespace=namespace,
        relay_endpoint=f"tcp://127.0.0.1:{port}",
        notification_endpoint=f"tcp://127.0.0.1:{notification_port}",
        after_commits=Maintenance(catalog_uri_of(data_dir), namespace).after_commits,
    )
    with serving() as wait, opened:
        note = opened.note
        text = f"""The history of {data_dir} is open: requests {note.relay_endpoint}, notifications \
{note.notification_endpoint}.

Next, in another terminal:
  pyledgerx candles SOURCE:SYMBOL --data-dir {data_dir} --period 1m --from 2024-01-01 --to 2024-01-02

Ctrl-C stops it."""
        click.echo(json.dumps(asdict(note)) if as_json else text)
        wait(opened)
