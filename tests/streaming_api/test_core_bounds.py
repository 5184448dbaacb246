"""What an end that asks much, or says what no end may say, gets of the other one: a bound, or an end."""

from __future__ import annotations

import pytest
from pair import Pair, frames_of, kinds, order, raw_frame

from ledgerx.errors import ConnectionError as ConnectionLost
from ledgerx.errors import ParseError
from ledgerx.streaming_api import eto, seto
from ledgerx.streaming_api.core import CoreSettings, Phase, Role, SessionCore
from ledgerx.streaming_api.framing import frame_decode_all
from ledgerx.streaming_api.payloads import admin, gapfill_bytes, parse, replayed_bytes, serialise, wrap


def replay(seq: int) -> seto.Payload:
    payload = admin(eto.PAYLOAD_REPLAY)
    payload.eto_payload.replay.seq = seq
    return payload


def received(core: SessionCore) -> list[seto.Payload]:
    """What waits to be sent, as the other end reads it."""
    return [parse(data) for data in frame_decode_all(bytes(core.output))[0]]


def test_a_replay_is_sent_once_however_often_it_is_asked_for_unread() -> None:
    pair = Pair().log_in()
    for reference in range(100):
        pair.gateway.send(order(reference), pair.now)
    pair.gateway.sent(len(pair.gateway.output))
    asked = b"".join(raw_frame(replay(2), seq) for seq in range(2, 1002))
    pair.gateway.receive(asked, pair.now)
    assert len(received(pair.gateway)) == 100
    unread = len(pair.gateway.output)
    pair.gateway.sent(1)
    assert len(pair.gateway.output) == unread - 1


def test_a_replay_waits_until_what_is_before_it_has_left() -> None:
    pair = Pair().log_in()
    for reference in range(3000):
        pair.gateway.send(order(reference), pair.now)
    unread = len(pair.gateway.output)
    assert unread > 64 * 1024
    pair.gateway.receive(raw_frame(replay(2000), 2), pair.now)
    assert len(pair.gateway.output) == unread
    pair.gateway.sent(unread)
    assert [payload.eto_payload.seq for payload in received(pair.gateway)] == list(range(2000, 3002))
    assert all(payload.eto_payload.is_replay for payload in received(pair.gateway))


def test_of_replays_asked_for_together_the_longest_is_sent() -> None:
    pair = Pair().log_in()
    for reference in range(10):
        pair.gateway.send(order(reference), pair.now)
    pair.gateway.sent(len(pair.gateway.output))
    pair.gateway.receive(b"".join(raw_frame(replay(seq), 2 + n) for n, seq in enumerate((9, 4, 7))), pair.now)
    assert [payload.eto_payload.seq for payload in received(pair.gateway)] == list(range(4, 12))


def test_a_payload_as_a_replay_has_it_is_the_same_but_for_its_mark() -> None:
    for payload in (order(7), wrap(seto.OrderCancel(order_id=2**60)), admin(eto.PAYLOAD_HEARTBEAT)):
        again = parse(replayed_bytes(serialise(payload, 300)))
        assert again.eto_payload.is_replay
        again.eto_payload.ClearField("is_replay")
        assert again == payload
    filled = admin(eto.PAYLOAD_GAPFILL)
    filled.eto_payload.seq, filled.eto_payload.is_replay = 300, True
    assert parse(gapfill_bytes(300)) == filled


def test_a_gateway_wants_nothing_of_a_client_that_does_not_read_its_answers() -> None:
    pair = Pair(settings=CoreSettings(output_bytes_max=1000)).log_in()
    ping, seq = admin(eto.PAYLOAD_PING), 2
    while pair.gateway.wants_data:
        pair.gateway.receive(raw_frame(ping, seq), pair.now)
        frames_of(pair.gateway)
        seq += 1
    assert 1000 < len(pair.gateway.output) < 1100
    pair.gateway.sent(len(pair.gateway.output))
    assert pair.gateway.wants_data


