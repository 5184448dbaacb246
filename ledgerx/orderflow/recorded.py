"""Recorded trades as columns an engine takes: CSV, Parquet, Arrow and the engine's own JSON lines.

Columns are found by their usual names. Prices and sizes become integers by a scale (ticks a unit), exactly:
from the text of a CSV, from the shortest decimal of a float. A value that the scale does not make whole is
refused.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from ledgerx.errors import InvalidData
from ledgerx.orderflow.extras import numpy, pyarrow

__all__ = ["decimals_of", "read_book_events", "read_trades", "table"]

PRICES = ("price",)
SIZES = ("size", "qty", "quantity", "amount", "volume")
SIDES = ("aggressor_side", "aggressor", "side", "buyer_maker", "is_buyer_maker")
SEQUENCES = ("sequence", "seq")
# A time's column, and how many of its units a second has.
TIMES = {
    "ts_exchange_ns": 1,
    "time_ns": 1,
    "ts_us": 1_000,
    "ts_ms": 1_000_000,
    "timestamp": 1_000_000,
    "time": 1_000_000,
}
BOUGHT = {"ask": 1, "buy": 1, "b": 1, "1": 1, "bid": 0, "sell": 0, "s": 0, "0": 0}
MAKER_BOUGHT = {"true": 0, "false": 1, "1": 0, "0": 1}  # the aggressor is the other one
DECIMALS_MAX = 12
NEEDED_FOR = "reading recorded trades"


def table(path: Path) -> Any:
    """A file as a pyarrow Table, by its name's ending; a CSV's prices and sizes are text.

    Raises InvalidData for a file that cannot be read or is of none of the forms.
    """
    pa = pyarrow(NEEDED_FOR)
    csv, feather, json, parquet = (
        pyarrow(NEEDED_FOR, part) for part in ("csv", "feather", "json", "parquet")
    )
    name = path.name.removesuffix(".gz").lower()
    try:
        if name.endswith(".csv"):
            types = {column: pa.string() for column in (*PRICES, *SIZES)}
            return csv.read_csv(str(path), convert_options=csv.ConvertOptions(column_types=types))
        if name.endswith(".jsonl"):
            return json.read_json(str(path))
        if name.endswith(".parquet"):
            return parquet.read_table(str(path))
        if name.endswith((".feather", ".arrow", ".ipc")):
            return feather.read_table(str(path))
    except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
        raise InvalidData(f"{path}: cannot be read: {error}", file=path.name) from error
    endings = ".csv, .csv.gz, .parquet, .feather, .arrow or .jsonl"
    raise InvalidData(f"{path.name}: a file of trades ends in {endings}", file=path.name)


def read_trades(
    path: str | Path, *, price_scale: int | None = None, size_scale: int | None = None
) -> dict[str, Any]:
    """The trades of a file as columns for `Engine.ingest_trades`, in the file's order.

    The file has a price, a size, the aggressor's side (or buyer_maker), and times if it has. `price_scale` is
    how many ticks a price of 1 has, `size_scale` how many lots a size of 1; None: what the decimals need.

    Raises InvalidData naming the column and the row, MissingExtra without pyarrow.

    """
    np = numpy(NEEDED_FOR)
    path = Path(path)
    found = table(path)
    columns = {
        "price": whole(path, found, PRICES, price_scale),
        "size": whole(path, found, SIZES, size_scale),
        "aggressor_side": sides(path, found),
    }
    sequence = first(found, SEQUENCES)
    if sequence is not None:
        columns["sequence"] = np.array(
            [int(value) for value in found.column(sequence).to_pylist()], dtype="uint64"
        )
    time = first(found, TIMES)
    if time is not None:
        values = np.array([int(value) for value in found.column(time).to_pylist()], dtype="uint64")
        columns["ts_exchange_ns"] = values * np.uint64(TIMES[time])
    if "ts_recv_ns" in found.column_names:
        columns["ts_recv_ns"] = found.column("ts_recv_ns").to_numpy().astype("uint64")
    return columns


def read_book_events(path: str | Path) -> Any:
    """The book events that an engine's persistence wrote, as a pyarrow Table for `Engine.ingest_books`."""
    return table(Path(path))


def first(found: Any, names: Iterable[str]) -> str | None:
    """The first of the names that is a column."""
    return next((name for name in names if name in found.column_names), None)


def needed(path: Path, found: Any, names: Iterable[str]) -> tuple[str, list[Any]]:
    name = first(found, names)
    if name is None:
        wanted = ", ".join(names)
        raise InvalidData(
            f"{path.name}: has none of the columns {wanted}, but {', '.join(found.column_names)}",
            file=path.name,
        )
    values = found.column(name).to_pylist()
    if None in values:
        row = values.index(None)
        raise InvalidData(f"{path.name}, row {row + 1}: {name} is missing", file=path.name)
    return name, values


def decimals_of(values: Iterable[Decimal]) -> int:
    """How many decimals the longest of the values has."""
    return max((max(0, -int(value.normalize().as_tuple().exponent)) for value in values), default=0)


def whole(path: Path, found: Any, names: Iterable[str], scale: int | None) -> Any:
    """A column of decimals as int64, by a scale."""
    np = numpy(NEEDED_FOR)
    name, values = needed(path, found, names)
    exact = []
    for row, value in enumerate(values, 1):
        try:
            exact.append(Decimal(str(value)))
        except InvalidOperation as error:
            raise InvalidData(
                f"{path.name}, row {row}: {name} {value!r} is no number", file=path.name
            ) from error
    if scale is None:
        decimals = decimals_of(set(exact))
        if decimals > DECIMALS_MAX:
            raise InvalidData(f"{path.name}: {name} has {decimals} decimals: give its scale", file=path.name)
        scale = 10**decimals
    scaled = [value * scale for value in exact]
    for row, (value, product) in enumerate(zip(exact, scaled, strict=True), 1):
        if product != int(product) or not -(2**63) <= product < 2**63:
            text = f"{path.name}, row {row}: {name} {value} times {scale} is no integer of 64 bits"
            raise InvalidData(text, file=path.name)
    return np.array([int(value) for value in scaled], dtype="int64")


def sides(path: Path, found: Any) -> Any:
    """1 where the aggressor bought, 0 where it sold."""
    np = numpy(NEEDED_FOR)
    name, values = needed(path, found, SIDES)
    codes = MAKER_BOUGHT if "buyer_maker" in name else BOUGHT
    known = {value: codes.get(str(value).lower()) for value in set(values)}
    for row, value in enumerate(values, 1):
        if known[value] is None:
            text = f"{path.name}, row {row}: {name} {value!r} is unknown: use {', '.join(codes)}"
            raise InvalidData(text, file=path.name)
    return np.array([known[value] for value in values], dtype="uint8")
