"""Pictures of candles: candlesticks over their volume. Needs the extra `plot`.

Nothing is shown and no backend is chosen: what is returned is a matplotlib Figure.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ledgerx.errors import InvalidData, InvalidField
from ledgerx.history.extras import needed
from ledgerx.history.periods import MICROSECONDS
from ledgerx.history.sources.source import Instrument

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["candlesticks", "check_picture"]

RISEN, FALLEN = "#2f7d5b", "#b5443c"
_BODY_SHARE = 0.7  # of a period's width


def check_picture(path: str | Path) -> None:
    """Raise InvalidField for a file whose ending is of no picture that can be written, MissingExtra.

    A name without an ending is refused too: matplotlib would write a file of another name.
    """
    known = needed("matplotlib.backend_bases", "a picture of candles", "plot").FigureCanvasBase
    endings = sorted(known.get_supported_filetypes())
    if Path(path).suffix.removeprefix(".").lower() not in endings:
        text = f"picture {str(path)!r}: give a name that ends in .{', .'.join(endings)}"
        raise InvalidField(text, field="path", value=str(path))


def candlesticks(candles: Any, instrument: Instrument | None = None) -> Figure:
    """Candles with a wick from low to high and a body from open to close, and below them the volume.

    `candles` is what `fetch_ohlc` or `fetch_ohlc_arrow` returns; `instrument`, from
    IcebergClient.instrument, has the scales of the axes. Raises InvalidData for no candles, MissingExtra.
    """
    np = needed("numpy", "a picture of candles")
    figure_class = needed("matplotlib.figure", "a picture of candles", "plot").Figure
    if not len(candles):
        raise InvalidData("no candles to draw: fetch a range in which something was traded")
    price, size = (instrument.price_scale, instrument.size_scale) if instrument else (1, 1)
    columns = {name: np.asarray(candles[name]) for name in ("timestamp", "open", "high", "low", "close")}
    begun, ended = columns["open"] / price, columns["close"] / price
    period = int(np.asarray(candles["period_seconds"])[0])
    times = columns["timestamp"].astype("datetime64[us]")
    width = np.timedelta64(int(period * MICROSECONDS * _BODY_SHARE), "us")
    colours = np.where(ended >= begun, RISEN, FALLEN).tolist()

    figure: Figure = figure_class(figsize=(10, 6), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    upper.vlines(times, columns["low"] / price, columns["high"] / price, colors=colours, linewidth=0.8)
    # A body without height would not be seen: it gets that of a line.
    least = 0.001 * float((columns["high"].max() - columns["low"].min()) or 1) / price
    heights = np.maximum(np.abs(ended - begun), least)
    upper.bar(times, heights, width, bottom=np.minimum(begun, ended), color=colours)
    lower.bar(times, np.asarray(candles["volume"]) / size, width, color=colours)
    upper.set_ylabel("price")
    lower.set_ylabel("volume")
    upper.set_title(f"{np.asarray(candles['ticker'])[0]}, {period} s")
    for axes in (upper, lower):
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(visible=True, alpha=0.2)
    return figure
