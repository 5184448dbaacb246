"""The client that logs in again: what it missed, what it asks again, what it leaves to the program."""

from __future__ import annotations

import contextlib
import select
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from trader import LOT, Trader

from ledgerx.errors import ConnectionError as ConnectionLost
from ledgerx.errors import InvalidField, LoginError, SocketDisconnected
from ledgerx.exchange import Exchange
from ledgerx.protocol.crypto import KeyPair
from ledgerx.streaming_api import seto_pb2 as seto
from ledgerx.streaming_api.reconnecting import ReconnectingClient
from ledgerx.streaming_api.session import Session, SessionSettings


def client_of(
    exchange: Exchange, port: int | None = None, attempts_max: int = 20, **settings: Any
) -> ReconnectingClient:
    settings = {"username": "alice", "password": "alice's password"} | settings
    return ReconnectingClient(
        Session(
            SessionSettings(
                host=exchange.host,
                port=port or exchange.streaming_port or 0,
                ssl_kwargs={"ca_certs": str(exchange.certificate)},
                **settings,
            )
        ),
        backoff_first_s=0.01,
        attempts_max=attempts_max,
    )


@pytest.fixture
def alice(exchange: Exchange) -> Iterator[ReconnectingClient]:
    client = client_of(exchange)
    yield client
    client.close()


def cut(client: ReconnectingClient) -> None:
    """End the connection under the session."""
    sock = client.raw_socket
    assert sock is not None
    sock.shutdown(2)


def test_it_resumes_once_subscribes_again_and_names_what_is_in_doubt(
    exchange: Exchange, alice: ReconnectingClient, contract_id: int
) -> None:
    heard: list[tuple[str, Any]] = []
    doubts: list[list[int]] = []
    alice.add_global_handler(lambda name, message: heard.append((name, message.protobuf)))
    alice.add_reconnect_handler(lambda orders: doubts.append([order.reference for order in orders]))
    alice.login()
    alice.subscribe(contract_id)
    terms = {"side": seto.SIDE_BUY, "market_id": contract_id, "contract_id": contract_id}
    reference = alice.order(seto.OrderCreate(quantity=2 * LOT, price=9000, **terms))  # type: ignore[arg-type]
    alice.flush()
    while alice.in_doubt:
        alice.read()
    cut(alice)
    bob = Trader(exchange, "bob")
    bob.order(contract_id, seto.SIDE_SELL, 9000, 2)
    bob.next("order_executed")
    never_sent = alice.order(seto.OrderCreate(quantity=LOT, price=9000, **terms))  # type: ignore[arg-type]
    while not doubts:
        alice.read()
    assert alice.reconnects == 1
    assert doubts == [[never_sent]]
    executed = [payload.order_executed for name, payload in heard if name == "seto.order_executed"]
    assert [fill.quantity for fill in executed] == [2 * LOT]
    assert reference != never_sent
    names = [name for name, _ in heard]
    assert names.count("seto.order_accepted") == 1
    while [name for name, _ in heard].count("seto.market_quotes") < 2:
        alice.read()
    bob.close()
    alice.logout()


def test_an_order_whose_answer_the_cut_took_is_told_and_not_in_doubt(
    alice: ReconnectingClient, contract_id: int
) -> None:
    heard: list[int] = []
    doubts: list[list[int]] = []
    alice.add_handler("seto.order_accepted", lambda message: heard.append(message.order_accepted.reference))
    alice.add_reconnect_handler(lambda orders: doubts.append([order.reference for order in orders]))
    alice.login()  # and no message of the account comes before the cut
    terms = {"side": seto.SIDE_BUY, "market_id": contract_id, "contract_id": contract_id}
    reference = alice.order(seto.OrderCreate(quantity=LOT, price=1000, **terms))  # type: ignore[arg-type]
    alice.flush()
    sock = alice.raw_socket
    assert sock is not None
    assert select.select([sock], [], [], 30)[0]  # the answer is there, unread
    cut(alice)
    while not doubts:
        alice.read()
    assert heard == [reference]
    assert doubts == [[]]
    alice.logout()


def test_a_reconnect_handler_that_fails_is_reported_and_keeps_no_other_away(
    alice: ReconnectingClient, caplog: pytest.LogCaptureFixture
) -> None:
    called: list[list[seto.OrderCreate]] = []

    def fails(in_doubt: list[seto.OrderCreate]) -> None:
        in_doubt.append(seto.OrderCreate())  # its own list
        raise ValueError("mine")

    alice.add_reconnect_handler(fails)
    alice.add_reconnect_handler(called.append)
    alice.login()
    cut(alice)
    while not called:
        alice.read()
    assert called == [[]]
    assert "a reconnect handler failed" in caplog.text
    with pytest.raises(ValueError, match="callable"):
        alice.add_reconnect_handler(None)  # type: ignore[arg-type]


