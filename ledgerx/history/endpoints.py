"""Endpoints of relay and notifications: default ports, and that none leaves the machine without keys."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from typing import Final

import zmq
from zmq.auth.thread import ThreadAuthenticator

from ledgerx.errors import InvalidAddress, InvalidField, PortTaken
from ledgerx.protocol.crypto import KeyPair, check_key
from ledgerx.protocol.sockets import AnyContext, AnySocket

__all__ = [
    "FRAME_BYTES_MAX",
    "NOTIFICATION_ENDPOINT",
    "RELAY_ENDPOINT",
    "allow_keys",
    "bind",
    "check_endpoint",
    "check_keys",
    "secure_client",
    "secure_server",
]

RELAY_ENDPOINT: Final = "tcp://127.0.0.1:5555"
NOTIFICATION_ENDPOINT: Final = "tcp://127.0.0.1:5557"
FRAME_BYTES_MAX: Final = 16 * 1024 * 1024
_DOMAIN: Final = "history"
_PORT_MAX: Final = 65535


def check_endpoint(endpoint: str, field: str, *, keyed: bool, keys_needed: str, binds: bool = False) -> str:
    """The endpoint, if it can be used with the keys there are.

    `binds` says that it is listened on: its port may be 0 or `*` then, for any free one.

    Raises InvalidField (a ValueError) for one that is none, and for one beyond this machine without keys.
    """
    if not isinstance(endpoint, str) or not endpoint.startswith(("tcp://", "ipc://", "inproc://")):
        text = f"{field} {endpoint!r}: give tcp://HOST:PORT"
        raise InvalidField(text, field=field, value=endpoint)
    if endpoint.startswith("tcp://"):
        host, colon, port = endpoint.removeprefix("tcp://").rpartition(":")
        if not host or not colon or not _is_port(port, binds=binds):
            first = "0 (any)" if binds else "1"
            text = f"{field} {endpoint!r}: give tcp://HOST:PORT, with a port from {first} to {_PORT_MAX}"
            raise InvalidField(text, field=field, value=endpoint)
        if not keyed and not _is_loopback(host.strip("[]")):
            raise InvalidField(
                f"{field} {endpoint!r} is not of this machine: nothing is encrypted; give {keys_needed}",
                field=field,
                value=endpoint,
            )
    return endpoint


def _is_port(text: str, *, binds: bool) -> bool:
    """Whether ZeroMQ takes it for the port that it is: of larger numbers it takes the lower 16 bits."""
    if text == "*":
        return binds
    if not (text.isascii() and text.isdecimal()) or len(text) > len(str(_PORT_MAX)):
        return False
    return text == str(int(text)) and (0 if binds else 1) <= int(text) <= _PORT_MAX


def check_keys(client_keypair: KeyPair | None, server_public_key: bytes | str | None) -> bytes | None:
    """The server's public key, None None without keys. Raises InvalidField for one without the other."""
    if client_keypair is None and server_public_key is None:
        return None
    if client_keypair is None or client_keypair.private is None or server_public_key is None:
        missing = "server_public_key" if server_public_key is None else "client_keypair"
        text = (
            f"{missing} is missing: CURVE needs client_keypair (with its private key) and server_public_key"
        )
        raise InvalidField(text, field=missing, value=None)
    return check_key(server_public_key, "server_public_key")


def secure_client(socket: AnySocket, keys: KeyPair | None, server_public_key: bytes | None) -> AnySocket:
    """Have a socket that will connect speak CURVE, where there are keys."""
    if keys is not None and keys.private is not None and server_public_key is not None:
        socket.curve_secretkey, socket.curve_publickey = keys.private, keys.public
        socket.curve_serverkey = server_public_key
    return socket


def secure_server(socket: AnySocket, keys: KeyPair | None) -> AnySocket:
    """Have a socket that will be bound speak CURVE, where there are keys."""
    socket.set(zmq.MAXMSGSIZE, FRAME_BYTES_MAX)
    if keys is not None and keys.private is not None:
        socket.curve_secretkey, socket.curve_publickey = keys.private, keys.public
        socket.curve_server = True
        socket.zap_domain = _DOMAIN.encode()
    return socket


def allow_keys(context: AnyContext, allowed: Collection[bytes] | None) -> ThreadAuthenticator:
    """Let only clients with these public keys in; None: whoever has the server's. To be stopped."""
    authenticator = ThreadAuthenticator(context)
    authenticator.start()
    authenticator.configure_curve_callback(_DOMAIN, credentials_provider=_Allowed(allowed))
    return authenticator


class _Allowed:
    def __init__(self, keys: Collection[bytes] | None) -> None:
        self._keys = None if keys is None else frozenset(check_key(key, "an allowed key") for key in keys)

    def callback(self, domain: str, key: bytes) -> bool:
        """Whether a client's public key may connect."""
        return self._keys is None or key in self._keys


def bind(socket: AnySocket, endpoint: str) -> str:
    """Bind, and return the endpoint with the port it got. Raises PortTaken, InvalidAddress."""
    if endpoint.endswith(":0"):
        endpoint = endpoint[:-1] + "*"
    try:
        socket.bind(endpoint)
    except zmq.ZMQError as error:
        if error.errno == zmq.EADDRINUSE:
            port = int(endpoint.rpartition(":")[2])
            text = f"{endpoint}: another program listens there: stop it, or choose another port"
            raise PortTaken(text, port=port) from error
        raise InvalidAddress(
            f"{endpoint}: cannot be bound: {error.strerror}: name one of this machine"
        ) from error
    found = socket.last_endpoint
    text = found.rstrip(b"\0").decode() if isinstance(found, bytes) else str(found)
    # ZeroMQ shows an IPv4 address as a mapped IPv6 one; the host is better told as it was given.
    return endpoint.rpartition(":")[0] + ":" + text.rpartition(":")[2] if endpoint.endswith("*") else endpoint


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
