"""`pyledgerx account`: who may trade on a venue, running or not."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from ledgerx.cli.arguments import DATA_DIR
from ledgerx.errors import DataFolderUnusable
from ledgerx.exchange.accounts import AccountRow, list_accounts
from ledgerx.exchange.folder import accounts_path

__all__ = ["account"]

_DATA_DIR = click.option("--data-dir", required=True, type=DATA_DIR, help="The venue's data folder.")


@click.group()
def account() -> None:
    """Register, list and remove traders. A running venue acts on it at once."""


@account.command()
@click.argument("name")
@click.option("--public-key", required=True, metavar="KEY", help="40 Z85 characters, or a certificate file.")
@_DATA_DIR
def add(name: str, public_key: str, data_dir: Path) -> None:
    """Let a trader in under NAME."""
    from ledgerx.exchange import control
    from ledgerx.protocol.exchange_key import read_public_key

    row = control.add_account(data_dir, name, read_public_key(public_key))
    click.echo(f"account {row.cid} {row.name} {row.public_key}")


@account.command()
@click.argument("name")
@_DATA_DIR
def remove(name: str, data_dir: Path) -> None:
    """Cancel the orders of NAME and cut it off."""
    from ledgerx.exchange import control

    row = control.remove_account(data_dir, name)
    click.echo(f"removed account {row.cid} {row.name}")


@account.command()
@click.argument("name")
@_DATA_DIR
def password(name: str, data_dir: Path) -> None:
    """Give NAME a password for streaming sessions; asked for, or the first line of a piped input."""
    from ledgerx.exchange.streaming.credentials import set_password

    if sys.stdin.isatty():
        text = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    else:
        text = sys.stdin.readline().rstrip("\r\n")
    row = set_password(data_dir, name, text)
    click.echo(f"account {row.cid} {row.name} logs in to streaming sessions with this password")


@account.command()
@click.argument("name")
@_DATA_DIR
def token(name: str, data_dir: Path) -> None:
    """Print a new token with which NAME logs in to streaming sessions; the one before ends."""
    from ledgerx.exchange.streaming.credentials import set_token

    click.echo(set_token(data_dir, name))


@account.command("list")
@_DATA_DIR
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_(data_dir: Path, as_json: bool) -> None:
    """List every account, removed ones included."""
    if not data_dir.is_dir():
        raise DataFolderUnusable(f"there is no data folder {data_dir}")
    if not accounts_path(data_dir).exists():
        raise DataFolderUnusable(f"no venue has used {data_dir} yet: is it the folder that --data-dir named?")
    for row in list_accounts(accounts_path(data_dir)):
        click.echo(json.dumps(row._asdict()) if as_json else _line(row))


def _line(row: AccountRow) -> str:
    return f"{row.cid:>6}  {row.name:<20}  {row.public_key}  {'active' if row.active else 'removed'}"
