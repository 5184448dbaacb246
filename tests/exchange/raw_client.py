"""A client with nothing in it: a DEALER with CURVE, frames in and out. For tests of the venue alone."""

import time
import uuid

import zmq

from ledgerx.api.client import v0_0_1 as api
from ledgerx.protocol.crypto import KeyPair
from ledgerx.protocol.sockets import dealer, secure_socket, sub
from ledgerx.protocol.wire import decode_frame, decode_message, encode_frame, encode_message

DEADLINE_S = 20


def new_mid():
    return uuid.uuid4().hex


class RawClient:
    """One request connection. `send` takes messages or bytes, `receive` gives messages one by one."""

    def __init__(
        self,
        exchange,
        keys=None,
        *,
        instance=None,
        connection=1,
        serverkey=None,
        routing_id=None,
        recv_hwm=0,
        recv_buffer_bytes=None,
    ):
        self.keys = keys or KeyPair.generate()
        self.instance = instance or new_mid()
        self.connection = connection
        self.context = zmq.Context()
        self.socket = secure_socket(
            dealer,
            self.keys.private,
            self.keys.public,
            serverkey or exchange.public_key,
            self.context,
            rtimeo=DEADLINE_S * 1000,
            linger=0,
            recv_hwm=recv_hwm,
        )
        if routing_id is not None:
            self.socket.routing_id = routing_id
        if recv_buffer_bytes is not None:  # else the system's, which may grow to tens of megabytes
            self.socket.rcvbuf = recv_buffer_bytes
        self.socket.connect(f"tcp://127.0.0.1:{exchange.request_port}")
        self._waiting = []
        self.heartbeats = []

    def close(self):
        self.socket.close(linger=0)
        self.context.destroy(linger=0)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, *messages, next_sequence=0, flags=0):
        data = [m if isinstance(m, bytes) else encode_message(m) for m in messages]
        self.socket.send(encode_frame(data, next_sequence=next_sequence), flags)

    def hello(self, next_sequence=1, venue_id="", **fields):
        """Say hello; the venue's answer."""
        fields = {"mid": new_mid(), "client_instance": self.instance, "connection": self.connection} | fields
        self.send(api.MessageHello(next_sequence=next_sequence, venue_id=venue_id, **fields))
        return self.receive_kind(api.MessageHello)

    def frame(self):
        """The next frame, heartbeats or not."""
        return decode_frame(self.socket.recv())

    def receive_marked(self):
        """The next message that is no heartbeat, whether it was marked as replayed, and its bytes."""
        while not self._waiting:
            self._pump()
        return self._waiting.pop(0)

    def receive(self):
        """The next message that is no heartbeat."""
        return self.receive_marked()[0]

    def receive_kind(self, kind):
        """The next message of one kind; what came before it is dropped."""
        deadline = time.monotonic() + DEADLINE_S
        while time.monotonic() < deadline:
            message = self.receive()
            if isinstance(message, kind):
                return message
        raise AssertionError(f"no {kind.__name__} came")

    def receive_status(self, mid, *statuses):
        """The next status of a mid, of one of `statuses` if given."""
        while True:
            message = self.receive_kind(api.MessageStatus)
            if message.mid == mid and (not statuses or message.status in statuses):
                return message

    def heartbeat(self):
        """The next heartbeat; other messages are kept."""
        count = len(self.heartbeats)
        while len(self.heartbeats) == count:
            self._pump()
        return self.heartbeats[-1]

    def _pump(self):
        frame = self.frame()
        for data in frame.messages:
            message = decode_message(data)
            if isinstance(message, api.MessageHeartbeat):
                self.heartbeats.append(message)
            else:
                self._waiting.append((message, frame.replayed, data))

    def order(self, contract_id=1, price=100, size=1, **fields):
        """A limit order's message, not sent yet."""
        fields = {"mid": new_mid(), "timestamp": time.time_ns()} | fields
        return api.MessageLimitOrder(contract_id=contract_id, price_in_cents=price, size=size, **fields)

    def silent(self, timeout_s=0.3):
        """Whether nothing at all comes for a while."""
        return not self.socket.poll(timeout_s * 1000)


def subscriber(exchange, keys, *topics, context):
    """A SUB socket on the venue's feed."""
    socket = secure_socket(
        sub, keys.private, keys.public, exchange.public_key, context, rtimeo=DEADLINE_S * 1000, linger=0
    )
    for topic in topics:
        socket.subscribe(topic)
    socket.connect(f"tcp://127.0.0.1:{exchange.publish_port}")
    return socket


def feed_messages(socket):
    """The topic and the messages of the feed's next frame."""
    topic, data = socket.recv_multipart()
    return topic, [decode_message(message) for message in decode_frame(data).messages]
