"""Streaming sessions beside the published client and beside a bare socket, in one run.

Rates are medians of interleaved passes of thread CPU time, in thousands a second; round trips are medians of
wall time, in microseconds, to a process of its own, each end on its own core where there are two: else the
scheduler puts one pair on one core and wakes another for the next. The published client runs under its own
Python.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table

from ledgerx.clock import SYSTEM_CLOCK
from ledgerx.exchange.streaming.certificate import certificate_path, server_context
from ledgerx.streaming_api import eto_pb2 as eto
from ledgerx.streaming_api import seto_pb2 as seto
from ledgerx.streaming_api.core import Role, SessionCore
from ledgerx.streaming_api.framing import frame_decode_all, frame_encode
from ledgerx.streaming_api.payloads import admin, serialise, wrap
from ledgerx.streaming_api.session import Session, SessionSettings

FRAMES = 20_000
FEW_TIMES = FRAMES // 1000  # a thousand frames alone take a fifth of a millisecond, too short to be timed
ORDERS = 5_000
ROUND_TRIPS = 2_000
FOLDER = Path(__file__).parent / "_streaming"
PUBLISHED = Path(sys.prefix) / "published-client" / "bin" / "python"


def executions() -> list[bytes]:
    """Payloads as a busy account gets them, numbered from 1."""
    found = []
    for number in range(1, FRAMES + 1):
        message = seto.OrderExecuted(
            price=5000 + number % 50, quantity=10_000, order_id=number, side=seto.SIDE_BUY, market_id=1,
            contract_id=1, account_sequence=number, account_sequence_64=number, available_quantity=20_000,
        )  # fmt: skip
        found.append(serialise(wrap(message), number))
    return found


def framed(payloads: list[bytes]) -> bytes:
    out = bytearray()
    for payload in payloads:
        frame_encode(out, payload)
    return bytes(out)


def rate(count: int, call: Callable[[], object]) -> float:
    begun = time.thread_time()
    call()
    return count / (time.thread_time() - begun)


def orders() -> None:
    """Orders built, numbered and framed, as `published.py` does it."""
    core = SessionCore(Role.CLIENT, 0.0)
    core.login(seto.Login(cookie=b"token"), 0.0)
    response = admin(eto.PAYLOAD_LOGIN_RESPONSE)
    response.eto_payload.login_response.session, response.eto_payload.login_response.reset = "s", 2
    core.receive(framed([serialise(response, 1)]), 0.0)
    payload = seto.Payload()
    for number in range(ORDERS):
        payload.Clear()
        payload.type = seto.PAYLOAD_ORDER_CREATE
        order = payload.order_create
        order.market_id = order.contract_id = 1
        order.side, order.quantity, order.price, order.reference = seto.SIDE_BUY, 10_000, 5000, number
        core.send(payload, 0.0)


def next_frames(data: bytes, count: int) -> float:
    """The rate of next_frame alone, of a session in which all frames wait."""
    core = SessionCore(Role.CLIENT, 0.0)
    core.receive(data, 0.0)

    def drain() -> None:
        while core.next_frame() is not None:
            pass

    return rate(count, drain)


def whole(data: bytes, count: int) -> float:
    """The rate from bytes to frames: deframed, parsed, put in order and taken."""

    def run() -> None:
        core = SessionCore(Role.CLIENT, 0.0)
        core.receive(data, 0.0)
        while core.next_frame() is not None:
            pass

    return rate(count, run)


def ours(payloads: list[bytes], few: bytes, many: bytes) -> dict[str, float]:
    """One pass of our cases."""
    return {
        "frame_encode": rate(len(payloads), lambda: framed(payloads)),
        "orders sent": rate(ORDERS, orders),
        "frame_decode_all, 1,000 frames": rate(
            FRAMES, lambda: [frame_decode_all(few) for _ in range(FEW_TIMES)]
        ),
        "frame_decode_all, 20,000 frames": rate(FRAMES, lambda: frame_decode_all(many)),
        "next_frame, 1,000 queued": next_frames(few, 1000),
        "next_frame, 20,000 queued": next_frames(many, FRAMES),
        "bytes to frames, 1,000": whole(few, 1000),
        "bytes to frames, 20,000": whole(many, FRAMES),
    }


def measure(passes: int, frames_file: Path) -> dict[str, float]:
    """Medians by name."""
    payloads = executions()
    few, many = framed(payloads[:1000]), framed(payloads)
    frames_file.write_bytes(many)
    samples: dict[str, list[float]] = {}
    for _ in range(passes):
        results = {"ledgerx": ours(payloads, few, many)}
        if PUBLISHED.exists():
            command = [PUBLISHED, "-W", "ignore", FOLDER / "published.py", frames_file]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            results["published"] = json.loads(done.stdout)
        for who, figures in results.items():
            for name, value in figures.items():
                samples.setdefault(f"{who} {name}", []).append(value)
    return {name: statistics.median(values) for name, values in samples.items()}


# ---------------------------------------------------------------------- round trips


@contextlib.contextmanager
def echoing(certificate: Path | None) -> Iterator[list[int]]:
    """The ports of an echo process: bare, and of a session."""
    command = [sys.executable, str(FOLDER / "echo.py"), str(certificate or "-")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    cores = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
    try:
        ports = [int(port) for port in process.stdout.readline().split()]
        if cores:
            os.sched_setaffinity(0, {min(cores)})  # the echo has gone to the last one
        yield ports
    finally:
        if cores:
            os.sched_setaffinity(0, cores)
        process.kill()
        process.communicate()


def microseconds(call: Callable[[], object], count: int = ROUND_TRIPS) -> float:
    samples = []
    for _ in range(count):
        begun = time.perf_counter()
        call()
        samples.append(time.perf_counter() - begun)
    return statistics.median(samples) * 1e6


def bare_trip(port: int, tls: ssl.SSLContext | None) -> float:
    """A PING's bytes and back, on a socket that blocks."""
    ping = framed([serialise(admin(eto.PAYLOAD_PING), 2)])
    sock = socket.create_connection(("127.0.0.1", port))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with tls.wrap_socket(sock, server_hostname="127.0.0.1") if tls else sock as connection:

        def trip() -> None:
            connection.sendall(ping)
            connection.recv(65_536)

        return microseconds(trip)


