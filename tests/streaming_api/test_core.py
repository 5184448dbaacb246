"""The session's rules from both ends: sequences, login, gaps, heartbeats, logout; whole and byte by byte."""

from __future__ import annotations

import pytest
from pair import CUTS, Pair, frames_of, heartbeat, kinds, order, raw_frame, whole

from ledgerx.errors import ConnectionError as ConnectionLost
from ledgerx.errors import (
    DecodeError,
    InvalidMessage,
    LoginError,
    LoginTimeout,
    ParseError,
    QueueFull,
    SocketDisconnected,
)
from ledgerx.streaming_api import eto, seto
from ledgerx.streaming_api.core import CoreSettings, Phase, Role, SessionCore
from ledgerx.streaming_api.framing import frame_decode_all
from ledgerx.streaming_api.payloads import admin, parse, wrap

LOGIN = "16 08 02 12 04 08 01 10 07 1a 0c 0a 04 75 73 65 72 12 04 70 61 73 73"

pytestmark = pytest.mark.parametrize("cut", CUTS)


@pytest.fixture
def pair(cut) -> Pair:
    return Pair(cut).log_in()


def executed(account_sequence: int) -> seto.Payload:
    return wrap(
        seto.OrderExecuted(
            price=1, quantity=1, order_id=1, side=seto.SIDE_BUY, market_id=1, contract_id=1,
            account_sequence_64=account_sequence,
        )
    )  # fmt: skip


class TestLogin:
    def test_the_login_is_the_documented_bytes(self, cut) -> None:
        core = SessionCore(Role.CLIENT, 0.0)
        core.login(seto.Login(username="user", password="pass"), 0.0)
        assert core.output.hex(" ") == LOGIN

    def test_resuming_names_the_account_sequence_in_both_fields(self, cut) -> None:
        core = SessionCore(Role.CLIENT, 0.0, account_sequence=41)
        core.login(seto.Login(cookie=b"t"), 0.0)
        login = parse(frame_decode_all(bytes(core.output))[0][0]).login
        assert (login.account_sequence, login.account_sequence_64) == (0, 41)
        assert login.HasField("account_sequence")

    def test_both_ends_are_open_after_it_and_admin_frames_come_out(self, cut) -> None:
        pair = Pair(cut)
        pair.client.login(seto.Login(username="a", password="b"), pair.now)
        pair.to_gateway()
        assert kinds(frames_of(pair.gateway)) == ["login"]
        pair.gateway.accept("s-9", pair.now)
        pair.to_client()
        assert kinds(frames_of(pair.client)) == ["eto.login_response"]
        assert pair.client.session == "s-9"
        assert pair.client.phase is pair.gateway.phase is Phase.OPEN
        assert (pair.client.inseq, pair.client.outseq) == (2, 2)

    def test_what_is_sent_before_the_response_waits_and_is_numbered_from_its_reset(self, cut) -> None:
        pair = Pair(cut)
        pair.client.send(order(7), pair.now)
        pair.client.login(seto.Login(username="a", password="b"), pair.now)
        pair.client.send(order(8), pair.now)
        assert pair.client.output_bytes > len(pair.client.output)
        pair.to_gateway()
        assert kinds(frames_of(pair.gateway)) == ["login"]
        response = admin(eto.PAYLOAD_LOGIN_RESPONSE)
        response.eto_payload.login_response.session = "s"
        response.eto_payload.login_response.reset = 100
        pair.client.receive(raw_frame(response, 1), pair.now)
        sent = [parse(data) for data in frame_decode_all(bytes(pair.client.output))[0]]
        assert [(one.order_create.reference, one.eto_payload.seq) for one in sent] == [(7, 100), (8, 101)]

    @pytest.mark.parametrize(
        ("reason", "error"),
        [
            (eto.LOGOUT_UNAUTHORISED, LoginError),
            (eto.LOGOUT_UNVERIFIED, LoginError),
            (eto.LOGOUT_DOWNTIME, SocketDisconnected),
        ],
    )
    def test_a_refused_login_says_why(self, cut, reason: int, error: type[Exception]) -> None:
        pair = Pair(cut)
        pair.client.login(seto.Login(username="a", password="b"), pair.now)
        pair.to_gateway()
        pair.gateway.logout(pair.now, reason)
        pair.to_client()
        assert kinds(frames_of(pair.client)) == ["eto.logout"]
        assert isinstance(pair.client.closed_by, error)
        assert pair.client.logout_reason == reason
        assert pair.gateway.over

    def test_a_first_payload_that_is_no_login_ends_the_session(self, cut) -> None:
        pair = Pair(cut)
        pair.gateway.receive(raw_frame(order(), 1), pair.now)
        assert pair.gateway.logout_reason == eto.LOGOUT_LOGIN_NOT_FIRST_SEQ

    def test_a_login_that_is_not_number_one_ends_the_session(self, cut) -> None:
        pair = Pair(cut)
        login = wrap(seto.Login(username="a", password="b"))
        pair.gateway.receive(raw_frame(login, 2), pair.now)
        assert pair.gateway.logout_reason == eto.LOGOUT_LOGIN_NOT_FIRST_SEQ

    def test_either_end_gives_up_a_login_that_does_not_come(self, cut) -> None:
        pair = Pair(cut)
        pair.client.login(seto.Login(username="a", password="b"), pair.now)
        pair.tick(30.0)
        assert isinstance(pair.client.closed_by, LoginTimeout)
        assert pair.gateway.logout_reason == eto.LOGOUT_LOGIN_TIMEOUT


