"""Payloads as both ends make and read them: admin payloads, and which field of a payload its type names."""

from __future__ import annotations

from typing import NamedTuple

from google.protobuf.message import DecodeError as ProtobufDecodeError
from google.protobuf.message import EncodeError as ProtobufEncodeError
from google.protobuf.message import Message

from ledgerx.errors import InvalidMessage, ParseError
from ledgerx.streaming_api import eto_pb2 as eto
from ledgerx.streaming_api import seto_pb2 as seto
from ledgerx.streaming_api.framing import uleb128_encode

__all__ = [
    "FIELD_OF_TYPE",
    "SEQUENCED_FIELDS",
    "Frame",
    "account_sequence_of",
    "admin",
    "admin_bytes",
    "gapfill_bytes",
    "parse",
    "replayed_bytes",
    "serialise",
    "wrap",
]

_BYTE: list[bytes] = [bytes((number,)) for number in range(0x80)]
_FIELDS = seto.Payload.DESCRIPTOR.fields_by_name
_TYPES = seto.PayloadType.DESCRIPTOR.values_by_name

FIELD_OF_TYPE: dict[int, str] = {
    value.number: name.removeprefix("PAYLOAD_").lower()
    for name, value in _TYPES.items()
    if name.removeprefix("PAYLOAD_").lower() in _FIELDS
}
"""The payload's field for each of its types. PAYLOAD_ETO has none: its message is `eto_payload`."""

_TYPE_OF_FIELD = {field: number for number, field in FIELD_OF_TYPE.items()}
_MESSAGE_OF_FIELD = {
    name: descriptor.message_type
    for name, descriptor in _FIELDS.items()
    if name in _TYPE_OF_FIELD and descriptor.message_type is not None
}
_FIELD_OF_CLASS = {message.full_name: name for name, message in _MESSAGE_OF_FIELD.items()}

SEQUENCED_FIELDS: dict[int, str] = {
    number: field
    for number, field in FIELD_OF_TYPE.items()
    if field != "login" and "account_sequence_64" in _MESSAGE_OF_FIELD[field].fields_by_name
}
"""The types whose message carries the account's sequence, with the message's field."""


class Frame(NamedTuple):
    """One payload as it came: its bytes, and what they say."""

    bytes: bytes
    protobuf: seto.Payload


def parse(data: bytes) -> seto.Payload:
    """The payload of these bytes. Its type may be one that the schema lacks. Raises ParseError."""
    try:
        payload = seto.Payload.FromString(data)
    except ProtobufDecodeError as error:
        raise ParseError(f"a frame of {len(data)} bytes is no payload of the protocol: {error}") from error
    if not payload.eto_payload.HasField("seq"):
        raise ParseError(
            f"a frame of {len(data)} bytes is no payload of the protocol: eto_payload.seq is missing"
        )
    return payload


def serialise(payload: seto.Payload, seq: int) -> bytes:
    """The payload's bytes as number `seq`. Raises InvalidMessage, naming the fields that it lacks."""
    payload.eto_payload.seq = seq
    try:
        return payload.SerializeToString()
    except ProtobufEncodeError as error:
        lacking = str(error).partition("fields: ")[2]
        raise InvalidMessage(f"the payload lacks {lacking}: set it before sending") from error


def admin(kind: int) -> seto.Payload:
    """A payload of the session layer alone."""
    payload = seto.Payload()
    payload.type = seto.PAYLOAD_ETO
    payload.eto_payload.type = kind  # type: ignore[assignment]
    return payload


def admin_bytes(kind: int, seq: int) -> bytes:
    """The same, serialised as number `seq`, four times faster: heartbeats are most of what a session says."""
    body = b"\x08%b\x10%b" % (bytes(uleb128_encode(seq)), _BYTE[kind])
    return b"\x08\x01\x12%b%b" % (_BYTE[len(body)], body)


def gapfill_bytes(seq: int) -> bytes:
    """A replay's payload in place of admin payload number `seq`."""
    body = b"\x08%b\x10%b\x18\x01" % (bytes(uleb128_encode(seq)), _BYTE[eto.PAYLOAD_GAPFILL])
    return b"\x08\x01\x12%b%b" % (_BYTE[len(body)], body)


def replayed_bytes(data: bytes) -> bytes:
    """A payload's bytes as a replay has them. What is said of a field twice is merged (protobuf encoding)."""
    return data + b"\x12\x02\x18\x01"  # eto_payload.is_replay


def wrap(message: Message, into: seto.Payload | None = None) -> seto.Payload:
    """The payload of a message such as seto.OrderCreate, its type by its class. Raises InvalidMessage."""
    payload = seto.Payload() if into is None else into
    payload.Clear()
    field = _FIELD_OF_CLASS.get(getattr(message, "DESCRIPTOR", seto.Payload.DESCRIPTOR).full_name)
    if field is None:
        raise InvalidMessage(f"{type(message).__name__} is no message that a payload carries")
    payload.type = _TYPE_OF_FIELD[field]  # type: ignore[assignment]
    getattr(payload, field).CopyFrom(message)
    return payload


def account_sequence_of(payload: seto.Payload) -> int:
    """The account's sequence that a payload carries; 0 where it carries none."""
    field = SEQUENCED_FIELDS.get(payload.type)
    return int(getattr(payload, field).account_sequence_64) if field else 0


_ = eto  # the session layer's schema must be loaded before the other's
