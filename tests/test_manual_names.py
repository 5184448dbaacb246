"""Every name, signature, default and constant of the manuals is here, under the manual's import."""

from __future__ import annotations

import abc
import dataclasses
import inspect
import threading
from typing import Any

import pytest

import ledgerx.sdk.context as context_module
from ledgerx import history, orderflow
from ledgerx.api.client import v0_0_1 as api
from ledgerx.protocol.crypto import KeyPair
from ledgerx.sdk import mixin, settings, store, utils, version
from ledgerx.sdk.commands import get_cmd_version
from ledgerx.sdk.context import Context
from ledgerx.sdk.processor import MessageProcessor
from ledgerx.sdk.utils import meta
from ledgerx.streaming_api import client, exceptions, session

REQUIRED = inspect.Parameter.empty


def parameters(function: Any) -> dict[str, Any]:
    """Names and defaults in order; `*args` and `**kwargs` with their stars."""
    stars = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
    found = inspect.signature(function).parameters.values()
    return {stars.get(one.kind, "") + one.name: one.default for one in found}


SIGNATURES: list[tuple[Any, dict[str, Any]]] = [
    # Streaming: session and client. What is keyword-only or has a default of its own is ours.
    (session.Session.connect, {"self": REQUIRED}),
    (session.Session.disconnect, {"self": REQUIRED}),
    (session.Session.flush, {"self": REQUIRED}),
    (session.Session.logout, {"self": REQUIRED}),
    (session.Session.next_frame, {"self": REQUIRED}),
    (session.Session.send, {"self": REQUIRED, "payload": None}),
    (session.SessionSocket.connect, {"self": REQUIRED}),
    (session.SessionSocket.disconnect, {"self": REQUIRED}),
    (session.SessionSocket.recv, {"self": REQUIRED}),
    (session.SessionSocket.send, {"self": REQUIRED, "byte_array": REQUIRED}),
    (client.StreamingAPIClient.login, {"self": REQUIRED, "receive": True}),
    (client.StreamingAPIClient.logout, {"self": REQUIRED, "receive": True}),
    # 2.7 API Reference
    (get_cmd_version, {"version": REQUIRED}),
    (mixin.public, {"obj": REQUIRED}),
    (store.MemoryStore, {"shared": False}),
    # The manual's takes nothing; a path makes it durable.
    (store.MessageIDStore, {"path": None, "sync": "process", "file_bytes_max": None}),
    (meta.KindSingletonMeta, {"name": REQUIRED, "bases": REQUIRED, "attrs": REQUIRED}),
    (meta.SingletonAbstractMeta, {"name": REQUIRED, "bases": REQUIRED, "attrs": REQUIRED}),
    (utils.import_versions, {"basefile": REQUIRED, "package": REQUIRED}),
    (utils.reraise, {"ex": REQUIRED, "message": None}),
    # 2.6 Key Pair Object
    (KeyPair, {"public": None, "private": None}),
    (KeyPair.generate, {}),
    # 2.6 Library Context: "an interface similar to Python's Thread"
    (Context.start, {"self": REQUIRED}),
    (Context.stop, {"self": REQUIRED}),
    (Context.join, {"self": REQUIRED, "timeout": None}),
    (Context.is_alive, {"self": REQUIRED}),
]


@pytest.mark.parametrize(
    ("function", "expected"), SIGNATURES, ids=lambda value: getattr(value, "__qualname__", "")
)
def test_a_signature_is_the_manuals(function: Any, expected: dict[str, Any]) -> None:
    assert parameters(function) == expected
    assert list(parameters(function)) == list(expected)


def test_an_items_default_callback_is_a_lambda_of_its_class() -> None:
    found = parameters(store.IDStoreItem)
    assert list(found) == ["msg", "cb"]
    assert found["msg"] is None
    assert found["cb"].__qualname__ == "IDStoreItem.<lambda>"
    assert list(inspect.signature(found["cb"]).parameters) == ["msg", "prev_msg"]
    assert isinstance(store.IDStoreItem.msg, property)
    assert isinstance(store.IDStoreItem.callback, property)


def test_the_stores_are_built_on_each_other_as_named() -> None:
    assert issubclass(store.MessageIDStore, store.MemoryStore)
    assert isinstance(store.MessageIDStore(), store.MemoryStore)


# ------------------------------------------------------------------------------ 2.6 usage examples


