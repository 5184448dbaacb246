"""The streaming API's exceptions, under the names of its manual. All are leaves of ledgerx.errors.Error."""

from __future__ import annotations

from ledgerx.errors import (
    ConnectionError,  # noqa: A004 - the manual's name
    DecodeError,
    DownloadError,
    Error,
    InvalidCallbackError,
    InvalidUrlError,
    LoginError,
    LoginTimeout,
    ParseError,
    SocketDisconnected,
)

__all__ = [
    "ConnectionError",
    "DecodeError",
    "DownloadError",
    "Error",
    "InvalidCallbackError",
    "InvalidUrlError",
    "LoginError",
    "LoginTimeout",
    "ParseError",
    "SocketDisconnected",
]
