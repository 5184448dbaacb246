"""`pyledgerx relay`: the relay of candles in the foreground."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import click

from ledgerx.cli.history_options import CERTIFICATE, key_pair, relay_key, serving

__all__ = ["relay"]


@click.command()
@click.option("--endpoint", default="tcp://127.0.0.1:5555", show_default=True, help="For requests.")
@click.option(
    "--notifications",
    default="tcp://127.0.0.1:5557",
    show_default=True,
    help="For notifications. Port 0: any.",
)
@CERTIFICATE
@click.option("--allow", multiple=True, metavar="KEY", help="Whose public key may connect; default: all.")
@click.option("--json", "as_json", is_flag=True, help="Print the endpoints as one line of JSON.")
def relay(
    endpoint: str, notifications: str, certificate: Path | None, allow: tuple[str, ...], as_json: bool
) -> None:
    """Run the relay that clients and ingestors of candles meet at, until SIGTERM or Ctrl-C."""
    from ledgerx.history.relay import Relay

    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    allowed = [key for text in allow if (key := relay_key(text)) is not None] or None
    opened = Relay(endpoint, notifications, keypair=key_pair(certificate), allowed_keys=allowed)
    with serving() as wait, opened:
        shown = {
            "relay_endpoint": opened.relay_endpoint,
            "notification_endpoint": opened.notification_endpoint,
        }
        text = "The relay takes requests at {relay_endpoint}, notifies at {notification_endpoint}."
        click.echo(json.dumps(shown) if as_json else text.format(**shown))
        wait(opened)
