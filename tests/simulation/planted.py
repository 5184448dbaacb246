"""Deliberate defects, each a small edit of the sources: the simulator must find every one of them.

`plant` applies one to a copy of the package; `seeds_needed` runs the simulator on it until it is caught.
`bin/soak defects` does so for all, in copies that are thrown away.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent.parent

HUNT = """
import logging, sys
from ledgerx.testing.simulator.runner import run_seeds
logging.disable(logging.CRITICAL)
start, seeds = int(sys.argv[1]), int(sys.argv[2])
outcome = run_seeds(range(start, start + seeds), failures_max=1)
print(outcome.seeds if outcome.failures else 0)
for failure in outcome.failures.values():
    print(failure.partition("\\n")[0][:300])
"""


class Edit(NamedTuple):
    """In a file under ledgerx/, `old`, which must be there once, becomes `new`."""

    path: str
    old: str
    new: str


class Defect(NamedTuple):
    """A defect by name, and the edits that make it."""

    name: str
    edits: tuple[Edit, ...]


DEFECTS = (
    Defect(
        "dedup off",
        (
            Edit(
                "exchange/mids.py",
                "return None if line is None else line.numbers.get(key)",
                "return None",
            ),
        ),
    ),
    Defect(
        "replay off by one",
        (
            Edit(
                "exchange/replay.py",
                "messages = lines.read(cid, first, ",
                "messages = lines.read(cid, first + 1, ",
            ),
        ),
    ),
    Defect(
        "a fill sent before its record",
        (
            Edit(
                "exchange/venue.py",
                "if self.journal.commit() and self._accounts_changed:",
                "if self._accounts_changed:",
            ),
            Edit(
                "exchange/gateway.py",
                "        self._sender.send_answers(answers)\n",
                "        self._sender.send_answers(answers)\n        self._venue.journal.commit()\n",
            ),
        ),
    ),
    Defect(
        "forgotten run change",
        (Edit("exchange/engine.py", "if account.active and self.run_id:", "if self.run_id < 0:"),),
    ),
    Defect(
        "callback lost when set late",
        (
            Edit(
                "sdk/items.py",
                "        if not self._has_callback:\n            return []\n",
                "        if not self._has_callback:\n            self._delivered = len(self._answers)\n"
                "            return []\n",
            ),
        ),
    ),
    Defect(
        "gap ignored",
        (
            Edit(
                "sdk/line.py",
                "        if sequence > self.released_next:\n",
                "        self.released_next = sequence\n        if sequence > self.released_next:\n",
            ),
        ),
    ),
    Defect(
        "resend with a new mid",
        (
            Edit(
                "sdk/tracker.py",
                "        if item.encoded is None:\n            item.encoded = self._stamp(item, now)\n",
                "        if item.encoded is not None and not item.members:\n"
                "            self.outstanding.acknowledged(item.mid, now)\n"
                "            item.msg.mid, item.encoded = self._make_mid(), None\n"
                "            self._store[item.mid] = item\n"
                "            self.outstanding.add(item)\n"
                "        if item.encoded is None:\n            item.encoded = self._stamp(item, now)\n",
            ),
        ),
    ),
    Defect(
        "resend out of order",
        (
            Edit(
                "sdk/tracker.py",
                "for item in [*self._reads.lost(), *self.outstanding]:",
                "for item in [*self._reads.lost(), *self.outstanding][::-1]:",
            ),
        ),
    ),
    Defect(
        "batch member resent alone",
        (
            Edit(
                "sdk/tracker.py",
                "for item in [*self._reads.lost(), *self.outstanding]:",
                "for item in [m for i in list(self.outstanding) for m in i.members or [i]]:",
            ),
        ),
    ),
    Defect(
        "sequence reset at restart",
        (
            Edit(
                "exchange/engine.py",
                "        self._lines.publish_tops()  # what",
                "        for account in self.accounts.values():\n            account.head = 0\n"
                "        self._lines.publish_tops()  # what",
            ),
        ),
    ),
    Defect(
        "snapshot missing an order",
        (
            Edit(
                "exchange/answers.py",
                "snapshot.MergeFromString(self._orders_of(account, contract))",
                "snapshot.MergeFromString(self._orders_of(account, contract))\n"
                "        del snapshot.orders[4:5]",
            ),
        ),
    ),
    Defect(
        "state snapshot with another open size",
        (
            Edit(
                "exchange/engine_snapshot.py",
                "        open_size=order.open_size,\n        original_size=",
                "        open_size=order.original_size,\n        original_size=",
            ),
        ),
    ),
    Defect(
        "feed head ignored",
        (
            Edit(
                "sdk/book.py", "if self._live and self._head > self._position:", "if not self._live is True:"
            ),
        ),
    ),
)


def edited(edit: Edit, root: Path = ROOT) -> str:
    """The file's text with the edit made. Raises ValueError where it does not apply."""
    text = (root / "ledgerx" / edit.path).read_text()
    if text.count(edit.old) != 1:
        raise ValueError(f"{edit.path} has {edit.old!r} {text.count(edit.old)} times")
    return text.replace(edit.old, edit.new)


def plant(defect: Defect, scratch: Path) -> None:
    """Copy the package, as it is checked out and built, to `scratch`, and make the defect there."""
    shutil.copytree(ROOT / "ledgerx", scratch / "ledgerx", ignore=shutil.ignore_patterns("__pycache__"))
    for edit in defect.edits:
        (scratch / "ledgerx" / edit.path).write_text(edited(edit, scratch))


def seeds_needed(scratch: Path, *, start: int, seeds_max: int) -> tuple[int, str]:
    """How many seeds it took to catch the defect in `scratch` and what was found; 0 where it was not."""
    environment = {**os.environ, "PYTHONPATH": str(scratch), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-P", "-c", HUNT, str(start), str(seeds_max)]
    result = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, cwd=scratch
    )
    if result.returncode:
        raise RuntimeError(f"the hunt ended with {result.returncode}:\n{result.stderr[-2000:]}")
    count, _, found = result.stdout.partition("\n")
    return int(count), found.strip()
