"""Which runtime library an engine loads: the caller's, the environment's, or the package's own."""

from __future__ import annotations

import os
import sys
from pathlib import Path

__all__ = ["LIBRARY_PATH_VARIABLE", "library_file", "packaged_library"]

LIBRARY_PATH_VARIABLE = "ORDERFLOW_LIBRARY_PATH"


def packaged_library() -> Path:
    """Where the package's own runtime stands, whether it is there or not."""
    name = "libof_ffi_c" + (".dylib" if sys.platform == "darwin" else ".so")
    return Path(__file__).parent / "native" / name


def library_file(library_path: str | os.PathLike[str] | None) -> Path:
    """The library of the first place that is named: the argument, ORDERFLOW_LIBRARY_PATH, the package.

    Raises FileNotFoundError naming every place that was looked at. A place that is named and empty is an
    error and not passed over: whoever named it would otherwise run another runtime than they believe.
    """
    named = os.environ.get(LIBRARY_PATH_VARIABLE, "")
    if library_path is not None:
        place, told = Path(library_path), "library_path="
    elif named:
        place, told = Path(named), f"{LIBRARY_PATH_VARIABLE}="
    else:
        place, told = packaged_library(), "the package's own, which bin/_setup builds in a checkout: "
    if not place.is_file():
        raise FileNotFoundError(f"Orderflow shared library not found; searched: {told}{place}")
    return place.absolute()
