"""Writes to the warehouse: whole ranges, each replacing what was there, so that a repeat changes nothing.

The candles are committed first and their coverage second: a writer that dies between leaves a range that is
fetched again. Commits are serializable; one that lost against another is made anew from what is there then.
A writer belongs to one thread; of several writers, in one process or many, each is right alone.
"""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Any, Final

from ledgerx.clock import SYSTEM_CLOCK, Clock
from ledgerx.errors import WarehouseError, WarehouseUnavailable
from ledgerx.history.candles import COLUMNS, UNKNOWN, Candles
from ledgerx.history.extras import needed
from ledgerx.history.patience import patiently
from ledgerx.history.periods import Range, merge
from ledgerx.history.sources.source import Instrument
from ledgerx.history.tables import (
    COVERAGE,
    INSTRUMENTS,
    OHLC,
    arrow_schema,
    ensure_tables,
    foreign_errors,
    load_table,
    open_catalog,
    sequence_number,
)
from ledgerx.history.warehouse import close_catalog, range_filter

if TYPE_CHECKING:
    import pyarrow as pa
    from pyiceberg.table import Table

__all__ = ["Commit", "Filled", "WarehouseWriter", "arrow_candles"]

_log = logging.getLogger(__name__)
_CONFLICTS_MAX: Final = 100
_PAUSE_S: Final = 0.05


@dataclass(frozen=True, slots=True)
class Filled:
    """What came from a source: the candles of covered ranges, and the instrument's scales."""

    instrument: Instrument
    period_seconds: int
    covered: tuple[Range, ...]
    candles: Candles
    source: str


@dataclass(frozen=True, slots=True)
class Commit:
    """The state of the table of candles that has what was written."""

    snapshot_id: int
    sequence_number: int


