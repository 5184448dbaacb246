"""One pass of the published client, under its own Python: rates by name, as JSON.

    python published.py FRAMES_FILE

The file holds the frames that both clients read, whole and in order.
"""

import json
import sys
import time

from smarkets.streaming_api import seto
from smarkets.streaming_api.framing import frame_decode_all, frame_encode
from smarkets.streaming_api.session import Session, SessionSettings


def rate(count, call):
    """How many a second, in this thread's time."""
    begun = time.thread_time()
    call()
    return count / (time.thread_time() - begun)


def encode(payloads):
    """Frames of bytes that are there already."""
    out = bytearray()
    for payload in payloads:
        frame_encode(out, payload)


def orders(session, count):
    """Orders built, numbered and framed."""
    for number in range(count):
        payload = session.out_payload
        payload.Clear()
        payload.type = seto.PAYLOAD_ORDER_CREATE
        order = payload.order_create
        order.market_id = order.contract_id = 1
        order.side, order.quantity, order.price, order.reference = seto.SIDE_BUY, 10000, 5000, number
        session.send()
    session.send_buffer = bytearray()


def drain(session, payloads):
    """Frames out of a session that holds all of them."""
    session.buffered_incoming_payloads = list(payloads)
    session.inseq = 1
    while session.next_frame() is not None:
        pass


def main(path):
    """One pass of each case."""
    with open(path, "rb") as file:  # noqa: PTH123 - as its age has it
        data = file.read()
    payloads, _ = frame_decode_all(data)
    session = Session(SessionSettings(token="token"))  # noqa: S106
    part = first(payloads, 1000)
    figures = {
        "frame_encode": rate(len(payloads), lambda: encode(payloads)),
        "orders sent": rate(5000, lambda: orders(session, 5000)),
        "frame_decode_all, 1,000 frames": rate(
            len(payloads), lambda: [frame_decode_all(part) for _ in range(len(payloads) // 1000)]
        ),
        "frame_decode_all, 20,000 frames": rate(len(payloads), lambda: frame_decode_all(data)),
        "next_frame, 1,000 queued": rate(1000, lambda: drain(session, payloads[:1000])),
        "next_frame, 20,000 queued": rate(len(payloads), lambda: drain(session, payloads)),
    }
    print(json.dumps(figures))


def first(payloads, count):
    """The first frames again, as one piece."""
    out = bytearray()
    for payload in payloads[:count]:
        frame_encode(out, payload)
    return bytes(out)


if __name__ == "__main__":
    main(sys.argv[1])
