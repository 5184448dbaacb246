"""IcebergClient: what the warehouse has, and what it lacks. Reads alone; it never makes a table.

Every call looks at the catalog's present state. All calls block; a client may be shared between threads, each
of which gets a catalog of its own.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final

from ledgerx.errors import InvalidField
from ledgerx.history.candles import COLUMNS
from ledgerx.history.empty import with_empty
from ledgerx.history.extras import needed
from ledgerx.history.periods import (
    Range,
    buckets_between,
    check_period,
    check_range,
    check_ticker,
    clip,
    merge,
    subtract,
    whole_number,
)
from ledgerx.history.sources.source import Instrument
from ledgerx.history.tables import (
    COVERAGE,
    INSTRUMENTS,
    OHLC,
    arrow_schema,
    check_catalog_uri,
    foreign_errors,
    load_table,
    open_catalog,
    sequence_number,
)

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from pyiceberg.table import Table

__all__ = ["IcebergClient", "coverage_of", "range_filter"]

Key = tuple[str, int]
LIMIT_MAX: Final = 2**63 - 1
"""A ticker and a period in seconds."""


class IcebergClient:
    """Direct access to the warehouse (manual, "IcebergClient").

    Args:
        iceberg_catalog_uri: `sqlite:///FILE`, `postgresql+psycopg2://...` or a REST catalog's `http(s)://...`.
        namespace: of the tables.

    Raises InvalidField (a ValueError) for a URI of another form. Every method raises WarehouseUnavailable (a
    ConnectionError) where the catalog or the files do not answer.

    """

    def __init__(self, iceberg_catalog_uri: str, namespace: str = "trading") -> None:
        self.uri = check_catalog_uri(iceberg_catalog_uri)
        if not isinstance(namespace, str) or not namespace:
            text = f"namespace {namespace!r}: give the name of the tables' namespace, such as trading"
            raise InvalidField(text, field="namespace", value=namespace)
        self.namespace = namespace
        self._local = threading.local()
        self._lock = threading.Lock()
        self._coverage: tuple[int, dict[Key, list[Range]]] = (0, {})
        self._catalogs: list[Any] = []

    def query_ohlc(
        self,
        ticker: str,
        period_seconds: int,
        start_time: int,
        end_time: int,
        limit: int | None = None,
        *,
        fill_empty: bool = False,
    ) -> pd.DataFrame:
        """The warehouse's candles of [start_time, end_time), in microseconds, in order of time.

        Columns: ticker, period_seconds, timestamp (microseconds), open, high, low, close (ticks), volume
        (lots), quote_volume (ticks times lots), trade_count, buy_vol, sell_vol (lots), open_interest,
        is_partial. Whole numbers are int64, those that a source may not tell Int64. `limit` caps the rows,
        earliest first. With `fill_empty` a period without trades has a candle as well: the close before it
        for its prices, and no volume.
        """
        return frame(
            self.query_ohlc_arrow(ticker, period_seconds, start_time, end_time, limit, fill_empty=fill_empty)
        )

    def query_ohlc_arrow(
        self,
        ticker: str,
        period_seconds: int,
        start_time: int,
        end_time: int,
        limit: int | None = None,
        *,
        fill_empty: bool = False,
    ) -> pa.Table:
        """The same as an Arrow table."""
        check_ticker(ticker)
        period_seconds = check_period(period_seconds)
        start_time, end_time = check_range(start_time, end_time)
        limit = None if limit is None else check_limit(limit)
        table = self._table(OHLC)
        if table is None or table.current_snapshot() is None or start_time == end_time:
            return _shown(arrow_schema(OHLC).empty_table())
        rows = _shown(self._scan(table, ticker, period_seconds, (start_time, end_time)))
        if fill_empty:
            rows = self._filled(table, rows, ticker, period_seconds, (start_time, end_time))
        return rows if limit is None else rows.slice(0, limit)

    def find_missing_ranges(
        self, ticker: str, period_seconds: int, start_time: int, end_time: int
    ) -> list[tuple[int, int]]:
        """The ranges of whole periods of which the warehouse may lack candles, in order.

        A range that was fetched is not missing, though it may have no candle: nothing was traded. A range's
        end is the end of its last candle, and so may lie behind `end_time`.
        """
        period_seconds = check_period(period_seconds)
        wanted = buckets_between(*check_range(start_time, end_time), period_seconds)
        return subtract(wanted, self.covered(ticker, period_seconds))

    def has_data(self, ticker: str, period_seconds: int, start_time: int, end_time: int) -> bool:
        """Whether the warehouse has any candle of the range."""
        return bool(self.timestamps(ticker, period_seconds, start_time, end_time))

    def timestamps(self, ticker: str, period_seconds: int, start_time: int, end_time: int) -> list[int]:
        """When the candles of the range start, in order."""
        check_ticker(ticker)
        period_seconds = check_period(period_seconds)
        start_time, end_time = check_range(start_time, end_time)
        table = self._table(OHLC)
        if table is None or table.current_snapshot() is None:
            return []
        with foreign_errors("the warehouse"):
            found = table.scan(
                row_filter=range_filter(ticker, period_seconds, start_time, end_time), selected_fields=("ts",)
            ).to_arrow()
        return sorted(found.column("ts").cast("int64").to_pylist())

    def covered(self, ticker: str, period_seconds: int) -> list[Range]:
        """The ranges whose candles are all there, apart from each other and in order."""
        return self._covered().get((check_ticker(ticker), check_period(period_seconds)), [])

    def covered_within(self, ticker: str, period_seconds: int, within: Range) -> list[Range]:
        """What of a range is covered."""
        return clip(self.covered(ticker, period_seconds), within)

    def coverage(self) -> Iterator[tuple[str, int, list[Range]]]:
        """Every ticker and period with its covered ranges."""
        for (ticker, period_seconds), ranges in sorted(self._covered().items()):
            yield ticker, period_seconds, ranges

    def keys(self) -> set[Key]:
        """Every ticker and period of which there is a candle, covered or not. Reads two columns of all."""
        table = self._table(OHLC)
        if table is None or table.current_snapshot() is None:
            return set()
        pa = needed("pyarrow", "the warehouse of candles")
        columns = ("ticker", "period_seconds")
        found: set[Key] = set()
        with foreign_errors("the warehouse"):
            for batch in table.scan(selected_fields=columns).to_arrow_batch_reader():
                groups = pa.Table.from_batches([batch]).group_by(columns).aggregate([])
                found.update((row["ticker"], row["period_seconds"]) for row in groups.to_pylist())
        return found

    def state(self) -> tuple[int, int]:
        """The snapshot of the table of candles and its number, by which Iceberg counts; 0, 0 of none."""
        table = self._table(OHLC)
        snapshot = None if table is None else table.current_snapshot()
        return (0, 0) if table is None or snapshot is None else (snapshot.snapshot_id, sequence_number(table))

    def instrument(self, ticker: str) -> Instrument | None:
        """A ticker's scales; None where nothing of it was ever fetched."""
        expressions = needed("pyiceberg.expressions", "the warehouse of candles")
        table = self._table(INSTRUMENTS)
        if table is None or table.current_snapshot() is None:
            return None
        with foreign_errors("the warehouse"):
            rows = (
                table.scan(row_filter=expressions.EqualTo("ticker", check_ticker(ticker)))
                .to_arrow()
                .to_pylist()
            )
        return Instrument(ticker, rows[0]["price_scale"], rows[0]["size_scale"]) if rows else None

    def has_commit(self, number: int) -> bool:
        """Whether the table of candles has reached a commit, by the number that Iceberg gives each."""
        table = self._table(OHLC)
        return table is not None and sequence_number(table) >= number

    def close(self) -> None:
        """Let go of the catalogs' connections. The client can be used on; it connects again."""
        with self._lock:
            catalogs, self._catalogs = self._catalogs, []
            self._local = threading.local()
        for catalog in catalogs:
            close_catalog(catalog)

    def __enter__(self) -> IcebergClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @staticmethod
    def _scan(table: Table, ticker: str, period_seconds: int, span: Range) -> pa.Table:
        with foreign_errors("the warehouse"):
            return _in_order(table.scan(row_filter=range_filter(ticker, period_seconds, *span)).to_arrow())

    def _filled(
        self, table: Table, rows: pa.Table, ticker: str, period_seconds: int, span: Range
    ) -> pa.Table:
        """With a candle of each period of covered ranges."""
        covered = self.covered(ticker, period_seconds)
        before = rows.slice(0, 0)
        earlier = [start for start, end in covered if start < span[0] < end]
        if earlier:
            before = _shown(self._scan(table, ticker, period_seconds, (earlier[0], span[0])))
            before = before.slice(max(0, before.num_rows - 1))
        return with_empty(rows, before, period_seconds, covered, buckets_between(*span, period_seconds))

    def _covered(self) -> dict[Key, list[Range]]:
        """All coverage, read again only when the table has another snapshot."""
        table = self._table(COVERAGE)
        snapshot = None if table is None else table.current_snapshot()
        if table is None or snapshot is None:
            return {}
        with self._lock:
            known, ranges = self._coverage
        if known != snapshot.snapshot_id:
            ranges = coverage_of(table)
            with self._lock:
                self._coverage = (snapshot.snapshot_id, ranges)
        return ranges

    def _table(self, name: str) -> Table | None:
        catalog = getattr(self._local, "catalog", None)
        if catalog is None:
            catalog = self._local.catalog = open_catalog(self.uri)
            with self._lock:
                self._catalogs.append(catalog)
        return load_table(catalog, self.namespace, name)


