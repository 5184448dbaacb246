from ledgerx.history import ohlc_pb2 as _ohlc_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ToRelay(_message.Message):
    __slots__ = ("request", "status", "worker", "done", "goodbye", "counts")
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    WORKER_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    GOODBYE_FIELD_NUMBER: _ClassVar[int]
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    request: HistoryRequest
    status: StatusRequest
    worker: WorkerHello
    done: WorkDone
    goodbye: WorkerGoodbye
    counts: CountsRequest
    def __init__(self, request: _Optional[_Union[HistoryRequest, _Mapping]] = ..., status: _Optional[_Union[StatusRequest, _Mapping]] = ..., worker: _Optional[_Union[WorkerHello, _Mapping]] = ..., done: _Optional[_Union[WorkDone, _Mapping]] = ..., goodbye: _Optional[_Union[WorkerGoodbye, _Mapping]] = ..., counts: _Optional[_Union[CountsRequest, _Mapping]] = ...) -> None: ...

class FromRelay(_message.Message):
    __slots__ = ("accepted", "status", "notification", "work", "counts", "ready")
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    NOTIFICATION_FIELD_NUMBER: _ClassVar[int]
    WORK_FIELD_NUMBER: _ClassVar[int]
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    READY_FIELD_NUMBER: _ClassVar[int]
    accepted: Accepted
    status: StatusReply
    notification: HistoryNotification
    work: Work
    counts: Counts
    ready: Ready
    def __init__(self, accepted: _Optional[_Union[Accepted, _Mapping]] = ..., status: _Optional[_Union[StatusReply, _Mapping]] = ..., notification: _Optional[_Union[HistoryNotification, _Mapping]] = ..., work: _Optional[_Union[Work, _Mapping]] = ..., counts: _Optional[_Union[Counts, _Mapping]] = ..., ready: _Optional[_Union[Ready, _Mapping]] = ...) -> None: ...

class HistoryRequest(_message.Message):
    __slots__ = ("request_id", "client_id", "range", "limit")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CLIENT_ID_FIELD_NUMBER: _ClassVar[int]
    RANGE_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    client_id: str
    range: _ohlc_pb2.OHLCRange
    limit: int
    def __init__(self, request_id: _Optional[str] = ..., client_id: _Optional[str] = ..., range: _Optional[_Union[_ohlc_pb2.OHLCRange, _Mapping]] = ..., limit: _Optional[int] = ...) -> None: ...

class Accepted(_message.Message):
    __slots__ = ("request_id", "notification_topic")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    NOTIFICATION_TOPIC_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    notification_topic: str
    def __init__(self, request_id: _Optional[str] = ..., notification_topic: _Optional[str] = ...) -> None: ...

class StatusRequest(_message.Message):
    __slots__ = ("client_id", "request_ids")
    CLIENT_ID_FIELD_NUMBER: _ClassVar[int]
    REQUEST_IDS_FIELD_NUMBER: _ClassVar[int]
    client_id: str
    request_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, client_id: _Optional[str] = ..., request_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class StatusReply(_message.Message):
    __slots__ = ("done", "pending", "unknown")
    DONE_FIELD_NUMBER: _ClassVar[int]
    PENDING_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_FIELD_NUMBER: _ClassVar[int]
    done: _containers.RepeatedCompositeFieldContainer[HistoryNotification]
    pending: _containers.RepeatedCompositeFieldContainer[Progress]
    unknown: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, done: _Optional[_Iterable[_Union[HistoryNotification, _Mapping]]] = ..., pending: _Optional[_Iterable[_Union[Progress, _Mapping]]] = ..., unknown: _Optional[_Iterable[str]] = ...) -> None: ...

class Progress(_message.Message):
    __slots__ = ("request_id", "periods_done", "periods_total")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    PERIODS_DONE_FIELD_NUMBER: _ClassVar[int]
    PERIODS_TOTAL_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    periods_done: int
    periods_total: int
    def __init__(self, request_id: _Optional[str] = ..., periods_done: _Optional[int] = ..., periods_total: _Optional[int] = ...) -> None: ...

