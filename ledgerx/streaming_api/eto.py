"""The messages and constants of eto.proto, under the names of the streaming protocol's schema."""

from __future__ import annotations

from ledgerx.streaming_api import eto_pb2
from ledgerx.streaming_api.eto_pb2 import *  # noqa: F403 - every name of the schema

__all__ = [name for name in vars(eto_pb2) if name[0].isupper()]
