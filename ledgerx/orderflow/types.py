"""What an engine is told in: streams, sides, flags, symbols and settings, with the manual's names and values.

Nothing is checked here: the engine checks what it is given, so that every runtime refuses the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, IntFlag

__all__ = [
    "DELTA_MOMENTUM",
    "PRICE_MOMENTUM",
    "BookAction",
    "DataQualityFlags",
    "EngineConfig",
    "ExternalFeedPolicy",
    "Side",
    "StreamKind",
    "Symbol",
]

DELTA_MOMENTUM = "delta_momentum_v1"
PRICE_MOMENTUM = "price_momentum_v1"


class StreamKind(IntEnum):
    """What `Engine.subscribe` delivers."""

    BOOK = 1
    TRADES = 2
    ANALYTICS = 3
    SIGNALS = 4
    HEALTH = 5


class Side(IntEnum):
    """A side of the book; of a trade, the side its aggressor traded with: ASK bought, BID sold."""

    BID = 0
    ASK = 1


class BookAction(IntEnum):
    """What a book event does to its level."""

    UPSERT = 0
    DELETE = 1


class DataQualityFlags(IntFlag):
    """What is wrong with a feed; several at once are or-ed."""

    NONE = 0
    STALE_FEED = 1 << 0
    SEQUENCE_GAP = 1 << 1
    CLOCK_SKEW = 1 << 2
    DEPTH_TRUNCATED = 1 << 3
    OUT_OF_ORDER = 1 << 4
    ADAPTER_DEGRADED = 1 << 5


@dataclass(frozen=True)
class Symbol:
    """An instrument of a venue. Engines know it by the two names alone."""

    venue: str
    symbol: str
    depth_levels: int = 10


@dataclass(frozen=True)
class EngineConfig:
    """An engine's settings. Keyword-only ones are beyond the manual; their defaults change no answer of it.

    A setting that `config_path` names holds where this object has the default.
    """

    instance_id: str = "python"
    config_path: str = ""  # TOML or JSON
    log_level: int = 0  # no effect
    enable_persistence: bool = False
    audit_max_bytes: int = 10 * 1024 * 1024
    audit_max_files: int = 5
    audit_redact_tokens_csv: str = "secret,password,token,api_key"
    data_retention_max_bytes: int = 10 * 1024 * 1024
    data_retention_max_age_secs: int = 7 * 24 * 60 * 60
    data_root: str = field(default="data", kw_only=True)  # nothing is written here unless enable_persistence
    audit_path: str = field(default="", kw_only=True)  # "": no audit log
    signal_module: str = field(default=DELTA_MOMENTUM, kw_only=True)
    signal_threshold: int = field(default=100, kw_only=True)  # lots of delta
    momentum_fast_trades: int = field(default=20, kw_only=True)  # spans of the averages of price_momentum_v1
    momentum_slow_trades: int = field(default=100, kw_only=True)
    momentum_threshold_bps: int = field(default=10_000, kw_only=True)  # of one deviation
    trades_kept_max: int = field(default=100_000, kw_only=True)  # of a symbol, for series; 0: none
    candle_ns: int = field(default=60_000_000_000, kw_only=True)  # of the footprint; 0: none
    candles_kept_max: int = field(default=1_440, kw_only=True)
    vpin_bucket_lots: int = field(default=0, kw_only=True)  # 0: no VPIN
    vpin_buckets: int = field(default=50, kw_only=True)
    absorption_trades: int = field(default=0, kw_only=True)  # 0: no absorption


@dataclass(frozen=True)
class ExternalFeedPolicy:
    """How a feed is supervised. The keyword-only settings are beyond the manual and off by default."""

    stale_after_ms: int = 15_000  # 0: never stale
    enforce_sequence: bool = True
    one_numbering: bool = field(default=False, kw_only=True)  # books and trades share a sequence
    drop_duplicates: bool = field(default=False, kw_only=True)  # what is not after the remembered sequence
    reset_after_reconnect: bool = field(default=False, kw_only=True)  # forget the sequences
    event_time: bool = field(default=False, kw_only=True)  # silence is measured in ts_exchange_ns
    clock_skew_max_ms: int = field(default=0, kw_only=True)  # between a ts pair; 0: not checked
    flag_truncated_depth: bool = field(default=False, kw_only=True)  # a level at or above depth_levels
    limit_depth: bool = field(default=False, kw_only=True)  # such a level is not stored