class WarehouseWriter:
    """A writer on a catalog; makes the tables where they are not there.

    Args:
        uri, warehouse: as for `tables.open_catalog`.
        namespace: of the tables.
        patience_s: how long a catalog that does not answer is waited for.

    Raises what `tables.open_catalog` raises.

    """

    def __init__(
        self,
        uri: str,
        namespace: str = "trading",
        *,
        warehouse: str | None = None,
        patience_s: float = 30.0,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self.uri = uri
        self.namespace = namespace
        self._warehouse = warehouse
        self.patience_s = patience_s
        self._clock = clock
        self._stopped = threading.Event()
        self._catalog: Any = None
        self._instruments: dict[str, Instrument] = {}
        # It matches nothing whenever a range is new.
        warnings.filterwarnings("ignore", message="Delete operation did not match any records")

    def open(self) -> None:
        """Make the tables where they are not there. Raises WarehouseUnavailable after `patience_s`."""
        self._patiently(self._open)

    def write(self, filled: Sequence[Filled]) -> Commit:
        """Commit ranges of candles, all at once, then that they are covered.

        Raises WarehouseUnavailable where the catalog stays away: what was written then is unknown, and
        writing it again is right. WarehouseError for an instrument of other scales than it had.
        """
        commit: Commit = self._patiently(lambda: self._write(filled))
        return commit

    def hurry(self) -> None:
        """Wait for nothing from now on: what the catalog does not take at once fails. From any thread."""
        self._stopped.set()

    def close(self) -> None:
        """Let go of the catalog, and end a wait for it."""
        self._stopped.set()
        if self._catalog is not None:
            close_catalog(self._catalog)
            self._catalog = None

    def _open(self) -> Any:
        if self._catalog is None:
            catalog = open_catalog(self.uri, warehouse=self._warehouse)
            ensure_tables(catalog, self.namespace)
            self._catalog = catalog
        return self._catalog

    def _patiently(self, action: Callable[[], Any]) -> Any:
        """Do it, again while the catalog is away or another writer was faster."""
        errors = needed("pyiceberg.exceptions", "the warehouse of candles")
        conflicts = (
            errors.CommitFailedException, errors.CommitStateUnknownException, errors.ValidationException
        )  # fmt: skip

        def against_others() -> Any:
            for _ in range(_CONFLICTS_MAX):
                try:
                    return action()
                except conflicts as error:
                    _log.info("a commit is made anew, another writer was faster: %s", error)
                    self._stopped.wait(_PAUSE_S * self._clock.random())
            raise WarehouseUnavailable(f"{_CONFLICTS_MAX} commits in a row lost against other writers")

        return patiently(against_others, self.patience_s, self._clock, self._stopped)

    def _write(self, filled: Sequence[Filled]) -> Commit:
        catalog = self._open()
        self._write_instruments({one.instrument.ticker: one.instrument for one in filled})
        table = self._load(OHLC)
        ranges = [(one, covered) for one in filled for covered in one.covered]
        with foreign_errors("the warehouse"):
            if ranges:
                wanted = reduce(_either, (range_filter(*_key(one), *covered) for one, covered in ranges))
                table.overwrite(_rows(filled), overwrite_filter=wanted)
                self._write_coverage(filled)
        table = load_table(catalog, self.namespace, OHLC) or table
        snapshot = table.current_snapshot()
        return Commit(0 if snapshot is None else snapshot.snapshot_id, sequence_number(table))

    def _write_instruments(self, wanted: dict[str, Instrument]) -> None:
        new = {ticker: one for ticker, one in wanted.items() if self._instruments.get(ticker) != one}
        if not new:
            return
        by = needed("pyiceberg.expressions", "the warehouse of candles")
        pa = needed("pyarrow", "the warehouse of candles")
        table = self._load(INSTRUMENTS)
        with foreign_errors("the warehouse"):
            known = table.scan(row_filter=by.In("ticker", set(new))).to_arrow().to_pylist()
            there = {row["ticker"]: Instrument(**row) for row in known}
            for ticker, instrument in new.items():
                if there.get(ticker, instrument) != instrument:
                    raise WarehouseError(
                        f"{ticker} has {there[ticker]} in the warehouse, not {instrument}: its candles would"
                        " be read wrongly; give the source the warehouse's scales, or use another namespace"
                    )
            rows = [
                {"ticker": one.ticker, "price_scale": one.price_scale, "size_scale": one.size_scale}
                for one in new.values()
                if one.ticker not in there
            ]
            if rows:
                schema = arrow_schema(INSTRUMENTS)
                table.overwrite(
                    pa.Table.from_pylist(rows, schema=schema),
                    overwrite_filter=by.In("ticker", {row["ticker"] for row in rows}),
                )
        self._instruments |= new

    def _write_coverage(self, filled: Iterable[Filled]) -> None:
        """Each ticker's and period's ranges, the new ones merged into those there, replace them."""
        by = needed("pyiceberg.expressions", "the warehouse of candles")
        pa = needed("pyarrow", "the warehouse of candles")
        table = self._load(COVERAGE)
        new: dict[tuple[str, int], list[Filled]] = {}
        for one in filled:
            new.setdefault(_key(one), []).append(one)
        wanted = reduce(
            _either,
            (by.And(by.EqualTo("ticker", key[0]), by.EqualTo("period_seconds", key[1])) for key in new),
        )
        now = self._clock.wall_ns() // 1000
        ranges: dict[tuple[str, int, str], list[Range]] = {}
        fetched_at: dict[tuple[str, int, str, Range], int] = {}  # of what is there; a merged one is of now
        for row in table.scan(row_filter=wanted).to_arrow().cast(_whole(COVERAGE)).to_pylist():
            key = (row["ticker"], row["period_seconds"], row["source"])
            there = row["from_ts"], row["to_ts"]
            ranges.setdefault(key, []).append(there)
            fetched_at[*key, there] = row["fetched_at"]
        for one in (one for group in new.values() for one in group):
            key = (*_key(one), one.source)
            ranges.setdefault(key, []).extend(one.covered)
            for covered in one.covered:
                fetched_at[*key, covered] = now
        rows = [
            {
                "ticker": key[0], "period_seconds": key[1], "from_ts": span[0], "to_ts": span[1],
                "source": key[2], "fetched_at": fetched_at.get((*key, span), now),
            }
            for key, found in ranges.items()
            for span in merge(found)
        ]  # fmt: skip
        written = pa.Table.from_pylist(rows, schema=_whole(COVERAGE)).cast(arrow_schema(COVERAGE))
        table.overwrite(written, overwrite_filter=wanted)

    def _load(self, name: str) -> Table:
        table = load_table(self._open(), self.namespace, name)
        if table is None:
            raise WarehouseError(f"the table {self.namespace}.{name} was dropped: restart the ingestor")
        return table


def arrow_candles(ticker: str, candles: Candles) -> pa.Table:
    """Candles in the form of the table `ohlc`."""
    np = needed("numpy", "the warehouse of candles")
    pa = needed("pyarrow", "the warehouse of candles")
    schema = arrow_schema(OHLC)
    count = len(candles)
    columns: dict[str, Any] = {
        "ticker": pa.repeat(pa.scalar(ticker, pa.large_string()), count),
        "period_seconds": pa.array(np.full(count, candles.period_seconds, np.int32)),
        "ts": pa.array(candles.timestamp).cast(schema.field("ts").type),
        "is_partial": pa.array(candles.is_partial),
    }
    for name, column in zip(COLUMNS[1:], candles.columns()[1:], strict=True):
        unknown = column == UNKNOWN
        columns[name] = pa.array(column, mask=unknown if unknown.any() else None)
    return pa.table([columns[name] for name in schema.names], schema=schema)


def _rows(filled: Iterable[Filled]) -> pa.Table:
    pa = needed("pyarrow", "the warehouse of candles")
    parts = [arrow_candles(one.instrument.ticker, one.candles) for one in filled]
    return pa.concat_tables([*parts, arrow_schema(OHLC).empty_table()]).combine_chunks()


def _whole(name: str) -> Any:
    """A table's Arrow schema with whole microseconds for times."""
    pa = needed("pyarrow", "the warehouse of candles")
    return pa.schema(
        [
            field.with_type(pa.int64()) if pa.types.is_timestamp(field.type) else field
            for field in arrow_schema(name)
        ]
    )


def _key(one: Filled) -> tuple[str, int]:
    return one.instrument.ticker, one.period_seconds


def _either(left: Any, right: Any) -> Any:
    return needed("pyiceberg.expressions", "the warehouse of candles").Or(left, right)
