"""The account's line at the tracker: order, holes, replays, baselines, connections, silence."""

from __future__ import annotations

import pytest
from tracker_bench import Bench, handlers

from ledgerx.api.client import v0_0_1 as api
from ledgerx.errors import ClientKeyRefused, ConnectTimeout, ServerKeyMismatch, VenueUnreachable
from ledgerx.protocol import wire
from ledgerx.sdk.line import AccountLine
from ledgerx.sdk.link import LinkState
from ledgerx.sdk.states import State
from ledgerx.sdk.tracker import TrackerSettings


def stranger(bench: Bench) -> api.MessageStatus:
    message: api.MessageStatus = bench.status("f" * 32, 300, 1)
    return message


def sequences(bench: Bench) -> list[int]:
    return [event.sequence for event in bench.dispatch() if event.sequence]


def test_first_contact_starts_after_the_head_and_calls_no_run_change() -> None:
    bench = Bench(head=41)
    assert handlers(bench.dispatch()) == ["handle_connected"]
    bench.say(stranger(bench))
    assert sequences(bench) == [42]


def test_messages_are_released_in_order_and_once() -> None:
    bench = Bench()
    one, two, three = stranger(bench), stranger(bench), stranger(bench)
    bench.say(one, three, one)
    assert sequences(bench) == [1]
    bench.say(two, three)
    assert sequences(bench) == [2, 3]


def test_a_hole_that_stays_is_asked_for_by_a_replay_of_its_own_which_no_handler_sees() -> None:
    bench = Bench()
    bench.dispatch()
    one, two, three = stranger(bench), stranger(bench), stranger(bench)
    bench.say(three)
    bench.advance(0.9)
    assert [m for m in bench.take() if isinstance(m, api.MessageReplay)] == []
    bench.advance(0.1)
    (request,) = [m for m in bench.take() if isinstance(m, api.MessageReplay)]
    assert (request.from_sequence, request.to_sequence) == (1, 2)
    bench.say(bench.status(request.mid, 300, 1, numbered=False))
    bench.say(one, two, replayed=True)
    bench.say(bench.status(request.mid, 210, 0, numbered=False))
    events = bench.dispatch()
    assert [event.sequence for event in events if event.sequence] == [1, 2, 3]
    assert [event.handler for event in events if not event.sequence] == ["", ""]
    assert len(bench.store) == 0


def test_many_holes_are_asked_for_at_once() -> None:
    bench = Bench()
    bench.dispatch()
    stored = [stranger(bench) for _ in range(9)]
    bench.say(*stored[1::2])  # 2, 4, 6 and 8
    bench.advance(1.0)
    (request,) = [m for m in bench.take() if isinstance(m, api.MessageReplay)]
    assert (request.from_sequence, request.to_sequence) == (1, 7)
    bench.say(bench.status(request.mid, 300, 1, numbered=False))
    bench.say(*stored[:7], replayed=True)
    assert sequences(bench) == [1, 2, 3, 4, 5, 6, 7, 8]


def test_a_head_ahead_of_us_is_a_hole_only_when_nothing_waits_for_dispatch() -> None:
    bench = Bench()
    bench.dispatch()
    bench.say(stranger(bench))
    bench.say(api.MessageHeartbeat(head=5))
    bench.advance(1.2)
    assert [m for m in bench.take() if isinstance(m, api.MessageReplay)] == []
    bench.dispatch()
    bench.say(api.MessageHeartbeat(head=5))
    bench.advance(1.2)
    (request,) = [m for m in bench.take() if isinstance(m, api.MessageReplay)]
    assert (request.from_sequence, request.to_sequence) == (2, 5)


def test_the_next_connections_hello_carries_the_next_number_to_dispatch() -> None:
    bench = Bench()
    bench.say(stranger(bench), stranger(bench))
    first, second = [event for event in bench.events() if event.sequence]
    bench.tracker.dispatched(first, bench.now)
    bench.lose()
    bench.now += 1
    bench.tracker.connection_opened(bench.now)
    (hello,) = bench.take()
    assert (hello.connection, hello.next_sequence, hello.venue_id) == (2, 2, "ab" * 16)
    # The venue sends from there: what is queued already is not released twice.
    bench.greet()
    bench.say(api.MessageStatus(mid="f" * 32, account_sequence=2, status=300, remaining=1))
    assert sequences(bench) == []
    bench.tracker.dispatched(second, bench.now)
    assert bench.tracker.line.dispatched_next == 3


