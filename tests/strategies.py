"""Hypothesis strategies that several tests share: any message of the protocol, from its schema."""

from __future__ import annotations

from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from hypothesis import strategies as st

from ledgerx.api.client import v0_0_1 as api

__all__ = ["MESSAGE_CLASSES", "any_message", "fields_of", "messages_of"]

# Every class that the envelope can hold, by its field's name there.
MESSAGE_CLASSES: dict[str, type[Any]] = {
    field.name: getattr(api, field.message_type.name)
    for field in api.Message.DESCRIPTOR.oneofs_by_name["kind"].fields
}

_SCALARS = {
    FieldDescriptor.TYPE_BOOL: st.booleans(),
    FieldDescriptor.TYPE_INT32: st.integers(-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_INT64: st.integers(-(2**63), 2**63 - 1),
    FieldDescriptor.TYPE_UINT32: st.integers(0, 2**32 - 1),
    FieldDescriptor.TYPE_UINT64: st.integers(0, 2**64 - 1),
    FieldDescriptor.TYPE_FIXED64: st.integers(0, 2**64 - 1),
    FieldDescriptor.TYPE_STRING: st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
    FieldDescriptor.TYPE_BYTES: st.binary(max_size=40),
    # Known numbers and those of a newer venue alike: enums are open.
    FieldDescriptor.TYPE_ENUM: st.one_of(st.integers(0, 700), st.integers(-(2**31), 2**31 - 1)),
}


def _values(field: FieldDescriptor) -> st.SearchStrategy[Any]:
    if field.message_type is not None:
        one: st.SearchStrategy[Any] = st.deferred(lambda: _messages(field.message_type))
    else:
        one = _SCALARS[field.type]
    return st.lists(one, max_size=3) if field.is_repeated else one


def fields_of(descriptor: Descriptor) -> st.SearchStrategy[dict[str, Any]]:
    """Keyword arguments for a message's class: any of its fields, each with any value."""
    if descriptor.full_name == api.Message.DESCRIPTOR.full_name:
        plain = [field for field in descriptor.fields if field.name not in ("batch",)]
        return st.one_of([st.fixed_dictionaries({field.name: _values(field)}) for field in plain])
    return st.fixed_dictionaries({}, optional={field.name: _values(field) for field in descriptor.fields})


def _messages(descriptor: Descriptor) -> st.SearchStrategy[Any]:
    return fields_of(descriptor).map(lambda fields: getattr(api, descriptor.name)(**fields))


def messages_of(kind: str) -> st.SearchStrategy[Any]:
    """Any message of one kind, as the envelope names it."""
    return _messages(MESSAGE_CLASSES[kind].DESCRIPTOR)


any_message = st.sampled_from(sorted(MESSAGE_CLASSES)).flatmap(messages_of)
