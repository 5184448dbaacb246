"""The clock that only its owner moves."""

from ledgerx.testing.clock import START_NS, VirtualClock


def test_time_stands_until_it_is_moved() -> None:
    clock = VirtualClock(1)
    begun = clock.monotonic()
    assert clock.wall_ns() == START_NS
    clock.advance(1.5)
    assert clock.monotonic() == begun + 1.5
    assert clock.wall_ns() == START_NS + 1_500_000_000


def test_a_jump_moves_the_wall_clock_of_one_process_alone() -> None:
    clock = VirtualClock(1)
    other = clock.sibling(2)
    begun = clock.monotonic()
    clock.jump(-60)
    other.advance(1)
    assert clock.monotonic() == other.monotonic() == begun + 1
    assert clock.wall_ns() == other.wall_ns() - 60 * 10**9


def test_the_same_seed_gives_the_same_numbers() -> None:
    first, second, third = VirtualClock(7), VirtualClock(7), VirtualClock(8)
    numbers = [(clock.random(), clock.unique_hex()) for clock in (first, second, third)]
    assert numbers[0] == numbers[1] != numbers[2]
    made = numbers[0][1]
    assert (len(made), made[12], made[16] in "89ab") == (32, "4", True)
