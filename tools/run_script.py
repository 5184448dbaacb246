"""Run a benchmark or a soak by name: `python tools/run_script.py FOLDER NAME [arguments]`, or `--list`.

A script's module docstring opens with the line that --list shows. A soak is called with `--seed N`
first, prints its counts, and passes by exiting 0; before it this prints seed and commit, after it PASS
or FAIL. (tests/soak/NAME.py are soaks, benchmarks/NAME.py benchmarks.)
"""

from __future__ import annotations

import ast
import platform
import secrets
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def scripts(folder: Path) -> dict[str, Path]:
    """Every script of a folder by name."""
    return {path.stem: path for path in sorted(folder.glob("*.py")) if not path.name.startswith("_")}


def summary(path: Path) -> str:
    """The first line of a script's docstring."""
    return (ast.get_docstring(ast.parse(path.read_text())) or "").partition("\n")[0]


def commit() -> str:
    """The checked-out commit, marked where files differ from it; `unknown` outside a repository."""
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def take_seed(arguments: list[str]) -> int:
    """The seed the caller asked for, removed from the arguments, or a new one."""
    if "--seed" not in arguments:
        return secrets.randbelow(2**32)
    place = arguments.index("--seed")
    try:
        seed = int(arguments[place + 1])
    except (IndexError, ValueError):
        raise SystemExit("--seed needs a whole number") from None
    del arguments[place : place + 2]
    return seed


def run_soak(path: Path, arguments: list[str]) -> int:
    """Run one soak and print the verdict."""
    seed = take_seed(arguments)
    print(f"soak {path.stem}: seed {seed}, commit {commit()}, Python {platform.python_version()}", flush=True)
    begun = time.monotonic()
    code = subprocess.run(
        [sys.executable, str(path), "--seed", str(seed), *arguments], check=False
    ).returncode
    verdict = "PASS" if code == 0 else "FAIL"
    print(f"soak {path.stem}: seed {seed}, {time.monotonic() - begun:.0f} s, {verdict}", flush=True)
    if code != 0:
        print(f"again: bin/soak {path.stem} --seed {seed} {' '.join(arguments)}".rstrip(), flush=True)
    return 1 if code else 0


def main(folder: str, arguments: list[str]) -> int:
    """Find the script and run it."""
    found = scripts(ROOT / folder)
    if not arguments or arguments[0] in ("--list", "-h", "--help"):
        for name, path in found.items():
            print(f"{name:20} {summary(path)}")
        return 0 if arguments else 2
    name, *rest = arguments
    if name not in found:
        print(f"no {name!r} in {folder}: one of {', '.join(found) or 'none yet'}", file=sys.stderr)
        return 2
    if folder.endswith("soak"):
        return run_soak(found[name], rest)
    return subprocess.run([sys.executable, str(found[name]), *rest], check=False).returncode


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1], sys.argv[2:]))
