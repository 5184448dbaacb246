"""The accounts' lines and the feed's topics: gives each message its place, its number and its bytes.

Nothing is decided here. An account's line is numbered from 1 without holes over all runs, a topic from 1
in each run. What is collected between `begin` and `take` are the outputs of one input.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Final, NamedTuple

from ledgerx.api.client import v0_0_1 as api
from ledgerx.api.client.v0_0_1 import MessageBatch, MessageRunChange, MessageStatus
from ledgerx.exchange.encoding import (
    encode,
    encode_book_top,
    encode_book_update,
    encode_report,
    encode_status,
    encode_trade,
    stamp,
    status_body,
)
from ledgerx.exchange.state import Account, Contract, OpenOrder

__all__ = ["ACKNOWLEDGED_TEXT", "RUN_CHANGE_TOPIC", "Lines", "Output"]

_LOGGER = logging.getLogger(__name__)

ACKNOWLEDGED_TEXT: Final = "acknowledged"
RUN_CHANGE_TOPIC: Final = "run_change.0"

_VERSION = api.VERSION
_ACKNOWLEDGED = status_body(1, MessageStatus.STATUS_ACKNOWLEDGED, ACKNOWLEDGED_TEXT)
_ACCEPTED = status_body(1, MessageStatus.STATUS_ORDER_SUCCESS, "order accepted")


class Output(NamedTuple):
    """One message as it leaves: to an account's line, or (cid 0) to a topic of the public feed."""

    cid: int
    topic: str
    sequence: int
    message: bytes