class TestSequences:
    def test_every_payload_of_a_direction_is_numbered_admin_included(self, pair: Pair) -> None:
        pair.client.send(order(), pair.now)
        pair.client.send(admin(eto.PAYLOAD_PING), pair.now)
        pair.client.send(order(), pair.now)
        pair.to_gateway()
        assert [frame.protobuf.eto_payload.seq for frame in frames_of(pair.gateway)] == [2, 3, 4]
        assert pair.gateway.inseq == 5

    def test_what_is_behind_is_dropped(self, pair: Pair) -> None:
        pair.client.receive(heartbeat(2), pair.now)
        pair.client.receive(heartbeat(2) + heartbeat(1), pair.now)
        assert len(frames_of(pair.client)) == 1
        assert pair.client.inseq == 3

    def test_a_gap_is_asked_for_and_what_is_newer_waits_until_it_is_closed(self, pair: Pair) -> None:
        for reference in range(3):
            pair.gateway.send(executed(reference + 1), pair.now)
        pair.gateway.send(admin(eto.PAYLOAD_PING), pair.now)
        pair.gateway.send(executed(4), pair.now)
        data = bytes(pair.gateway.output)
        pair.gateway.sent(len(data))
        *lost, last = frame_decode_all(data)[0]
        pair.client.receive(raw_frame(parse(last), 6), pair.now)
        assert frames_of(pair.client) == []
        pair.exchange()
        frames = frames_of(pair.client)
        assert kinds(frames) == ["order_executed"] * 3 + ["eto.gapfill", "order_executed"]
        assert [frame.protobuf.eto_payload.seq for frame in frames] == [2, 3, 4, 5, 6]
        assert [frame.protobuf.eto_payload.is_replay for frame in frames] == [True] * 4 + [False]
        assert len(lost) == 4

    def test_the_client_answers_a_replay_as_the_gateway_does(self, pair: Pair) -> None:
        for reference in (1, 2):
            pair.client.send(order(reference), pair.now)
        first, second = frame_decode_all(bytes(pair.client.output))[0]
        pair.client.sent(len(pair.client.output))
        pair.gateway.receive(raw_frame(parse(second), 3), pair.now)
        pair.exchange()
        references = [frame.protobuf.order_create.reference for frame in frames_of(pair.gateway)]
        assert references == [1, 2]
        assert first

    def test_a_gap_that_stays_open_ends_the_session(self, pair: Pair) -> None:
        pair.client.receive(heartbeat(5), pair.now)
        pair.now += 9.0
        pair.client.receive(heartbeat(6), pair.now)
        pair.client.tick(pair.now)
        assert not pair.client.over
        pair.now += 1.0
        pair.client.tick(pair.now)
        assert isinstance(pair.client.closed_by, ConnectionLost)

    def test_what_waits_for_a_gap_is_bounded(self, cut) -> None:
        pair = Pair(cut, CoreSettings(held_frames_max=3)).log_in()
        for seq in range(5, 8):
            pair.client.receive(heartbeat(seq), pair.now)
        assert not pair.client.over
        pair.client.receive(heartbeat(8), pair.now)
        assert isinstance(pair.client.closed_by, ConnectionLost)

    def test_a_replay_of_what_is_forgotten_ends_the_session(self, cut) -> None:
        pair = Pair(cut, CoreSettings(sent_payloads_max=2)).log_in()
        for reference in range(4):
            pair.gateway.send(executed(reference + 1), pair.now)
        pair.gateway.sent(len(pair.gateway.output))
        request = admin(eto.PAYLOAD_REPLAY)
        request.eto_payload.replay.seq = 2
        pair.gateway.receive(raw_frame(request, 2), pair.now)
        assert pair.gateway.logout_reason == eto.LOGOUT_UNKNOWN_SESSION

    def test_the_largest_account_sequence_delivered_is_tracked(self, pair: Pair) -> None:
        for sequence in (5, 9, 7):
            pair.gateway.send(executed(sequence), pair.now)
        pair.to_client()
        assert pair.client.account_sequence is None
        pair.client.next_frame()
        assert pair.client.account_sequence == 5
        frames_of(pair.client)
        assert pair.client.account_sequence == 9


