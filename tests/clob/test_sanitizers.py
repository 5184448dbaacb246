"""The order book under AddressSanitizer and UndefinedBehaviorSanitizer: its core alone, and with its binding.

The builds walk the whole book after each call (CLOB_DEBUG), but for one: a walk writes the links that a call
left to the next. What leaks is found, too: harness/ says how for the core, isolated/sanitized_run.py for the
binding.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from sanitized import build_extension, build_harness, environment, leaks_of_ours

RUN = Path(__file__).resolve().parent / "isolated" / "sanitized_run.py"
SLOW_S = 600  # what takes 15 seconds on an idle machine

REPORT = """
=================================================================
==19==ERROR: LeakSanitizer: detected memory leaks

Direct leak of 184 byte(s) in 1 object(s) allocated from:
    #0 0x7fbf670b89cf in __interceptor_malloc ../../../../src/libsanitizer/asan/asan_malloc_linux.cpp:69
    #1 0x7fbf66cbcd74 in gc_alloc Modules/gcmodule.c:2283
    #2 0x7fbf66cbcd74 in PyList_New Objects/listobject.c:160

Direct leak of 65 byte(s) in 1 object(s) allocated from:
    #0 0x7f2adc6b89cf in __interceptor_malloc ../../../../src/libsanitizer/asan/asan_malloc_linux.cpp:69
    #1 0x7f2adc14e16b in PyBytes_FromStringAndSize Objects/bytesobject.c:136
    #2 0x7f2ada1a7ad7 in book_records /checkout/ledgerx/clob/binding/buffers.c:134

Indirect leak of 32 byte(s) in 1 object(s) allocated from:
    #0 0x7f2adc6b89cf in __interceptor_malloc ../../../../src/libsanitizer/asan/asan_malloc_linux.cpp:69
    #1 0x7f2ada1a7ad7 (/tmp/x/ledgerx/clob/_clob.cpython-311-x86_64-linux-gnu.so+0x31ad7)

Indirect leak of 16 byte(s) in 1 object(s) allocated from:
    #0 0x7f2adc6b89cf in __interceptor_malloc ../../../../src/libsanitizer/asan/asan_malloc_linux.cpp:69
    #1 0x7f2ada1a7ad7 in _clobber /usr/lib/other.so

SUMMARY: AddressSanitizer: 297 byte(s) leaked in 4 allocation(s). ledgerx/clob/core/
"""


def test_of_a_report_the_leaks_below_our_functions_count() -> None:
    assert [leak.split(" in ")[0] for leak in leaks_of_ours(REPORT)] == [
        "Direct leak of 65 byte(s)",
        "Indirect leak of 32 byte(s)",
    ]
    assert leaks_of_ours("") == []


@pytest.mark.full
@pytest.mark.timeout(SLOW_S)
def test_the_core_is_clean_whatever_allocation_fails(
    sanitizing_compiler: tuple[str, Path], tmp_path: Path
) -> None:
    compiler, _ = sanitizing_compiler
    program = build_harness(compiler, tmp_path)
    options = {"ASAN_OPTIONS": "detect_leaks=1", "UBSAN_OPTIONS": "print_stacktrace=1"}
    result = subprocess.run([program], capture_output=True, text=True, check=False, env=options)
    assert result.returncode == 0, result.stdout + result.stderr
    assert int(re.search(r"(\d+) allocations failed in turn", result.stdout)[1]) > 50  # type: ignore[index]


@pytest.fixture(scope="module")
def sanitized_entry(sanitizing_compiler: tuple[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A path entry with the sanitized extension."""
    return build_extension(sanitizing_compiler[0], tmp_path_factory.mktemp("sanitized"))


def run_sanitized(entry: Path, runtime: Path, what: str, *, whole_stacks: bool) -> tuple[str, list[str]]:
    """What a run printed, and the leaks of the order book that it left."""
    result = subprocess.run(
        [sys.executable, RUN, entry, what],
        capture_output=True,
        text=True,
        check=False,
        env=environment(runtime, entry, whole_stacks=whole_stacks),
    )
    output = result.stdout + result.stderr
    assert result.returncode == 0, output
    assert result.stdout.endswith("looked for leaks\n"), output
    return output, leaks_of_ours(result.stderr)


@pytest.mark.full
def test_what_leaks_on_purpose_is_found(sanitizing_compiler: tuple[str, Path], sanitized_entry: Path) -> None:
    _, leaks = run_sanitized(sanitized_entry, sanitizing_compiler[1], "leaks", whole_stacks=True)
    for function in ("clob_new", "book_new", "book_records", "book_snapshot"):
        assert any(f" in {function} " in leak for leak in leaks), f"{function}: {leaks}"


@pytest.mark.full
@pytest.mark.timeout(SLOW_S)
@pytest.mark.parametrize(("what", "whole_stacks"), [("calls", True), ("rules", False), ("twins", False)])
def test_the_extension_is_clean(
    sanitizing_compiler: tuple[str, Path], sanitized_entry: Path, what: str, whole_stacks: bool
) -> None:
    output, leaks = run_sanitized(sanitized_entry, sanitizing_compiler[1], what, whole_stacks=whole_stacks)
    assert leaks == [], output


@pytest.mark.full
@pytest.mark.timeout(SLOW_S)
def test_what_one_call_leaves_to_the_next_is_clean(
    sanitizing_compiler: tuple[str, Path], tmp_path: Path
) -> None:
    compiler, runtime = sanitizing_compiler
    entry = build_extension(compiler, tmp_path, walks=False)
    output, leaks = run_sanitized(entry, runtime, "unwatched", whole_stacks=False)
    assert leaks == [], output
