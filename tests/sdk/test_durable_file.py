"""The file of a durable store: who may open it, what is wrong with it, what stays in it."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from ledgerx.api.client import v0_0_1 as api
from ledgerx.errors import (
    Error,
    Fatal,
    InvalidField,
    InvalidState,
    StoreBusy,
    StoreCorrupt,
    StoreLocked,
    StoreMismatch,
    StoreUnusable,
    StoreWriteFailed,
)
from ledgerx.protocol import wire
from ledgerx.sdk.items import RequestItem
from ledgerx.sdk.records import Position, Progress, Row, Unsaved
from ledgerx.sdk.request_file import RequestFile
from ledgerx.sdk.states import State
from ledgerx.sdk.store import IDStoreItem, MessageIDStore


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


def opened(store: MessageIDStore) -> RequestFile:
    store.claim(account="a", exchange="b")
    assert store.file is not None
    return store.file


def row(place: int, *, batch: str = "", stamped: bool = True, timestamp: int = 0) -> Row:
    mid = f"{place:032x}"
    order = api.MessageLimitOrder(mid=mid, size=1, timestamp=timestamp)
    return Row(place, mid, batch, wire.encode_message(order), stamped, timestamp)


def test_a_new_file_is_empty_and_private(path: Path) -> None:
    store = MessageIDStore(path)
    assert (store.path, len(store)) == (path, 0)
    assert path.stat().st_mode & 0o777 == 0o600
    store.close()
    store.close()
    assert MessageIDStore().path is None


def test_the_doubt_that_a_crash_left_outlives_an_orderly_end_that_dispatched_nothing(path: Path) -> None:
    first = MessageIDStore(path)
    opened(first).commit(Progress(Position(1, "v", 1, 5)))
    first.release(clean=False)  # killed: message 5 may have been with its handler

    second = MessageIDStore(path)
    opened(second)
    second.release(clean=True)  # stopped before it was connected

    third = MessageIDStore(path)
    file = opened(third)
    assert not file.loaded.clean
    file.commit(Progress(Position(1, "v", 1, 6)))
    third.release(clean=True)

    fourth = MessageIDStore(path)
    assert opened(fourth).loaded.clean
    fourth.release(clean=True)


def test_items_come_back_in_first_sent_order_with_their_last_report(path: Path) -> None:
    store = MessageIDStore(path)
    file = opened(store)
    file.insert([row(2, timestamp=50)], 1000)
    file.insert([row(1, timestamp=40), row(3, stamped=False)], 2000)
    report = api.MessageActionReport(mid=f"{2:032x}", size=7, remaining=1)
    encoded = wire.encode_message(report)
    file.save(Unsaved(Position(1, "v", 5, 5), []), 0)
    file.commit(Progress(Position(1, "v", 5, 9), moved=((2, State.OPEN, encoded),)))
    store.release(clean=False)

    again = MessageIDStore(path)
    items = [item for item in again.values() if isinstance(item, RequestItem)]
    assert [item.place for item in items] == [1, 2, 3]
    assert [item.state for item in items] == [State.SENT, State.OPEN, State.SENT]
    assert [item.encoded is not None for item in items] == [True, True, False]
    assert [item.wanted_ns for item in items] == [2000, 1000, 2000]
    assert items[1].last_report == report
    saved = again.claim(account="a", exchange="b")
    assert saved is not None
    assert (saved.position, saved.timestamp, saved.clean) == (Position(1, "v", 5, 9), 50, False)
    again.release(clean=True)


def test_members_whose_batch_is_done_are_acknowledged_and_old_questions_are_dropped(path: Path) -> None:
    store = MessageIDStore(path)
    file = opened(store)
    question = wire.encode_message(api.MessageGetPositions(mid=f"{3:032x}"))
    batch = Row(1, f"{1:032x}", "", wire.encode_message(api.MessageBatch(mid=f"{1:032x}")), True, 0)
    members = [row(2, batch=batch.mid), Row(3, f"{3:032x}", batch.mid, question, True, 0)]
    file.insert([batch, *members], 0)
    store.release(clean=False)

    store = MessageIDStore(path)
    found = store[batch.mid]
    assert isinstance(found, RequestItem)
    assert [member.mid for member in found.members] == [member.mid for member in members]
    opened(store).forget([batch.place])
    store.release(clean=False)

    store = MessageIDStore(path)
    (member,) = store.values()
    assert isinstance(member, RequestItem)
    assert (member.mid, member.state, member.batch) == (f"{2:032x}", State.ACKNOWLEDGED, None)
    opened(store)
    store.release(clean=True)
    with closing(sqlite3.connect(path)) as file_:
        assert file_.execute("SELECT count(*) FROM ledgerx_requests").fetchone() == (1,)


def test_a_position_of_a_line_that_ended_is_not_written_over_the_new_one(path: Path) -> None:
    store = MessageIDStore(path)
    file = opened(store)
    file.commit(Progress(Position(2, "new", 1, 4)))
    file.commit(Progress(Position(1, "old", 1, 900)))
    file.save(Unsaved(Position(1, "old", 1, 900), []), 0)
    store.release(clean=True)
    again = MessageIDStore(path)
    saved = again.claim(account="a", exchange="b")
    assert saved is not None
    assert saved.position == Position(2, "new", 1, 4)
    again.release(clean=True)


HOLDER = """
import sys
from ledgerx.sdk.store import MessageIDStore
store = MessageIDStore(sys.argv[1])
print("open", flush=True)
sys.stdin.readline()
"""


def test_another_process_has_it_until_it_dies(path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "open\n"
        with pytest.raises(StoreLocked, match=f"{path} is in use by process {holder.pid}") as caught:
            MessageIDStore(path)
        assert caught.value.path == str(path)
        holder.kill()
    MessageIDStore(path).close()


def test_a_forked_child_neither_uses_nor_holds_nor_ends_it(path: Path) -> None:
    store = MessageIDStore(path)
    file = opened(store)
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.close(write)
        verdict = 1
        try:
            file.insert([row(1)], 0)
        except InvalidState:
            verdict = 0
        store.release(clean=True)  # does nothing here
        os.read(read, 1)  # until the parent is through
        os._exit(verdict)
    os.close(read)
    file.insert([row(2)], 0)
    store.release(clean=True)
    again = MessageIDStore(path)  # though the child lives
    assert list(again) == [f"{2:032x}"]
    again.close()
    os.close(write)
    assert os.waitpid(child, 0)[1] == 0


def test_a_folder_that_is_not_there_or_takes_nothing(tmp_path: Path) -> None:
    (tmp_path / "a folder").mkdir()
    for bad in (tmp_path / "absent" / "store.db", tmp_path / "a folder", Path("/proc/store.db")):
        with pytest.raises(StoreUnusable, match=str(bad)) as caught:
            MessageIDStore(bad)
        assert isinstance(caught.value, OSError)
        assert isinstance(caught.value, Fatal)


def test_a_file_that_is_no_store_is_left_as_it_is(path: Path) -> None:
    with closing(sqlite3.connect(path)) as mine, mine:
        mine.execute("CREATE TABLE mine (number)")
    before = path.read_bytes()
    with pytest.raises(StoreMismatch, match="no store"):
        MessageIDStore(path)
    assert path.read_bytes() == before
    path.write_text("not a database at all, but a text that someone wrote\n" * 40)
    with pytest.raises(StoreCorrupt, match=str(path)):
        MessageIDStore(path)
    assert path.read_text().startswith("not a database")


def test_a_file_of_a_newer_build_is_refused(path: Path) -> None:
    MessageIDStore(path).close()
    with closing(sqlite3.connect(path)) as file:
        file.execute("PRAGMA user_version = 99")
    with pytest.raises(StoreMismatch, match="newer build, form 99"):
        MessageIDStore(path)


def test_a_damaged_file_is_reported(path: Path) -> None:
    store = MessageIDStore(path)
    opened(store).insert([row(place) for place in range(1, 200)], 0)
    store.release(clean=True)
    data = bytearray(path.read_bytes())
    for place in range(len(data) // 2, len(data)):
        data[place] = 0x5A
    path.write_bytes(data)
    with pytest.raises(StoreCorrupt, match=f"{path} is damaged"):
        MessageIDStore(path)


def test_a_message_that_cannot_be_read_is_damage_too(path: Path) -> None:
    store = MessageIDStore(path)
    opened(store).insert([row(1)._replace(message=b"\xff\xff")], 0)
    store.release(clean=True)
    with pytest.raises(StoreCorrupt, match=str(path)):
        MessageIDStore(path)


def test_a_full_file_refuses_requests_and_keeps_what_it_has(path: Path) -> None:
    store = MessageIDStore(path, file_bytes_max=50 * 1024)
    file = opened(store)
    stored = 0

    def fill() -> None:
        nonlocal stored
        while True:
            file.insert([row(stored + 1)], 0)
            stored += 1

    with pytest.raises(StoreWriteFailed, match=str(path)):
        fill()
    file.commit(Progress(Position(1, "v", 1, 2), finished=(1,)))
    store.release(clean=True)
    assert len(MessageIDStore(path)) == stored - 1


def test_a_program_that_holds_the_file_too_long_is_named_as_such(path: Path) -> None:
    store = MessageIDStore(path)
    file = opened(store)
    file.in_handler = lambda: True
    file.busy_timeout_s = 0.01
    with file.transaction() as db:
        db.execute("CREATE TABLE mine (number)")
        assert file.insert([row(1)], 0) is False  # with the transaction
        with pytest.raises(sqlite3.IntegrityError):
            db.execute("INSERT INTO ledgerx_owner VALUES (NULL, NULL)")
    assert file.commit(Progress()) == [row(1)]
    store.release(clean=True)


def test_the_file_stays_small_however_many_requests_pass_through_it(path: Path) -> None:
    store = MessageIDStore(path)
    file = opened(store)
    for place in range(1, 20_001):
        file.insert([row(place)], 0)
        file.commit(Progress(Position(1, "v", 1, place), finished=(place,)))
    store.release(clean=True)
    assert path.stat().st_size < 64 * 1024
    assert not Path(f"{path}-wal").exists()


def test_power_safety_and_other_options(path: Path) -> None:
    store = MessageIDStore(path, sync="power")
    (level,) = opened(store)._connection.execute("PRAGMA synchronous").fetchone()
    assert level == 2  # FULL: an fsync a commit
    store.release(clean=True)
    with pytest.raises(InvalidField, match="sync"):
        MessageIDStore(path, sync="always")  # type: ignore[arg-type]
    assert issubclass(StoreBusy, Error)


def test_items_put_there_by_hand_are_not_the_files(path: Path) -> None:
    store = MessageIDStore(path)
    store["ab"] = IDStoreItem()
    store.close()
    assert len(MessageIDStore(path)) == 0