def test_a_context_takes_five_arguments_as_the_examples_give_them() -> None:
    found = inspect.signature(Context).parameters
    plain = [name for name, one in found.items() if one.kind is not inspect.Parameter.KEYWORD_ONLY]
    assert plain == ["fqdn", "private", "public", "server_public_key", "processor"]
    assert all(found[name].default is REQUIRED for name in plain)
    for name in ("store", "request_port", "publish_port", "http_port"):
        assert found[name].kind is inspect.Parameter.KEYWORD_ONLY
        assert found[name].default is None


def test_a_context_is_driven_as_a_thread_is() -> None:
    for name in ("start", "join", "is_alive"):
        assert callable(getattr(threading.Thread, name))
        assert callable(getattr(Context, name))
    assert callable(Context.submit)


def test_the_venues_have_the_manuals_names() -> None:
    assert isinstance(settings.EXCHANGE_CTE_FQDN, str)
    assert isinstance(settings.EXCHANGE_TRADE_FQDN, str)


HANDLERS = {
    "handle_run_change": ["run_id", "prev_run_id"],
    "handle_action_report": ["msg", "prev_msg"],
    "handle_contract_detail": ["msg", "prev_msg"],
    "handle_status_message": ["msg", "prev_msg"],
    "handle_batch_message": ["msg", "prev_msg"],
    "handle_book_top": ["msg", "prev_msg"],
    "handle_book_state_snapshot": ["msg", "prev_msg"],
    "handle_heartbeat": ["msg", "prev_msg"],
}


@pytest.mark.parametrize("name", HANDLERS)
def test_a_processor_must_write_the_manuals_handlers(name: str) -> None:
    handler = getattr(MessageProcessor, name)
    assert handler.__isabstractmethod__
    assert list(inspect.signature(handler).parameters) == ["self", *HANDLERS[name]]


def test_no_other_handler_must_be_written() -> None:
    assert inspect.isabstract(MessageProcessor)
    assert isinstance(MessageProcessor, abc.ABCMeta)
    assert set(MessageProcessor.__abstractmethods__) == set(HANDLERS)


def test_the_commands_of_a_version_are_a_module_with_commands() -> None:
    module = get_cmd_version("0.0.1")
    assert inspect.ismodule(module)
    assert list(inspect.signature(module.Commands).parameters) == ["context"]
    assert get_cmd_version("9.9.9") is None


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        ("limit_order", []),
        ("limit_order", ["size", "price_in_cents", "contract_id"]),
        ("get_contract", ["all_contracts"]),
        ("batch", ["messages"]),
    ],
)
def test_a_command_takes_the_arguments_of_the_examples(command: str, arguments: list[str]) -> None:
    function = getattr(get_cmd_version("0.0.1").Commands, command)
    inspect.signature(function).bind(None, **dict.fromkeys(arguments))


def test_the_messages_of_the_examples_have_their_fields() -> None:
    order = api.MessageLimitOrder()
    order.size = 1
    order.price_in_cents = 100
    order.contract_id = 7
    status = api.MessageStatus(mid="1", status=api.MessageStatus.STATUS_ORDER_SUCCESS, message="placed")
    assert (status.mid, status.status, status.message) == ("1", 200, "placed")
    assert api.MessageBatch(messages=[status]).messages[0] == status
    assert api.MessageHeartbeat(interval_ms=1000, run_id=1).interval_ms == 1000
    for name in ("MessageReplay", "MessageGetBookState", "MessageBookStateSnapshot", "MessageActionReport"):
        assert "run_id" in getattr(api, name).DESCRIPTOR.fields_by_name


def test_a_key_pair_does_what_the_manual_says_of_it() -> None:
    pair = KeyPair.generate()
    assert isinstance(pair.private, bytes)
    assert isinstance(pair.public, bytes)
    assert list(inspect.signature(pair.save_certificate).parameters) == ["path_or_file"]
    assert list(inspect.signature(KeyPair.load_certificate).parameters) == ["path_or_bytes"]


def test_the_version_is_three_fields() -> None:
    assert [version.MAJOR, version.MINOR, version.BUILD] == [0, 0, 1]
    assert version.__version__ == "0.0.1"


def test_the_modules_offer_what_the_manual_lists() -> None:
    assert {"MemoryStore", "IDStoreItem", "MessageIDStore"} <= set(store.__all__)
    assert {"import_versions", "reraise"} == set(utils.__all__)
    assert {"KindSingletonMeta", "SingletonAbstractMeta"} == set(meta.__all__)
    assert {"public"} == set(mixin.__all__)
    assert "Context" in context_module.__all__


