"""Frames: the documented bytes, any cut of them, and what is no frame."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledgerx.errors import DecodeError
from ledgerx.streaming_api.framing import (
    MIN_FRAME_SIZE,
    Deframer,
    IncompleteULEB128,
    frame_decode_all,
    frame_encode,
    uleb128_decode,
    uleb128_encode,
)


def framed(payload: bytes) -> bytes:
    frame = bytearray()
    frame_encode(frame, payload)
    return bytes(frame)


@pytest.mark.parametrize(
    ("payload", "frame"),
    [(b"", "00000000"), (b"a", "01610000"), (b"abc", "03616263"), (b"abcd", "0461626364")],
)
def test_a_short_payload_is_padded_to_four_bytes_in_all(payload: bytes, frame: str) -> None:
    assert framed(payload).hex() == frame


@pytest.mark.parametrize(
    ("value", "encoded"), [(0, "00"), (127, "7f"), (128, "8001"), (300, "ac02"), (2097152, "80808001")]
)
def test_a_length_is_uleb128(value: int, encoded: str) -> None:
    assert uleb128_encode(value).hex() == encoded
    assert uleb128_decode(bytes.fromhex(encoded) + b"\x05") == (value, len(encoded) // 2)


def test_a_negative_length_is_refused() -> None:
    with pytest.raises(ValueError, match="-1 is negative"):
        uleb128_encode(-1)


@pytest.mark.parametrize("begun", [b"", b"\x80", b"\xff\xff"])
def test_a_length_that_ends_too_soon_is_incomplete(begun: bytes) -> None:
    assert issubclass(IncompleteULEB128, DecodeError)  # and so of the one tree
    with pytest.raises(IncompleteULEB128):
        uleb128_decode(begun)


def test_frame_encode_appends() -> None:
    frame = bytearray(b"before")
    frame_encode(frame, b"abcd")
    assert frame == b"before\x04abcd"


@given(st.lists(st.binary(max_size=400), max_size=20), st.data())
def test_whatever_the_cuts_the_payloads_come_out(payloads: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(framed(payload) for payload in payloads) + b"\x05a"
    deframer = Deframer()
    found: list[bytes] = []
    rest = stream
    while rest:
        cut = data.draw(st.integers(1, len(rest)))
        found += deframer.feed(rest[:cut])
        rest = rest[cut:]
    assert found == payloads
    assert deframer.rest() == b"\x05a"
    assert deframer.error is None
    assert frame_decode_all(stream) == (payloads, b"\x05a")


@given(st.binary(max_size=2000))
def test_any_bytes_are_frames_or_a_stored_error(data: bytes) -> None:
    deframer = Deframer(frame_bytes_max=1000)
    payloads = deframer.feed(data)
    assert all(len(payload) <= 1000 for payload in payloads)
    if deframer.error is not None:
        assert deframer.feed(b"\x00\x00\x00\x00") == []


def test_a_header_of_more_than_five_bytes_is_no_frame() -> None:
    with pytest.raises(DecodeError, match="header"):
        frame_decode_all(b"\x80" * 6)
    assert frame_decode_all(b"\x80" * 4) == ([], b"\x80" * 4)


def test_a_frame_above_the_cap_is_refused_before_it_came() -> None:
    deframer = Deframer(frame_bytes_max=100)
    assert deframer.feed(framed(b"x" * 100)) == [b"x" * 100]
    assert deframer.feed(uleb128_encode(101) + b"xxx") == []
    assert "frame_bytes_max" in str(deframer.error)


def test_frames_before_a_bad_one_come_out() -> None:
    deframer = Deframer()
    assert deframer.feed(framed(b"good") + b"\x80" * 6) == [b"good"]
    assert deframer.error is not None


def test_what_was_read_is_not_kept() -> None:
    deframer = Deframer()
    chunk = framed(b"x" * 1000) * 100
    for _ in range(100):
        deframer.feed(chunk[:-1])
        deframer.feed(chunk[-1:])
    assert len(deframer) == 0
    assert deframer.rest() == b""


def test_the_smallest_frame_is_four_bytes() -> None:
    assert MIN_FRAME_SIZE == 4
    assert frame_decode_all(b"\x00\x00\x00") == ([], b"\x00\x00\x00")
