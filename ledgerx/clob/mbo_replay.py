"""A recorded day of market by order (DBN), through one `Book` for each instrument.

What a record does: A adds an order; C takes its size off one; M gives one another price or size, and it
keeps its place only at the same price with a size not above the present one; F and T change nothing (the
C or M behind them does); R empties the book. Each C, M and F must name an order that stands, but for an F
without a side: such fills of an opening auction name orders that the feed has not shown.

A `Book` is never crossed, and a recorded one is in two cases:

* Within what happens at once at the venue: an aggressor is added before what it met is taken off. The
  feed marks the last record of it (`is_last`); the book takes all of it as one change.
* Before an opening: orders collect, bids above asks, until the auction resolves them. The book then keeps
  its last uncrossed state (`is_held`) and takes everything since as one change when the feed is uncrossed
  again. How many records and phases that concerned is counted.

One change means: what is gone or smaller goes first, then what was added or lost its place is added, in
the order in which that happened. The orders of each price stand as if each record had been carried out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

from ledgerx.clob import Book, EventKind
from ledgerx.clob._carrier import WRONG_KEPT_MAX, Carrier
from ledgerx.clob._extremes import Extreme
from ledgerx.clob.dbn import Action, Instrument, MboRecord
from ledgerx.errors import InvalidState

__all__ = ["InstrumentReplay", "MboCounts", "MboReplay", "WrongRecord"]


class WrongRecord(NamedTuple):
    """A record that does not follow from those before; it was passed over. `action` is its letter."""

    record: int
    action: str
    order_id: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class MboCounts:
    """What a replay found. `records` is the sum of the seven kinds."""

    records: int = 0
    adds: int = 0
    cancels: int = 0
    modifies: int = 0
    fills: int = 0
    trades: int = 0
    clears: int = 0
    nones: int = 0

    snapshot: int = 0
    """Records that tell what stood when the recording began."""
    partial_cancels: int = 0
    """Cancels that left something of their order."""
    requeued: int = 0
    """Modifies that cost an order its place."""
    auction_fills_unknown: int = 0
    """Fills without a side that name an order the feed has not shown."""
    unresolved: int = 0
    """All other records that name an order which does not stand."""
    wrong: int = 0
    """Records that contradict the order they name: added twice, the other side, more than is left."""
    first_wrong: tuple[WrongRecord, ...] = ()
    """The first ten of the unresolved and the wrong."""

    held: int = 0
    """Records after which the feed was crossed though the venue had finished what it did at once."""
    held_phases: int = 0
    """In how many stretches."""
    held_at_end: int = 0
    """Records not in a book at the end, because the feed was crossed (or, before `finish`, halfway)."""

    instruments: int = 0
    events: int = 0
    """How many events the books were given."""
    orders: int = 0
    """How many orders stood at the end."""
    checksums: tuple[int, ...] = ()
    """The books' at the end, in the order in which the instruments appeared."""

    @property
    def ok(self) -> bool:
        """Whether every reference resolved, but for `auction_fills_unknown`, and no record was wrong."""
        return not (self.unresolved or self.wrong)


class _Standing(NamedTuple):
    """An order as the feed has it."""

    is_ask: bool
    price: int
    size: int

    def loses_its_place(self, other: _Standing) -> bool:
        """Whether `Book.replace` can make this one the other, and puts it at the back of its queue."""
        return self.is_ask == other.is_ask and (self.price != other.price or self.size < other.size)


