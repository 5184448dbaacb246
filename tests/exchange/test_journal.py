"""The journal: append, group commit, read back, and what a crash may leave."""

import os
import struct
import zlib

import pytest

from ledgerx.errors import InvalidState, JournalCorrupt, JournalWriteFailed
from ledgerx.exchange.journal import Journal
from ledgerx.exchange.journal_pb2 import Input, Output, Record, Request

BOOT = "8a3c1a52-0000-4000-8000-000000000001"
OTHER_BOOT = "8a3c1a52-0000-4000-8000-000000000002"


def record(number, message=b"order"):
    return Record(
        number=number,
        input=Input(time=number * 1000, request=Request(cid=7, message=message)),
        outputs=[Output(cid=7, sequence=number, message=b"report %d" % number)],
    )


def open_journal(folder, **options):
    return Journal.open(folder, **{"boot_id": BOOT, **options})


def write(folder, count, **options):
    """A journal of `count` records in one group each, left as a killed process leaves it."""
    journal = open_journal(folder, **options)
    for number in range(journal.last_number + 1, journal.last_number + count + 1):
        journal.append(record(number))
        journal.commit()
    abandon(journal)
    return journal.path


def abandon(journal):
    os.close(journal._fd)
    journal._fd = -1
    journal._marker.close()


def offsets(path):
    data, found, position = path.read_bytes(), [], 12
    while position < len(data):
        found.append(position)
        position += 8 + struct.unpack_from("<I", data, position)[0]
    return found


class TestAppending:
    def test_the_file_is_named_after_its_first_record(self, tmp_path):
        journal = open_journal(tmp_path)
        assert journal.path == tmp_path / "00000000000000000001.journal"
        assert journal.path.stat().st_mode & 0o777 == 0o600
        journal.close()

    def test_nothing_is_in_the_file_before_commit(self, tmp_path):
        journal = open_journal(tmp_path)
        before = journal.path.stat().st_size
        journal.append(record(1))
        assert journal.path.stat().st_size == before
        assert (journal.last_number, journal.committed) == (1, 0)
        assert journal.commit() == 1
        assert journal.path.stat().st_size == journal.end > before
        assert journal.committed == 1
        journal.close()

    def test_a_record_stands_as_length_checksum_payload(self, tmp_path):
        path = write(tmp_path, 1)
        data = path.read_bytes()
        payload = record(1).SerializeToString()
        assert data[12:] == struct.pack("<II", len(payload), zlib.crc32(payload)) + payload

    def test_buffered_and_written_records_are_read_alike(self, tmp_path):
        journal = open_journal(tmp_path)
        journal.append(record(1))
        journal.append(record(2))
        assert journal.read(2) == record(2)
        journal.commit()
        journal.append(record(3))
        assert [journal.read(number) for number in (1, 2, 3)] == [record(1), record(2), record(3)]
        for number in (0, 4):
            with pytest.raises(IndexError):
                journal.read(number)
        journal.close()

    def test_numbers_count_without_holes(self, tmp_path):
        journal = open_journal(tmp_path)
        journal.append(record(1))
        with pytest.raises(InvalidState, match="record 3 appended where 2 belongs"):
            journal.append(record(3))
        journal.close()

    def test_an_empty_commit_writes_nothing(self, tmp_path):
        journal = open_journal(tmp_path)
        assert journal.commit() == 0
        journal.close()

    def test_a_closed_journal_refuses(self, tmp_path):
        journal = open_journal(tmp_path)
        journal.close()
        journal.close()
        with pytest.raises(InvalidState):
            journal.append(record(1))

    def test_a_failed_write_refuses_everything_after_it(self, tmp_path):
        journal = open_journal(tmp_path)
        journal.append(record(1))
        read_only = os.open(journal.path, os.O_RDONLY)
        os.dup2(read_only, journal._fd)  # the kernel refuses the write, as a full or lost disk does
        os.close(read_only)
        with pytest.raises(JournalWriteFailed):
            journal.commit()
        with pytest.raises(JournalWriteFailed):
            journal.append(record(2))
        with pytest.raises(JournalWriteFailed):
            journal.commit()
        journal.close()

    def test_sync_power_commits_too(self, tmp_path):
        path = write(tmp_path, 3, sync="power")
        assert len(offsets(path)) == 3


