"""What a crash leaves of a folder."""

from pathlib import Path

import pytest

from ledgerx.testing.disk import SimulatedDisk, scratch_folder


@pytest.fixture
def disk(tmp_path: Path) -> SimulatedDisk:
    disk = SimulatedDisk(tmp_path)
    (tmp_path / "1.journal").write_bytes(b"abc")
    (tmp_path / "released").write_bytes(b"old")
    (tmp_path / "lock").write_bytes(b"1")
    disk.mark()
    with (tmp_path / "1.journal").open("ab") as file:
        file.write(b"defg")
    (tmp_path / "released").write_bytes(b"new")
    (tmp_path / "made").write_bytes(b"new")
    (tmp_path / "lock").write_bytes(b"2")
    return disk


def test_a_torn_write_leaves_a_first_part_and_nothing_of_what_was_to_follow(disk: SimulatedDisk) -> None:
    assert disk.growth() == 4
    assert disk.tear(lambda: 0.5) == 2
    assert (disk.folder / "1.journal").read_bytes() == b"abcde"
    assert (disk.folder / "released").read_bytes() == b"old"
    assert not (disk.folder / "made").exists()
    assert (disk.folder / "lock").read_bytes() == b"2"


def test_a_power_cut_leaves_what_was_synced_and_of_the_rest_what_chance_decides(disk: SimulatedDisk) -> None:
    (disk.folder / "2.journal").write_bytes(b"synced")
    chances = iter([0.9, 0.1])  # of "made", then of "released"
    disk.cut_power(lambda: next(chances))
    assert (disk.folder / "1.journal").read_bytes() == b"abcdefg"
    assert (disk.folder / "2.journal").read_bytes() == b"synced"
    assert (disk.folder / "made").read_bytes() == b"new"
    assert (disk.folder / "released").read_bytes() == b"old"


def test_a_scratch_folder_is_removed_with_its_disk() -> None:
    folder = scratch_folder()
    (folder / "file").write_bytes(b"1")
    SimulatedDisk(folder).remove()
    assert not folder.exists()
