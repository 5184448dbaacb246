"""Fetching a URL that a frame refers to, with the streaming manual's errors."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.parse
import urllib.request
from typing import Final

from ledgerx.errors import DownloadError, InvalidUrlError

__all__ = ["fetch_url"]

_TIMEOUT_S: Final = 30.0
_BYTES_MAX: Final = 64 * 1024 * 1024
_OK: Final = 200


def fetch_url(url: str, *, timeout_s: float = _TIMEOUT_S, bytes_max: int = _BYTES_MAX) -> bytes:
    """What is at an http or https address.

    Raises InvalidUrlError for what is no such address, before anything is asked; DownloadError where the
    network fails, the status is not 200, or more than `bytes_max` come.
    """
    _check(url)
    request = urllib.request.Request(url, headers={"User-Agent": "ledgerx"})  # noqa: S310 - checked
    try:
        with urllib.request.urlopen(request, timeout=timeout_s) as answer:  # noqa: S310 - checked
            status, data = answer.status, answer.read(bytes_max + 1)
    except urllib.error.HTTPError as error:
        error.close()
        raise DownloadError(f"{url} answered {error.code} {error.reason}") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise DownloadError(f"{url} could not be fetched: {error}") from error
    if status != _OK:
        raise DownloadError(f"{url} answered {status}, not {_OK}")
    if len(data) > bytes_max:
        raise DownloadError(f"{url} has more than bytes_max, {bytes_max} bytes")
    return bytes(data)


def _check(url: str) -> None:
    text = f"{url!r} is no URL: give http://HOST/... or https://HOST/..."
    if not isinstance(url, str) or not url.isascii() or not url.isprintable() or " " in url:
        raise InvalidUrlError(text)
    try:
        parts = urllib.parse.urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise InvalidUrlError(f"{text} ({error})") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise InvalidUrlError(text)
