"""Keys: the Curve25519 pair that CURVE and ZAP know a client or a venue by, and its certificate file.

Everything here speaks Z85, 40 ASCII bytes a key; raw keys of 32 bytes are accepted and converted. A
private key appears in a certificate and nowhere else: in no repr, no error and no log.
"""

from __future__ import annotations

import contextlib
import hmac
import os
import stat
import struct
import tempfile
from pathlib import Path
from typing import IO, Any, Final

from nacl.public import PrivateKey
from zmq.utils import z85

from ledgerx.errors import CertificateFileError, InvalidCertificate, InvalidKey

__all__ = ["KEY_BYTES", "KEY_CHARACTERS", "KeyPair", "check_key", "raw_key"]

KEY_BYTES: Final = 32
KEY_CHARACTERS: Final = 40

_ALPHABET: Final = frozenset(bytes(z85.Z85CHARS))
_ADVICE: Final = (
    f"give {KEY_CHARACTERS} Z85 characters or {KEY_BYTES} raw bytes; KeyPair.generate() makes a pair, "
    "pyledgerx --fetch-exchange-key HOST prints a venue's public key"
)
_CERTIFICATE_BYTES_MAX: Final = 64 * 1024
_PRIVATE: Final = "PRIVATE KEY"
_PUBLIC: Final = "PUBLIC KEY"


def check_key(value: object, what: str) -> bytes:
    """The key as 40 Z85 bytes, from Z85 (str or bytes, white space around it ignored) or 32 raw bytes.

    `what` names the key in the error. Raises InvalidKey, whose text never holds the value given.
    """
    if isinstance(value, str):
        # One byte a character, so that lengths and positions are those of the text; 255 is in no key.
        given, unit = bytes(min(ord(character), 255) for character in value.strip()), "characters"
    elif isinstance(value, bytes | bytearray | memoryview):
        given, unit = bytes(value), "bytes"
        if len(given) == KEY_BYTES:
            return bytes(z85.encode(given))
        given = given.strip()
    else:
        raise InvalidKey(f"{what}: {_kind(value)} is no key: {_ADVICE}")
    if len(given) != KEY_CHARACTERS:
        raise InvalidKey(f"{what}: {len(given)} {unit} are no key: {_ADVICE}")
    for position, character in enumerate(given):
        if character not in _ALPHABET:
            raise InvalidKey(f"{what}: character {position + 1} is not of the Z85 alphabet: {_ADVICE}")
    raw_key(given, what)
    return given


def raw_key(key: bytes, what: str = "key") -> bytes:
    """The 32 bytes of a Z85 key. Raises InvalidKey where five characters hold more than 32 bits."""
    try:
        return bytes(z85.decode(key))
    except (struct.error, KeyError, ValueError):
        # Not chained: the cause would quote characters of the key.
        raise InvalidKey(f"{what}: these characters encode no {KEY_BYTES} bytes: {_ADVICE}") from None


def _kind(value: object) -> str:
    """A value's type, as an error may show it where the value itself must not be shown."""
    return "None" if value is None else f"an object of type {type(value).__name__}"


class KeyPair:
    """An elliptic-curve key pair of ZeroMQ's CURVE, immutable (manual, "Key Pair Object").

    A private key alone brings its public key along; a public key alone makes a pair that can be
    compared and saved but not connected with. Raises InvalidKey for a key of wrong type, length or
    alphabet, for no key at all, and for a public key that belongs to another private key.
    """

    __slots__ = ("_private", "_public")

    def __init__(self, public: bytes | str | None = None, private: bytes | str | None = None) -> None:
        if public is None and private is None:
            raise InvalidKey(
                "a key pair needs a public or a private key: KeyPair.generate() makes a new pair"
            )
        self._private = None if private is None else check_key(private, "private key")
        if self._private is None:
            self._public = check_key(public, "public key")
            return
        self._public = _public_of(self._private)
        if public is not None and check_key(public, "public key") != self._public:
            raise InvalidKey(
                "public key: it does not belong to the private key (are the two swapped?): "
                "leave the public key out, it follows from the private one"
            )

    @classmethod
    def generate(cls) -> KeyPair:
        """A new random pair."""
        return cls(private=bytes(PrivateKey.generate()))

    @property
    def public(self) -> bytes:
        """The public key: 40 Z85 bytes."""
        return self._public

    @property
    def private(self) -> bytes | None:
        """The private key: 40 Z85 bytes, or None in a pair made from a public key alone."""
        return self._private

    def save_certificate(self, path_or_file: str | os.PathLike[str] | IO[Any]) -> KeyPair:
        """Write the certificate to a file, 0600 and whole or not at all, or to an open text or binary file.

        Returns the pair. Raises CertificateFileError if the file cannot be written.
        """
        text = self._certificate()
        if not isinstance(path_or_file, str | os.PathLike):
            _write_open_file(path_or_file, text)
            return self
        path = Path(path_or_file)
        try:
            _write_private_file(path, text.encode())
        except OSError as error:
            text = f"cannot write certificate {path}: {error.strerror or error}"
            if isinstance(error, FileNotFoundError | PermissionError):
                text += ": name a file in a folder that is there and can be written"
            raise CertificateFileError(text) from error
        return self

    @classmethod
    def load_certificate(cls, path_or_bytes: str | os.PathLike[str] | bytes | IO[Any]) -> KeyPair:
        """The pair in a certificate: a path, an open file, or the certificate's own text or bytes.

        Raises InvalidCertificate naming the missing or damaged block, and CertificateFileError if the
        file cannot be read.
        """
        certificate = _name_of(path_or_bytes)
        blocks = _blocks(_read_certificate(path_or_bytes), certificate)
        if not blocks:
            raise InvalidCertificate(
                f"{certificate}: no {_PUBLIC} and no {_PRIVATE} block: it needs a line "
                f"-----BEGIN {_PUBLIC}-----, the key, and a line -----END {_PUBLIC}-----"
            )
        keys: dict[str, bytes] = {}
        for name, content in blocks.items():
            try:
                keys[name] = check_key(content, "its key")
            except InvalidKey as error:
                raise InvalidCertificate(f"{certificate}: the {name} block is damaged: {error}") from error
        try:
            return cls(public=keys.get(_PUBLIC), private=keys.get(_PRIVATE))
        except InvalidKey as error:
            raise InvalidCertificate(
                f"{certificate}: the {_PUBLIC} block does not belong to the {_PRIVATE} block"
            ) from error

    def _certificate(self) -> str:
        blocks = [] if self._private is None else [(_PRIVATE, self._private)]
        blocks.append((_PUBLIC, self._public))
        return "".join(
            f"-----BEGIN {name}-----\n{key.decode()}\n-----END {name}-----\n" for name, key in blocks
        )

    def __eq__(self, other: object) -> bool:
        """Equal to a pair of the same two keys, and to either key by itself, Z85 or raw."""
        if isinstance(other, KeyPair):
            if other._public != self._public or (other._private is None) != (self._private is None):
                return False
            return hmac.compare_digest(self._private or b"", other._private or b"")
        if isinstance(other, bytes | bytearray | memoryview | str):
            return other in self
        return NotImplemented

    def __contains__(self, key: object) -> bool:
        """Whether `key`, Z85 or raw, is one of the two."""
        try:
            given = check_key(key, "key")
        except InvalidKey:
            return False
        return hmac.compare_digest(given, self._public) or (
            self._private is not None and hmac.compare_digest(given, self._private)
        )

    def __hash__(self) -> int:
        # The public key's own hash, so that a dict keyed by pairs is found by public key too.
        return hash(self._public)

    def __repr__(self) -> str:
        private = "None" if self._private is None else "<hidden>"
        return f"KeyPair(public={self._public!r}, private={private})"