class Lines:
    """Collects the outputs of one input at a time; `topics` holds each topic's last number."""

    def __init__(self) -> None:
        self.run_id = 0
        self.time = 0
        self.topics: dict[str, int] = {RUN_CHANGE_TOPIC: 0}
        self._outputs: list[Output] = []
        self._stamp = b""
        self._touched: dict[int, Contract] = {}

    def begin(self, time: int) -> None:
        """Starts the outputs of an input at engine time `time`."""
        self.time = time
        self._outputs = []
        self._stamp = stamp(self.run_id, time)

    def take(self) -> list[Output]:
        """The outputs since `begin`, the changed book tops last."""
        self.publish_tops()
        return self._outputs

    # ------------------------------------------------------------------ an account's line

    def status(
        self, account: Account, mid: str, status: int, message: str, *, field: str = "", remaining: int = 0
    ) -> None:
        """A status in the account's line."""
        self._status(account, mid, status_body(remaining, status, message, field))

    def acknowledge(self, account: Account, mid: str) -> None:
        """The first answer to every request that changes state."""
        self._status(account, mid, _ACKNOWLEDGED)

    def accept(self, account: Account, mid: str) -> None:
        """The status of an order that passed every check."""
        self._status(account, mid, _ACCEPTED)

    def _status(self, account: Account, mid: str, body: bytes) -> None:
        account.head = head = account.head + 1
        data = encode_status(mid, self._stamp, account.addressee, head, body)
        self._outputs.append(Output(account.cid, "", head, data))

    def report(self, order: OpenOrder, status_type: int, request_mid: str, action: bytes = b"") -> None:
        """What happened to an order, in its owner's line; `order` is as it stands after that.

        `action` is made by the report_ functions of `encoding`.
        """
        account, entry = order.account, order.entry
        account.head = head = account.head + 1
        data = encode_report(
            entry.mid,
            self._stamp,
            account.addressee,
            head,
            entry.live > 0,
            request_mid,
            order.identity,
            status_type,
            order.open_size,
            order.terms,
            action,
        )
        self._outputs.append(Output(account.cid, "", head, data))

    def reserve(self, account: Account) -> tuple[int, int]:
        """Keeps the next place in the account's line for `batch`, which can be built only later."""
        account.head += 1
        self._outputs.append(Output(account.cid, "", account.head, b""))
        return len(self._outputs) - 1, account.head

    def batch(
        self, account: Account, place: tuple[int, int], mid: str, messages: list[MessageStatus]
    ) -> None:
        """The members' acknowledgements, at the place reserved for them."""
        index, sequence = place
        batch = MessageBatch(
            mid=mid,
            mversion=_VERSION,
            run_id=self.run_id,
            timestamp=self.time,
            cid=account.cid,
            mpid=account.mpid,
            account_sequence=sequence,
            messages=messages,
        )
        self._outputs[index] = Output(account.cid, "", sequence, encode(batch))

    def run_change(self, account: Account, run_id: int) -> None:
        """The boundary between the present run and `run_id`, in the account's line."""
        account.head += 1
        change = MessageRunChange(
            mversion=_VERSION,
            run_id=run_id,
            timestamp=self.time,
            cid=account.cid,
            mpid=account.mpid,
            account_sequence=account.head,
            prev_run_id=self.run_id,
        )
        self._outputs.append(Output(account.cid, "", account.head, encode(change)))

    # ------------------------------------------------------------------ the public feed

    def add_contract(self, contract: Contract) -> None:
        """Opens the contract's topics."""
        for topic in (contract.top_topic, contract.update_topic, contract.trade_topic):
            self.topics.setdefault(topic, 0)

    def start_run(self, run_id: int) -> None:
        """Numbers every topic from 1 again and tells the feed of the new run."""
        previous, self.run_id = self.run_id, run_id
        self._stamp = stamp(run_id, self.time)
        for topic in self.topics:
            self.topics[topic] = 0
        sequence = self._next(RUN_CHANGE_TOPIC)
        change = MessageRunChange(
            mversion=_VERSION, run_id=run_id, timestamp=self.time, prev_run_id=previous, sequence=sequence
        )
        self._outputs.append(Output(0, RUN_CHANGE_TOPIC, sequence, encode(change)))

    def book_update(self, order: OpenOrder, action: int, size: int) -> None:
        """A change of the book; `size` is what is left of the order."""
        contract = order.contract
        self._touched[contract.contract_id] = contract
        sequence = self._next(contract.update_topic)
        data = encode_book_update(
            self._stamp,
            contract.contract_id,
            sequence,
            action,
            order.order_id,
            order.is_ask,
            order.price,
            size,
        )
        self._outputs.append(Output(0, contract.update_topic, sequence, data))

    def trade(self, resting: OpenOrder, price: int, size: int, trade_id: int) -> None:
        """A trade, after the update of the book that it caused."""
        contract = resting.contract
        sequence = self._next(contract.trade_topic)
        data = encode_trade(
            self._stamp,
            contract.contract_id,
            sequence,
            trade_id,
            price,
            size,
            not resting.is_ask,
            resting.order_id,
            self.topics[contract.update_topic],
        )
        self._outputs.append(Output(0, contract.trade_topic, sequence, data))

    def publish_tops(self) -> None:
        """The top of each book whose top is not the one last published."""
        if self._touched:
            touched, self._touched = self._touched, {}
            for contract in touched.values():
                try:
                    self._publish_top(contract)
                except Exception:
                    # What the input did stands and is told; the top is, with the next input.
                    _LOGGER.exception("the top of the book of contract %s failed", contract.contract_id)
                    self._touched[contract.contract_id] = contract

    def due_tops(self) -> list[int]:
        """The contracts whose top is still to be published, because reading it failed."""
        return list(self._touched)

    def restore_due(self, contracts: Iterable[Contract]) -> None:
        """The same, of a snapshot."""
        self._touched = {contract.contract_id: contract for contract in contracts}

    def _publish_top(self, contract: Contract) -> None:
        bid, ask = contract.book.best(False), contract.book.best(True)
        top = (*(bid[:2] if bid else (0, 0)), *(ask[:2] if ask else (0, 0)))
        if top == contract.top:
            return
        contract.top = top
        sequence = self._next(contract.top_topic)
        data = encode_book_top(self._stamp, contract.contract_id, sequence, top)
        self._outputs.append(Output(0, contract.top_topic, sequence, data))

    def _next(self, topic: str) -> int:
        sequence = self.topics[topic] = self.topics[topic] + 1
        return sequence
