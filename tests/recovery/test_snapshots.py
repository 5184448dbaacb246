"""From a snapshot after any record a venue starts as from the whole journal."""

from __future__ import annotations

import shutil
from pathlib import Path

from request_stream import play
from venue_harness import HandClock

from ledgerx.exchange.follower import Follower
from ledgerx.exchange.snapshot_files import list_snapshots, snapshot_path
from ledgerx.exchange.venue import Venue


def opened(folder: Path) -> tuple[bytes, dict[int, list[bytes]], int]:
    """The state a venue starts with, each account's line, and the record it started from."""
    venue = Venue.open(folder, clock=HandClock())
    lines = {
        row.cid: venue.lines.read(row.cid, 1, count_max=10**6, bytes_max=10**9) for row in venue.accounts()
    }
    state = venue.engine.snapshot().SerializeToString(deterministic=True)
    start = venue.recovered_from
    venue.close()
    return state, lines, start


def test_a_venue_starts_alike_from_a_snapshot_after_any_record_of_any_segment(tmp_path: Path) -> None:
    play(tmp_path / "D", 11, 700, segment_bytes_max=8000)
    assert len(list((tmp_path / "D" / "journal").glob("*.journal"))) > 10
    state, lines, start = opened(tmp_path / "D")
    assert start == 0
    copy = tmp_path / "copy"
    shutil.copytree(tmp_path / "D", copy)
    follower = Follower(copy, snapshot_records=1)
    while follower.step():
        number = follower.number
        assert list_snapshots(copy)[-1] == number
        if number % 23 == 0:
            other = tmp_path / str(number)
            shutil.copytree(tmp_path / "D", other)
            (other / "snapshots").mkdir()
            shutil.copy(snapshot_path(copy, number), snapshot_path(other, number))
            assert opened(other) == (state, lines, number)
            shutil.rmtree(other)
    assert follower.number > 200
    follower.close()
