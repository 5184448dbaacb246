"""The generated modules and their types are those of the schema that is checked in."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def check(root: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(root / "tools" / "generate.py"), "--check"]
    return subprocess.run(command, capture_output=True, text=True, cwd=root, timeout=60)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A tree that holds the schemas, what was generated from them, and the generator."""
    kept = [ROOT / "tools" / "generate.py"]
    kept += [
        path
        for path in (ROOT / "ledgerx").rglob("*")
        if path.name.endswith((".proto", "_pb2.py", "_pb2.pyi"))
    ]
    for path in kept:
        target = tmp_path / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    return tmp_path


def test_what_is_checked_in_is_what_the_schema_gives() -> None:
    result = check(ROOT)
    assert result.returncode == 0, result.stdout + result.stderr


def test_a_changed_schema_makes_the_generated_files_stale(copy: Path) -> None:
    schema = copy / "ledgerx" / "api" / "client" / "v0_0_1.proto"
    schema.write_text(schema.read_text().replace("string mid = 1;", "string mid = 1; string later = 999;", 1))
    result = check(copy)
    assert result.returncode == 1
    assert "v0_0_1_pb2.py" in result.stdout
    assert "v0_0_1_pb2.pyi" in result.stdout
    assert "tools/generate.py" in result.stdout


@pytest.mark.parametrize("name", ["journal_pb2.py", "journal_pb2.pyi"])
def test_an_edited_or_missing_generated_file_is_stale(name: str, copy: Path) -> None:
    path = copy / "ledgerx" / "exchange" / name
    path.write_text(path.read_text() + "\n# edited\n")
    assert f"{name}" in check(copy).stdout
    path.unlink()
    assert check(copy).returncode == 1


def test_every_schema_in_the_tree_is_generated_from() -> None:
    sys.path.insert(0, str(ROOT / "tools"))
    try:
        from generate import SCHEMAS
    finally:
        sys.path.remove(str(ROOT / "tools"))
    found = {str(path.relative_to(ROOT)) for path in (ROOT / "ledgerx").rglob("*.proto")}
    assert found == set(SCHEMAS)