# ---------------------------------------------------------------------------------- order flow


def needs(*names: str, **defaults: Any) -> dict[str, Any]:
    """The parameters of a method: those without a default, and those with one."""
    return dict.fromkeys(("self", *names), REQUIRED) | defaults


EVENT = {"sequence": 0, "ts_exchange_ns": 0, "ts_recv_ns": 0, "quality_flags": 0}
ORDERFLOW_SIGNATURES: list[tuple[Any, dict[str, Any]]] = [
    (orderflow.Engine, {"config": REQUIRED, "library_path": None}),
    (orderflow.Engine.start, needs()),
    (orderflow.Engine.stop, needs()),
    (orderflow.Engine.close, needs()),
    (orderflow.Engine.subscribe, needs("symbol", stream_kind=3, callback=None)),
    (orderflow.Engine.unsubscribe, needs("symbol")),
    (orderflow.Engine.poll_once, needs(quality_flags=0)),
    (orderflow.Engine.reset_symbol_session, needs("symbol")),
    (orderflow.Engine.configure_external_feed, needs("policy")),
    (orderflow.Engine.set_external_reconnecting, needs("reconnecting")),
    (orderflow.Engine.external_health_tick, needs()),
    (orderflow.Engine.ingest_trade, needs("symbol", "price", "size", "aggressor_side", **EVENT)),
    (orderflow.Engine.ingest_book, needs("symbol", "side", "level", "price", "size", action=0, **EVENT)),
    (orderflow.Engine.book_snapshot, needs("symbol")),
    (orderflow.Engine.analytics_snapshot, needs("symbol")),
    (orderflow.Engine.signal_snapshot, needs("symbol")),
    (orderflow.Engine.metrics, needs()),
    (orderflow.Symbol, {"venue": REQUIRED, "symbol": REQUIRED, "depth_levels": 10}),
]


@pytest.mark.parametrize(
    ("function", "expected"), ORDERFLOW_SIGNATURES, ids=lambda value: getattr(value, "__qualname__", "")
)
def test_an_order_flow_signature_is_the_manuals(function: Any, expected: dict[str, Any]) -> None:
    assert parameters(function) == expected
    assert list(parameters(function)) == list(expected)


def positional_fields(kind: Any) -> dict[str, Any]:
    """Names and defaults of a data class's fields; what is beyond the manual is keyword-only."""
    return {field.name: field.default for field in dataclasses.fields(kind) if not field.kw_only}


def test_the_data_classes_of_order_flow_have_the_manuals_fields() -> None:
    assert positional_fields(orderflow.EngineConfig) == {
        "instance_id": "python",
        "config_path": "",
        "log_level": 0,
        "enable_persistence": False,
        "audit_max_bytes": 10 * 1024 * 1024,
        "audit_max_files": 5,
        "audit_redact_tokens_csv": "secret,password,token,api_key",
        "data_retention_max_bytes": 10 * 1024 * 1024,
        "data_retention_max_age_secs": 7 * 24 * 60 * 60,
    }
    policy = positional_fields(orderflow.ExternalFeedPolicy)
    assert policy == {"stale_after_ms": 15_000, "enforce_sequence": True}


def test_the_constants_of_order_flow_have_the_manuals_values() -> None:
    kinds = {kind.name: kind.value for kind in orderflow.StreamKind}
    assert kinds == {"BOOK": 1, "TRADES": 2, "ANALYTICS": 3, "SIGNALS": 4, "HEALTH": 5}
    assert {side.name: side.value for side in orderflow.Side} == {"BID": 0, "ASK": 1}
    assert {action.name: action.value for action in orderflow.BookAction} == {"UPSERT": 0, "DELETE": 1}
    names = [
        "STALE_FEED",
        "SEQUENCE_GAP",
        "CLOCK_SKEW",
        "DEPTH_TRUNCATED",
        "OUT_OF_ORDER",
        "ADAPTER_DEGRADED",
    ]
    assert orderflow.DataQualityFlags.NONE == 0
    assert [orderflow.DataQualityFlags[name] for name in names] == [1 << bit for bit in range(6)]


def test_the_exceptions_of_order_flow_are_built_as_named() -> None:
    assert issubclass(orderflow.OrderflowError, RuntimeError)
    for error in (orderflow.OrderflowStateError, orderflow.OrderflowArgError):
        assert issubclass(error, orderflow.OrderflowError)


