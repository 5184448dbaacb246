"""The client under asyncio that logs in again: the rules of the one of threads, and of tasks at once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from trader import LOT, Trader

from ledgerx.errors import ConnectionError as ConnectionLost
from ledgerx.errors import InvalidField, LoginError, SocketDisconnected
from ledgerx.exchange import Exchange
from ledgerx.protocol.crypto import KeyPair
from ledgerx.streaming_api import seto_pb2 as seto
from ledgerx.streaming_api.aio import AsyncReconnectingClient, AsyncSession
from ledgerx.streaming_api.session import SessionSettings

WAIT_S = 60.0


def client_of(
    exchange: Exchange, port: int | None = None, attempts_max: int | None = 20, **settings: Any
) -> AsyncReconnectingClient:
    settings = {"username": "alice", "password": "alice's password"} | settings
    made = SessionSettings(
        host=exchange.host,
        port=port or exchange.streaming_port or 0,
        ssl_kwargs={"ca_certs": str(exchange.certificate)},
        **settings,
    )
    return AsyncReconnectingClient(AsyncSession(made), backoff_first_s=0.01, attempts_max=attempts_max)


def order(price: int = 100, **more: Any) -> seto.OrderCreate:
    terms = {"quantity": LOT, "market_id": 1, "contract_id": 1} | more
    return seto.OrderCreate(side=seto.SIDE_BUY, price=price, **terms)


def cut(client: AsyncReconnectingClient) -> None:
    """End the connection under the session."""
    sock = client.raw_socket
    assert sock is not None
    sock.shutdown(2)


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run to the end, which must come."""

    async def bounded() -> None:
        async with asyncio.timeout(WAIT_S):
            await work

    asyncio.run(bounded())


async def read_until(client: AsyncReconnectingClient, there: Callable[[], object]) -> None:
    while not there():
        await client.read()


def test_it_resumes_once_subscribes_again_and_names_what_is_in_doubt(exchange: Exchange) -> None:
    heard: list[tuple[str, Any]] = []
    doubts: list[list[int]] = []

    async def on_reconnect(orders: list[seto.OrderCreate]) -> None:
        doubts.append([one.reference for one in orders])

    def count(name: str) -> int:
        return [one for one, _ in heard].count(name)

    async def work() -> None:
        async with client_of(exchange) as alice:
            alice.add_global_handler(lambda name, message: heard.append((name, message.protobuf)))
            alice.add_reconnect_handler(on_reconnect)
            alice.subscribe(1)
            reference = alice.order(order(9000, quantity=2 * LOT))
            await alice.flush()
            await read_until(alice, lambda: not alice.in_doubt)
            await read_until(alice, lambda: count("seto.market_quotes"))
            cut(alice)
            never_sent = alice.order(order(9000))
            bob = await asyncio.to_thread(Trader, exchange, "bob")
            await asyncio.to_thread(bob.order, 1, seto.SIDE_SELL, 9000, 2)
            await asyncio.to_thread(bob.next, "order_executed")
            quotes = count("seto.market_quotes")
            await read_until(alice, lambda: doubts)
            assert alice.reconnects == 1
            assert doubts == [[never_sent]]
            assert reference != never_sent
            fills = [said.order_executed.quantity for name, said in heard if name == "seto.order_executed"]
            assert fills == [2 * LOT]
            assert count("seto.order_accepted") == 1
            await read_until(alice, lambda: count("seto.market_quotes") > quotes)
            bob.close()

    run(work())


def test_its_settings_outlive_a_session(exchange: Exchange) -> None:
    async def work() -> None:
        accepted: list[bool] = []
        alice = client_of(exchange)
        alice.add_handler(
            "seto.settings_accepted",
            lambda message: accepted.append(message.settings_accepted.cancel_all_on_failure),
        )
        alice.send(seto.Settings(cancel_all_on_failure=True))
        await alice.login()
        await read_until(alice, lambda: accepted)
        cut(alice)
        await read_until(alice, lambda: len(accepted) == 2)
        assert accepted == [True, True]
        await alice.close()

    run(work())


def test_it_does_not_try_again_where_it_is_refused_for_good(exchange: Exchange) -> None:
    async def work() -> None:
        client = client_of(exchange, attempts_max=None, password="wrong")
        for call in (client.login, client.read):
            with pytest.raises(LoginError):
                await call()  # type: ignore[operator]

    run(work())


def test_it_gives_up_after_so_many_attempts_with_the_cause(exchange: Exchange) -> None:
    async def work() -> None:
        with pytest.raises(ConnectionLost, match=":1"):
            await client_of(exchange, port=1, attempts_max=3).login()

    run(work())


