"""Opens the venue's sockets: three ports side by side, CURVE with ZAP on two of them, and the control socket.

HTTP is on P-1, requests (CRN) on P, publications (CPN) on P+1, because a client that is given one address
finds the others by that rule (ledgerx/protocol/ports.py).
"""

from __future__ import annotations

import contextlib
import errno
import socket
from collections.abc import Iterable
from dataclasses import dataclass

import zmq
from zmq.auth.thread import ThreadAuthenticator

from ledgerx.clock import Clock
from ledgerx.errors import InvalidAddress, PortTaken
from ledgerx.exchange.feed import TOPIC_BYTES_MAX
from ledgerx.exchange.gateway_settings import GatewaySettings
from ledgerx.exchange.keys import CONTROL_DOMAIN, TRADING_DOMAIN, AccountKeys
from ledgerx.protocol.crypto import KeyPair
from ledgerx.protocol.sockets import AnyContext, AnySocket, rep, router, secure_socket, xpub
from ledgerx.protocol.wire import FRAME_BYTES_MAX

__all__ = ["Listeners", "any_port", "candidate_ports", "listen_tcp", "open_listeners"]

# Below the range from which systems take the ports of outgoing connections, so that a venue that starts
# again finds its ports free.
_FIRST_PORT, _LAST_PORT = 20_000, 32_000
_SEARCHES_MAX = 200
_LINGER_MS = 200
_BACKLOG = 1024
# CURVE's MESSAGE command around a frame: its name (8), nonce (8), authenticator (16) and flags (1).
# MAXMSGSIZE judges what came on the wire.
_CURVE_BYTES = 33


@dataclass(frozen=True, slots=True)
class Listeners:
    """The open sockets, and what they need. `http` is a listening TCP socket, None where it is not wanted."""

    context: AnyContext
    authenticator: ThreadAuthenticator
    keys: AccountKeys
    requests: AnySocket
    publications: AnySocket
    control: AnySocket
    http: socket.socket | None
    request_port: int
    publish_port: int
    http_port: int | None
    control_port: int

    def close(self, *, linger_ms: int = _LINGER_MS) -> None:
        """Close everything; what was sent has `linger_ms` to leave. The HTTP socket is its server's."""
        for opened in (self.requests, self.publications, self.control):
            opened.close(linger=linger_ms)
        self.authenticator.stop()
        self.context.term()
        if self.http is not None:
            self.http.close()


def candidate_ports(port: int, previous: int | None, clock: Clock) -> Iterable[int]:
    """The request ports to try: the one asked for, the one used before, or any.

    Raises InvalidAddress for a port without neighbours.
    """
    if port:
        if not 2 <= port <= 65534:
            raise InvalidAddress(
                f"port {port} and its two neighbours are not all from 1 to 65535: choose 2 to 65534, or 0"
            )
        return [port]
    if previous is not None:
        return [previous]
    return (any_port(clock) for _ in range(_SEARCHES_MAX))


def any_port(clock: Clock) -> int:
    """A port that may be free."""
    return _FIRST_PORT + int(clock.random() * (_LAST_PORT - _FIRST_PORT))


def open_listeners(
    host: str, ports: Iterable[int], key_pair: KeyPair, settings: GatewaySettings, *, http: bool
) -> Listeners:
    """Listen on `host` at the first request port of `ports` whose neighbours are free too.

    Raises PortTaken, which names the last port that was not free, and InvalidAddress for a host that is
    none of this machine's.
    """
    address = _numeric(host)
    context: AnyContext = zmq.Context()
    keys = AccountKeys()
    authenticator = ThreadAuthenticator(context)
    authenticator.start()
    authenticator.configure_curve_callback(TRADING_DOMAIN, keys)
    authenticator.configure_curve_callback(CONTROL_DOMAIN, AccountKeys([key_pair.public.decode("ascii")]))
    with contextlib.ExitStack() as undo:
        undo.callback(context.term)
        undo.callback(authenticator.stop)
        requests, publications, control = _sockets(context, key_pair, settings)
        for opened in (requests, publications, control):
            undo.callback(opened.close, linger=0)
        port, listening = _bind(address, ports, requests, publications, http=http)
        if listening is not None:
            undo.callback(listening.close)
        control_port = control.bind_to_random_port("tcp://127.0.0.1")
        undo.pop_all()
    return Listeners(
        context=context,
        authenticator=authenticator,
        keys=keys,
        requests=requests,
        publications=publications,
        control=control,
        http=listening,
        request_port=port,
        publish_port=port + 1,
        http_port=port - 1 if http else None,
        control_port=control_port,
    )