class HistoryNotification(_message.Message):
    __slots__ = ("request_id", "client_id", "status", "error_message", "iceberg_namespace", "iceberg_table", "row_count", "snapshot_id", "sequence_number")
    class Status(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        STATUS_UNSPECIFIED: _ClassVar[HistoryNotification.Status]
        OK: _ClassVar[HistoryNotification.Status]
        NOT_FOUND: _ClassVar[HistoryNotification.Status]
        ERROR: _ClassVar[HistoryNotification.Status]
    STATUS_UNSPECIFIED: HistoryNotification.Status
    OK: HistoryNotification.Status
    NOT_FOUND: HistoryNotification.Status
    ERROR: HistoryNotification.Status
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CLIENT_ID_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    ERROR_MESSAGE_FIELD_NUMBER: _ClassVar[int]
    ICEBERG_NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    ICEBERG_TABLE_FIELD_NUMBER: _ClassVar[int]
    ROW_COUNT_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_ID_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_NUMBER_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    client_id: str
    status: HistoryNotification.Status
    error_message: str
    iceberg_namespace: str
    iceberg_table: str
    row_count: int
    snapshot_id: int
    sequence_number: int
    def __init__(self, request_id: _Optional[str] = ..., client_id: _Optional[str] = ..., status: _Optional[_Union[HistoryNotification.Status, str]] = ..., error_message: _Optional[str] = ..., iceberg_namespace: _Optional[str] = ..., iceberg_table: _Optional[str] = ..., row_count: _Optional[int] = ..., snapshot_id: _Optional[int] = ..., sequence_number: _Optional[int] = ...) -> None: ...

class Ready(_message.Message):
    __slots__ = ("relay_id",)
    RELAY_ID_FIELD_NUMBER: _ClassVar[int]
    relay_id: str
    def __init__(self, relay_id: _Optional[str] = ...) -> None: ...

class WorkerHello(_message.Message):
    __slots__ = ("worker_id", "sources", "jobs_max", "running")
    WORKER_ID_FIELD_NUMBER: _ClassVar[int]
    SOURCES_FIELD_NUMBER: _ClassVar[int]
    JOBS_MAX_FIELD_NUMBER: _ClassVar[int]
    RUNNING_FIELD_NUMBER: _ClassVar[int]
    worker_id: str
    sources: _containers.RepeatedScalarFieldContainer[str]
    jobs_max: int
    running: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, worker_id: _Optional[str] = ..., sources: _Optional[_Iterable[str]] = ..., jobs_max: _Optional[int] = ..., running: _Optional[_Iterable[int]] = ...) -> None: ...

class WorkerGoodbye(_message.Message):
    __slots__ = ("worker_id",)
    WORKER_ID_FIELD_NUMBER: _ClassVar[int]
    worker_id: str
    def __init__(self, worker_id: _Optional[str] = ...) -> None: ...

class Work(_message.Message):
    __slots__ = ("job_id", "relay_id", "range", "limit")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    RELAY_ID_FIELD_NUMBER: _ClassVar[int]
    RANGE_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    job_id: int
    relay_id: str
    range: _ohlc_pb2.OHLCRange
    limit: int
    def __init__(self, job_id: _Optional[int] = ..., relay_id: _Optional[str] = ..., range: _Optional[_Union[_ohlc_pb2.OHLCRange, _Mapping]] = ..., limit: _Optional[int] = ...) -> None: ...

class WorkDone(_message.Message):
    __slots__ = ("job_id", "relay_id", "worker_id", "error_message", "iceberg_namespace", "iceberg_table", "presence", "snapshot_id", "sequence_number", "periods_fetched")
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    RELAY_ID_FIELD_NUMBER: _ClassVar[int]
    WORKER_ID_FIELD_NUMBER: _ClassVar[int]
    ERROR_MESSAGE_FIELD_NUMBER: _ClassVar[int]
    ICEBERG_NAMESPACE_FIELD_NUMBER: _ClassVar[int]
    ICEBERG_TABLE_FIELD_NUMBER: _ClassVar[int]
    PRESENCE_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_ID_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_NUMBER_FIELD_NUMBER: _ClassVar[int]
    PERIODS_FETCHED_FIELD_NUMBER: _ClassVar[int]
    job_id: int
    relay_id: str
    worker_id: str
    error_message: str
    iceberg_namespace: str
    iceberg_table: str
    presence: _ohlc_pb2.OHLCPresence
    snapshot_id: int
    sequence_number: int
    periods_fetched: int
    def __init__(self, job_id: _Optional[int] = ..., relay_id: _Optional[str] = ..., worker_id: _Optional[str] = ..., error_message: _Optional[str] = ..., iceberg_namespace: _Optional[str] = ..., iceberg_table: _Optional[str] = ..., presence: _Optional[_Union[_ohlc_pb2.OHLCPresence, _Mapping]] = ..., snapshot_id: _Optional[int] = ..., sequence_number: _Optional[int] = ..., periods_fetched: _Optional[int] = ...) -> None: ...

class CountsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Counts(_message.Message):
    __slots__ = ("relay_id", "requests", "requests_repeated", "requests_merged", "jobs", "jobs_given_again", "notifications", "periods_fetched", "workers", "pending")
    RELAY_ID_FIELD_NUMBER: _ClassVar[int]
    REQUESTS_FIELD_NUMBER: _ClassVar[int]
    REQUESTS_REPEATED_FIELD_NUMBER: _ClassVar[int]
    REQUESTS_MERGED_FIELD_NUMBER: _ClassVar[int]
    JOBS_FIELD_NUMBER: _ClassVar[int]
    JOBS_GIVEN_AGAIN_FIELD_NUMBER: _ClassVar[int]
    NOTIFICATIONS_FIELD_NUMBER: _ClassVar[int]
    PERIODS_FETCHED_FIELD_NUMBER: _ClassVar[int]
    WORKERS_FIELD_NUMBER: _ClassVar[int]
    PENDING_FIELD_NUMBER: _ClassVar[int]
    relay_id: str
    requests: int
    requests_repeated: int
    requests_merged: int
    jobs: int
    jobs_given_again: int
    notifications: int
    periods_fetched: int
    workers: int
    pending: int
    def __init__(self, relay_id: _Optional[str] = ..., requests: _Optional[int] = ..., requests_repeated: _Optional[int] = ..., requests_merged: _Optional[int] = ..., jobs: _Optional[int] = ..., jobs_given_again: _Optional[int] = ..., notifications: _Optional[int] = ..., periods_fetched: _Optional[int] = ..., workers: _Optional[int] = ..., pending: _Optional[int] = ...) -> None: ...
