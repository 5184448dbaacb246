"""`pyledgerx keygen`: a new key pair in a certificate file."""

from __future__ import annotations

from pathlib import Path

import click

from ledgerx.cli.arguments import OutputFile
from ledgerx.protocol.crypto import KeyPair

__all__ = ["keygen"]


@click.command()
@click.option("--out", required=True, type=OutputFile(), help="The certificate file to write, 0600.")
@click.option("--force", is_flag=True, help="Replace a file that is there.")
def keygen(out: Path, force: bool) -> None:
    """Make a key pair, write it to a certificate file and print its public key."""
    if out.exists() and not force:
        raise click.ClickException(f"{out} exists: a lost key is lost for good, so use --force to replace it")
    click.echo(KeyPair.generate().save_certificate(out).public.decode("ascii"))
