"""Volume by price: point of control and value area, by their definitions."""

from __future__ import annotations

__all__ = ["control_and_area"]


def control_and_area(volume_at: dict[int, int]) -> tuple[int, int, int]:
    """Point of control, lowest and highest price of the value area.

    The area grows from the control by one traded price at a time, the larger of the two next ones first and
    the lower price on a tie, until it holds 70 % of the volume, rounded up.
    """
    control = max(volume_at, key=lambda price: (volume_at[price], price))
    prices = sorted(volume_at)
    low = high = prices.index(control)
    covered = volume_at[control]
    target = -(-7 * sum(volume_at.values()) // 10)
    while covered < target:
        below = volume_at[prices[low - 1]] if low > 0 else -1
        above = volume_at[prices[high + 1]] if high + 1 < len(prices) else -1
        if below >= above:
            low -= 1
            covered += below
        else:
            high += 1
            covered += above
    return control, prices[low], prices[high]
