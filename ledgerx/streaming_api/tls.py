"""A TLS context of a client: certificate and host name verified, TLS 1.2 or later unless told otherwise."""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Mapping
from typing import Any

from ledgerx.errors import ConnectionError as ConnectionLost
from ledgerx.errors import InvalidField

__all__ = ["ClientSocket", "check_ssl_kwargs", "client_context"]

_FILE = (str, bytes, os.PathLike)
_TYPES: dict[str, tuple[str, tuple[type, ...]]] = {
    "ca_certs": ("the name of a file", _FILE),
    "certfile": ("the name of a file", _FILE),
    "cert_reqs": ("ssl.CERT_REQUIRED, ssl.CERT_OPTIONAL or ssl.CERT_NONE", (int,)),
    "check_hostname": ("True or False", (bool, int)),
    "ciphers": ("a text in OpenSSL's form", (str,)),
    "keyfile": ("the name of a file", _FILE),
    "password": ("a text, bytes or a callable", (str, bytes, bytearray)),
    "server_hostname": ("the name that the certificate must have", (str,)),
}


class ClientSocket(ssl.SSLSocket):
    """A TLS socket that stays one when it is shut down.

    SSLSocket drops its TLS first: a thread that sends at that moment would send in clear, and one that reads
    would take records for what they carry.
    """

    def shutdown(self, how: int) -> None:
        """End the TCP connection, so that threads that wait for it wake. Raises OSError without one."""
        socket.socket.shutdown(self, how)


def check_ssl_kwargs(ssl_kwargs: Mapping[str, Any]) -> None:
    """Look at the values of the keys that are known, without a file being opened.

    Raises InvalidField for one of a wrong type, and for `check_hostname` where nothing is verified.
    """
    if not isinstance(ssl_kwargs, Mapping):
        message = f"ssl_kwargs is {type(ssl_kwargs).__name__}: give a dict such as {{'ca_certs': FILE}}"
        raise InvalidField(message, field="ssl_kwargs", value=ssl_kwargs)
    for key, (wanted, types) in _TYPES.items():
        value = ssl_kwargs.get(key)
        if value is None or isinstance(value, types) or (key == "password" and callable(value)):
            continue
        shown = type(value).__name__ if key == "password" else repr(value)  # a password is shown nowhere
        raise InvalidField(
            f"ssl_kwargs[{key!r}] is {shown}: give {wanted}",
            field=f"ssl_kwargs[{key!r}]",
            value=None if key == "password" else value,
        )
    required = _required(ssl_kwargs)
    if required not in list(ssl.VerifyMode):
        message = f"ssl_kwargs['cert_reqs'] is {required!r}: give {_TYPES['cert_reqs'][0]}"
        raise InvalidField(message, field="ssl_kwargs['cert_reqs']", value=required)
    if required == ssl.CERT_NONE and ssl_kwargs.get("check_hostname"):
        message = (
            "ssl_kwargs['check_hostname'] is True with CERT_NONE: a name is only verified in a certificate"
        )
        raise InvalidField(message, field="ssl_kwargs['check_hostname']", value=True)


def client_context(ssl_kwargs: Mapping[str, Any]) -> ssl.SSLContext:
    """The context that `ssl_kwargs` describe, with the keys of the ssl module's wrap_socket.

    `ca_certs` alone is then trusted. `cert_reqs=ssl.CERT_NONE` verifies nothing: for a test on loopback. A
    client verifies what certificate it is given, so that CERT_OPTIONAL verifies as much as CERT_REQUIRED.
    Raises InvalidField for a key that is not known or a value of a wrong type, ConnectionError for a file
    that cannot be read and for what OpenSSL refuses.
    """
    check_ssl_kwargs(ssl_kwargs)
    for key in ssl_kwargs:
        if key not in _TYPES:
            known = ", ".join(_TYPES)
            raise InvalidField(f"ssl_kwargs has no {key!r}: give {known}", field="ssl_kwargs", value=key)
    try:
        context = ssl.create_default_context(cafile=ssl_kwargs.get("ca_certs"))
        context.sslsocket_class = ClientSocket
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if ssl_kwargs.get("certfile"):
            files = ssl_kwargs["certfile"], ssl_kwargs.get("keyfile"), ssl_kwargs.get("password")
            context.load_cert_chain(*files)
        if ssl_kwargs.get("ciphers"):
            context.set_ciphers(ssl_kwargs["ciphers"])
    except (OSError, ValueError, TypeError) as error:
        raise ConnectionLost(f"TLS cannot be set up with ssl_kwargs: {error}") from error
    required = _required(ssl_kwargs)
    checked = ssl_kwargs.get("check_hostname")
    context.check_hostname = required != ssl.CERT_NONE if checked is None else bool(checked)
    context.verify_mode = ssl.VerifyMode(required)
    return context


def _required(ssl_kwargs: Mapping[str, Any]) -> int:
    required = ssl_kwargs.get("cert_reqs")
    return ssl.CERT_REQUIRED if required is None else required