class TestHeartbeats:
    def test_an_end_that_was_quiet_for_ten_seconds_sends_one_and_the_client_answers(self, pair: Pair) -> None:
        pair.now += 9.9
        assert pair.gateway.tick(pair.now) == pytest.approx(pair.now + 0.1)
        assert not pair.gateway.output
        pair.now += 0.1
        pair.gateway.tick(pair.now)
        pair.to_client()
        assert pair.client.urgent
        assert kinds(frames_of(pair.client)) == ["eto.heartbeat"]
        pair.to_gateway()
        assert kinds(frames_of(pair.gateway)) == ["eto.heartbeat"]
        assert not pair.gateway.output, "two ends that both answer would never stop"

    def test_a_ping_is_answered_by_either_end(self, pair: Pair) -> None:
        pair.client.send(admin(eto.PAYLOAD_PING), pair.now)
        pair.gateway.send(admin(eto.PAYLOAD_PING), pair.now)
        pair.exchange()
        assert kinds(frames_of(pair.client)) == ["eto.ping", "eto.pong"]
        assert kinds(frames_of(pair.gateway)) == ["eto.ping", "eto.pong"]

    def test_a_silent_end_gets_a_ping_and_is_then_given_up(self, pair: Pair) -> None:
        for _ in range(20):
            pair.tick(1.0)
        sent = [parse(data).eto_payload.type for data in frame_decode_all(bytes(pair.client.output))[0]]
        assert sent.count(eto.PAYLOAD_PING) == 1
        pair.tick(10.0)
        assert isinstance(pair.client.closed_by, ConnectionLost)
        assert pair.gateway.logout_reason == eto.LOGOUT_HEARTBEAT_TIMEOUT

    def test_two_ends_that_tick_live_for_ever(self, pair: Pair) -> None:
        for _ in range(1000):
            pair.tick(1.0)
            pair.exchange()
        assert pair.client.phase is pair.gateway.phase is Phase.OPEN