def test_half_a_window_dispatched_is_told_unasked() -> None:
    bench = Bench(TrackerSettings(window_messages=10))
    for _ in range(5):
        bench.say(stranger(bench))
    bench.take()
    bench.dispatch()
    (hello,) = bench.take()
    assert hello.next_sequence == 6


def test_every_frame_carries_the_next_number() -> None:
    bench = Bench()
    bench.say(stranger(bench))
    bench.dispatch()
    bench.order()
    bench.take()
    assert bench.last_frame.next_sequence == 2


def test_another_venue_is_reported_and_a_new_baseline_taken() -> None:
    bench = Bench()
    bench.say(stranger(bench), stranger(bench))
    bench.dispatch()
    bench.lose()
    bench.dispatch()
    bench.connect(venue_id="ee" * 16, head=1, run_id=1)
    events = bench.dispatch()
    assert handlers(events) == ["handle_error", "handle_connected"]
    assert "its data is another" in str(events[0].arguments[0])
    bench.say(api.MessageStatus(mid="f" * 32, account_sequence=2, status=300, remaining=1))
    assert sequences(bench) == [2]


def test_a_head_below_what_was_seen_is_reported_and_a_new_baseline_taken() -> None:
    bench = Bench()
    bench.say(stranger(bench), stranger(bench))
    bench.dispatch()
    bench.lose()
    bench.connect(head=1)
    events = bench.dispatch()
    assert handlers(events) == ["handle_disconnected", "handle_error", "handle_connected"]
    assert bench.tracker.line.dispatched_next == 2


def test_events_of_the_old_line_do_not_move_the_new_one() -> None:
    bench = Bench()
    for _ in range(5):
        bench.say(stranger(bench))
    bench.lose()
    bench.connect(venue_id="ee" * 16, head=1)
    bench.dispatch()  # the five among them
    assert bench.tracker.line.dispatched_next == 2


def test_a_run_change_calls_its_handler_with_both_ids_once() -> None:
    bench = Bench()
    bench.dispatch()
    change = bench.numbered(api.MessageRunChange(run_id=2, prev_run_id=1))
    bench.say(change, change)
    (event,) = bench.dispatch()
    assert (event.handler, event.arguments) == ("handle_run_change", (2, 1))
    assert bench.tracker.run_id == 2


def test_a_newer_run_id_elsewhere_calls_no_run_change() -> None:
    bench = Bench()
    bench.dispatch()
    bench.say(api.MessageHeartbeat(run_id=7, head=0))
    assert handlers(bench.dispatch()) == ["handle_heartbeat"]


@pytest.mark.parametrize("replayed", [False, True])
def test_a_sequenced_message_of_a_kind_of_a_newer_version_is_no_hole(replayed: bool) -> None:
    bench = Bench()
    bench.dispatch()
    inside = bench.numbered(api.MessageTrade()).SerializeToString()
    newer = bytes([0xFA, 0xF0, 0x04, len(inside)]) + inside
    bench.tracker.receive(wire.encode_frame([newer], replayed=replayed), bench.now)
    assert handlers(bench.dispatch()) == [""]
    bench.say(stranger(bench))
    assert handlers(bench.dispatch()) == ["handle_status_message"]
    assert bench.tracker.line.dispatched_next == 3


def test_a_damaged_message_of_a_kind_of_a_newer_version_is_reported() -> None:
    bench = Bench()
    bench.dispatch()
    damaged = bytes([0xFA, 0xF0, 0x04, 0x01, 0xFF])
    bench.tracker.receive(wire.encode_frame([damaged]), bench.now)
    assert handlers(bench.dispatch()) == ["handle_error"]


