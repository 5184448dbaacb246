"""bin/soak and bin/bench find scripts by name; a soak says seed, commit, counts and verdict."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

SCRIPT = '''"""Counts to three.

More words.
"""

import argparse

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int)
parser.add_argument("--fail", action="store_true")
options = parser.parse_args()
print("counts: 3, seed given:", options.seed)
raise SystemExit(7 if options.fail else 0)
'''


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "tools").mkdir()
    shutil.copy(ROOT / "tools" / "run_script.py", tmp_path / "tools")
    for folder in ("tests/soak", "benchmarks"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "count.py").write_text(SCRIPT)
        (tmp_path / folder / "_shared.py").write_text('"""Not to be run."""\n')
    return tmp_path


def run(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(checkout / "tools" / "run_script.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=checkout)


def test_a_soak_prints_seed_commit_counts_and_pass(checkout: Path) -> None:
    result = run(checkout, "tests/soak", "count", "--seed", "42")
    first, counts, last = result.stdout.splitlines()
    assert result.returncode == 0
    assert re.match(r"soak count: seed 42, commit \S+, Python 3", first)
    assert counts == "counts: 3, seed given: 42"
    assert re.match(r"soak count: seed 42, \d+ s, PASS$", last)


def test_a_soak_that_fails_says_how_to_run_it_again(checkout: Path) -> None:
    result = run(checkout, "tests/soak", "count", "--fail")
    assert result.returncode == 1
    assert "FAIL" in result.stdout
    assert re.search(r"^again: bin/soak count --seed \d+ --fail$", result.stdout, re.MULTILINE)


def test_a_soak_without_a_seed_takes_a_new_one_each_time(checkout: Path) -> None:
    seeds = {run(checkout, "tests/soak", "count").stdout.split("seed ")[1].split(",")[0] for _ in range(3)}
    assert len(seeds) == 3


def test_a_benchmark_gets_its_arguments_as_they_are(checkout: Path) -> None:
    result = run(checkout, "benchmarks", "count")
    assert result.stdout == "counts: 3, seed given: None\n"
    assert run(checkout, "benchmarks", "count", "--fail").returncode == 7


@pytest.mark.parametrize("folder", ["tests/soak", "benchmarks"])
def test_a_list_shows_each_name_with_what_it_does(folder: str, checkout: Path) -> None:
    result = run(checkout, folder, "--list")
    assert result.stdout.split(maxsplit=1) == ["count", "Counts to three.\n"]
    assert result.returncode == 0


def test_an_unknown_name_lists_the_known_ones(checkout: Path) -> None:
    result = run(checkout, "tests/soak", "cuont")
    assert result.returncode == 2
    assert "'cuont'" in result.stderr
    assert "count" in result.stderr


def test_a_seed_that_is_no_number_is_refused(checkout: Path) -> None:
    result = run(checkout, "tests/soak", "count", "--seed", "x")
    assert result.returncode != 0
    assert "--seed needs a whole number" in result.stderr
