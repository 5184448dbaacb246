from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Frame(_message.Message):
    __slots__ = ("messages", "replayed", "next_sequence")
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    REPLAYED_FIELD_NUMBER: _ClassVar[int]
    NEXT_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    messages: _containers.RepeatedScalarFieldContainer[bytes]
    replayed: bool
    next_sequence: int
    def __init__(self, messages: _Optional[_Iterable[bytes]] = ..., replayed: _Optional[bool] = ..., next_sequence: _Optional[int] = ...) -> None: ...

class Message(_message.Message):
    __slots__ = ("hello", "limit_order", "market_order", "quote", "cancel_order", "cancel_replace", "cancel_all", "get_contract", "get_book_state", "get_open_orders", "get_positions", "batch", "replay", "status", "action_report", "contract_detail", "book_top", "book_state_snapshot", "book_update", "trade", "position", "run_change", "heartbeat")
    HELLO_FIELD_NUMBER: _ClassVar[int]
    LIMIT_ORDER_FIELD_NUMBER: _ClassVar[int]
    MARKET_ORDER_FIELD_NUMBER: _ClassVar[int]
    QUOTE_FIELD_NUMBER: _ClassVar[int]
    CANCEL_ORDER_FIELD_NUMBER: _ClassVar[int]
    CANCEL_REPLACE_FIELD_NUMBER: _ClassVar[int]
    CANCEL_ALL_FIELD_NUMBER: _ClassVar[int]
    GET_CONTRACT_FIELD_NUMBER: _ClassVar[int]
    GET_BOOK_STATE_FIELD_NUMBER: _ClassVar[int]
    GET_OPEN_ORDERS_FIELD_NUMBER: _ClassVar[int]
    GET_POSITIONS_FIELD_NUMBER: _ClassVar[int]
    BATCH_FIELD_NUMBER: _ClassVar[int]
    REPLAY_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    ACTION_REPORT_FIELD_NUMBER: _ClassVar[int]
    CONTRACT_DETAIL_FIELD_NUMBER: _ClassVar[int]
    BOOK_TOP_FIELD_NUMBER: _ClassVar[int]
    BOOK_STATE_SNAPSHOT_FIELD_NUMBER: _ClassVar[int]
    BOOK_UPDATE_FIELD_NUMBER: _ClassVar[int]
    TRADE_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    RUN_CHANGE_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    hello: MessageHello
    limit_order: MessageLimitOrder
    market_order: MessageMarketOrder
    quote: MessageQuote
    cancel_order: MessageCancelOrder
    cancel_replace: MessageCancelReplace
    cancel_all: MessageCancelAll
    get_contract: MessageGetContract
    get_book_state: MessageGetBookState
    get_open_orders: MessageGetOpenOrders
    get_positions: MessageGetPositions
    batch: MessageBatch
    replay: MessageReplay
    status: MessageStatus
    action_report: MessageActionReport
    contract_detail: MessageContractDetail
    book_top: MessageBookTop
    book_state_snapshot: MessageBookStateSnapshot
    book_update: MessageBookUpdate
    trade: MessageTrade
    position: MessagePosition
    run_change: MessageRunChange
    heartbeat: MessageHeartbeat
    def __init__(self, hello: _Optional[_Union[MessageHello, _Mapping]] = ..., limit_order: _Optional[_Union[MessageLimitOrder, _Mapping]] = ..., market_order: _Optional[_Union[MessageMarketOrder, _Mapping]] = ..., quote: _Optional[_Union[MessageQuote, _Mapping]] = ..., cancel_order: _Optional[_Union[MessageCancelOrder, _Mapping]] = ..., cancel_replace: _Optional[_Union[MessageCancelReplace, _Mapping]] = ..., cancel_all: _Optional[_Union[MessageCancelAll, _Mapping]] = ..., get_contract: _Optional[_Union[MessageGetContract, _Mapping]] = ..., get_book_state: _Optional[_Union[MessageGetBookState, _Mapping]] = ..., get_open_orders: _Optional[_Union[MessageGetOpenOrders, _Mapping]] = ..., get_positions: _Optional[_Union[MessageGetPositions, _Mapping]] = ..., batch: _Optional[_Union[MessageBatch, _Mapping]] = ..., replay: _Optional[_Union[MessageReplay, _Mapping]] = ..., status: _Optional[_Union[MessageStatus, _Mapping]] = ..., action_report: _Optional[_Union[MessageActionReport, _Mapping]] = ..., contract_detail: _Optional[_Union[MessageContractDetail, _Mapping]] = ..., book_top: _Optional[_Union[MessageBookTop, _Mapping]] = ..., book_state_snapshot: _Optional[_Union[MessageBookStateSnapshot, _Mapping]] = ..., book_update: _Optional[_Union[MessageBookUpdate, _Mapping]] = ..., trade: _Optional[_Union[MessageTrade, _Mapping]] = ..., position: _Optional[_Union[MessagePosition, _Mapping]] = ..., run_change: _Optional[_Union[MessageRunChange, _Mapping]] = ..., heartbeat: _Optional[_Union[MessageHeartbeat, _Mapping]] = ...) -> None: ...

class MessageHello(_message.Message):
    __slots__ = ("mid", "mversion", "run_id", "timestamp", "cid", "mpid", "account_sequence", "as_of", "remaining", "expires", "client_instance", "connection", "next_sequence", "venue_id", "head", "interval_ms")
    MID_FIELD_NUMBER: _ClassVar[int]
    MVERSION_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    CID_FIELD_NUMBER: _ClassVar[int]
    MPID_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    REMAINING_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_FIELD_NUMBER: _ClassVar[int]
    CLIENT_INSTANCE_FIELD_NUMBER: _ClassVar[int]
    CONNECTION_FIELD_NUMBER: _ClassVar[int]
    NEXT_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    VENUE_ID_FIELD_NUMBER: _ClassVar[int]
    HEAD_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_MS_FIELD_NUMBER: _ClassVar[int]
    mid: str
    mversion: str
    run_id: int
    timestamp: int
    cid: int
    mpid: int
    account_sequence: int
    as_of: int
    remaining: int
    expires: int
    client_instance: str
    connection: int
    next_sequence: int
    venue_id: str
    head: int
    interval_ms: int
    def __init__(self, mid: _Optional[str] = ..., mversion: _Optional[str] = ..., run_id: _Optional[int] = ..., timestamp: _Optional[int] = ..., cid: _Optional[int] = ..., mpid: _Optional[int] = ..., account_sequence: _Optional[int] = ..., as_of: _Optional[int] = ..., remaining: _Optional[int] = ..., expires: _Optional[int] = ..., client_instance: _Optional[str] = ..., connection: _Optional[int] = ..., next_sequence: _Optional[int] = ..., venue_id: _Optional[str] = ..., head: _Optional[int] = ..., interval_ms: _Optional[int] = ...) -> None: ...

