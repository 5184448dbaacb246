"""Make `.venv` and install ledgerx with extras in it: `python tools/setup_venv.py [exchange] [history] ...`.

The standard library alone may be used here: this runs before anything is installed. A second run that
finds nothing changed installs nothing. Messages go to stderr, so that a caller's stdout stays its own.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
PYTHON_MIN = (3, 11)
OPTIONAL_EXTRAS = ("postgres", "ccxt", "ray")
QUIET = ("--quiet", "--disable-pip-version-check")

# An extra that brings everything another one does.
COVERS = {
    "exchange": ("exchange", "test", "bench"),
    "plot": ("plot", "test", "bench"),
    "history": ("history", "test", "bench"),
    "test": ("test", "bench"),
    "bench": ("bench",),
}


def missing_prerequisites() -> list[str]:
    """What this machine lacks, each with its fix."""
    missing = []
    if sys.version_info < PYTHON_MIN:
        missing.append(
            f"Python {PYTHON_MIN[0]}.{PYTHON_MIN[1]} or newer (this is {sys.version.split()[0]}): "
            "install one and run again with PYTHON=/path/to/python3"
        )
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        missing.append(
            f"the venv module of {sys.executable}: apt-get install python{version}-venv (Debian, Ubuntu), "
            "dnf install python3 (Fedora), or a Python from python.org"
        )
    if compiler() is None:
        missing.append(
            "a C compiler: apt-get install gcc (Debian, Ubuntu), dnf install gcc (Fedora), "
            "xcode-select --install (macOS), or set CC to yours"
        )
    if not (Path(sysconfig.get_path("include")) / "Python.h").exists():
        missing.append(
            f"the headers of {sys.executable} (no Python.h in {sysconfig.get_path('include')}): "
            "apt-get install python3-dev (Debian, Ubuntu), dnf install python3-devel (Fedora)"
        )
    return missing


def compiler() -> str | None:
    """The C compiler's path, or None. CC, if set, is the only candidate."""
    named = os.environ.get("CC")
    if named:
        return shutil.which(shlex.split(named)[0])
    built_with = shlex.split(sysconfig.get_config_var("CC") or "cc")[0]
    return next(filter(None, map(shutil.which, (built_with, "cc", "gcc", "clang"))), None)


def fingerprint() -> str:
    """Changes with whatever an installation depends on."""
    digest = hashlib.sha256(f"{ROOT}\n{sys.version}\n".encode())
    sources = [ROOT / "pyproject.toml", ROOT / "setup.py", *sorted((ROOT / "requirements").rglob("*.txt"))]
    sources += sorted(path for suffix in ("*.c", "*.h") for path in (ROOT / "ledgerx").rglob(suffix))
    for path in sources:
        digest.update(f"{path.relative_to(ROOT)}\n".encode() + path.read_bytes())
    return digest.hexdigest()


def stamp(extra: str) -> Path:
    """The file that says what was installed for an extra."""
    return VENV / f".ledgerx-{extra}"


def installed(extra: str, wanted: str) -> bool:
    """Whether the extra, or one that covers it, was installed from what is here now."""
    stamps = map(stamp, COVERS[extra])
    return any(path.exists() and path.read_text() == wanted for path in stamps) and PYTHON.exists()


def say(text: str) -> None:
    """Tell the person at the terminal."""
    print(text, file=sys.stderr, flush=True)


def run(*command: str | Path) -> None:
    """Run a command; where it fails, show what it said and end."""
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if result.returncode != 0:
        say(result.stdout)
        say(f"setup: failed: {' '.join(map(str, command))}")
        say("setup: did a download fail? check the network and pip's index (pip config list), run again")
        raise SystemExit(1)


def venv_works() -> bool:
    """Whether `.venv` holds a Python that is new enough and has pip."""
    check = f"import sys, pip; sys.exit(sys.version_info < {PYTHON_MIN})"
    return PYTHON.exists() and subprocess.run([PYTHON, "-c", check], capture_output=True).returncode == 0


def install(extra: str) -> None:
    """Install the checkout with an extra, at the pinned versions."""
    constraints: list[str] = []
    for path in sorted((ROOT / "requirements").glob("*.txt")):
        constraints += ["-c", str(path)]
    pip = (str(PYTHON), "-m", "pip", "install", *QUIET, *constraints)
    # The build tool comes first and by its pin, so that no isolated build fetches another one.
    run(*pip, "-r", str(ROOT / "requirements" / "build.txt"))
    run(*pip, "--no-build-isolation", "--editable", f"{ROOT}[{extra}]")


def install_optional() -> None:
    """What some tests run on and all others do without: where it cannot be had, they skip.

    Extras that need much go into `.venv`; what needs other versions than ours, into environments beside it.
    """
    constraints = [f"-c{path}" for path in sorted((ROOT / "requirements").glob("*.txt"))]
    for extra in OPTIONAL_EXTRAS:
        arguments = (*QUIET, *constraints, "--no-build-isolation", "--editable", f"{ROOT}[{extra}]")
        attempt(f"the extra {extra}", [PYTHON, "-m", "pip", "install", *arguments])
    for pinned in sorted((ROOT / "requirements" / "beside").glob("*.txt")):
        python = VENV / pinned.stem / "bin" / "python"
        *names, program = [line for line in pinned.read_text().splitlines() if line and line[0] != "#"]
        # What else the program names is for parts that nobody uses here.
        if not attempt(
            pinned.stem,
            [sys.executable, "-m", "venv", "--clear", VENV / pinned.stem],
            [python, "-m", "pip", "install", *QUIET, *names],
            [python, "-m", "pip", "install", *QUIET, "--no-deps", "--no-build-isolation", program],
        ):
            shutil.rmtree(VENV / pinned.stem, ignore_errors=True)


def attempt(what: str, *commands: list[str | Path]) -> bool:
    """Whether all commands succeed."""
    for command in commands:
        if subprocess.run(command, capture_output=True, check=False).returncode != 0:
            say(f"setup: {what} cannot be had here: what needs it is skipped")
            return False
    return True


def main(extras: list[str]) -> int:
    """Bring `.venv` up to date for each extra."""
    unknown = [extra for extra in extras if extra not in COVERS]
    if unknown:
        say(f"setup: unknown extra {unknown[0]!r}: one of {', '.join(COVERS)}")
        return 2
    wanted = fingerprint()
    due = [extra for extra in extras or ["exchange"] if not installed(extra, wanted)]
    if not due:
        return 0
    missing = missing_prerequisites()
    if missing:
        say("setup: this machine lacks\n" + "\n".join(f"  * {line}" for line in missing))
        return 1
    folder = os.open(ROOT, os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)  # two commands may be started at once; freed at exit
    for extra in due:
        if installed(extra, wanted):
            continue
        if not venv_works():
            say(f"setup: making {VENV}")
            run(sys.executable, "-m", "venv", "--clear", VENV)
        say(f"setup: installing ledgerx-python[{extra}] (needed once, about a minute)")
        install(extra)
        if extra in ("test", "bench"):
            install_optional()
        stamp(extra).write_text(wanted)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