def test_the_properties_of_an_engine_are_the_manuals() -> None:
    with orderflow.Engine(orderflow.EngineConfig()) as engine:
        assert type(engine.api_version) is int
        assert type(engine.build_info) is str


# -------------------------------------------------------------------------------------- candles

RANGE = {"ticker": REQUIRED, "period_seconds": REQUIRED, "start_time": REQUIRED, "end_time": REQUIRED}
HISTORY_SIGNATURES: list[tuple[Any, dict[str, Any]]] = [
    (
        history.OHLCClient,
        {
            "iceberg_catalog_uri": REQUIRED,
            "relay_endpoint": REQUIRED,
            "notification_endpoint": REQUIRED,
            "namespace": "trading",
        },
    ),
    (history.OHLCClient.start, {"self": REQUIRED}),
    (history.OHLCClient.stop, {"self": REQUIRED}),
    (history.OHLCClient.fetch_ohlc, {"self": REQUIRED, **RANGE, "request_timeout": 30.0}),
    (history.IcebergClient, {"iceberg_catalog_uri": REQUIRED, "namespace": "trading"}),
    # The manual's takes no limit.
    (history.IcebergClient.query_ohlc, {"self": REQUIRED, **RANGE, "limit": None}),
    (history.IcebergClient.find_missing_ranges, {"self": REQUIRED, **RANGE}),
    (history.IcebergClient.has_data, {"self": REQUIRED, **RANGE}),
    (history.HistoryClient, {"relay_endpoint": REQUIRED, "notification_endpoint": REQUIRED}),
    (history.HistoryClient.connect, {"self": REQUIRED}),
    (
        history.HistoryClient.request_historical_ohlc,
        {"self": REQUIRED, **RANGE, "timeout": 30.0, "limit": None},
    ),
    (history.HistoryClient.close, {"self": REQUIRED}),
]


@pytest.mark.parametrize(
    ("function", "expected"), HISTORY_SIGNATURES, ids=lambda value: getattr(value, "__qualname__", "")
)
def test_a_signature_of_the_candles_manual_is_here_and_what_is_more_is_named(
    function: Any, expected: dict[str, Any]
) -> None:
    found = inspect.signature(function).parameters.values()
    plain = {one.name: one.default for one in found if one.kind is not inspect.Parameter.KEYWORD_ONLY}
    assert plain == expected
    assert list(plain) == list(expected)


@pytest.mark.parametrize("name", ["start", "stop", "fetch_ohlc", "__aenter__", "__aexit__"])
def test_what_the_candles_manual_awaits_is_a_coroutine(name: str) -> None:
    assert inspect.iscoroutinefunction(getattr(history.OHLCClient, name))


@pytest.mark.parametrize("name", ["connect", "request_historical_ohlc", "close"])
def test_what_the_candles_manual_awaits_of_the_low_level_client_is_one(name: str) -> None:
    assert inspect.iscoroutinefunction(getattr(history.HistoryClient, name))


# ---------------------------------------------------------------------------------------- streaming


def test_the_sessions_arguments_are_the_manuals() -> None:
    ours = {"core_settings", "clock"}
    found = parameters(session.Session)
    assert {name: default for name, default in found.items() if name not in ours} == {
        "settings": REQUIRED, "inseq": 1, "outseq": 1, "account_sequence": None,
    }  # fmt: skip
    found = parameters(session.SessionSettings)
    assert {name: default for name, default in found.items() if name != "connect_timeout"} == {
        "username": None, "password": None, "token": None, "host": "stream.smarkets.com", "port": 3801,
        "ssl": True, "socket_timeout": 30, "ssl_kwargs": None, "tcp_nodelay": True,
    }  # fmt: skip
    for kind in (session.Session, session.SessionSocket):
        assert isinstance(kind.connected, property)
    assert isinstance(session.Session.raw_socket, property)
    assert session.Frame._fields == ("bytes", "protobuf")


def test_the_streaming_exceptions_are_leaves_of_the_one_tree() -> None:
    names = (
        "ConnectionError", "DecodeError", "DownloadError", "InvalidCallbackError", "InvalidUrlError",
        "ParseError", "SocketDisconnected",
    )  # fmt: skip
    for name in names:
        assert issubclass(getattr(exceptions, name), exceptions.Error)
