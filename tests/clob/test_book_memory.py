"""Books keep no memory and no references, and their module can be dropped: scripts in other processes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parent / "isolated"


def run(script: str, *arguments: object) -> str:
    """What a script printed; it must succeed. No coverage is taken of it: that would hold objects."""
    result = subprocess.run(
        [sys.executable, SCRIPTS / script, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env={name: value for name, value in os.environ.items() if not name.startswith("COV")},
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.mark.parametrize("operations", [1_000_000, pytest.param(10_000_000, marks=pytest.mark.full)])
def test_memory_stays_flat_over_every_call(operations: int) -> None:
    assert run("flat_memory.py", operations).endswith(" operations: flat\n")


@pytest.mark.parametrize("megabytes", [1, 6, 12, 24, 400])
def test_no_fill_is_lost_for_want_of_memory(megabytes: int) -> None:
    printed = run("scarce_match.py", megabytes)
    assert printed.endswith(("fills\n", "nothing was matched\n"))
    assert megabytes < 400 or printed == "0 refused, 500000 fills\n"


def test_a_module_that_is_imported_again_leaves_nothing_of_the_last_one() -> None:
    assert run("imports.py", "again", 300).startswith("320 imports")


def test_interpreters_that_import_it_give_its_memory_back() -> None:
    assert run("imports.py", "interpreters", 20).startswith(("20 interpreters", "no subinterpreters"))
