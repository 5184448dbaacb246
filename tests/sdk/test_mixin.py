"""`public` names a definition in its module's __all__, once, and leaves it as it was."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest

from ledgerx import errors
from ledgerx.sdk.mixin import public

PROGRAM = """
{start}
from ledgerx.sdk.mixin import public

@public
def function():
    return 1

@public
class Class:
    pass

def hidden():
    pass

public(function)
"""


def module_of(start: str, name: str) -> ModuleType:
    module = sys.modules[name] = ModuleType(name)
    exec(PROGRAM.format(start=start), module.__dict__)
    return module


@pytest.mark.parametrize(
    ("start", "names"),
    [
        ("", ["function", "Class"]),
        ("__all__ = ['first']", ["first", "function", "Class"]),
        ("__all__ = ('first',)", ["first", "function", "Class"]),
    ],
)
def test_public_adds_each_name_once(start: str, names: list[str], tmp_path: Path) -> None:
    module = module_of(start, f"test_mixin_module_{len(start)}")
    try:
        assert module.__all__ == names
        assert module.function() == 1
        assert isinstance(module.Class, type)
    finally:
        del sys.modules[module.__name__]


def test_public_returns_what_it_was_given() -> None:
    assert public(module_level) is module_level


def module_level() -> None:
    """Marked by the test above."""


class Holder:
    def method(self) -> None:
        """Not at the top of a module."""


@pytest.mark.parametrize("thing", [7, "name", None, lambda: None, Holder().method, Holder.method])
def test_what_has_no_name_in_a_module_is_refused(thing: object) -> None:
    with pytest.raises(errors.InvalidField, match="top of a module"):
        public(thing)
