"""Keeps a warehouse quick: compacts small files, expires old states, sweeps files that no state has.

Every commit adds a file and a state, and reading grows with both. Nothing here changes a row. A commit that
loses against a writer's is left for the next time. All of it may run beside writers and readers; what a
reader may still be reading is not swept before it is old.
"""

from __future__ import annotations

import json
import logging
import math
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from ledgerx.clock import SYSTEM_CLOCK, Clock
from ledgerx.errors import InvalidField, WarehouseError
from ledgerx.history.extras import needed
from ledgerx.history.tables import (
    OHLC,
    TABLES,
    arrow_schema,
    foreign_errors,
    load_table,
    open_catalog,
)
from ledgerx.history.warehouse import close_catalog

if TYPE_CHECKING:
    from pyiceberg.table import Table

__all__ = ["Maintenance"]

SMALL_ROWS: Final = 250_000
"""A file of candles with more rows is left as it is."""
FILES_MIN: Final = 8
"""So many small files of one partition are worth being made one."""
KEEP_S: Final = 3600.0
UPKEEP_KEEP_S: Final = 10.0
"""What an ingestor keeps of states: little, since a commit copies them all. Readers need files, which a sweep
leaves for long, and have their state's list of them already."""
SWEEP_AGE_S: Final = 86_400.0
_AGE_MAX_S: Final = 1e9
UPKEEP_SWEEP_EVERY_S: Final = 3600.0
EVERY_COMMITS: Final = 50
_WHAT: Final = "the upkeep of a warehouse"
_log = logging.getLogger(__name__)


class Maintenance:
    """The upkeep of one namespace of a catalog. Belongs to one thread.

    Args:
        uri, warehouse: as for `tables.open_catalog`.
        namespace: of the tables.
        small_rows, files_min: which files are compacted.

    Raises what `tables.open_catalog` raises; every method raises WarehouseUnavailable.

    """

    def __init__(
        self,
        uri: str,
        namespace: str = "trading",
        *,
        warehouse: str | None = None,
        small_rows: int = SMALL_ROWS,
        files_min: int = FILES_MIN,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._uri = uri
        self._namespace = namespace
        self._warehouse = warehouse
        self._small_rows = small_rows
        self._files_min = files_min
        self._clock = clock
        self._catalog: Any = None
        self._next_sweep: float | None = None

    def compact(self) -> int:
        """Make one sorted file of the small ones of each partition; returns how many files went."""
        table = self._load(OHLC)
        if table is None or table.current_snapshot() is None:
            return 0
        partitions: dict[str, list[Any]] = {}
        with foreign_errors("the warehouse"):
            for task in table.scan().plan_files():
                if task.file.record_count <= self._small_rows and not task.delete_files:
                    partitions.setdefault(str(task.file.partition), []).append(task.file)
        return sum(self._replace(files) for files in partitions.values() if len(files) >= self._files_min)

    def expire(self, keep_s: float = KEEP_S) -> int:
        """Drop the states older than so many seconds, never the present ones; returns how many went.

        Raises InvalidField for what is no number of seconds.
        """
        oldest = self._now() - timedelta(seconds=_age(keep_s, "keep_s"))
        errors = needed("pyiceberg.exceptions", _WHAT)
        count = 0
        for table in self._tables():
            before = len(table.metadata.snapshots)
            try:
                with foreign_errors("the warehouse"):
                    table.maintenance.expire_snapshots().older_than(oldest.replace(tzinfo=None)).commit()
            except errors.CommitFailedException as error:
                _log.info("states expire another time, a writer was faster: %s", error)
                continue
            count += before - len(table.metadata.snapshots)
        return count

    def sweep(self, age_s: float = SWEEP_AGE_S) -> int:
        """Delete files that no state has and that are older than so many seconds; returns how many went.

        The age keeps what a writer has written and not committed yet, and what a reader still reads.
        Raises InvalidField for what is no number of seconds, WarehouseError where another table, of another
        catalog, has its files in the same folder.
        """
        oldest_ns = self._clock.wall_ns() - int(_age(age_s, "age_s") * 1e9)
        count = 0
        for table in self._tables():
            with foreign_errors("the warehouse"):
                known = {self._path(table, location) for location in _files_of(table)}
                files: Any = table.io  # PyArrow's
                scheme, netloc, root = files.parse_location(table.location())
                system = files.fs_by_scheme(scheme, netloc)
                selector = needed("pyarrow.fs", _WHAT).FileSelector(
                    root, recursive=True, allow_not_found=True
                )
                found = [info for info in system.get_file_info(selector) if info.is_file]
                unknown = [info for info in found if info.path not in known]
                _check_own(table, system, [info.path for info in unknown])
                for info in unknown:
                    if (info.mtime_ns or 0) < oldest_ns:
                        system.delete_file(info.path)
                        count += 1
        return count

    def after_commits(self, number: int) -> None:
        """Compact and expire at every 50th commit, and sweep where the last one was an hour ago.

        For an ingestor: errors are only logged.
        """
        if number % EVERY_COMMITS:
            return
        try:
            self.compact()
            self.expire(UPKEEP_KEEP_S)
            now = self._clock.monotonic()
            if self._next_sweep is None or now >= self._next_sweep:
                self._next_sweep = now + UPKEEP_SWEEP_EVERY_S
                self.sweep()
            self.close()
        except Exception:
            _log.exception("the warehouse's upkeep failed; it is tried again after %d commits", EVERY_COMMITS)

    def close(self) -> None:
        """Let go of the catalog. May be used on; it connects again."""
        if self._catalog is not None:
            close_catalog(self._catalog)
            self._catalog = None

    def _replace(self, files: list[Any]) -> int:
        """One file, or few large ones, in place of several; 0 where a writer was faster."""
        table = self._load(OHLC)
        if table is None:
            return 0
        pa = needed("pyarrow", _WHAT)
        errors = needed("pyiceberg.exceptions", _WHAT)
        schema = arrow_schema(OHLC)
        parquet = needed("pyarrow.parquet", _WHAT)
        with foreign_errors("the warehouse"):
            try:
                parts = []
                for file in files:
                    with table.io.new_input(file.file_path).open() as stream:
                        parts.append(parquet.read_table(stream).select(schema.names).cast(schema))
                rows = pa.concat_tables(parts).sort_by([("ticker", "ascending"), ("ts", "ascending")])
                # PyIceberg has no public way yet to write files that one commit then puts in others' place.
                write = needed("pyiceberg.io.pyarrow", _WHAT)._dataframe_to_data_files
                with (
                    table.transaction() as transaction,
                    transaction.update_snapshot().overwrite() as snapshot,
                ):
                    for new in write(table_metadata=table.metadata, df=rows.combine_chunks(), io=table.io):
                        snapshot.append_data_file(new)
                    for file in files:
                        # A commit that finds one of them gone, because a writer replaced it, is refused.
                        snapshot.delete_data_file(file)
            except (errors.CommitFailedException, errors.ValidationException, FileNotFoundError) as error:
                _log.info("files are compacted another time, a writer was faster: %s", error)
                return 0
        return len(files)

    def _tables(self) -> Iterator[Table]:
        for name in TABLES:
            table = self._load(name)
            if table is not None and table.current_snapshot() is not None:
                yield table

    def _load(self, name: str) -> Table | None:
        if self._catalog is None:
            self._catalog = open_catalog(self._uri, warehouse=self._warehouse)
        return load_table(self._catalog, self._namespace, name)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.wall_ns() / 1e9, UTC)

    @staticmethod
    def _path(table: Table, location: str) -> str:
        files: Any = table.io
        path: str = files.parse_location(location)[2]
        return path


