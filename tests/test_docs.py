"""The documentation is true: its programs run against a venue, and every name in it exists."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from flow_small_day import write_small_day

from ledgerx.exchange import Exchange
from ledgerx.protocol.crypto import KeyPair

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.rst", ROOT / "CHANGES.rst", *sorted((ROOT / "docs").glob("*.rst"))]
EXAMPLES = sorted((ROOT / "docs" / "examples").glob("*.py"))
README_PROGRAM_LINES_MAX = 30


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def code_blocks(path: Path) -> list[str]:
    """The Python of every code block on a page, its indentation taken off."""
    pattern = r"^\.\. code-block:: python\n\n((?:    .*\n|\n)+)"
    found = re.findall(pattern, path.read_text(), re.MULTILINE)
    return [re.sub(r"^    ", "", block, flags=re.MULTILINE).strip() + "\n" for block in found]


BLOCKS = [
    pytest.param(block, id=f"{path.name}-{number}")
    for path in PAGES
    for number, block in enumerate(code_blocks(path))
]


@pytest.mark.parametrize("block", BLOCKS)
def test_a_block_of_python_compiles_and_its_imports_exist(block: str) -> None:
    for node in ast.walk(ast.parse(block)):
        if isinstance(node, ast.ImportFrom):
            module = importlib.import_module(node.module or "")
            assert all(hasattr(module, alias.name) for alias in node.names), ast.unparse(node)


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_every_dotted_name_exists(path: Path) -> None:
    for name in re.findall(r"``(ledgerx(?:\.\w+)+)(?:\(.*?\))?``", path.read_text()):
        assert resolves(name), name


def resolves(name: str) -> bool:
    """Whether a dotted name is a module or something in one."""
    parts = name.split(".")
    for cut in range(len(parts), 0, -1):
        try:
            found: object = importlib.import_module(".".join(parts[:cut]))
        except ModuleNotFoundError:
            continue
        for part in parts[cut:]:
            if not hasattr(found, part):
                return False
            found = getattr(found, part)
        return True
    return False


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_every_file_and_folder_named_exists(path: Path) -> None:
    for name in re.findall(r"(?:``|\s)((?:bin|docs|tests|ledgerx|benchmarks)/[\w./-]*)", path.read_text()):
        assert (ROOT / name.rstrip(".")).exists(), name


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_every_option_named_is_the_command_lines(path: Path) -> None:
    known = {"--full", "--list", "--seed", "--flow"}  # of bin/test, bin/soak and bin/demo
    for source in [*(ROOT / "ledgerx" / "cli").glob("*.py"), ROOT / "tools" / "simulate.py"]:
        known |= set(re.findall(r'"(--[\w-]+)', source.read_text()))
    for option in re.findall(r"(?:``|\s\[?)(--[a-z][\w-]+)", path.read_text()):
        assert option in known, option


# -------------------------------------------------------------------------------- running programs


@pytest.fixture
def venue(tmp_path: Path) -> Iterator[Exchange]:
    """A venue, and in `tmp_path` what the pages have the reader make: certificates and its key."""
    with Exchange() as exchange:
        for name in ("trader", "alice", "bob"):
            keys = KeyPair.generate().save_certificate(tmp_path / f"{name}.cert")
            exchange.add_account(name, keys.public)
        (tmp_path / "venue.key").write_text(exchange.public_key.decode() + "\n")
        yield exchange


def run(program: str, folder: Path, *arguments: str) -> list[str]:
    """What a program prints; it must end well."""
    command = [sys.executable, "-", *arguments]
    result = subprocess.run(command, input=program, capture_output=True, text=True, cwd=folder, timeout=60)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    return result.stdout.splitlines()


def test_the_readmes_program_is_short_and_trades(venue: Exchange, tmp_path: Path) -> None:
    program, order_flow = code_blocks(ROOT / "README.rst")
    assert "'state': 'neutral'" in run(order_flow, tmp_path)[-1]
    assert len([line for line in program.splitlines() if line.strip()]) <= README_PROGRAM_LINES_MAX
    assert '"127.0.0.1"' in program
    printed = run(program.replace('"127.0.0.1"', f'"127.0.0.1:{venue.request_port}"'), tmp_path)
    assert "status: 200 order accepted" in printed
    assert "report: STATUS_INSERTED 1 open of 1" in printed
    assert "report: STATUS_CANCELED 0 open of 1" in printed
    assert printed[-1].endswith("order DONE cancel DONE")


def test_the_tutorials_program_trades(venue: Exchange, tmp_path: Path) -> None:
    program = (ROOT / "docs" / "examples" / "first_trade.py").read_text()
    first, *reports, last = run(program, tmp_path, f"127.0.0.1:{venue.request_port}")
    assert first.startswith("trading ")
    assert sorted(reports) == [
        "alice: STATUS_FILLED at 5000 cents, 0 open of 1",
        "alice: STATUS_INSERTED at 5000 cents, 1 open of 1",
        "bob: STATUS_FILLED at 5000 cents, 0 open of 1",
    ]
    assert last == "ask DONE bid DONE"


def test_the_durable_pages_program_finds_its_order_again(venue: Exchange, tmp_path: Path) -> None:
    program = (ROOT / "docs" / "examples" / "durable_trader.py").read_text()
    host = f"127.0.0.1:{venue.request_port}"
    assert run(program, tmp_path, host, "stop") == ["STATUS_INSERTED: 2 open", "table: [(3, 2)]"]
    assert run(program, tmp_path, host) == [
        "found again: 2 at 100",
        "STATUS_CANCELED: 0 open",
        "order DONE",
        "table: [(3, 2), (5, 0)]",
    ]


def test_the_journal_page_reads_a_journal(venue: Exchange, tmp_path: Path) -> None:
    (program,) = code_blocks(ROOT / "docs" / "journal.rst")
    assert '"venue/journal/' in program
    printed = run(program.replace('"venue/journal/', f'"{venue.data_dir}/journal/'), tmp_path)
    assert any("MessageRunChange" in line for line in printed)


def test_the_replay_page_replays_a_day(tmp_path: Path) -> None:
    program = (ROOT / "docs" / "examples" / "replay_day.py").read_text()
    printed = run(program, tmp_path, str(write_small_day(tmp_path)))
    assert printed[0].startswith("10 events, 2 orders, checksum ")
    assert printed[-1] == "SMALL_message_1.csv as recorded"


def test_the_book_pages_program_trades_and_copies(tmp_path: Path) -> None:
    program = (ROOT / "docs" / "examples" / "order_book.py").read_text()
    printed = run(program, tmp_path)
    assert "order 2 stands behind (orders, size): (1, 5)" in printed
    assert [line for line in printed if line.startswith("filled")] == [
        "filled: Fill(order_id=1, price=9900, size=5, left=0)",
        "filled: Fill(order_id=2, price=9900, size=1, left=6)",
    ]
    assert printed[-1] == "same book: True"


def test_the_book_pages_program_matches_many_orders(tmp_path: Path) -> None:
    printed = run((ROOT / "docs" / "examples" / "matching_many.py").read_text(), tmp_path)
    assert printed[:3] == [
        "order 3 met order 1: 5 at 10100",
        "order 3 met order 2: 2 at 10200",
        "order 5 met order 2: 1 at 10200",
    ]
    assert printed[3] == "order 4 was refused: NotFillable"


@pytest.mark.parametrize("path", EXAMPLES, ids=name_of)
def test_every_example_compiles_and_says_what_it_is(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text(), str(path)))
