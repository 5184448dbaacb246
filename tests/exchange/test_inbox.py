"""In which order the messages of several connections' frames are handled."""

from ledgerx.exchange.inbox import Inbox, Incoming


def frame(routing_id, *messages, size=0):
    return Incoming(routing_id, 1, "key", bytes(size), messages)


def drain(inbox):
    taken = []
    while inbox:
        taken.append(inbox.take()[1])
    return taken


def test_a_great_frame_keeps_no_other_connection_waiting():
    inbox = Inbox(bytes_max=10**6, slice_messages=2)
    inbox.add(frame(b"a", *range(5)))
    inbox.add(frame(b"b", "b1"))
    inbox.add(frame(b"c", "c1", "c2", "c3"))
    assert drain(inbox) == [0, 1, "b1", "c1", "c2", 2, 3, "c3", 4]


def test_the_frames_of_a_connection_stay_in_order():
    inbox = Inbox(bytes_max=10**6, slice_messages=2)
    inbox.add(frame(b"a", 0, 1, 2))
    inbox.add(frame(b"b", "b1"))
    inbox.add(frame(b"a", 3))
    inbox.add(frame(b"a", 4, 5))
    assert drain(inbox) == [0, 1, "b1", 2, 3, 4, 5]


def test_it_wants_a_frame_before_each_slice_until_it_is_full():
    inbox = Inbox(bytes_max=3000, slice_messages=2)
    assert inbox.wants_more
    inbox.add(frame(b"a", 0, 1, 2, size=1000))
    assert inbox.wants_more
    inbox.take()
    assert not inbox.wants_more
    inbox.take()
    assert inbox.wants_more
    inbox.add(frame(b"b", "b1", size=2000))
    assert not inbox.wants_more
    inbox.take()
    assert inbox.wants_more


def test_what_is_left_of_a_frame_is_dropped_and_the_next_of_its_connection_is_not():
    inbox = Inbox(bytes_max=10**6)
    inbox.add(frame(b"a", 0, 1, 2))
    inbox.add(frame(b"a", 3))
    first, _message = inbox.take()
    inbox.drop(first)
    inbox.drop(first)
    assert drain(inbox) == [3]
    assert inbox.wants_more