def close_catalog(catalog: Any) -> None:
    """Close what a catalog keeps open."""
    close = getattr(catalog, "close", None)
    if close is not None:
        close()


def check_limit(limit: int) -> int:
    """The limit, if it is one. Raises InvalidField."""
    whole = whole_number(limit)
    if whole is None or not 1 <= whole <= LIMIT_MAX:
        text = f"limit {limit!r}: give a number of candles from 1, or None for all"
        raise InvalidField(text, field="limit", value=limit)
    return whole


def range_filter(ticker: str, period_seconds: int, start_time: int, end_time: int) -> Any:
    """The rows of one range of `ohlc`, as a filter of PyIceberg."""
    by = needed("pyiceberg.expressions", "the warehouse of candles")
    return by.And(
        by.EqualTo("ticker", ticker),
        by.EqualTo("period_seconds", period_seconds),
        by.GreaterThanOrEqual("ts", start_time),
        by.LessThan("ts", end_time),
    )


def coverage_of(table: Table) -> dict[Key, list[Range]]:
    """The ranges of a coverage table, merged."""
    with foreign_errors("the warehouse"):
        rows = table.scan(selected_fields=("ticker", "period_seconds", "from_ts", "to_ts")).to_arrow()
    found: dict[Key, list[Range]] = {}
    columns = [rows.column(name).to_pylist() for name in ("ticker", "period_seconds")]
    columns += [rows.column(name).cast("int64").to_pylist() for name in ("from_ts", "to_ts")]
    for ticker, period, start, end in zip(*columns, strict=True):
        found.setdefault((ticker, period), []).append((start, end))
    return {key: merge(ranges) for key, ranges in found.items()}


