"""One call of the same library, bound three ways: ctypes, cffi in API mode, and the package's own extension.

Each gives a function of (price, size, side) that ingests a trade of one interned symbol.
"""

from __future__ import annotations

import ctypes
import importlib.util
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ledgerx.orderflow.library import packaged_library

__all__ = ["by_cffi", "by_ctypes"]

Ingest = Callable[[int, int, int], object]

DECLARATIONS = """
typedef struct { const char *venue; const char *symbol; uint16_t depth_levels; } of_symbol_t;
typedef struct { of_symbol_t symbol; int64_t price; int64_t size; uint32_t aggressor_side;
                 uint64_t sequence; uint64_t ts_exchange_ns; uint64_t ts_recv_ns; } of_trade_t;
typedef struct { const char *instance_id; const char *config_path; uint32_t log_level;
                 uint8_t enable_persistence; uint64_t audit_max_bytes; uint32_t audit_max_files;
                 const char *audit_redact_tokens_csv; uint64_t data_retention_max_bytes;
                 uint64_t data_retention_max_age_secs; } of_engine_config_t;
int32_t of_engine_create(const of_engine_config_t *config, void **out);
int32_t of_engine_start(void *engine);
int32_t ofx_symbol_id(void *engine, const of_symbol_t *symbol, uint32_t *out);
int32_t ofx_ingest_trade(void *engine, uint32_t symbol_id, const of_trade_t *trade, uint32_t quality_flags);
"""


class Symbol(ctypes.Structure):
    _fields_ = [("venue", ctypes.c_char_p), ("symbol", ctypes.c_char_p), ("depth_levels", ctypes.c_uint16)]


class Trade(ctypes.Structure):
    _fields_ = [
        ("symbol", Symbol),
        ("price", ctypes.c_int64),
        ("size", ctypes.c_int64),
        ("aggressor_side", ctypes.c_uint32),
        ("sequence", ctypes.c_uint64),
        ("ts_exchange_ns", ctypes.c_uint64),
        ("ts_recv_ns", ctypes.c_uint64),
    ]


def by_ctypes() -> Ingest:
    library = ctypes.CDLL(str(packaged_library()))
    engine, config, number = ctypes.c_void_p(), (ctypes.c_char * 128)(), ctypes.c_uint32()
    library.of_engine_create(config, ctypes.byref(engine))
    library.of_engine_start(engine)
    library.ofx_symbol_id(engine, ctypes.byref(Symbol(b"CME", b"ESM6", 10)), ctypes.byref(number))
    call = library.ofx_ingest_trade
    call.argtypes = [ctypes.c_void_p, ctypes.c_uint32, ctypes.POINTER(Trade), ctypes.c_uint32]

    def ingest(price: int, size: int, side: int) -> object:
        trade = Trade(Symbol(), price, size, side)
        return call(engine, number, ctypes.byref(trade), 0)

    return ingest


def by_cffi() -> Ingest | None:
    """None where cffi cannot build here."""
    try:
        import cffi
    except ImportError:
        return None
    builder = cffi.FFI()
    builder.cdef(DECLARATIONS)
    library = packaged_library()
    builder.set_source(
        "_orderflow_cffi",
        f"#include <stdint.h>\n{DECLARATIONS}",
        extra_objects=[str(library)],
        extra_link_args=[f"-Wl,-rpath,{library.parent}"],
    )
    with tempfile.TemporaryDirectory() as folder:
        module: Any = load(Path(builder.compile(tmpdir=folder)))
    ffi, lib = module.ffi, module.lib
    engine, number = ffi.new("void **"), ffi.new("uint32_t *")
    lib.of_engine_create(ffi.new("of_engine_config_t *"), engine)
    lib.of_engine_start(engine[0])
    names = ffi.new("char[]", b"CME"), ffi.new("char[]", b"ESM6")
    lib.ofx_symbol_id(engine[0], ffi.new("of_symbol_t *", (*names, 10)), number)
    handle, call, index = engine[0], lib.ofx_ingest_trade, number[0]

    def ingest(price: int, size: int, side: int) -> object:
        trade = ffi.new("of_trade_t *")
        trade.price, trade.size, trade.aggressor_side = price, size, side
        return call(handle, index, trade, 0)

    return ingest


def load(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location("_orderflow_cffi", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
