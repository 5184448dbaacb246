"""Sessions over real sockets: the login's bytes, resuming, timeouts, TLS, threads, the manual's errors."""

from __future__ import annotations

import socket
import ssl
import threading
from pathlib import Path

import pytest
from pair import kinds, order, raw_frame
from scripted import GatewayEnd, Scripted

from ledgerx.errors import InvalidField, LoginError
from ledgerx.streaming_api import eto, seto
from ledgerx.streaming_api.core import CoreSettings
from ledgerx.streaming_api.exceptions import (
    ConnectionError,  # noqa: A004 - the manual's name
    DecodeError,
    LoginTimeout,
    ParseError,
    SocketDisconnected,
)
from ledgerx.streaming_api.payloads import admin, wrap
from ledgerx.streaming_api.session import Frame, Session, SessionSettings, SessionSocket

LOGIN = bytes.fromhex("16 08 02 12 04 08 01 10 07 1a 0c 0a 04 75 73 65 72 12 04 70 61 73 73")


def settings(server: Scripted, **more: object) -> SessionSettings:
    fields = {"username": "user", "password": "pass", "ssl": False, "socket_timeout": 20.0, **more}
    return SessionSettings(host=server.host, port=server.port, **fields)  # type: ignore[arg-type]


def read_frames(session: Session, count: int) -> list[Frame]:
    frames: list[Frame] = []
    while len(frames) < count:
        session.read()
        while (frame := session.next_frame()) is not None:
            frames.append(frame)
    return frames


def executed(account_sequence: int) -> seto.Payload:
    return wrap(
        seto.OrderExecuted(
            price=1, quantity=1, order_id=1, side=seto.SIDE_BUY, market_id=1, contract_id=1,
            account_sequence_64=account_sequence,
        )
    )  # fmt: skip


