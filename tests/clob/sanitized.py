"""Builds with AddressSanitizer and UndefinedBehaviorSanitizer, and what LeakSanitizer says of them."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sysconfig
from pathlib import Path

__all__ = ["BuildError", "build_extension", "build_harness", "environment", "leaks_of_ours", "runtime_of"]

ROOT = Path(__file__).resolve().parent.parent.parent
CLOB = ROOT / "ledgerx" / "clob"
HARNESS = Path(__file__).resolve().parent / "harness"

FLAGS = [
    "-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer",
    "-O1", "-g", "-std=c11", "-Wall", "-Wextra", "-Werror",
]  # fmt: skip
WALKS = "-DCLOB_DEBUG"
"""Walks the whole book after each call."""


class BuildError(Exception):
    """The compiler refused the sources."""


def runtime_of(compiler: str) -> Path | None:
    """Where a compiler's libasan is; None if it has none or is no GCC."""
    command = [*shlex.split(compiler), "-print-file-name=libasan.so"]
    if shutil.which(command[0]) is None:
        return None
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    path = Path(answer.stdout.strip())
    return path.resolve() if answer.returncode == 0 and path.is_absolute() and path.exists() else None


def _compile(compiler: str, arguments: list[str | Path]) -> None:
    command = [*shlex.split(compiler), *FLAGS, *arguments]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise BuildError(f"{shlex.join(map(str, command))}\n{result.stderr}")


def build_harness(compiler: str, folder: Path) -> Path:
    """The C harness as a program in `folder`."""
    program = folder / "harness"
    sources = [*sorted(HARNESS.glob("*.c")), *sorted((CLOB / "core").glob("*.c"))]
    _compile(compiler, [WALKS, "-I", CLOB / "core", *sources, "-o", program])
    return program


def build_extension(compiler: str, folder: Path, *, walks: bool = True) -> Path:
    """A path entry in `folder` that gives ledgerx with a sanitized `_clob`, all else as it stands."""
    package = folder / "ledgerx" / "clob"
    package.mkdir(parents=True)
    for source, target in ((CLOB.parent, package.parent), (CLOB, package)):
        for path in source.iterdir():
            if path != CLOB and path.suffix != ".so" and path.name != "__pycache__":
                (target / path.name).symlink_to(path)
    sources = [*sorted((CLOB / "core").glob("*.c")), *sorted((CLOB / "binding").glob("*.c"))]
    include = sysconfig.get_path("include")
    extension = package / f"_clob{sysconfig.get_config_var('EXT_SUFFIX')}"
    flags = ["-shared", "-fPIC", *([WALKS] if walks else [])]
    _compile(compiler, [*flags, "-isystem", include, *sources, "-o", extension])
    return folder


def environment(runtime: Path, path_entry: Path, *, whole_stacks: bool) -> dict[str, str]:
    """What a Python needs that is to import a sanitized extension from `path_entry`.

    Python keeps no frame pointers, so that the stack of an allocation is found in part only, unless
    `whole_stacks` has it unwound, at ten times the cost.
    """
    asan = {
        "detect_leaks": 1,
        "fast_unwind_on_malloc": int(not whole_stacks),
        "malloc_context_size": 30,
        # Before GCC 14 the search for leaks takes some blocks of thread-local memory, by where they happen
        # to lie, for ones with a header of an old glibc, and crashes (google/sanitizers issue 1322).
        "intercept_tls_get_addr": 0,
    }
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("COV", "PYTEST", "PYTHON"))
    }
    return {
        **kept,
        "LD_PRELOAD": str(runtime),
        "PYTHONPATH": str(path_entry),
        "PYTHONSAFEPATH": "1",
        "PYTHONMALLOC": "malloc",
        "PYTHONDONTWRITEBYTECODE": "1",
        "ASAN_OPTIONS": ":".join(f"{name}={value}" for name, value in asan.items()),
        "UBSAN_OPTIONS": "print_stacktrace=1",
    }


def leaks_of_ours(report: str) -> list[str]:
    """The leaks of a LeakSanitizer report that were allocated below a function of the order book.

    Others are the interpreter's and other packages'.
    """
    leaks = re.split(r"\n(?=(?:Direct|Indirect) leak of )", report)[1:]
    ends = [leak.split("\n\n", 1)[0] for leak in leaks]
    return [leak for leak in ends if re.search(r"ledgerx/clob/(core|binding)/|/_clob\.[^/\s]*so", leak)]
