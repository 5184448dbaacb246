"""Whether a Zstandard file is whole, by the lengths in it: decoders that are fed piece by piece do not say.

RFC 8878 (section 3.1) gives the form: frames one behind the other, each a header, blocks of which one is
marked as the last, and a checksum where the header says so.
"""

from __future__ import annotations

from typing import BinaryIO, Final

__all__ = ["ends_with_a_frame"]

_MAGIC: Final = 0xFD2FB528
_SKIPPABLE: Final = 0x184D2A50
_SKIPPABLE_MASK: Final = 0xFFFFFFF0
_DICTIONARY_ID_BYTES: Final = (0, 1, 2, 4)
_CONTENT_SIZE_BYTES: Final = (0, 2, 4, 8)
_RUN_LENGTH: Final = 1


def ends_with_a_frame(file: BinaryIO) -> bool:
    """Whether a file that can be sought ends where a frame does. Nothing of it is decoded."""
    end = file.seek(0, 2)
    place = file.seek(0)
    while place < end:
        place = _frame_end(file, place)
        if not 0 < place <= end:
            return False
    return end > 0


def _frame_end(file: BinaryIO, place: int) -> int:
    """Where the frame that begins at a place ends, which may be behind the file's end; 0: it is none."""
    magic, place = _number(file, place, 4)
    if magic & _SKIPPABLE_MASK == _SKIPPABLE:
        size, place = _number(file, place, 4)
        return place + size
    if magic != _MAGIC:
        return 0
    descriptor, place = _number(file, place, 1)
    is_single = descriptor >> 5 & 1
    place += (not is_single) + _DICTIONARY_ID_BYTES[descriptor & 3]
    place += _CONTENT_SIZE_BYTES[descriptor >> 6] or is_single
    is_last = 0
    while not is_last:
        block, place = _number(file, place, 3)
        is_last, kind, size = block & 1, block >> 1 & 3, block >> 3
        if block < 0:
            return 0
        place += 1 if kind == _RUN_LENGTH else size
    return place + 4 * (descriptor >> 2 & 1)


def _number(file: BinaryIO, place: int, count: int) -> tuple[int, int]:
    """The number in so many bytes from a place on, and the place behind it; -1 where they are not there."""
    file.seek(place)
    data = file.read(count)
    return (int.from_bytes(data, "little") if len(data) == count else -1), place + count
