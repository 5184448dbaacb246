"""Fetching a URL that a frame refers to: its bytes, or the manual's error."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from ledgerx.streaming_api.exceptions import DownloadError, Error, InvalidUrlError
from ledgerx.streaming_api.urls import fetch_url


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        found = self.path == "/events"
        self.send_response(200 if found else 204 if self.path == "/nothing" else 404)
        self.end_headers()
        if found:
            self.wfile.write(b"events")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{http.server_port}"
        http.shutdown()
        thread.join()


def test_what_is_there_is_fetched(server: str) -> None:
    assert fetch_url(f"{server}/events") == b"events"


@pytest.mark.parametrize("path", ["/missing", "/nothing"])
def test_another_status_than_200_is_a_download_error(server: str, path: str) -> None:
    with pytest.raises(DownloadError, match=r"404|204"):
        fetch_url(server + path)


def test_more_than_the_cap_is_a_download_error(server: str) -> None:
    with pytest.raises(DownloadError, match="bytes_max"):
        fetch_url(f"{server}/events", bytes_max=5)


def test_a_network_that_fails_is_a_download_error_with_its_cause() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        with pytest.raises(DownloadError) as caught:
            fetch_url(f"http://127.0.0.1:{taken.getsockname()[1]}/")
    assert isinstance(caught.value.__cause__, OSError)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "events",
        "ftp://host/x",
        "http://",
        "http://host:port/",
        "http://[::1/",
        "http://a b/",
        "http://x\n",
        None,
    ],
)
def test_what_is_no_url_is_said_before_anything_is_asked(url: str) -> None:
    with pytest.raises(InvalidUrlError, match="no URL") as caught:
        fetch_url(url)
    assert isinstance(caught.value, Error)