class InstrumentReplay:
    """One instrument: `book`, and the feed's own state, which may be ahead of it while crossed."""

    def __init__(self, book: Book, keep_events: bool, counts: Counter[str]) -> None:
        if len(book):
            raise InvalidState("a day must be replayed into an empty book")
        self.book = book
        self.carrier = Carrier(book, keep_events)
        self._counts = counts
        self._clear()
        self._cleared = False
        self._was_held = False
        self.pending = 0

    @property
    def is_held(self) -> bool:
        """Whether the feed is ahead of the book: crossed, or halfway through what happened at once."""
        return self.pending > 0

    def feed(self, record: MboRecord) -> str:
        """One record; returns what is wrong with it, "" if nothing."""
        self.pending += 1
        what = _CARRY_OUT[record.action](self, record)
        if record.is_last or record.is_snapshot:
            held = not self.settle()
            self._counts["held"] += held
            self._counts["held_phases"] += held and not self._was_held
            self._was_held = held
        return what

    def settle(self) -> bool:
        """Brings the book to the feed's state unless that is crossed; returns whether it did."""
        bid, ask = self._extremes[0].best(), self._extremes[1].best()
        if bid is not None and ask is not None and bid >= ask:
            return False
        self._change()
        return True

    # ------------------------------------------------------------------ the feed's own state

    def _clear(self, _record: MboRecord | None = None) -> str:
        self._standing: dict[int, _Standing] = {}
        self._extremes = (Extreme(is_ask=False), Extreme(is_ask=True))
        self._before: dict[int, _Standing | None] = {}  # touched since the book was last up to date
        self._behind: dict[int, None] = {}  # to be added, in this order
        self._cleared = True
        return ""

    def _add(self, record: MboRecord) -> str:
        if record.order_id in self._standing:
            return "the order stands already"
        self._before.setdefault(record.order_id, None)
        self._enqueue(record)
        return ""

    def _cancel(self, record: MboRecord) -> str:
        order_id = record.order_id
        order = self._standing.get(order_id)
        what = self._mismatch(record, order)
        if order is None or what:
            return what
        if record.size > order.size:
            return f"more than the {order.size} that are left"
        self._before.setdefault(order_id, order)
        if record.size < order.size:
            self._counts["partial_cancels"] += 1
            self._standing[order_id] = order._replace(size=order.size - record.size)
        else:
            del self._standing[order_id]
            self._behind.pop(order_id, None)
            self._extremes[order.is_ask].take(order.price)
        return ""

    def _modify(self, record: MboRecord) -> str:
        order_id = record.order_id
        order = self._standing.get(order_id)
        what = self._mismatch(record, order)
        if order is None or what:
            return what
        self._before.setdefault(order_id, order)
        if record.price == order.price and record.size <= order.size:
            self._standing[order_id] = order._replace(size=record.size)
        else:
            self._counts["requeued"] += 1
            self._extremes[order.is_ask].take(order.price)
            self._enqueue(record)
        return ""

    def _fill(self, record: MboRecord) -> str:
        order = self._standing.get(record.order_id)
        if order is None and record.is_ask is None:
            self._counts["auction_fills_unknown"] += 1
            return ""
        return self._mismatch(record, order)

    def _pass_over(self, _record: MboRecord) -> str:
        return ""

    def _mismatch(self, record: MboRecord, order: _Standing | None) -> str:
        if order is None:
            self._counts["unresolved"] += 1
            return "no such order stands"
        if record.is_ask is not None and record.is_ask != order.is_ask:
            return "the order is of the other side"
        return ""

    def _enqueue(self, record: MboRecord) -> None:
        order_id, is_ask = record.order_id, bool(record.is_ask)
        self._standing[order_id] = _Standing(is_ask, record.price, record.size)
        self._extremes[is_ask].put(record.price)
        self._behind.pop(order_id, None)
        self._behind[order_id] = None

    # ------------------------------------------------------------------ the book

    def _change(self) -> None:
        """Brings the book to the feed's state as one change."""
        do, before, behind, standing = self.carrier.do, self._before, self._behind, self._standing
        if self._cleared:
            do(EventKind.CLEAR, 0)
        for order_id, was in before.items():
            now = standing.get(order_id)
            if was is None or (was == now and order_id not in behind):
                continue
            if now is None:
                do(EventKind.CANCEL, order_id)
            elif order_id not in behind:
                do(EventKind.REDUCE, order_id, size=was.size - now.size)
            elif len(before) == 1 and was.loses_its_place(now):
                do(EventKind.REPLACE, order_id, price=now.price, size=now.size)
                behind.clear()
            else:
                do(EventKind.CANCEL, order_id)
        for order_id in behind:
            do(EventKind.ADD, order_id, *standing[order_id])
        before.clear()
        behind.clear()
        self._cleared, self.pending = False, 0


_CARRY_OUT: dict[Action, Callable[[InstrumentReplay, MboRecord], str]] = {
    Action.ADD: InstrumentReplay._add,
    Action.CANCEL: InstrumentReplay._cancel,
    Action.MODIFY: InstrumentReplay._modify,
    Action.FILL: InstrumentReplay._fill,
    Action.TRADE: InstrumentReplay._pass_over,
    Action.CLEAR: InstrumentReplay._clear,
    Action.NONE: InstrumentReplay._pass_over,
}


class MboReplay:
    """Feed it records from the first on; `make_book` makes the empty book of each instrument.

    With `keep_events` all that was done to a book is kept for `events`.
    """

    def __init__(self, make_book: Callable[[], Book] = Book, *, keep_events: bool = False) -> None:
        self.instruments: dict[Instrument, InstrumentReplay] = {}
        self._make_book = make_book
        self._keep_events = keep_events
        self._actions: Counter[Action] = Counter()
        self._counts: Counter[str] = Counter()
        self._wrong: list[WrongRecord] = []

    def feed(self, record: MboRecord) -> None:
        """One record. Raises BookError for what no book can hold (BookFull, sums beyond 2**63 - 1)."""
        self._actions[record.action] += 1
        self._counts["snapshot"] += record.is_snapshot
        replay = self.instruments.get(record.instrument)
        if replay is None:
            replay = InstrumentReplay(self._make_book(), self._keep_events, self._counts)
            self.instruments[record.instrument] = replay
        unresolved = self._counts["unresolved"]
        what = replay.feed(record)
        if what:
            self._counts["wrong"] += self._counts["unresolved"] == unresolved
            if len(self._wrong) < WRONG_KEPT_MAX:
                self._wrong.append(WrongRecord(record.number, record.action.value, record.order_id, what))

    def finish(self) -> None:
        """After the last record: what the feed left halfway goes into its book, unless it is crossed."""
        for replay in self.instruments.values():
            replay.settle()

    def events(self, instrument: Instrument) -> bytes:
        """The records of all events of a book so far, for `Book.apply`.

        Raises InvalidState if they are not kept, KeyError for an instrument that has not appeared.
        """
        kept = self.instruments[instrument].carrier.kept
        if kept is None:
            raise InvalidState("the replay was not told to keep its events")
        return bytes(kept)

    def counts(self) -> MboCounts:
        """What was found so far."""
        actions, replays = self._actions, list(self.instruments.values())
        return MboCounts(
            records=actions.total(),
            adds=actions[Action.ADD],
            cancels=actions[Action.CANCEL],
            modifies=actions[Action.MODIFY],
            fills=actions[Action.FILL],
            trades=actions[Action.TRADE],
            clears=actions[Action.CLEAR],
            nones=actions[Action.NONE],
            first_wrong=tuple(self._wrong),
            held_at_end=sum(replay.pending for replay in replays),
            instruments=len(replays),
            events=sum(replay.carrier.count for replay in replays),
            orders=sum(len(replay.book) for replay in replays),
            checksums=tuple(replay.book.checksum() for replay in replays),
            **cast(dict[str, Any], self._counts),
        )