class TestLogout:
    def test_a_logout_is_confirmed_and_both_ends_are_over(self, pair: Pair) -> None:
        pair.gateway.send(executed(1), pair.now)
        pair.client.logout(pair.now)
        pair.exchange()
        assert kinds(frames_of(pair.client)) == ["order_executed", "eto.logout"]
        assert pair.client.over
        assert pair.client.closed_by is None
        assert pair.gateway.over
        with pytest.raises(SocketDisconnected):
            pair.client.send(order(), pair.now)

    def test_a_logout_that_is_not_confirmed_ends_in_time(self, pair: Pair) -> None:
        pair.client.logout(pair.now)
        pair.now += 10.0
        pair.client.tick(pair.now)
        assert isinstance(pair.client.closed_by, ConnectionLost)

    def test_a_venue_that_ends_the_session_is_not_a_confirmed_logout(self, pair: Pair) -> None:
        pair.gateway.logout(pair.now, eto.LOGOUT_DOWNTIME)
        pair.to_client()
        assert isinstance(pair.client.closed_by, SocketDisconnected)
        assert "DOWNTIME" in str(pair.client.closed_by)


class TestHostileInput:
    def test_bytes_that_are_no_frame_are_a_stored_cause(self, pair: Pair) -> None:
        pair.client.receive(heartbeat(2) + b"\xff" * 8, pair.now)
        assert kinds(frames_of(pair.client)) == ["eto.heartbeat"]
        assert isinstance(pair.client.closed_by, DecodeError)
        pair.client.receive(heartbeat(3), pair.now)
        assert frames_of(pair.client) == []

    @pytest.mark.parametrize("payload", [b"", b"\x0a\x01", b"\x08\x02", b"\xff\xff\xff\xff\x01"])
    def test_a_frame_that_is_no_payload_is_a_stored_cause(self, pair: Pair, payload: bytes) -> None:
        frame = bytes([len(payload)]) + payload
        pair.client.receive(frame + bytes(max(0, 4 - len(frame))), pair.now)
        assert isinstance(pair.client.closed_by, ParseError)

    def test_a_type_that_the_schema_lacks_surfaces_as_such(self, pair: Pair) -> None:
        pair.client.receive(bytes.fromhex("08 08 63 12 04 08 02 10 05".replace(" ", "")), pair.now)
        (frame,) = frames_of(pair.client)
        assert not frame.protobuf.HasField("type")
        assert not pair.client.output, "its session layer is not obeyed"

    def test_the_end_of_the_connection_is_a_stored_cause(self, pair: Pair) -> None:
        pair.client.receive_eof()
        assert isinstance(pair.client.closed_by, SocketDisconnected)


def test_what_waits_to_be_sent_is_bounded(cut) -> None:
    pair = Pair(cut, CoreSettings(output_bytes_max=100)).log_in()
    while pair.client.output_bytes <= 100:
        pair.client.send(order(), pair.now)
    with pytest.raises(QueueFull, match="output_bytes_max"):
        pair.client.send(order(), pair.now)


def test_a_payload_that_lacks_a_field_is_refused_and_takes_no_number(cut) -> None:
    pair = Pair(cut).log_in()
    with pytest.raises(InvalidMessage, match=r"order_create\.quantity"):
        pair.client.send(wrap(seto.OrderCreate(side=seto.SIDE_BUY, market_id=1, contract_id=1)), pair.now)
    pair.client.send(order(), pair.now)
    pair.to_gateway()
    assert [frame.protobuf.eto_payload.seq for frame in frames_of(pair.gateway)] == [2]


def test_an_end_that_does_not_read_stops_wanting(cut) -> None:
    pair = Pair(cut, CoreSettings(queue_frames_max=3)).log_in()
    for seq in range(2, 5):
        assert pair.client.wants_data
        pair.client.receive(heartbeat(seq), pair.now)
    assert not pair.client.wants_data
    frames_of(pair.client)
    assert pair.client.wants_data


def test_sending_does_not_change_what_was_given(cut) -> None:
    pair = Pair(whole).log_in()
    payload = order(3)
    for _ in range(2):
        pair.client.send(payload, pair.now)
    pair.to_gateway()
    assert [frame.protobuf.eto_payload.seq for frame in frames_of(pair.gateway)] == [2, 3]
