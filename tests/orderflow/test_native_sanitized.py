"""The runtime's core under AddressSanitizer, UndefinedBehaviorSanitizer and ThreadSanitizer."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
from native_builds import build

SLOW_S = 600
ADDRESS, THREAD = "address,undefined", "thread"
OPTIONS = {
    "ASAN_OPTIONS": "detect_leaks=1:allocator_may_return_null=1",
    "UBSAN_OPTIONS": "print_stacktrace=1",
    "TSAN_OPTIONS": "halt_on_error=1:second_deadlock_stack=1",
}


def run(program: Path, *arguments: str | Path) -> str:
    command = [program, *arguments]
    environment = {**os.environ, **OPTIONS}
    result = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stderr == ""
    return result.stdout


@pytest.mark.full
@pytest.mark.timeout(SLOW_S)
def test_the_core_is_clean_whatever_allocation_of_the_runtime_fails(
    thread_compiler: str, tmp_path: Path
) -> None:
    wrapped = [f"-Wl,--wrap={name}" for name in ("malloc", "calloc", "realloc", "strdup")]
    program = build(thread_compiler, "faults", ADDRESS, tmp_path, *wrapped)
    said = run(program, tmp_path)
    assert int(re.search(r"(\d+) allocations failed in turn", said)[1]) > 100  # type: ignore[index]


@pytest.mark.full
@pytest.mark.timeout(SLOW_S)
@pytest.mark.parametrize("sanitizers", [THREAD, ADDRESS])
def test_eight_threads_leave_the_core_clean_and_the_totals_exact(
    thread_compiler: str, tmp_path: Path, sanitizers: str
) -> None:
    said = run(build(thread_compiler, "threads", sanitizers, tmp_path), "1500")
    have, wanted = map(int, re.search(r"lots (\d+) of (\d+)", said).groups())  # type: ignore[union-attr]
    assert have == wanted == 1500 * 36
