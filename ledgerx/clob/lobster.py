"""Reading recorded order-book days of the LOBSTER form: every message and the best levels after it.

A day is two CSV files without a heading, row for row (LOBSTER's own "output structure" page):

* messages: seconds after midnight, type, order id, size, price in dollars x 10,000, direction of the
  resting order (1 buy, -1 sell);
* the order book after that message: ask price, ask size, bid price, bid size of level 1, then of level 2,
  and so on. 9999999999 and -9999999999 with size 0 mean that there is no such level.

They come as two files, or as one zip that holds both.
"""

from __future__ import annotations

import io
import lzma
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from enum import IntEnum
from itertools import islice
from pathlib import Path
from typing import NamedTuple, NoReturn, TextIO

from ledgerx.errors import InvalidData

__all__ = ["NO_ASK", "NO_BID", "LobsterFile", "MessageType", "Row"]

NO_ASK = 9_999_999_999
"""The price of an ask level that does not exist."""

NO_BID = -9_999_999_999
"""The price of a bid level that does not exist."""

_MESSAGE = re.compile(r"(\d{1,6})(?:\.(\d{1,18}))?,([1-7]),(\d{1,19}),(\d{1,18}),(-?\d{1,18}),(-1|1)")
_LEVELS = re.compile(r"-?\d{1,18}(?:,-?\d{1,18})*")
_FIELDS = {
    "time": re.compile(r"\d{1,6}(\.\d{1,18})?"),
    "type": re.compile(r"[1-7]"),
    "order id": re.compile(r"\d{1,19}"),
    "size": re.compile(r"\d{1,18}"),
    "price": re.compile(r"-?\d{1,18}"),
    "direction": re.compile(r"-1|1"),
}


# What a damaged, encrypted or strangely compressed member of a zip makes its reader raise.
_UNREADABLE = (
    OSError, EOFError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, NotImplementedError, RuntimeError
)  # fmt: skip


class MessageType(IntEnum):
    """What a message says happened."""

    NEW = 1
    """A limit order arrived and rests."""
    PARTIAL_CANCEL = 2
    """An order became smaller by `size`."""
    DELETE = 3
    """An order of `size` was deleted."""
    EXECUTION = 4
    """`size` of a visible order traded."""
    HIDDEN_EXECUTION = 5
    """`size` of an order that no level shows traded."""
    AUCTION = 6
    """A trade of an auction (cross)."""
    HALT = 7
    """Trading stopped or resumed; the other fields mean nothing."""


_TYPES = {str(kind.value): kind for kind in MessageType}


class Row(NamedTuple):
    """A message and the book after it. Prices are dollars x 10,000, sizes shares.

    `number` counts from 1; `time_ns` is after midnight; `is_ask` is the side of the resting order.
    `asks` and `bids` are (price, size) pairs from the best outwards; `levels` is how many of a side the
    file shows at most.
    """

    number: int
    time_ns: int
    type: MessageType
    order_id: int
    size: int
    price: int
    is_ask: bool
    asks: tuple[tuple[int, int], ...]
    bids: tuple[tuple[int, int], ...]
    levels: int


