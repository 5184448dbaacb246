"""Pictures of an engine's series: footprint, profile, cumulative delta. Needs the extra `plot`.

Each function takes an engine and a symbol and returns a matplotlib Figure; nothing is shown and no backend is
chosen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ledgerx.errors import InvalidData, MissingExtra
from ledgerx.orderflow.api import Engine
from ledgerx.orderflow.extras import numpy
from ledgerx.orderflow.types import Symbol

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["cumulative_delta", "footprint", "profile"]

BUY, SELL = "#2f7d5b", "#b5443c"
NS_PER_SECOND = 1_000_000_000


def _figure(width: float, height: float) -> tuple[Figure, Any]:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtra("plot", "a picture of an engine's series") from error
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.add_subplot()


def _rows(engine: Engine, symbol: Symbol, series: str) -> Any:
    rows = engine.to_numpy(symbol, series)
    if len(rows) == 0:
        raise InvalidData(f"{symbol.venue} {symbol.symbol} has no {series} to draw: ingest trades before")
    return rows


def _times(start_ns: Any) -> Any:
    return start_ns.astype("datetime64[ns]")


def footprint(
    engine: Engine, symbol: Symbol, *, candles: int = 8, price_step: int = 1, price_scale: float = 1.0
) -> Figure:
    """Sold x bought at each price of the latest candles, darker where more was traded.

    `candles` is how many, `price_step` how many ticks a row of the picture has, `price_scale` how many ticks
    a price of 1 has, for the labels. The engine needs `candle_ns`.
    """
    np = numpy("a picture of an engine's series")
    rows = _rows(engine, symbol, "footprint")
    starts = np.unique(rows["start_ns"])[-candles:]
    rows = rows[np.isin(rows["start_ns"], starts)]
    steps = rows["price"] // price_step
    cells: dict[tuple[int, int], list[int]] = {}
    for start, step, bought, sold in zip(
        rows["start_ns"], steps, rows["buy_volume"], rows["sell_volume"], strict=True
    ):
        cell = cells.setdefault((int(np.searchsorted(starts, start)), int(step)), [0, 0])
        cell[0] += int(sold)
        cell[1] += int(bought)
    figure, axes = _figure(1.6 + 1.2 * len(starts), 1.2 + 0.16 * (int(steps.max() - steps.min()) + 1))
    most = max(sum(cell) for cell in cells.values())
    for (column, step), (sold, bought) in cells.items():
        color = BUY if bought >= sold else SELL
        share = (sold + bought) / most
        axes.add_patch(_cell(column, step, color, 0.08 + 0.6 * share))
        axes.text(column, step, f"{sold} x {bought}", ha="center", va="center", fontsize=6)
    axes.set_xlim(-0.5, len(starts) - 0.5)
    axes.set_ylim(int(steps.min()) - 0.5, int(steps.max()) + 0.5)
    axes.set_xticks(range(len(starts)), [str(time)[11:19] for time in _times(starts)])
    axes.yaxis.set_major_formatter(lambda step, _: f"{step * price_step / price_scale:g}")
    axes.set_title(f"{symbol.venue} {symbol.symbol}: sold x bought")
    return figure


def _cell(column: int, step: int, color: str, alpha: float) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle((column - 0.48, step - 0.45), 0.96, 0.9, facecolor=color, alpha=alpha, linewidth=0)


def profile(engine: Engine, symbol: Symbol, *, price_scale: float = 1.0) -> Figure:
    """Volume by price of the session, with the point of control and the value area."""
    rows = _rows(engine, symbol, "profile")
    found = engine.analytics_snapshot(symbol)
    figure, axes = _figure(6, 6)
    prices = rows["price"] / price_scale
    step = min((prices[1:] - prices[:-1]).min(), 1.0) if len(prices) > 1 else 1.0
    axes.barh(prices, rows["buy_volume"], height=step, color=BUY, label="bought")
    axes.barh(prices, rows["sell_volume"], left=rows["buy_volume"], height=step, color=SELL, label="sold")
    low, high = found["value_area_low"] / price_scale, found["value_area_high"] / price_scale
    axes.axhspan(low, high, alpha=0.12, color="#44688f", label="value area")
    axes.axhline(
        found["point_of_control"] / price_scale, color="#1f2d3d", linewidth=1, label="point of control"
    )
    axes.set_xlabel("lots")
    axes.set_title(f"{symbol.venue} {symbol.symbol}: volume by price")
    axes.legend(loc="best", fontsize=8)
    return figure


def cumulative_delta(engine: Engine, symbol: Symbol) -> Figure:
    """Bought less sold since the session began, after each kept trade."""
    rows = _rows(engine, symbol, "trades")
    figure, axes = _figure(9, 4)
    timed = bool(rows["ts_exchange_ns"].any())
    axes.step(
        _times(rows["ts_exchange_ns"]) if timed else range(len(rows)), rows["cumulative_delta"], where="post"
    )
    axes.axhline(0, color="#888888", linewidth=0.6)
    axes.set_ylabel("lots")
    axes.set_title(f"{symbol.venue} {symbol.symbol}: cumulative delta")
    return figure
