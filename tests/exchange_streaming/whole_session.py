"""A whole trading session, written for the protocol's published client, told as JSON lines.

python whole_session.py PORT CERTIFICATE PASSWORD TOKEN CONTRACT_ID, under a Python that has that client. With
the imports renamed to `ledgerx.streaming_api` it runs under ours.
"""

import json
import sys
import time

from smarkets.streaming_api import seto
from smarkets.streaming_api.client import StreamingAPIClient
from smarkets.streaming_api.exceptions import LoginError
from smarkets.streaming_api.session import Session, SessionSettings

LOT = 10000
HEARTBEATS = 3


class Trader:
    """A client that keeps what it hears."""

    def __init__(self, port, certificate, account_sequence=None, **login):
        settings = SessionSettings(
            host="127.0.0.1", port=port, ssl_kwargs={"ca_certs": certificate}, socket_timeout=20, **login
        )
        self.client = StreamingAPIClient(Session(settings, account_sequence=account_sequence))
        self.heard = []
        self.client.add_global_handler(lambda name, message: self.heard.append((name, message.protobuf)))
        self.client.login()

    def send(self, message):
        """Send at once."""
        self.client.send(message)
        self.client.flush()

    def next(self, wanted):
        """The next message of a name; earlier ones are dropped."""
        while True:
            while self.heard:
                name, payload = self.heard.pop(0)
                if name == wanted:
                    return payload
            self.client.read()
            self.client.flush()  # its answers to heartbeats

    def order(self, contract_id, side, price, lots, reference):
        """A limit order."""
        self.send(
            seto.OrderCreate(
                type=seto.ORDER_CREATE_LIMIT, market_id=contract_id, contract_id=contract_id, side=side,
                quantity=lots * LOT, price=price, reference=reference,
            )
        )  # fmt: skip


def say(what, **facts):
    """One line for the test."""
    print(json.dumps({"what": what, **facts}), flush=True)


def main(port, certificate, password, token, contract_id):
    """The session from the login to the logout."""
    try:
        Trader(port, certificate, username="alice", password="wrong")
    except LoginError as error:
        say("refused", reason=error.args[0])
    alice = Trader(port, certificate, username="alice", password=password)
    say("login", session=alice.client.session.session)

    began = time.monotonic()
    for _ in range(HEARTBEATS):
        alice.next("eto.heartbeat")
    say("heartbeats", count=HEARTBEATS, seconds=time.monotonic() - began)
    bob = Trader(port, certificate, token=token)

    alice.send(seto.MarketSubscribe(market_id=contract_id))
    say("quotes", market_id=alice.next("seto.market_quotes").market_quotes.market_id)
    bob.order(contract_id, seto.SIDE_SELL, 5000, 3, 1)
    accepted = bob.next("seto.order_accepted").order_accepted
    say("accepted", seq=accepted.seq, reference=accepted.reference, quantity=accepted.quantity)
    quotes = alice.next("seto.contract_quotes").contract_quotes
    say("changed", offers=[[offer.price, offer.quantity] for offer in quotes.offers])
    alice.order(contract_id, seto.SIDE_BUY, 5000, 1, 2)
    executed = alice.next("seto.order_executed").order_executed
    say("executed", price=executed.price, quantity=executed.quantity)
    resume_after = bob.next("seto.order_executed").order_executed.account_sequence_64

    bob.client.session.disconnect()  # a cut
    alice.order(contract_id, seto.SIDE_BUY, 5000, 1, 3)
    alice.next("seto.order_executed")
    bob = Trader(port, certificate, account_sequence=resume_after, token=token)
    missed = bob.next("seto.order_executed").order_executed
    say("resumed", quantity=missed.quantity, total=missed.total_executed_quantity)
    bob.send(seto.OrderCancel(order_id=accepted.order_id))
    cancelled = bob.next("seto.order_cancelled").order_cancelled
    say("cancelled", executed=cancelled.executed_quantity, reason=cancelled.reason)
    for trader in (alice, bob):
        trader.client.logout()
        name, payload = trader.heard[-1]
        say("logout", confirmed=name == "eto.logout", reason=payload.eto_payload.logout.reason)


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:5], contract_id=int(sys.argv[5]))
