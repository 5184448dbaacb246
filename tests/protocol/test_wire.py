"""Bytes to messages and back: nothing is lost on the way, and nothing but DecodeError leaves it."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import MESSAGE_CLASSES, any_message, messages_of

from ledgerx import errors
from ledgerx.api.client import v0_0_1 as api
from ledgerx.protocol import wire

# Field 9999, a varint of 7: what a newer version of the schema may add to any message.
UNKNOWN_FIELD = bytes([0xF8, 0xF0, 0x04, 0x07])


@pytest.mark.parametrize("kind", MESSAGE_CLASSES)
@given(data=st.data())
def test_every_kind_of_message_survives_the_wire(kind: str, data: st.DataObject) -> None:
    message = data.draw(messages_of(kind))
    decoded = wire.decode_message(wire.encode_message(message))
    assert type(decoded) is MESSAGE_CLASSES[kind]
    assert decoded == message
    assert wire.kind_of(decoded) == kind


@pytest.mark.parametrize("kind", MESSAGE_CLASSES)
def test_fields_of_a_newer_version_survive_decoding_and_encoding(kind: str) -> None:
    newer = MESSAGE_CLASSES[kind].FromString(UNKNOWN_FIELD)
    decoded = wire.decode_message(wire.encode_message(newer))
    assert decoded.SerializeToString() == UNKNOWN_FIELD


def test_enum_values_of_a_newer_version_survive() -> None:
    newer = api.MessageStatus(mid="1", status=799)
    decoded = wire.decode_message(wire.encode_message(newer))
    assert decoded.status == 799
    assert decoded == newer


def test_a_kind_of_a_newer_version_comes_back_as_the_envelope_with_its_bytes() -> None:
    unknown_kind = bytes([0xFA, 0xF0, 0x04, 0x02, 0x08, 0x01])  # field 9999: a message of two bytes
    decoded = wire.decode_message(unknown_kind)
    assert isinstance(decoded, api.Message)
    assert decoded.SerializeToString() == unknown_kind


def test_the_shared_fields_of_a_kind_of_a_newer_version_can_be_read() -> None:
    inside = api.MessageTrade(mid="1", account_sequence=7, contract_id=3).SerializeToString()
    newer = wire.decode_message(bytes([0xFA, 0xF0, 0x04, len(inside)]) + inside)
    assert wire.shared_fields(newer).account_sequence == 7
    assert wire.shared_fields(api.Message()).account_sequence == 0
    damaged = wire.decode_message(bytes([0xFA, 0xF0, 0x04, 0x01, 0xFF]))
    with pytest.raises(errors.DecodeError):
        wire.shared_fields(damaged)


@given(st.lists(any_message, max_size=5), st.booleans(), st.integers(0, 2**64 - 1))
def test_a_frame_carries_messages_as_the_bytes_they_were(
    messages: list[Any], replayed: bool, next_sequence: int
) -> None:
    encoded = [wire.encode_message(message) for message in messages]
    frame = wire.decode_frame(wire.encode_frame(encoded, replayed=replayed, next_sequence=next_sequence))
    assert list(frame.messages) == encoded
    assert (frame.replayed, frame.next_sequence) == (replayed, next_sequence)


@given(st.binary(max_size=300))
def test_garbage_is_a_frame_or_a_decode_error_and_nothing_else(data: bytes) -> None:
    for decode in (wire.decode_frame, wire.decode_message):
        with contextlib.suppress(errors.DecodeError):
            decode(data)


@given(any_message, st.data())
def test_a_damaged_message_is_a_message_or_a_decode_error_and_nothing_else(
    message: Any, data: st.DataObject
) -> None:
    encoded = bytearray(wire.encode_message(message))
    place = data.draw(st.integers(0, len(encoded) - 1))
    encoded[place] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(encoded)))
    for damaged in (bytes(encoded), bytes(encoded[:cut])):
        with contextlib.suppress(errors.DecodeError):
            wire.decode_message(damaged)


def test_a_frame_above_the_cap_is_refused_unread() -> None:
    with pytest.raises(errors.DecodeError, match="frame_bytes_max"):
        wire.decode_frame(bytes(wire.FRAME_BYTES_MAX + 1))


@pytest.mark.parametrize(
    "thing",
    [None, 7, b"bytes", "text", object(), api.MessageStatus, api.Frame(), api.Message(), api.BookOrder()],
)
def test_what_is_no_message_is_refused_by_its_type(thing: object) -> None:
    with pytest.raises(errors.InvalidMessage) as caught:
        wire.encode_message(thing)  # type: ignore[arg-type]
    assert isinstance(caught.value, TypeError)


@given(st.lists(st.binary(max_size=60), max_size=30), st.integers(1, 200))
def test_groups_keep_every_message_in_order_and_fit(messages: list[bytes], bytes_max: int) -> None:
    groups = wire.frame_groups(messages, bytes_max=bytes_max)
    assert [message for group in groups for message in group] == messages
    assert all(len(group) == 1 or sum(map(len, group)) <= bytes_max for group in groups)


def test_a_full_batch_of_the_largest_requests_fits_one_frame() -> None:
    order = api.MessageLimitOrder(
        mid="f" * 32, mversion="0.0.1", run_id=2**62, timestamp=2**62, expires=2**62,
        contract_id=2**62, size=2**62, price_in_cents=2**62, is_ask=True, post_only=True, time_in_force="IOC",
    )  # fmt: skip
    batch = api.MessageBatch(mid="f" * 32, requests=[wire.envelope(order)] * wire.BATCH_REQUESTS_MAX)
    frame = wire.encode_frame([wire.encode_message(batch)])
    assert len(frame) < wire.FRAME_BYTES_MAX / 4


def test_every_class_of_the_schema_is_offered_by_the_version_module() -> None:
    from ledgerx.api.client import v0_0_1_pb2

    named = set(v0_0_1_pb2.DESCRIPTOR.message_types_by_name)
    assert named == set(api.__all__) - {"VERSION"}


def test_versions_are_found_by_their_number() -> None:
    assert wire.VERSIONS == {"0.0.1": api}
