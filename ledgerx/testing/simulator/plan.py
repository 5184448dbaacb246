"""What one seed decides: the size of the market, its numbers, and which faults it suffers, how often.

Every seed leaves some kinds of fault out, so that each also meets courses in which it is not drowned by the
others.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ledgerx.clock import seeded_random

__all__ = ["FAULTS", "Plan", "make_plan"]

# Each fault, and how often it comes in a thousand steps where a seed has it.
FAULTS = {
    "cut": 25,
    "half open": 8,  # a cut that one side does not notice
    "middle range": 30,  # of an account's line, lost within a connection
    "stall": 8,  # a link on which nothing arrives for a while
    "feed message": 40,
    "feed range": 10,
    "venue crash": 8,
    "venue restart": 3,
    "client crash": 15,
    "client restart": 4,
    "clock jump": 8,
    "pause": 6,
    "slow handler": 15,
}


@dataclass(frozen=True, slots=True)
class Plan:
    """One seed's market."""

    seed: int
    steps: int
    accounts: tuple[int, ...]  # of each client, which account it trades for
    durable: tuple[bool, ...]  # of each client, whether its store is a file
    window: int
    frames_max: int
    sync_power: bool
    snapshot_records: int  # 0: no follower
    segment_bytes_max: int
    requests_in_step: float
    raise_rate: float
    react_rate: float  # how often a handler sends a request itself
    tight_limits: bool
    loses_data: bool  # a crash may take what was released: the venue gets another identity
    expiry_s: float  # until the last contract expires
    faults: dict[str, float] = field(default_factory=dict)


def make_plan(seed: int) -> Plan:
    """The plan of a seed."""
    draw = seeded_random(f"plan {seed}")
    others = draw.choice([1, 1, 1, 2])
    faults = {
        name: rate / 1000 * draw.choice([0.5, 1, 1, 2])
        for name, rate in FAULTS.items()
        if draw.random() < 0.6
    }
    sync_power = draw.random() < 0.5
    return Plan(
        seed=seed,
        steps=draw.choice([40, 70, 70, 120]),
        accounts=(0, 0, *range(1, others + 1)),
        durable=tuple(draw.random() < 0.6 for _ in range(others + 2)),
        window=draw.choice([10_000, 64, 16]),
        frames_max=draw.choice([6, 20, 100]),
        sync_power=sync_power,
        snapshot_records=draw.choice([0, 15, 40]),
        segment_bytes_max=draw.choice([10_000, 40_000, 10_000_000]),
        loses_data=not sync_power and draw.random() < 0.2,
        requests_in_step=draw.choice([0.1, 0.25, 0.45]),
        raise_rate=draw.choice([0, 0, 0.05]),
        react_rate=draw.choice([0, 0.02, 0.1]),
        tight_limits=draw.random() < 0.2,
        expiry_s=draw.choice([1.0, 3.0, 10.0, 100.0]),
        faults=faults,
    )
