"""The front's thread alone: what it does while a login is being checked."""

from __future__ import annotations

import socket
import threading
from typing import Any

from ledgerx.exchange.listen import listen_tcp
from ledgerx.exchange.streaming.commands import Mailbox
from ledgerx.exchange.streaming.front import StreamingFront
from ledgerx.streaming_api import eto_pb2 as eto
from ledgerx.streaming_api import seto_pb2 as seto
from ledgerx.streaming_api.framing import frame_encode
from ledgerx.streaming_api.payloads import admin, serialise, wrap

WAIT_S = 20.0


class SlowCredentials:
    """A check that takes as long as it is told to, and finds nobody."""

    def __init__(self) -> None:
        self.begun, self.goes_on = threading.Event(), threading.Event()

    def by_token(self, token: bytes) -> int | None:
        self.begun.set()
        assert self.goes_on.wait(WAIT_S)
        return None


class CountingFront(StreamingFront):
    turns = 0

    def _turn(self, timeout_s: float) -> None:
        self.turns += 1
        super()._turn(timeout_s)


def test_a_client_that_sends_much_behind_its_login_costs_nothing_while_it_is_checked() -> None:
    credentials: Any = SlowCredentials()
    desk: Mailbox[Any] = Mailbox()
    front = CountingFront(listen_tcp("127.0.0.1", 0), None, credentials, desk, Mailbox())
    port = front._listening.getsockname()[1]
    front.start()
    frames = bytearray()
    frame_encode(frames, serialise(wrap(seto.Login(cookie=b"t")), 1))
    for seq in range(2, 1502):  # more than it takes before it looks at them
        frame_encode(frames, serialise(admin(eto.PAYLOAD_HEARTBEAT), seq))
    with socket.create_connection(("127.0.0.1", port), WAIT_S) as sock:
        sock.sendall(frames)
        assert credentials.begun.wait(WAIT_S)
        before = front.turns
        assert not credentials.goes_on.wait(0.3)
        assert front.turns - before < 50
        credentials.goes_on.set()
        while sock.recv(65_536):
            pass  # and it is told that nobody is let in
    front.stop()
    desk.close()
