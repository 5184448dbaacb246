"""Markets as a streaming session sees them: a contract is a market, its book the market's quotes.

Quotes are told as they are after a turn, the best levels of both sides each time, with the turn's trades.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any, Final

from ledgerx.api.client.v0_0_1 import MessageContractDetail
from ledgerx.exchange.lines import Output
from ledgerx.exchange.state import Contract
from ledgerx.exchange.streaming.units import UINT64_MAX, price_of, quantity_of, sayable, side_of
from ledgerx.protocol.wire import decode_message
from ledgerx.streaming_api import seto_pb2 as seto
from ledgerx.streaming_api.payloads import wrap

__all__ = ["LEVELS_MAX", "Markets"]

LEVELS_MAX: Final = 10
_EXECUTIONS_MAX: Final = 100  # of one turn; more are not told one by one

_STATES: Final[dict[int, tuple[Any, Any]]] = {
    MessageContractDetail.OPEN: (seto.MARKET_STATE_LIVE, seto.CONTRACT_STATE_LIVE),
    MessageContractDetail.HALTED: (seto.MARKET_STATE_HALTED, seto.CONTRACT_STATE_HALTED),
    MessageContractDetail.EXPIRED: (seto.MARKET_STATE_SETTLED, seto.CONTRACT_STATE_SETTLED),
}


class _Market:
    """What is remembered of a contract's trades since the venue was started."""

    __slots__ = ("executions", "high", "last", "low", "state", "volume")

    def __init__(self, state: int) -> None:
        self.state = state
        self.executions: deque[seto.Execution] = deque(maxlen=_EXECUTIONS_MAX)
        self.last: seto.Execution | None = None
        self.volume = 0
        self.high = 0
        self.low = 0

    def trade(self, trade: Any) -> None:
        price, quantity = price_of(trade.price_in_cents), quantity_of(trade.size)
        execution = seto.Execution(
            price=price,
            quantity=quantity,
            liquidity=side_of(not trade.is_ask),  # the trade has the aggressor's side
            microseconds=max(trade.timestamp, 0) // 1000,
        )
        self.executions.append(execution)
        self.last = execution
        self.high = price if self.volume == 0 else max(self.high, price)
        self.low = price if self.volume == 0 else min(self.low, price)
        self.volume = min(self.volume + quantity, UINT64_MAX)


class Markets:
    """The market of every contract that the protocol can say. `contracts` is the engine's own table."""

    def __init__(self, contracts: Mapping[int, Contract]) -> None:
        self._contracts = contracts
        self._markets: dict[int, _Market] = {}

    def __contains__(self, market_id: int) -> bool:
        contract = self._contracts.get(market_id)
        return contract is not None and sayable(contract)

    def follow(self, feed: Iterable[Output]) -> set[int]:
        """Take in a turn's feed; the markets whose quotes changed."""
        changed: set[int] = set()
        for market in self._markets.values():
            market.executions.clear()
        for output in feed:
            kind, _, number = output.topic.partition(".")
            if kind not in ("book_update", "trade"):
                continue
            market_id = int(number)
            if market_id not in self:
                continue
            changed.add(market_id)
            if kind == "trade":
                self._market(market_id).trade(decode_message(output.message))
        return changed

    def reopened(self) -> set[int]:
        """The markets whose state is another than it was at the last call; they are then known by it."""
        changed = set()
        for market_id, market in self._markets.items():
            state = self._contracts[market_id].state
            if state != market.state:
                market.state = state
                changed.add(market_id)
        return changed

    def state(self, market_id: int) -> seto.Payload:
        """The market's state."""
        self._market(market_id)
        market, contract = _STATES[self._contracts[market_id].state]
        state = seto.MarketState(state=market, market_id=market_id)
        state.contracts.add(contract_id=market_id, state=contract)
        return wrap(state)

    def quotes(self, market_id: int) -> seto.Payload:
        """The whole market: the answer to a subscription."""
        quotes = seto.MarketQuotes(market_id=market_id, executed_volume=self._market(market_id).volume)
        quotes.contract_quotes.append(self._contract_quotes(market_id))
        return wrap(quotes)

    def changes(self, market_id: int) -> seto.Payload:
        """The market's one contract, with the trades of the turn."""
        quotes = self._contract_quotes(market_id)
        quotes.executions.extend(self._market(market_id).executions)
        return wrap(quotes)

    def _contract_quotes(self, market_id: int) -> seto.ContractQuotes:
        book, market = self._contracts[market_id].book, self._market(market_id)
        quotes = seto.ContractQuotes(market_id=market_id, contract_id=market_id)
        for is_ask, side in ((False, quotes.bids), (True, quotes.offers)):
            for level in book.depth(is_ask, LEVELS_MAX):
                side.add(price=price_of(level.price), quantity=quantity_of(level.size))
        if market.last is not None:
            quotes.last_execution.CopyFrom(market.last)
            quotes.high_price, quotes.low_price = market.high, market.low
        return quotes

    def _market(self, market_id: int) -> _Market:
        market = self._markets.get(market_id)
        if market is None:
            market = self._markets[market_id] = _Market(self._contracts[market_id].state)
        return market