def _age(seconds: float, field: str) -> float:
    """A number of seconds ago; below 0 for files whose times another machine's clock gives. At most such as
    are long before any warehouse.
    """
    if not isinstance(seconds, int | float) or not -_AGE_MAX_S < seconds < math.inf:
        raise InvalidField(f"{field} {seconds!r}: give a number of seconds", field=field, value=seconds)
    return min(seconds, _AGE_MAX_S)


def _check_own(table: Table, system: Any, unknown: list[str]) -> None:
    """Raise WarehouseError where one of the files in a table's folder is another table's metadata."""
    own = str(table.metadata.table_uuid)
    for path in unknown:
        if not path.endswith(".metadata.json"):
            continue
        with system.open_input_stream(path) as stream:
            try:
                owner = str(json.loads(stream.read()).get("table-uuid"))
            except ValueError:
                continue  # torn, and nobody's any more
        if owner != own:
            raise WarehouseError(
                f"{table.location()} has files of another table, {owner}, as well: nothing there is swept,"
                " for whose they are cannot be told; give each catalog a folder of its own"
            )


def _files_of(table: Table) -> Iterator[str]:
    """Every file that a table's present metadata leads to."""
    yield table.metadata_location
    for earlier in table.metadata.metadata_log:
        yield earlier.metadata_file
    seen: set[str] = set()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for snapshot in table.metadata.snapshots:
            yield snapshot.manifest_list
            for manifest in snapshot.manifests(table.io):
                if manifest.manifest_path in seen:
                    continue
                seen.add(manifest.manifest_path)
                yield manifest.manifest_path
                for entry in manifest.fetch_manifest_entry(table.io, discard_deleted=True):
                    yield entry.data_file.file_path