def test_a_venue_that_was_started_again_is_resumed() -> None:
    async def work() -> None:
        cancelled: list[int] = []
        accepted: list[int] = []
        client = client_of(exchange)
        client.add_handler(
            "seto.order_accepted", lambda message: accepted.append(message.order_accepted.order_id)
        )
        client.add_handler(
            "seto.order_cancelled", lambda message: cancelled.append(message.order_cancelled.order_id)
        )
        await client.login()
        client.order(order())
        await client.flush()
        await read_until(client, lambda: accepted)
        await asyncio.gather(read_until(client, lambda: cancelled), asyncio.to_thread(exchange.restart))
        assert cancelled == accepted  # a new run begins with empty books
        await client.close()

    with Exchange(http=False) as exchange:
        exchange.add_account("alice", KeyPair.generate().public)
        exchange.set_password("alice", "alice's password")
        run(work())


def test_a_reference_that_is_unanswered_is_not_taken_twice(exchange: Exchange) -> None:
    client = client_of(exchange)
    assert client.order(order(reference=5)) == 5
    with pytest.raises(InvalidField, match="reference 5"):
        client.order(order(reference=5))


def test_a_reconnect_handler_that_raises_is_reported_and_keeps_no_other_from_being_called(
    exchange: Exchange, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(orders: list[seto.OrderCreate]) -> None:
        raise ZeroDivisionError("mine")

    async def work() -> None:
        doubts: list[object] = []
        client = client_of(exchange)
        client.add_reconnect_handler(fail)
        client.add_reconnect_handler(doubts.append)
        await client.login()
        cut(client)
        await read_until(client, lambda: doubts)
        await client.logout()

    with caplog.at_level(logging.ERROR):
        run(work())
    assert "mine" in caplog.text


def test_of_several_tasks_that_lose_a_session_one_replaces_it(exchange: Exchange) -> None:
    async def work() -> None:
        doubts: list[object] = []
        client = client_of(exchange)
        client.add_reconnect_handler(doubts.append)
        await client.login()
        client.send(seto.OrderCancelAll(reference=1))
        cut(client)
        await asyncio.gather(client.flush(), client.flush(), read_until(client, lambda: doubts))
        assert client.reconnects == 1
        await client.close()

    run(work())


def test_a_login_of_one_that_is_logged_in_or_from_a_handler_within_it_returns_at_once(
    exchange: Exchange,
) -> None:
    async def work() -> None:
        called: list[object] = []
        client = client_of(exchange)

        async def again(message: object) -> None:
            await client.login()
            called.append(message)

        client.add_handler("eto.login_response", again)
        await asyncio.gather(client.login(), client.login())
        await client.login()
        assert len(called) == 1
        assert client.reconnects == 0
        await client.close()

    run(work())


def test_closing_ends_the_waiting_for_a_venue_that_is_not_there(exchange: Exchange) -> None:
    async def work() -> None:
        client = client_of(exchange, port=1, attempts_max=None)
        found = await asyncio.gather(client.login(), client.read(), client.close(), return_exceptions=True)
        assert [type(one) for one in found] == [SocketDisconnected, SocketDisconnected, type(None)]
        for call in (client.login, client.read, client.flush):
            with pytest.raises(SocketDisconnected):
                await call()  # type: ignore[operator]

    run(work())


@pytest.mark.parametrize("end", ["logout", "close"])
def test_a_reader_ends_with_a_logout_and_does_not_log_in_again(exchange: Exchange, end: str) -> None:
    async def read_on(client: AsyncReconnectingClient) -> None:
        while True:
            await client.read()

    async def work() -> None:
        client = client_of(exchange)
        await client.login()
        found = await asyncio.gather(read_on(client), getattr(client, end)(), return_exceptions=True)
        assert isinstance(found[0], SocketDisconnected)
        assert found[1] is None
        assert (client.reconnects, client.session.connected) == (0, False)

    run(work())


def test_a_client_that_logged_out_may_log_in_again(exchange: Exchange) -> None:
    async def work() -> None:
        client = client_of(exchange)
        for _ in range(2):
            async with client:
                assert client.session.logged_in

    run(work())


def test_between_two_sessions_no_order_is_taken_and_a_subscription_is_kept(exchange: Exchange) -> None:
    async def work() -> None:
        heard: list[str] = []
        client = client_of(exchange)
        client.add_global_handler(lambda name, message: heard.append(name))
        await client.login()
        await client.session.disconnect()
        with pytest.raises(SocketDisconnected):
            client.order(order())
        assert client.in_doubt == []
        client.subscribe(1)
        await read_until(client, lambda: "seto.market_quotes" in heard)
        assert client.reconnects == 1
        client.unsubscribe(1)
        await client.logout()

    run(work())
