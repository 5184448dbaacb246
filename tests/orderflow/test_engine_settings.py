"""Settings: from the code and from a file; and which library is loaded."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledgerx.errors import OrderflowError
from ledgerx.orderflow import (
    Engine,
    EngineConfig,
    ExternalFeedPolicy,
    OrderflowArgError,
    OrderflowStateError,
    Side,
    Symbol,
)
from ledgerx.orderflow.library import LIBRARY_PATH_VARIABLE, packaged_library

SYMBOL = Symbol("CME", "ESM6")


def test_a_settings_file_holds_where_the_code_has_the_default(tmp_path: Path) -> None:
    path = tmp_path / "engine.toml"
    path.write_text(
        'instance_id = "of the file"\nsignal_threshold = 5\ndata_root = "here"\naudit_log_path = ""\n'
    )
    with Engine(EngineConfig(config_path=str(path))) as engine:
        assert engine.metrics()["instance_id"] == "of the file"
        engine.ingest_trade(SYMBOL, 1, 5, Side.ASK)
        assert engine.signal_snapshot(SYMBOL)["state"] == "long_bias"
    with Engine(EngineConfig(config_path=str(path), instance_id="of the code")) as engine:
        assert engine.metrics()["instance_id"] == "of the code"


def test_a_settings_file_may_be_json(tmp_path: Path) -> None:
    path = tmp_path / "engine.json"
    path.write_text('{"enable_persistence": true, "data_root": "%s"}' % (tmp_path / "kept"))
    with Engine(EngineConfig(config_path=str(path))) as engine:
        engine.ingest_trade(SYMBOL, 1, 5, Side.ASK)
    assert (tmp_path / "kept" / "CME" / "ESM6" / "trades.jsonl").is_file()


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("absent.toml", None, "cannot be read"),
        ("bad.toml", "a = = 1", "is not well formed"),
        ("bad.json", "{", "is not well formed"),
        ("list.json", "[]", "must hold a table"),
        ("other.toml", "threshold = 5", "threshold is no setting"),
        ("type.toml", 'signal_threshold = "5"', "signal_threshold must be int, not str"),
        ("bool.toml", "signal_threshold = true", "signal_threshold must be int, not bool"),
        ("range.toml", "signal_threshold = 0", "signal_threshold 0 is out of range"),
    ],
)
def test_a_bad_settings_file_is_refused_by_name(
    tmp_path: Path, name: str, text: str | None, told: str
) -> None:
    path = tmp_path / name
    if text is not None:
        path.write_text(text)
    with pytest.raises(OrderflowArgError, match=told):
        Engine(EngineConfig(config_path=str(path)))


@pytest.mark.parametrize(
    ("settings", "error", "told"),
    [
        ({"signal_threshold": 0}, OrderflowArgError, "signal_threshold 0"),
        ({"signal_module": "x"}, OrderflowArgError, "signal_module 'x' is unknown: use delta_momentum_v1"),
        ({"momentum_fast_trades": 100}, OrderflowArgError, "momentum_fast_trades 100 must be below"),
        ({"audit_max_bytes": -1}, OrderflowArgError, "audit_max_bytes -1 is out of range"),
        ({"audit_max_files": 2**32}, OrderflowArgError, "audit_max_files 4294967296"),
        ({"instance_id": 5}, TypeError, "instance_id must be str, not int"),
        ({"enable_persistence": 1}, TypeError, "enable_persistence must be bool, not int"),
        ({"candle_ns": 1.0}, TypeError, "candle_ns must be int, not float"),
    ],
)
def test_a_setting_out_of_range_is_refused_by_name(
    settings: dict[str, object], error: type[Exception], told: str
) -> None:
    with pytest.raises(error, match=told):
        Engine(EngineConfig(**settings))  # type: ignore[arg-type]


# ----------------------------------------------------------------------------------------- library


@contextlib.contextmanager
def named_by_environment(path: str) -> Iterator[None]:
    before = os.environ.get(LIBRARY_PATH_VARIABLE)
    os.environ[LIBRARY_PATH_VARIABLE] = path
    try:
        yield
    finally:
        if before is None:
            del os.environ[LIBRARY_PATH_VARIABLE]
        else:
            os.environ[LIBRARY_PATH_VARIABLE] = before


def test_the_argument_comes_before_the_environment_and_that_before_the_package(tmp_path: Path) -> None:
    copy = shutil.copy(packaged_library(), tmp_path / "copy.so")
    with named_by_environment(str(tmp_path / "absent.so")):
        Engine(EngineConfig(), library_path=str(copy)).close()
        with pytest.raises(FileNotFoundError, match=rf"searched: {LIBRARY_PATH_VARIABLE}=.*absent\.so"):
            Engine(EngineConfig())
    with named_by_environment(str(copy)):
        Engine(EngineConfig()).close()


def test_a_library_that_is_not_there_is_named() -> None:
    with pytest.raises(
        FileNotFoundError, match=r"Orderflow shared library not found; searched: .*nowhere\.so"
    ):
        Engine(EngineConfig(), library_path="/nowhere.so")


def test_what_is_no_library_and_what_is_another_one_are_told_apart(tmp_path: Path) -> None:
    text = tmp_path / "text.so"
    text.write_text("no library")
    with pytest.raises(OSError, match="cannot be loaded"):
        Engine(EngineConfig(), library_path=text)
    other = next(Path(packaged_library().parents[2]).rglob("_clob*.so"))
    with pytest.raises(
        OrderflowError, match=r"is not an order-flow runtime: it has no of_api_version|cannot be loaded"
    ):
        Engine(EngineConfig(), library_path=other)


@pytest.mark.parametrize("option", ["signal_threshold", "vpin_bucket_lots", "candles_kept_max"])
def test_a_foreign_library_is_not_given_what_it_cannot_follow(
    tmp_path: Path, published: Path, option: str
) -> None:
    with (
        contextlib.chdir(tmp_path),
        pytest.raises(OrderflowStateError, match=f"{option} needs ledgerx's own"),
    ):
        Engine(EngineConfig(**{option: 7}), library_path=published)  # type: ignore[arg-type]


def test_a_foreign_library_says_what_only_ours_can(tmp_path: Path, published: Path) -> None:
    with contextlib.chdir(tmp_path), Engine(EngineConfig(), library_path=published) as engine:
        with pytest.raises(OrderflowStateError, match="drop_duplicates needs"):
            engine.configure_external_feed(ExternalFeedPolicy(drop_duplicates=True))
        with pytest.raises(OrderflowStateError, match="flow_snapshot needs"):
            engine.flow_snapshot(SYMBOL)
        with pytest.raises(OrderflowStateError, match="the series candles needs"):
            engine.to_arrow(SYMBOL, "candles")
        engine.ingest_trades(SYMBOL, {"price": [1, 2], "size": [3, 4], "aggressor_side": [0, 1]})
        assert engine.analytics_snapshot(SYMBOL)["delta"] == 1


def test_every_key_of_the_published_dicts_is_there(tmp_path: Path, published: Path) -> None:
    def keys(value: object, path: str = "") -> set[str]:
        if isinstance(value, dict):
            return {f"{path}.{key}" for key in value} | {
                k for key, v in value.items() for k in keys(v, f"{path}.{key}")
            }
        return {found for one in value for found in keys(one, path)} if isinstance(value, list) else set()

    found = []
    with contextlib.chdir(tmp_path):
        for library in (published, None):
            told: list[object] = []
            with Engine(EngineConfig(), library_path=library) as engine:
                for kind in range(1, 6):
                    engine.subscribe(SYMBOL, kind, told.append)
                engine.ingest_trade(SYMBOL, 1, 5, Side.ASK)
                engine.ingest_book(SYMBOL, Side.BID, 0, 1, 5)
                snapshots = [engine.metrics(), engine.book_snapshot(SYMBOL), engine.signal_snapshot(SYMBOL)]
            found.append([keys(one) for one in (*told, *snapshots)])
    assert len(found[0]) == len(found[1])
    for theirs, ours in zip(*found, strict=True):
        assert theirs <= ours
