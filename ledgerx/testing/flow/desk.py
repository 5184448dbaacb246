"""One account of the flow: its Context, its processor, and the questions it asks before the day starts."""

from __future__ import annotations

import threading
from typing import Any

from ledgerx.api.client import v0_0_1 as api
from ledgerx.errors import Error, InvalidState, OutcomeUnknown
from ledgerx.protocol.crypto import KeyPair
from ledgerx.sdk.commands import get_cmd_version
from ledgerx.sdk.context import Context
from ledgerx.sdk.processor import MessageProcessor
from ledgerx.sdk.states import State
from ledgerx.testing.flow.tally import Tally

__all__ = ["ANSWER_TIMEOUT_S", "Desk"]

ANSWER_TIMEOUT_S = 30.0
"""How long the flow waits for any one answer before it gives up."""

_VERSION = "0.0.1"


class _Processor(MessageProcessor):
    """Passes on what the tally wants to see."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self.run_changed = threading.Event()

    def handle_action_report(self, msg: Any, prev_msg: Any) -> None:
        self._tally.reported(msg)

    def handle_status_message(self, msg: Any, prev_msg: Any) -> None:
        self._tally.answered(msg)

    def handle_run_change(self, run_id: int, prev_run_id: int) -> None:
        self.run_changed.set()

    def handle_handshake_failed(self, reason: Error) -> None:
        pass  # wait_connected raises it

    def handle_contract_detail(self, msg: Any, prev_msg: Any) -> None:
        pass

    def handle_batch_message(self, msg: Any, prev_msg: Any) -> None:
        pass

    def handle_book_top(self, msg: Any, prev_msg: Any) -> None:
        pass

    def handle_book_state_snapshot(self, msg: Any, prev_msg: Any) -> None:
        pass

    def handle_heartbeat(self, msg: Any, prev_msg: Any) -> None:
        pass


class Desk:
    """A trader's connection to the venue at `host` (HOST:PORT for another request port than the default)."""

    def __init__(self, host: str, server_public_key: bytes | str, keys: KeyPair, tally: Tally) -> None:
        commands = get_cmd_version(_VERSION)
        assert commands is not None
        self._processor = _Processor(tally)
        self.context = Context(host, keys.private or b"", keys.public, server_public_key, self._processor)
        self.commands: Any = commands.Commands(self.context)

    def start(self) -> None:
        """Begins to connect."""
        self.context.start()
        self.context.unsubscribe("book_top")

    def wait_connected(self) -> None:
        """Waits for the venue. Raises what keeps it from answering, as `Context.wait_connected` does."""
        self.context.wait_connected()

    def stop(self) -> None:
        """Ends the connection."""
        self.context.stop()

    def join(self) -> None:
        """Waits until it has ended."""
        self.context.join(ANSWER_TIMEOUT_S)

    def contracts(self) -> list[api.MessageContractDetail]:
        """Every contract of the venue."""
        answers = self._ask(self.commands.get_contract(all_contracts=True))
        return [answer for answer in answers if isinstance(answer, api.MessageContractDetail)]

    def book_orders(self, contract_id: int) -> int:
        """How many orders rest in a contract."""
        answers = self._ask(self.commands.get_book_state(contract_id=contract_id))
        return sum(len(answer.orders) for answer in answers if hasattr(answer, "orders"))

    def send(self, messages: list[Any]) -> Any:
        """Sends a batch without waiting; returns its item."""
        item, _ = self.commands.batch(messages=messages, wait=False)
        return item

    def acknowledged(self, item: Any) -> None:
        """Waits until the venue has carried out a batch. Raises OutcomeUnknown."""
        if not item.wait(State.ACKNOWLEDGED, ANSWER_TIMEOUT_S):
            raise OutcomeUnknown(f"no acknowledgement of {item!r} in {ANSWER_TIMEOUT_S:g} s")

    def check_run(self) -> None:
        """Raises InvalidState if the venue was restarted: the flow's orders went with its book."""
        if self._processor.run_changed.is_set():
            raise InvalidState("the venue was restarted in the middle of the day: its book is gone")

    def cancel_all(self, contract_id: int, timeout_s: float = ANSWER_TIMEOUT_S) -> None:
        """Cancels what the account has left; on return every report before has been dispatched."""
        message = api.MessageCancelAll(contract_id=contract_id)
        self._ask(self.context.submit(message, wait=False), timeout_s)

    def _ask(self, item: Any, timeout_s: float = ANSWER_TIMEOUT_S) -> list[Any]:
        if not item.wait(State.DONE, timeout_s):
            raise OutcomeUnknown(f"no answer to {item!r} in {timeout_s:g} s")
        return list(item.answers)
