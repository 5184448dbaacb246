"""The manual's five programs, run as they stand in docs/examples, each a process, the venue another."""

from __future__ import annotations

import re

import pytest
from programs import Program, documented, transcript

from ledgerx.testing.process import VenueProcess

Finished = dict[str, tuple[str, list[str]]]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """All programs at once, since they mostly sleep; the one that sees a restart has its own venue."""
    folder = tmp_path_factory.mktemp("programs")
    with VenueProcess() as venue, VenueProcess() as restarted:
        names = ("initialising", "submitting", "trading_session", "orders_batch")
        programs = {name: Program(name, venue, folder) for name in names}
        run_change = Program("run_change", restarted, folder)
        before = run_change.read_until("report 200")
        restarted.kill()
        restarted.start()
        refused = programs["submitting"].read_until("400")
        programs["submitting"].interrupt()
        results = {name: program.finish() for name, program in programs.items()}
        results["submitting"] = (refused + results["submitting"][0], results["submitting"][1])
        printed, logged = run_change.finish()
        results["run_change"] = (before + printed, logged)
    return results


@pytest.mark.parametrize("name", ["submitting", "trading_session", "orders_batch", "run_change"])
def test_handlers_and_callbacks_are_called_as_documented(finished: Finished, name: str) -> None:
    assert transcript(finished[name][1]) == documented(name)


def test_initialising_hears_the_heartbeat(finished: Finished) -> None:
    printed, logged = finished["initialising"]
    assert printed == "alive\n"
    assert "handle_heartbeat(MessageHeartbeat, None)" in logged


def test_an_order_without_fields_is_answered_with_their_names(finished: Finished) -> None:
    printed, _ = finished["submitting"]
    refusal = printed.splitlines()[1]
    assert refusal.startswith("400")
    assert all(field in refusal for field in ("contract_id", "size", "price_in_cents"))
    assert printed.endswith("interrupted\n")


def test_a_trading_session_learns_its_orders_id(finished: Finished) -> None:
    printed, _ = finished["trading_session"]
    (entry,) = [line for line in printed.splitlines() if line.startswith("Order's ID: ")]
    assert len(entry.removeprefix("Order's ID: ")) == 32
    assert "is 5000 for 1" in printed  # its own bid is the top of the book


def test_a_batch_places_ten_orders_each_told_to_its_callback(finished: Finished) -> None:
    printed = finished["orders_batch"][0]
    # By pattern and not by line: two threads print, and a line's end may follow the other thread's text.
    named = re.findall(r"Order no\.\d+ ID: ([0-9a-f]{32})", printed)
    placed = re.findall(r"Order ([0-9a-f]{32}) placed successfully", printed)
    assert len(set(named)) == 10
    assert sorted(placed) == sorted(named)
    assert "failed" not in printed


def test_a_restart_cancels_the_order_before_the_run_change(finished: Finished) -> None:
    printed = [line for line in finished["run_change"][0].splitlines() if line.startswith(("report", "run"))]
    assert printed == [
        "report 200 open 1 after MessageLimitOrder",
        "report 203 open 0 after MessageActionReport",
        "run 1 ended, run 2 began",
    ]