class TestRecovery:
    def test_reopening_reads_what_was_written_and_counts_on(self, tmp_path):
        write(tmp_path, 5)
        journal = open_journal(tmp_path)
        assert list(journal.records()) == [record(number) for number in range(1, 6)]
        assert journal.recovery.cut_bytes == 0
        assert not journal.renewal_due
        journal.append(record(6))
        journal.commit()
        journal.close()
        assert len(offsets(journal.path)) == 6

    def test_a_tail_torn_at_any_byte_is_cut(self, tmp_path):
        path = write(tmp_path, 3)
        whole = path.read_bytes()
        last = offsets(path)[-1]
        for length in range(last, len(whole)):
            path.write_bytes(whole[:length])
            journal = open_journal(tmp_path)
            assert journal.committed == 2
            assert journal.recovery.cut_bytes == length - last
            assert path.stat().st_size == last
            journal.append(record(3))
            journal.commit()
            journal.close()
            assert path.read_bytes() == whole

    @pytest.mark.parametrize("zeros", [1, 7, 8, 9, 4096])
    def test_a_zero_filled_tail_is_cut(self, tmp_path, zeros):
        path = write(tmp_path, 3)
        whole = path.read_bytes()
        path.write_bytes(whole + bytes(zeros))
        journal = open_journal(tmp_path)
        assert (journal.committed, journal.recovery.cut_bytes) == (3, zeros)
        journal.close()
        assert path.read_bytes() == whole

    def test_a_bad_last_record_is_a_torn_tail(self, tmp_path):
        path = write(tmp_path, 3)
        data = bytearray(path.read_bytes())
        data[-1] ^= 1
        path.write_bytes(data)
        journal = open_journal(tmp_path)
        assert journal.committed == 2
        journal.close()

    def test_every_damaged_byte_before_a_valid_record_is_named(self, tmp_path):
        path = write(tmp_path, 3)
        whole = path.read_bytes()
        _first, second, third = offsets(path)
        for position in range(second, third):
            data = bytearray(whole)
            data[position] ^= 0x41
            path.write_bytes(data)
            with pytest.raises(JournalCorrupt, match=r"\.journal: record 2") as caught:
                open_journal(tmp_path)
            assert caught.value.position == second
            assert path.read_bytes() == data  # nothing was cut

    def test_a_number_that_does_not_follow_is_named(self, tmp_path):
        path = write(tmp_path, 2)
        data = path.read_bytes()
        second = offsets(path)[1]
        path.write_bytes(data + data[second:])
        with pytest.raises(JournalCorrupt, match="number 2 where 3 belongs") as caught:
            open_journal(tmp_path)
        assert caught.value.position == len(data)

    @pytest.mark.parametrize("length", range(12))
    def test_a_file_that_died_while_it_was_made_is_made_again(self, tmp_path, length):
        path = write(tmp_path, 0)
        header = path.read_bytes()
        for left in (header[:length], bytes(length)):
            path.write_bytes(left)
            journal = open_journal(tmp_path)
            assert journal.committed == 0
            journal.close()
            assert path.read_bytes() == header

    def test_a_file_of_another_kind_or_format_is_refused(self, tmp_path):
        path = write(tmp_path, 1)
        path.write_bytes(b"SQLite format 3\0 and more")
        with pytest.raises(JournalCorrupt, match="no journal"):
            open_journal(tmp_path)
        path.write_bytes(b"ledgerxJ" + struct.pack("<I", 9))
        with pytest.raises(JournalCorrupt, match="format 9"):
            open_journal(tmp_path)

    @pytest.mark.parametrize("blocked", ["journal", "file", "marker"])
    def test_what_cannot_be_opened_is_named(self, tmp_path, blocked):
        folder = tmp_path / "journal"
        if blocked == "journal":
            folder.write_text("a file where the folder belongs")
        elif blocked == "file":
            (folder / f"{1:020d}.journal").mkdir(parents=True)
        else:
            (folder / "released").mkdir(parents=True)
        with pytest.raises(JournalWriteFailed, match="journal"):
            open_journal(folder)

    def test_a_hole_between_two_segments_is_named(self, tmp_path):
        write(tmp_path, 1)
        (tmp_path / f"{50:020d}.journal").write_bytes(b"")
        with pytest.raises(JournalCorrupt, match="ends with record 1, and the next file begins with 50"):
            open_journal(tmp_path)

    def test_a_record_that_the_disk_changed_later_is_not_served(self, tmp_path):
        write(tmp_path, 2)
        journal = open_journal(tmp_path)
        fd = os.open(journal.path, os.O_WRONLY)
        os.pwrite(fd, b"\xff", offsets(journal.path)[0] + 10)
        os.close(fd)
        with pytest.raises(JournalCorrupt, match="changed on the disk"):
            journal.read(1)
        assert journal.read(2) == record(2)
        journal.close()