class MessageHeartbeat(_message.Message):
    __slots__ = ("mid", "mversion", "run_id", "timestamp", "cid", "mpid", "account_sequence", "as_of", "remaining", "expires", "interval_ms", "head", "heads")
    MID_FIELD_NUMBER: _ClassVar[int]
    MVERSION_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    CID_FIELD_NUMBER: _ClassVar[int]
    MPID_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    REMAINING_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_FIELD_NUMBER: _ClassVar[int]
    INTERVAL_MS_FIELD_NUMBER: _ClassVar[int]
    HEAD_FIELD_NUMBER: _ClassVar[int]
    HEADS_FIELD_NUMBER: _ClassVar[int]
    mid: str
    mversion: str
    run_id: int
    timestamp: int
    cid: int
    mpid: int
    account_sequence: int
    as_of: int
    remaining: int
    expires: int
    interval_ms: int
    head: int
    heads: _containers.RepeatedCompositeFieldContainer[TopicHead]
    def __init__(self, mid: _Optional[str] = ..., mversion: _Optional[str] = ..., run_id: _Optional[int] = ..., timestamp: _Optional[int] = ..., cid: _Optional[int] = ..., mpid: _Optional[int] = ..., account_sequence: _Optional[int] = ..., as_of: _Optional[int] = ..., remaining: _Optional[int] = ..., expires: _Optional[int] = ..., interval_ms: _Optional[int] = ..., head: _Optional[int] = ..., heads: _Optional[_Iterable[_Union[TopicHead, _Mapping]]] = ...) -> None: ...

class TopicHead(_message.Message):
    __slots__ = ("topic", "sequence")
    TOPIC_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    topic: str
    sequence: int
    def __init__(self, topic: _Optional[str] = ..., sequence: _Optional[int] = ...) -> None: ...

