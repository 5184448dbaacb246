"""What the commands of history share: keys, sources, times, and how they serve until a signal comes."""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import click

if TYPE_CHECKING:
    from ledgerx.protocol.crypto import KeyPair

__all__ = [
    "CERTIFICATE",
    "NAMESPACE",
    "RELAY_KEY",
    "SOURCES",
    "catalog_word",
    "key_pair",
    "relay_key",
    "serving",
    "word",
]

CERTIFICATE = click.option(
    "--certificate",
    type=click.Path(path_type=Path),
    help="This side's key pair, for CURVE (pyledgerx keygen).",
)
RELAY_KEY = click.option(
    "--relay-key", "relay_key_text", metavar="KEY", help="The relay's public key, or a file that has it."
)
NAMESPACE = click.option("--namespace", default="trading", show_default=True, help="Of the tables.")
SOURCES = click.option(
    "--source",
    "sources",
    multiple=True,
    required=True,
    metavar="[NAME=]KIND:WHAT",
    help="Where candles come from, such as files:FOLDER; several times.",
)


class _Serving(Protocol):
    @property
    def alive(self) -> bool: ...


def key_pair(certificate: Path | None) -> KeyPair | None:
    """The key pair of a certificate file."""
    from ledgerx.protocol.crypto import KeyPair

    return None if certificate is None else KeyPair.load_certificate(certificate)


def relay_key(text: str | None) -> bytes | None:
    """A public key from itself or its file."""
    from ledgerx.protocol.exchange_key import read_public_key

    return None if text is None else read_public_key(text)


def word(parse: Callable[[str], Any]) -> Callable[[click.Context, click.Parameter, str | None], Any]:
    """A callback for an option that a function reads."""

    def callback(_ctx: click.Context, _parameter: click.Parameter, text: str | None) -> Any:
        from ledgerx.errors import InvalidField

        try:
            return None if text is None else parse(text)
        except InvalidField as error:
            raise click.BadParameter(str(error)) from error

    return callback


def catalog_word(ctx: click.Context, parameter: click.Parameter, text: str | None) -> Any:
    """A callback for an option with a catalog's URI."""
    from ledgerx.history.words import parse_catalog

    return word(parse_catalog)(ctx, parameter, text)


@contextmanager
def serving() -> Iterator[Callable[[_Serving], None]]:
    """Until the end of the block SIGTERM and Ctrl-C only end the wait that is yielded.

    The wait raises ClickException where what it waits on ends by itself.
    """
    # A pipe, for an Event that its own waiter sets from a handler may wait for a lock that the waiter holds.
    end_read, end_write = os.pipe()
    numbers = (signal.SIGTERM, signal.SIGINT)
    previous = {number: signal.signal(number, lambda *_: os.write(end_write, b"x")) for number in numbers}

    def wait(server: _Serving) -> None:
        while not select.select([end_read], [], [], 0.5)[0]:
            if not server.alive:
                raise click.ClickException("it ended by itself: see the log")

    try:
        yield wait
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
        os.close(end_read)
        os.close(end_write)
