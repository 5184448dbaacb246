"""The simulator's venue: a crash that was armed, and the end of all faults."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest

from ledgerx.testing.clock import VirtualClock
from ledgerx.testing.simulator.course import Course
from ledgerx.testing.simulator.plan import make_plan
from ledgerx.testing.simulator.venue import VenueProcess

QUIET = replace(make_plan(0), faults={}, steps=0, loses_data=False, sync_power=False, snapshot_records=0)


@pytest.fixture
def venue() -> Iterator[VenueProcess]:
    venue = VenueProcess(QUIET, VirtualClock(1), Counter())
    venue.start((("trader", "0" * 40),))
    yield venue
    if venue.running:
        venue.stop()
    venue.disk.remove()


def test_a_crash_armed_before_an_orderly_end_comes_in_the_next_process(venue: VenueProcess) -> None:
    venue.arm("after the turn", 0)
    venue.stop()
    venue.start()
    assert not venue.turn()
    assert not venue.running
    venue.start()
    assert venue.turn()


def test_a_torn_write_takes_nothing_that_the_process_wrote_before_that_turn(venue: VenueProcess) -> None:
    venue.arm("torn write", 0)
    venue.stop()
    venue.start()
    begun = venue.venue.engine.run_id
    assert not venue.turn()
    venue.start()
    assert venue.venue.engine.run_id == begun + 1


def test_once_healed_no_process_crashes_any_more() -> None:
    course = Course(QUIET)
    try:
        course.venue.start()
        course.venue.arm("after the turn", 0)
        course.faults.heal()
        assert course.venue.turn()
        assert course.venue.running
    finally:
        course.close()
