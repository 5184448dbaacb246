"""Frames: a payload's length as ULEB128, the payload, and zeros up to four bytes in all. No I/O.

    header of 300: ac 02          "a": 01 61 00 00          an empty payload: 00 00 00 00

The length counts neither the header nor the zeros.
"""

from __future__ import annotations

from ledgerx.errors import DecodeError, IncompleteULEB128, InvalidField

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


def uleb128_encode(value: int) -> bytearray:
    """A number of at least 0 as ULEB128: seven bits a byte, the lowest first. Raises InvalidField below 0."""
    if value < 0:
        message = f"value {value} is negative: ULEB128 has no sign"
        raise InvalidField(message, field="value", value=value)
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
        self._short = min(0x80, frame_bytes_max + 1)  # a first byte below it is all of the header
        self._buffer = bytearray()  # begins with a frame that is not whole
        self._needed = MIN_FRAME_SIZE  # bytes of it before there is anything to look at

    def __len__(self) -> int:
        return len(self._buffer)

    def rest(self) -> bytes:
        """The bytes of the frame that is not whole yet."""
        return bytes(self._buffer)

    def feed(self, data: bytes | bytearray | memoryview) -> list[bytes]:
        """The payloads that are whole now, in order."""
        if self.error is not None:
            return []
        if self._buffer:
            self._buffer += data
            if len(self._buffer) < self._needed:
                return []
            whole = bytes(self._buffer)
            self._buffer.clear()
        else:
            whole = bytes(data)
        payloads, position = self._split(whole)
        if position < len(whole):
            # Less than came now, and copied again only when the frame that it begins is whole.
            self._buffer += memoryview(whole)[position:]
        return payloads

    def _split(self, data: bytes) -> tuple[list[bytes], int]:
        """The whole payloads, and where the first that is not whole begins."""
        payloads: list[bytes] = []
        append, short, end, position = payloads.append, self._short, len(data), 0
        self._needed = MIN_FRAME_SIZE
        whole = end - short  # a frame with a header of one byte that begins before it is whole
        while position <= end - MIN_FRAME_SIZE:
            while position < whole and MIN_FRAME_SIZE <= (size := data[position]) < short:
                start = position + 1
                position = start + size
                append(data[start:position])
            size = data[position]
            if MIN_FRAME_SIZE <= size < short:
                after = position + size + 1
                if after > end:
                    self._needed = size + 1
                    break
                append(data[position + 1 : after])
                position = after
                continue
            size, header = self._length(data, position)
            if not header:
                break
            needed = max(header + size, MIN_FRAME_SIZE)
            if position + needed > end:
                self._needed = needed
                break
            append(data[position + header : position + header + size])
            position += needed
        return payloads, position

    def _length(self, data: bytes, position: int) -> tuple[int, int]:
        """A payload's length and its header's; the header's is 0 where it is not whole, or wrong."""
        try:
            size, header = uleb128_decode(data[position : position + HEADER_BYTES_MAX])
        except IncompleteULEB128:
            if len(data) - position >= HEADER_BYTES_MAX:
                self.error = DecodeError(f"a frame's header is longer than {HEADER_BYTES_MAX} bytes")
            self._needed = HEADER_BYTES_MAX
            return 0, 0
        if size > self._frame_bytes_max:
            cap = self._frame_bytes_max
            self.error = DecodeError(f"a frame of {size} bytes is above frame_bytes_max, {cap}")
            return 0, 0
        return size, header
