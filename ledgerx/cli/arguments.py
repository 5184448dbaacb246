"""What several commands take: paths that are refused in words when they cannot be one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

__all__ = ["DATA_DIR", "DAY", "OutputFile"]


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


DATA_DIR = _NamedPath(path_type=Path)
"""A venue's data folder; whether it can be used, the venue says."""

DAY = _NamedPath(exists=True, dir_okay=False, path_type=Path)
"""A file of a recorded day, which must be there."""
