"""The lines read back: from memory, from the journal, and in pages."""

import pytest

from ledgerx.errors import JournalCorrupt
from ledgerx.exchange.journal import Journal
from ledgerx.exchange.journal_pb2 import Input, Output, Record, Tick
from ledgerx.exchange.line_store import LineStore


@pytest.fixture
def journal(tmp_path):
    journal = Journal.open(tmp_path)
    yield journal
    journal.close()


def fill(journal, lines, count):
    """Records that give account 1 two messages each and account 2 one."""
    for number in range(1, count + 1):
        record = Record(number=number, input=Input(time=number, tick=Tick()))
        record.outputs.add(cid=1, sequence=2 * number - 1, message=b"1:%d" % (2 * number - 1))
        record.outputs.add(cid=0, topic="trade.7", sequence=number, message=b"public")
        record.outputs.add(cid=2, sequence=number, message=b"2:%d" % number)
        record.outputs.add(cid=1, sequence=2 * number, message=b"1:%d" % (2 * number))
        journal.append(record)
        lines.add(record)
    journal.commit()


@pytest.mark.parametrize("recent_bytes_max", [0, 700, 10**6])
def test_a_line_reads_the_same_from_memory_and_from_the_journal(journal, recent_bytes_max):
    lines = LineStore(journal, recent_bytes_max=recent_bytes_max)
    fill(journal, lines, 20)
    assert (lines.head(1), lines.head(2), lines.head(3)) == (40, 20, 0)
    assert lines.read(1, 1, count_max=100, bytes_max=10**6) == [b"1:%d" % n for n in range(1, 41)]
    assert lines.read(2, 19, count_max=100, bytes_max=10**6) == [b"2:19", b"2:20"]
    assert lines.read(3, 1, count_max=100, bytes_max=10**6) == []


def test_a_read_is_bounded_by_count_bytes_and_end(journal):
    lines = LineStore(journal)
    fill(journal, lines, 20)
    assert lines.read(1, 5, count_max=3, bytes_max=10**6) == [b"1:5", b"1:6", b"1:7"]
    assert lines.read(1, 1, count_max=100, bytes_max=7) == [b"1:1", b"1:2"]
    assert lines.read(1, 1, count_max=100, bytes_max=0) == [b"1:1"]  # one in any case
    assert lines.read(1, 39, count_max=9, bytes_max=99, to_sequence=39) == [b"1:39"]
    assert lines.read(1, 41, count_max=9, bytes_max=99) == []
    assert lines.read(1, 0, count_max=9, bytes_max=99) == []


def test_memory_keeps_the_latest_messages_only(journal):
    lines = LineStore(journal, recent_bytes_max=1000)
    fill(journal, lines, 50)
    assert lines._recent_bytes <= 1000
    assert sum(len(line.recent) for line in lines._lines.values()) == len(lines._recent_order) <= 6


def test_a_hole_in_a_line_is_named(journal):
    record = Record(number=1, outputs=[Output(cid=1, sequence=2, message=b"x")])
    with pytest.raises(JournalCorrupt, match="message 2 after 0"):
        journal.append(record)
