"""Builds of the runtime's core with sanitizers, for the programs in harness/."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

__all__ = ["NATIVE", "build"]

ROOT = Path(__file__).resolve().parent.parent.parent
NATIVE = ROOT / "ledgerx" / "orderflow" / "native"
HARNESS = Path(__file__).resolve().parent / "harness"
FLAGS = [
    "-fno-sanitize-recover=all", "-fno-omit-frame-pointer", "-D_GNU_SOURCE", "-O1", "-g", "-std=c11",
    "-Wall", "-Wextra", "-Werror", "-pthread",
]  # fmt: skip


def build(compiler: str, name: str, sanitizers: str, folder: Path, *more: str) -> Path:
    """The harness `name` with the core, as a program in `folder`. Fails with what the compiler said."""
    program = folder / f"{name}-{sanitizers.partition(',')[0]}"
    sources = [HARNESS / f"{name}.c", *sorted(NATIVE.glob("*.c"))]
    command = [
        *shlex.split(compiler), *FLAGS, f"-fsanitize={sanitizers}", "-I", str(NATIVE), *map(str, sources),
        "-o", str(program), "-lm", *more,
    ]  # fmt: skip
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, f"{shlex.join(command)}\n{result.stderr}"
    return program