def test_a_replay_of_the_users_gives_its_callback_everything_and_handlers_only_what_is_new_to_them() -> None:
    bench = Bench(head=2)
    bench.dispatch()
    bench.say(stranger(bench))
    bench.dispatch()
    item = bench.submit(api.MessageReplay(from_sequence=1))
    bench.say(bench.status(item.mid, 300, 1, numbered=False))
    stored = [
        api.MessageStatus(mid="f" * 32, account_sequence=number, status=300, remaining=1)
        for number in (1, 2, 3)
    ]
    bench.say(*stored, replayed=True)
    bench.say(bench.status(item.mid, 210, 0, numbered=False))
    events = bench.dispatch()
    status = "handle_status_message"
    assert handlers(events) == [status, status, "", status, "", "", status]
    assert [event.arguments[1] for event in events[1:5]] == [None, item.msg, None, item.msg]
    assert [answer.account_sequence for answer in item.answers] == [0, 1, 2, 3, 0]
    assert item.state is State.DONE
    again = bench.submit(api.MessageReplay(from_sequence=1))
    bench.say(bench.status(again.mid, 300, 1, numbered=False))
    bench.say(*stored, replayed=True)
    assert handlers(bench.dispatch()) == [status, "", "", ""]


def test_replays_of_ranges_in_any_order_tell_handlers_each_number_once() -> None:
    line = AccountLine(held_max=10)
    line.baseline(20)
    told = [number for number in (5, 6, 1, 2, 4, 3, 1, 6, 20, 7, 21) if line.first_below(number)]
    assert told == [5, 6, 1, 2, 4, 3, 20, 7]
    assert not any(line.first_below(number) for number in range(1, 8))


def test_silence_is_reported_once_then_the_connection_is_given_up_and_the_return_reported() -> None:
    bench = Bench()
    bench.dispatch()
    bench.advance(1.4)
    assert handlers(bench.dispatch()) == []
    bench.advance(0.1)
    assert handlers(bench.dispatch()) == ["handle_exchange_offline"]
    bench.advance(2.0)
    assert handlers(bench.dispatch()) == ["handle_disconnected"]
    assert bench.tracker.link.state is LinkState.DOWN
    bench.now += 1
    bench.connect()
    assert handlers(bench.dispatch()) == ["handle_exchange_online", "handle_connected"]


def test_the_hello_is_repeated_as_the_clients_heartbeat() -> None:
    bench = Bench()
    bench.take()
    for _ in range(3):
        bench.advance(0.5)
        bench.say(api.MessageHeartbeat(interval_ms=1000))
        bench.advance(0.5)
        assert [type(m) for m in bench.take()] == [api.MessageHello]


def test_a_venue_with_a_shorter_interval_hears_from_us_within_it_from_the_start() -> None:
    bench = Bench(connect=False)
    bench.connect(interval_ms=200)
    bench.advance(0.2)
    assert [type(m) for m in bench.take()] == [api.MessageHello]


def test_after_a_pause_the_hello_goes_ahead_of_requests_for_a_venue_that_forgot_the_connection() -> None:
    bench = Bench()
    waiting = bench.order()
    bench.now += 4.0  # the process was suspended
    item = bench.order()
    sent = bench.take()
    assert isinstance(sent[0], api.MessageHello)
    assert [message.mid for message in sent[1:]] == [waiting.mid, item.mid]


def test_an_ack_told_again_from_beyond_the_window_takes_no_room_from_what_is_sent_next() -> None:
    line = AccountLine(held_max=3)
    line.baseline(0)
    for sequence in (7, 9, 11):  # the window ends at 3
        assert line.accept(sequence, "ack", 0.0) == []
    assert line.accept(2, "two", 0.0) == []
    assert line.accept(3, "three", 0.0) == []
    assert [sequence for sequence, _ in line.accept(1, "one", 0.0)] == [1, 2, 3]


def test_an_unanswered_hello_loses_the_connection_and_is_reported_once() -> None:
    bench = Bench(connect=False)
    for _ in range(3):
        bench.tracker.connection_opened(bench.now)
        bench.advance(5.0)
        assert bench.tracker.link.state is LinkState.DOWN
        bench.now += 10
    (event,) = bench.dispatch()
    assert event.handler == "handle_error"
    assert isinstance(event.arguments[0], ConnectTimeout)


def test_a_refused_handshake_is_reported_once_for_each_reason() -> None:
    bench = Bench(connect=False)
    reasons = (ClientKeyRefused("no"), ClientKeyRefused("no"), VenueUnreachable("gone"))
    for reason in reasons:
        bench.tracker.connection_opened(bench.now)
        bench.lose(reason)
        bench.now += 10
    assert handlers(bench.dispatch()) == ["handle_handshake_failed", "handle_error"]
    assert bench.tracker.failure is reasons[-1]


