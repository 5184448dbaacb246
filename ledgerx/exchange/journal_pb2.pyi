from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Record(_message.Message):
    __slots__ = ("number", "input", "outputs")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    OUTPUTS_FIELD_NUMBER: _ClassVar[int]
    number: int
    input: Input
    outputs: _containers.RepeatedCompositeFieldContainer[Output]
    def __init__(self, number: _Optional[int] = ..., input: _Optional[_Union[Input, _Mapping]] = ..., outputs: _Optional[_Iterable[_Union[Output, _Mapping]]] = ...) -> None: ...

class Input(_message.Message):
    __slots__ = ("time", "request", "run_start", "account_add", "account_remove", "contract_add", "tick")
    TIME_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    RUN_START_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_ADD_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_REMOVE_FIELD_NUMBER: _ClassVar[int]
    CONTRACT_ADD_FIELD_NUMBER: _ClassVar[int]
    TICK_FIELD_NUMBER: _ClassVar[int]
    time: int
    request: Request
    run_start: RunStart
    account_add: AccountAdd
    account_remove: AccountRemove
    contract_add: ContractAdd
    tick: Tick
    def __init__(self, time: _Optional[int] = ..., request: _Optional[_Union[Request, _Mapping]] = ..., run_start: _Optional[_Union[RunStart, _Mapping]] = ..., account_add: _Optional[_Union[AccountAdd, _Mapping]] = ..., account_remove: _Optional[_Union[AccountRemove, _Mapping]] = ..., contract_add: _Optional[_Union[ContractAdd, _Mapping]] = ..., tick: _Optional[_Union[Tick, _Mapping]] = ...) -> None: ...

class Request(_message.Message):
    __slots__ = ("cid", "message")
    CID_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    cid: int
    message: bytes
    def __init__(self, cid: _Optional[int] = ..., message: _Optional[bytes] = ...) -> None: ...

class RunStart(_message.Message):
    __slots__ = ("run_id", "venue_id", "limits")
    RUN_ID_FIELD_NUMBER: _ClassVar[int]
    VENUE_ID_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    run_id: int
    venue_id: str
    limits: Limits
    def __init__(self, run_id: _Optional[int] = ..., venue_id: _Optional[str] = ..., limits: _Optional[_Union[Limits, _Mapping]] = ...) -> None: ...

class Limits(_message.Message):
    __slots__ = ("mids_max", "requests_per_second_max", "requests_burst_max", "position_size_max", "open_orders_max")
    MIDS_MAX_FIELD_NUMBER: _ClassVar[int]
    REQUESTS_PER_SECOND_MAX_FIELD_NUMBER: _ClassVar[int]
    REQUESTS_BURST_MAX_FIELD_NUMBER: _ClassVar[int]
    POSITION_SIZE_MAX_FIELD_NUMBER: _ClassVar[int]
    OPEN_ORDERS_MAX_FIELD_NUMBER: _ClassVar[int]
    mids_max: int
    requests_per_second_max: int
    requests_burst_max: int
    position_size_max: int
    open_orders_max: int
    def __init__(self, mids_max: _Optional[int] = ..., requests_per_second_max: _Optional[int] = ..., requests_burst_max: _Optional[int] = ..., position_size_max: _Optional[int] = ..., open_orders_max: _Optional[int] = ...) -> None: ...

class AccountAdd(_message.Message):
    __slots__ = ("cid", "mpid", "name", "public_key")
    CID_FIELD_NUMBER: _ClassVar[int]
    MPID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    PUBLIC_KEY_FIELD_NUMBER: _ClassVar[int]
    cid: int
    mpid: int
    name: str
    public_key: str
    def __init__(self, cid: _Optional[int] = ..., mpid: _Optional[int] = ..., name: _Optional[str] = ..., public_key: _Optional[str] = ...) -> None: ...

class AccountRemove(_message.Message):
    __slots__ = ("cid",)
    CID_FIELD_NUMBER: _ClassVar[int]
    cid: int
    def __init__(self, cid: _Optional[int] = ...) -> None: ...

class ContractAdd(_message.Message):
    __slots__ = ("detail",)
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    detail: bytes
    def __init__(self, detail: _Optional[bytes] = ...) -> None: ...

class Tick(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Output(_message.Message):
    __slots__ = ("cid", "topic", "sequence", "message")
    CID_FIELD_NUMBER: _ClassVar[int]
    TOPIC_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    cid: int
    topic: str
    sequence: int
    message: bytes
    def __init__(self, cid: _Optional[int] = ..., topic: _Optional[str] = ..., sequence: _Optional[int] = ..., message: _Optional[bytes] = ...) -> None: ...
