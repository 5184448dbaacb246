"""`pyledgerx stream`: a streaming session, printed frame by frame for a person to look at."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.text import Text

from ledgerx.cli.arguments import DATA_DIR
from ledgerx.protocol.ports import STREAMING_PORT

if TYPE_CHECKING:
    from ledgerx.streaming_api.session import Frame, SessionSettings

__all__ = ["stream"]

_COLOURS = {"order": "green", "market": "cyan", "contract": "cyan", "eto": "bright_black"}


@click.command()
@click.option("--user", required=True, metavar="NAME", help="The account's name.")
@click.option("--token", envvar="LEDGERX_TOKEN", help="In place of a password. Or LEDGERX_TOKEN.")
@click.option(
    "--data-dir", type=DATA_DIR, help="A venue's folder on this machine: gives port and certificate."
)
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(1, 65535), help=f"Default: the folder's, or {STREAMING_PORT}.")
@click.option("--ca", type=click.Path(path_type=Path), help="PEM: whose certificates are trusted.")
@click.option("--no-tls", is_flag=True, help="For a venue that was started with --no-tls.")
@click.option(
    "--market",
    "markets",
    type=click.IntRange(1, 2**32 - 1),
    multiple=True,
    help="A market to subscribe to; several times.",
)
@click.option(
    "--after", type=click.IntRange(0, 2**64 - 1), help="Begin after this message of the account. 0: with all."
)
@click.option("--count", type=click.IntRange(min=1), help="End after so many frames.")
def stream(
    user: str,
    token: str | None,
    data_dir: Path | None,
    host: str,
    port: int | None,
    ca: Path | None,
    no_tls: bool,
    markets: tuple[int, ...],
    after: int | None,
    count: int | None,
) -> None:
    """Log in and print what comes until Ctrl-C, with the password asked for or piped in."""
    from ledgerx.streaming_api import seto_pb2 as seto
    from ledgerx.streaming_api.client import StreamingAPIClient
    from ledgerx.streaming_api.session import Session

    settings = _settings(user, token, data_dir, host, port, ca, no_tls)
    client = StreamingAPIClient(Session(settings, account_sequence=after))
    console = Console(highlight=False, soft_wrap=True)
    left = [count]

    def show(name: str, message: Frame) -> None:
        if left[0] is None or left[0] > 0:
            console.print(_line(name, message.protobuf))
            left[0] = None if left[0] is None else left[0] - 1

    client.add_global_handler(show)
    try:
        client.login()
        for market_id in markets:
            client.send(seto.MarketSubscribe(market_id=market_id))
        client.flush()
        while left[0] is None or left[0] > 0:
            client.read()
        client.logout()
    except KeyboardInterrupt:
        client.logout()
    finally:
        client.session.disconnect()


def _settings(
    user: str,
    token: str | None,
    data_dir: Path | None,
    host: str,
    port: int | None,
    ca: Path | None,
    no_tls: bool,
) -> SessionSettings:
    from ledgerx.streaming_api.session import SessionSettings

    if data_dir is not None:
        found_host, found_port, found_ca = _venue(data_dir)
        host, port, ca = found_host, port or found_port, ca or found_ca
    return SessionSettings(
        username=None if token else user,
        password=None if token else _password(),
        token=token,
        host=host,
        port=port or STREAMING_PORT,
        ssl=not no_tls,
        ssl_kwargs={"ca_certs": str(ca)} if ca is not None and not no_tls else None,
    )


def _venue(data_dir: Path) -> tuple[str, int, Path | None]:
    """Where the venue of a folder listens, and its own certificate."""
    from ledgerx.errors import DataFolderUnusable
    from ledgerx.exchange.folder import read_note
    from ledgerx.exchange.streaming.certificate import certificate_path

    note = read_note(data_dir)
    if note is None or note.streaming_port is None:
        raise DataFolderUnusable(
            f"no venue with a streaming port has used {data_dir}: is it the folder that --data-dir named?"
        )
    certificate = certificate_path(data_dir)
    return note.host, note.streaming_port, certificate if certificate.exists() else None


def _password() -> str:
    if sys.stdin.isatty():
        return str(click.prompt("Password", hide_input=True))
    return sys.stdin.readline().rstrip("\r\n")


def _line(name: str, payload: Any) -> Text:
    """One frame: its number, its name, its fields."""
    module, _, kind = name.partition(".")
    message = getattr(payload if module == "seto" else payload.eto_payload, kind, None)
    fields = "" if message is None else _fields(message)
    colour = _COLOURS.get(module if module == "eto" else kind.partition("_")[0], "")
    return Text.assemble(f"{payload.eto_payload.seq:>6} ", (f"{name:<28} ", colour), fields)


def _fields(message: Any) -> str:
    """Every field that is set, on one line; quotes as price x quantity."""
    shown = []
    for field, value in message.ListFields():
        if field.name == "account_sequence":
            continue  # account_sequence_64 says it too
        if field.message_type is None:
            text = field.enum_type.values_by_number[value].name if field.enum_type else str(value)
        elif field.message_type.name in ("Quote", "Execution"):
            many = value if not hasattr(value, "ListFields") else [value]
            text = " ".join(f"{one.price}x{one.quantity}" for one in many)
        else:
            many = value if not hasattr(value, "ListFields") else [value]
            text = " ".join(f"({_fields(one)})" for one in many)
        shown.append(f"{field.name}={text}")
    return " ".join(shown)