def test_a_server_key_that_was_right_is_called_wrong_only_when_refused_twice() -> None:
    bench = Bench()
    bench.lose()
    bench.dispatch()
    told = []
    gone, wrong = VenueUnreachable("gone"), ServerKeyMismatch("wrong")
    for reason in (wrong, gone, wrong, wrong, wrong, gone):
        bench.now += 10
        bench.tracker.connection_opened(bench.now)
        bench.lose(reason)
        told.append(handlers(bench.dispatch()))
    assert told == [[], [], [], ["handle_handshake_failed"], [], ["handle_error"]]


def test_reconnections_back_off_to_the_cap() -> None:
    bench = Bench(connect=False)
    waits = []
    for _ in range(8):
        bench.tracker.connection_opened(bench.now)
        bench.lose()
        waits.append(round(bench.tracker.link.reopen_at - bench.now, 3))
        bench.now = bench.tracker.link.reopen_at
        assert bench.tracker.link.should_open(bench.now)
    assert waits == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]


def test_a_greeting_for_another_connection_is_ignored() -> None:
    bench = Bench(connect=False)
    bench.tracker.connection_opened(bench.now)
    bench.greet(connection=9)
    assert bench.tracker.link.state is LinkState.GREETING


def test_a_venue_that_greets_again_is_sent_what_it_may_not_have() -> None:
    bench = Bench()
    item = bench.order()
    bench.take()
    bench.greet()
    assert [message.mid for message in bench.take()] == [item.mid]
    assert handlers(bench.dispatch()) == ["handle_connected"]


def test_garbage_from_the_venue_is_an_error_event_and_the_session_goes_on() -> None:
    bench = Bench()
    bench.dispatch()
    bench.tracker.receive(b"\xff\xff\xff", bench.now)
    assert handlers(bench.dispatch()) == ["handle_error"]
    bench.say(stranger(bench))
    assert sequences(bench) == [1]


def test_a_message_of_a_kind_that_is_not_known_breaks_nothing() -> None:
    bench = Bench()
    bench.dispatch()
    frame = api.Frame(messages=[b"\xca\x3e\x00"]).SerializeToString()  # field 1001 of Message
    bench.tracker.receive(frame, bench.now)
    assert bench.dispatch() == []


def test_a_refusal_without_a_request_is_an_error_event() -> None:
    bench = Bench()
    bench.dispatch()
    bench.say(bench.status("", 400, numbered=False, message="no readable mid"))
    (event,) = bench.dispatch()
    assert "no readable mid" in str(event.arguments[0])


def test_a_hole_that_the_venue_no_longer_keeps_is_told_of_and_skipped() -> None:
    bench = Bench(head=10)
    bench.say(bench.status("a" * 32, 300, 1))
    bench.dispatch()
    for number in (15, 16):
        bench.say(api.MessageStatus(mid="b" * 32, status=300, remaining=1, account_sequence=number))
    bench.advance(2)
    (replay,) = [message for message in bench.take() if isinstance(message, api.MessageReplay)]
    assert (replay.from_sequence, replay.to_sequence) == (12, 14)
    gone = api.MessageStatus.STATUS_REPLAY_RANGE
    bench.say(bench.status(replay.mid, gone, numbered=False, first_available=15))
    events = bench.dispatch()
    (told,) = [event.arguments[0] for event in events if event.handler == "handle_error"]
    assert "no longer has messages 12 to 14" in str(told)
    assert [event.sequence for event in events if event.sequence] == [15, 16]
    assert bench.tracker.line.dispatched_next == 17
    bench.advance(5)
    assert [message for message in bench.take() if isinstance(message, api.MessageReplay)] == []


def test_a_beginning_that_the_venue_no_longer_keeps_is_skipped_though_nothing_followed_yet() -> None:
    bench = Bench(head=10)
    bench.say(api.MessageHeartbeat(interval_ms=1000, head=14))
    bench.advance(2)
    (replay,) = [message for message in bench.take() if isinstance(message, api.MessageReplay)]
    bench.say(
        bench.status(replay.mid, api.MessageStatus.STATUS_REPLAY_RANGE, numbered=False, first_available=14)
    )
    bench.dispatch()
    assert bench.tracker.line.dispatched_next == 14
    bench.say(api.MessageStatus(mid="b" * 32, status=300, remaining=1, account_sequence=14))
    assert [event.sequence for event in bench.dispatch() if event.sequence] == [14]
