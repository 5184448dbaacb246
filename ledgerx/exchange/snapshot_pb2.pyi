from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Snapshot(_message.Message):
    __slots__ = ("position", "first_time", "time", "next_due", "venue_id", "run_id", "limits", "order_id", "trade_id", "topics", "contracts", "accounts", "mids_max", "mids", "tops_due")
    POSITION_FIELD_NUMBER: _ClassVar[int]
    FIRST_TIME_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    NEXT_DUE_FIELD_NUMBER: _ClassVar[int]
    VENUE_ID_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    TRADE_ID_FIELD_NUMBER: _ClassVar[int]
    TOPICS_FIELD_NUMBER: _ClassVar[int]
    CONTRACTS_FIELD_NUMBER: _ClassVar[int]
    ACCOUNTS_FIELD_NUMBER: _ClassVar[int]
    MIDS_MAX_FIELD_NUMBER: _ClassVar[int]
    MIDS_FIELD_NUMBER: _ClassVar[int]
    TOPS_DUE_FIELD_NUMBER: _ClassVar[int]
    position: Position
    first_time: int
    time: int
    next_due: int
    venue_id: str
    run_id: int
    limits: bytes
    order_id: int
    trade_id: int
    topics: _containers.RepeatedCompositeFieldContainer[Topic]
    contracts: _containers.RepeatedCompositeFieldContainer[Contract]
    accounts: _containers.RepeatedCompositeFieldContainer[Account]
    mids_max: int
    mids: _containers.RepeatedCompositeFieldContainer[Mids]
    tops_due: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, position: _Optional[_Union[Position, _Mapping]] = ..., first_time: _Optional[int] = ..., time: _Optional[int] = ..., next_due: _Optional[int] = ..., venue_id: _Optional[str] = ..., run_id: _Optional[int] = ..., limits: _Optional[bytes] = ..., order_id: _Optional[int] = ..., trade_id: _Optional[int] = ..., topics: _Optional[_Iterable[_Union[Topic, _Mapping]]] = ..., contracts: _Optional[_Iterable[_Union[Contract, _Mapping]]] = ..., accounts: _Optional[_Iterable[_Union[Account, _Mapping]]] = ..., mids_max: _Optional[int] = ..., mids: _Optional[_Iterable[_Union[Mids, _Mapping]]] = ..., tops_due: _Optional[_Iterable[int]] = ...) -> None: ...

class Position(_message.Message):
    __slots__ = ("number", "segment", "start", "end", "checksum")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    CHECKSUM_FIELD_NUMBER: _ClassVar[int]
    number: int
    segment: int
    start: int
    end: int
    checksum: int
    def __init__(self, number: _Optional[int] = ..., segment: _Optional[int] = ..., start: _Optional[int] = ..., end: _Optional[int] = ..., checksum: _Optional[int] = ...) -> None: ...

class Topic(_message.Message):
    __slots__ = ("name", "head")
    NAME_FIELD_NUMBER: _ClassVar[int]
    HEAD_FIELD_NUMBER: _ClassVar[int]
    name: str
    head: int
    def __init__(self, name: _Optional[str] = ..., head: _Optional[int] = ...) -> None: ...

class Contract(_message.Message):
    __slots__ = ("detail", "state", "top", "book", "orders")
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    TOP_FIELD_NUMBER: _ClassVar[int]
    BOOK_FIELD_NUMBER: _ClassVar[int]
    ORDERS_FIELD_NUMBER: _ClassVar[int]
    detail: bytes
    state: int
    top: _containers.RepeatedScalarFieldContainer[int]
    book: bytes
    orders: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, detail: _Optional[bytes] = ..., state: _Optional[int] = ..., top: _Optional[_Iterable[int]] = ..., book: _Optional[bytes] = ..., orders: _Optional[_Iterable[int]] = ...) -> None: ...

class Account(_message.Message):
    __slots__ = ("cid", "mpid", "name", "public_key", "active", "head", "rate_debt", "rate_time", "holdings", "entries", "orders", "quotes")
    CID_FIELD_NUMBER: _ClassVar[int]
    MPID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    PUBLIC_KEY_FIELD_NUMBER: _ClassVar[int]
    ACTIVE_FIELD_NUMBER: _ClassVar[int]
    HEAD_FIELD_NUMBER: _ClassVar[int]
    RATE_DEBT_FIELD_NUMBER: _ClassVar[int]
    RATE_TIME_FIELD_NUMBER: _ClassVar[int]
    HOLDINGS_FIELD_NUMBER: _ClassVar[int]
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    ORDERS_FIELD_NUMBER: _ClassVar[int]
    QUOTES_FIELD_NUMBER: _ClassVar[int]
    cid: int
    mpid: int
    name: str
    public_key: str
    active: bool
    head: int
    rate_debt: str
    rate_time: int
    holdings: _containers.RepeatedCompositeFieldContainer[Holding]
    entries: _containers.RepeatedCompositeFieldContainer[Entry]
    orders: _containers.RepeatedCompositeFieldContainer[Order]
    quotes: _containers.RepeatedCompositeFieldContainer[Quote]
    def __init__(self, cid: _Optional[int] = ..., mpid: _Optional[int] = ..., name: _Optional[str] = ..., public_key: _Optional[str] = ..., active: _Optional[bool] = ..., head: _Optional[int] = ..., rate_debt: _Optional[str] = ..., rate_time: _Optional[int] = ..., holdings: _Optional[_Iterable[_Union[Holding, _Mapping]]] = ..., entries: _Optional[_Iterable[_Union[Entry, _Mapping]]] = ..., orders: _Optional[_Iterable[_Union[Order, _Mapping]]] = ..., quotes: _Optional[_Iterable[_Union[Quote, _Mapping]]] = ...) -> None: ...

