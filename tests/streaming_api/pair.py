"""Two ends of a session in memory: what one sends the other receives, in any cut."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ledgerx.streaming_api import eto, seto
from ledgerx.streaming_api.core import CoreSettings, Role, SessionCore
from ledgerx.streaming_api.framing import frame_encode
from ledgerx.streaming_api.payloads import Frame, admin, wrap

__all__ = ["CUTS", "Pair", "by_byte", "frames_of", "kinds", "order", "raw_frame", "whole"]

Cut = Callable[[bytes], Iterator[bytes]]


def whole(data: bytes) -> Iterator[bytes]:
    yield data


def by_byte(data: bytes) -> Iterator[bytes]:
    for position in range(len(data)):
        yield data[position : position + 1]


def in_threes(data: bytes) -> Iterator[bytes]:
    for position in range(0, len(data), 3):
        yield data[position : position + 3]


CUTS: list[Cut] = [whole, by_byte, in_threes]


def order(reference: int = 1) -> seto.Payload:
    return wrap(
        seto.OrderCreate(
            side=seto.SIDE_BUY, quantity=10_000, price=5_000, reference=reference, market_id=1, contract_id=1
        )
    )


def frames_of(core: SessionCore) -> list[Frame]:
    found = []
    while (frame := core.next_frame()) is not None:
        found.append(frame)
    return found


def kinds(frames: list[Frame]) -> list[str]:
    """The name of each payload's type, of the session layer's where it is one."""
    names = []
    for frame in frames:
        payload = frame.protobuf
        if payload.type == seto.PAYLOAD_ETO:
            names.append("eto." + eto.PayloadType.Name(payload.eto_payload.type)[8:].lower())
        else:
            names.append(seto.PayloadType.Name(payload.type)[8:].lower())
    return names


def raw_frame(payload: seto.Payload, seq: int) -> bytes:
    """A frame as a scripted end sends it."""
    payload.eto_payload.seq = seq
    frame = bytearray()
    frame_encode(frame, payload.SerializePartialToString())
    return bytes(frame)


class Pair:
    """A client and a gateway with their connection."""

    def __init__(
        self, cut: Cut = whole, settings: CoreSettings | None = None, account_sequence: int | None = None
    ) -> None:
        self.now = 1000.0
        self.client = SessionCore(Role.CLIENT, self.now, settings=settings, account_sequence=account_sequence)
        self.gateway = SessionCore(Role.GATEWAY, self.now, settings=settings)
        self.cut = cut

    def to_gateway(self) -> None:
        self._move(self.client, self.gateway)

    def to_client(self) -> None:
        self._move(self.gateway, self.client)

    def exchange(self) -> None:
        """Until neither has anything to send."""
        while self.client.output or self.gateway.output:
            self.to_gateway()
            self.to_client()

    def log_in(self) -> Pair:
        self.client.login(seto.Login(username="alice", password="secret"), self.now)
        self.to_gateway()
        self.gateway.accept("s-1", self.now)
        self.to_client()
        frames_of(self.client)
        frames_of(self.gateway)
        return self

    def tick(self, seconds: float) -> None:
        self.now += seconds
        for core in (self.client, self.gateway):
            core.tick(self.now)

    def _move(self, source: SessionCore, target: SessionCore) -> None:
        data = bytes(source.output)
        source.sent(len(data))
        for piece in self.cut(data):
            target.receive(piece, self.now)


def heartbeat(seq: int) -> bytes:
    return raw_frame(admin(eto.PAYLOAD_HEARTBEAT), seq)
