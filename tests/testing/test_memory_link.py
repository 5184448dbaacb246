"""Links in memory: order within a connection, what a cut loses, what may arrive late."""

import pytest
import zmq

from ledgerx.errors import VenueUnreachable
from ledgerx.testing.link import Pipe
from ledgerx.testing.network import MemoryNetwork, MemoryPoller

KEY = "0" * 40


def frames(pipe: Pipe[bytes]) -> list[bytes]:
    taken = []
    while (frame := pipe.take()) is not None:
        taken.append(frame)
    return taken


def received(network: MemoryNetwork) -> list[bytes]:
    found = []
    router = network.router()
    while True:
        try:
            found.append(router.recv_multipart(zmq.NOBLOCK, copy=False)[-1].bytes)
        except zmq.Again:
            return found


def test_frames_arrive_in_order_and_when_told() -> None:
    pipe: Pipe[bytes] = Pipe()
    for frame in (b"1", b"2", b"3"):
        assert pipe.put(frame)
    assert frames(pipe) == []
    assert pipe.deliver(2) == 2
    assert frames(pipe) == [b"1", b"2"]


def test_a_middle_range_can_be_lost() -> None:
    pipe: Pipe[bytes] = Pipe()
    for frame in (b"1", b"2", b"3", b"4"):
        pipe.put(frame)
    assert pipe.lose(1, 2) == 2
    pipe.deliver()
    assert frames(pipe) == [b"1", b"4"]


def test_a_full_pipe_takes_no_more() -> None:
    pipe: Pipe[bytes] = Pipe(frames_max=1)
    assert pipe.put(b"1")
    assert not pipe.put(b"2")


def test_what_a_cut_left_in_flight_may_arrive_after_the_next_connections_frames() -> None:
    network = MemoryNetwork()
    old = network.connect(KEY)
    for frame in (b"old 1", b"old 2", b"old 3"):
        old.send(frame)
    old.link.cut(kept_up=2)
    new = network.connect(KEY)
    new.send(b"new 1")
    new.link.up.deliver()
    assert received(network) == [b"new 1"]
    old.link.up.deliver()
    assert received(network) == [b"old 1", b"old 2"]


def test_the_venue_is_told_of_a_peer_that_is_gone_only_once_it_noticed() -> None:
    network = MemoryNetwork()
    transport = network.connect(KEY)
    transport.link.cut()
    router = network.router()
    router.send_multipart([transport.link.routing_id, b"lost"])
    transport.link.venue_noticed = True
    with pytest.raises(zmq.ZMQError) as caught:
        router.send_multipart([transport.link.routing_id, b"refused"])
    assert caught.value.errno == zmq.EHOSTUNREACH


def test_a_client_that_does_not_read_blocks_its_own_frames_alone() -> None:
    network = MemoryNetwork(frames_max=1)
    one, other = network.connect(KEY), network.connect(KEY)
    router = network.router()
    router.send_multipart([one.link.routing_id, b"1"])
    with pytest.raises(zmq.Again):
        router.send_multipart([one.link.routing_id, b"2"])
    router.send_multipart([other.link.routing_id, b"1"])
    assert network.blocked == 1


def test_a_subscriber_gets_what_it_subscribed_to_from_when_the_publisher_knows() -> None:
    network = MemoryNetwork()
    transport = network.connect(KEY)
    publisher = network.publisher()
    transport.subscribe([b"trade."])
    publisher.send_multipart([b"trade.1", b"before"])
    transport.link.subscriptions.deliver()
    (subscription,) = publisher.recv_multipart(zmq.NOBLOCK, copy=False)
    assert (subscription.bytes, subscription.get("User-Id")) == (b"\x01trade.", KEY)
    publisher.send_multipart([b"trade.1", b"after"])
    publisher.send_multipart([b"book_top.1", b"other"])
    transport.link.feed.deliver()
    assert transport.feed.recv_multipart() == [b"trade.1", b"after"]
    transport.feed.unsubscribe(b"trade.")
    transport.link.subscriptions.deliver()
    publisher.recv_multipart()
    publisher.send_multipart([b"trade.1", b"late"])
    assert not transport.link.feed.flying


def test_no_venue_listens() -> None:
    network = MemoryNetwork()
    network.listening = False
    transport = network.connect(KEY)
    poller = MemoryPoller()
    for source in (3, transport.request, transport.feed, *transport.monitors):
        poller.register(source)
    assert [source for source, _ in poller.poll(1000)] == list(transport.monitors)
    assert isinstance(transport.lost(transport.monitors[0]), VenueUnreachable)


def test_what_was_sent_before_the_client_closed_may_still_arrive() -> None:
    network = MemoryNetwork()
    transport = network.connect(KEY)
    transport.send(b"1")
    transport.close()
    transport.link.up.deliver()
    assert received(network) == [b"1"]
    network.forget(transport.link)
    with pytest.raises(zmq.ZMQError):
        network.router().send_multipart([transport.link.routing_id, b"answer"])