class TestRenewal:
    """When the venue must take a new venue_id (ledgerx/exchange/released.py)."""

    def test_a_write_torn_by_kill_was_never_sent(self, tmp_path):
        path = write(tmp_path, 3)
        with path.open("ab") as file:
            file.write(b"\x50\x00\x00\x00half a record")
        journal = open_journal(tmp_path)
        assert journal.recovery.cut_bytes
        assert not journal.renewal_due
        journal.close()

    @pytest.mark.parametrize("missing", ["half", "whole"])
    def test_a_released_record_that_is_gone_renews(self, tmp_path, missing):
        path = write(tmp_path, 3)
        last = offsets(path)[-1]
        path.write_bytes(path.read_bytes()[: last + 11 if missing == "half" else last])
        journal = open_journal(tmp_path)
        assert journal.renewal_due
        journal.close()

    @pytest.mark.parametrize(("sync", "renews"), [("process", True), ("power", False)])
    def test_another_boot_renews_unless_each_group_was_on_the_disk(self, tmp_path, sync, renews):
        path = write(tmp_path, 3, sync=sync)
        with path.open("ab") as file:
            file.write(b"\x50\x00\x00\x00half a record")
        journal = open_journal(tmp_path, boot_id=OTHER_BOOT)
        assert journal.renewal_due is renews
        journal.close()

    def test_another_boot_renews_where_the_file_ends_between_records_too(self, tmp_path):
        write(tmp_path, 3)
        journal = open_journal(tmp_path, boot_id=OTHER_BOOT)
        assert journal.renewal_due
        journal.close()

    def test_an_orderly_close_survives_a_reboot(self, tmp_path):
        write(tmp_path, 3)
        open_journal(tmp_path).close()
        journal = open_journal(tmp_path, boot_id=OTHER_BOOT)
        assert not journal.renewal_due
        journal.close()

    @pytest.mark.parametrize("marker", [None, b"", b"garbage as long as a marker, but it is none of them"])
    @pytest.mark.parametrize("torn", [True, False])
    def test_without_a_marker_a_torn_tail_renews(self, tmp_path, marker, torn):
        path = write(tmp_path, 3)
        if marker is None:
            (tmp_path / "released").unlink()
        else:
            (tmp_path / "released").write_bytes(marker)
        if torn:
            path.write_bytes(path.read_bytes()[:-1])
        journal = open_journal(tmp_path)
        assert journal.renewal_due is torn
        journal.close()

    @pytest.mark.parametrize(("less", "renews"), [(0, False), (1, True)])
    def test_a_marker_of_a_build_that_knew_one_segment_is_read(self, tmp_path, less, renews):
        path = write(tmp_path, 3)
        body = struct.pack("<QB36s", path.stat().st_size, 0, BOOT.encode())
        (tmp_path / "released").write_bytes(body + struct.pack("<I", zlib.crc32(body)))
        path.write_bytes(path.read_bytes()[: path.stat().st_size - less])
        journal = open_journal(tmp_path)
        assert journal.renewal_due is renews
        journal.close()
        assert len((tmp_path / "released").read_bytes()) == len(body) + 8 + 4

    @pytest.mark.parametrize("torn", [True, False])
    def test_an_unknown_boot_counts_as_another_one_for_a_torn_tail(self, tmp_path, torn):
        path = write(tmp_path, 3, boot_id="")
        if torn:
            with path.open("ab") as file:
                file.write(b"\x50")
        journal = open_journal(tmp_path, boot_id="")
        assert journal.renewal_due is torn
        journal.close()

    def test_a_due_renewal_is_kept_until_it_happened(self, tmp_path):
        path = write(tmp_path, 3)
        path.write_bytes(path.read_bytes()[:-1])
        open_journal(tmp_path).close()
        write(tmp_path, 1)
        journal = open_journal(tmp_path)
        assert journal.renewal_due
        journal.renewed()
        assert not journal.renewal_due
        abandon(journal)
        journal = open_journal(tmp_path)
        assert not journal.renewal_due
        journal.close()
