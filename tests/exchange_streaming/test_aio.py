"""The session under asyncio, on the venue: it trades, resumes, logs out, with the manual's errors."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from trader import LOT

from ledgerx.errors import ConnectionError as ConnectionLost
from ledgerx.errors import LoginError, SocketDisconnected
from ledgerx.exchange import Exchange
from ledgerx.exchange.streaming import StreamingSettings
from ledgerx.protocol.crypto import KeyPair
from ledgerx.streaming_api import eto_pb2 as eto
from ledgerx.streaming_api import seto_pb2 as seto
from ledgerx.streaming_api.aio import AsyncSession, AsyncStreamingAPIClient
from ledgerx.streaming_api.core import CoreSettings
from ledgerx.streaming_api.session import SessionSettings

CONTRACT = 1


def settings_of(exchange: Exchange, name: str, **more: Any) -> SessionSettings:
    fields = {"username": name, "password": f"{name}'s password", **more}
    kwargs = {"ca_certs": str(exchange.certificate)}
    return SessionSettings(host=exchange.host, port=exchange.streaming_port or 0, ssl_kwargs=kwargs, **fields)


def order(side: int, lots: int) -> seto.OrderCreate:
    return seto.OrderCreate(
        side=side,  # type: ignore[arg-type]
        quantity=lots * LOT,
        price=6500,
        market_id=CONTRACT,
        contract_id=CONTRACT,
    )


async def hear(client: AsyncStreamingAPIClient, heard: list[str], wanted: str) -> None:
    while wanted not in heard:
        await client.read()


def test_it_trades_and_resumes(exchange: Exchange) -> None:
    async def run() -> None:
        heard: list[str] = []
        fills: list[int] = []

        async def on_fill(message: seto.Payload) -> None:
            await asyncio.to_thread(fills.append, 0)  # lets the loop go on
            fills.append(message.order_executed.quantity)

        async with (
            AsyncStreamingAPIClient(AsyncSession(settings_of(exchange, "alice"))) as alice,
            AsyncStreamingAPIClient(AsyncSession(settings_of(exchange, "bob"))) as bob,
        ):
            alice.add_global_handler(lambda name, message: heard.append(name))
            alice.add_handler("seto.order_executed", on_fill)
            alice.send(order(seto.SIDE_BUY, 2))
            await alice.flush()
            await hear(alice, heard, "seto.order_accepted")
            after = alice.session.account_sequence
            await alice.session.disconnect()
            bob.send(order(seto.SIDE_SELL, 2))
            bob.ping()
            await bob.flush()
            told: list[str] = []
            bob.add_global_handler(lambda name, message: told.append(name))
            await hear(bob, told, "seto.order_executed")
            await alice.login()
            await hear(alice, heard, "seto.order_executed")
            assert fills == [0, 2 * LOT]
            assert (alice.session.account_sequence or 0) > (after or 0)
            assert "eto.pong" in told

    asyncio.run(run())


def test_a_refused_login_says_why(exchange: Exchange) -> None:
    async def run() -> None:
        client = AsyncStreamingAPIClient(AsyncSession(settings_of(exchange, "alice", password="wrong")))
        with pytest.raises(LoginError) as caught:
            await client.login()
        assert caught.value.reason == eto.LOGOUT_UNAUTHORISED

    asyncio.run(run())


def test_a_venue_that_is_not_there_is_a_connection_error() -> None:
    async def run() -> None:
        session = AsyncSession(SessionSettings("a", "b", host="127.0.0.1", port=1))
        with pytest.raises(ConnectionLost, match=":1"):
            await session.connect()
        with pytest.raises(SocketDisconnected):
            await session.next_frame()
        with pytest.raises(ConnectionLost, match="credentials"):
            await AsyncSession(SessionSettings()).connect()

    asyncio.run(run())


def test_heartbeats_are_answered_without_a_read_and_frames_iterated() -> None:
    quick = CoreSettings(heartbeat_s=0.7)
    with Exchange(http=False, streaming=StreamingSettings(session=quick)) as exchange:
        exchange.add_account("alice", KeyPair.generate().public)
        exchange.set_password("alice", "alice's password")

        async def run() -> int:
            beats = 0
            async with AsyncSession(settings_of(exchange, "alice"), core_settings=quick) as session:
                async for frame in session:
                    if frame.protobuf.eto_payload.type == eto.PAYLOAD_HEARTBEAT:
                        beats += 1
                        if beats == 2:
                            await session.logout()
            return beats

        assert asyncio.run(run()) == 2
