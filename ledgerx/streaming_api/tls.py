"""A TLS context of a client: certificate and host name verified, TLS 1.2 or later unless told otherwise."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Any

from ledgerx.errors import ConnectionError as ConnectionLost
from ledgerx.errors import InvalidField

__all__ = ["client_context"]

_KEYS = (
    "ca_certs",
    "certfile",
    "cert_reqs",
    "check_hostname",
    "ciphers",
    "keyfile",
    "password",
    "server_hostname",
)


def client_context(ssl_kwargs: Mapping[str, Any]) -> ssl.SSLContext:
    """The context that `ssl_kwargs` describe, with the keys of the ssl module's wrap_socket.

    `ca_certs` alone is then trusted. `cert_reqs=ssl.CERT_NONE` verifies nothing: for a test on loopback.
    Raises InvalidField for a key that is not known, ConnectionError for a file that cannot be read.
    """
    for key in ssl_kwargs:
        if key not in _KEYS:
            known = ", ".join(_KEYS)
            raise InvalidField(f"ssl_kwargs has no {key!r}: give {known}", field="ssl_kwargs", value=key)
    try:
        context = ssl.create_default_context(cafile=ssl_kwargs.get("ca_certs"))
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if ssl_kwargs.get("certfile"):
            files = ssl_kwargs["certfile"], ssl_kwargs.get("keyfile"), ssl_kwargs.get("password")
            context.load_cert_chain(*files)
        if ssl_kwargs.get("ciphers"):
            context.set_ciphers(ssl_kwargs["ciphers"])
    except (OSError, ValueError) as error:
        raise ConnectionLost(f"TLS cannot be set up with ssl_kwargs: {error}") from error
    required = ssl_kwargs.get("cert_reqs", ssl.CERT_REQUIRED)
    context.check_hostname = bool(ssl_kwargs.get("check_hostname", required == ssl.CERT_REQUIRED))
    context.verify_mode = ssl.VerifyMode(required)
    return context
