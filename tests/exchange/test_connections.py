"""The table of connections, without sockets."""

import pytest

from ledgerx.api.client import v0_0_1 as api
from ledgerx.exchange.connections import Connections

ALICE, BOB = 1, 2
ONE, TWO = "1" * 32, "2" * 32


def say(table, routing_id, *, cid=ALICE, instance=ONE, connection=1, next_sequence=1, now=0.0):
    hello = api.MessageHello(
        client_instance=instance, connection=connection, next_sequence=next_sequence, venue_id="v"
    )
    return table.hello(routing_id, cid, hello, head=20, venue_id="v", now=now)


@pytest.mark.parametrize(
    ("next_sequence", "cursor"), [(1, 1), (20, 20), (21, 21), (22, 21), (0, 21), (10**18, 21)]
)
def test_the_cursor_is_where_the_client_says_or_after_the_head(next_sequence, cursor):
    connection = say(Connections(), b"a", next_sequence=next_sequence)
    assert (connection.cursor, connection.dispatched) == (cursor, cursor - 1)


def test_the_window_moves_with_what_was_dispatched_and_never_back():
    connection = say(Connections(), b"a", next_sequence=5)
    assert connection.room(10) == 10
    connection.cursor = 15
    assert connection.room(10) == 0
    connection.heard(9, 1.0)
    assert (connection.dispatched, connection.room(10)) == (8, 4)
    connection.heard(7, 2.0)
    connection.heard(0, 3.0)
    assert (connection.dispatched, connection.heard_at) == (8, 3.0)
    connection.heard(10**12, 4.0)
    assert connection.dispatched == 14


def test_the_same_number_on_a_new_socket_takes_over():
    table = Connections()
    say(table, b"a")
    assert say(table, b"b").routing_id == b"b"
    assert table.is_retired(b"a")
    assert [connection.routing_id for connection in table] == [b"b"]


def test_an_older_number_is_retired_without_harm_to_the_newer():
    table = Connections()
    say(table, b"b", connection=2)
    assert say(table, b"a", connection=1) is None
    assert table.is_retired(b"a")
    assert table.get(b"b").number == 2


def test_instances_and_accounts_do_not_mix():
    table = Connections()
    say(table, b"a")
    say(table, b"b", instance=TWO)
    say(table, b"c", cid=BOB)
    assert len(table) == 3
    assert [connection.routing_id for connection in table.of_account(ALICE)] == [b"a", b"b"]


def test_another_hello_on_the_same_socket_begins_anew():
    table = Connections()
    say(table, b"a")
    again = say(table, b"a", instance=TWO, connection=3)
    assert (len(table), again.number) == (1, 3)
    assert not again.is_of(api.MessageHello(client_instance=ONE, connection=3))
    assert again.is_of(api.MessageHello(client_instance=TWO, connection=3))


def test_forgotten_may_come_back_and_retired_may_not():
    table = Connections()
    say(table, b"a")
    table.forget(b"a")
    table.forget(b"a")
    assert table.get(b"a") is None
    assert table.of_account(ALICE) == []
    assert say(table, b"a") is not None
    table.retire(b"a")
    assert table.is_retired(b"a")
    assert len(table) == 0


def test_silence_is_counted_from_the_last_frame():
    table = Connections()
    say(table, b"a", now=1.0)
    say(table, b"b", instance=TWO, now=5.0)
    assert [connection.routing_id for connection in table.silent(since=3.0)] == [b"a"]


def test_an_account_keeps_so_many_and_the_longest_silent_gives_way():
    table = Connections(account_max=2)
    say(table, b"a", instance="a" * 32, now=2.0)
    say(table, b"b", instance="b" * 32, now=1.0)
    say(table, b"c", instance="c" * 32, now=3.0)
    assert sorted(connection.routing_id for connection in table) == [b"a", b"c"]


def test_what_is_remembered_of_the_retired_is_bounded():
    table = Connections(retired_max=2)
    for routing_id in (b"a", b"b", b"c"):
        table.retire(routing_id)
    assert [table.is_retired(routing_id) for routing_id in (b"a", b"b", b"c")] == [False, True, True]
