"""The schema keeps its own rules: shared fields, named constants, no maps, no floats, nothing reused."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from strategies import MESSAGE_CLASSES

from ledgerx.api.client import v0_0_1 as api
from ledgerx.api.client import v0_0_1_pb2

SHARED = {
    "mid": 1, "mversion": 2, "run_id": 3, "timestamp": 4, "cid": 5, "mpid": 6, "account_sequence": 7,
    "as_of": 8, "remaining": 9, "expires": 10,
}  # fmt: skip

REQUIRED = {
    "limit_order": {"contract_id", "size", "price_in_cents"},
    "market_order": {"contract_id", "size"},
    "quote": {"contract_id", "bid_price_in_cents", "bid_size", "ask_price_in_cents", "ask_size"},
    "cancel_order": {"contract_id", "entry_id"},
    "cancel_replace": {"contract_id", "entry_id", "size", "price_in_cents"},
    "get_book_state": {"contract_id"},
    "replay": {"from_sequence"},
}

EVERY: dict[str, Descriptor] = dict(v0_0_1_pb2.DESCRIPTOR.message_types_by_name)


@pytest.mark.parametrize("kind", MESSAGE_CLASSES)
def test_the_shared_fields_are_the_same_in_every_message(kind: str) -> None:
    numbers = {field.name: field.number for field in MESSAGE_CLASSES[kind].DESCRIPTOR.fields}
    assert {name: numbers.get(name) for name in SHARED} == SHARED
    assert all(number > 10 for name, number in numbers.items() if name not in SHARED)


@pytest.mark.parametrize("name", EVERY)
def test_there_are_no_floats_and_no_maps(name: str) -> None:
    for field in EVERY[name].fields:
        assert field.type not in (FieldDescriptor.TYPE_FLOAT, FieldDescriptor.TYPE_DOUBLE), field.name
        assert field.message_type is None or not field.message_type.GetOptions().map_entry, field.name


@pytest.mark.parametrize("kind", REQUIRED)
def test_a_missing_required_field_can_be_told_from_zero(kind: str) -> None:
    message = MESSAGE_CLASSES[kind]()
    for field in REQUIRED[kind]:
        assert not message.HasField(field)
        setattr(message, field, "" if field == "entry_id" else 0)
        assert message.HasField(field)


@pytest.mark.parametrize("cls", [api.MessageStatus, api.MessageActionReport])
def test_every_status_is_a_constant_of_its_class(cls: Any) -> None:
    (enum,) = cls.DESCRIPTOR.enum_types
    for value in enum.values:
        assert getattr(cls, value.name) == value.number


def test_status_numbers_lie_in_the_ranges_that_say_whose_fault_it_is() -> None:
    numbers = set(api.MessageStatus.Status.values())
    assert all(number == 0 or 200 <= number <= 300 or 400 <= number < 700 for number in numbers)
    assert api.MessageStatus.STATUS_ORDER_SUCCESS == 200
    assert api.MessageStatus.STATUS_ACKNOWLEDGED == 300


@pytest.mark.parametrize(
    ("field", "value", "error"),
    [
        ("sise", 1, AttributeError),
        ("size", "1", TypeError),
        ("size", 1.5, TypeError),
        ("size", 2**63, ValueError),
        ("is_ask", "yes", TypeError),
        ("time_in_force", "DAY", ValueError),
    ],
)
def test_a_wrong_name_or_type_fails_where_it_is_assigned(
    field: str, value: Any, error: type[Exception]
) -> None:
    order = api.MessageLimitOrder()
    with pytest.raises(error):
        setattr(order, field, value)


def test_the_public_feed_can_be_read_without_an_account() -> None:
    for cls in (api.MessageBookTop, api.MessageBookUpdate, api.MessageTrade, api.MessageRunChange):
        assert "sequence" in cls.DESCRIPTOR.fields_by_name
