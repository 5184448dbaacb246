"""Reading LOBSTER days: the form's rules, and every way a file can break them."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from ledgerx.clob.lobster import LobsterFile, MessageType
from ledgerx.errors import InvalidData

MESSAGES = "34200.5,1,77,21,2238100,1\n34201.000000012,4,78,20,2239500,-1\n"
BOOK = "2239500,100,2238100,21,2239900,100,2231800,100\n2239500,80,2238100,21,9999999999,0,-9999999999,0\n"


def written(folder: Path, messages: str = MESSAGES, book: str = BOOK) -> LobsterFile:
    (folder / "X_message_2.csv").write_text(messages)
    (folder / "X_orderbook_2.csv").write_text(book)
    return LobsterFile(folder / "X_message_2.csv")


def zipped(folder: Path, *names: str) -> Path:
    path = folder / "X.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, MESSAGES if "message" in name else BOOK)
    return path


def test_a_row_is_a_message_and_the_levels_after_it(tmp_path: Path) -> None:
    first, second = written(tmp_path).rows()
    assert first.type is MessageType.NEW
    assert (first.number, first.time_ns, first.order_id, first.size) == (1, 34200_500000000, 77, 21)
    assert (first.price, first.is_ask, first.levels) == (2238100, False, 2)
    assert first.asks == ((2239500, 100), (2239900, 100))
    assert first.bids == ((2238100, 21), (2231800, 100))
    assert (second.time_ns, second.type, second.is_ask) == (34201_000000012, MessageType.EXECUTION, True)


def test_levels_that_do_not_exist_are_left_out(tmp_path: Path) -> None:
    second = list(written(tmp_path).rows())[1]
    assert second.asks == ((2239500, 80),)
    assert second.bids == ((2238100, 21),)


def test_times_finer_than_a_nanosecond_are_rounded(tmp_path: Path) -> None:
    file = written(tmp_path, MESSAGES.replace("34200.5", "43002.6328126719996"))
    assert next(file.rows()).time_ns == 43002_632812672


def test_line_ends_of_either_kind_are_read(tmp_path: Path) -> None:
    (tmp_path / "X_message_2.csv").write_bytes(MESSAGES.replace("\n", "\r\n").encode())
    (tmp_path / "X_orderbook_2.csv").write_bytes(BOOK.replace("\n", "\r\n").encode())
    assert len(list(LobsterFile(tmp_path / "X_message_2.csv").rows())) == 2


def test_a_zip_reads_as_its_two_files(tmp_path: Path) -> None:
    file = LobsterFile(zipped(tmp_path, "X_message_2.csv", "X_orderbook_2.csv", "ReadMe.txt"))
    assert list(file.rows()) == list(written(tmp_path).rows())
    assert file.count() == 2
    assert file.name == "X.zip"


def test_a_limit_ends_the_rows_early(tmp_path: Path) -> None:
    assert [row.number for row in written(tmp_path).rows(limit=1)] == [1]


def test_the_file_of_levels_may_be_named(tmp_path: Path) -> None:
    written(tmp_path)
    other = (tmp_path / "X_orderbook_2.csv").rename(tmp_path / "levels.csv")
    assert len(list(LobsterFile(tmp_path / "X_message_2.csv", other).rows())) == 2


@pytest.mark.parametrize("names", [("X_message_2.csv",), ("a_message.csv", "b_message.csv", "orderbook.csv")])
def test_a_zip_without_one_file_of_each_is_refused(tmp_path: Path, names: tuple[str, ...]) -> None:
    with pytest.raises(InvalidData, match=r"X\.zip"):
        LobsterFile(zipped(tmp_path, *names))


def test_what_is_no_zip_is_refused(tmp_path: Path) -> None:
    (tmp_path / "X.zip").write_text("nothing")
    with pytest.raises(InvalidData, match="not a readable zip"):
        LobsterFile(tmp_path / "X.zip")


def test_absent_files_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InvalidData, match=r"X_message_2\.csv: no such file"):
        LobsterFile(tmp_path / "X_message_2.csv")
    (tmp_path / "day.csv").write_text(MESSAGES)
    with pytest.raises(InvalidData, match="must be named"):
        LobsterFile(tmp_path / "day.csv")


@pytest.mark.parametrize("what", ["encrypted", "compressed by an unknown method"])
def test_a_zip_that_cannot_be_unpacked_is_refused(tmp_path: Path, what: str) -> None:
    path = zipped(tmp_path, "X_message_2.csv", "X_orderbook_2.csv")
    content = bytearray(path.read_bytes())
    for magic, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = content.find(magic)
        while start >= 0:
            if what == "encrypted":
                content[start + place] |= 1
            else:
                content[start + place + 2] = 99
            start = content.find(magic, start + 4)
    path.write_bytes(content)
    with pytest.raises(InvalidData, match=r"X\.zip: cannot be read"):
        list(LobsterFile(path).rows())


def test_a_zip_that_is_damaged_inside_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path, "X_message_2.csv", "X_orderbook_2.csv")
    path.write_bytes(path.read_bytes().replace(b"2239500", b"2239501"))
    with pytest.raises(InvalidData, match="cannot be read"):
        list(LobsterFile(path).rows())
    with pytest.raises(InvalidData, match="cannot be read"):
        LobsterFile(path).count()


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("34201.000000012", "x", "time"),
        (",4,", ",8,", "type"),
        (",78,", ",-78,", "order id"),
        (",20,", ",2_0,", "size"),
        (",20,", ",0,", "size"),
        ("2239500", "22.5", "price"),
        (",-1\n", ",0\n", "direction"),
        (",-1\n", "\n", ""),
        ("34201.000000012,4,78,20,2239500,-1", "", ""),
    ],
)
def test_a_broken_message_names_file_row_and_field(tmp_path: Path, old: str, new: str, field: str) -> None:
    with pytest.raises(InvalidData, match=r"X_message_2\.csv row 2") as caught:
        list(written(tmp_path, messages=MESSAGES.replace(old, new)).rows())
    assert (caught.value.file, caught.value.row, caught.value.field) == ("X_message_2.csv", 2, field)
    assert field in str(caught.value)


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("2239500,80,x,21", ""),
        ("2239500,80,2238100", ""),
        ("2239500,0,2238100,21", "ask size 1"),
        ("2239500,80,2238100,-1", "bid size 1"),
        ("2239500,80,2238100,21,2239500,1,2238000,1", "ask price 2"),
        ("2239500,80,2238100,21,2239600,1,2238100,1", "bid price 2"),
        ("2239500,80,2239500,21", "bid price 1"),
    ],
)
def test_broken_levels_name_file_row_and_field(tmp_path: Path, line: str, field: str) -> None:
    with pytest.raises(InvalidData, match=r"X_orderbook_2\.csv row 2") as caught:
        list(written(tmp_path, book=BOOK.splitlines()[0] + "\n" + line + "\n").rows())
    assert (caught.value.row, caught.value.field) == (2, field)


def test_files_of_unequal_length_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidData, match=r"orderbook_2\.csv row 2: the file ends"):
        list(written(tmp_path, book=BOOK.splitlines()[0]).rows())
    with pytest.raises(InvalidData, match=r"message_2\.csv row 3: the file ends"):
        list(written(tmp_path, book=BOOK + BOOK).rows())


def test_the_real_day_is_read_whole(shared_data: Path) -> None:
    file = LobsterFile(shared_data / "lobster" / "AMZN_2012-06-21_5.zip")
    assert file.count() == 155_935
    first = next(file.rows())
    assert (first.asks[0], first.bids[0]) == ((2239500, 100), (2231800, 100))
