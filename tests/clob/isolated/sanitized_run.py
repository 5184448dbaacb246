"""Runs calls or tests over a sanitized `_clob` and has LeakSanitizer look at what they left.

    sanitized_run.py PATH_ENTRY calls|rules|twins|unwatched|leaks

Alone, LeakSanitizer finds no leaked Python container: the collector's own list leads to it. So the look is
taken with all containers taken off that list, before the interpreter ends, and it reports nothing but leaks.
test_sanitizers.py starts this and reads the report.
"""

from __future__ import annotations

import ctypes
import gc
import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

CALL_ROUNDS = 10
TWIN_SEQUENCES = 40

# A walk of the whole book after each of three million events takes an hour.
TOO_LONG = "not without_the_gil_refuses"


def run_calls() -> int:
    import every_call

    for section, _ in every_call.SECTIONS.values():
        rounds = 1 if section is every_call.batches else CALL_ROUNDS
        print(sum(section() for _ in range(rounds)), section.__name__, flush=True)
    every_call.REFUSED.clear()
    return 0


def run_rules() -> int:
    import pytest

    names = [f"test_book_{name}.py" for name in ("rules", "events", "match", "fills", "unkind")]
    without = ("no:cacheprovider", "no:xdist", "no:cov")
    plugins = [word for name in without for word in ("-p", name)]
    return pytest.main(["-q", *plugins, "-k", TOO_LONG, *(str(HERE.parent / name) for name in names)])


def run_twins(name: str = "Twins") -> int:
    import book_twins
    from hypothesis import Phase, seed, settings
    from hypothesis.stateful import run_state_machine_as_test

    chosen = settings(
        max_examples=TWIN_SEQUENCES,
        stateful_step_count=book_twins.RULES + 1,
        deadline=None,
        database=None,
        phases=[Phase.generate],
    )
    run_state_machine_as_test(seed(1)(getattr(book_twins, name)), settings=chosen)
    print(f"{book_twins.exercised['steps']} steps")
    return 0


def run_unwatched() -> int:
    return run_twins("UnwatchedTwins")


def run_leaks() -> int:
    """Leaks on purpose: a book, orders in a list, and bytes."""
    from ledgerx.clob import Book

    book = Book()
    book.add(1, False, 1, 1)
    for kept in (book, book.snapshot(), book.records()):
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(kept))
    return 0


def look_for_leaks() -> None:
    """Has LeakSanitizer print to stderr what nothing leads to any more."""
    untrack = ctypes.pythonapi.PyObject_GC_UnTrack
    untrack.argtypes, untrack.restype = [ctypes.py_object], None
    gc.collect()
    gc.disable()
    containers = gc.get_objects()
    while containers:
        untrack(containers.pop())
    del containers
    # Python's stores of freed lists and dicts still name those that were taken out: name others.
    others: list[object] = [kind() for kind in (list, dict) for _ in range(200)]
    del others
    ctypes.CDLL(None).__lsan_do_recoverable_leak_check()


def main(path_entry: str, what: str) -> int:
    from ledgerx.clob import _clob

    assert _clob.__file__.startswith(path_entry), f"not the sanitized build: {_clob.__file__}"
    runs = {
        "calls": run_calls,
        "rules": run_rules,
        "twins": run_twins,
        "unwatched": run_unwatched,
        "leaks": run_leaks,
    }
    return int(runs[what]())


if __name__ == "__main__":
    status = main(*sys.argv[1:])
    look_for_leaks()
    print("looked for leaks", flush=True)
    os._exit(status)  # the interpreter cannot end in good order now
