"""`pyledgerx orderflow`: order-flow analytics of a recorded file, or of a venue while it trades."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.live import Live
from rich.table import Table

if TYPE_CHECKING:
    from ledgerx.orderflow import Engine, Symbol

__all__ = ["orderflow"]

NS_PER_SECOND = 1_000_000_000
REFRESH_S = 0.25
PLOTS = ("footprint", "profile", "cumulative_delta")
SERIES = ("trades", "candles", "footprint", "profile", "vpin")


@click.command()
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option(
    "--symbol", metavar="VENUE/SYMBOL", help="What the file's events are of. Default: FILE/its name."
)
@click.option("--price-scale", type=click.IntRange(min=1), metavar="N", help="Ticks of a price of 1 in FILE.")
@click.option("--size-scale", type=click.IntRange(min=1), metavar="N", help="Lots of a size of 1 in FILE.")
@click.option("--candle-seconds", type=click.IntRange(min=1), default=60, show_default=True, metavar="N")
@click.option(
    "--vpin-lots", type=click.IntRange(min=1), metavar="N", help="Lots of a VPIN bucket; none without."
)
@click.option("--series", type=click.Choice(SERIES), help="Write this series to --out.")
@click.option("--out", type=click.Path(path_type=Path), help="A .csv or .parquet file for --series.")
@click.option("--plot", type=click.Choice(PLOTS), help="Draw this to --png.")
@click.option("--png", type=click.Path(path_type=Path), default=Path("orderflow.png"), show_default=True)
@click.option("--price-step", type=click.IntRange(min=1), default=1, help="Ticks of a row of the footprint.")
@click.option("--live", metavar="HOST[:PORT]", help="Watch a venue instead of a file; Ctrl-C ends it.")
@click.option("--certificate", type=click.Path(path_type=Path), help="An account's certificate, for --live.")
@click.option("--exchange-key", type=click.Path(path_type=Path), help="The venue's public key, for --live.")
@click.option("--seconds", type=click.FloatRange(min=0), help="End --live after so long.", metavar="N")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON.")
def orderflow(file: Path | None, live: str | None, as_json: bool, **options: Any) -> None:
    """Read order flow: delta, profile, value area, signal, VWAP, VPIN and more.

    FILE is a file of trades (.csv, .csv.gz, .parquet, .feather, .jsonl with a price, a size and the
    aggressor's side), or a recorded order-by-order day (LOBSTER .zip, DBN).
    """
    if (file is None) == (live is None):
        raise click.UsageError("give a FILE, or --live HOST")
    if bool(options["series"]) != bool(options["out"]):
        raise click.UsageError("--series and --out go together")
    from ledgerx.orderflow import Engine, EngineConfig

    config = EngineConfig(
        instance_id="pyledgerx",
        candle_ns=options["candle_seconds"] * NS_PER_SECOND,
        vpin_bucket_lots=options["vpin_lots"] or 0,
        trades_kept_max=10_000_000 if options["series"] == "trades" else 100_000,
    )
    with Engine(config) as engine:
        symbols = _read(engine, file, options) if file else _watch(engine, live or "", options, quiet=as_json)
        if as_json:
            click.echo(json.dumps([_figures(engine, symbol) for symbol in symbols]))
        elif file:
            Console().print(_table(engine, symbols))
        for symbol in symbols[:1]:
            _write(engine, symbol, options)


def _read(engine: Engine, file: Path, options: dict[str, Any]) -> list[Symbol]:
    from ledgerx.orderflow import Symbol
    from ledgerx.orderflow.feeds import FileFeed

    named = options["symbol"]
    venue, _, name = (named or "").partition("/")
    if named and not (venue and name):
        raise click.BadParameter(f"{named!r} is not VENUE/SYMBOL", param_hint="--symbol")
    scales = {"price_scale": options["price_scale"], "size_scale": options["size_scale"]}
    feed = FileFeed(file, Symbol(venue, name) if named else None, **scales)
    engine.attach(feed)
    while not feed.done:
        engine.poll_once()
    return feed.symbols


def _watch(engine: Engine, live: str, options: dict[str, Any], *, quiet: bool) -> list[Symbol]:
    from ledgerx.orderflow.feeds import VenueFeed
    from ledgerx.orderflow.feeds.listener import Listener
    from ledgerx.protocol.crypto import KeyPair
    from ledgerx.sdk.context import Context

    if not options["certificate"] or not options["exchange_key"]:
        raise click.UsageError("--live needs --certificate and --exchange-key")
    keys = KeyPair.load_certificate(options["certificate"])
    if keys.private is None:
        raise click.BadParameter("the certificate has no private key", param_hint="--certificate")
    processor = Listener()
    context = Context(live, keys.private, keys.public, options["exchange_key"].read_text(), processor)
    with context:
        context.wait_connected(10)
        feed = VenueFeed(context)
        engine.attach(feed)
        pause, console = threading.Event(), Console(quiet=quiet)
        left = options["seconds"]
        with Live(_table(engine, []), console=console, auto_refresh=False) as shown:
            try:
                while left is None or left > 0:
                    engine.poll_once()
                    shown.update(_table(engine, feed.symbols), refresh=True)
                    pause.wait(REFRESH_S)
                    left = None if left is None else left - REFRESH_S
            except KeyboardInterrupt:
                pass
        return feed.symbols


def _figures(engine: Engine, symbol: Symbol) -> dict[str, Any]:
    return {
        "venue": symbol.venue,
        "symbol": symbol.symbol,
        "analytics": engine.analytics_snapshot(symbol),
        "signal": engine.signal_snapshot(symbol),
        "flow": engine.flow_snapshot(symbol),
    }


def _table(engine: Engine, symbols: list[Symbol]) -> Table:
    metrics = engine.metrics()
    title = f"{metrics['processed_events']:,} events, {metrics['runtime_health_status']}"
    table = Table("", *(f"{symbol.venue} {symbol.symbol}" for symbol in symbols), title=title)
    columns = [_figures(engine, symbol) for symbol in symbols]
    for part in ("analytics", "signal", "flow"):
        names = [name for column in columns for name in column[part]]
        for name in dict.fromkeys(names):
            values = [column[part].get(name) for column in columns]
            if any(value is not None for value in values):
                table.add_row(name, *(_shown(value) for value in values))
    return table


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.4f}"
    return "" if value is None else f"{value:,}" if type(value) is int else str(value)


def _write(engine: Engine, symbol: Symbol, options: dict[str, Any]) -> None:
    if options["plot"]:
        from ledgerx.orderflow import plot

        more = {"price_step": options["price_step"]} if options["plot"] == "footprint" else {}
        getattr(plot, options["plot"])(engine, symbol, **more).savefig(options["png"])
        click.echo(f"orderflow: {options['plot']} in {options['png']}", err=True)
    if options["series"]:
        rows = _export(engine.to_arrow(symbol, options["series"]), options["out"])
        click.echo(f"orderflow: {rows:,} rows of {options['series']} in {options['out']}", err=True)


def _export(table: Any, out: Path) -> int:
    from ledgerx.orderflow.extras import pyarrow

    if out.suffix == ".parquet":
        pyarrow("--series", "parquet").write_table(table, out)
    elif out.suffix == ".csv":
        pyarrow("--series", "csv").write_csv(table, out)
    else:
        raise click.BadParameter(f"{out.name} ends neither in .csv nor in .parquet", param_hint="--out")
    return int(table.num_rows)
