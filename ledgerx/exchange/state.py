"""What the engine knows: accounts, contracts, open orders. Data only; the rules stand beside it.

Every container here is a dict in insertion order or a list, so that walking one gives the same order in
each execution. Order ids grow, so a dict of orders in insertion order is in order of order_id too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from ledgerx.api.client import v0_0_1 as api
from ledgerx.clob import Book
from ledgerx.exchange import journal_pb2
from ledgerx.exchange.encoding import addressee, report_identity, report_terms

__all__ = ["INT64_MAX", "Account", "BookFactory", "Contract", "Entry", "Holding", "OpenOrder", "State"]

INT64_MAX: Final = 2**63 - 1

BookFactory = Callable[[], Book]
"""Makes an empty book: `Book`, or anything with its interface."""


class Holding:
    """One account's trades and open orders in one contract, in lots and cents."""

    __slots__ = ("bought_size", "cash_in_cents", "open_size", "sold_size")

    def __init__(self) -> None:
        self.bought_size = 0
        self.sold_size = 0
        self.cash_in_cents = 0  # price x lots; sales add, purchases take
        self.open_size = [0, 0]  # of the resting bids, of the resting asks: indexed by is_ask

    @property
    def position(self) -> int:
        """Bought less sold."""
        return self.bought_size - self.sold_size

    def trade(self, is_ask: bool, size: int, price: int) -> None:
        """Books one fill of this account."""
        if is_ask:
            self.sold_size += size
            self.cash_in_cents += size * price
        else:
            self.bought_size += size
            self.cash_in_cents -= size * price


class Account:
    """A trader. `head` is the last sequence number of its line, 0 at first.

    `rate_debt` is what its token bucket lacks, in billionths of a request, as of `rate_time` (ns).
    `entries` finds open orders by mid, `quotes` the standing quote of a contract.
    """

    __slots__ = (
        "active",
        "addressee",
        "cid",
        "entries",
        "head",
        "holdings",
        "mpid",
        "name",
        "orders",
        "public_key",
        "quotes",
        "rate_debt",
        "rate_time",
    )

    def __init__(self, cid: int, mpid: int, name: str, public_key: str) -> None:
        self.cid = cid
        self.mpid = mpid
        self.name = name
        self.public_key = public_key
        self.addressee = addressee(cid, mpid)  # encoded once for all messages to it
        self.active = True
        self.head = 0
        self.rate_debt = 0
        self.rate_time = 0
        self.holdings: dict[int, Holding] = {}
        self.orders: dict[int, OpenOrder] = {}
        self.entries: dict[bytes, Entry] = {}
        self.quotes: dict[int, Entry] = {}

    def __repr__(self) -> str:
        return f"<Account cid={self.cid} name={self.name!r} active={self.active} head={self.head}>"

    def holding(self, contract_id: int) -> Holding:
        """What the account has in a contract, made if it has nothing yet."""
        holding = self.holdings.get(contract_id)
        if holding is None:
            holding = self.holdings[contract_id] = Holding()
        return holding


class Contract:
    """A contract with its book. `top` is the book top last published: bid, its size, ask, its size."""

    __slots__ = (
        "book",
        "contract_id",
        "detail",
        "expiry",
        "label",
        "max_price",
        "max_size",
        "min_price",
        "min_size",
        "orders",
        "state",
        "tick",
        "top",
        "top_topic",
        "trade_topic",
        "update_topic",
    )

    def __init__(self, detail: api.MessageContractDetail, book: Book) -> None:
        self.contract_id = detail.contract_id
        self.book = book
        self.orders: dict[int, OpenOrder] = {}
        self.top = (0, 0, 0, 0)
        self.update_topic = f"book_update.{self.contract_id}"
        self.trade_topic = f"trade.{self.contract_id}"
        self.top_topic = f"book_top.{self.contract_id}"
        self.describe(detail)

    def describe(self, detail: api.MessageContractDetail) -> None:
        """Takes over a new detail of the same contract."""
        self.detail = detail
        self.label = detail.label
        self.expiry = detail.expiry
        self.tick = max(detail.tick_in_cents, 1)
        self.min_size = max(detail.min_size, 1)
        self.max_size = detail.max_size
        self.min_price = detail.min_price_in_cents
        self.max_price = detail.max_price_in_cents
        self.state = detail.state


class Entry:
    """What one mid placed: an order, or a quote's two sides. `live` counts the sides not closed yet.

    `orders` are those that rest in the book.
    """

    __slots__ = ("contract_id", "is_quote", "key", "live", "mid", "orders")

    def __init__(self, mid: str, contract_id: int, key: bytes, live: int, is_quote: bool) -> None:
        self.mid = mid
        self.contract_id = contract_id
        self.key = key
        self.live = live
        self.is_quote = is_quote
        self.orders: list[OpenOrder] = []


class OpenOrder:
    """An order being worked or resting. `original_size` is its total, what is filled included.

    `identity` and `terms` are the parts of its reports that seldom change, encoded once.
    """

    __slots__ = (
        "account",
        "contract",
        "entry",
        "holding",
        "identity",
        "is_ask",
        "open_size",
        "order_id",
        "original_size",
        "post_only",
        "price",
        "terms",
    )

    def __init__(
        self,
        account: Account,
        contract: Contract,
        entry: Entry,
        order_id: int,
        is_ask: bool,
        price: int,
        size: int,
        post_only: bool = False,
    ) -> None:
        self.account = account
        self.contract = contract
        self.entry = entry
        self.holding = account.holding(contract.contract_id)
        self.order_id = order_id
        self.is_ask = is_ask
        self.open_size = size
        self.post_only = post_only
        self.identity = report_identity(order_id, contract.contract_id, is_ask)
        self.set_terms(price, size)

    def set_terms(self, price: int, original_size: int) -> None:
        """Gives the order its price and its total size."""
        self.price = price
        self.original_size = original_size
        self.terms = report_terms(original_size, price)


class State:
    """The venue's state apart from lines and mids. `limits` are those of the present run."""

    __slots__ = ("accounts", "contracts", "limits", "order_id", "trade_id")

    def __init__(self) -> None:
        self.accounts: dict[int, Account] = {}
        self.contracts: dict[int, Contract] = {}
        self.limits = journal_pb2.Limits()
        self.order_id = 0  # the last one given
        self.trade_id = 0
