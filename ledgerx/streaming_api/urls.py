"""Fetching a URL that a frame refers to, with the streaming manual's errors."""

from __future__ import annotations

import http.client
import threading
import urllib.error
import urllib.parse
import urllib.request
from typing import Final

from ledgerx.errors import DownloadError, Error, InvalidField, InvalidUrlError

__all__ = ["fetch_url"]

_TIMEOUT_S: Final = 30.0
_BYTES_MAX: Final = 64 * 1024 * 1024
_CHUNK_BYTES: Final = 65_536
_OK: Final = 200


def fetch_url(url: str, *, timeout_s: float = _TIMEOUT_S, bytes_max: int = _BYTES_MAX) -> bytes:
    """What is at an http or https address, all of it within `timeout_s` seconds.

    Raises InvalidUrlError for what is no such address, before anything is asked; DownloadError where the
    network fails, the status is not 200, the body ends before its Content-Length, more than `bytes_max` bytes
    come, or not all in time; InvalidField for a timeout that is not above 0.
    """
    _check(url)
    if not isinstance(timeout_s, int | float) or not 0 < timeout_s <= threading.TIMEOUT_MAX:
        message = f"timeout_s is {timeout_s!r}: give seconds above 0"
        raise InvalidField(message, field="timeout_s", value=timeout_s)
    # A thread fetches: neither names, nor redirects, nor a server that sends a byte now and then can be
    # bounded from within. Where it is given up it ends with its next wait for the network.
    fetching = _Fetching(url, timeout_s, bytes_max)
    thread = threading.Thread(target=fetching.run, name="ledgerx-fetch", daemon=True)
    thread.start()
    thread.join(timeout_s)
    fetching.given_up = True
    if isinstance(fetching.outcome, BaseException):
        raise fetching.outcome
    if fetching.outcome is None:
        raise fetching.late()
    return fetching.outcome


class _Fetching:
    """One fetch, and what came of it."""

    def __init__(self, url: str, timeout_s: float, bytes_max: int) -> None:
        self.outcome: bytes | BaseException | None = None
        self.given_up = False
        self._url = url
        self._timeout_s = timeout_s
        self._bytes_max = bytes_max

    def run(self) -> None:
        """Fetch; never raises."""
        try:
            self.outcome = self._fetch()
        except BaseException as error:  # raised where the fetch was asked for
            self.outcome = error

    def late(self) -> DownloadError:
        """What to raise where it took too long."""
        return DownloadError(f"{self._url} was not fetched in timeout_s, {self._timeout_s} s")

    def _fetch(self) -> bytes:
        url = self._url
        request = urllib.request.Request(url, headers={"User-Agent": "ledgerx"})  # noqa: S310 - checked
        try:
            with urllib.request.urlopen(request, timeout=self._timeout_s) as answer:  # noqa: S310 - checked
                status, data = answer.status, self._body(answer)
        except urllib.error.HTTPError as error:
            error.close()
            raise DownloadError(f"{url} answered {error.code} {error.reason}") from error
        except Error:
            raise
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise DownloadError(f"{url} could not be fetched: {error}") from error
        if status != _OK:
            raise DownloadError(f"{url} answered {status}, not {_OK}")
        if len(data) > self._bytes_max:
            raise DownloadError(f"{url} has more than bytes_max, {self._bytes_max} bytes")
        return data

    def _body(self, answer: http.client.HTTPResponse) -> bytes:
        data = bytearray()
        while len(data) <= self._bytes_max:
            chunk = answer.read1(_CHUNK_BYTES)
            if self.given_up:
                raise self.late()
            if not chunk:
                # A read that is told how much it may take does not say so where the body is cut.
                if answer.length:
                    wanted = len(data) + answer.length
                    raise DownloadError(f"{self._url} ended after {len(data)} of {wanted} bytes")
                break
            data += chunk
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
