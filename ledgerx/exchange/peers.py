"""Which TCP connections belong to which key, so that a removed or misbehaving client is cut for real.

ZeroMQ cannot close one peer of a socket, and a subscriber that is let in stays in. But each message says
by which file descriptor it came (ZMQ_SRCFD), and a descriptor can be shut down.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator
from typing import Any

import zmq

__all__ = ["Peers", "user_key"]


def user_key(frame: zmq.Frame) -> str:
    """The Z85 public key that the authenticator gave a message's sender; "" if there is none."""
    try:
        return str(frame.get("User-Id"))
    except (zmq.ZMQError, KeyError, ValueError):
        return ""


class Peers:
    """Descriptors by key. A descriptor is cut only while it still leads to the peer it was noted for."""

    def __init__(self) -> None:
        self._by_fd: dict[int, tuple[str, Any]] = {}

    def note(self, frame: zmq.Frame, key: str) -> None:
        """Remember by which connection a message of `key` came."""
        fd = _source_fd(frame)
        name = _peer_name(fd)
        if name is not None:
            self._by_fd[fd] = (key, name)

    def cut_frame(self, frame: zmq.Frame) -> None:
        """Close the connection that a message came by."""
        fd = _source_fd(frame)
        self._by_fd.pop(fd, None)
        _shut_down(fd, _peer_name(fd))

    def cut_key(self, key: str) -> int:
        """Close every noted connection of a key; how many there were."""
        fds = [fd for fd, (owner, _name) in self._by_fd.items() if owner == key]
        for fd in fds:
            _shut_down(fd, self._by_fd.pop(fd)[1])
        return len(fds)


def _source_fd(frame: zmq.Frame) -> int:
    try:
        return int(frame.get(zmq.SRCFD))
    except (zmq.ZMQError, AttributeError, ValueError):
        return -1


@contextlib.contextmanager
def _socket_at(fd: int) -> Iterator[socket.socket]:
    """A socket object over a copy of the descriptor. Raises OSError where it is no socket (any more)."""
    copy = os.dup(fd)
    try:
        peer = socket.socket(fileno=copy)
    except OSError:
        os.close(copy)
        raise
    with peer:
        yield peer


def _peer_name(fd: int) -> Any:
    with contextlib.suppress(OSError), _socket_at(fd) as peer:
        return peer.getpeername()
    return None


def _shut_down(fd: int, name: Any) -> None:
    with contextlib.suppress(OSError), _socket_at(fd) as peer:
        if peer.getpeername() == name:
            peer.shutdown(socket.SHUT_RDWR)
