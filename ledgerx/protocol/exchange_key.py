"""Public keys from elsewhere: a venue's over its HTTP front, a trader's from text or a certificate file.

The venue's key is taken on trust here; what checks it (a signature, a pin) belongs in `parse_exchange_key`.
"""

from __future__ import annotations

import http.client
import io
import json
import socket
from pathlib import Path
from typing import Any, Final

from ledgerx.clock import SYSTEM_CLOCK
from ledgerx.errors import ConnectTimeout, InvalidKey, UnexpectedAnswer, VenueUnreachable
from ledgerx.protocol.crypto import KeyPair, check_key
from ledgerx.protocol.ports import HTTP_PORT, parse_host_port

__all__ = ["fetch_exchange_key", "parse_exchange_key", "read_public_key"]

FETCH_TIMEOUT_S: Final = 5.0
ANSWER_BYTES_MAX: Final = 64 * 1024

_GREETING_TIMEOUT_S: Final = 1.0
_ZMTP_SIGNATURE: Final = b"\xff"  # how a ZeroMQ socket greets; no HTTP answer begins so


def fetch_exchange_key(address: str, timeout_s: float = FETCH_TIMEOUT_S) -> bytes:
    """The public key, 40 Z85 bytes, of the venue whose HTTP front is at `HOST` or `HOST:PORT`.

    Raises InvalidAddress, VenueUnreachable (no such host, refused), ConnectTimeout (`timeout_s` for all of
    it), UnexpectedAnswer (a ZeroMQ port, an HTTP error, no key).
    """
    host, given = parse_host_port(address)
    port = HTTP_PORT if given is None else given
    try:
        raw = _get(host, port, timeout_s) or _greeting(host, port, timeout_s)
    except TimeoutError as error:
        raise ConnectTimeout(f"{host}, port {port}, did not answer in {timeout_s:g} s") from error
    except socket.gaierror as error:
        raise VenueUnreachable(f"host {host!r} is not known: {error.strerror}") from error
    except OSError as error:
        raise VenueUnreachable(
            f"{host}, port {port}, accepts no connection ({error.strerror or error}): does the venue run, and"
            " is this its HTTP port?"
        ) from error
    if raw.startswith(_ZMTP_SIGNATURE):
        raise UnexpectedAnswer(
            f"port {port} of {host} is one of the venue's trading ports, not its HTTP port: if it is the"
            f" request port (CRN), use {host}:{port - 1}; if it is the publish port (CPN), {host}:{port - 2}"
        )
    return parse_exchange_key(_body(raw, f"{host}, port {port},"), f"{host}, port {port}")


def parse_exchange_key(body: bytes, where: str = "the peer") -> bytes:
    """The key in the JSON object that a venue's `/key` answers. Raises UnexpectedAnswer naming `where`."""
    try:
        return check_key(json.loads(body)["public_key"], "the venue's public key")
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise UnexpectedAnswer(
            f"the answer of {where} holds no public key ({type(error).__name__}): is this its HTTP port?"
        ) from error


def read_public_key(text: str) -> bytes:
    """A public key, 40 Z85 bytes, from itself or from the path of a certificate that holds it.

    Raises InvalidKey, InvalidCertificate, CertificateFileError.
    """
    try:
        return check_key(text, "public key")
    except InvalidKey:
        if not Path(text).is_file():
            raise
        return KeyPair.load_certificate(Path(text)).public


def _get(host: str, port: int, timeout_s: float) -> bytes:
    """Everything the peer sends in answer to GET /key, or its first bytes if it speaks ZMTP.

    Empty where it hung up.
    """
    deadline = SYSTEM_CLOCK.monotonic() + timeout_s
    request = f"GET /key HTTP/1.0\r\nHost: {host}:{port}\r\nAccept: application/json\r\n\r\n"
    answer = b""
    with socket.create_connection((host, port), timeout_s) as connection:
        try:
            connection.sendall(request.encode())
            while len(answer) < ANSWER_BYTES_MAX and not answer.startswith(_ZMTP_SIGNATURE):
                connection.settimeout(max(deadline - SYSTEM_CLOCK.monotonic(), 0.001))
                part = connection.recv(ANSWER_BYTES_MAX)
                if not part:
                    break
                answer += part
        except (ConnectionResetError, BrokenPipeError):
            pass
    return answer


def _greeting(host: str, port: int, timeout_s: float) -> bytes:
    """What a peer says before it is asked: a ZeroMQ socket greets, an HTTP server waits.

    For a peer that hung up on an HTTP request: a ZeroMQ socket does, and its greeting may be lost then.
    """
    with socket.create_connection((host, port), timeout_s) as connection:
        connection.settimeout(min(timeout_s, _GREETING_TIMEOUT_S))
        try:
            return connection.recv(1)
        except (TimeoutError, ConnectionResetError):
            return b""


class _Received:
    """Received bytes where http.client wants a socket."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, *_args: Any, **_options: Any) -> io.BytesIO:
        return io.BytesIO(self._data)


def _body(raw: bytes, who: str) -> bytes:
    """The body of an HTTP answer of status 200. Raises UnexpectedAnswer."""
    response = http.client.HTTPResponse(_Received(raw))  # type: ignore[arg-type]
    try:
        response.begin()
        body = response.read()
    except (http.client.HTTPException, OSError) as error:
        raise UnexpectedAnswer(
            f"{who} gives no HTTP answer ({type(error).__name__}): is this a venue's HTTP port?"
        ) from error
    if response.status != http.client.OK:
        raise UnexpectedAnswer(
            f"{who} answers HTTP {response.status} {response.reason}: is this a venue's HTTP port?"
        )
    return body
