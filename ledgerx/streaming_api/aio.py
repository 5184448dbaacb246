"""The session and its clients under asyncio, from the same core::

    async with AsyncStreamingAPIClient(AsyncSession(settings)) as client:
        client.add_handler("seto.order_executed", on_executed)
        client.send(seto.OrderCreate(...))
        await client.flush()
        while True:
            await client.read()

Each object belongs to one event loop, whose tasks may all use it at once. Heartbeats are sent and answered
by the session itself.
"""

from __future__ import annotations

from ledgerx.streaming_api.aio_client import AsyncStreamingAPIClient
from ledgerx.streaming_api.aio_reconnecting import AsyncReconnectingClient
from ledgerx.streaming_api.aio_session import AsyncSession
from ledgerx.streaming_api.client import (
    READ_MODE_BUFFER_AND_DISPATCH,
    READ_MODE_BUFFER_FROM_SOCKET,
    READ_MODE_DISPATCH_FROM_BUFFER,
)

__all__ = [
    "READ_MODE_BUFFER_AND_DISPATCH",
    "READ_MODE_BUFFER_FROM_SOCKET",
    "READ_MODE_DISPATCH_FROM_BUFFER",
    "AsyncReconnectingClient",
    "AsyncSession",
    "AsyncStreamingAPIClient",
]
