"""Engine time: never back, and not moved by one wild reading."""

from ledgerx.exchange.engine_clock import EngineClock

SECOND = 1_000_000_000
START = 1_800_000_000 * SECOND


def test_time_follows_the_wall_clock():
    clock = EngineClock(START)
    assert clock.read(START + SECOND) == START + SECOND
    assert clock.read(START + 60 * SECOND) == START + 60 * SECOND


def test_time_never_runs_back():
    clock = EngineClock(START)
    assert clock.read(START - 5 * SECOND) == START
    assert clock.read(START) == START
    assert clock.now == START


def test_a_jump_waits_for_a_second_reading():
    clock = EngineClock(START)
    assert clock.read(START + 3600 * SECOND) == START
    assert clock.read(START + 3601 * SECOND) == START + 3601 * SECOND


def test_a_reading_that_falls_back_forgets_the_jump():
    clock = EngineClock(START)
    clock.read(START + 3600 * SECOND)
    assert clock.read(START + SECOND) == START + SECOND
    assert clock.read(START + 3600 * SECOND) == START + SECOND


def test_a_second_jump_does_not_confirm_the_first():
    clock = EngineClock(START)
    clock.read(START + 3600 * SECOND)
    assert clock.read(START + 7200 * SECOND) == START
    assert clock.read(START + 3600 * SECOND) == START  # before the one held: held in its place
    assert clock.read(START + 3600 * SECOND) == START + 3600 * SECOND


def test_the_threshold_is_the_callers():
    clock = EngineClock(START, jump_ns_max=SECOND)
    assert clock.read(START + 2 * SECOND) == START
