"""An engine with accounts and a contract, requests in one line, and outputs that read well in a test."""

from __future__ import annotations

from typing import Any

from ledgerx.api.client import v0_0_1 as api
from ledgerx.clob import Book
from ledgerx.exchange import journal_pb2 as journal
from ledgerx.exchange.engine import Engine, Execution, default_limits
from ledgerx.exchange.state import BookFactory
from ledgerx.protocol.wire import decode_message, encode_message, envelope

NOW = 1_790_000_000 * 10**9
SECOND = 10**9
ALICE, BOB, CAROL = 1, 2, 3
CONTRACT = 7

Status = api.MessageStatus
Report = api.MessageActionReport
Update = api.MessageBookUpdate


def mid(number: int) -> str:
    """A mid that a person can tell from another."""
    return f"{number:032x}"


def contract_detail(contract_id: int = CONTRACT, **fields: Any) -> api.MessageContractDetail:
    given = {
        "label": f"BTC Future {contract_id}",
        "underlying": "BTC",
        "tick_in_cents": 5,
        "multiplier": 10_000,
        "min_size": 1,
        "max_size": 1000,
        "min_price_in_cents": 5,
        "max_price_in_cents": 100_000,
    }
    return api.MessageContractDetail(**{"contract_id": contract_id, **given, **fields})


class Result:
    """What one input caused, decoded."""

    def __init__(self, execution: Execution) -> None:
        self.number = execution.number
        self.outputs = execution.outputs
        self.answers = [decode_message(data) for data in execution.answers]

    def line(self, cid: int) -> list[Any]:
        """The messages in an account's line."""
        return [decode_message(o.message) for o in self.outputs if o.cid == cid]

    def topic(self, topic: str) -> list[Any]:
        """The messages on a topic of the feed."""
        return [decode_message(o.message) for o in self.outputs if o.topic == topic]

    def feed(self) -> list[Any]:
        """All messages of the feed."""
        return [decode_message(o.message) for o in self.outputs if not o.cid]

    def told(self, cid: int) -> list[tuple[Any, ...]]:
        """An account's line in short."""
        return [brief(message) for message in self.line(cid)]

    def updates(self, contract_id: int = CONTRACT) -> list[tuple[str, int, int, int]]:
        """The book updates in short: action, order_id, price, size."""
        return [
            (Update.Action.Name(u.action), u.order_id, u.price_in_cents, u.size)
            for u in self.topic(f"book_update.{contract_id}")
        ]


def brief(message: Any) -> tuple[Any, ...]:
    """A status as (status, remaining), a report as (type, size, what happened, remaining)."""
    if isinstance(message, api.MessageStatus):
        return (Status.Status.Name(message.status).removeprefix("STATUS_"), message.remaining)
    if isinstance(message, api.MessageActionReport):
        done = message.filled_size or message.inserted_size or message.canceled_size
        name = Report.StatusType.Name(message.status_type).removeprefix("STATUS_")
        return (name, message.size, done, message.remaining)
    return (type(message).__name__,)


