"""The demo's trading session: a venue in its own process, two traders, everything verified.

Each step checks what it did and raises VerificationFailed otherwise. `pyledgerx demo` runs and shows it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ledgerx.api.client import v0_0_1 as api
from ledgerx.clock import SYSTEM_CLOCK
from ledgerx.sdk.commands.v0_0_1 import Commands
from ledgerx.sdk.context import Context
from ledgerx.sdk.items import RequestItem
from ledgerx.sdk.states import State
from ledgerx.testing.checks import check
from ledgerx.testing.process import VenueProcess
from ledgerx.testing.recorder import Recorder

__all__ = ["Demo"]

_TIMEOUT_S = 20.0
_ROUNDS = 50


class Demo:
    """One trading session on one venue; `run` does the steps and fills `rows` with what happened."""

    def __init__(self, venue: VenueProcess) -> None:
        self.venue = venue
        self.traders = [Recorder(), Recorder()]
        self.contexts: list[Context] = []
        self.orders: list[RequestItem] = []
        self.rows: list[tuple[str, str]] = []

    def run(self) -> None:
        """All steps, in order. Raises VerificationFailed, and what the SDK raises."""
        try:
            for step in (
                self.connect,
                self.list_contracts,
                self.trade,
                self.batch,
                self.cancel,
                self.replay,
                self.kill_and_restart,
                self.settle,
            ):
                self.rows.append((step.__name__.replace("_", " "), step()))
        finally:
            for context in self.contexts:
                context.stop()
            for context in self.contexts:
                context.join(_TIMEOUT_S)

    def connect(self) -> str:
        """Register two fresh keys with the running venue and connect with them."""
        for name, trader in zip(("alice", "bob"), self.traders, strict=True):
            keys = self.venue.trader(name)
            check(keys.private is not None, "a fresh pair has a private key")
            context = Context(
                self.venue.address, keys.private or b"", keys.public, self.venue.public_key, trader
            )
            self.contexts.append(context)
            context.start()
            context.wait_connected(_TIMEOUT_S)
        self.alice, self.bob = (Commands(context) for context in self.contexts)
        return f"alice and bob registered and connected to {self.venue.address}"

    def list_contracts(self) -> str:
        """Both see the same contracts, twelve at least."""
        for commands, trader in zip((self.alice, self.bob), self.traders, strict=True):
            check(commands.get_contract(all_contracts=True).wait(timeout=_TIMEOUT_S), "the contracts came")
            check(len(trader.contracts) >= 12, "there are at least twelve contracts")
        self.contract_ids = sorted(self.traders[0].contracts)
        check(self.contract_ids == sorted(self.traders[1].contracts), "both see the same contracts")
        self.traded = self.contract_ids[-1]
        return f"{len(self.contract_ids)}, among them {self.traders[0].contracts[self.traded].label}"

    def trade(self) -> str:
        """Alice sells, bob buys; their reports must agree to the lot."""
        book = self.contexts[0].book(self.traded)
        book.wait_synchronised(_TIMEOUT_S)
        asks, bids = [], []
        for number in range(_ROUNDS):
            asks.append(self.alice.limit_order(self.traded, 2, 5000, is_ask=True))
            bids.append(self.bob.limit_order(self.traded, 1 + number % 3, 5000))
        self.orders += asks + bids
        sold = self._traded(asks, self.traders[0])
        bought = self._traded(bids, self.traders[1])
        check(sold == bought == 2 * _ROUNDS - 1, f"alice sold {sold} lots and bob bought {bought}")
        state = self.bob.get_book_state(contract_id=self.traded)
        check(state.wait(timeout=_TIMEOUT_S), "the book's state came")
        snapshot = state.answers[-1]
        at = (snapshot.run_id, snapshot.sequence)
        self._until(lambda: book.position >= at, "the local book caught up with the venue's")
        check(book.checksum() == snapshot.checksum, "the local book equals the venue's")
        return f"{len(asks) + len(bids)} orders, {sold} lots sold and bought, local book = venue's book"

    def _traded(self, orders: Sequence[RequestItem], trader: Recorder) -> int:
        """Lots filled; waits until the last of what can be filled was reported."""
        for order in orders:
            check(order.wait(State.OPEN, _TIMEOUT_S), f"order {order.mid} was accepted")
        target = 2 * _ROUNDS - 1  # bob asks for one lot less than alice offers, in all

        def filled() -> int:
            reports = [report for order in orders for report in trader.reports.get(order.mid, ())]
            return sum(report.filled_size for report in reports)

        trader.wait_for(lambda: filled() >= target, f"{target} lots were filled")
        return filled()

    def batch(self) -> str:
        """200 bids in one message, over all contracts."""
        messages = [
            api.MessageLimitOrder(
                contract_id=self.contract_ids[number % len(self.contract_ids)], size=1, price_in_cents=100
            )
            for number in range(200)
        ]
        batch, items = self.bob.batch(messages)
        self.orders += items
        check(batch.wait(timeout=_TIMEOUT_S), "the batch was acknowledged")
        for item in items:
            check(item.wait(State.OPEN, _TIMEOUT_S), f"order {item.mid} of the batch was accepted")
        self.resting = items
        return f"{len(items)} orders in one message, each acknowledged and open"

    def cancel(self) -> str:
        """One of them is canceled: its own report and the cancel's status."""
        order = self.resting.pop()
        request = self.bob.cancel_order(contract_id=order.msg.contract_id, entry_id=order.mid)
        check(request.wait(timeout=_TIMEOUT_S), "the cancel was done")
        check(order.state is State.DONE, "the order ended with it")
        return f"order {order.mid} canceled"

    def replay(self) -> str:
        """The venue's stored copies of bob's messages, page by page, equal what he was told."""
        trader = self.traders[1]
        seen = sum(number > 0 for number in trader.sequences)
        copies: list[Any] = []
        start = 1
        while start:
            item = self.bob.replay(from_sequence=start, to_sequence=trader.sequences[-1])
            check(item.wait(timeout=_TIMEOUT_S), "the replay came to its end")
            copies += [answer for answer in item.answers if answer.account_sequence]
            start = item.answers[-1].next
        check([copy.account_sequence for copy in copies] == trader.sequences[:seen], "nothing is missing")
        check(
            all(copy == trader.line[copy.account_sequence] for copy in copies), "each equals its first copy"
        )
        return f"{len(copies)} stored messages, from the first to number {copies[-1].account_sequence}"

    def kill_and_restart(self) -> str:
        """`kill -9`, start again: open orders are canceled, then the run changes, once for each trader."""
        started = SYSTEM_CLOCK.monotonic()
        self.venue.kill()
        self.venue.start()
        for trader in self.traders:
            trader.wait_for(trader.saw_run_change, "the run change was seen")
            check(trader.run_changes == [(2, 1)], f"one run change, from 1 to 2: {trader.run_changes}")
        for order in self.resting:
            check(order.wait(timeout=_TIMEOUT_S), f"order {order.mid} was canceled with its run")
        seconds = SYSTEM_CLOCK.monotonic() - started
        return f"run 2 follows run 1, {len(self.resting)} open orders of bob's canceled, {seconds:.1f} s"

    def settle(self) -> str:
        """Positions are kept over the restart and sum to zero."""
        net = 0
        for commands in (self.alice, self.bob):
            item = commands.get_positions()
            check(item.wait(timeout=_TIMEOUT_S), "the positions came")
            net += sum(answer.size for answer in item.answers if isinstance(answer, api.MessagePosition))
        check(net == 0, f"positions sum to {net}")
        return "positions were kept and sum to zero"

    def _until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait for something that changes with the feed, which the next book top announces."""
        self.traders[0].wait_for(condition, what)

    def last_line(self) -> str:
        """The summary. Raises VerificationFailed if anything was lost."""
        unfinished = [order for order in self.orders if not order.finished]
        check(not unfinished, f"{len(unfinished)} orders have no end: {unfinished[:1]}")
        lost = sum(trader.lost() for trader in self.traders)
        fills = sum(trader.counts["fills"] for trader in self.traders) // 2
        batches = sum(trader.counts["batches"] for trader in self.traders)
        line = f"demo: {len(self.orders)} orders, {fills} fills, {batches} batches, 1 run change, {lost} lost"
        check(lost == 0, line)
        return line
