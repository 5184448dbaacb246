"""What a simulated program asks for: requests of every kind, most of them sensible, at random."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from ledgerx.api.client import v0_0_1 as api
from ledgerx.clock import Random
from ledgerx.protocol.wire import AnyMessage

__all__ = ["Strategy"]

_ORDER = api.MessageLimitOrder
_TIMES_IN_FORCE = [_ORDER.GTC, _ORDER.GTC, _ORDER.GTC, _ORDER.IOC, _ORDER.FOK]


class HasMid(Protocol):
    """A request that was sent before."""

    mid: str
    body: Any


class Strategy:
    """Makes requests from a seeded source of numbers."""

    def __init__(self, draw: Random) -> None:
        self._draw = draw
        self._kinds: list[tuple[int, Callable[[Sequence[HasMid]], AnyMessage]]] = [
            (40, self._limit_order),
            (6, self._market_order),
            (10, self._quote),
            (10, self._cancel),
            (10, self._cancel_replace),
            (2, self._cancel_all),
            (6, self._read),
            (2, self._refused),
        ]

    def request(self, sent: Sequence[HasMid]) -> AnyMessage | list[AnyMessage]:
        """The next request, or a batch of them; `sent` are those before, oldest first."""
        chance = self._draw.random()
        if chance < 0.12:
            return [self._single(sent) for _ in range(self._draw.choice([0, 1, 2, 3, 5]))]
        if chance < 0.16:
            return self._replay()
        return self._single(sent)

    def _single(self, sent: Sequence[HasMid]) -> AnyMessage:
        weights = [weight for weight, _ in self._kinds]
        return self._draw.choices(self._kinds, weights)[0][1](sent)

    def _contract(self) -> int:
        return self._draw.choice([1, 1, 1, 2, 3])

    def _price(self) -> int:
        return self._draw.randint(95, 105)

    def _size(self) -> int:
        return self._draw.randint(1, 6)

    def _limit_order(self, _sent: Sequence[HasMid]) -> AnyMessage:
        draw = self._draw
        return api.MessageLimitOrder(
            contract_id=self._contract(),
            size=self._size(),
            price_in_cents=self._price(),
            is_ask=draw.random() < 0.5,
            post_only=draw.random() < 0.1,
            time_in_force=draw.choice(_TIMES_IN_FORCE),
        )

    def _market_order(self, _sent: Sequence[HasMid]) -> AnyMessage:
        return api.MessageMarketOrder(
            contract_id=self._contract(), size=self._size(), is_ask=self._draw.random() < 0.5
        )

    def _quote(self, _sent: Sequence[HasMid]) -> AnyMessage:
        draw = self._draw
        return api.MessageQuote(
            contract_id=self._contract(),
            bid_price_in_cents=draw.randint(95, 99),
            bid_size=draw.randint(0, 5),
            ask_price_in_cents=draw.randint(101, 105),
            ask_size=draw.randint(0, 5),
        )

    def _earlier(self, sent: Sequence[HasMid]) -> dict[str, Any]:
        orders = [one for one in sent[-30:] if isinstance(one.body, api.MessageLimitOrder | api.MessageQuote)]
        if not orders:
            return {"contract_id": 1, "entry_id": "0" * 32}
        one = self._draw.choice(orders)
        return {"contract_id": one.body.contract_id, "entry_id": one.mid}

    def _cancel(self, sent: Sequence[HasMid]) -> AnyMessage:
        return api.MessageCancelOrder(**self._earlier(sent))

    def _cancel_replace(self, sent: Sequence[HasMid]) -> AnyMessage:
        return api.MessageCancelReplace(
            size=self._draw.randint(1, 8), price_in_cents=self._price(), **self._earlier(sent)
        )

    def _cancel_all(self, _sent: Sequence[HasMid]) -> AnyMessage:
        return self._draw.choice([api.MessageCancelAll(), api.MessageCancelAll(contract_id=1)])

    def _read(self, _sent: Sequence[HasMid]) -> AnyMessage:
        return self._draw.choice(
            [
                api.MessageGetContract(all_contracts=True),
                api.MessageGetPositions(),
                api.MessageGetOpenOrders(),
                api.MessageGetBookState(contract_id=1),
            ]
        )

    def _refused(self, _sent: Sequence[HasMid]) -> AnyMessage:
        return self._draw.choice(
            [
                api.MessageLimitOrder(contract_id=1),
                api.MessageLimitOrder(contract_id=99, size=1, price_in_cents=100),
                api.MessageGetBookState(),
                api.MessageCancelOrder(contract_id=1, entry_id="0" * 32),
            ]
        )

    def _replay(self) -> AnyMessage:
        first = self._draw.choice([1, 1, 5, 50])
        if self._draw.random() < 0.5:
            return api.MessageReplay(from_sequence=first)
        return api.MessageReplay(from_sequence=first, to_sequence=first + self._draw.randint(0, 20))
