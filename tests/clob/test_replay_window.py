"""Levels shown against levels predicted."""

from __future__ import annotations

from ledgerx.clob import Level
from ledgerx.clob.window import SideChange, Window

Pairs = list[tuple[int, int]]


def compared(window: Window, shown: Pairs, predicted: Pairs, levels: int = 2) -> SideChange:
    return window.compare(False, shown, [Level(price, size, 1) for price, size in predicted], levels)


def test_equal_levels_are_no_change() -> None:
    assert compared(Window(), [(9, 1), (8, 2)], [(9, 1), (8, 2)]) == SideChange()
    assert compared(Window(), [], []) == SideChange()


def test_a_level_deeper_than_a_full_window_has_left() -> None:
    assert compared(Window(), [(9, 1), (8, 2)], [(9, 1), (8, 2), (7, 3)]).left == [(7, 3)]


def test_a_level_deeper_than_all_predicted_is_revealed() -> None:
    assert compared(Window(), [(9, 1), (8, 2)], [(9, 1)]).revealed == [(8, 2)]


def test_before_the_first_row_all_is_hidden() -> None:
    assert compared(Window(), [(9, 1)], []).revealed == [(9, 1)]


def test_a_window_that_was_not_full_hides_nothing() -> None:
    window = Window()
    compared(window, [(9, 1)], [(9, 1)])
    assert compared(window, [(9, 1), (8, 2)], [(9, 1)]) == SideChange(wrong_level=2, shown=(8, 2))
    assert compared(window, [(9, 1), (8, 2)], [(9, 1)]).revealed == [(8, 2)], "it was full this time"


def test_a_level_that_is_missing_from_a_window_with_room_is_wrong() -> None:
    change = compared(Window(), [(9, 1)], [(9, 1), (8, 2)])
    assert change == SideChange(wrong_level=2, predicted=(8, 2))


def test_the_first_level_that_differs_is_named() -> None:
    change = compared(Window(), [(9, 1), (8, 2)], [(9, 1), (8, 3)])
    assert change == SideChange(wrong_level=2, shown=(8, 2), predicted=(8, 3))
    change = compared(Window(), [(9, 1), (8, 2)], [(8, 2)])
    assert change == SideChange(wrong_level=1, shown=(9, 1), predicted=(8, 2))


def test_the_sides_are_full_each_for_itself() -> None:
    window = Window()
    window.compare(True, [(11, 1)], [Level(11, 1, 1)], 2)
    assert compared(window, [(9, 1), (8, 2)], [(9, 1)]).wrong_level == 0