class Holding(_message.Message):
    __slots__ = ("contract_id", "bought_size", "sold_size", "cash_in_cents", "open_bid_size", "open_ask_size")
    CONTRACT_ID_FIELD_NUMBER: _ClassVar[int]
    BOUGHT_SIZE_FIELD_NUMBER: _ClassVar[int]
    SOLD_SIZE_FIELD_NUMBER: _ClassVar[int]
    CASH_IN_CENTS_FIELD_NUMBER: _ClassVar[int]
    OPEN_BID_SIZE_FIELD_NUMBER: _ClassVar[int]
    OPEN_ASK_SIZE_FIELD_NUMBER: _ClassVar[int]
    contract_id: int
    bought_size: str
    sold_size: str
    cash_in_cents: str
    open_bid_size: int
    open_ask_size: int
    def __init__(self, contract_id: _Optional[int] = ..., bought_size: _Optional[str] = ..., sold_size: _Optional[str] = ..., cash_in_cents: _Optional[str] = ..., open_bid_size: _Optional[int] = ..., open_ask_size: _Optional[int] = ...) -> None: ...

class Entry(_message.Message):
    __slots__ = ("mid", "contract_id", "is_quote", "live", "orders")
    MID_FIELD_NUMBER: _ClassVar[int]
    CONTRACT_ID_FIELD_NUMBER: _ClassVar[int]
    IS_QUOTE_FIELD_NUMBER: _ClassVar[int]
    LIVE_FIELD_NUMBER: _ClassVar[int]
    ORDERS_FIELD_NUMBER: _ClassVar[int]
    mid: str
    contract_id: int
    is_quote: bool
    live: int
    orders: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, mid: _Optional[str] = ..., contract_id: _Optional[int] = ..., is_quote: _Optional[bool] = ..., live: _Optional[int] = ..., orders: _Optional[_Iterable[int]] = ...) -> None: ...

class Order(_message.Message):
    __slots__ = ("order_id", "entry", "is_ask", "price", "open_size", "original_size", "post_only")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    ENTRY_FIELD_NUMBER: _ClassVar[int]
    IS_ASK_FIELD_NUMBER: _ClassVar[int]
    PRICE_FIELD_NUMBER: _ClassVar[int]
    OPEN_SIZE_FIELD_NUMBER: _ClassVar[int]
    ORIGINAL_SIZE_FIELD_NUMBER: _ClassVar[int]
    POST_ONLY_FIELD_NUMBER: _ClassVar[int]
    order_id: int
    entry: int
    is_ask: bool
    price: int
    open_size: int
    original_size: int
    post_only: bool
    def __init__(self, order_id: _Optional[int] = ..., entry: _Optional[int] = ..., is_ask: _Optional[bool] = ..., price: _Optional[int] = ..., open_size: _Optional[int] = ..., original_size: _Optional[int] = ..., post_only: _Optional[bool] = ...) -> None: ...

class Quote(_message.Message):
    __slots__ = ("contract_id", "entry")
    CONTRACT_ID_FIELD_NUMBER: _ClassVar[int]
    ENTRY_FIELD_NUMBER: _ClassVar[int]
    contract_id: int
    entry: int
    def __init__(self, contract_id: _Optional[int] = ..., entry: _Optional[int] = ...) -> None: ...

class Mids(_message.Message):
    __slots__ = ("cid", "horizon", "keys", "numbers", "timestamps")
    CID_FIELD_NUMBER: _ClassVar[int]
    HORIZON_FIELD_NUMBER: _ClassVar[int]
    KEYS_FIELD_NUMBER: _ClassVar[int]
    NUMBERS_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMPS_FIELD_NUMBER: _ClassVar[int]
    cid: int
    horizon: int
    keys: bytes
    numbers: bytes
    timestamps: bytes
    def __init__(self, cid: _Optional[int] = ..., horizon: _Optional[int] = ..., keys: _Optional[bytes] = ..., numbers: _Optional[bytes] = ..., timestamps: _Optional[bytes] = ...) -> None: ...
