"""Frames: a payload's length as ULEB128, the payload, and zeros up to four bytes in all. No I/O.

    header of 300: ac 02          "a": 01 61 00 00          an empty payload: 00 00 00 00

The length counts neither the header nor the zeros.
"""

from __future__ import annotations

from ledgerx.errors import DecodeError

__all__ = [
    "FRAME_BYTES_MAX",
    "HEADER_BYTES_MAX",
    "MIN_FRAME_SIZE",
    "Deframer",
    "IncompleteULEB128",
    "frame_decode_all",
    "frame_encode",
    "uleb128_decode",
    "uleb128_encode",
]

MIN_FRAME_SIZE = 4
HEADER_BYTES_MAX = 5
FRAME_BYTES_MAX = 4 * 1024 * 1024
_COMPACT_BYTES = 64 * 1024  # what a Deframer leaves behind its reading position before it moves the rest


class IncompleteULEB128(Exception):
    """The bytes end before the number does."""


def uleb128_encode(value: int) -> bytearray:
    """A number of at least 0 as ULEB128: seven bits a byte, the lowest first. ValueError below 0."""
    if value < 0:
        raise ValueError(f"value {value} is negative: ULEB128 has no sign")
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return encoded


def uleb128_decode(to_decode: bytes | bytearray | memoryview, start: int = 0) -> tuple[int, int]:
    """The number that begins at `start`, and in how many bytes. IncompleteULEB128 where they end too soon."""
    value = shift = 0
    for position in range(start, len(to_decode)):
        byte = to_decode[position]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position + 1 - start
        shift += 7
    raise IncompleteULEB128("the bytes end before the number does")


def frame_encode(frame: bytearray, payload: bytes | bytearray | memoryview) -> None:
    """Append the frame of a payload to `frame`."""
    size = len(payload)
    if size < 0x80:
        frame.append(size)
        frame += payload
        if size < MIN_FRAME_SIZE - 1:
            frame += bytes(MIN_FRAME_SIZE - 1 - size)
        return
    frame += uleb128_encode(size)
    frame += payload


def frame_decode_all(to_decode: bytes) -> tuple[list[bytes], bytes]:
    """The payloads of all whole frames, and the bytes after them. Raises DecodeError as a Deframer does."""
    deframer = Deframer()
    payloads = deframer.feed(to_decode)
    if deframer.error is not None:
        raise deframer.error
    return payloads, deframer.rest()


class Deframer:
    """Bytes in as they arrive, payloads out, in time linear in the bytes.

    What is no frame sets `error`; from then on everything is ignored. `frame_bytes_max` bounds a payload.
    """

    def __init__(self, frame_bytes_max: int = FRAME_BYTES_MAX) -> None:
        self.error: DecodeError | None = None
        self._frame_bytes_max = frame_bytes_max
        self._buffer = bytearray()
        self._position = 0

    def __len__(self) -> int:
        return len(self._buffer) - self._position

    def rest(self) -> bytes:
        """The bytes of the frame that is not whole yet."""
        return bytes(memoryview(self._buffer)[self._position :])

    def feed(self, data: bytes | bytearray | memoryview) -> list[bytes]:
        """The payloads that are whole now, in order."""
        if self.error is not None:
            return []
        buffer = self._buffer
        buffer += data
        payloads: list[bytes] = []
        position, end = self._position, len(buffer)
        with memoryview(buffer) as view:
            while end - position >= MIN_FRAME_SIZE:
                size = view[position]
                header = 1
                if size > 0x7F:
                    size, header = self._length(view, position)
                    if not header:
                        break
                if size > self._frame_bytes_max:
                    cap = self._frame_bytes_max
                    self.error = DecodeError(f"a frame of {size} bytes is above frame_bytes_max, {cap}")
                    break
                after = position + max(header + size, MIN_FRAME_SIZE)
                if after > end:
                    break
                payloads.append(bytes(view[position + header : position + header + size]))
                position = after
        self._keep_from(position)
        return payloads

    def _length(self, view: memoryview, position: int) -> tuple[int, int]:
        """A payload's length and its header's; the header's is 0 where it is not whole, or wrong."""
        try:
            return uleb128_decode(view[position : position + HEADER_BYTES_MAX])
        except IncompleteULEB128:
            if len(view) - position >= HEADER_BYTES_MAX:
                self.error = DecodeError(f"a frame's header is longer than {HEADER_BYTES_MAX} bytes")
            return 0, 0

    def _keep_from(self, position: int) -> None:
        """Forget what was read, moving the rest only where that costs little for each byte that came in."""
        if position == len(self._buffer):
            self._buffer.clear()
            position = 0
        elif position >= _COMPACT_BYTES and position * 2 >= len(self._buffer):
            del self._buffer[:position]
            position = 0
        self._position = position
