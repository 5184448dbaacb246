"""What the manual calls miscellaneous tools: finding version modules, replacing an exception."""

from __future__ import annotations

import importlib
import os
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import NoReturn

from ledgerx.errors import InvalidField

__all__ = ["import_versions", "reraise"]

_VERSION_FILE = re.compile(r"v(\d+)_(\d+)_(\d+)\.py")


def import_versions(basefile: str | os.PathLike[str], package: str) -> dict[str, ModuleType]:
    """Import every version module beside a file: v0_0_1.py of `package` becomes the entry "0.0.1".

    `basefile` is the `__file__` of a module in the package's folder. The dictionary is in order of
    version. Raises InvalidField if the folder cannot be read, and what a module raises on import.
    """
    folder = Path(basefile).resolve().parent
    try:
        matches = [match for path in folder.iterdir() if (match := _VERSION_FILE.fullmatch(path.name))]
    except OSError as error:
        raise InvalidField(f"{folder} is no folder: {error}", field="basefile", value=basefile) from error
    matches.sort(key=lambda match: tuple(int(number) for number in match.groups()))
    return {
        ".".join(match.groups()): importlib.import_module(f"{package}.{match.string.removesuffix('.py')}")
        for match in matches
    }


def reraise(ex: type[Exception] | Exception, message: str | None = None) -> NoReturn:
    """Raise `ex` in place of the exception being handled, which becomes its cause.

    The new exception carries the original's traceback, and its text unless `message` replaces that.
    `ex` is an exception class (or an instance, raised as it is unless there is a `message`). Where no
    exception is being handled, or `ex` is that very one, it is raised alone.
    """
    original = sys.exception()
    if isinstance(ex, type):
        text = message if message is not None or original is None else str(original)
        replacement = ex() if text is None else ex(text)
    else:
        replacement = ex if message is None else type(ex)(message)
    if original is None or replacement is original:
        raise replacement
    raise replacement.with_traceback(original.__traceback__) from original
