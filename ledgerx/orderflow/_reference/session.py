"""One symbol's session: its trades, and every figure computed from them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from ledgerx.orderflow._reference.profile import control_and_area
from ledgerx.orderflow.types import EngineConfig, Side

__all__ = ["Session", "Trade"]


@dataclass
class Trade:
    """A trade as it came in, with the flags that held for it."""

    price: int
    size: int
    side: int
    sequence: int
    ts_exchange_ns: int
    ts_recv_ns: int
    flags: int = 0

    @property
    def signed(self) -> int:
        """The size, negative when its aggressor sold."""
        return self.size if self.side == Side.ASK else -self.size


@dataclass
class Session:
    """A symbol's trades since its first one or its latest reset."""

    config: EngineConfig
    trades: list[Trade] = field(default_factory=list)
    fast: float = 0.0
    slow: float = 0.0
    variance: float = 0.0

    def add(self, trade: Trade) -> None:
        """Take a trade; the averages are the only figures that are carried on."""
        price = float(trade.price)
        if not self.trades:
            self.fast = self.slow = price
        else:
            away = price - self.slow
            fast = 2.0 / (self.config.momentum_fast_trades + 1.0)
            slow = 2.0 / (self.config.momentum_slow_trades + 1.0)
            self.variance += slow * (away * away - self.variance)
            self.fast += fast * (price - self.fast)
            self.slow += slow * away
        self.trades.append(trade)

    def volume(self, side: Side) -> int:
        """Lots traded by aggressors of a side."""
        return sum(trade.size for trade in self.trades if trade.side == side)

    def analytics(self) -> dict[str, int]:
        """The eight ints; all zero without trades."""
        names = ["delta", "cumulative_delta", "buy_volume", "sell_volume", "last_price", "point_of_control"]
        if not self.trades:
            return dict.fromkeys([*names, "value_area_low", "value_area_high"], 0)
        bought, sold = self.volume(Side.ASK), self.volume(Side.BID)
        volume_at: dict[int, int] = {}
        for trade in self.trades:
            volume_at[trade.price] = volume_at.get(trade.price, 0) + trade.size
        control, low, high = control_and_area(volume_at)
        values = [bought - sold, bought - sold, bought, sold, self.trades[-1].price, control, low, high]
        return dict(zip([*names, "value_area_low", "value_area_high"], values, strict=True))

    def flow(self) -> dict[str, Any]:
        """The derived figures of the trades, None where there is none."""
        buckets = self.buckets()
        figures: dict[str, Any] = {
            "trades": len(self.trades),
            "vwap": None,
            "vwap_deviation": None,
            "vpin": buckets[-1]["vpin"] if buckets else None,
            "vpin_buckets_filled": len(buckets),
            "momentum_fast": self.fast if self.trades else None,
            "momentum_slow": self.slow if self.trades else None,
            "momentum_deviation": math.sqrt(self.variance) if self.trades else None,
            "absorption_bid": None,
            "absorption_ask": None,
        }
        if self.trades:
            volume = sum(trade.size for trade in self.trades)
            first = self.trades[0].price  # about the first price, the sums stay small
            mean = sum(t.size * (t.price - first) for t in self.trades) / volume
            square = sum(t.size * (t.price - first) ** 2 for t in self.trades) / volume
            figures["vwap"] = first + mean
            figures["vwap_deviation"] = math.sqrt(max(square - mean * mean, 0.0))
        window = self.trades[-self.config.absorption_trades :] if self.config.absorption_trades else []
        if window and len(window) == self.config.absorption_trades:
            first, prices = window[0].price, [trade.price for trade in window]
            sold = sum(trade.size for trade in window if trade.side == Side.BID)
            bought = sum(trade.size for trade in window if trade.side == Side.ASK)
            figures["absorption_bid"] = sold / (1.0 + (first - min(prices)))
            figures["absorption_ask"] = bought / (1.0 + (max(prices) - first))
        return figures

    def buckets(self) -> list[dict[str, Any]]:
        """The full buckets of VPIN; a trade larger than what its bucket takes goes into several."""
        lots, count = self.config.vpin_bucket_lots, self.config.vpin_buckets
        rows: list[dict[str, Any]] = []
        bought = sold = 0
        for trade in self.trades if lots else []:
            left = trade.size
            while left:
                part = min(left, lots - bought - sold)
                left -= part
                bought, sold = (bought + part, sold) if trade.side == Side.ASK else (bought, sold + part)
                if bought + sold == lots:
                    row = {"end_ns": trade.ts_exchange_ns, "buy_volume": bought, "sell_volume": sold}
                    rows.append(row)
                    latest = rows[-count:]
                    imbalance = sum(abs(one["buy_volume"] - one["sell_volume"]) for one in latest)
                    row["vpin"] = imbalance / (len(latest) * lots)
                    bought = sold = 0
        return rows

    def candles(self) -> list[tuple[dict[str, int], list[Trade]]]:
        """Candles by start, each with its trades; the oldest fall out, and what comes too late for them."""
        kept: dict[int, tuple[dict[str, int], list[Trade]]] = {}
        delta = 0
        for trade in self.trades if self.config.candle_ns else []:
            delta += trade.signed
            start = trade.ts_exchange_ns // self.config.candle_ns * self.config.candle_ns
            if kept and start < min(kept):
                continue
            row, inside = kept.setdefault(start, ({"start_ns": start}, []))
            inside.append(trade)
            row |= candle_of(inside, delta)
            if len(kept) > self.config.candles_kept_max:
                del kept[min(kept)]
        return [kept[start] for start in sorted(kept)]

    def series(self, name: str) -> list[dict[str, Any]]:
        """A series by name, oldest first."""
        if name == "trades":
            return self.kept_trades()
        if name == "vpin":
            return self.buckets()
        if name == "profile":
            return volumes_of(self.trades)
        if name == "candles":
            return [row for row, _ in self.candles()]
        return [
            {"start_ns": row["start_ns"], **at} for row, inside in self.candles() for at in volumes_of(inside)
        ]

    def kept_trades(self) -> list[dict[str, Any]]:
        """The latest trades with the delta after each."""
        rows, delta = [], 0
        for trade in self.trades:
            delta += trade.signed
            rows.append(
                {
                    "ts_exchange_ns": trade.ts_exchange_ns,
                    "ts_recv_ns": trade.ts_recv_ns,
                    "sequence": trade.sequence,
                    "price": trade.price,
                    "size": trade.size,
                    "cumulative_delta": delta,
                    "aggressor": int(trade.side),
                    "quality_flags": trade.flags,
                }
            )
        kept = self.config.trades_kept_max
        return rows[-kept:] if kept else []


def volumes_of(trades: list[Trade]) -> list[dict[str, int]]:
    """Lots bought and sold at each price, by price."""
    at: dict[int, dict[str, int]] = {}
    for trade in trades:
        row = at.setdefault(trade.price, {"price": trade.price, "buy_volume": 0, "sell_volume": 0})
        row["buy_volume" if trade.side == Side.ASK else "sell_volume"] += trade.size
    return [at[price] for price in sorted(at)]


def candle_of(trades: list[Trade], delta: int) -> dict[str, int]:
    """A candle's values by its trades in the order they came."""
    prices = [trade.price for trade in trades]
    return {
        "open": prices[0],
        "high": max(prices),
        "low": min(prices),
        "close": prices[-1],
        "buy_volume": sum(trade.size for trade in trades if trade.side == Side.ASK),
        "sell_volume": sum(trade.size for trade in trades if trade.side == Side.BID),
        "cumulative_delta": delta,
        "trades": len(trades),
    }
