"""A whole market in one process and in virtual time, from one seed: venue, clients, faults, checks.

`simulate(seed)` runs one course and raises SimulationFailed, which names the seed, where a promise of the
protocol did not hold. The models are TigerBeetle's VOPR and the in-memory pairs of websockets and h11.
"""

from __future__ import annotations

from ledgerx.testing.simulator.course import SimulationFailed, simulate

__all__ = ["SimulationFailed", "simulate"]
