"""The tables of the warehouse: their schemas, where they are kept, and how a catalog is opened.

Three tables a namespace. `ohlc` has the candles, `coverage` the ranges of which they are all there (venues
leave out minutes without trades, so that only here can a hole be told from a quiet minute), `instruments` the
scales of prices and sizes. A catalog object belongs to one thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, unquote, urlsplit, urlunsplit

from ledgerx.clock import SYSTEM_CLOCK
from ledgerx.errors import InvalidField, WarehouseError, WarehouseUnavailable
from ledgerx.history.extras import needed

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog
    from pyiceberg.table import Table

__all__ = [
    "COVERAGE",
    "INSTRUMENTS",
    "OHLC",
    "TABLES",
    "arrow_schema",
    "check_catalog_uri",
    "ensure_tables",
    "foreign_errors",
    "load_table",
    "open_catalog",
    "sequence_number",
    "sqlite_file",
]

OHLC: Final = "ohlc"
COVERAGE: Final = "coverage"
INSTRUMENTS: Final = "instruments"
TABLES: Final = (OHLC, COVERAGE, INSTRUMENTS)
TICKER_BUCKETS: Final = 16
CATALOG_NAME: Final = "ledgerx"
SQLITE_TIMEOUT_S: Final = 30
_BEATEN_MAX: Final = 10

_FORMS: Final = (
    "sqlite:///FILE, postgresql+psycopg2://USER@HOST/DATABASE or http://HOST:PORT[?warehouse=NAME]"
)
_PROPERTIES: Final = {
    "format-version": "2",
    # A commit that lost a race is tried again; what a conflict disproves, the writer redoes.
    "commit.retry.num-retries": "30",
    "commit.retry.min-wait-ms": "20",
    "commit.retry.max-wait-ms": "1000",
    "write.delete.isolation-level": "serializable",
    "write.update.isolation-level": "serializable",
    "commit.manifest-merge.enabled": "true",
    "commit.manifest.min-count-to-merge": "20",
    "write.metadata.delete-after-commit.enabled": "true",
    "write.metadata.previous-versions-max": "10",
    "write.parquet.compression-codec": "zstd",
}
_COLUMNS: Final = {
    # name: type, whether it must have a value
    OHLC: (
        ("ticker", "string", True),
        ("period_seconds", "int", True),
        ("ts", "timestamptz", True),
        ("open", "long", True),
        ("high", "long", True),
        ("low", "long", True),
        ("close", "long", True),
        ("volume", "long", True),
        ("quote_volume", "long", False),
        ("trade_count", "long", False),
        ("buy_vol", "long", False),
        ("sell_vol", "long", False),
        ("open_interest", "long", False),
        ("is_partial", "boolean", True),
    ),
    COVERAGE: (
        ("ticker", "string", True),
        ("period_seconds", "int", True),
        ("from_ts", "timestamptz", True),
        ("to_ts", "timestamptz", True),
        ("source", "string", True),
        ("fetched_at", "timestamptz", True),
    ),
    INSTRUMENTS: (("ticker", "string", True), ("price_scale", "long", True), ("size_scale", "long", True)),
}


def check_catalog_uri(uri: str) -> str:
    """The URI, if it is of a known form. Raises InvalidField."""
    known = ("sqlite:///", "postgresql+psycopg2://", "postgresql://", "http://", "https://")
    if not isinstance(uri, str) or not uri.startswith(known) or not _has_place(uri):
        text = f"iceberg_catalog_uri {_without_password(uri)!r}: give {_FORMS}"
        raise InvalidField(text, field="iceberg_catalog_uri", value=_without_password(uri))
    if uri.startswith("http"):
        _rest_properties(uri)
    return uri


def _has_place(uri: str) -> bool:
    """Whether it names a file or a host, and a port only where that is one."""
    if uri.startswith("sqlite:"):
        return bool(uri.removeprefix("sqlite:///").partition("?")[0])
    try:
        parts = urlsplit(uri)
        return parts.port != 0 and (parts.hostname is not None or uri.startswith("postgresql"))
    except ValueError:
        return False


def open_catalog(uri: str, *, warehouse: str | None = None) -> Catalog:
    """A catalog by its URI, for the calling thread.

    Args:
        uri: `sqlite:///FILE` (a file and a folder on this machine), `postgresql+psycopg2://...` (several
            hosts) or `http(s)://...` (Iceberg's REST protocol), with `?warehouse=NAME` for a catalog that has
            several, as S3 Tables has by their ARN.
        warehouse: where new tables' files go, a folder or a URI such as `s3://bucket/prefix`; None: the
            folder `warehouse` beside an SQLite file, or what the REST catalog says.

    What else a catalog needs, as keys of S3, it takes from PyIceberg's own settings for the catalog
    `ledgerx`: PYICEBERG_CATALOG__LEDGERX__S3__ENDPOINT and the like.

    Raises InvalidField for a URI of another form, MissingExtra, WarehouseUnavailable.

    """
    check_catalog_uri(uri)
    catalogs = needed("pyiceberg.catalog", "the warehouse of candles")
    if uri.startswith("http"):
        properties = _rest_properties(uri)
    else:
        properties = {"type": "sql", "uri": uri, "init_catalog_tables": "true"}
        if uri.startswith("sqlite"):
            file = sqlite_file(uri)
            if not file.parent.is_dir():
                raise WarehouseUnavailable(
                    f"{file.parent} is no folder: make it, or name another file in {uri}"
                )
            warehouse = warehouse or str(file.parent / "warehouse")
            engine = needed("sqlalchemy.engine", "the warehouse of candles")
            options = {name: values[-1] for name, values in parse_qs(uri.partition("?")[2]).items()}
            address = engine.URL.create(
                "sqlite", database=str(file), query={**options, "timeout": str(SQLITE_TIMEOUT_S)}
            )
            properties["uri"] = address.render_as_string()
        else:
            needed("psycopg2", "a PostgreSQL catalog", "postgres")
    if warehouse is not None:
        # A folder as a path and not as a URI, whose escapes PyIceberg would take for characters of the name.
        properties["warehouse"] = warehouse if "://" in warehouse else str(Path(warehouse).absolute())
    with foreign_errors(f"the catalog {_without_password(uri)}"):
        catalog: Catalog = _again_where_beaten(lambda: catalogs.load_catalog(CATALOG_NAME, **properties))
        return catalog


def sqlite_file(uri: str) -> Path:
    """The file of an SQLite catalog. `%3F` in its URI is a question mark, `%25` a percent sign."""
    return Path(unquote(uri.removeprefix("sqlite:///").partition("?")[0])).absolute()


def _rest_properties(uri: str) -> dict[str, str]:
    """Of a REST catalog: its address, and the warehouse that a query in it names."""
    parts = urlsplit(uri)
    named = parse_qs(parts.query)
    unknown = named.keys() - {"warehouse"}
    if unknown:
        names = ", ".join(sorted(unknown))
        text = f"iceberg_catalog_uri {_without_password(uri)!r} has {names}: give {_FORMS}"
        raise InvalidField(text, field="iceberg_catalog_uri", value=_without_password(uri))
    properties = {"type": "rest", "uri": urlunsplit(parts._replace(query=""))}
    return properties | {name: values[-1] for name, values in named.items()}


def ensure_tables(catalog: Catalog, namespace: str) -> None:
    """Make the namespace and its tables where they are not there.

    Raises WarehouseUnavailable, and InvalidField for a catalog that has no place of its own for new files and
    was opened without a `warehouse`.
    """
    errors = needed("pyiceberg.exceptions", "the warehouse of candles")
    with foreign_errors("the catalog"):
        _again_where_beaten(lambda: catalog.create_namespace_if_not_exists(namespace))
        for name in TABLES:
            identifier = (namespace, name)
            if catalog.table_exists(identifier):
                continue
            schema = _schema(name)
            try:
                catalog.create_table(
                    identifier,
                    schema,
                    location=_place(catalog, namespace, name),
                    partition_spec=_partitions(name, schema),
                    properties=_PROPERTIES,
                )
            except (errors.TableAlreadyExistsError, errors.CommitFailedException):
                continue  # another process made it meanwhile
            except ValueError as error:
                if "No default path" not in str(error):
                    raise
                text = "warehouse is missing: say where the files of a new warehouse go, a folder or a URI"
                raise InvalidField(text, field="warehouse", value=None) from error


def _place(catalog: Catalog, namespace: str, name: str) -> str | None:
    """Where a new table's files go; None: a REST catalog's to say.

    Each table has a folder of its own, also where several catalogs keep their files in one: a sweep deletes
    what is in it and is no file of the table.
    """
    warehouse = catalog.properties.get("warehouse")
    if warehouse is None or catalog.properties.get("type") != "sql":
        return None
    return f"{warehouse.rstrip('/')}/{namespace}/{name}-{SYSTEM_CLOCK.unique_hex()[:12]}"


def load_table(catalog: Catalog, namespace: str, name: str) -> Table | None:
    """A table as it is now, None where it is not there. Raises WarehouseUnavailable."""
    errors = needed("pyiceberg.exceptions", "the warehouse of candles")
    with foreign_errors("the catalog"):
        try:
            return catalog.load_table((namespace, name))
        except (errors.NoSuchTableError, errors.NoSuchNamespaceError):
            return None


def arrow_schema(name: str) -> Any:
    """A table's schema in Arrow, as what is written must have it."""
    pa = needed("pyarrow", "the warehouse of candles")
    types = {
        "string": pa.large_string(),
        "int": pa.int32(),
        "long": pa.int64(),
        "boolean": pa.bool_(),
        "timestamptz": pa.timestamp("us", "UTC"),
    }
    return pa.schema(
        [pa.field(column, types[kind], nullable=not required) for column, kind, required in _COLUMNS[name]]
    )


def sequence_number(table: Table) -> int:
    """The number of a table's latest commit, which only grows."""
    return int(getattr(table.metadata, "last_sequence_number", 0))


@contextmanager
def foreign_errors(what: str) -> Iterator[None]:
    """Map the errors of catalogs, databases and files to WarehouseUnavailable, the cause kept."""
    try:
        yield
    except Exception as error:
        if _is_outage(error):
            text = f"{what} does not answer: {_first_line(error)}"
            raise WarehouseUnavailable(text) from error
        if _is_torn(error):
            text = f"{what}: a file cannot be read: {_first_line(error)}"
            raise WarehouseError(text) from error
        if type(error).__module__.startswith("pyiceberg") and "Validation" not in type(error).__name__:
            if type(error).__name__ in ("CommitFailedException", "CommitStateUnknownException"):
                raise
            raise WarehouseError(f"{what}: {type(error).__name__}: {_first_line(error)}") from error
        raise


def _again_where_beaten(make: Callable[[], Any]) -> Any:
    """Make what others may be making: PyIceberg looks first and makes then, and the database refuses the
    slower one with an error of its own. Made again, it finds what the faster one made.
    """
    for _ in range(_BEATEN_MAX):
        try:
            return make()
        except Exception as error:
            text = str(error).lower()
            beaten = any(phrase in text for phrase in ("already exists", "unique constraint", "duplicate"))
            if not type(error).__module__.startswith("sqlalchemy") or not beaten:
                raise
    return make()


def _is_outage(error: Exception) -> bool:
    """Whether the same call may succeed later: by class name, so that no driver need be imported."""
    names = {cls.__module__.partition(".")[0] + "." + cls.__name__ for cls in type(error).__mro__}
    transient = {
        "sqlalchemy.OperationalError",
        "sqlalchemy.InterfaceError",
        "requests.RequestException",
        "pyiceberg.ServerError",
        "pyiceberg.ServiceUnavailableError",
    }
    return isinstance(error, OSError) or bool(names & transient)


def _is_torn(error: Exception) -> bool:
    """Whether it is of a file, or of a database, that is not what it should be."""
    names = {cls.__module__.partition(".")[0] + "." + cls.__name__ for cls in type(error).__mro__}
    return bool(names & {"pyarrow.ArrowException", "sqlalchemy.DatabaseError"})


def _first_line(error: Exception) -> str:
    return _without_password(str(error).partition("\n")[0] or type(error).__name__)


def _without_password(text: object) -> str:
    import re

    return re.sub(r"(://[^:/@\s]*):[^@\s]*@", r"\1:...@", str(text))


def _schema(name: str) -> Any:
    types = needed("pyiceberg.types", "the warehouse of candles")
    kinds: dict[str, Callable[[], Any]] = {
        "string": types.StringType,
        "int": types.IntegerType,
        "long": types.LongType,
        "boolean": types.BooleanType,
        "timestamptz": types.TimestamptzType,
    }
    fields = [
        types.NestedField(number, column, kinds[kind](), required=required)
        for number, (column, kind, required) in enumerate(_COLUMNS[name], 1)
    ]
    return needed("pyiceberg.schema", "the warehouse of candles").Schema(*fields)


def _partitions(name: str, schema: Any) -> Any:
    """Candles by period and by 16 groups of tickers.

    Never by day: thousands of files are slow, and each file's statistics tell its range of time as well.
    """
    partitioning = needed("pyiceberg.partitioning", "the warehouse of candles")
    transforms = needed("pyiceberg.transforms", "the warehouse of candles")
    if name != OHLC:
        return partitioning.UNPARTITIONED_PARTITION_SPEC
    field = partitioning.PartitionField
    return partitioning.PartitionSpec(
        field(
            schema.find_field("period_seconds").field_id,
            1000,
            transforms.IdentityTransform(),
            "period_seconds",
        ),
        field(
            schema.find_field("ticker").field_id,
            1001,
            transforms.BucketTransform(TICKER_BUCKETS),
            "ticker_bucket",
        ),
    )