def test_what_is_held_for_a_gap_is_bounded_by_its_bytes() -> None:
    pair = Pair(settings=CoreSettings(held_bytes_max=10_000)).log_in()
    big = seto.Payload(type=seto.PAYLOAD_LOGIN, login=seto.Login(username="x" * 3000))
    for seq in range(4, 7):
        pair.gateway.receive(raw_frame(big, seq), pair.now)
        pair.gateway.receive(raw_frame(big, seq), pair.now)  # a double counts once
        assert not pair.gateway.over
    pair.gateway.receive(raw_frame(big, 7), pair.now)
    assert isinstance(pair.gateway.closed_by, ConnectionLost)


def test_bytes_held_for_a_gap_are_free_when_it_is_closed() -> None:
    pair = Pair(settings=CoreSettings(held_bytes_max=10_000)).log_in()
    big = seto.Payload(type=seto.PAYLOAD_LOGIN, login=seto.Login(username="x" * 3000))
    for first in (2, 6, 10):
        for seq in (first + 1, first + 2, first + 3, first):
            pair.gateway.receive(raw_frame(big, seq), pair.now)
    assert not pair.gateway.over
    assert pair.gateway.inseq == 14


def test_nothing_behind_a_logout_is_taken_in() -> None:
    pair = Pair().log_in()
    data = raw_frame(order(1), 2) + raw_frame(admin(eto.PAYLOAD_LOGOUT), 3) + raw_frame(order(2), 4)
    pair.gateway.receive(data, pair.now)
    frames = frames_of(pair.gateway)
    assert kinds(frames) == ["order_create", "eto.logout"]
    assert pair.gateway.logged_out
    pair.to_client()
    assert pair.client.logout_reason == eto.LOGOUT_CONFIRMATION


def test_only_the_other_ends_logout_says_that_it_logged_out() -> None:
    pair = Pair().log_in()
    for seconds in (20.0, 10.0):
        pair.now += seconds
        pair.gateway.tick(pair.now)
    assert pair.gateway.logout_reason == eto.LOGOUT_HEARTBEAT_TIMEOUT
    pair.gateway.sent(len(pair.gateway.output))
    assert pair.gateway.over
    assert not pair.gateway.logged_out


def test_a_session_resumes_from_where_its_first_login_began() -> None:
    core = SessionCore(Role.CLIENT, 0.0)
    core.login(seto.Login(cookie=b"t"), 0.0)
    gateway = SessionCore(Role.GATEWAY, 0.0)
    gateway.receive(bytes(core.output), 0.0)
    gateway.accept("s", 0.0, 41)
    core.receive(bytes(gateway.output), 0.0)
    assert core.account_sequence == 41
    for own, then in ((7, 7), (5000, 41)):  # 5000: another venue's, which counts otherwise
        known = SessionCore(Role.CLIENT, 0.0, account_sequence=own)
        known.login(seto.Login(cookie=b"t"), 0.0)
        known.receive(bytes(gateway.output), 0.0)
        assert known.account_sequence == then


def test_a_login_response_that_resets_to_the_end_of_all_numbers_is_no_response() -> None:
    core = SessionCore(Role.CLIENT, 0.0)
    core.login(seto.Login(cookie=b"t"), 0.0)
    response = admin(eto.PAYLOAD_LOGIN_RESPONSE)
    response.eto_payload.login_response.session = "s"
    response.eto_payload.login_response.reset = 2**64 - 1
    core.receive(raw_frame(response, 1), 0.0)
    assert isinstance(core.closed_by, ParseError)


def test_a_gateway_says_that_too_much_is_asked() -> None:
    pair = Pair().log_in()
    pair.gateway.throttle(pair.now)
    pair.to_client()
    assert kinds(frames_of(pair.client)) == ["eto.throttle_exceeded"]
    pair.gateway.logout(pair.now)
    said = len(pair.gateway.output)
    pair.gateway.throttle(pair.now)
    assert len(pair.gateway.output) == said


@pytest.mark.parametrize("phase", [Phase.CONNECTED, Phase.LOGIN])
def test_a_replay_before_the_login_is_answered_gets_nothing(phase: Phase) -> None:
    gateway = SessionCore(Role.GATEWAY, 0.0)
    if phase is Phase.LOGIN:
        login = wrap(seto.Login(cookie=b"t"))
        gateway.receive(raw_frame(login, 1), 0.0)
    assert gateway.phase is phase
    gateway.receive(raw_frame(replay(1), 2), 0.0)
    assert all(payload.eto_payload.type == eto.PAYLOAD_LOGOUT for payload in received(gateway))