def _sockets(
    context: AnyContext, key_pair: KeyPair, settings: GatewaySettings
) -> tuple[AnySocket, AnySocket, AnySocket]:
    """The ROUTER, the XPUB and the control REP, not bound yet."""
    private, public = key_pair.private or b"", key_pair.public
    marks = {"send_hwm": settings.send_frames_max, "recv_hwm": settings.receive_frames_max}
    requests = secure_socket(router, private, public, None, context, **marks)
    requests.set(zmq.ROUTER_MANDATORY, 1)
    requests.set(zmq.MAXMSGSIZE, FRAME_BYTES_MAX + _CURVE_BYTES)
    marks["send_hwm"] = settings.publish_frames_max
    publications = secure_socket(xpub, private, public, None, context, **marks)
    publications.set(zmq.XPUB_VERBOSE, 1)
    publications.set(zmq.MAXMSGSIZE, TOPIC_BYTES_MAX)
    control = secure_socket(rep, private, public, None, context)
    for opened, domain in (
        (requests, TRADING_DOMAIN),
        (publications, TRADING_DOMAIN),
        (control, CONTROL_DOMAIN),
    ):
        opened.set(zmq.ZAP_DOMAIN, domain.encode())
        opened.set(zmq.ZAP_ENFORCE_DOMAIN, 1)
    return requests, publications, control


def _bind(
    address: str, ports: Iterable[int], requests: AnySocket, publications: AnySocket, *, http: bool
) -> tuple[int, socket.socket | None]:
    """Bind all three at the first port that allows it; the port and the HTTP socket."""
    taken: PortTaken | None = None
    for port in ports:
        with contextlib.ExitStack() as undo:
            try:
                listening = _listen(address, port - 1) if http else None
                if listening is not None:
                    undo.callback(listening.close)
                undo.callback(requests.unbind, _bind_one(requests, address, port))
                _bind_one(publications, address, port + 1)
            except PortTaken as error:
                taken = error
                continue
            undo.pop_all()
            return port, listening
    assert taken is not None
    raise taken


def _bind_one(opened: AnySocket, address: str, port: int) -> str:
    endpoint = f"tcp://[{address}]:{port}" if ":" in address else f"tcp://{address}:{port}"
    try:
        opened.bind(endpoint)
    except zmq.ZMQError as error:
        raise _port_error(error.errno, address, port) from error
    return endpoint


def listen_tcp(host: str, port: int) -> socket.socket:
    """A socket that listens on `host`; port 0 takes a free one. Raises PortTaken, InvalidAddress."""
    return _listen(_numeric(host), port)


def _listen(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((address, port))
        listening.listen(_BACKLOG)
    except OSError as error:
        listening.close()
        raise _port_error(error.errno, address, port) from error
    return listening


def _port_error(number: int | None, address: str, port: int) -> PortTaken | InvalidAddress:
    if number == errno.EADDRINUSE:
        return PortTaken(
            f"port {port} on {address} is taken: stop what listens there, or choose other ports with --port",
            port=port,
        )
    if number == errno.EACCES:
        return PortTaken(
            f"port {port} may not be used by this user: choose one above 1024 with --port", port=port
        )
    return InvalidAddress(
        f"cannot listen on host {address}, port {port}: is it an address of this machine? (--host)"
    )


def _numeric(host: str) -> str:
    """The host as a numeric address, as ZeroMQ binds it. Raises InvalidAddress."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError as error:
        raise InvalidAddress(
            f"host {host!r} is not known ({error.strerror}): give an address of this machine, as 127.0.0.1"
        ) from error
    return str(min(found, key=lambda entry: entry[0] != socket.AF_INET)[4][0])