def _public_of(private: bytes) -> bytes:
    return bytes(z85.encode(bytes(PrivateKey(raw_key(private, "private key")).public_key)))


def _write_open_file(file: IO[Any], text: str) -> None:
    try:
        try:
            file.write(text)
        except TypeError:  # a binary file
            file.write(text.encode())
    except OSError as error:
        raise CertificateFileError(f"cannot write the certificate: {error}") from error


def _write_private_file(path: Path, data: bytes) -> None:
    """Write through a file that never had other rights than 0600, then rename it into place."""
    if path.exists() and not stat.S_ISREG(path.stat().st_mode):
        path.write_bytes(data)  # /dev/stdout and the like cannot be renamed over
        return
    path = path.resolve()
    descriptor, scratch = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(scratch).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(scratch).unlink()
        raise


def _name_of(source: object) -> str:
    """What errors call a certificate: its file where it has one."""
    is_path = isinstance(source, os.PathLike) or (isinstance(source, str) and "-----BEGIN " not in source)
    return f"certificate {os.fspath(source)}" if is_path else "certificate"  # type: ignore[call-overload]


def _read_certificate(source: str | os.PathLike[str] | bytes | IO[Any]) -> str:
    data: str | bytes
    if isinstance(source, bytes | bytearray | memoryview):
        data = bytes(source)
    elif isinstance(source, str) and "-----BEGIN " in source:
        data = source
    elif isinstance(source, str | os.PathLike):
        try:
            with Path(source).open("rb") as file:
                data = file.read(_CERTIFICATE_BYTES_MAX + 1)
        except (OSError, ValueError) as error:
            raise CertificateFileError(f"cannot read certificate {os.fspath(source)!r}: {error}") from error
    elif hasattr(source, "read"):
        data = source.read(_CERTIFICATE_BYTES_MAX + 1)
    else:
        raise InvalidCertificate(f"certificate: {_kind(source)} is neither a path nor a certificate")
    if len(data) > _CERTIFICATE_BYTES_MAX:
        raise InvalidCertificate(
            f"{_name_of(source)}: above {_CERTIFICATE_BYTES_MAX} bytes, so not a certificate"
        )
    return data if isinstance(data, str) else data.decode("ascii", errors="replace")


def _blocks(text: str, certificate: str) -> dict[str, str]:
    """The content of each block by name; lines outside the blocks are ignored, as in PEM files."""
    blocks: dict[str, str] = {}
    lines = iter(text.splitlines())
    for line in lines:
        for name in (_PRIVATE, _PUBLIC):
            if line.strip() != f"-----BEGIN {name}-----":
                continue
            if name in blocks:
                raise InvalidCertificate(f"{certificate}: it has two {name} blocks")
            blocks[name] = _content(lines, name, certificate)
    return blocks


def _content(lines: Any, name: str, certificate: str) -> str:
    content: list[str] = []
    for line in lines:
        text = line.strip()
        if text == f"-----END {name}-----":
            return "".join(content)
        if text.startswith(("-----BEGIN ", "-----END ")):
            break
        content.append(text)
    raise InvalidCertificate(
        f"{certificate}: the {name} block is damaged: it has no -----END {name}----- line"
    )