class TestConnecting:
    def test_the_login_leaves_at_once_as_the_documented_bytes(self) -> None:
        def script(connection: socket.socket) -> None:
            assert connection.recv(100) == LOGIN

        with Scripted(script) as server:
            session = Session(settings(server))
            assert not session.connected
            session.connect()
            assert session.connected
            session.connect()  # does nothing: the script sees one connection and one login
            assert session.output_buffer_size == 0
            session.disconnect()
            session.disconnect()
            assert not session.connected

    def test_a_token_goes_as_cookie(self) -> None:
        def script(connection: socket.socket) -> None:
            login = GatewayEnd(connection).log_in().protobuf.login
            assert login.cookie == b"t0ken"
            assert not login.HasField("username")

        with Scripted(script) as server, Session(settings(server, token="t0ken")) as session:
            assert kinds(read_frames(session, 1)) == ["eto.login_response"]
            assert session.session == "s-1"

    def test_without_credentials_nothing_is_sent(self) -> None:
        with Scripted() as server:
            session = Session(SessionSettings(host=server.host, port=server.port, ssl=False))
            with pytest.raises(ConnectionError, match="credentials"):
                session.connect()

    def test_a_port_where_nothing_listens_is_a_connection_error_with_its_cause(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        session = Session(SessionSettings("u", "p", host="127.0.0.1", port=port, ssl=False))
        with pytest.raises(ConnectionError, match=str(port)) as caught:
            session.connect()
        assert isinstance(caught.value.__cause__, OSError)

    @pytest.mark.parametrize("host", ["no.such.host.invalid", "a" * 300, ""])
    def test_a_host_that_is_none_is_a_connection_error(self, host: str) -> None:
        session = Session(SessionSettings("u", "p", host=host, port=1, ssl=False, socket_timeout=5))
        with pytest.raises(ConnectionError):
            session.connect()

    def test_what_is_no_settings_is_refused(self) -> None:
        with pytest.raises(ValueError, match="settings"):
            SessionSocket("localhost")  # type: ignore[arg-type]

    def test_ipv6_works(self) -> None:
        script = Scripted(lambda connection: GatewayEnd(connection).log_in() and None, host="::1")
        with script as server, Session(settings(server)) as session:
            read_frames(session, 1)

    def test_no_credential_is_in_a_repr(self) -> None:
        made = SessionSettings("alice", "secret", "t0ken")
        assert not {"alice", "secret", "t0ken"} & set(repr([made, Session(made)]).split("'"))
        assert "secret" not in repr(Session(made)) + repr(made)


class TestTls:
    def test_a_trusted_certificate_is_accepted(self, certificate: Path, server_tls: ssl.SSLContext) -> None:
        with Scripted(lambda c: GatewayEnd(c).log_in() and None, tls=server_tls) as server:
            made = settings(server, ssl=True, ssl_kwargs={"ca_certs": str(certificate)})
            with Session(made) as session:
                read_frames(session, 1)
                assert isinstance(session.raw_socket, ssl.SSLSocket)
                assert session.raw_socket.version() in ("TLSv1.2", "TLSv1.3")

    @pytest.mark.parametrize("more", [{}, {"server_hostname": "other.example"}])
    def test_an_untrusted_certificate_or_another_name_is_refused(
        self, certificate: Path, server_tls: ssl.SSLContext, more: dict[str, str]
    ) -> None:
        def script(connection: socket.socket) -> None:
            raise AssertionError("the handshake must have failed")

        kwargs = {**more, "ca_certs": str(certificate)} if more else {}
        server = Scripted(script, tls=server_tls)
        with pytest.raises(ConnectionError) as caught, server:
            Session(settings(server, ssl=True, ssl_kwargs=kwargs)).connect()
        assert isinstance(caught.value.__cause__, ssl.SSLError)

    def test_an_optional_certificate_must_have_the_name_too(
        self, certificate: Path, server_tls: ssl.SSLContext
    ) -> None:
        kwargs = {
            "ca_certs": str(certificate),
            "server_hostname": "other.example",
            "cert_reqs": ssl.CERT_OPTIONAL,
        }
        server = Scripted(lambda connection: None, tls=server_tls)
        with pytest.raises(ConnectionError, match=r"other\.example"), server:
            Session(settings(server, ssl=True, ssl_kwargs=kwargs)).connect()

    def test_verification_is_only_off_when_told_so(self, server_tls: ssl.SSLContext) -> None:
        with Scripted(lambda c: GatewayEnd(c).log_in() and None, tls=server_tls) as server:
            made = settings(server, ssl=True, ssl_kwargs={"cert_reqs": ssl.CERT_NONE})
            with Session(made) as session:
                read_frames(session, 1)

    def test_a_keyword_that_is_unknown_is_named(self) -> None:
        # Before anything is connected, so that there need be no server.
        session = Session(
            SessionSettings("user", "pass", host="127.0.0.1", port=1, ssl_kwargs={"ca_cert": "x"})
        )
        with pytest.raises(InvalidField, match="ca_cert"):
            session.connect()

    def test_a_certificate_file_that_is_missing_is_a_connection_error(self, tmp_path: Path) -> None:
        kwargs = {"ca_certs": str(tmp_path / "none.pem")}
        made = SessionSettings("user", "pass", host="127.0.0.1", port=1, ssl_kwargs=kwargs)
        with pytest.raises(ConnectionError, match=r"ssl_kwargs"):
            Session(made).connect()


class TestTraffic:
    def test_what_was_sent_before_connecting_follows_the_login(self) -> None:
        seen: list[int] = []

        def script(connection: socket.socket) -> None:
            end = GatewayEnd(connection)
            end.log_in()
            seen.extend(end.take().protobuf.order_create.reference for _ in range(2))

        with Scripted(script) as server:
            session = Session(settings(server))
            session.send(order(5))
            assert session.output_buffer_size > 0
            session.connect()
            session.send(order(6))
            read_frames(session, 1)
            session.disconnect()
        assert seen == [5, 6]

    def test_out_payload_is_what_send_sends(self) -> None:
        seen: list[seto.Payload] = []

        def script(connection: socket.socket) -> None:
            end = GatewayEnd(connection)
            end.log_in()
            seen.append(end.take().protobuf)

        with Scripted(script) as server, Session(settings(server)) as session:
            read_frames(session, 1)
            session.out_payload.CopyFrom(admin(eto.PAYLOAD_PING))
            session.send()
            session.flush()
            assert kinds(read_frames(session, 1)) == ["eto.pong"]
        assert seen[0].eto_payload.seq == 2

    def test_a_new_connection_resumes_after_what_was_delivered(self) -> None:
        asked: list[int] = []

        def script(connection: socket.socket) -> None:
            end = GatewayEnd(connection)
            asked.append(end.log_in().protobuf.login.account_sequence_64)
            end.send(executed(41), executed(42))
            end.take()  # until the client has gone
            raise AssertionError

        def until_gone(connection: socket.socket) -> None:
            with pytest.raises((EOFError, OSError)):
                script(connection)

        with Scripted(until_gone, until_gone) as server:
            session = Session(settings(server), account_sequence=7)
            session.connect()
            read_frames(session, 3)
            assert session.account_sequence == 42
            session.disconnect()
            session.connect()
            read_frames(session, 3)
            session.disconnect()
        assert asked == [7, 42]

    def test_heartbeats_are_sent_and_answered_while_reading(self) -> None:
        def script(connection: socket.socket) -> None:
            end = GatewayEnd(connection)
            end.log_in()
            assert kinds([end.take()]) == ["eto.heartbeat"]
            end.send(admin(eto.PAYLOAD_HEARTBEAT))
            assert kinds([end.take()]) == ["eto.heartbeat"]
            end.send(executed(1))

        with Scripted(script) as server:
            session = Session(settings(server), core_settings=CoreSettings(heartbeat_s=0.05))
            with session:
                assert kinds(read_frames(session, 3))[-1] == "order_executed"

    def test_one_thread_may_read_while_others_send(
        self, certificate: Path, server_tls: ssl.SSLContext
    ) -> None:
        senders, each = 4, 500

        def script(connection: socket.socket) -> None:
            end = GatewayEnd(connection)
            end.log_in()
            for number in range(1, senders * each + 1):
                assert end.take().protobuf.eto_payload.seq == number + 1
                end.send(executed(number))

        with Scripted(script, tls=server_tls) as server:
            made = settings(server, ssl=True, ssl_kwargs={"ca_certs": str(certificate)})
            with Session(made) as session:
                read_frames(session, 1)

                def send() -> None:
                    for _ in range(each):
                        session.send(order())
                        session.flush()

                threads = [threading.Thread(target=send) for _ in range(senders)]
                for thread in threads:
                    thread.start()
                read_frames(session, senders * each)
                for thread in threads:
                    thread.join()
                assert session.account_sequence == senders * each

    def test_what_is_flushed_without_a_connection_is_socket_disconnected_and_stays(self) -> None:
        seen: list[int] = []

        def script(connection: socket.socket) -> None:
            end = GatewayEnd(connection)
            end.log_in()
            seen.append(end.take().protobuf.order_create.reference)

        with Scripted(script) as server:
            session = Session(settings(server))
            with pytest.raises(SocketDisconnected, match="connect"):
                session.flush()
            session.send(order(5))
            with pytest.raises(SocketDisconnected, match="connect"):
                session.flush()
            with session:
                read_frames(session, 1)
                session.flush()
            assert session.output_buffer_size == 0
            with pytest.raises(SocketDisconnected, match="connect"):
                session.flush()
        assert seen == [5]

    def test_reading_before_connecting_changes_nothing(self) -> None:
        session = Session(
            SessionSettings("user", "pass", host="127.0.0.1", port=1),
            core_settings=CoreSettings(login_timeout_s=0.0),
        )
        session.send(order(5))
        waiting = session.output_buffer_size
        for _ in range(2):
            with pytest.raises(SocketDisconnected, match="connect"):
                session.read()
        assert session.output_buffer_size == waiting > 0
        session.send(order(6))

    def test_no_more_is_read_while_the_queue_is_full(self) -> None:
        released = threading.Event()

        def script(connection: socket.socket) -> None:
            end = GatewayEnd(connection)
            end.log_in()
            for number in range(1, 5):
                end.send(executed(number))
            released.wait(20)
            end.send(executed(5))

        with Scripted(script) as server:
            made = settings(server, socket_timeout=2)
            with Session(made, core_settings=CoreSettings(queue_frames_max=3)) as session:
                while session.inseq < 4:
                    session.read()
                came = session.inseq
                for _ in range(3):
                    session.read()  # returns at once
                assert session.inseq == came
                while session.next_frame() is not None:
                    pass
                released.set()
                while session.inseq < 7:
                    session.read()
                    while session.next_frame() is not None:
                        pass

    def test_a_logout_is_confirmed_though_the_queue_is_full(self) -> None:
        def script(connection: socket.socket) -> None:
            end = GatewayEnd(connection)
            end.log_in()
            end.take()

        with Scripted(script) as server:
            session = Session(settings(server), core_settings=CoreSettings(queue_frames_max=1))
            session.connect()
            session.logout()
            assert not session.connected


class TestEnding:
    def test_logout_waits_for_the_confirmation_and_keeps_what_came_before_it(self) -> None:
        def script(connection: socket.socket) -> None:
            end = GatewayEnd(connection)
            end.log_in()
            end.send(executed(1))
            assert kinds([end.take()]) == ["eto.logout"]

        with Scripted(script) as server:
            session = Session(settings(server))
            session.connect()
            session.logout()
            assert not session.connected
            frames = []
            while (frame := session.next_frame()) is not None:
                frames.append(frame)
        assert kinds(frames) == ["eto.login_response", "order_executed", "eto.logout"]

    def test_the_end_of_the_connection_is_socket_disconnected(self) -> None:
        with Scripted(lambda connection: GatewayEnd(connection).log_in() and None) as server:
            session = Session(settings(server))
            session.connect()
            read_frames(session, 1)
            with pytest.raises(SocketDisconnected):
                session.read()
            assert not session.connected
            for call in (session.read, session.send, session.logout):
                with pytest.raises(SocketDisconnected):
                    call()

    def test_a_reset_is_a_connection_error(self) -> None:
        def script(connection: socket.socket) -> None:
            GatewayEnd(connection).log_in()
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

        with Scripted(script) as server:
            session = Session(settings(server))
            session.connect()
            with pytest.raises(ConnectionError) as caught:  # noqa: PT012 - the login's answer may come first
                while True:
                    session.read()
            assert isinstance(caught.value.__cause__, ConnectionResetError)
            assert not session.connected

    def test_a_venue_that_says_nothing_in_socket_timeout_is_a_connection_error(self) -> None:
        released = threading.Event()

        def script(connection: socket.socket) -> None:
            GatewayEnd(connection).log_in()
            released.wait(20)

        with Scripted(script) as server:
            session = Session(settings(server, socket_timeout=0.05, connect_timeout=20))
            session.connect()
            with pytest.raises(ConnectionError, match="socket_timeout"):  # noqa: PT012
                while True:
                    session.read()
            assert not session.connected
            released.set()

    def test_a_login_that_is_not_answered_is_a_login_timeout(self) -> None:
        released = threading.Event()
        with Scripted(lambda connection: released.wait(20) and None) as server:
            session = Session(settings(server), core_settings=CoreSettings(login_timeout_s=0.05))
            session.connect()
            with pytest.raises(LoginTimeout):
                session.read()
            assert not session.connected
            released.set()

    def test_disconnecting_from_another_thread_ends_a_read(self) -> None:
        released = threading.Event()

        def script(connection: socket.socket) -> None:
            GatewayEnd(connection).log_in()
            released.wait(20)

        with Scripted(script) as server:
            session = Session(settings(server))
            session.connect()
            read_frames(session, 1)
            reading = threading.Thread(target=session.disconnect)
            reading.start()
            with pytest.raises((SocketDisconnected, ConnectionError)):
                session.read()
            reading.join()
            released.set()


class TestHostileInput:
    def test_a_session_name_that_is_not_utf8_is_a_parse_error(self) -> None:
        response = admin(eto.PAYLOAD_LOGIN_RESPONSE)
        response.eto_payload.login_response.session = "s"
        response.eto_payload.login_response.reset = 2
        data = raw_frame(response, 1).replace(b"\x0a\x01s", b"\x0a\x01\xff")
        assert b"\xff" in data
        with Scripted(lambda connection: connection.sendall(data)) as server:
            session = Session(settings(server))
            session.connect()
            session.read()  # the answer is a frame that can be looked at
            with pytest.raises(ParseError, match="UTF-8"):
                session.read()
            assert not session.connected

    @pytest.mark.parametrize(
        ("data", "error"),
        [(b"\xff" * 16, DecodeError), (b"\x05" + b"\xff" * 5, ParseError), (b"\x00" * 4, ParseError)],
    )
    def test_garbage_is_an_error_of_the_manual_and_closes(self, data: bytes, error: type[Exception]) -> None:
        with Scripted(lambda connection: connection.sendall(data)) as server:
            session = Session(settings(server))
            session.connect()
            with pytest.raises(error):
                session.read()
            assert not session.connected

    def test_frames_before_garbage_are_delivered(self) -> None:
        def script(connection: socket.socket) -> None:
            GatewayEnd(connection).log_in()
            connection.sendall(raw_frame(executed(1), 2) + b"\xff" * 16)

        with Scripted(script) as server:
            session = Session(settings(server))
            session.connect()
            assert kinds(read_frames(session, 2)) == ["eto.login_response", "order_executed"]
            with pytest.raises((DecodeError, SocketDisconnected)):
                session.read()


def test_what_ended_a_session_with_its_first_bytes_is_told_by_the_next_read() -> None:
    from ledgerx.streaming_api.client import StreamingAPIClient

    response = admin(eto.PAYLOAD_LOGIN_RESPONSE)
    response.eto_payload.login_response.session = "s"
    response.eto_payload.login_response.reset = 2
    data = raw_frame(response, 1) + b"\xff" * 16
    with Scripted(lambda connection: connection.recv(100) and connection.sendall(data)) as server:
        client = StreamingAPIClient(Session(settings(server)))
        client.login()
        with pytest.raises(DecodeError):
            client.read()
        assert not client.session.connected


def test_a_refused_login_is_a_login_error_with_its_reason() -> None:
    from ledgerx.streaming_api.client import StreamingAPIClient

    def script(connection: socket.socket) -> None:
        end = GatewayEnd(connection)
        end.take()
        end.core.logout(0.0, eto.LOGOUT_UNAUTHORISED)
        end.flush()

    with Scripted(script) as server:
        client = StreamingAPIClient(Session(settings(server)))
        with pytest.raises(LoginError, match="UNAUTHORISED") as caught:
            client.login()
        assert caught.value.reason == eto.LOGOUT_UNAUTHORISED
        assert caught.value.reason_msg == "LOGOUT_UNAUTHORISED"
