"""Trade on a venue over one streaming session: python streaming_session.py PORT TOKEN CERTIFICATE"""

import sys

from ledgerx.streaming_api import seto_pb2 as seto
from ledgerx.streaming_api.client import StreamingAPIClient
from ledgerx.streaming_api.session import Session, SessionSettings

port, token, certificate = sys.argv[1:]
settings = SessionSettings(
    token=token, host="127.0.0.1", port=int(port), ssl_kwargs={"ca_certs": certificate}
)
over = []


def accepted(message):
    order = message.order_accepted
    print(f"order {order.reference} accepted: {order.quantity // 10_000} lots at {order.price}")
    client.send(seto.OrderCancel(order_id=order.order_id))
    client.flush()


def cancelled(message):
    print(f"order {message.order_cancelled.reference} cancelled")
    over.append(True)


with StreamingAPIClient(Session(settings)) as client:
    client.add_handler("seto.order_accepted", accepted)
    client.add_handler("seto.order_cancelled", cancelled)
    client.send(
        seto.OrderCreate(
            market_id=1, contract_id=1, side=seto.SIDE_BUY, quantity=20_000, price=100, reference=1
        )
    )
    client.flush()
    while not over:
        client.read()
