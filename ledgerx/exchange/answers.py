"""Answers to the Get* requests: they read the state and change nothing, so none has a sequence number.

Each says with `as_of` at which point of the account's line it is true. Every answer carries the read's own
mid, by which the client routes it. That leaves no room for an order's mid in an answer to
MessageGetOpenOrders: there the report's `request_mid` is the order's mid.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from ledgerx.api.client import v0_0_1 as api
from ledgerx.api.client.v0_0_1 import MessageActionReport, MessageStatus
from ledgerx.exchange.encoding import book_order
from ledgerx.exchange.lines import ACKNOWLEDGED_TEXT, Lines
from ledgerx.exchange.refusals import Refused
from ledgerx.exchange.state import INT64_MAX, Account, Contract, OpenOrder, State
from ledgerx.exchange.validation import check_expires, check_version, find_contract, require
from ledgerx.protocol.wire import FRAME_BYTES_MAX, AnyMessage

__all__ = ["READ_KINDS", "SNAPSHOT_BYTES_MAX", "Answers"]

READ_KINDS: Final = ("get_contract", "get_book_state", "get_open_orders", "get_positions")
"""The kinds of request that are answered from the state as it is, by their names in the envelope."""


SNAPSHOT_BYTES_MAX: Final = FRAME_BYTES_MAX - 1024  # beside the fields it shares, and the envelopes


class Answers:
    """Answers reads from `state`; run id and topic heads come from `lines`.

    A book whose snapshot has more than `snapshot_bytes_max` is not told: no client could take its frame.
    """

    def __init__(self, state: State, lines: Lines, *, snapshot_bytes_max: int = SNAPSHOT_BYTES_MAX) -> None:
        self._state = state
        self._lines = lines
        self._snapshot_bytes_max = snapshot_bytes_max
        self._last_asked = (0, 0, 0, 0)
        self._last_orders = b""
        self._readers: dict[str, Callable[[Account, Any], list[Any]]] = {
            "get_contract": self._contracts,
            "get_book_state": self._book_state,
            "get_open_orders": self._open_orders,
            "get_positions": self._positions,
        }

    def answer(
        self, account: Account, kind: str, request: Any, time: int, version: str, expires: int
    ) -> list[AnyMessage]:
        """All that follows the ACK, `remaining` counting down to 0; a refusal is a status alone."""
        try:
            check_version(version)
            check_expires(expires, time)
            messages = self._readers[kind](account, request)
        except Refused as refused:
            return self.refusal(account, request.mid, time, refused)
        for index, message in enumerate(messages):
            self._stamp(message, account, request.mid, time, len(messages) - 1 - index)
        return messages

    def refusal(self, account: Account, mid: str, time: int, refused: Refused) -> list[AnyMessage]:
        """The status that ends a read which is refused."""
        status = MessageStatus(status=refused.status, message=refused.message, field=refused.field)
        self._stamp(status, account, mid, time, 0)
        return [status]

    def acknowledgement(self, account: Account, mid: str, time: int, remaining: int) -> MessageStatus:
        """An ACK without a sequence number, after which `remaining` more messages come."""
        status = MessageStatus(status=MessageStatus.STATUS_ACKNOWLEDGED, message=ACKNOWLEDGED_TEXT)
        self._stamp(status, account, mid, time, remaining)
        return status

    def _stamp(self, message: Any, account: Account, mid: str, time: int, remaining: int) -> None:
        message.mid = mid
        message.mversion = api.VERSION
        message.run_id = self._lines.run_id
        message.timestamp = time
        message.cid = account.cid
        message.mpid = account.mpid
        message.as_of = account.head
        message.remaining = remaining

    # ------------------------------------------------------------------ one reader a kind

    def _contracts(self, account: Account, request: api.MessageGetContract) -> list[Any]:
        if request.all_contracts:
            details: list[Any] = [_detail(contract) for contract in self._state.contracts.values()]
            return details or [_complete("this venue has no contract yet")]
        if not request.HasField("contract_id"):
            raise Refused(
                MessageStatus.STATUS_MALFORMED,
                "contract_id",
                "contract_id is missing: name one contract, or ask for all_contracts",
            )
        return [_detail(find_contract(self._state, request.contract_id))]

    def _book_state(self, account: Account, request: api.MessageGetBookState) -> list[Any]:
        require(request, "contract_id")
        contract = find_contract(self._state, request.contract_id)
        snapshot = api.MessageBookStateSnapshot(
            contract_id=contract.contract_id,
            sequence=self._lines.topics[contract.update_topic],
            checksum=contract.book.checksum(),
        )
        snapshot.MergeFromString(self._orders_of(account, contract))
        if snapshot.ByteSize() > self._snapshot_bytes_max:
            raise Refused(
                MessageStatus.STATUS_VENUE_ERROR,
                "",
                f"the book of {contract.label} has {len(snapshot.orders)} orders, more than a frame can "
                "carry: get_open_orders lists your own",
            )
        return [snapshot]

    def _orders_of(self, account: Account, contract: Contract) -> bytes:
        """The `orders` of a snapshot, kept until the book changes.

        Two hundred reads of a great book in one batch must not keep the venue from everybody else.
        """
        lines = self._lines
        asked = (account.cid, contract.contract_id, lines.run_id, lines.topics[contract.update_topic])
        if asked != self._last_asked:
            own = account.orders
            self._last_orders = b"".join(
                [
                    book_order(*order, own[order.order_id].entry.mid if order.order_id in own else "")
                    for order in contract.book.snapshot()
                ]
            )
            self._last_asked = asked
        return self._last_orders

    def _open_orders(self, account: Account, request: api.MessageGetOpenOrders) -> list[Any]:
        orders = list(account.orders.values())
        if request.HasField("contract_id"):
            contract = find_contract(self._state, request.contract_id)
            orders = [order for order in orders if order.contract is contract]
        return [*map(_open_order, orders), _complete(f"{len(orders)} open order(s)")]

    def _positions(self, account: Account, request: api.MessageGetPositions) -> list[Any]:
        positions = [
            api.MessagePosition(
                contract_id=contract_id,
                size=_int64(holding.position),
                bought_size=_int64(holding.bought_size),
                sold_size=_int64(holding.sold_size),
                cash_in_cents=_int64(holding.cash_in_cents),
            )
            for contract_id, holding in sorted(account.holdings.items())
            if holding.bought_size or holding.sold_size
        ]
        return [*positions, _complete(f"positions in {len(positions)} contract(s)")]


def _complete(text: str) -> MessageStatus:
    return MessageStatus(status=MessageStatus.STATUS_COMPLETE, message=text)


def _detail(contract: Contract) -> api.MessageContractDetail:
    detail = api.MessageContractDetail()
    detail.CopyFrom(contract.detail)
    detail.state = contract.state
    return detail


def _open_order(order: OpenOrder) -> MessageActionReport:
    return MessageActionReport(
        request_mid=order.entry.mid,
        order_id=order.order_id,
        contract_id=order.contract.contract_id,
        is_ask=order.is_ask,
        status_type=MessageActionReport.STATUS_INSERTED,
        size=order.open_size,
        original_size=order.original_size,
        price_in_cents=order.price,
        inserted_size=order.open_size,
    )


def _int64(number: int) -> int:
    """What the field can hold: the engine counts exactly, however much is traded."""
    return max(-INT64_MAX - 1, min(number, INT64_MAX))