class MessageLimitOrder(_message.Message):
    __slots__ = ("mid", "mversion", "run_id", "timestamp", "cid", "mpid", "account_sequence", "as_of", "remaining", "expires", "contract_id", "size", "price_in_cents", "is_ask", "post_only", "time_in_force")
    class TimeInForce(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        GTC: _ClassVar[MessageLimitOrder.TimeInForce]
        IOC: _ClassVar[MessageLimitOrder.TimeInForce]
        FOK: _ClassVar[MessageLimitOrder.TimeInForce]
    GTC: MessageLimitOrder.TimeInForce
    IOC: MessageLimitOrder.TimeInForce
    FOK: MessageLimitOrder.TimeInForce
    MID_FIELD_NUMBER: _ClassVar[int]
    MVERSION_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    CID_FIELD_NUMBER: _ClassVar[int]
    MPID_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    REMAINING_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_FIELD_NUMBER: _ClassVar[int]
    CONTRACT_ID_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    PRICE_IN_CENTS_FIELD_NUMBER: _ClassVar[int]
    IS_ASK_FIELD_NUMBER: _ClassVar[int]
    POST_ONLY_FIELD_NUMBER: _ClassVar[int]
    TIME_IN_FORCE_FIELD_NUMBER: _ClassVar[int]
    mid: str
    mversion: str
    run_id: int
    timestamp: int
    cid: int
    mpid: int
    account_sequence: int
    as_of: int
    remaining: int
    expires: int
    contract_id: int
    size: int
    price_in_cents: int
    is_ask: bool
    post_only: bool
    time_in_force: MessageLimitOrder.TimeInForce
    def __init__(self, mid: _Optional[str] = ..., mversion: _Optional[str] = ..., run_id: _Optional[int] = ..., timestamp: _Optional[int] = ..., cid: _Optional[int] = ..., mpid: _Optional[int] = ..., account_sequence: _Optional[int] = ..., as_of: _Optional[int] = ..., remaining: _Optional[int] = ..., expires: _Optional[int] = ..., contract_id: _Optional[int] = ..., size: _Optional[int] = ..., price_in_cents: _Optional[int] = ..., is_ask: _Optional[bool] = ..., post_only: _Optional[bool] = ..., time_in_force: _Optional[_Union[MessageLimitOrder.TimeInForce, str]] = ...) -> None: ...

class MessageMarketOrder(_message.Message):
    __slots__ = ("mid", "mversion", "run_id", "timestamp", "cid", "mpid", "account_sequence", "as_of", "remaining", "expires", "contract_id", "size", "is_ask")
    MID_FIELD_NUMBER: _ClassVar[int]
    MVERSION_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    CID_FIELD_NUMBER: _ClassVar[int]
    MPID_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    REMAINING_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_FIELD_NUMBER: _ClassVar[int]
    CONTRACT_ID_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    IS_ASK_FIELD_NUMBER: _ClassVar[int]
    mid: str
    mversion: str
    run_id: int
    timestamp: int
    cid: int
    mpid: int
    account_sequence: int
    as_of: int
    remaining: int
    expires: int
    contract_id: int
    size: int
    is_ask: bool
    def __init__(self, mid: _Optional[str] = ..., mversion: _Optional[str] = ..., run_id: _Optional[int] = ..., timestamp: _Optional[int] = ..., cid: _Optional[int] = ..., mpid: _Optional[int] = ..., account_sequence: _Optional[int] = ..., as_of: _Optional[int] = ..., remaining: _Optional[int] = ..., expires: _Optional[int] = ..., contract_id: _Optional[int] = ..., size: _Optional[int] = ..., is_ask: _Optional[bool] = ...) -> None: ...

class MessageQuote(_message.Message):
    __slots__ = ("mid", "mversion", "run_id", "timestamp", "cid", "mpid", "account_sequence", "as_of", "remaining", "expires", "contract_id", "bid_price_in_cents", "bid_size", "ask_price_in_cents", "ask_size")
    MID_FIELD_NUMBER: _ClassVar[int]
    MVERSION_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    CID_FIELD_NUMBER: _ClassVar[int]
    MPID_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    REMAINING_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_FIELD_NUMBER: _ClassVar[int]
    CONTRACT_ID_FIELD_NUMBER: _ClassVar[int]
    BID_PRICE_IN_CENTS_FIELD_NUMBER: _ClassVar[int]
    BID_SIZE_FIELD_NUMBER: _ClassVar[int]
    ASK_PRICE_IN_CENTS_FIELD_NUMBER: _ClassVar[int]
    ASK_SIZE_FIELD_NUMBER: _ClassVar[int]
    mid: str
    mversion: str
    run_id: int
    timestamp: int
    cid: int
    mpid: int
    account_sequence: int
    as_of: int
    remaining: int
    expires: int
    contract_id: int
    bid_price_in_cents: int
    bid_size: int
    ask_price_in_cents: int
    ask_size: int
    def __init__(self, mid: _Optional[str] = ..., mversion: _Optional[str] = ..., run_id: _Optional[int] = ..., timestamp: _Optional[int] = ..., cid: _Optional[int] = ..., mpid: _Optional[int] = ..., account_sequence: _Optional[int] = ..., as_of: _Optional[int] = ..., remaining: _Optional[int] = ..., expires: _Optional[int] = ..., contract_id: _Optional[int] = ..., bid_price_in_cents: _Optional[int] = ..., bid_size: _Optional[int] = ..., ask_price_in_cents: _Optional[int] = ..., ask_size: _Optional[int] = ...) -> None: ...

class MessageCancelOrder(_message.Message):
    __slots__ = ("mid", "mversion", "run_id", "timestamp", "cid", "mpid", "account_sequence", "as_of", "remaining", "expires", "contract_id", "entry_id")
    MID_FIELD_NUMBER: _ClassVar[int]
    MVERSION_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    CID_FIELD_NUMBER: _ClassVar[int]
    MPID_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    REMAINING_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_FIELD_NUMBER: _ClassVar[int]
    CONTRACT_ID_FIELD_NUMBER: _ClassVar[int]
    ENTRY_ID_FIELD_NUMBER: _ClassVar[int]
    mid: str
    mversion: str
    run_id: int
    timestamp: int
    cid: int
    mpid: int
    account_sequence: int
    as_of: int
    remaining: int
    expires: int
    contract_id: int
    entry_id: str
    def __init__(self, mid: _Optional[str] = ..., mversion: _Optional[str] = ..., run_id: _Optional[int] = ..., timestamp: _Optional[int] = ..., cid: _Optional[int] = ..., mpid: _Optional[int] = ..., account_sequence: _Optional[int] = ..., as_of: _Optional[int] = ..., remaining: _Optional[int] = ..., expires: _Optional[int] = ..., contract_id: _Optional[int] = ..., entry_id: _Optional[str] = ...) -> None: ...

class MessageCancelReplace(_message.Message):
    __slots__ = ("mid", "mversion", "run_id", "timestamp", "cid", "mpid", "account_sequence", "as_of", "remaining", "expires", "contract_id", "entry_id", "size", "price_in_cents")
    MID_FIELD_NUMBER: _ClassVar[int]
    MVERSION_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    CID_FIELD_NUMBER: _ClassVar[int]
    MPID_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    REMAINING_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_FIELD_NUMBER: _ClassVar[int]
    CONTRACT_ID_FIELD_NUMBER: _ClassVar[int]
    ENTRY_ID_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    PRICE_IN_CENTS_FIELD_NUMBER: _ClassVar[int]
    mid: str
    mversion: str
    run_id: int
    timestamp: int
    cid: int
    mpid: int
    account_sequence: int
    as_of: int
    remaining: int
    expires: int
    contract_id: int
    entry_id: str
    size: int
    price_in_cents: int
    def __init__(self, mid: _Optional[str] = ..., mversion: _Optional[str] = ..., run_id: _Optional[int] = ..., timestamp: _Optional[int] = ..., cid: _Optional[int] = ..., mpid: _Optional[int] = ..., account_sequence: _Optional[int] = ..., as_of: _Optional[int] = ..., remaining: _Optional[int] = ..., expires: _Optional[int] = ..., contract_id: _Optional[int] = ..., entry_id: _Optional[str] = ..., size: _Optional[int] = ..., price_in_cents: _Optional[int] = ...) -> None: ...

class MessageCancelAll(_message.Message):
    __slots__ = ("mid", "mversion", "run_id", "timestamp", "cid", "mpid", "account_sequence", "as_of", "remaining", "expires", "contract_id")
    MID_FIELD_NUMBER: _ClassVar[int]
    MVERSION_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    CID_FIELD_NUMBER: _ClassVar[int]
    MPID_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    REMAINING_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_FIELD_NUMBER: _ClassVar[int]
    CONTRACT_ID_FIELD_NUMBER: _ClassVar[int]
    mid: str
    mversion: str
    run_id: int
    timestamp: int
    cid: int
    mpid: int
    account_sequence: int
    as_of: int
    remaining: int
    expires: int
    contract_id: int
    def __init__(self, mid: _Optional[str] = ..., mversion: _Optional[str] = ..., run_id: _Optional[int] = ..., timestamp: _Optional[int] = ..., cid: _Optional[int] = ..., mpid: _Optional[int] = ..., account_sequence: _Optional[int] = ..., as_of: _Optional[int] = ..., remaining: _Optional[int] = ..., expires: _Optional[int] = ..., contract_id: _Optional[int] = ...) -> None: ...

class MessageGetContract(_message.Message):
    __slots__ = ("mid", "mversion", "run_id", "timestamp", "cid", "mpid", "account_sequence", "as_of", "remaining", "expires", "contract_id", "all_contracts")
    MID_FIELD_NUMBER: _ClassVar[int]
    MVERSION_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    CID_FIELD_NUMBER: _ClassVar[int]
    MPID_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    REMAINING_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_FIELD_NUMBER: _ClassVar[int]
    CONTRACT_ID_FIELD_NUMBER: _ClassVar[int]
    ALL_CONTRACTS_FIELD_NUMBER: _ClassVar[int]
    mid: str
    mversion: str
    run_id: int
    timestamp: int
    cid: int
    mpid: int
    account_sequence: int
    as_of: int
    remaining: int
    expires: int
    contract_id: int
    all_contracts: bool
    def __init__(self, mid: _Optional[str] = ..., mversion: _Optional[str] = ..., run_id: _Optional[int] = ..., timestamp: _Optional[int] = ..., cid: _Optional[int] = ..., mpid: _Optional[int] = ..., account_sequence: _Optional[int] = ..., as_of: _Optional[int] = ..., remaining: _Optional[int] = ..., expires: _Optional[int] = ..., contract_id: _Optional[int] = ..., all_contracts: _Optional[bool] = ...) -> None: ...

class MessageGetBookState(_message.Message):
    __slots__ = ("mid", "mversion", "run_id", "timestamp", "cid", "mpid", "account_sequence", "as_of", "remaining", "expires", "contract_id")
    MID_FIELD_NUMBER: _ClassVar[int]
    MVERSION_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    CID_FIELD_NUMBER: _ClassVar[int]
    MPID_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    REMAINING_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_FIELD_NUMBER: _ClassVar[int]
    CONTRACT_ID_FIELD_NUMBER: _ClassVar[int]
    mid: str
    mversion: str
    run_id: int
    timestamp: int
    cid: int
    mpid: int
    account_sequence: int
    as_of: int
    remaining: int
    expires: int
    contract_id: int
    def __init__(self, mid: _Optional[str] = ..., mversion: _Optional[str] = ..., run_id: _Optional[int] = ..., timestamp: _Optional[int] = ..., cid: _Optional[int] = ..., mpid: _Optional[int] = ..., account_sequence: _Optional[int] = ..., as_of: _Optional[int] = ..., remaining: _Optional[int] = ..., expires: _Optional[int] = ..., contract_id: _Optional[int] = ...) -> None: ...

class MessageGetOpenOrders(_message.Message):
    __slots__ = ("mid", "mversion", "run_id", "timestamp", "cid", "mpid", "account_sequence", "as_of", "remaining", "expires", "contract_id")
    MID_FIELD_NUMBER: _ClassVar[int]
    MVERSION_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    CID_FIELD_NUMBER: _ClassVar[int]
    MPID_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    REMAINING_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_FIELD_NUMBER: _ClassVar[int]
    CONTRACT_ID_FIELD_NUMBER: _ClassVar[int]
    mid: str
    mversion: str
    run_id: int
    timestamp: int
    cid: int
    mpid: int
    account_sequence: int
    as_of: int
    remaining: int
    expires: int
    contract_id: int
    def __init__(self, mid: _Optional[str] = ..., mversion: _Optional[str] = ..., run_id: _Optional[int] = ..., timestamp: _Optional[int] = ..., cid: _Optional[int] = ..., mpid: _Optional[int] = ..., account_sequence: _Optional[int] = ..., as_of: _Optional[int] = ..., remaining: _Optional[int] = ..., expires: _Optional[int] = ..., contract_id: _Optional[int] = ...) -> None: ...

class MessageGetPositions(_message.Message):
    __slots__ = ("mid", "mversion", "run_id", "timestamp", "cid", "mpid", "account_sequence", "as_of", "remaining", "expires")
    MID_FIELD_NUMBER: _ClassVar[int]
    MVERSION_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    CID_FIELD_NUMBER: _ClassVar[int]
    MPID_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    REMAINING_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_FIELD_NUMBER: _ClassVar[int]
    mid: str
    mversion: str
    run_id: int
    timestamp: int
    cid: int
    mpid: int
    account_sequence: int
    as_of: int
    remaining: int
    expires: int
    def __init__(self, mid: _Optional[str] = ..., mversion: _Optional[str] = ..., run_id: _Optional[int] = ..., timestamp: _Optional[int] = ..., cid: _Optional[int] = ..., mpid: _Optional[int] = ..., account_sequence: _Optional[int] = ..., as_of: _Optional[int] = ..., remaining: _Optional[int] = ..., expires: _Optional[int] = ...) -> None: ...

class MessageBatch(_message.Message):
    __slots__ = ("mid", "mversion", "run_id", "timestamp", "cid", "mpid", "account_sequence", "as_of", "remaining", "expires", "messages", "requests")
    MID_FIELD_NUMBER: _ClassVar[int]
    MVERSION_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    CID_FIELD_NUMBER: _ClassVar[int]
    MPID_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    REMAINING_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    REQUESTS_FIELD_NUMBER: _ClassVar[int]
    mid: str
    mversion: str
    run_id: int
    timestamp: int
    cid: int
    mpid: int
    account_sequence: int
    as_of: int
    remaining: int
    expires: int
    messages: _containers.RepeatedCompositeFieldContainer[MessageStatus]
    requests: _containers.RepeatedCompositeFieldContainer[Message]
    def __init__(self, mid: _Optional[str] = ..., mversion: _Optional[str] = ..., run_id: _Optional[int] = ..., timestamp: _Optional[int] = ..., cid: _Optional[int] = ..., mpid: _Optional[int] = ..., account_sequence: _Optional[int] = ..., as_of: _Optional[int] = ..., remaining: _Optional[int] = ..., expires: _Optional[int] = ..., messages: _Optional[_Iterable[_Union[MessageStatus, _Mapping]]] = ..., requests: _Optional[_Iterable[_Union[Message, _Mapping]]] = ...) -> None: ...

class MessageReplay(_message.Message):
    __slots__ = ("mid", "mversion", "run_id", "timestamp", "cid", "mpid", "account_sequence", "as_of", "remaining", "expires", "from_sequence", "to_sequence")
    MID_FIELD_NUMBER: _ClassVar[int]
    MVERSION_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    CID_FIELD_NUMBER: _ClassVar[int]
    MPID_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    REMAINING_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_FIELD_NUMBER: _ClassVar[int]
    FROM_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    TO_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    mid: str
    mversion: str
    run_id: int
    timestamp: int
    cid: int
    mpid: int
    account_sequence: int
    as_of: int
    remaining: int
    expires: int
    from_sequence: int
    to_sequence: int
    def __init__(self, mid: _Optional[str] = ..., mversion: _Optional[str] = ..., run_id: _Optional[int] = ..., timestamp: _Optional[int] = ..., cid: _Optional[int] = ..., mpid: _Optional[int] = ..., account_sequence: _Optional[int] = ..., as_of: _Optional[int] = ..., remaining: _Optional[int] = ..., expires: _Optional[int] = ..., from_sequence: _Optional[int] = ..., to_sequence: _Optional[int] = ...) -> None: ...

class MessageStatus(_message.Message):
    __slots__ = ("mid", "mversion", "run_id", "timestamp", "cid", "mpid", "account_sequence", "as_of", "remaining", "expires", "status", "message", "field", "next", "first_available")
    class Status(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATUS_UNSPECIFIED: _ClassVar[MessageStatus.Status]
        STATUS_ORDER_SUCCESS: _ClassVar[MessageStatus.Status]
        STATUS_ORDER_FILLED: _ClassVar[MessageStatus.Status]
        STATUS_ORDER_NOT_FILLED: _ClassVar[MessageStatus.Status]
        STATUS_ORDER_CANCELED: _ClassVar[MessageStatus.Status]
        STATUS_ORDER_REPLACED: _ClassVar[MessageStatus.Status]
        STATUS_COMPLETE: _ClassVar[MessageStatus.Status]
        STATUS_ACKNOWLEDGED: _ClassVar[MessageStatus.Status]
        STATUS_MALFORMED: _ClassVar[MessageStatus.Status]
        STATUS_UNKNOWN_CONTRACT: _ClassVar[MessageStatus.Status]
        STATUS_MID_REUSED: _ClassVar[MessageStatus.Status]
        STATUS_REQUEST_EXPIRED: _ClassVar[MessageStatus.Status]
        STATUS_BATCH_SIZE: _ClassVar[MessageStatus.Status]
        STATUS_TIMESTAMP_STALE: _ClassVar[MessageStatus.Status]
        STATUS_TIMESTAMP_AHEAD: _ClassVar[MessageStatus.Status]
        STATUS_REPLAY_RANGE: _ClassVar[MessageStatus.Status]
        STATUS_UNSUPPORTED_VERSION: _ClassVar[MessageStatus.Status]
        STATUS_RATE_EXCEEDED: _ClassVar[MessageStatus.Status]
        STATUS_VENUE_ERROR: _ClassVar[MessageStatus.Status]
        STATUS_NO_SUCH_ORDER: _ClassVar[MessageStatus.Status]
        STATUS_WOULD_CROSS: _ClassVar[MessageStatus.Status]
        STATUS_HALTED: _ClassVar[MessageStatus.Status]
        STATUS_CONTRACT_EXPIRED: _ClassVar[MessageStatus.Status]
        STATUS_PRICE_BAND: _ClassVar[MessageStatus.Status]
        STATUS_POSITION_LIMIT: _ClassVar[MessageStatus.Status]
        STATUS_SELF_TRADE: _ClassVar[MessageStatus.Status]
        STATUS_NOT_FILLABLE: _ClassVar[MessageStatus.Status]
        STATUS_ORDER_LIMIT: _ClassVar[MessageStatus.Status]
    STATUS_UNSPECIFIED: MessageStatus.Status
    STATUS_ORDER_SUCCESS: MessageStatus.Status
    STATUS_ORDER_FILLED: MessageStatus.Status
    STATUS_ORDER_NOT_FILLED: MessageStatus.Status
    STATUS_ORDER_CANCELED: MessageStatus.Status
    STATUS_ORDER_REPLACED: MessageStatus.Status
    STATUS_COMPLETE: MessageStatus.Status
    STATUS_ACKNOWLEDGED: MessageStatus.Status
    STATUS_MALFORMED: MessageStatus.Status
    STATUS_UNKNOWN_CONTRACT: MessageStatus.Status
    STATUS_MID_REUSED: MessageStatus.Status
    STATUS_REQUEST_EXPIRED: MessageStatus.Status
    STATUS_BATCH_SIZE: MessageStatus.Status
    STATUS_TIMESTAMP_STALE: MessageStatus.Status
    STATUS_TIMESTAMP_AHEAD: MessageStatus.Status
    STATUS_REPLAY_RANGE: MessageStatus.Status
    STATUS_UNSUPPORTED_VERSION: MessageStatus.Status
    STATUS_RATE_EXCEEDED: MessageStatus.Status
    STATUS_VENUE_ERROR: MessageStatus.Status
    STATUS_NO_SUCH_ORDER: MessageStatus.Status
    STATUS_WOULD_CROSS: MessageStatus.Status
    STATUS_HALTED: MessageStatus.Status
    STATUS_CONTRACT_EXPIRED: MessageStatus.Status
    STATUS_PRICE_BAND: MessageStatus.Status
    STATUS_POSITION_LIMIT: MessageStatus.Status
    STATUS_SELF_TRADE: MessageStatus.Status
    STATUS_NOT_FILLABLE: MessageStatus.Status
    STATUS_ORDER_LIMIT: MessageStatus.Status
    MID_FIELD_NUMBER: _ClassVar[int]
    MVERSION_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    CID_FIELD_NUMBER: _ClassVar[int]
    MPID_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    REMAINING_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    NEXT_FIELD_NUMBER: _ClassVar[int]
    FIRST_AVAILABLE_FIELD_NUMBER: _ClassVar[int]
    mid: str
    mversion: str
    run_id: int
    timestamp: int
    cid: int
    mpid: int
    account_sequence: int
    as_of: int
    remaining: int
    expires: int
    status: MessageStatus.Status
    message: str
    field: str
    next: int
    first_available: int
    def __init__(self, mid: _Optional[str] = ..., mversion: _Optional[str] = ..., run_id: _Optional[int] = ..., timestamp: _Optional[int] = ..., cid: _Optional[int] = ..., mpid: _Optional[int] = ..., account_sequence: _Optional[int] = ..., as_of: _Optional[int] = ..., remaining: _Optional[int] = ..., expires: _Optional[int] = ..., status: _Optional[_Union[MessageStatus.Status, str]] = ..., message: _Optional[str] = ..., field: _Optional[str] = ..., next: _Optional[int] = ..., first_available: _Optional[int] = ...) -> None: ...

class MessageActionReport(_message.Message):
    __slots__ = ("mid", "mversion", "run_id", "timestamp", "cid", "mpid", "account_sequence", "as_of", "remaining", "expires", "request_mid", "order_id", "contract_id", "is_ask", "status_type", "size", "original_size", "price_in_cents", "filled_size", "filled_price_in_cents", "inserted_size", "canceled_size", "is_aggressor", "trade_id")
    class StatusType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATUS_UNSPECIFIED: _ClassVar[MessageActionReport.StatusType]
        STATUS_INSERTED: _ClassVar[MessageActionReport.StatusType]
        STATUS_FILLED: _ClassVar[MessageActionReport.StatusType]
        STATUS_NOT_FILLED: _ClassVar[MessageActionReport.StatusType]
        STATUS_CANCELED: _ClassVar[MessageActionReport.StatusType]
        STATUS_REPLACED: _ClassVar[MessageActionReport.StatusType]
    STATUS_UNSPECIFIED: MessageActionReport.StatusType
    STATUS_INSERTED: MessageActionReport.StatusType
    STATUS_FILLED: MessageActionReport.StatusType
    STATUS_NOT_FILLED: MessageActionReport.StatusType
    STATUS_CANCELED: MessageActionReport.StatusType
    STATUS_REPLACED: MessageActionReport.StatusType
    MID_FIELD_NUMBER: _ClassVar[int]
    MVERSION_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    CID_FIELD_NUMBER: _ClassVar[int]
    MPID_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    REMAINING_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_FIELD_NUMBER: _ClassVar[int]
    REQUEST_MID_FIELD_NUMBER: _ClassVar[int]
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    CONTRACT_ID_FIELD_NUMBER: _ClassVar[int]
    IS_ASK_FIELD_NUMBER: _ClassVar[int]
    STATUS_TYPE_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    ORIGINAL_SIZE_FIELD_NUMBER: _ClassVar[int]
    PRICE_IN_CENTS_FIELD_NUMBER: _ClassVar[int]
    FILLED_SIZE_FIELD_NUMBER: _ClassVar[int]
    FILLED_PRICE_IN_CENTS_FIELD_NUMBER: _ClassVar[int]
    INSERTED_SIZE_FIELD_NUMBER: _ClassVar[int]
    CANCELED_SIZE_FIELD_NUMBER: _ClassVar[int]
    IS_AGGRESSOR_FIELD_NUMBER: _ClassVar[int]
    TRADE_ID_FIELD_NUMBER: _ClassVar[int]
    mid: str
    mversion: str
    run_id: int
    timestamp: int
    cid: int
    mpid: int
    account_sequence: int
    as_of: int
    remaining: int
    expires: int
    request_mid: str
    order_id: int
    contract_id: int
    is_ask: bool
    status_type: MessageActionReport.StatusType
    size: int
    original_size: int
    price_in_cents: int
    filled_size: int
    filled_price_in_cents: int
    inserted_size: int
    canceled_size: int
    is_aggressor: bool
    trade_id: int
    def __init__(self, mid: _Optional[str] = ..., mversion: _Optional[str] = ..., run_id: _Optional[int] = ..., timestamp: _Optional[int] = ..., cid: _Optional[int] = ..., mpid: _Optional[int] = ..., account_sequence: _Optional[int] = ..., as_of: _Optional[int] = ..., remaining: _Optional[int] = ..., expires: _Optional[int] = ..., request_mid: _Optional[str] = ..., order_id: _Optional[int] = ..., contract_id: _Optional[int] = ..., is_ask: _Optional[bool] = ..., status_type: _Optional[_Union[MessageActionReport.StatusType, str]] = ..., size: _Optional[int] = ..., original_size: _Optional[int] = ..., price_in_cents: _Optional[int] = ..., filled_size: _Optional[int] = ..., filled_price_in_cents: _Optional[int] = ..., inserted_size: _Optional[int] = ..., canceled_size: _Optional[int] = ..., is_aggressor: _Optional[bool] = ..., trade_id: _Optional[int] = ...) -> None: ...

class MessageContractDetail(_message.Message):
    __slots__ = ("mid", "mversion", "run_id", "timestamp", "cid", "mpid", "account_sequence", "as_of", "remaining", "expires", "contract_id", "label", "underlying", "is_call", "strike_in_cents", "expiry", "tick_in_cents", "multiplier", "min_size", "max_size", "min_price_in_cents", "max_price_in_cents", "state")
    class State(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        OPEN: _ClassVar[MessageContractDetail.State]
        HALTED: _ClassVar[MessageContractDetail.State]
        EXPIRED: _ClassVar[MessageContractDetail.State]
    OPEN: MessageContractDetail.State
    HALTED: MessageContractDetail.State
    EXPIRED: MessageContractDetail.State
    MID_FIELD_NUMBER: _ClassVar[int]
    MVERSION_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    CID_FIELD_NUMBER: _ClassVar[int]
    MPID_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    REMAINING_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_FIELD_NUMBER: _ClassVar[int]
    CONTRACT_ID_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    UNDERLYING_FIELD_NUMBER: _ClassVar[int]
    IS_CALL_FIELD_NUMBER: _ClassVar[int]
    STRIKE_IN_CENTS_FIELD_NUMBER: _ClassVar[int]
    EXPIRY_FIELD_NUMBER: _ClassVar[int]
    TICK_IN_CENTS_FIELD_NUMBER: _ClassVar[int]
    MULTIPLIER_FIELD_NUMBER: _ClassVar[int]
    MIN_SIZE_FIELD_NUMBER: _ClassVar[int]
    MAX_SIZE_FIELD_NUMBER: _ClassVar[int]
    MIN_PRICE_IN_CENTS_FIELD_NUMBER: _ClassVar[int]
    MAX_PRICE_IN_CENTS_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    mid: str
    mversion: str
    run_id: int
    timestamp: int
    cid: int
    mpid: int
    account_sequence: int
    as_of: int
    remaining: int
    expires: int
    contract_id: int
    label: str
    underlying: str
    is_call: bool
    strike_in_cents: int
    expiry: int
    tick_in_cents: int
    multiplier: int
    min_size: int
    max_size: int
    min_price_in_cents: int
    max_price_in_cents: int
    state: MessageContractDetail.State
    def __init__(self, mid: _Optional[str] = ..., mversion: _Optional[str] = ..., run_id: _Optional[int] = ..., timestamp: _Optional[int] = ..., cid: _Optional[int] = ..., mpid: _Optional[int] = ..., account_sequence: _Optional[int] = ..., as_of: _Optional[int] = ..., remaining: _Optional[int] = ..., expires: _Optional[int] = ..., contract_id: _Optional[int] = ..., label: _Optional[str] = ..., underlying: _Optional[str] = ..., is_call: _Optional[bool] = ..., strike_in_cents: _Optional[int] = ..., expiry: _Optional[int] = ..., tick_in_cents: _Optional[int] = ..., multiplier: _Optional[int] = ..., min_size: _Optional[int] = ..., max_size: _Optional[int] = ..., min_price_in_cents: _Optional[int] = ..., max_price_in_cents: _Optional[int] = ..., state: _Optional[_Union[MessageContractDetail.State, str]] = ...) -> None: ...

class MessageBookTop(_message.Message):
    __slots__ = ("mid", "mversion", "run_id", "timestamp", "cid", "mpid", "account_sequence", "as_of", "remaining", "expires", "contract_id", "sequence", "bid", "bid_size", "ask", "ask_size")
    MID_FIELD_NUMBER: _ClassVar[int]
    MVERSION_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    CID_FIELD_NUMBER: _ClassVar[int]
    MPID_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    REMAINING_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_FIELD_NUMBER: _ClassVar[int]
    CONTRACT_ID_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    BID_FIELD_NUMBER: _ClassVar[int]
    BID_SIZE_FIELD_NUMBER: _ClassVar[int]
    ASK_FIELD_NUMBER: _ClassVar[int]
    ASK_SIZE_FIELD_NUMBER: _ClassVar[int]
    mid: str
    mversion: str
    run_id: int
    timestamp: int
    cid: int
    mpid: int
    account_sequence: int
    as_of: int
    remaining: int
    expires: int
    contract_id: int
    sequence: int
    bid: int
    bid_size: int
    ask: int
    ask_size: int
    def __init__(self, mid: _Optional[str] = ..., mversion: _Optional[str] = ..., run_id: _Optional[int] = ..., timestamp: _Optional[int] = ..., cid: _Optional[int] = ..., mpid: _Optional[int] = ..., account_sequence: _Optional[int] = ..., as_of: _Optional[int] = ..., remaining: _Optional[int] = ..., expires: _Optional[int] = ..., contract_id: _Optional[int] = ..., sequence: _Optional[int] = ..., bid: _Optional[int] = ..., bid_size: _Optional[int] = ..., ask: _Optional[int] = ..., ask_size: _Optional[int] = ...) -> None: ...

class BookOrder(_message.Message):
    __slots__ = ("order_id", "is_ask", "price_in_cents", "size", "mid")
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    IS_ASK_FIELD_NUMBER: _ClassVar[int]
    PRICE_IN_CENTS_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    MID_FIELD_NUMBER: _ClassVar[int]
    order_id: int
    is_ask: bool
    price_in_cents: int
    size: int
    mid: str
    def __init__(self, order_id: _Optional[int] = ..., is_ask: _Optional[bool] = ..., price_in_cents: _Optional[int] = ..., size: _Optional[int] = ..., mid: _Optional[str] = ...) -> None: ...

class MessageBookStateSnapshot(_message.Message):
    __slots__ = ("mid", "mversion", "run_id", "timestamp", "cid", "mpid", "account_sequence", "as_of", "remaining", "expires", "contract_id", "sequence", "orders", "checksum")
    MID_FIELD_NUMBER: _ClassVar[int]
    MVERSION_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    CID_FIELD_NUMBER: _ClassVar[int]
    MPID_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    REMAINING_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_FIELD_NUMBER: _ClassVar[int]
    CONTRACT_ID_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    ORDERS_FIELD_NUMBER: _ClassVar[int]
    CHECKSUM_FIELD_NUMBER: _ClassVar[int]
    mid: str
    mversion: str
    run_id: int
    timestamp: int
    cid: int
    mpid: int
    account_sequence: int
    as_of: int
    remaining: int
    expires: int
    contract_id: int
    sequence: int
    orders: _containers.RepeatedCompositeFieldContainer[BookOrder]
    checksum: int
    def __init__(self, mid: _Optional[str] = ..., mversion: _Optional[str] = ..., run_id: _Optional[int] = ..., timestamp: _Optional[int] = ..., cid: _Optional[int] = ..., mpid: _Optional[int] = ..., account_sequence: _Optional[int] = ..., as_of: _Optional[int] = ..., remaining: _Optional[int] = ..., expires: _Optional[int] = ..., contract_id: _Optional[int] = ..., sequence: _Optional[int] = ..., orders: _Optional[_Iterable[_Union[BookOrder, _Mapping]]] = ..., checksum: _Optional[int] = ...) -> None: ...

class MessageBookUpdate(_message.Message):
    __slots__ = ("mid", "mversion", "run_id", "timestamp", "cid", "mpid", "account_sequence", "as_of", "remaining", "expires", "contract_id", "sequence", "action", "order_id", "is_ask", "price_in_cents", "size")
    class Action(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        ADD: _ClassVar[MessageBookUpdate.Action]
        CHANGE: _ClassVar[MessageBookUpdate.Action]
        REMOVE: _ClassVar[MessageBookUpdate.Action]
    ADD: MessageBookUpdate.Action
    CHANGE: MessageBookUpdate.Action
    REMOVE: MessageBookUpdate.Action
    MID_FIELD_NUMBER: _ClassVar[int]
    MVERSION_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    CID_FIELD_NUMBER: _ClassVar[int]
    MPID_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    REMAINING_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_FIELD_NUMBER: _ClassVar[int]
    CONTRACT_ID_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    IS_ASK_FIELD_NUMBER: _ClassVar[int]
    PRICE_IN_CENTS_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    mid: str
    mversion: str
    run_id: int
    timestamp: int
    cid: int
    mpid: int
    account_sequence: int
    as_of: int
    remaining: int
    expires: int
    contract_id: int
    sequence: int
    action: MessageBookUpdate.Action
    order_id: int
    is_ask: bool
    price_in_cents: int
    size: int
    def __init__(self, mid: _Optional[str] = ..., mversion: _Optional[str] = ..., run_id: _Optional[int] = ..., timestamp: _Optional[int] = ..., cid: _Optional[int] = ..., mpid: _Optional[int] = ..., account_sequence: _Optional[int] = ..., as_of: _Optional[int] = ..., remaining: _Optional[int] = ..., expires: _Optional[int] = ..., contract_id: _Optional[int] = ..., sequence: _Optional[int] = ..., action: _Optional[_Union[MessageBookUpdate.Action, str]] = ..., order_id: _Optional[int] = ..., is_ask: _Optional[bool] = ..., price_in_cents: _Optional[int] = ..., size: _Optional[int] = ...) -> None: ...

class MessageTrade(_message.Message):
    __slots__ = ("mid", "mversion", "run_id", "timestamp", "cid", "mpid", "account_sequence", "as_of", "remaining", "expires", "contract_id", "sequence", "trade_id", "price_in_cents", "size", "is_ask", "order_id", "book_update_sequence")
    MID_FIELD_NUMBER: _ClassVar[int]
    MVERSION_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    CID_FIELD_NUMBER: _ClassVar[int]
    MPID_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    REMAINING_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_FIELD_NUMBER: _ClassVar[int]
    CONTRACT_ID_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    TRADE_ID_FIELD_NUMBER: _ClassVar[int]
    PRICE_IN_CENTS_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    IS_ASK_FIELD_NUMBER: _ClassVar[int]
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    BOOK_UPDATE_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    mid: str
    mversion: str
    run_id: int
    timestamp: int
    cid: int
    mpid: int
    account_sequence: int
    as_of: int
    remaining: int
    expires: int
    contract_id: int
    sequence: int
    trade_id: int
    price_in_cents: int
    size: int
    is_ask: bool
    order_id: int
    book_update_sequence: int
    def __init__(self, mid: _Optional[str] = ..., mversion: _Optional[str] = ..., run_id: _Optional[int] = ..., timestamp: _Optional[int] = ..., cid: _Optional[int] = ..., mpid: _Optional[int] = ..., account_sequence: _Optional[int] = ..., as_of: _Optional[int] = ..., remaining: _Optional[int] = ..., expires: _Optional[int] = ..., contract_id: _Optional[int] = ..., sequence: _Optional[int] = ..., trade_id: _Optional[int] = ..., price_in_cents: _Optional[int] = ..., size: _Optional[int] = ..., is_ask: _Optional[bool] = ..., order_id: _Optional[int] = ..., book_update_sequence: _Optional[int] = ...) -> None: ...

class MessagePosition(_message.Message):
    __slots__ = ("mid", "mversion", "run_id", "timestamp", "cid", "mpid", "account_sequence", "as_of", "remaining", "expires", "contract_id", "size", "bought_size", "sold_size", "cash_in_cents")
    MID_FIELD_NUMBER: _ClassVar[int]
    MVERSION_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    CID_FIELD_NUMBER: _ClassVar[int]
    MPID_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    REMAINING_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_FIELD_NUMBER: _ClassVar[int]
    CONTRACT_ID_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    BOUGHT_SIZE_FIELD_NUMBER: _ClassVar[int]
    SOLD_SIZE_FIELD_NUMBER: _ClassVar[int]
    CASH_IN_CENTS_FIELD_NUMBER: _ClassVar[int]
    mid: str
    mversion: str
    run_id: int
    timestamp: int
    cid: int
    mpid: int
    account_sequence: int
    as_of: int
    remaining: int
    expires: int
    contract_id: int
    size: int
    bought_size: int
    sold_size: int
    cash_in_cents: int
    def __init__(self, mid: _Optional[str] = ..., mversion: _Optional[str] = ..., run_id: _Optional[int] = ..., timestamp: _Optional[int] = ..., cid: _Optional[int] = ..., mpid: _Optional[int] = ..., account_sequence: _Optional[int] = ..., as_of: _Optional[int] = ..., remaining: _Optional[int] = ..., expires: _Optional[int] = ..., contract_id: _Optional[int] = ..., size: _Optional[int] = ..., bought_size: _Optional[int] = ..., sold_size: _Optional[int] = ..., cash_in_cents: _Optional[int] = ...) -> None: ...

class MessageRunChange(_message.Message):
    __slots__ = ("mid", "mversion", "run_id", "timestamp", "cid", "mpid", "account_sequence", "as_of", "remaining", "expires", "prev_run_id", "sequence")
    MID_FIELD_NUMBER: _ClassVar[int]
    MVERSION_FIELD_NUMBER: _ClassVar[int]
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    CID_FIELD_NUMBER: _ClassVar[int]
    MPID_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    REMAINING_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_FIELD_NUMBER: _ClassVar[int]
    PREV_RUN_ID_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    mid: str
    mversion: str
    run_id: int
    timestamp: int
    cid: int
    mpid: int
    account_sequence: int
    as_of: int
    remaining: int
    expires: int
    prev_run_id: int
    sequence: int
    def __init__(self, mid: _Optional[str] = ..., mversion: _Optional[str] = ..., run_id: _Optional[int] = ..., timestamp: _Optional[int] = ..., cid: _Optional[int] = ..., mpid: _Optional[int] = ..., account_sequence: _Optional[int] = ..., as_of: _Optional[int] = ..., remaining: _Optional[int] = ..., expires: _Optional[int] = ..., prev_run_id: _Optional[int] = ..., sequence: _Optional[int] = ...) -> None: ...
