"""The venue's TLS certificate: one that it is given, or its own, made in the data folder at first.

Its own is self-signed: clients name D/streaming.crt as the authority they trust.
"""

from __future__ import annotations

import datetime
import ipaddress
import socket
import ssl
from pathlib import Path
from typing import Any, Final

from ledgerx.clock import Clock
from ledgerx.errors import CertificateFileError, MissingExtra

__all__ = ["certificate_path", "server_context"]

_LIFETIME: Final = datetime.timedelta(days=3650)


def certificate_path(folder: Path) -> Path:
    """The venue's own certificate."""
    return folder / "streaming.crt"


def server_context(
    folder: Path, host: str, clock: Clock, *, certificate: Path | None = None, key: Path | None = None
) -> ssl.SSLContext:
    """The TLS settings of the streaming front. Makes the venue's own certificate where none is given.

    Raises CertificateFileError for files that cannot be used, MissingExtra where one must be made without
    the package for it.
    """
    if certificate is None:
        certificate, key = certificate_path(folder), folder / "streaming.key"
        if not certificate.exists() or not key.exists():
            _make(certificate, key, host, clock)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.num_tickets = 0  # nobody resumes a TLS session here, and each costs a frame at the start
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        what = certificate if key is None else f"{certificate} with {key}"
        raise CertificateFileError(
            f"no TLS certificate in {what}: {error}: give PEM files that belong together"
        ) from error
    return context


def _make(certificate: Path, key_file: Path, host: str, clock: Clock) -> None:
    try:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.x509.oid import NameOID
    except ImportError as error:
        raise MissingExtra("exchange", "a TLS certificate for the streaming port") from error
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ledgerx reference exchange")])
    begins = datetime.datetime.fromtimestamp(clock.wall_ns() // 1_000_000_000, datetime.UTC)
    begins -= datetime.timedelta(days=1)  # the client's clock may be behind
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + _LIFETIME)
        .add_extension(x509.SubjectAlternativeName(_names(x509, host)), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    try:
        _write(key_file, secret, 0o600)
        _write(certificate, made.public_bytes(serialization.Encoding.PEM), 0o644)
    except OSError as error:
        raise CertificateFileError(f"cannot write {certificate} and its key: {error}") from error


def _names(x509: Any, host: str) -> list[Any]:
    """What the certificate is good for: this machine, by its names and addresses."""
    texts = dict.fromkeys(("localhost", "127.0.0.1", "::1", host, socket.gethostname()))
    names: list[Any] = []
    for text in texts:
        try:
            names.append(x509.IPAddress(ipaddress.ip_address(text)))
        except ValueError:
            if text.isascii() and text:
                names.append(x509.DNSName(text))
    return names


def _write(path: Path, data: bytes, mode: int) -> None:
    scratch = path.with_name(path.name + ".new")
    scratch.unlink(missing_ok=True)
    scratch.touch(mode, exist_ok=False)
    scratch.write_bytes(data)
    scratch.replace(path)
