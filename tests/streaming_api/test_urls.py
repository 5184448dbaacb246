"""Fetching a URL that a frame refers to: its bytes, or the manual's error."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from scripted import Scripted

from ledgerx.errors import InvalidField
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


@pytest.mark.parametrize(
    "answer",
    [
        b"Content-Length: 1000\r\n\r\n0123456789",
        b"Content-Length: 10\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n5\r\n01",
    ],
)
def test_a_body_that_is_cut_is_a_download_error(answer: bytes) -> None:
    def script(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 200 OK\r\n" + answer)

    with Scripted(script) as server, pytest.raises(DownloadError):
        fetch_url(f"http://127.0.0.1:{server.port}/")


@pytest.mark.parametrize(
    "answer",
    [b"Content-Length: 3\r\n\r\nabc", b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n2\r\nbc\r\n0\r\n\r\n"],
)
def test_a_whole_body_is_fetched_in_whatever_form(answer: bytes) -> None:
    def script(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 200 OK\r\n" + answer)

    with Scripted(script) as server:
        assert fetch_url(f"http://127.0.0.1:{server.port}/") == b"abc"


@pytest.mark.parametrize(
    "head", [b"HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: "]
)
def test_all_of_it_must_come_within_the_timeout(head: bytes) -> None:
    over = threading.Event()

    def script(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(head)
        for _ in range(30):
            if over.wait(0.1):
                return
            connection.sendall(b"x")

    with Scripted(script) as server:
        with pytest.raises(DownloadError, match=r"timeout_s, 0\.3 s"):
            fetch_url(f"http://127.0.0.1:{server.port}/", timeout_s=0.3)
        over.set()


@pytest.mark.parametrize("timeout_s", [0, -1, float("nan"), float("inf"), "1", None])
def test_a_timeout_that_is_none_is_named(timeout_s: float) -> None:
    with pytest.raises(InvalidField, match="timeout_s"):
        fetch_url("http://127.0.0.1:1/", timeout_s=timeout_s)
