"""What several commands take: paths and numbers that are refused in words when they cannot be one."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import click

__all__ = ["DATA_DIR", "DAY", "FiniteRange", "OutputFile"]


class _NamedPath(click.Path):
    """A path that is not empty: that, as an unset shell variable gives, would mean the present folder."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not str(value):
            self.fail("it is empty: give a path", param, ctx)
        return super().convert(value, param, ctx)


class OutputFile(_NamedPath):
    """The path of a file to write."""

    def __init__(self) -> None:
        super().__init__(dir_okay=False, path_type=Path)


class FiniteRange(click.FloatRange):
    """A number in a range; `nan`, which is below no bound and above none, and `inf` are not."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """As click.FloatRange does, and fail for what is not finite."""
        found = super().convert(value, param, ctx)
        if not math.isfinite(found):
            self.fail(f"{value} is not a number that can be reckoned with", param, ctx)
        return found


DATA_DIR = _NamedPath(path_type=Path)
"""A venue's data folder; whether it can be used, the venue says."""

DAY = _NamedPath(exists=True, dir_okay=False, path_type=Path)
"""A file of a recorded day, which must be there."""
