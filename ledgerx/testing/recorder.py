"""A processor that keeps what it is told, for programs that verify it."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

from ledgerx.api.client import v0_0_1 as api
from ledgerx.sdk.processor import MessageProcessor
from ledgerx.testing.checks import check

__all__ = ["Recorder"]


class Recorder(MessageProcessor):
    """Keeps every sequenced message and report, counts the rest; read from any thread with `changed` held.

    `line` has the messages of the account's line by their number, run changes left out, since a handler
    is told no message of theirs; `acknowledged` has the mid of each ACK on it, in order.
    """

    def __init__(self) -> None:
        self.sequences: list[int] = []
        self.line: dict[int, Any] = {}
        self.acknowledged: list[str] = []
        self.counts: Counter[str] = Counter()
        self.contracts: dict[int, Any] = {}
        self.run_changes: list[tuple[int, int]] = []
        self.reports: dict[str, list[Any]] = {}
        self.errors: list[Exception] = []
        self.changed = threading.Condition()

    def _note(self, kind: str, msg: Any = None) -> None:
        with self.changed:
            self.counts[kind] += 1
            if msg is not None and msg.account_sequence:
                self.sequences.append(msg.account_sequence)
                self.line[msg.account_sequence] = msg
            self.changed.notify_all()

    def wait_for(self, condition: Callable[[], bool], what: str, timeout: float = 20.0) -> None:
        """Wait until what the handlers kept satisfies `condition`; VerificationFailed after `timeout` s."""
        with self.changed:
            check(self.changed.wait_for(condition, timeout), what)

    def saw_run_change(self) -> bool:
        """Whether the exchange was restarted."""
        return bool(self.run_changes)

    def lost(self) -> int:
        """How many numbers of the account's line are missing, doubled or out of order."""
        first = min(self.sequences, default=1)
        expected = range(first, first + len(self.sequences))
        return sum(seen != number for seen, number in zip(self.sequences, expected, strict=True))

    def handle_run_change(self, run_id: int, prev_run_id: int) -> None:
        self.run_changes.append((run_id, prev_run_id))
        if self.sequences:
            self.sequences.append(self.sequences[-1] + 1)  # the change has a number, which is not told
        self._note("run changes")

    def handle_action_report(self, msg: Any, prev_msg: Any) -> None:
        self.reports.setdefault(msg.mid, []).append(msg)
        self._note("fills" if msg.filled_size else "reports", msg)

    def handle_contract_detail(self, msg: Any, prev_msg: Any) -> None:
        self.contracts[msg.contract_id] = msg
        self._note("contracts")

    def handle_status_message(self, msg: Any, prev_msg: Any) -> None:
        if msg.status == api.MessageStatus.STATUS_ACKNOWLEDGED and msg.account_sequence:
            self.acknowledged.append(msg.mid)
        self._note("refusals" if msg.status >= 400 else "statuses", msg)

    def handle_batch_message(self, msg: Any, prev_msg: Any) -> None:
        self._note("batches", msg)

    def handle_book_top(self, msg: Any, prev_msg: Any) -> None:
        self._note("book tops")

    def handle_book_state_snapshot(self, msg: Any, prev_msg: Any) -> None:
        self._note("snapshots")

    def handle_heartbeat(self, msg: Any, prev_msg: Any) -> None:
        self._note("heartbeats")

    def handle_error(self, error: Exception) -> None:
        self.errors.append(error)
        self._note("errors")
