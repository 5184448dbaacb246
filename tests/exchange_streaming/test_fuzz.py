"""Hostile frames end their session at most; the long run is `bin/soak frames`."""

from __future__ import annotations

import pytest

from ledgerx.testing.streaming.fuzz import fuzz_desk, fuzz_sessions


@pytest.mark.parametrize("seed", range(3))
def test_no_frame_raises_anything_out_of_a_session(seed: int) -> None:
    counts = fuzz_sessions(4_000, seed)
    assert counts["closed"] > 0 < counts["mutated"]


def test_no_payload_ends_the_venue() -> None:
    assert fuzz_desk(2_000, seed=1)["answers"] > 500