class Bench:
    """An engine that runs; `limits` are default_limits with the given numbers changed."""

    def __init__(
        self,
        *details: api.MessageContractDetail,
        accounts: int = 3,
        book_factory: BookFactory = Book,
        **limits: int,
    ) -> None:
        self.engine = Engine(book_factory)
        self.inputs: list[journal.Input] = []
        self.executions: list[Execution] = []
        self.time = NOW
        self.mids = 0
        for detail in details or (contract_detail(),):
            self.add_contract(detail)
        self.limits = default_limits()
        for name, number in limits.items():
            setattr(self.limits, name, number)
        self.start_run(1)
        for cid in range(1, accounts + 1):
            self.add_account(cid)

    # ------------------------------------------------------------------ inputs

    def put(self, **kind: Any) -> Result:
        entry = journal.Input(time=self.time, **kind)
        self.inputs.append(entry)
        execution = self.engine.execute(entry)
        self.executions.append(execution)
        return Result(execution)

    def start_run(self, run_id: int) -> Result:
        return self.put(run_start=journal.RunStart(run_id=run_id, venue_id="venue", limits=self.limits))

    def add_account(self, cid: int, name: str = "", public_key: str = "") -> Result:
        added = journal.AccountAdd(
            cid=cid, mpid=cid + 100, name=name or f"account {cid}", public_key=public_key or f"key {cid}"
        )
        return self.put(account_add=added)

    def remove_account(self, cid: int) -> Result:
        return self.put(account_remove=journal.AccountRemove(cid=cid))

    def add_contract(self, detail: api.MessageContractDetail) -> Result:
        return self.put(contract_add=journal.ContractAdd(detail=detail.SerializeToString()))

    def tick(self, time: int) -> Result:
        self.time = time
        return self.put(tick=journal.Tick())

    def send(self, cid: int, message: Any) -> Result:
        """A request as it is; `stamped` gives it mid and timestamp."""
        return self.put(request=journal.Request(cid=cid, message=encode_message(message)))

    def stamped(self, message: Any) -> Any:
        if not message.mid:
            self.mids += 1
            message.mid = mid(self.mids)
        if not message.timestamp:
            message.timestamp = self.time
        return message

    # ------------------------------------------------------------------ requests

    def limit(self, cid: int, size: int, price: int, *, ask: bool = False, **fields: Any) -> Result:
        fields.setdefault("contract_id", CONTRACT)
        order = api.MessageLimitOrder(size=size, price_in_cents=price, is_ask=ask, **fields)
        return self.send(cid, self.stamped(order))

    def market(self, cid: int, size: int, *, ask: bool = False, **fields: Any) -> Result:
        fields.setdefault("contract_id", CONTRACT)
        return self.send(cid, self.stamped(api.MessageMarketOrder(size=size, is_ask=ask, **fields)))

    def quote(
        self, cid: int, bid: tuple[int | None, int], ask: tuple[int | None, int], **fields: Any
    ) -> Result:
        """`bid` and `ask` are price and size."""
        fields.setdefault("contract_id", CONTRACT)
        quote = api.MessageQuote(
            bid_price_in_cents=bid[0],
            bid_size=bid[1],
            ask_price_in_cents=ask[0],
            ask_size=ask[1],
            **fields,
        )
        return self.send(cid, self.stamped(quote))

    def cancel(self, cid: int, entry_id: str, **fields: Any) -> Result:
        fields.setdefault("contract_id", CONTRACT)
        return self.send(cid, self.stamped(api.MessageCancelOrder(entry_id=entry_id, **fields)))

    def cancel_all(self, cid: int, **fields: Any) -> Result:
        return self.send(cid, self.stamped(api.MessageCancelAll(**fields)))

    def replace(self, cid: int, entry_id: str, size: int, price: int, **fields: Any) -> Result:
        fields.setdefault("contract_id", CONTRACT)
        request = api.MessageCancelReplace(entry_id=entry_id, size=size, price_in_cents=price, **fields)
        return self.send(cid, self.stamped(request))

    def batch(self, cid: int, *members: Any, **fields: Any) -> Result:
        wrapped = [m if isinstance(m, api.Message) else envelope(m) for m in members]
        return self.send(cid, self.stamped(api.MessageBatch(requests=wrapped, **fields)))

    def query(self, cid: int, message: Any) -> list[Any]:
        message = self.stamped(message)
        return [decode_message(data) for data in self.engine.query(cid, message, self.time)]

    # ------------------------------------------------------------------ what stands

    @property
    def last_mid(self) -> str:
        return mid(self.mids)

    def book(self, contract_id: int = CONTRACT) -> list[tuple[int, bool, int, int]]:
        return [tuple(order) for order in self.engine.contracts[contract_id].book.snapshot()]

    def position(self, cid: int, contract_id: int = CONTRACT) -> int:
        return self.engine.accounts[cid].holding(contract_id).position