def frame(rows: pa.Table) -> pd.DataFrame:
    """Candles as the manual's DataFrame."""
    pd = needed("pandas", "candles as a DataFrame")
    types = {"quote_volume", "trade_count", "buy_vol", "sell_vol", "open_interest"}
    columns = {
        name: pd.array(rows.column(name).to_pandas(integer_object_nulls=True), dtype="Int64")
        if name in types and rows.column(name).null_count
        else rows.column(name).to_pandas()
        for name in rows.column_names
    }
    return pd.DataFrame(columns)


def _in_order(rows: pa.Table) -> pa.Table:
    np = needed("numpy", "the warehouse of candles")
    times = rows.column("ts").cast("int64").to_numpy()
    if (times[1:] > times[:-1]).all():
        return rows
    return rows.take(np.argsort(times, kind="stable"))


def _shown(rows: pa.Table) -> pa.Table:
    """`ts` as the API has it: whole microseconds, called `timestamp`."""
    names = ["ticker", "period_seconds", "timestamp", *COLUMNS[1:], "is_partial"]
    columns = [rows.column("ts" if name == "timestamp" else name) for name in names]
    columns[2] = columns[2].cast("int64")
    pa = needed("pyarrow", "the warehouse of candles")
    columns[1] = columns[1].cast("int64")
    return pa.table(columns, names=names)
