"""A processor that trades nothing: for a Context that only brings an engine the public feed."""

from __future__ import annotations

from typing import Any

from ledgerx.sdk.processor import MessageProcessor

__all__ = ["Listener"]


class Listener(MessageProcessor):
    """Every handler does nothing; why a connection failed is kept in `failure`."""

    failure: Exception | None = None

    def handle_run_change(self, run_id: int, prev_run_id: int) -> None:
        """Nothing of ours was canceled."""

    def handle_action_report(self, msg: Any, prev_msg: Any) -> None:
        """No order is ours."""

    def handle_contract_detail(self, msg: Any, prev_msg: Any) -> None:
        """Not asked for."""

    def handle_status_message(self, msg: Any, prev_msg: Any) -> None:
        """Nothing was sent."""

    def handle_batch_message(self, msg: Any, prev_msg: Any) -> None:
        """Nothing was sent."""

    def handle_book_top(self, msg: Any, prev_msg: Any) -> None:
        """The feed listens itself."""

    def handle_book_state_snapshot(self, msg: Any, prev_msg: Any) -> None:
        """The books ask themselves."""

    def handle_heartbeat(self, msg: Any, prev_msg: Any) -> None:
        """The Context watches them."""

    def handle_error(self, error: Exception) -> None:
        """Keep it for whoever waits."""
        self.failure = error
