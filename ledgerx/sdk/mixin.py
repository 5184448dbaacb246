"""The decorator that names what a module offers (manual, "Mixin Helpers")."""

from __future__ import annotations

import sys
from typing import TypeVar

from ledgerx.errors import InvalidField

__all__ = ["public"]

T = TypeVar("T")


def public(obj: T) -> T:
    """Add a function's or class's name to the `__all__` of the module that defines it, and return it.

    The module's `__all__` is created where it has none. Raises InvalidField for anything but a
    function or class at the top of a module, since `import *` could not find it by its name.
    """
    name = getattr(obj, "__name__", "")
    module = sys.modules.get(getattr(obj, "__module__", None) or "")
    if module is None or not name.isidentifier() or getattr(obj, "__qualname__", name) != name:
        raise InvalidField(
            f"public() marks a function or class at the top of a module, not {obj!r}", field="obj", value=obj
        )
    names = list(getattr(module, "__all__", ()))
    if name not in names:
        names.append(name)
    module.__dict__["__all__"] = names
    return obj
