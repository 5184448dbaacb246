"""Without its compiled module the book says what is missing and how to get it."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import sys
sys.modules["ledgerx.clob._clob"] = None  # as if it had not been built for this Python
try:
    import ledgerx.clob
except ImportError as error:
    from ledgerx.errors import NotCompiled
    assert isinstance(error, NotCompiled) and error.module == "ledgerx.clob._clob"
    print(error)
"""


def test_a_missing_compiled_module_explains_itself() -> None:
    command = [sys.executable, "-c", PROGRAM]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "the compiled module ledgerx.clob._clob is missing" in printed
    assert "bin/_setup" in printed
    assert "pip install" in printed
