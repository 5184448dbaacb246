"""A trader with one streaming session on a venue of this process: asks, and waits for what it hears."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from ledgerx.exchange import Exchange
from ledgerx.streaming_api import seto_pb2 as seto
from ledgerx.streaming_api.client import StreamingAPIClient
from ledgerx.streaming_api.session import Frame, Session, SessionSettings

__all__ = ["LOT", "Trader", "field_of"]

LOT = 10_000


def field_of(payload: seto.Payload) -> str:
    """The name of the payload's type: `order_accepted`, and `eto.heartbeat` and the like."""
    return seto.PayloadType.Name(payload.type).removeprefix("PAYLOAD_").lower()


class Trader:
    """Logged in from the start."""

    def __init__(
        self, exchange: Exchange, name: str, account_sequence: int | None = None, **settings: Any
    ) -> None:
        defaults = {"username": name, "password": f"{name}'s password"}
        defaults["ssl_kwargs"] = {"ca_certs": str(exchange.certificate)}
        port = exchange.streaming_port or 0
        self.session = Session(
            SessionSettings(host=exchange.host, port=port, **defaults | settings),
            account_sequence=account_sequence,
        )
        self.client = StreamingAPIClient(self.session)
        self.heard: deque[seto.Payload] = deque()
        self.client.add_global_handler(self._hear)
        self.client.login()

    def _hear(self, name: str, message: Frame) -> None:
        if message.protobuf.type != seto.PAYLOAD_ETO:
            self.heard.append(message.protobuf)

    def send(self, message: Any) -> None:
        self.client.send(message)
        self.client.flush()

    def order(self, contract_id: int, side: int, price: int, lots: int, **more: Any) -> None:
        """Ask for a limit order."""
        terms = {"market_id": contract_id, "contract_id": contract_id, "price": price} | more
        self.send(seto.OrderCreate(side=side, quantity=lots * LOT, **terms))  # type: ignore[arg-type]

    def next(self, field: str, suits: Callable[[Any], bool] = lambda message: True) -> Any:
        """The next message of a kind; what comes before it is passed over."""
        while True:
            while self.heard:
                payload = self.heard.popleft()
                if field_of(payload) == field and suits(getattr(payload, field)):
                    return getattr(payload, field)
            self.client.read()

    def hear(self, field: str) -> list[seto.Payload]:
        """Everything up to the next message of a kind, with it."""
        heard: list[seto.Payload] = []
        while True:
            while self.heard:
                heard.append(self.heard.popleft())
                if field_of(heard[-1]) == field:
                    return heard
            self.client.read()

    def close(self) -> None:
        self.session.disconnect()
