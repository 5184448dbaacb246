"""The class a trading program subclasses: what is called when the exchange says something.

Every method runs on the Context's dispatch thread, one at a time and in the order of the account's
sequence. A method that takes long delays the next call and nothing else; one that raises is reported
to `handle_error`, and the next message follows.
"""

from __future__ import annotations

import logging
import sys
import threading
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from ledgerx.errors import Error

if TYPE_CHECKING:
    from ledgerx.sdk.context import Context

__all__ = ["MessageProcessor"]

logger = logging.getLogger("ledgerx.sdk")


def _is_heard(source: logging.Logger) -> bool:
    """Whether anything but a NullHandler hears what is logged here."""
    current: logging.Logger | None = source
    while current is not None:
        if any(not isinstance(handler, logging.NullHandler) for handler in current.handlers):
            return True
        current = current.parent if current.propagate else None
    return False


class MessageProcessor(ABC):
    """Handlers of messages and of events (manual, "Message Processing").

    `msg` is the message just received. `prev_msg` is the one before it with the same message ID: for a
    status, a batch or the answer to a question the request; for an action report first the request,
    then the report before; None for heartbeats, for public messages, and for what another context of the
    same account caused.
    """

    #: The Context that calls this processor, once it was started.
    context: Context | None = None

    @abstractmethod
    def handle_run_change(self, run_id: int, prev_run_id: int) -> None:
        """The exchange was restarted: the orders of the old run are canceled.

        Called once a boundary, after the cancel reports of the old run's orders.
        """

    @abstractmethod
    def handle_action_report(self, msg: Any, prev_msg: Any) -> None:
        """Something happened to an order of this account: a MessageActionReport."""

    @abstractmethod
    def handle_contract_detail(self, msg: Any, prev_msg: Any) -> None:
        """One contract, as asked for: a MessageContractDetail."""

    @abstractmethod
    def handle_status_message(self, msg: Any, prev_msg: Any) -> None:
        """An acknowledgement (300), an acceptance (200) or a refusal (400 and more): a MessageStatus."""

    @abstractmethod
    def handle_batch_message(self, msg: Any, prev_msg: Any) -> None:
        """The acknowledgements of a batch's members, in `msg.messages`: a MessageBatch."""

    @abstractmethod
    def handle_book_top(self, msg: Any, prev_msg: Any) -> None:
        """The best prices of a contract changed: a MessageBookTop."""

    @abstractmethod
    def handle_book_state_snapshot(self, msg: Any, prev_msg: Any) -> None:
        """All resting orders of a contract, as asked for: a MessageBookStateSnapshot."""

    @abstractmethod
    def handle_heartbeat(self, msg: Any, prev_msg: Any) -> None:
        """The exchange is alive; the next one comes within `msg.interval_ms`: a MessageHeartbeat."""

    def handle_connected(self) -> None:
        """The exchange answered: requests flow."""

    def handle_disconnected(self, reason: Error) -> None:
        """The connection is gone; the Context makes another. Nothing that was sent is lost."""

    def handle_handshake_failed(self, reason: Error) -> None:
        """The exchange refused the connection: a leaf of HandshakeFailed says whose key it was.

        The Context goes on trying, since an account may be registered later.
        """
        self.handle_error(reason)

    def handle_exchange_offline(self) -> None:
        """No sign of life for the heartbeat interval and its grace. Called once."""

    def handle_exchange_online(self) -> None:
        """The exchange is back after `handle_exchange_offline`."""

    def handle_error(self, error: Exception) -> None:
        """Something went wrong that has no other handler; a handler that raised is one such case.

        Logs it on "ledgerx.sdk"; where no log handler is set, gives it to `threading.excepthook`.
        """
        if _is_heard(logger):
            logger.error("%s: %s", type(error).__name__, error, exc_info=error)
            return
        arguments = (type(error), error, error.__traceback__, threading.current_thread())
        threading.excepthook(threading.ExceptHookArgs(arguments))
        sys.stderr.flush()

    def handle_trade(self, msg: Any, prev_msg: Any) -> None:
        """A trade on a contract subscribed to: a MessageTrade."""

    def handle_book_update(self, msg: Any, prev_msg: Any) -> None:
        """One change of a book subscribed to: a MessageBookUpdate."""

    def handle_position(self, msg: Any, prev_msg: Any) -> None:
        """The account's position in one contract, as asked for: a MessagePosition."""