def session_trip(port: int, certificate: Path | None) -> float:
    """A PING and its PONG on a session."""
    kwargs = {"ca_certs": str(certificate)} if certificate else None
    settings = SessionSettings(
        "a", "b", host="127.0.0.1", port=port, ssl=certificate is not None, ssl_kwargs=kwargs
    )
    ping = admin(eto.PAYLOAD_PING)
    with Session(settings) as session:

        def until(kind: int) -> None:
            while True:
                while (frame := session.next_frame()) is not None:
                    if frame.protobuf.eto_payload.type == kind:
                        return
                session.read()

        def trip() -> None:
            session.send(ping)
            session.flush()
            until(eto.PAYLOAD_PONG)

        until(eto.PAYLOAD_LOGIN_RESPONSE)
        return microseconds(trip)


def round_trips(passes: int, folder: Path) -> dict[str, float]:
    """Medians of the passes' medians, plain and over TLS."""
    server_context(folder, "127.0.0.1", SYSTEM_CLOCK)
    both = folder / "both.pem"
    certificate = certificate_path(folder)
    both.write_bytes(certificate.read_bytes() + (folder / "streaming.key").read_bytes())
    tls = ssl.create_default_context(cafile=str(certificate))
    samples: dict[str, list[float]] = {}
    for name, server, client in (("plain", None, None), ("TLS", both, tls)):
        with echoing(server) as (bare_port, session_port):
            for _ in range(passes):
                samples.setdefault(f"{name}, bare socket", []).append(bare_trip(bare_port, client))
                trusted = certificate if client else None
                samples.setdefault(f"{name}, session", []).append(session_trip(session_port, trusted))
    return {name: statistics.median(values) for name, values in samples.items()}


def verdicts(rates: dict[str, float], trips: dict[str, float]) -> list[tuple[str, float, float, bool]]:
    """(what, limit, measured, met) for each expectation that can be judged."""
    rows: list[tuple[str, float, float, bool]] = []

    def times(what: str, limit: float) -> None:
        theirs = rates.get(f"published {what}")
        if theirs:
            ratio = rates[f"ledgerx {what}"] / theirs
            rows.append((f"{what}, x published", limit, ratio, ratio >= limit))

    times("frame_decode_all, 1,000 frames", 5)
    times("frame_decode_all, 20,000 frames", 5)
    theirs = rates.get("published next_frame, 1,000 queued")
    if theirs:  # ours parses as it receives, so that the whole way is what compares with it
        ratio = rates["ledgerx bytes to frames, 1,000"] / theirs
        rows.append(("bytes to frames, 1,000, x published next_frame", 3, ratio, ratio >= 3))
    flat = rates["ledgerx bytes to frames, 1,000"] / rates["ledgerx bytes to frames, 20,000"]
    rows.append(("bytes to frames, 1,000 over 20,000", 1.3, flat, flat <= 1.3))
    for name in ("plain", "TLS"):
        ratio = trips[f"{name}, session"] / trips[f"{name}, bare socket"]
        rows.append((f"round trip, {name}, x bare", 2, ratio, ratio <= 2))
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--passes", type=int, default=5)
    parser.add_argument("--json", type=Path, help="write the figures there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        rates = measure(options.passes, Path(name) / "frames")
        trips = round_trips(options.passes, Path(name))
    console = Console()
    title = f"{platform.machine()}, {os.cpu_count()} cores, {options.passes} passes"
    table = Table("thousands a second", "ledgerx", "published", title=title)
    for what in [name.removeprefix("ledgerx ") for name in rates if name.startswith("ledgerx ")]:
        theirs = rates.get(f"published {what}")
        table.add_row(
            what, f"{rates[f'ledgerx {what}'] / 1e3:,.0f}", f"{theirs / 1e3:,.0f}" if theirs else ""
        )
    console.print(table)
    table = Table("round trip", "µs")
    for what, value in trips.items():
        table.add_row(what, f"{value:,.0f}")
    console.print(table)
    expected = Table("expected", "limit", "measured", "")
    for what, limit, measured, met in verdicts(rates, trips):
        expected.add_row(what, f"{limit:g}", f"{measured:.2f}", "met" if met else "missed")
    console.print(expected)
    if not PUBLISHED.exists():
        console.print("the published client is not installed here: only the figures of ledgerx were judged")
    if options.json:
        options.json.write_text(json.dumps({"rates": rates, "round trips": trips}, indent=1))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
