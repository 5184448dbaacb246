"""Bytes to messages and back: the frame, the one-of envelope, and the registry of versions.

A frame on the wire is a serialised `Frame` whose `messages` are serialised messages, kept as the
bytes they were first stored as. Nothing here knows who sends what.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import Any

from google.protobuf.message import DecodeError as ProtobufDecodeError
from google.protobuf.message import Message as AnyMessage
from google.protobuf.unknown_fields import UnknownFieldSet

from ledgerx.api.client import v0_0_1 as api
from ledgerx.errors import DecodeError, InvalidMessage

__all__ = [
    "BATCH_REQUESTS_MAX",
    "FRAME_BYTES_MAX",
    "VERSIONS",
    "AnyMessage",
    "decode_frame",
    "decode_message",
    "encode_frame",
    "encode_message",
    "envelope",
    "frame_groups",
    "kind_of",
    "shared_fields",
    "unwrap",
]

FRAME_BYTES_MAX = 4 * 1024 * 1024
BATCH_REQUESTS_MAX = 200

VERSIONS: dict[str, ModuleType] = {api.VERSION: api}

_ONEOF = api.Message.DESCRIPTOR.oneofs_by_name["kind"]


# Full name of a message class -> its field in the envelope.
_FIELD_BY_CLASS = {
    field.message_type.full_name: field.name for field in _ONEOF.fields if field.message_type is not None
}


def kind_of(message: AnyMessage) -> str:
    """The name of a message's kind, as the envelope has it: `limit_order`, `status` ...

    Raises InvalidMessage for anything else.
    """
    descriptor = None if isinstance(message, type) else getattr(message, "DESCRIPTOR", None)
    kind = _FIELD_BY_CLASS.get(getattr(descriptor, "full_name", ""))
    if kind is None:
        raise InvalidMessage(f"{message!r} is no message of protocol {api.VERSION}")
    return kind


def envelope(message: AnyMessage) -> api.Message:
    """The message inside a `Message`, as a batch's `requests` hold it."""
    wrapped = api.Message()
    getattr(wrapped, kind_of(message)).CopyFrom(message)
    return wrapped


def encode_message(message: AnyMessage) -> bytes:
    """A message as the bytes of the `Message` that holds it. Raises InvalidMessage."""
    return envelope(message).SerializeToString()


def decode_message(data: bytes) -> Any:
    """The message inside the bytes of a `Message`.

    Returns an instance of one of the `Message...` classes, or of `Message` itself where the kind is
    one that this version does not know. Raises DecodeError.
    """
    try:
        wrapped = api.Message.FromString(data)
    except ProtobufDecodeError as error:
        raise DecodeError(f"{len(data)} bytes are no message: {error}") from error
    return unwrap(wrapped)


def unwrap(wrapped: api.Message) -> Any:
    """The message inside a `Message`; the `Message` itself where it holds none that is known."""
    kind = wrapped.WhichOneof("kind")
    return wrapped if kind is None else getattr(wrapped, kind)


def shared_fields(wrapped: api.Message) -> api.MessageGetPositions:
    """The fields that every message has, of one whose kind this version does not know.

    They are in a message that has no others. Raises DecodeError.
    """
    unknown = UnknownFieldSet(wrapped)
    contents = [unknown[index].data for index in range(len(unknown))]
    inside = next((data for data in contents if isinstance(data, bytes)), b"")
    try:
        return api.MessageGetPositions.FromString(inside)
    except ProtobufDecodeError as error:
        raise DecodeError(f"a message of an unknown kind has no shared fields: {error}") from error


def encode_frame(messages: Sequence[bytes], *, replayed: bool = False, next_sequence: int = 0) -> bytes:
    """One frame of encoded messages."""
    return api.Frame(messages=messages, replayed=replayed, next_sequence=next_sequence).SerializeToString()


def decode_frame(data: bytes) -> api.Frame:
    """The frame in `data`, its messages still encoded. Raises DecodeError."""
    if len(data) > FRAME_BYTES_MAX:
        raise DecodeError(f"a frame of {len(data)} bytes is above frame_bytes_max, {FRAME_BYTES_MAX}")
    try:
        return api.Frame.FromString(data)
    except ProtobufDecodeError as error:
        raise DecodeError(f"{len(data)} bytes are no frame: {error}") from error


def frame_groups(
    messages: Sequence[bytes], *, bytes_max: int = FRAME_BYTES_MAX // 4
) -> list[Sequence[bytes]]:
    """Split messages, in order, into groups that each fit a frame."""
    groups: list[Sequence[bytes]] = []
    start = size = 0
    for index, message in enumerate(messages):
        if index > start and size + len(message) > bytes_max:
            groups.append(messages[start:index])
            start, size = index, 0
        size += len(message) + 8
    if start < len(messages):
        groups.append(messages[start:])
    return groups
