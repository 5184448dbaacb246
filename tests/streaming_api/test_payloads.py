"""Payloads as both ends make them."""

from __future__ import annotations

import pytest

from ledgerx.streaming_api import eto_pb2 as eto
from ledgerx.streaming_api.payloads import admin, admin_bytes, serialise


@pytest.mark.parametrize("kind", eto.PayloadType.values())
@pytest.mark.parametrize("seq", [0, 1, 127, 128, 300, 2**31, 2**64 - 1])
def test_admin_payloads_built_by_hand_are_what_protobuf_makes(kind: int, seq: int) -> None:
    assert admin_bytes(kind, seq) == serialise(admin(kind), seq)
