"""Files: none unless asked for, none outside the data folder, none that a fault or the retention spoils."""

from __future__ import annotations

import contextlib
import json
import os
import resource
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.json
import pytest

from ledgerx.orderflow import Engine, EngineConfig, OrderflowError, Side, StreamKind, Symbol
from ledgerx.orderflow.feeds import FileFeed

SYMBOL = Symbol("CME", "ESM6")


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def kept(folder: Path, **more: Any) -> EngineConfig:
    return EngineConfig(enable_persistence=True, data_root=str(folder), **more)


@contextlib.contextmanager
def file_bytes_max(limit: int) -> Iterator[None]:
    """No file of this process may grow beyond that, as on a full disk; the signal is ignored by Python."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_no_file_is_written_unless_asked_for(tmp_path: Path) -> None:
    with contextlib.chdir(tmp_path), Engine(EngineConfig()) as engine:
        engine.subscribe(SYMBOL, StreamKind.TRADES, lambda event: None)
        engine.ingest_trade(SYMBOL, 1, 1, Side.ASK)
        engine.ingest_book(SYMBOL, Side.BID, 0, 1, 1)
        engine.poll_once()
    assert files(tmp_path) == []


def test_trades_and_books_are_lines_that_pyarrow_reads(tmp_path: Path) -> None:
    with Engine(kept(tmp_path)) as engine:
        engine.ingest_trade(SYMBOL, 100, 5, Side.ASK, 1, 7, 8)
        assert files(tmp_path) == ["CME/ESM6/trades.jsonl"]
        engine.ingest_book(SYMBOL, Side.BID, 2, 99, 4, 1, 2, 9, 10)
        engine.ingest_trades(SYMBOL, {"price": [1, 2], "size": [3, 4], "aggressor_side": [0, 1]})
    trades = pyarrow.json.read_json(tmp_path / "CME" / "ESM6" / "trades.jsonl").to_pylist()
    assert trades[0] == {
        "schema": 1,
        "seq": 1,
        "price": 100,
        "size": 5,
        "aggressor": "Ask",
        "ts_exchange_ns": 7,
        "ts_recv_ns": 8,
    }
    assert [row["size"] for row in trades] == [5, 3, 4]
    book = json.loads((tmp_path / "CME" / "ESM6" / "book.jsonl").read_text())
    assert (book["side"], book["action"], book["level"]) == ("Bid", "Delete", 2)


def test_what_was_kept_is_read_back(tmp_path: Path) -> None:
    with Engine(kept(tmp_path)) as engine:
        for number in range(50):
            engine.ingest_trade(SYMBOL, 100 + number % 7, 1 + number, number % 2, number + 1, number, number)
            engine.ingest_book(SYMBOL, number % 2, number % 5, 100, number)
        analytics, book = engine.analytics_snapshot(SYMBOL), engine.book_snapshot(SYMBOL)
    with Engine(EngineConfig()) as engine:
        for name in ("trades", "book"):
            feed = FileFeed(tmp_path / "CME" / "ESM6" / f"{name}.jsonl", SYMBOL, rows_max=20)
            engine.attach(feed)
            while not feed.done:
                engine.poll_once()
        assert engine.analytics_snapshot(SYMBOL) == analytics
        assert engine.book_snapshot(SYMBOL) == book
        assert engine.metrics()["sequence_gaps"] == 0


@pytest.mark.parametrize(
    "name", ["../../x", "BTC/USDT", "..", ".", ".hidden", "a\nb", "é" * 300, "C:\\x", "~"]
)
def test_no_name_leaves_the_data_folder(tmp_path: Path, name: str) -> None:
    root = tmp_path / "data"
    with Engine(kept(root)) as engine:
        engine.ingest_trade(Symbol(name, name), 1, 1, Side.ASK)
    assert [path.name for path in tmp_path.iterdir()] == ["data"]
    found = files(root)
    assert len(found) == 1
    assert len(Path(found[0]).parts) == 3
    assert not any(part.startswith(".") for part in Path(found[0]).parts)


def test_names_that_differ_have_folders_that_differ(tmp_path: Path) -> None:
    with Engine(kept(tmp_path)) as engine:
        for name in ("a/b", "a%2Fb", "a b", "é" * 300, "é" * 301):
            engine.ingest_trade(Symbol("V", name), 1, 1, Side.ASK)
    assert len(files(tmp_path)) == 5


def test_a_torn_last_line_is_cut_when_the_file_is_opened_again(tmp_path: Path) -> None:
    path = tmp_path / "CME" / "ESM6" / "trades.jsonl"
    with Engine(kept(tmp_path)) as engine:
        engine.ingest_trade(SYMBOL, 1, 1, Side.ASK)
    whole = path.read_text()
    path.write_text(whole + '{"schema":1,"seq":')
    with Engine(kept(tmp_path)) as engine:
        engine.ingest_trade(SYMBOL, 1, 1, Side.ASK)
    assert path.read_text() == whole * 2


def test_retention_sets_files_aside_and_never_deletes_the_one_being_written(tmp_path: Path) -> None:
    limit = 40_000
    with Engine(kept(tmp_path, data_retention_max_bytes=limit)) as engine:
        for number in range(2_000):
            engine.ingest_trade(SYMBOL, number, 1, Side.ASK, number + 1)
        found = sorted((tmp_path / "CME" / "ESM6").iterdir())
        assert sum(path.stat().st_size for path in found) <= limit + 8_192
        assert 4 <= len(found) <= 11
        assert found[-1].name == "trades.jsonl"
        numbers = [json.loads(line)["seq"] for path in found for line in path.read_text().splitlines()]
    assert numbers == list(range(numbers[0], 2_001))


def test_retention_deletes_what_is_too_old_and_nothing_of_others(tmp_path: Path) -> None:
    folder = tmp_path / "CME" / "ESM6"
    folder.mkdir(parents=True)
    old = [folder / "trades.01700000000000000000.jsonl", folder / "book.01700000000000000000.jsonl"]
    others = [
        folder / "trades.old.jsonl",
        folder / "notes.txt",
        folder / "trades.jsonl",
        tmp_path / "trades.jsonl",
    ]
    for path in (*old, *others):
        path.write_text('{"schema":1}\n')
        os.utime(path, (1_700_000_000, 1_700_000_000))
    with Engine(kept(tmp_path, data_retention_max_age_secs=60)):
        pass
    assert not any(path.exists() for path in old)
    assert all(path.exists() for path in others)


def test_a_full_disk_is_told_in_health_and_ingest_goes_on(tmp_path: Path) -> None:
    told: list[dict[str, Any]] = []
    with Engine(kept(tmp_path)) as engine:
        engine.subscribe(SYMBOL, StreamKind.HEALTH, told.append)
        engine.ingest_trade(SYMBOL, 1, 1, Side.ASK, 1)
        path = tmp_path / "CME" / "ESM6" / "trades.jsonl"
        whole = path.read_text()
        with file_bytes_max(len(whole) + 10):
            engine.ingest_trade(SYMBOL, 1, 1, Side.ASK, 2)
            engine.ingest_trade(SYMBOL, 1, 1, Side.ASK, 3)
        assert path.read_text() == whole
        assert engine.analytics_snapshot(SYMBOL)["buy_volume"] == 3
        assert engine.metrics()["disk_faults"] == 2
        assert "trades.jsonl: File too large" in engine.metrics()["adapter_last_error"]
        assert "File too large" in told[-1]["last_error"]
        engine.ingest_trade(SYMBOL, 1, 1, Side.ASK, 4)
        assert engine.metrics()["adapter_last_error"] is None
    assert [json.loads(line)["seq"] for line in path.read_text().splitlines()] == [1, 4]


def test_more_symbols_than_a_process_may_have_files_are_kept(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    with Engine(kept(tmp_path)) as engine:
        open_now = len(list(Path("/proc/self/fd").iterdir()))
        resource.setrlimit(resource.RLIMIT_NOFILE, (open_now + 20, before[1]))
        try:
            for number in range(120):
                engine.ingest_trade(Symbol("V", f"S{number % 60}"), 1, 1, Side.ASK, number + 1)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, before)
        assert engine.metrics()["disk_faults"] == 0
    assert [len((tmp_path / name).read_text().splitlines()) for name in files(tmp_path)] == [2] * 60


def test_a_data_folder_that_cannot_be_made_is_told_and_not_raised(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    with Engine(kept(blocked)) as engine:
        engine.ingest_trade(SYMBOL, 1, 1, Side.ASK)
        assert "Not a directory" in engine.metrics()["adapter_last_error"]
        assert engine.metrics()["processed_events"] == 1


# ------------------------------------------------------------------------------------------- audit


def audit_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_the_audit_log_tells_what_was_done_in_json_lines(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "audit.log"
    with Engine(EngineConfig(instance_id='a"b\\', audit_path=str(path))) as engine:
        engine.subscribe(SYMBOL)
        engine.set_external_reconnecting(True)
        engine.ingest_trade(SYMBOL, 1, 1, Side.ASK)
        engine.reset_symbol_session(SYMBOL)
        engine.unsubscribe(SYMBOL)
    lines = audit_lines(path)
    assert [line["event"] for line in lines] == [
        "engine_started",
        "subscription_added",
        "external_feed_reconnecting",
        "signal_blocked",
        "session_reset",
        "subscription_removed",
        "engine_stopped",
    ]
    assert lines[0]["details"] == {"instance_id": 'a"b\\'}
    assert lines[1]["details"] == {"venue": "CME", "symbol": "ESM6", "depth_levels": 10}
    assert lines[2]["details"] == {"reconnecting": True}
    assert all(line["ts"] > 1_700_000_000 for line in lines)


def test_tokens_are_redacted_in_any_case(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    with Engine(EngineConfig(instance_id="my-SeCrEt-Api_Key", audit_path=str(path))):
        pass
    assert audit_lines(path)[0]["details"]["instance_id"] == "my-[REDACTED]-[REDACTED]"


def test_redaction_never_breaks_a_line(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    settings = EngineConfig(
        instance_id='x"instance', audit_path=str(path), audit_redact_tokens_csv='", instance'
    )
    with Engine(settings):
        pass
    assert audit_lines(path)[0]["details"]["instance_id"] == "x[REDACTED][REDACTED]"


def test_the_audit_log_is_rotated_by_size_and_count(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    with Engine(EngineConfig(audit_path=str(path), audit_max_bytes=500, audit_max_files=3)) as engine:
        for number in range(100):
            engine.set_external_reconnecting(number % 2 == 0)
    assert files(tmp_path) == ["audit.log", "audit.log.1", "audit.log.2", "audit.log.3"]
    assert all(one.stat().st_size <= 500 for one in tmp_path.iterdir())
    assert all(audit_lines(one) for one in tmp_path.iterdir())
    assert audit_lines(path)[-1]["event"] == "engine_stopped"


def test_an_audit_log_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OrderflowError, match=r"audit_path .* cannot be written: Is a directory"):
        Engine(EngineConfig(audit_path=str(tmp_path)))
