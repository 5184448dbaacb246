"""The version of the package, here and nowhere else: packaging and documentation read it from here.

A release that fixes raises BUILD. One that changes the API and stays compatible raises MINOR and sets
BUILD to 0. One that breaks compatibility raises MAJOR and sets both others to 0. (Manual, "Version
Utilities".)
"""

from __future__ import annotations

from typing import Final

__all__ = ["BUILD", "MAJOR", "MINOR", "__version__"]

MAJOR: Final = 0
MINOR: Final = 0
BUILD: Final = 1

__version__: Final = f"{MAJOR}.{MINOR}.{BUILD}"
