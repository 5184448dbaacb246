"""Passwords and tokens of the streaming front: D/credentials.sqlite, for its owner alone to read.

Not in the journal: who may log in changes nothing of what the venue does, and a password's hash should not
be kept for ever. A password is stored as argon2id, a token (256 random bits) as BLAKE2b. They belong to an
account, not to a name, so that a later account of the same name does not inherit them.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ledgerx.errors import AccountError, DataFolderUnusable, InvalidField
from ledgerx.exchange.accounts import AccountRow, list_accounts
from ledgerx.exchange.folder import accounts_path

__all__ = ["Credentials", "set_password", "set_token"]

_BUSY_TIMEOUT_S: Final = 5.0
_PASSWORD_BYTES_MAX: Final = 1024
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS credentials (
    cid INTEGER PRIMARY KEY, name TEXT NOT NULL, password BLOB, token BLOB UNIQUE
)
"""


class Credentials:
    """What proves that one is an account's. Any thread; a database connection a call."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "credentials.sqlite"

    def set_password(self, account: AccountRow, password: str) -> None:
        """Give an account a password in place of the one it has. Raises InvalidField."""
        from nacl import pwhash

        data = password.encode()
        if not 1 <= len(data) <= _PASSWORD_BYTES_MAX:
            text = f"a password of {len(data)} bytes: give one of 1 to {_PASSWORD_BYTES_MAX}"
            raise InvalidField(text, field="password", value="...")
        self._set(account, "password", pwhash.argon2id.str(data))

    def set_token(self, account: AccountRow) -> str:
        """Give an account a new token in place of the one it has. It is not kept: this is the only time."""
        from nacl.encoding import URLSafeBase64Encoder
        from nacl.utils import random

        token = URLSafeBase64Encoder.encode(random(32)).decode("ascii").rstrip("=")
        self._set(account, "token", _digest(token.encode()))
        return token

    def by_password(self, name: str, password: str) -> int | None:
        """The account (cid) that has this name and this password. Takes as long where there is none."""
        from nacl import exceptions, pwhash

        rows = self._select("SELECT cid, password FROM credentials WHERE name = ? ORDER BY cid DESC", name)
        cid, stored = next(((cid, data) for cid, data in rows if data), (None, None))
        if stored is None:
            pwhash.argon2id.str(b"nobody's")
            return None
        try:
            pwhash.verify(stored, password.encode()[: _PASSWORD_BYTES_MAX + 1])
        except (exceptions.CryptoError, ValueError):
            return None
        return cid

    def by_token(self, token: bytes) -> int | None:
        """The account (cid) that has this token."""
        rows = self._select("SELECT cid, token FROM credentials WHERE token = ?", _digest(token))
        return rows[0][0] if rows else None

    def _set(self, account: AccountRow, column: str, value: bytes) -> None:
        with self._database() as database, database:
            database.execute(_SCHEMA)
            self._path.chmod(0o600)
            database.execute(
                f"INSERT INTO credentials (cid, name, {column}) VALUES (?, ?, ?)"  # noqa: S608 - our own name
                f" ON CONFLICT (cid) DO UPDATE SET name = excluded.name, {column} = excluded.{column}",
                (account.cid, account.name, value),
            )

    def _select(self, query: str, value: str | bytes) -> list[tuple[int, bytes]]:
        if not self._path.exists():
            return []
        with self._database() as database:
            return database.execute(query, (value,)).fetchall()

    @contextlib.contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        try:
            with contextlib.closing(sqlite3.connect(self._path, timeout=_BUSY_TIMEOUT_S)) as database:
                yield database
        except sqlite3.Error as error:
            raise DataFolderUnusable(f"{self._path} cannot be used: {error}") from error


def set_password(folder: str | Path, name: str, password: str) -> AccountRow:
    """Give an active account a password, whether a venue runs or not.

    Raises AccountError for a name that no account has, InvalidField for the password, DataFolderUnusable.
    """
    account = _active(Path(folder), name)
    Credentials(Path(folder)).set_password(account, password)
    return account


def set_token(folder: str | Path, name: str) -> str:
    """A new token for an active account; the one before ends. Raises AccountError, DataFolderUnusable."""
    return Credentials(Path(folder)).set_token(_active(Path(folder), name))


def _active(folder: Path, name: str) -> AccountRow:
    for row in list_accounts(accounts_path(folder)):
        if row.active and row.name == name:
            return row
    raise AccountError(f"no active account is named {name!r}: pyledgerx account add makes one")


def _digest(token: bytes) -> bytes:
    from nacl.encoding import RawEncoder
    from nacl.hash import blake2b

    return bytes(blake2b(token, digest_size=32, person=b"ledgerx token", encoder=RawEncoder))
