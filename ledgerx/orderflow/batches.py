"""Batches of events: whatever holds columns becomes arrays that the runtime reads without a copy where it
can.

A batch is a mapping of names to columns, a NumPy structured array, or anything Arrow can read (a pyarrow
Table or RecordBatch, a pandas or polars frame). Nothing is rounded or wrapped: a value that its field cannot
hold is refused with its row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ledgerx.errors import OrderflowArgError
from ledgerx.orderflow.extras import numpy, pyarrow

__all__ = ["book_columns", "trade_columns"]

# Field: the width of its integers, whether it must be there, other names it goes by, the words of its values.
NEEDED_FOR = "a batch of events"
SIDES = {"Bid": 0, "Ask": 1}
ACTIONS = {"Upsert": 0, "Delete": 1}
Words = Mapping[str, int]
Field = tuple[str, bool, tuple[str, ...], Words]
NO_WORDS: Words = {}
SEQUENCES: dict[str, Field] = {
    "sequence": ("uint64", False, ("seq",), NO_WORDS),
    "ts_exchange_ns": ("uint64", False, (), NO_WORDS),
    "ts_recv_ns": ("uint64", False, (), NO_WORDS),
}
TRADE_FIELDS: dict[str, Field] = {
    "price": ("int64", True, (), NO_WORDS),
    "size": ("int64", True, (), NO_WORDS),
    "aggressor_side": ("uint8", True, ("aggressor",), SIDES),
    **SEQUENCES,
}
BOOK_FIELDS: dict[str, Field] = {
    "side": ("uint8", True, (), SIDES),
    "level": ("uint16", True, (), NO_WORDS),
    "price": ("int64", True, (), NO_WORDS),
    "size": ("int64", True, (), NO_WORDS),
    "action": ("uint8", False, (), ACTIONS),
    **SEQUENCES,
}
IGNORED = {
    "schema",
    "cumulative_delta",
    "quality_flags",
    "venue",
    "symbol",
}  # of what was exported or recorded


def trade_columns(trades: Any) -> list[Any]:
    """Arrays of the trades' fields in the runtime's order; None for a field that is not there."""
    return columns(trades, TRADE_FIELDS)


def book_columns(books: Any) -> list[Any]:
    """Arrays of the book events' fields in the runtime's order; None for a field that is not there."""
    return columns(books, BOOK_FIELDS)


def columns(batch: Any, fields: Mapping[str, Field]) -> list[Any]:
    names, get = opened(batch)
    known = {name: field for field, (_, _, others, _) in fields.items() for name in (field, *others)}
    given: dict[str, str] = {}
    for name in names:
        if name not in known and name not in IGNORED:
            raise OrderflowArgError(f"column {name!r} is none of {', '.join(fields)}")
        if name in known:
            given[known[name]] = name
    arrays = []
    for field, (kind, needed, _, words) in fields.items():
        if field not in given and needed:
            raise OrderflowArgError(f"column {field!r} is missing: a batch needs it")
        arrays.append(integers(field, get(given[field]), kind, words) if field in given else None)
    rows = {len(array) for array in arrays if array is not None}
    if len(rows) > 1:
        lengths = {field: len(a) for field, a in zip(fields, arrays, strict=True) if a is not None}
        raise OrderflowArgError(f"the columns of a batch must have one length, and have {lengths}")
    return arrays


def opened(batch: Any) -> tuple[list[str], Callable[[str], Any]]:
    """The names of a batch's columns, and how to get one."""
    np = numpy(NEEDED_FOR)
    if isinstance(batch, Mapping):
        return list(batch), batch.__getitem__
    if isinstance(batch, np.ndarray) and batch.dtype.names:
        return list(batch.dtype.names), batch.__getitem__
    if hasattr(batch, "__arrow_c_stream__") or hasattr(batch, "__arrow_c_array__"):
        table = pyarrow("a batch of Arrow columns").table(batch)
        return table.column_names, lambda name: arrow_column(name, table.column(name))
    raise OrderflowArgError(
        f"a batch of type {type(batch).__name__} has no columns: give a mapping of arrays, "
        "a NumPy structured array, or what Arrow can read"
    )


def arrow_column(name: str, column: Any) -> Any:
    if column.null_count:
        raise OrderflowArgError(f"{name}: {column.null_count} values are null: fill them or drop the rows")
    return column.to_numpy()


def integers(field: str, values: Any, kind: str, words: Words) -> Any:
    """`values` as an array of `kind`; the very array where it is one."""
    np = numpy(NEEDED_FOR)
    array = np.asarray(values)
    if array.dtype.kind == "f" and not hasattr(values, "dtype"):
        array = np.array(values, dtype=object)  # large ints in a list became floats
    if array.ndim != 1:
        raise OrderflowArgError(f"{field} must be one column, and has {array.ndim} dimensions")
    if words and array.dtype.kind in "OUT" and len(array):
        array = coded(field, array, words)
    if array.dtype == kind and array.dtype.isnative:
        return array
    if array.dtype.kind == "O":
        array = exact(field, array)
    if array.dtype.kind == "M":  # a time of any unit
        array = array.astype("datetime64[ns]").view("int64")
    if array.dtype.kind not in "iub" and len(array):
        raise OrderflowArgError(
            f"{field} must be integers, not {array.dtype}: scale to ticks, lots or ns before"
        )
    limits = np.iinfo(kind)
    if len(array):
        wrong = np.flatnonzero((array < limits.min) | (array > limits.max))
        if len(wrong):
            row = int(wrong[0])
            raise OrderflowArgError(f"row {row}: {field} {array[row]} is out of range")
    return array.astype(kind)


def coded(field: str, array: Any, words: Words) -> Any:
    """Texts such as "Bid" as their numbers."""
    np = numpy(NEEDED_FOR)
    if not all(isinstance(value, str) for value in array[:1]):
        return array
    found, where = np.unique(array.astype(str), return_inverse=True)
    for value in found:
        if value not in words:
            row = int(np.flatnonzero(array == value)[0])
            raise OrderflowArgError(f"row {row}: {field} {str(value)!r} is unknown: use {' or '.join(words)}")
    return np.array([words[value] for value in found], dtype="uint8")[where]


def exact(field: str, array: Any) -> Any:
    """Python ints of any size as an integer array."""
    np = numpy(NEEDED_FOR)
    for row, value in enumerate(array):
        if not hasattr(value, "__index__"):
            raise OrderflowArgError(f"row {row}: {field} {value!r} is no integer")
        if not -(2**63) <= value < 2**64:
            raise OrderflowArgError(f"row {row}: {field} {value} is out of range")
    return np.array(array.tolist(), dtype="int64" if min(array, default=0) < 0 else "uint64")
