"""A Zstandard file that was cut anywhere is known for it, by its lengths alone."""

from __future__ import annotations

import io

import pyarrow as pa
import pytest

from ledgerx.clob._zstd import ends_with_a_frame

SAMPLES = {
    "text": b"the quick brown fox " * 200,
    "empty": b"",
    "one byte": b"a",
    "a run": bytes(300_000),
    "several blocks": bytes((number * 7919 >> 5) & 0xFF for number in range(400_000)),
}
SKIPPABLE = (0x184D2A53).to_bytes(4, "little") + (5).to_bytes(4, "little") + b"12345"


def compressed(name: str) -> bytes:
    data: bytes = pa.compress(SAMPLES[name], codec="zstd", asbytes=True)
    return data


@pytest.mark.parametrize("name", SAMPLES)
def test_a_whole_file_ends_with_a_frame_and_one_that_was_cut_does_not(name: str) -> None:
    data = compressed(name)
    assert ends_with_a_frame(io.BytesIO(data))
    for length in {*range(min(len(data), 3000)), *range(0, len(data), 997), len(data) - 1}:
        assert not ends_with_a_frame(io.BytesIO(data[:length])), length


def test_frames_stand_one_behind_the_other_and_some_are_passed_over() -> None:
    data = compressed("text") + SKIPPABLE + compressed("one byte")
    assert ends_with_a_frame(io.BytesIO(data))
    assert not ends_with_a_frame(io.BytesIO(data[:-1]))
    assert not ends_with_a_frame(io.BytesIO(compressed("text") + SKIPPABLE[:-1]))


def test_what_is_behind_the_last_frame_and_is_none_is_no_end() -> None:
    assert not ends_with_a_frame(io.BytesIO(compressed("text") + b"rest"))


@pytest.mark.parametrize("checksum", [False, True])
@pytest.mark.parametrize("is_single", [False, True])
@pytest.mark.parametrize("content_flag", range(4))
@pytest.mark.parametrize("dictionary_flag", range(4))
def test_every_form_of_a_header_is_read(
    checksum: bool, is_single: bool, content_flag: int, dictionary_flag: int
) -> None:
    descriptor = content_flag << 6 | is_single << 5 | checksum << 2 | dictionary_flag
    header = 0xFD2FB528.to_bytes(4, "little") + bytes([descriptor])
    header += bytes(not is_single) + bytes((0, 1, 2, 4)[dictionary_flag])
    header += bytes((int(is_single), 2, 4, 8)[content_flag])
    raw, run = (3 << 3).to_bytes(3, "little") + b"abc", (1000 << 3 | 1 << 1 | 1).to_bytes(3, "little") + b"z"
    frame = header + raw + run + bytes(4 * checksum)
    assert ends_with_a_frame(io.BytesIO(frame))
    assert not any(ends_with_a_frame(io.BytesIO(frame[:length])) for length in range(len(frame)))
