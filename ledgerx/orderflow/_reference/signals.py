"""The two signal modules and their gate."""

from __future__ import annotations

import math
from typing import Any

from ledgerx.orderflow._reference.quality import BLOCKING
from ledgerx.orderflow._reference.session import Session
from ledgerx.orderflow.types import PRICE_MOMENTUM

__all__ = ["judge"]

CONFIDENCE_BPS = 500


def judge(session: Session, flags: int) -> dict[str, Any]:
    """The signal after a trade with these flags, or after a reset with none."""
    blocked = bool(flags & BLOCKING)
    if blocked:
        state, reason = "blocked", "blocked_by_quality_gate"
    elif session.config.signal_module == PRICE_MOMENTUM:
        state, reason = price_momentum(session)
    else:
        state, reason = delta_momentum(session)
    return {
        "module": session.config.signal_module,
        "state": state,
        "confidence_bps": CONFIDENCE_BPS,
        "quality_flags": flags if blocked else 0,
        "reason": reason,
    }


def delta_momentum(session: Session) -> tuple[str, str]:
    delta, threshold = sum(trade.signed for trade in session.trades), session.config.signal_threshold
    if delta >= threshold:
        return "long_bias", "delta_above_threshold"
    if delta <= -threshold:
        return "short_bias", "delta_below_threshold"
    return "neutral", "delta_inside_band"


def price_momentum(session: Session) -> tuple[str, str]:
    away = session.fast - session.slow
    band = math.sqrt(session.variance) * session.config.momentum_threshold_bps / 10000.0
    if len(session.trades) < session.config.momentum_slow_trades:
        return "neutral", "momentum_warming_up"
    if away > band:
        return "long_bias", "momentum_above_band"
    if away < -band:
        return "short_bias", "momentum_below_band"
    return "neutral", "momentum_inside_band"
