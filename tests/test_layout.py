"""The rules of the house that no linter knows: imports, sizes, seams, and what tests may not do."""

from __future__ import annotations

import ast
import collections
import json
import re
import statistics
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted(path for path in (ROOT / "ledgerx").rglob("*.py") if not path.stem.endswith("_pb2"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
C_SOURCES = sorted(path for end in ("*.c", "*.h") for path in (ROOT / "ledgerx").rglob(end))
TOOLS = sorted((ROOT / "tools").glob("*.py"))

# An import only ever points to a lower number; siblings do not import each other.
LEVELS = {
    "errors": 0, "clock": 0, "api": 1, "protocol": 2, "clob": 3, "streaming_api": 3, "sdk": 4, "exchange": 4,
    "orderflow": 5, "history": 5, "testing": 6, "desk": 6, "cli": 7,
}  # fmt: skip

# Modules that read time or make random numbers beside ledgerx/clock.py, each with its reason.
TIME_READERS: dict[str, str] = {}

FILE_LINES_MAX = 600
FILE_LINES_MEDIAN_MAX = 200
FUNCTION_LINES_MAX = 70
C_LINE_CHARACTERS_MAX = 120


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), str(path))


def imported(path: Path) -> Iterator[str]:
    """The full name of everything a file imports, wherever in it."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name_of(path)}:{node.lineno}: imports name their package in full"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_imports_only_point_left(path: Path) -> None:
    part = path.relative_to(ROOT / "ledgerx").parts[0].removesuffix(".py")
    for name in imported(path):
        if not name.startswith("ledgerx."):
            continue
        other = name.split(".")[1]
        assert other == part or LEVELS[other] < LEVELS.get(part, -1), f"{name_of(path)} imports {name}"


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_every_module_says_what_it_is_and_what_it_offers(path: Path) -> None:
    assert ast.get_docstring(tree_of(path)), "no docstring"
    targets = [
        target.id
        for node in tree_of(path).body
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    ]
    assert "__all__" in targets, "no __all__"


@pytest.mark.parametrize("path", SOURCES + TESTS + TOOLS, ids=name_of)
def test_files_and_functions_stay_short(path: Path) -> None:
    lines = len(path.read_text().splitlines())
    assert lines <= FILE_LINES_MAX, f"{lines} lines"
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            assert length <= FUNCTION_LINES_MAX, f"{node.name}, line {node.lineno}: {length} lines"


@pytest.mark.parametrize("path", C_SOURCES, ids=name_of)
def test_c_opens_with_what_it_is_and_stays_short(path: Path) -> None:
    lines = path.read_text().splitlines()
    assert lines[0].startswith("/* "), "no comment that says what the file is"
    assert len(lines) <= FILE_LINES_MAX, f"{len(lines)} lines"
    assert max(map(len, lines)) <= C_LINE_CHARACTERS_MAX
    begun = 0
    for number, line in enumerate(lines, 1):
        begun = number if line == "{" else begun
        if line == "}":
            assert number - begun < FUNCTION_LINES_MAX, f"the function that ends at line {number}"


@pytest.mark.parametrize("folder", ["clob/core", "orderflow/native"])
def test_a_native_core_knows_no_python(folder: str) -> None:
    for path in (path for end in "ch" for path in (ROOT / "ledgerx" / folder).glob(f"*.{end}")):
        assert "Python.h" not in path.read_text(), name_of(path)


def test_the_median_file_is_short() -> None:
    assert statistics.median(len(path.read_text().splitlines()) for path in SOURCES) < FILE_LINES_MEDIAN_MAX


def reads_time_or_randomness(path: Path) -> list[str]:
    found = [name for name in imported(path) if name.split(".")[0] in ("time", "random", "secrets", "uuid")]
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            name = f"{node.value.id}.{node.attr}"
            if name in ("os.urandom", "datetime.now", "datetime.utcnow", "datetime.today", "date.today"):
                found.append(name)
    return found


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_only_the_clock_reads_time_or_randomness(path: Path) -> None:
    if name_of(path) == "ledgerx/clock.py" or name_of(path) in TIME_READERS:
        assert reads_time_or_randomness(path), "does not read time: take it off the list"
    else:
        assert reads_time_or_randomness(path) == []


# ----------------------------------------------------------------------------------- what it costs

LOADED = """
import json, sys
before = set(sys.modules)
import {module}
files = {{name: getattr(sys.modules[name], "__file__", None) or "" for name in set(sys.modules) - before}}
print(json.dumps(sorted({{name.partition(".")[0] for name in files if "site-packages" in files[name]}})))
"""


def third_party(module: str) -> set[str]:
    command = [sys.executable, "-c", LOADED.format(module=module)]
    return set(json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout))


def test_the_package_itself_loads_nothing() -> None:
    assert third_party("ledgerx.sdk") == set()


def test_the_client_loads_zmq_protobuf_and_nacl_alone() -> None:
    # cffi, its backend and _sodium are nacl's own.
    assert third_party("ledgerx.sdk.context") <= {"zmq", "google", "nacl", "cffi", "_cffi_backend", "_sodium"}


# --------------------------------------------------------------------------------- what tests avoid


@pytest.mark.parametrize("path", TESTS, ids=name_of)
def test_tests_neither_sleep_nor_patch_nor_mock(path: Path) -> None:
    for node in ast.walk(tree_of(path)):
        where = f"{name_of(path)}:{getattr(node, 'lineno', 0)}"
        if isinstance(node, ast.Attribute):
            assert node.attr not in ("sleep", "setattr", "MagicMock", "Mock", "patch"), (
                f"{where}: {node.attr}"
            )
        if isinstance(node, ast.arg):
            assert node.arg not in ("monkeypatch", "mocker"), f"{where}: {node.arg}"
    assert not [name for name in imported(path) if "mock" in name or name == "time.sleep"]


@pytest.mark.parametrize("path", TESTS, ids=name_of)
def test_tests_hide_no_gap_behind_a_skip(path: Path) -> None:
    if path.name == "conftest.py":
        return  # its fixtures skip where recorded data is absent, and say so
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Attribute):
            assert node.attr not in ("skip", "skipif", "xfail", "importorskip"), (
                f"line {node.lineno}: {node.attr}"
            )


def test_test_files_have_names_of_their_own() -> None:
    names = collections.Counter(path.name for path in TESTS if path.name != "conftest.py")
    assert [name for name, count in names.items() if count > 1] == []


# ------------------------------------------------------------------------------------ requirements


def pins() -> dict[str, str]:
    found = {}
    for path in sorted((ROOT / "requirements").glob("*.txt")):
        for line in path.read_text().splitlines():
            if line and not line.startswith("#"):
                match = re.fullmatch(r"([A-Za-z0-9._-]+)==([A-Za-z0-9.]+)", line)
                assert match, f"{path.name}: {line!r} is not NAME==VERSION"
                name = re.sub(r"[-_.]+", "-", match[1]).lower()
                assert name not in found, f"{name} is pinned twice"
                found[name] = match[2]
    return found


def test_every_dependency_is_pinned_once_and_no_file_names_an_index() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"]]
    for extra in project["optional-dependencies"].values():
        wanted += extra
    names = {re.match(r"[A-Za-z0-9._-]+", line)[0] for line in wanted}  # type: ignore[index]
    normal = {re.sub(r"[-_.]+", "-", name).lower() for name in names} - {"ledgerx-python"}
    assert normal <= set(pins())


@pytest.mark.parametrize("path", [*(ROOT / "bin").iterdir(), ROOT / ".ci" / "run"], ids=name_of)
def test_commands_can_be_run_and_say_what_they_do(path: Path) -> None:
    assert path.stat().st_mode & 0o111
    first, second = path.read_text().splitlines()[:2]
    assert first.startswith("#!/usr/bin/env ")
    assert second.startswith(("# ", '"""'))
