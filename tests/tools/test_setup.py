"""The set-up names what a machine lacks, and does nothing twice."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with the set-up alone, that has no .venv."""
    for name in ("tools", "bin", "requirements"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "setup.py"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / "ledgerx").mkdir()
    return tmp_path


def set_up(checkout: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [str(checkout / "bin" / "_setup"), *arguments]
    variables = {"PYTHON": sys.executable, **os.environ, **environment}
    return subprocess.run(command, capture_output=True, text=True, env=variables, timeout=60)


def test_a_missing_compiler_is_named_with_its_fix(checkout: Path) -> None:
    result = set_up(checkout, "exchange", CC="no-such-compiler -O2")
    assert result.returncode == 1
    assert "a C compiler: apt-get install gcc" in result.stderr
    assert result.stdout == ""
    assert not (checkout / ".venv").exists()


def test_a_missing_python_is_named_with_its_fix(checkout: Path) -> None:
    result = set_up(checkout, PYTHON="/no/such/python3")
    assert result.returncode == 1
    assert "Python 3.11 or newer (tried: /no/such/python3): apt-get install" in result.stderr


def test_every_missing_thing_is_named_at_once(checkout: Path, tmp_path: Path) -> None:
    # A Python without the modules and headers that distributions put into packages of their own.
    (tmp_path / "sitecustomize.py").write_text(
        "import sys, sysconfig\n"
        "sys.modules['ensurepip'] = None\n"
        "for scheme in sysconfig._INSTALL_SCHEMES.values():\n"
        "    scheme['include'] = '/no/such/include'\n"
    )
    result = set_up(checkout, "test", PYTHONPATH=str(tmp_path), CC="no-such-compiler")
    assert result.returncode == 1
    assert result.stderr.count("\n  * ") == 3
    assert "-venv (Debian, Ubuntu)" in result.stderr
    assert "a C compiler" in result.stderr
    assert "no Python.h in /no/such/include" in result.stderr
    assert "apt-get install python3-dev" in result.stderr


def test_an_unknown_extra_is_refused(checkout: Path) -> None:
    result = set_up(checkout, "everything")
    assert result.returncode == 2
    assert "'everything': one of exchange, plot, history, test" in result.stderr


def test_what_is_set_up_is_not_set_up_again_until_something_changes(checkout: Path) -> None:
    # A stamp of the present state stands for an installation; a missing compiler shows that one is tried.
    code = "import setup_venv as s; s.stamp('test').write_text(s.fingerprint())"
    bin_folder = checkout / ".venv" / "bin"
    bin_folder.mkdir(parents=True)
    (bin_folder / "python").symlink_to(sys.executable)
    subprocess.run([sys.executable, "-c", code], cwd=checkout / "tools", check=True)
    for extra in ("test", "exchange"):
        assert set_up(checkout, extra, CC="no-such-compiler").returncode == 0
    (checkout / "ledgerx" / "book.c").write_text("int x;\n")
    assert set_up(checkout, "test", CC="no-such-compiler").returncode == 1
