"""Messages to bytes, the way the engine needs them: fast, and in one place.

`encode(message)` gives the same bytes as `ledgerx.protocol.wire.encode_message` without the copy into the
envelope: a `Message` that holds one message is that message's tag, its length and its bytes.
"""

from __future__ import annotations

from google.protobuf.message import Message as AnyMessage

from ledgerx.api.client import v0_0_1 as api

__all__ = ["encode", "varint"]


def varint(number: int) -> bytes:
    """A number that is not negative, as protobuf's wire format has it: 7 bits a byte, lowest first."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


_LENGTH_DELIMITED = 2
_TAGS = {
    field.message_type.name: varint(field.number << 3 | _LENGTH_DELIMITED)
    for field in api.Message.DESCRIPTOR.fields
    if field.message_type is not None
}
_LENGTHS = [varint(length) for length in range(1024)]


def encode(message: AnyMessage) -> bytes:
    """The bytes of the `Message` that holds `message`."""
    body = message.SerializeToString()
    size = len(body)
    return _TAGS[type(message).__name__] + (_LENGTHS[size] if size < 1024 else varint(size)) + body
