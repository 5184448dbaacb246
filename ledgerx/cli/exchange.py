"""`pyledgerx exchange`: a venue in the foreground."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ledgerx.cli.arguments import DATA_DIR
from ledgerx.protocol.ports import REQUEST_PORT, STREAMING_PORT

if TYPE_CHECKING:
    from ledgerx.exchange.folder import VenueNote
    from ledgerx.exchange.retention import Retention

__all__ = ["exchange"]

_SHOWN = ("host", "request_port", "publish_port", "http_port", "streaming_port", "public_key")


def _retention(_ctx: click.Context, _parameter: click.Parameter, text: str) -> Retention:
    from ledgerx.errors import InvalidField
    from ledgerx.exchange.retention import Retention

    try:
        return Retention.parse(text)
    except InvalidField as error:
        raise click.BadParameter(str(error)) from error


@click.command()
@click.option("--data-dir", required=True, type=DATA_DIR, help="The data folder, made if it is new.")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65534),
    default=REQUEST_PORT,
    show_default=True,
    help="Requests here, publications one above, HTTP one below. 0: any three, the same again on a restart.",
)
@click.option("--contracts", type=click.Path(path_type=Path), help="A TOML file of contracts.")
@click.option(
    "--sync",
    type=click.Choice(["process", "power"]),
    default="process",
    show_default=True,
    help="What a record survives: the end of the process, or of the machine's power (an fsync a group).",
)
@click.option(
    "--retain",
    callback=_retention,
    default="forever",
    show_default=True,
    help="What the journal keeps: a number of records (1000000), or an age (30d, 12h); whole segments go.",
)
@click.option(
    "--snapshot-every",
    type=click.IntRange(min=0),
    default=50_000,
    show_default=True,
    metavar="RECORDS",
    help="A process beside the venue checks the journal and takes snapshots, for a quick start. 0: none.",
)
@click.option(
    "--interval-ms", type=click.IntRange(10, 60_000), default=1000, show_default=True, help="Of heartbeats."
)
@click.option(
    "--streaming-port",
    type=click.IntRange(0, 65535),
    help=f"Streaming sessions. Default: {STREAMING_PORT} beside the default --port, else any free one.",
)
@click.option("--tls-cert", type=click.Path(path_type=Path), help="PEM: the streaming port's certificate.")
@click.option(
    "--tls-key", type=click.Path(path_type=Path), help="PEM: its key, if it is in a file of its own."
)
@click.option("--no-tls", is_flag=True, help="No TLS on the streaming port: on this machine alone.")
@click.option("--no-streaming", is_flag=True, help="No streaming port.")
@click.option("--json", "as_json", is_flag=True, help="Print ports and public key as one line of JSON.")
def exchange(
    data_dir: Path,
    host: str,
    port: int,
    contracts: Path | None,
    sync: str,
    retain: Retention,
    snapshot_every: int,
    interval_ms: int,
    streaming_port: int | None,
    tls_cert: Path | None,
    tls_key: Path | None,
    no_tls: bool,
    no_streaming: bool,
    as_json: bool,
) -> None:
    """Run a venue until SIGTERM or Ctrl-C."""
    from ledgerx.exchange.foreground import run_in_foreground
    from ledgerx.exchange.streaming import StreamingSettings

    if tls_key is not None and tls_cert is None:
        raise click.UsageError("--tls-key goes with --tls-cert: name the certificate too")
    if no_tls and tls_cert is not None:
        raise click.UsageError("--no-tls and --tls-cert exclude each other")
    if streaming_port is None:
        streaming_port = STREAMING_PORT if port == REQUEST_PORT else 0
    streaming = StreamingSettings(port=streaming_port, tls=not no_tls, certificate=tls_cert, key=tls_key)

    def ready(note: VenueNote) -> None:
        click.echo(_json(note) if as_json else _text(note, data_dir))

    run_in_foreground(
        data_dir,
        host=host,
        port=port,
        contracts=contracts,
        sync="power" if sync == "power" else "process",
        retain=retain,
        snapshot_every=snapshot_every,
        interval_ms=interval_ms,
        streaming=None if no_streaming else streaming,
        ready=ready,
    )


def _json(note: VenueNote) -> str:
    return json.dumps({name: getattr(note, name) for name in _SHOWN})


def _text(note: VenueNote, data_dir: Path) -> str:
    return f"""The venue is open on {note.host}: requests {note.request_port}, publications \
{note.publish_port}, HTTP {note.http_port}, streaming {note.streaming_port}.
Public key: {note.public_key}

Next, in another terminal:
  pyledgerx keygen --out trader.key
  pyledgerx account add trader --public-key trader.key --data-dir {data_dir}
  pyledgerx --fetch-exchange-key {note.host}:{note.http_port}

A program connects with Context("{note.host}:{note.request_port}", ...). Ctrl-C stops the venue.
"""
