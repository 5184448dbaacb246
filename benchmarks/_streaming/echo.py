"""The other end of a round trip, a process of its own: python echo.py CERTIFICATE|- ; prints two ports.

One port gives every byte back as it came; the other holds a session, whose core answers a PING.
"""

from __future__ import annotations

import os
import socket
import ssl
import sys
import threading
import time

from ledgerx.streaming_api.core import Phase, Role, SessionCore


def bare(connection: socket.socket) -> None:
    """Give back what comes."""
    while data := connection.recv(65_536):
        connection.sendall(data)


def session(connection: socket.socket) -> None:
    """Hold a session."""
    core = SessionCore(Role.GATEWAY, time.monotonic())
    while data := connection.recv(65_536):
        core.receive(data, time.monotonic())
        while core.next_frame() is not None:
            if core.phase is Phase.LOGIN:
                core.accept("bench", time.monotonic())
        connection.sendall(core.output)
        core.sent(len(core.output))


def main(certificate: str) -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    context = None
    if certificate != "-":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    print(*(listener.getsockname()[1] for listener in listeners), flush=True)

    def serve(listener: socket.socket, script: object) -> None:
        while True:
            connection, _ = listener.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if context is not None:
                connection = context.wrap_socket(connection, server_side=True)
            with connection:
                script(connection)  # type: ignore[operator]

    threading.Thread(target=serve, args=(listeners[0], bare), daemon=True).start()
    serve(listeners[1], session)


if __name__ == "__main__":
    main(sys.argv[1])