def test_one_loss_that_two_threads_see_is_one_new_login(alice: ReconnectingClient) -> None:
    alice.login()
    failures: list[BaseException] = []
    pongs = threading.Semaphore(0)
    alice.add_handler("eto.pong", lambda message: pongs.release())

    def read() -> None:
        try:
            while True:
                alice.read()
        except BaseException as error:
            failures.append(error)

    def pinged() -> None:
        with contextlib.suppress(SocketDisconnected):  # lost, and not replaced yet
            alice.ping()
        alice.flush()

    reading = threading.Thread(target=read)
    reading.start()
    for loss in range(1, 11):
        cut(alice)
        pinged()
        while alice.reconnects < loss:
            pinged()
        while not pongs.acquire(timeout=0.1):
            pinged()
        while pongs.acquire(blocking=False):
            pass
        assert alice.reconnects == loss
    alice.close()
    reading.join(10)
    assert [type(error) for error in failures] == [SocketDisconnected]


def test_a_flush_before_the_first_login_is_that_login(alice: ReconnectingClient, contract_id: int) -> None:
    accepted: list[int] = []
    alice.add_handler(
        "seto.order_accepted", lambda message: accepted.append(message.order_accepted.reference)
    )
    reference = alice.order(
        seto.OrderCreate(
            side=seto.SIDE_BUY, quantity=LOT, price=100, market_id=contract_id, contract_id=contract_id
        )
    )
    alice.flush()
    while not accepted:
        alice.read()
    assert accepted == [reference]
    assert alice.reconnects == 0


def test_a_thread_that_reads_does_not_log_in_again_after_a_logout(alice: ReconnectingClient) -> None:
    alice.login()
    failures: list[BaseException] = []

    def read() -> None:
        try:
            while True:
                alice.read()
        except BaseException as error:
            failures.append(error)

    reading = threading.Thread(target=read)
    reading.start()
    alice.login()  # done already: returns though the other thread reads
    alice.logout()
    reading.join(10)
    assert [type(error) for error in failures] == [SocketDisconnected]
    assert not alice.session.connected
    assert alice.reconnects == 0
    alice.login()
    assert alice.check_login()


def test_its_settings_outlive_a_session(alice: ReconnectingClient) -> None:
    accepted: list[bool] = []
    alice.add_handler(
        "seto.settings_accepted",
        lambda message: accepted.append(message.settings_accepted.cancel_all_on_failure),
    )
    alice.login()
    alice.send(seto.Settings(cancel_all_on_failure=True))
    alice.flush()
    while len(accepted) < 2:
        if len(accepted) == 1 and not alice.reconnects:
            cut(alice)
        alice.read()
    assert accepted == [True, True]


def test_it_does_not_try_again_where_it_is_refused_for_good(exchange: Exchange) -> None:
    client = client_of(exchange, password="wrong")
    with pytest.raises(LoginError):
        client.login()


def test_it_gives_up_after_so_many_attempts_with_the_cause(exchange: Exchange) -> None:
    client = client_of(exchange, port=1, attempts_max=3)
    with pytest.raises(ConnectionLost, match=":1"):
        client.login()


def test_a_venue_that_was_started_again_is_resumed(contract_id: int) -> None:
    with Exchange(http=False) as exchange:
        exchange.add_account("alice", KeyPair.generate().public)
        exchange.set_password("alice", "alice's password")
        client = client_of(exchange)
        cancelled: list[int] = []
        accepted: list[int] = []
        client.add_handler(
            "seto.order_accepted", lambda message: accepted.append(message.order_accepted.order_id)
        )
        client.add_handler(
            "seto.order_cancelled", lambda message: cancelled.append(message.order_cancelled.order_id)
        )
        client.login()
        client.order(
            seto.OrderCreate(
                side=seto.SIDE_BUY, quantity=LOT, price=100, market_id=contract_id, contract_id=contract_id
            )
        )
        client.flush()
        while not accepted:
            client.read()
        exchange.restart()
        while not cancelled:
            client.read()
        assert cancelled == accepted  # a new run begins with empty books
        client.close()


def test_a_reference_that_is_unanswered_is_not_taken_twice(alice: ReconnectingClient) -> None:
    order = seto.OrderCreate(
        side=seto.SIDE_BUY, quantity=LOT, price=100, market_id=1, contract_id=1, reference=5
    )
    alice.order(order)
    with pytest.raises(InvalidField, match="reference 5"):
        alice.order(order)
