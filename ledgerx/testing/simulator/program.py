"""The trading program of a simulated client: keeps all it is told, and raises where chance says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ledgerx.sdk.processor import MessageProcessor
from ledgerx.testing.simulator.mortal import ProcessCrash

if TYPE_CHECKING:
    from ledgerx.testing.simulator.client import Life

__all__ = ["HandlerFailed", "Program"]


class HandlerFailed(Exception):
    """A handler's own mistake."""


class Program(MessageProcessor):
    """`told` has every call about the account, in order: the handler's name and its arguments."""

    def __init__(self, life: Life, raise_rate: float, react_rate: float) -> None:
        self.told: list[tuple[str, Any, Any]] = []
        self.flagged: set[int] = set()  # which of them came with `redelivered`
        self.errors: list[Exception] = []
        self.offline = 0
        self._life = life
        self._raise_rate = raise_rate
        self._react_rate = react_rate

    def _tell(self, name: str, first: Any, second: Any) -> None:
        if self._life.dispatcher.redelivered:
            self.flagged.add(len(self.told))
        self.told.append((name, first, second))
        if self._life.running and self._life.draw.random() < self._react_rate:
            self._life.counts["requests from handlers"] += 1
            self._life.submit(self._life.strategy.request(self._life.sent))
        if self._raise_rate and self._life.draw.random() < self._raise_rate:
            self._life.counts["handlers that raised"] += 1
            raise HandlerFailed(name)

    def handle_run_change(self, run_id: int, prev_run_id: int) -> None:
        self._life.counts["run changes"] += 1
        self._tell("run_change", run_id, prev_run_id)

    def handle_action_report(self, msg: Any, prev_msg: Any) -> None:
        self._tell("action_report", msg, prev_msg)

    def handle_contract_detail(self, msg: Any, prev_msg: Any) -> None:
        self._tell("contract_detail", msg, prev_msg)

    def handle_status_message(self, msg: Any, prev_msg: Any) -> None:
        self._tell("status", msg, prev_msg)

    def handle_batch_message(self, msg: Any, prev_msg: Any) -> None:
        self._tell("batch", msg, prev_msg)

    def handle_book_top(self, msg: Any, prev_msg: Any) -> None:
        self._life.counts["book tops"] += 1

    def handle_book_state_snapshot(self, msg: Any, prev_msg: Any) -> None:
        self._tell("book_state_snapshot", msg, prev_msg)

    def handle_heartbeat(self, msg: Any, prev_msg: Any) -> None:
        self._life.counts["heartbeats"] += 1

    def handle_position(self, msg: Any, prev_msg: Any) -> None:
        self._tell("position", msg, prev_msg)

    def handle_exchange_offline(self) -> None:
        self._life.counts["exchange offline"] += 1

    def handle_error(self, error: Exception) -> None:
        if "numbers start anew" in str(error) and self._life.venue_lost_data():
            self._life.counts["baselines taken anew"] += 1
            self.told.append(("baseline", None, None))
        elif not isinstance(error, HandlerFailed) and not isinstance(error.__cause__, ProcessCrash):
            self.errors.append(error)
