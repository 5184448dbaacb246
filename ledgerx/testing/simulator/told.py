"""What the handlers of a client were told of its line, through all the processes that share its memory."""

from __future__ import annotations

from typing import Any

from ledgerx.api.client import v0_0_1 as api
from ledgerx.testing.checks import check
from ledgerx.testing.simulator.client import Life

__all__ = ["Told"]


class Told:
    """`numbers` of the line from `first` on, in the order told; the one that a crash repeated only once.

    Raises VerificationFailed for a message that is not as the journal has it, and for one that is repeated
    without a crash or without its flag.
    """

    def __init__(self, who: str, line: list[Any], first: int, session: list[Life]) -> None:
        self.numbers: list[int] = []
        self._who = who
        self._line = line
        self._first = first
        self._boundaries = {m.run_id: m.account_sequence for m in line if isinstance(m, api.MessageRunChange)}
        self._older: list[int] = []
        self._begins = False  # a process has just begun, after another
        for number, life in enumerate(session):
            self._begins = number > 0
            self._older.clear()
            calls = life.program.told
            anew = [index for index, call in enumerate(calls) if call[0] == "baseline"]
            for index, call in enumerate(calls):
                if anew and index <= anew[-1]:
                    continue  # what was told before was another venue's
                self._add(*call, flagged=index in life.program.flagged, life=life)

    def _add(self, handler: str, message: Any, previous: Any, *, flagged: bool, life: Life) -> None:
        number = self._number(handler, message)
        if not number:
            return
        known = number <= len(self._line)
        check(known, f"{self._who} was told of message {number} of {len(self._line)}")
        stored = self._line[number - 1]
        if handler == "run_change":
            check((stored.run_id, stored.prev_run_id) == (message, previous), f"{self._who}: run {message}")
        else:
            check(message == stored, f"{self._who} was told what the journal has as message {number}")
        if number < self._first:
            check(number not in self._older, f"{self._who} was told older messages once each")
            self._older.append(number)
            return
        begins, self._begins = self._begins, False
        if begins and flagged and self.numbers[-1:] == [number]:
            life.counts["messages told again after a crash"] += 1
            return
        self.numbers.append(number)

    def _number(self, handler: str, message: Any) -> int:
        """The message's place in the line; 0 for what has none."""
        if handler != "run_change":
            return int(message.account_sequence)
        check(message in self._boundaries, f"{self._who} was told of run {message}, a boundary of its line")
        return int(self._boundaries[message])