class LobsterFile:
    """One recorded day.

    `path` is the zip, or the file of messages; then `orderbook` is the file of levels (absent: the name
    with "message" replaced by "orderbook"). Raises InvalidData if they are not there or a zip does not
    hold exactly one of each.
    """

    def __init__(self, path: str | Path, orderbook: str | Path | None = None) -> None:
        self.path = Path(path)
        self.name = self.path.name
        self._zipped = orderbook is None and self.path.suffix.lower() == ".zip"
        if self._zipped:
            self._message_name, self._orderbook_name = self._members()
        else:
            swapped = self.path.with_name(self.name.replace("message", "orderbook"))
            other = swapped if orderbook is None else Path(orderbook)
            if other == self.path:
                raise InvalidData(f"{self.name}: its file of levels must be named", file=self.name)
            for part in (self.path, other):
                if not part.is_file():
                    raise InvalidData(f"{part}: no such file", file=part.name)
            self._message_name, self._orderbook_name = str(self.path), str(other)

    def _members(self) -> tuple[str, str]:
        try:
            with zipfile.ZipFile(self.path) as archive:
                names = [name for name in archive.namelist() if name.endswith(".csv")]
        except (OSError, zipfile.BadZipFile) as error:
            raise InvalidData(f"{self.path}: not a readable zip: {error}", file=self.name) from error
        found = [[name for name in names if kind in Path(name).name] for kind in ("message", "orderbook")]
        if len(found[0]) != 1 or len(found[1]) != 1:
            raise InvalidData(
                f"{self.name}: wants one file of messages and one of the order book, holds {names}",
                file=self.name,
            )
        return found[0][0], found[1][0]

    def count(self) -> int:
        """How many rows there are."""
        try:
            with ExitStack() as stack:
                return sum(1 for _ in self._open(stack)[0])
        except _UNREADABLE as error:
            raise InvalidData(f"{self.path}: cannot be read: {error}", file=self.name) from error

    def rows(self, limit: int | None = None) -> Iterator[Row]:
        """The rows in order, the first `limit` of them if that is given.

        Raises InvalidData naming file, row and field where the form is broken.
        """
        try:
            with ExitStack() as stack:
                yield from self._rows(*self._open(stack), limit)
        except _UNREADABLE as error:
            raise InvalidData(f"{self.path}: cannot be read: {error}", file=self.name) from error

    def _rows(self, messages: TextIO, levels: TextIO, limit: int | None) -> Iterator[Row]:
        number = 0
        for number, line in enumerate(islice(messages, limit), start=1):
            shown = levels.readline()
            if not shown:
                _fail(self._orderbook_name, number, "", "the file ends before the messages do")
            yield self._row(number, line, shown)
        if limit is None and levels.readline():
            _fail(self._message_name, number + 1, "", "the file ends before the order book does")

    def _open(self, stack: ExitStack) -> tuple[TextIO, TextIO]:
        opening = self._open_zipped if self._zipped else self._open_plain
        return opening(stack, self._message_name), opening(stack, self._orderbook_name)

    def _open_plain(self, stack: ExitStack, name: str) -> TextIO:
        return stack.enter_context(Path(name).open(encoding="ascii", errors="replace"))

    def _open_zipped(self, stack: ExitStack, name: str) -> TextIO:
        member = stack.enter_context(stack.enter_context(zipfile.ZipFile(self.path)).open(name))
        return io.TextIOWrapper(member, encoding="ascii", errors="replace")

    def _row(self, number: int, message: str, shown: str) -> Row:
        match = _MESSAGE.fullmatch(message.rstrip("\r\n"))
        if match is None:
            _explain(self._message_name, number, message.rstrip("\r\n"))
        seconds, fraction, letter, order_id, size, price, direction = match.groups()
        kind = _TYPES[letter]
        if kind <= MessageType.EXECUTION and int(size) < 1:
            _fail(self._message_name, number, "size", f"{size} is not above 0")
        asks, bids, levels = self._levels(number, shown.rstrip("\r\n"))
        return Row(
            number,
            int(seconds) * 1_000_000_000 + _nanoseconds(fraction or "0"),
            kind,
            int(order_id),
            int(size),
            int(price),
            direction == "-1",
            asks,
            bids,
            levels,
        )

    def _levels(
        self, number: int, line: str
    ) -> tuple[tuple[tuple[int, int], ...], tuple[tuple[int, int], ...], int]:
        if _LEVELS.fullmatch(line) is None:
            _fail(self._orderbook_name, number, "", f"{line[:80]!r} is no row of integers")
        values = list(map(int, line.split(",")))
        if len(values) % 4:
            _fail(self._orderbook_name, number, "", f"{len(values)} columns are not four a level")
        asks = tuple(zip(values[0::4], values[1::4], strict=True))
        bids = tuple(zip(values[2::4], values[3::4], strict=True))
        if NO_ASK in values or NO_BID in values:
            asks = tuple(pair for pair in asks if pair != (NO_ASK, 0))
            bids = tuple(pair for pair in bids if pair != (NO_BID, 0))
        self._check_side(number, "ask", asks, 1)
        self._check_side(number, "bid", bids, -1)
        if asks and bids and bids[0][0] >= asks[0][0]:
            _fail(self._orderbook_name, number, "bid price 1", f"{bids[0][0]} is not below the best ask")
        return asks, bids, len(values) // 4

    def _check_side(self, number: int, side: str, pairs: tuple[tuple[int, int], ...], sign: int) -> None:
        last: int | None = None
        for place, (price, size) in enumerate(pairs, start=1):
            if size < 1:
                _fail(self._orderbook_name, number, f"{side} size {place}", f"{size} is not above 0")
            if last is not None and price * sign <= last:
                _fail(self._orderbook_name, number, f"{side} price {place}", f"{price} is out of order")
            last = price * sign


def _nanoseconds(fraction: str) -> int:
    """The digits after the point, to the nearest nanosecond: some files have a float's residue there."""
    return (int(fraction[:10].ljust(10, "0")) + 5) // 10


def _explain(file: str, number: int, line: str) -> NoReturn:
    """Raises what is wrong with a message row."""
    values = line.split(",")
    if len(values) != len(_FIELDS):
        _fail(file, number, "", f"{len(values)} columns instead of {len(_FIELDS)}")
    for (field, pattern), value in zip(_FIELDS.items(), values, strict=True):
        if pattern.fullmatch(value) is None:
            _fail(file, number, field, f"{value[:40]!r} cannot be one")
    raise AssertionError(line)  # the patterns together are the row's


def _fail(file: str, number: int, field: str, what: str) -> NoReturn:
    name = Path(file).name
    where = f"{name} row {number}" + (f", {field}" if field else "")
    raise InvalidData(f"{where}: {what}", file=name, row=number, field=field)
