"""`pyledgerx catalog`: a REST catalog of Iceberg in the foreground."""

from __future__ import annotations

import json
import logging
import socket

import click

from ledgerx.cli.history_options import catalog_word, serving

__all__ = ["catalog"]


def _host(_ctx: click.Context, _parameter: click.Parameter, host: str) -> str:
    """The host, if there is one of that name: what is said where it cannot be bound speaks of ports."""
    try:
        socket.getaddrinfo(host, None)
    except (OSError, UnicodeError) as error:
        raise click.BadParameter(f"no host {host!r} is known: name an address of this machine") from error
    return host


@click.command()
@click.option(
    "--catalog",
    "uri",
    required=True,
    metavar="URI",
    callback=catalog_word,
    help="The SQL catalog behind it: sqlite:///FILE.",
)
@click.option("--warehouse", metavar="PLACE", help="Where new tables' files go: a folder or a URI.")
@click.option(
    "--host", default="127.0.0.1", show_default=True, callback=_host, help="The address to listen on."
)
@click.option("--port", type=click.IntRange(0, 65535), default=8181, show_default=True, help="0: any.")
@click.option("--json", "as_json", is_flag=True, help="Print its URI as one line of JSON.")
def catalog(uri: str, warehouse: str | None, host: str, port: int, as_json: bool) -> None:
    """Serve an SQL catalog by Iceberg's REST protocol, until SIGTERM or Ctrl-C."""
    from ledgerx.history.catalog import CatalogServer

    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    opened = CatalogServer(uri, warehouse=warehouse, host=host, port=port)
    with serving() as wait, opened:
        click.echo(json.dumps({"uri": opened.uri}) if as_json else f"The catalog is open at {opened.uri}.")
        wait(opened)
