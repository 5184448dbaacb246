"""The journal as the checks read it: each account's line, what was executed in which order, the trades."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from ledgerx.api.client import v0_0_1 as api
from ledgerx.exchange.journal_pb2 import Record
from ledgerx.protocol.wire import decode_message

__all__ = ["Ledger"]


class Ledger:
    """Every record, decoded once.

    `lines[cid]` is the account's line from number 1 on. `requests[cid]` are the mids of requests in the
    order of execution, `members[cid]` those that came inside batches. `acks[cid]` counts the
    acknowledgements of each mid. `trades` has the public trades by trade_id. `runs` counts run starts.
    """

    def __init__(self, records: Iterable[Record]) -> None:
        self.lines: dict[int, list[Any]] = {}
        self.requests: dict[int, list[str]] = {}
        self.members: dict[int, list[str]] = {}
        self.acks: dict[int, Counter[str]] = {}
        self.trades: dict[int, list[Any]] = {}
        self.statuses: Counter[int] = Counter()
        self.records = 0
        self.runs = 0
        for record in records:
            self._add(record)

    def line(self, cid: int) -> list[Any]:
        """One account's line."""
        return self.lines.get(cid, [])

    def reports(self, cid: int) -> list[Any]:
        """The action reports in one account's line."""
        return [message for message in self.line(cid) if isinstance(message, api.MessageActionReport)]

    def _add(self, record: Record) -> None:
        self.records += 1
        self.runs += record.input.HasField("run_start")
        if record.input.HasField("request"):
            self._request(record.input.request.cid, decode_message(record.input.request.message))
        for output in record.outputs:
            message = decode_message(output.message)
            if output.cid:
                self.lines.setdefault(output.cid, []).append(message)
                self._count_acks(output.cid, message)
            elif output.topic.startswith("trade."):
                self.trades.setdefault(message.trade_id, []).append(message)

    def _request(self, cid: int, request: Any) -> None:
        self.requests.setdefault(cid, []).append(request.mid)
        if isinstance(request, api.MessageBatch):
            for member in request.requests:
                inside = getattr(member, member.WhichOneof("kind"))
                self.members.setdefault(cid, []).append(inside.mid)

    def _count_acks(self, cid: int, message: Any) -> None:
        acks = self.acks.setdefault(cid, Counter())
        if isinstance(message, api.MessageBatch):
            acks.update(status.mid for status in message.messages)
        elif isinstance(message, api.MessageStatus):
            self.statuses[message.status] += 1
            if message.status == api.MessageStatus.STATUS_ACKNOWLEDGED:
                acks[message.mid] += 1
