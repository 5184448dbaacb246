"""Reading market by order in Databento's DBN form: files .dbn and .dbn.zst of the schema "mbo".

Databento's documentation says what a record means (https://databento.com/docs/schemas/mbo and
https://databento.com/docs/conventions/common-fields-enums-types); decoding is the package databento-dbn's,
of the extra `dbn`.

Prices are integers of 1e-9 of the currency, sizes lots, times nanoseconds since 1970 (UTC).
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, NoReturn

from ledgerx.clob import PRICE_MAX
from ledgerx.clob._zstd import ends_with_a_frame
from ledgerx.errors import InvalidData, MissingExtra

if TYPE_CHECKING:
    from databento_dbn import MBOMsg

__all__ = ["PRICE_UNITS_PER_WHOLE", "Action", "DbnFile", "Instrument", "MboRecord", "is_dbn"]

PRICE_UNITS_PER_WHOLE: Final = 1_000_000_000
"""A price of 1.00 is this many units."""

_CHUNK_BYTES: Final = 65_536
_ZSTD_MAGIC: Final = b"\x28\xb5\x2f\xfd"
_DBN_MAGIC: Final = b"DBN"

# Bits of a record's flags.
_LAST: Final = 128
_TOP_OF_BOOK: Final = 64
_SNAPSHOT: Final = 32
_BY_PRICE: Final = 16


class Action(Enum):
    """What a record says happened, by its letter."""

    ADD = "A"
    """An order came to rest."""
    CANCEL = "C"
    """`size` of an order is gone."""
    MODIFY = "M"
    """An order has another price or open size from now on."""
    FILL = "F"
    """`size` of a resting order traded; what that does to the book is told by a CANCEL or MODIFY."""
    TRADE = "T"
    """An aggressor traded; this changes nothing."""
    CLEAR = "R"
    """The book is empty from now on."""
    NONE = "N"
    """Nothing happened."""


class Instrument(NamedTuple):
    """What has a book of its own: one instrument of one publisher, both by Databento's number."""

    publisher_id: int
    instrument_id: int


class MboRecord(NamedTuple):
    """One record. `number` counts from 1; `is_ask` is None where a record names no side.

    `is_last` closes what happened at once at the venue: between such records a book may be halfway.
    `is_snapshot` marks the orders that stood when the recording began.
    """

    number: int
    time_ns: int
    instrument: Instrument
    action: Action
    is_ask: bool | None
    price: int
    size: int
    order_id: int
    is_last: bool
    is_snapshot: bool


_ACTIONS: Final = {action.value: action for action in Action}
_SIDES: Final[dict[str, bool | None]] = {"A": True, "B": False, "N": None}
_RESTING: Final = (Action.ADD, Action.MODIFY)
_SIZED: Final = (Action.ADD, Action.MODIFY, Action.CANCEL)


def is_dbn(head: bytes) -> bool:
    """Whether a file that begins with these bytes (4 are enough) can be DBN, plain or compressed."""
    return head.startswith((_ZSTD_MAGIC, _DBN_MAGIC))


class DbnFile:
    """One file of the schema "mbo". Raises InvalidData if it cannot be read, MissingExtra without `dbn`."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.name = self.path.name
        try:
            with self.path.open("rb") as file:
                head = file.read(4)
        except OSError as error:
            raise InvalidData(f"{self.path}: cannot be read: {error}", file=self.name) from error
        if not is_dbn(head):
            self._fail(0, "", "no DBN file, plain or zstd")
        self._is_compressed = head.startswith(_ZSTD_MAGIC)
        _dbn()

    def count(self) -> int:
        """How many records there are."""
        return sum(1 for _ in self._messages())

    def records(self, limit: int | None = None) -> Iterator[MboRecord]:
        """The records in order, the first `limit` of them if that is given.

        Raises InvalidData naming file, record and field where the form is broken.
        """
        instruments: dict[tuple[int, int], Instrument] = {}
        for number, message in enumerate(islice(self._messages(), limit), start=1):
            key = (int(message.publisher_id), message.instrument_id)
            instrument = instruments.get(key)
            if instrument is None:
                instrument = instruments[key] = Instrument(*key)
            yield self._record(number, message, instrument)

    def _record(self, number: int, message: MBOMsg, instrument: Instrument) -> MboRecord:
        action, flags = _ACTIONS.get(str(message.action)), int(message.flags)
        side = str(message.side)
        if action is None:
            self._fail(number, "action", f"{str(message.action)!r} is none of {', '.join(_ACTIONS)}")
        if side not in _SIDES:
            self._fail(number, "side", f"{side!r} is none of {', '.join(_SIDES)}")
        if flags & (_TOP_OF_BOOK | _BY_PRICE):
            self._fail(number, "flags", f"{flags}: levels, not orders")
        if action in _SIZED and message.size < 1:
            self._fail(number, "size", f"{message.size} is not above 0")
        if action in _RESTING:
            if message.price == PRICE_MAX:
                self._fail(number, "price", "an order without one")
            if _SIDES[side] is None:
                self._fail(number, "side", "an order without one")
            if message.order_id == 0:
                self._fail(number, "order id", "0, which is no order's")
        return MboRecord(
            number,
            message.ts_event,
            instrument,
            action,
            _SIDES[side],
            message.price,
            message.size,
            message.order_id,
            flags & _LAST != 0,
            flags & _SNAPSHOT != 0,
        )

    def _messages(self) -> Iterator[MBOMsg]:
        dbn = _dbn()
        compression = dbn.Compression.ZSTD if self._is_compressed else dbn.Compression.NONE
        decoder, number, has_header = dbn.DBNDecoder(compression=compression), 0, False
        try:
            with self.path.open("rb") as file:
                while chunk := file.read(_CHUNK_BYTES):
                    for item in decoder.write_and_decode(chunk):
                        if isinstance(item, dbn.MBOMsg):
                            number += 1
                            yield item
                        elif isinstance(item, dbn.Metadata):
                            has_header = True
                            if str(item.schema) not in ("None", "mbo"):
                                self._fail(0, "schema", f"{item.schema}, not mbo")
                        else:
                            self._fail(number + 1, "", f"a {type(item).__name__}, not market by order")
                rest = len(decoder.buffer())
                # The decoder does not say whether the last frame has its end.
                is_cut = self._is_compressed and not ends_with_a_frame(file)
        except OSError as error:
            raise InvalidData(f"{self.path}: cannot be read: {error}", file=self.name) from error
        except InvalidData:
            raise
        except Exception as error:
            self._fail(number + 1, "", f"cannot be decoded: {error}", error)
        except BaseException as error:
            # What the decoder panics with is derived from BaseException alone.
            if type(error).__name__ != "PanicException":
                raise
            self._fail(number + 1, "", f"cannot be decoded: {error}", error)
        if rest or is_cut or not has_header:
            where = f"{rest} bytes into it" if rest else "before its compressed form does"
            self._fail(number + 1, "", f"the file ends {where}")

    def _fail(self, number: int, field: str, what: str, cause: BaseException | None = None) -> NoReturn:
        where = self.name + (f" record {number}" if number else "") + (f", {field}" if field else "")
        raise InvalidData(f"{where}: {what}", file=self.name, row=number, field=field) from cause


def _dbn() -> Any:
    try:
        import databento_dbn
    except ImportError as error:
        raise MissingExtra("dbn", "reading DBN files") from error
    return databento_dbn
