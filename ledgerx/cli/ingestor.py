"""`pyledgerx ingestor`: fetches what the relay is asked for into the warehouse."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import click

from ledgerx.cli.history_options import (
    CERTIFICATE,
    NAMESPACE,
    RELAY_KEY,
    SOURCES,
    catalog_word,
    key_pair,
    relay_key,
    serving,
)

__all__ = ["ingestor"]


@click.command()
@SOURCES
@click.option(
    "--catalog",
    required=True,
    metavar="URI",
    callback=catalog_word,
    help="sqlite:///FILE, postgresql+psycopg2:// or http://.",
)
@click.option("--warehouse", metavar="PLACE", help="Where new tables' files go: a folder or a URI.")
@NAMESPACE
@click.option("--relay", default="tcp://127.0.0.1:5555", show_default=True, help="Where it takes requests.")
@click.option(
    "--jobs", type=click.IntRange(1, 64), default=4, show_default=True, help="Ranges fetched at once."
)
@CERTIFICATE
@RELAY_KEY
@click.option("--json", "as_json", is_flag=True, help="Print its number as one line of JSON.")
def ingestor(
    sources: tuple[str, ...],
    catalog: str,
    warehouse: str | None,
    namespace: str,
    relay: str,
    jobs: int,
    certificate: Path | None,
    relay_key_text: str | None,
    as_json: bool,
) -> None:
    """Fetch candles from sources into an Iceberg warehouse, until SIGTERM or Ctrl-C."""
    from ledgerx.history.ingestor import Ingestor
    from ledgerx.history.maintenance import Maintenance
    from ledgerx.history.sources.named import open_source
    from ledgerx.history.writer import WarehouseWriter

    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    opened = Ingestor(
        relay,
        WarehouseWriter(catalog, namespace, warehouse=warehouse),
        [open_source(text) for text in sources],
        jobs_max=jobs,
        after_commits=Maintenance(catalog, namespace, warehouse=warehouse).after_commits,
        client_keypair=key_pair(certificate),
        server_public_key=relay_key(relay_key_text),
    )
    with serving() as wait, opened:
        click.echo(
            json.dumps({"worker_id": opened.worker_id})
            if as_json
            else f"The ingestor serves {', '.join(sources)} to {relay}."
        )
        wait(opened)
