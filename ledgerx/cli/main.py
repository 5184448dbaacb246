"""`pyledgerx`: the group of all commands, and `--fetch-exchange-key` as the manual has it.

Commands are imported when they are used, so that help is quick and needs no extra.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from importlib import import_module
from typing import Any, Final

import click

from ledgerx.errors import Error
from ledgerx.sdk.version import __version__

__all__ = ["main"]

_COMMANDS: Final = {
    "account": ("ledgerx.cli.account:account", "Register, list and remove traders."),
    "candles": ("ledgerx.cli.candles:candles", "Fetch candles, from the warehouse or a source."),
    "catalog": ("ledgerx.cli.catalog:catalog", "Serve a REST catalog of candles."),
    "demo": ("ledgerx.cli.demo:demo", "Trade on a venue of its own and verify it."),
    "exchange": ("ledgerx.cli.exchange:exchange", "Run a venue."),
    "flow": ("ledgerx.cli.flow:flow", "Trade a recorded market day on a venue."),
    "history": ("ledgerx.cli.history:history", "Keep candles on this machine."),
    "ingestor": ("ledgerx.cli.ingestor:ingestor", "Fetch candles into a warehouse."),
    "journal": ("ledgerx.cli.journal:journal", "Verify and read a venue's journal."),
    "keygen": ("ledgerx.cli.keygen:keygen", "Make a key pair."),
    "orderflow": ("ledgerx.cli.orderflow:orderflow", "Read order flow of a file or a venue."),
    "relay": ("ledgerx.cli.relay:relay", "Run the relay of candles."),
    "replay": ("ledgerx.cli.replay:replay", "Replay a recorded day through the order book."),
    "stream": ("ledgerx.cli.stream:stream", "Watch a streaming session of a venue."),
    "warehouse": ("ledgerx.cli.warehouse:warehouse", "Keep a warehouse of candles quick, and check it."),
}


class _Commands(click.Group):
    """A group whose commands are imported when they are asked for; an Error ends with exit code 1."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, _, name = _COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_path, text) in sorted(_COMMANDS.items())])

    def main(self, *args: Any, **options: Any) -> Any:
        try:
            return super().main(*args, **options)
        except Error as error:
            click.echo(f"pyledgerx: {error}", err=True)
            raise SystemExit(1) from error
        except OSError as error:
            # The commands map their own: what is left is an output that cannot be written, as on a full disk.
            with suppress(OSError, ValueError):
                # What is still buffered would fail once more, with a traceback, when the interpreter ends.
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            with suppress(OSError):
                click.echo(f"pyledgerx: cannot write the output: {error.strerror or error}", err=True)
            raise SystemExit(1) from error


def _fetch_exchange_key(ctx: click.Context, _parameter: click.Parameter, address: str | None) -> None:
    if address is None or ctx.resilient_parsing:
        return
    from ledgerx.protocol.exchange_key import fetch_exchange_key

    click.echo(fetch_exchange_key(address).decode("ascii"))
    ctx.exit()


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="pyledgerx")
@click.option(
    "--fetch-exchange-key",
    metavar="HOST[:PORT]",
    is_eager=True,
    expose_value=False,
    callback=_fetch_exchange_key,
    help="Print a venue's public key and nothing else. PORT is its HTTP port.",
)
def main() -> None:
    """LedgerX: trade on an exchange, and run one on this machine."""


if __name__ == "__main__":
    main()
