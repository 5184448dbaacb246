"""The native runtime and its twin answer the same after every event of random feeds."""

from __future__ import annotations

import pytest
from engine_twins import EngineTwins
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test


@pytest.mark.no_cover
def test_native_and_twin_are_equal_after_every_event() -> None:
    run_state_machine_as_test(EngineTwins, settings=settings(max_examples=60, stateful_step_count=40))


@pytest.mark.full
@pytest.mark.timeout(300)
@pytest.mark.no_cover
def test_native_and_twin_are_equal_over_many_sequences() -> None:
    run_state_machine_as_test(EngineTwins, settings=settings(max_examples=300, stateful_step_count=60))
